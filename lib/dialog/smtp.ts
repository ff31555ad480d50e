// SMTP as a client, up to handing over one message. @see RFC 5321, 3207 (STARTTLS), 4954 (AUTH), 3461 (DSN), 1870 (SIZE)
//
// Own dialog: nodemailer pipelines MAIL, RCPT and DATA in one write, so their times cannot be told apart, calls a drop in any
// phase a connection error, and goes on in clear when STARTTLS is not offered. Here each command waits for its reply.
//
// After the final dot has left and before its reply has come, a lost connection means that the message may or may not have been
// accepted: that is a fault in phase `final`. A connection lost before is a fault in `body`, and the message was not accepted.

import type { Dialog } from '../model/dialog.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { printable } from '../model/printable.ts';
import { Line, type Terms } from './line.ts';
import { base64, chooseMechanism, plainResponse, readSecret, xoauth2Response } from './sasl.ts';
import { checked, expect, firstLine, readReply, refusal, replyText, type SmtpReply } from './smtp-wire.ts';

export interface Envelope {
  /** Empty for the null reverse-path. */
  readonly from: string;
  readonly to: string;
  /** ENVID, sent when the server offers DSN: it comes back in a bounce. */
  readonly id?: string;
}

/** What the server said to the final dot. */
export interface Accepted {
  readonly reply: string;
  readonly queueId?: string;
}

/**
 * Hands over one message.
 *
 * @param helo the name we give in EHLO
 * @param message as it goes over the wire but for dot-stuffing: CRLF line ends
 * @returns never throws for what the server did. A fault in phase `final` of kind `dropped` or `timeout` leaves open whether
 *   the message was accepted
 */
export function submit(
  endpoint: Endpoint,
  helo: string,
  envelope: Envelope,
  message: Buffer,
  terms: Terms,
): Promise<Dialog<Accepted>> {
  return converseSmtp(endpoint, helo, terms, async (line, extensions) => {
    await line.phase('mail', () => expect(line, mailFrom(envelope, extensions, message.length), 2));
    await line.phase('rcpt', () => expect(line, `RCPT TO:<${envelope.to}>`, 2));
    await line.phase('data', () => expect(line, 'DATA', 3));
    await line.phase('body', () => sendBody(line, message));
    const reply = await line.phase('final', async () => {
      if (!(await line.sendLine('.'))) throw line.broken('dropped', 'closed the connection before the end of the message');
      return checked(line, await readReply(line), 2);
    });
    const accepted = acceptance(reply);
    line.facts.accepted = accepted.reply;
    if (accepted.queueId !== undefined) line.facts.queueId = accepted.queueId;
    return accepted;
  });
}

/** Goes as far as the server's word on the recipient and takes it back: no message is sent. */
export function knock(
  endpoint: Endpoint,
  helo: string,
  envelope: Envelope,
  terms: Terms,
): Promise<Dialog<{ readonly rcpt: string }>> {
  return converseSmtp(endpoint, helo, terms, async (line, extensions) => {
    await line.phase('mail', () => expect(line, mailFrom(envelope, extensions), 2));
    const rcpt = await line.phase('rcpt', () => expect(line, `RCPT TO:<${envelope.to}>`, 2));
    await line.phase('rset', () => expect(line, 'RSET', 2));
    return { rcpt: firstLine(rcpt) };
  });
}

/** Banner, EHLO, QUIT: the cheapest sign of life. */
export function greet(endpoint: Endpoint, helo: string, terms: Terms): Promise<Dialog<{ readonly banner: string }>> {
  const { login: _, ...anonymous } = endpoint;
  return converseSmtp(anonymous, helo, terms, async line => ({ banner: line.facts.banner ?? '' }));
}

async function converseSmtp<T>(
  endpoint: Endpoint,
  helo: string,
  terms: Terms,
  script: (line: Line, extensions: ReadonlyMap<string, string>) => Promise<T>,
): Promise<Dialog<T>> {
  const line = new Line(endpoint, terms);
  try {
    return await line.operation(terms, async () => {
      const secret = endpoint.login === undefined ? undefined : await readSecret(line, endpoint.login);
      await line.dial();
      const extensions = await open(line, helo);
      if (secret !== undefined) await line.phase('auth', () => authenticate(line, secret, extensions));
      const value = await script(line, extensions);
      await quit(line);
      return value;
    });
  } finally {
    line.close();
  }
}

/** Banner, EHLO, and STARTTLS with a second EHLO where that is required. */
async function open(line: Line, helo: string): Promise<ReadonlyMap<string, string>> {
  const greeting = await line.phase('banner', async () => checked(line, await readReply(line), 2));
  line.facts.banner = printable(greeting.lines.join(' '), 300);
  let extensions = await line.phase('ehlo', () => ehlo(line, helo));
  if (line.endpoint.security === 'starttls') {
    await line.phase('starttls', async () => {
      if (!extensions.has('STARTTLS'))
        throw line.broken(
          'missing',
          `offers no STARTTLS, which is required here (offers: ${offers(extensions)})`,
          undefined,
          'permanent',
        );
      await expect(line, 'STARTTLS', 2);
    });
    await line.upgrade();
    extensions = await line.phase('ehlo', () => ehlo(line, helo));
  }
  line.facts.capabilities = [...extensions].map(([name, rest]) => printable(`${name} ${rest}`.trim(), 100));
  line.facts.dsn = extensions.has('DSN');
  return extensions;
}

