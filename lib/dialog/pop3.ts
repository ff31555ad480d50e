// POP3 as a client. @see RFC 1939, 2449 (CAPA, response codes), 2595 (STLS), 5034 (AUTH), 3206 (SYS and AUTH codes)
//
// Own dialog: node-pop3 waits for ever on any stall after the greeting, corrupts replies that are split over segments, ends the
// process on an -ERR greeting, undoes no dot-stuffing and knows neither STLS nor AUTH.
//
// A POP3 session shows the maildrop as it was at log-in: new mail is seen only by a new session. Deletions happen at QUIT.

import type { Dialog, Fault, Reply } from '../model/dialog.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { printable } from '../model/printable.ts';
import { Broken, Line, REPLY_LINES, type Terms } from './line.ts';
import { chooseMechanism, plainResponse, readSecret, xoauth2Response } from './sasl.ts';

/**
 * A message, or why the server would not show it: not every server locks the maildrop (RFC 1939 section 3), so another session may
 * have removed it since it was listed.
 */
export type Shown = { readonly text: Buffer } | { readonly refused: Fault };

/** One message of the maildrop as it stands in this session. */
export interface Drop {
  /** Message number, good in this session only. */
  readonly number: number;
  /** Unique-id, good for ever. */
  readonly uidl: string;
}

/** A mailbox may be large; more messages than this are not listed, and that is said. With their names they take some 14 MB. */
const MOST_MESSAGES = 50_000;
/** A line of UIDL is at most 80 bytes. */
const UIDL_BYTES = 4 * 1024 * 1024;

/** An open, logged-in session. After a fault it is closed. */
export class Pop3Session {
  readonly #line: Line;

  constructor(line: Line) {
    this.#line = line;
  }

  /** What is in the maildrop, in the server's order. */
  list(terms: Terms): Promise<Dialog<readonly Drop[]>> {
    const line = this.#line;
    return line.operation(terms, () =>
      line.phase('list', async () => {
        line.allow(UIDL_BYTES);
        await expect(line, 'UIDL');
        const drops: Drop[] = [];
        await line.readDottedLines(each => {
          const parts = /^(\d{1,9}) ([\x21-\x7e]{1,70})\s*$/.exec(each);
          if (parts === null) throw line.broken('garbled', `sent what is no line of UIDL: "${printable(each, 100)}"`);
          drops.push({ number: Number(parts[1]), uidl: parts[2] as string });
          if (drops.length > MOST_MESSAGES) throw line.broken('garbled', `lists more than ${MOST_MESSAGES} messages`);
        });
        return drops;
      }),
    );
  }

  /** Bytes of each message by its number, as the server counts them. */
  sizes(terms: Terms): Promise<Dialog<ReadonlyMap<number, number>>> {
    const line = this.#line;
    return line.operation(terms, () =>
      line.phase('list', async () => {
        line.allow(UIDL_BYTES);
        await expect(line, 'LIST');
        const sizes = new Map<number, number>();
        await line.readDottedLines(each => {
          const parts = /^(\d{1,9}) (\d{1,10})(?:\s|$)/.exec(each);
          if (parts === null) throw line.broken('garbled', `sent what is no line of LIST: "${printable(each, 100)}"`);
          sizes.set(Number(parts[1]), Number(parts[2]));
          if (sizes.size > MOST_MESSAGES) throw line.broken('garbled', `lists more than ${MOST_MESSAGES} messages`);
        });
        return sizes;
      }),
    );
  }

  /** The header, and so many lines of the body, of a message that has so many bytes. */
  top(number: number, lines: number, bytes: number, terms: Terms): Promise<Dialog<Shown>> {
    const line = this.#line;
    return line.operation(terms, () =>
      line.phase('top', async () => {
        line.allow(bytes);
        try {
          await expect(line, `TOP ${number} ${lines}`);
        } catch (error) {
          if (error instanceof Broken && error.fault.kind === 'rejected') return { refused: error.fault };
          throw error;
        }
        return { text: await line.readDotted() };
      }),
    );
  }

