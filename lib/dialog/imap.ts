// IMAP as a client, up to being logged in. @see RFC 3501 sections 6.1 and 6.2, 4959 (SASL-IR), 5530 (response codes)
//
// Own dialog: imapflow sends a dozen commands where three are needed, gives `false` for a search that failed, waits for ever when
// IDLE is never continued, and expunges other people's deleted messages where UIDPLUS is missing. It looks for messages in
// mailboxes where time does not matter (look.ts).

import type { Dialog } from '../model/dialog.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { printable } from '../model/printable.ts';
import { ImapSession } from './imap-session.ts';
import { ImapWire, quoted, type Untagged } from './imap-wire.ts';
import { Line, type Terms } from './line.ts';
import { plainResponse, readSecret, xoauth2Response } from './sasl.ts';

/** As many are told; real servers have some fifty. */
const MOST_CAPABILITIES = 200;

/** Connects, greets, encrypts as the endpoint says, logs in, and selects the folder where one is given. */
export async function openImap(endpoint: Endpoint, folder: string | undefined, terms: Terms): Promise<Dialog<ImapSession>> {
  const line = new Line(endpoint, terms);
  return line.operation(terms, async () => {
    const login = endpoint.login;
    const secret = login === undefined ? undefined : await readSecret(line, login);
    await line.dial();
    const wire = new ImapWire(line);
    const greeting = await line.phase('banner', () => wire.greeting());
    line.facts.banner = printable(greeting.text, 300);
    let capabilities =
      greeting.code === 'CAPABILITY' ? words(greeting.codeArgument) : await line.phase('capability', () => askCapabilities(wire));
    if (endpoint.security === 'starttls') {
      await line.phase('starttls', async () => {
        if (!capabilities.has('STARTTLS'))
          throw line.broken(
            'missing',
            `offers no STARTTLS, which is required here (offers: ${printable([...capabilities].join(' '), 150)})`,
            undefined,
            'permanent',
          );
        await wire.command('STARTTLS');
      });
      await line.upgrade();
      // What was said in clear is forgotten. @see RFC 3501 section 6.2.1
      capabilities = await line.phase('capability', () => askCapabilities(wire));
    }
    if (login !== undefined && secret !== undefined) {
      capabilities = await line.phase('auth', async () => (await authenticate(wire, secret, capabilities)) ?? capabilities);
      // What an account may do is often said only to it; UIDPLUS and IDLE are asked for again where the log-in did not tell.
      if (!capabilities.has('UIDPLUS') || !capabilities.has('IDLE'))
        capabilities = await line.phase('capability', () => askCapabilities(wire));
    }
    line.facts.capabilities = [...capabilities].slice(0, MOST_CAPABILITIES).map(name => printable(name, 60));
    const session = new ImapSession(wire, capabilities);
    if (folder !== undefined) await session.selectFolder(folder);
    return session;
  });
}

/** Logs in, opens the inbox, logs out; without a log-in: greets and leaves. */
export async function knockImap(endpoint: Endpoint, terms: Terms): Promise<Dialog<void>> {
  const opened = await openImap(endpoint, endpoint.login === undefined ? undefined : 'INBOX', terms);
  if (opened.outcome !== 'answered') return opened;
  await opened.value.logout({ ...terms, deadlineMs: Math.max(1, Math.min(1000, terms.deadlineMs - opened.tookMs)) });
  return { ...opened, value: undefined };
}

async function askCapabilities(wire: ImapWire): Promise<ReadonlySet<string>> {
  const done = await wire.command('CAPABILITY');
  const lists = done.untagged.filter(each => each.name === 'CAPABILITY');
  // One response is what RFC 3501 section 6.1.1 knows, of one line.
  if (lists.length > 10) throw wire.line.broken('garbled', `lists its capabilities ${lists.length} times`);
  return new Set(lists.flatMap(each => each.tokens.filter(token => typeof token === 'string').map(name => name.toUpperCase())));
}

/** @returns the capabilities that the server tells with its consent, if it does */
async function authenticate(
  wire: ImapWire,
  secret: string,
  capabilities: ReadonlySet<string>,
): Promise<ReadonlySet<string> | undefined> {
  const { line } = wire;
  const login = line.endpoint.login;
  if (login === undefined) return undefined;
  const credentials = { user: login.user, secret };
  const wanted = login.mechanism ?? (capabilities.has('AUTH=PLAIN') ? 'plain' : 'login');
  line.facts.mechanism = wanted;
  if (wanted === 'login') {
    if (capabilities.has('LOGINDISABLED'))
      throw line.broken('missing', 'offers no log-in that we know here (LOGINDISABLED, no AUTH=PLAIN)', undefined, 'permanent');
    if (/[^\x20-\x7e]/.test(login.user + secret))
      throw line.broken(
        'missing',
        'offers only LOGIN, which cannot carry this user name or password (not ASCII)',
        undefined,
        'permanent',
      );
    return told(await wire.command(`LOGIN ${quoted(login.user)} ${quoted(secret)}`, { shown: 'LOGIN (user) ***' }));
  }
  if (!capabilities.has(`AUTH=${wanted.toUpperCase()}`)) {
    const offered = [...capabilities].filter(name => name.startsWith('AUTH=')).map(name => name.slice(5));
    throw line.broken(
      'missing',
      `offers no AUTHENTICATE ${wanted.toUpperCase()} (offers: ${offered.length === 0 ? 'none' : printable(offered.join(' '), 100)})`,
      undefined,
      'permanent',
    );
  }
  const response = wanted === 'plain' ? plainResponse(credentials) : xoauth2Response(credentials);
  const mechanism = wanted.toUpperCase();
  if (capabilities.has('SASL-IR')) {
    return told(
      await wire.command(`AUTHENTICATE ${mechanism} ${response}`, {
        shown: `AUTHENTICATE ${mechanism} ***`,
        answer: { line: '', shown: '' },
      }),
    );
  }
  return told(await wire.command(`AUTHENTICATE ${mechanism}`, { answer: { line: response, shown: '***' } }));
}

function told(done: {
  readonly code?: string;
  readonly codeArgument?: string;
  readonly untagged: readonly Untagged[];
}): ReadonlySet<string> | undefined {
  if (done.code === 'CAPABILITY') return words(done.codeArgument);
  const list = done.untagged.find(each => each.name === 'CAPABILITY');
  return list === undefined
    ? undefined
    : new Set(list.tokens.filter(token => typeof token === 'string').map(name => name.toUpperCase()));
}

function words(list: string | undefined): ReadonlySet<string> {
  return new Set(
    (list ?? '')
      .toUpperCase()
      .split(/\s+/)
      .filter(word => word !== ''),
  );
}