async function ehlo(line: Line, helo: string): Promise<ReadonlyMap<string, string>> {
  const reply = await expect(line, `EHLO ${helo}`, 2);
  const extensions = new Map<string, string>();
  for (const each of reply.lines.slice(1)) {
    const [name = '', ...rest] = each.trim().split(/\s+/);
    // AUTH=PLAIN is how servers of the nineties said it.
    const keyword = name.toUpperCase().replace(/^AUTH=.*/, 'AUTH');
    extensions.set(
      keyword,
      [name.startsWith('AUTH=') ? name.slice(5) : '', ...rest, extensions.get(keyword) ?? ''].join(' ').trim(),
    );
  }
  return extensions;
}

async function authenticate(line: Line, secret: string, extensions: ReadonlyMap<string, string>): Promise<void> {
  const login = line.endpoint.login;
  if (login === undefined) return;
  const offered = (extensions.get('AUTH') ?? '').split(/\s+/).filter(name => name !== '');
  const mechanism = chooseMechanism(login, offered);
  if (mechanism === undefined) {
    const wanted = login.mechanism === undefined ? 'PLAIN or LOGIN' : login.mechanism.toUpperCase();
    throw line.broken(
      'missing',
      `offers no AUTH ${wanted} (offers: ${offered.length === 0 ? 'none' : printable(offered.join(' '), 100)})`,
      undefined,
      'permanent',
    );
  }
  line.facts.mechanism = mechanism;
  const credentials = { user: login.user, secret };
  switch (mechanism) {
    case 'plain':
      await line.sendLine(`AUTH PLAIN ${plainResponse(credentials)}`, 'AUTH PLAIN ***');
      break;
    case 'login':
      await expect(line, 'AUTH LOGIN', 3);
      await line.sendLine(base64(login.user), '(user)');
      checked(line, await readReply(line), 3);
      await line.sendLine(base64(secret), '***');
      break;
    case 'xoauth2':
      await line.sendLine(`AUTH XOAUTH2 ${xoauth2Response(credentials)}`, 'AUTH XOAUTH2 ***');
      break;
    default:
      mechanism satisfies never;
  }
  let reply = await readReply(line);
  // XOAUTH2 explains a refusal in a challenge, to be answered with an empty line before the refusal itself comes.
  if (reply.code === 334 && mechanism === 'xoauth2') {
    await line.sendLine('');
    reply = await readReply(line);
  }
  checked(line, reply, 2);
}

function mailFrom(envelope: Envelope, extensions: ReadonlyMap<string, string>, bytes?: number): string {
  const size = bytes !== undefined && extensions.has('SIZE') ? ` SIZE=${bytes}` : '';
  const dsn = envelope.id !== undefined && extensions.has('DSN') ? ` RET=HDRS ENVID=${envelope.id}` : '';
  return `MAIL FROM:<${envelope.from}>${size}${dsn}`;
}

async function sendBody(line: Line, message: Buffer): Promise<void> {
  if (await line.send(dotStuffed(message), `(${message.length} bytes)`, 'answered')) return;
  // The peer closed in the middle, or has answered before the end: what it said, if anything, is the reason.
  throw refusal(line, await readReply(line));
}

/** A dot at the start of a line is doubled. @see RFC 5321 section 4.5.2 */
function dotStuffed(message: Buffer): Buffer {
  const stuffed = message.toString('latin1').replace(/^\./gm, '..');
  return Buffer.from(stuffed.endsWith('\r\n') ? stuffed : `${stuffed}\r\n`, 'latin1');
}

/** What the server says to QUIT, and whether it says anything, changes nothing: least of all that it has taken the message. */
async function quit(line: Line): Promise<void> {
  await line.leave(async () => {
    if (await line.sendLine('QUIT')) await readReply(line);
  });
}

function offers(extensions: ReadonlyMap<string, string>): string {
  return extensions.size === 0 ? 'nothing' : printable([...extensions.keys()].join(' '), 150);
}

/** How MTAs name the message in their reply to the final dot; the first that fits wins. */
const QUEUE_IDS: readonly RegExp[] = [
  /queued as ([A-Za-z0-9]+)/i, // Postfix, Haraka
  /\bid=([A-Za-z0-9-]+)/, // Exim
  /InternalId=(\d+)/i, // Exchange
  /\bqp (\d+)/, // qmail
  /^(?:\d\.\d\.\d )?([A-Za-z0-9]{8,}) Message accepted/i, // sendmail, OpenSMTPD
  /\(([A-Za-z0-9-]{6,})\)\s*$/,
];

function acceptance(reply: SmtpReply): Accepted {
  const text = replyText(reply);
  const words = reply.lines.join(' ');
  const queueId = QUEUE_IDS.map(pattern => pattern.exec(words)?.[1]).find(id => id !== undefined);
  return { reply: text, ...(queueId === undefined ? {} : { queueId: printable(queueId, 64) }) };
}