  /** The whole message, if it is no larger than `mostBytes`. */
  retrieve(number: number, mostBytes: number, terms: Terms): Promise<Dialog<Buffer>> {
    const line = this.#line;
    return line.operation(terms, () =>
      line.phase('retr', async () => {
        line.allow(mostBytes);
        await expect(line, `RETR ${number}`);
        return line.readDotted();
      }),
    );
  }

  /** Marks for deletion; it happens at `quit`. */
  remove(numbers: readonly number[], terms: Terms): Promise<Dialog<void>> {
    const line = this.#line;
    return line.operation(terms, () =>
      line.phase('dele', async () => {
        for (const number of numbers) await expect(line, `DELE ${number}`);
      }),
    );
  }

  /** Ends the session; the server removes what is marked. A refusal means that it has not. */
  quit(terms: Terms): Promise<Dialog<void>> {
    const line = this.#line;
    return line
      .operation(terms, () => line.phase('quit', async () => void (await expect(line, 'QUIT'))))
      .finally(() => line.close());
  }

  /** Drops the connection without QUIT: nothing is removed. */
  close(): void {
    this.#line.close();
  }
}

/** Connects, greets, encrypts as the endpoint says, and logs in. */
export async function openPop3(endpoint: Endpoint, terms: Terms): Promise<Dialog<Pop3Session>> {
  const line = new Line(endpoint, terms);
  return line.operation(terms, async () => {
    const login = endpoint.login;
    const secret = login === undefined ? undefined : await readSecret(line, login);
    await line.dial();
    line.facts.banner = printable(await line.phase('banner', () => reply(line)), 300);
    let capabilities = await line.phase('capability', () => capa(line));
    if (endpoint.security === 'starttls') {
      await line.phase('starttls', async () => {
        if (capabilities !== undefined && !capabilities.has('STLS')) {
          throw line.broken(
            'missing',
            `offers no STLS, which is required here (offers: ${offers(capabilities)})`,
            undefined,
            'permanent',
          );
        }
        await expect(line, 'STLS');
      });
      await line.upgrade();
      capabilities = await line.phase('capability', () => capa(line));
    }
    line.facts.capabilities = [...(capabilities ?? new Map())].map(([name, rest]) => printable(`${name} ${rest}`.trim(), 100));
    if (login !== undefined && secret !== undefined) await line.phase('auth', () => authenticate(line, secret, capabilities));
    return new Pop3Session(line);
  });
}

/** Logs in, lists what is there, logs out; without a log-in: greets and leaves. */
export async function knockPop3(endpoint: Endpoint, terms: Terms): Promise<Dialog<void>> {
  const opened = await openPop3(endpoint, terms);
  if (opened.outcome !== 'answered') return opened;
  const session = opened.value;
  const listed =
    endpoint.login === undefined
      ? undefined
      : await session.list({ ...terms, deadlineMs: Math.max(1, terms.deadlineMs - opened.tookMs) });
  if (listed !== undefined && listed.outcome !== 'answered') return listed;
  const spentMs = opened.tookMs + (listed?.tookMs ?? 0);
  await session.quit({ ...terms, deadlineMs: Math.max(1, Math.min(1000, terms.deadlineMs - spentMs)) });
  return { ...opened, value: undefined };
}

/** Absent when the server does not know CAPA, as old ones may: then STLS and USER are simply tried. */
async function capa(line: Line): Promise<ReadonlyMap<string, string> | undefined> {
  await line.sendLine('CAPA');
  const first = await line.readLine();
  if (/^-ERR/i.test(first)) return undefined;
  if (!/^\+OK/i.test(first)) throw line.broken('garbled', `sent what is no POP3 reply: "${printable(first, 100)}"`);
  const capabilities = new Map<string, string>();
  let lines = 0;
  await line.readDottedLines(each => {
    const [name = '', ...rest] = each.trim().split(/\s+/);
    if (name !== '') capabilities.set(name.toUpperCase(), rest.join(' '));
    lines += 1;
    if (lines > REPLY_LINES) throw line.broken('garbled', `lists more than ${REPLY_LINES} capabilities`);
  });
  return capabilities;
}

async function authenticate(line: Line, secret: string, capabilities: ReadonlyMap<string, string> | undefined): Promise<void> {
  const login = line.endpoint.login;
  if (login === undefined) return;
  const credentials = { user: login.user, secret };
  const offered = (capabilities?.get('SASL') ?? '').split(/\s+/).filter(name => name !== '');
  const mechanism = chooseMechanism(login, offered);
  // LOGIN is not offered by POP3 servers; USER and PASS are the same thing and need no SASL.
  if (mechanism === undefined || mechanism === 'login') {
    if (login.mechanism !== undefined && login.mechanism !== 'login') {
      throw line.broken(
        'missing',
        `offers no AUTH ${login.mechanism.toUpperCase()} (offers: ${offered.length === 0 ? 'none' : printable(offered.join(' '), 100)})`,
        undefined,
        'permanent',
      );
    }
    line.facts.mechanism = 'user';
    await expect(line, `USER ${login.user}`, 'USER (user)');
    await expect(line, `PASS ${secret}`, 'PASS ***');
    return;
  }
  line.facts.mechanism = mechanism;
  const name = mechanism.toUpperCase();
  const response = mechanism === 'plain' ? plainResponse(credentials) : xoauth2Response(credentials);
  // Without the initial response first: RFC 5034 limits a command line to 255 bytes, which a token exceeds.
  await line.sendLine(`AUTH ${name}`);
  await continuation(line);
  await line.sendLine(response, '***');
  const answer = await line.readLine();
  if (/^\+ ?/.test(answer) && !/^\+OK/i.test(answer)) {
    // XOAUTH2 explains a refusal in a challenge, to be answered with an empty line before the refusal itself comes.
    await line.sendLine('');
    checked(line, await line.readLine());
    return;
  }
  checked(line, answer);
}

async function continuation(line: Line): Promise<void> {
  const answer = await line.readLine();
  if (/^\+(?!OK)/i.test(answer)) return;
  checked(line, answer);
  throw line.broken('garbled', `answered out of turn: "${printable(answer, 100)}"`);
}

async function expect(line: Line, command: string, shown?: string): Promise<string> {
  await line.sendLine(command, shown);
  return reply(line);
}

async function reply(line: Line): Promise<string> {
  return checked(line, await line.readLine());
}

function checked(line: Line, answer: string): string {
  if (/^\+OK(\s|$)/i.test(answer)) return answer;
  if (/^-ERR(\s|$)/i.test(answer)) {
    const refused = asReply(answer);
    throw line.broken('rejected', `refused: ${printable(answer, 300)}`, refused, lasting(refused.enhanced));
  }
  throw line.broken('garbled', `sent what is no POP3 reply: "${printable(answer, 100)}"`);
}

function asReply(answer: string): Reply {
  const code = /^-ERR \[([A-Z0-9/-]{1,40})\]/i.exec(answer)?.[1]?.toUpperCase();
  return { code: '-ERR', ...(code === undefined ? {} : { enhanced: code }), lines: [printable(answer.slice(5), 300)] };
}

/** @see RFC 3206, RFC 2449 section 8 */
function lasting(code: string | undefined): 'transient' | 'permanent' | 'unknown' {
  if (code === undefined) return 'unknown';
  return code === 'AUTH' || code === 'SYS/PERM' ? 'permanent' : 'transient';
}

function offers(capabilities: ReadonlyMap<string, string>): string {
  return capabilities.size === 0 ? 'nothing' : printable([...capabilities.keys()].join(' '), 150);
}
