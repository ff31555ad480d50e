// Where in an account's folders does a message lie? For mail that did not come to the inbox: filed under Junk by a filter, moved by
// a rule, or there after all.
//
// This is imapflow's work: it finds the junk folder by special use or by the many names it goes by, and it is a second, independent
// client: what it finds in the inbox where imap.ts has found nothing is our own fault, and never blamed on the site. It is guarded:
// a total deadline that closes it, a limit on bytes, an error listener, `false` from a search taken as the failure that it is.
// Its commands are not timed one by one; nothing here is on the clock of a trip.

import { ImapFlow, type ListResponse } from 'imapflow';
import type { Dialog, DialogRecord, Fault, PhaseName } from '../model/dialog.ts';
import { type Endpoint, LocalProblem } from '../model/endpoint.ts';
import { printable } from '../model/printable.ts';
import type { Terms } from './line.ts';

export interface Place {
  readonly folder: string;
  /** `inbox`, `junk`, `trash`, …; absent for ordinary folders. */
  readonly use?: string;
  readonly uid: number;
}

const MOST_FOLDERS = 40;
const MOST_BYTES = 4 * 1024 * 1024;
/** The answer to SEARCH is the longest line, a message of which we take the beginning the largest literal. */
const LINE_BYTES = 1024 * 1024;
const LITERAL_BYTES = 128 * 1024;
/** Lines of the server in one look: folders, and what it tells unasked. imapflow takes some 50 us for each. */
const MOST_LINES = 2000;
const TOO_LARGE: ReadonlySet<unknown> = new Set(['LineTooLarge', 'LiteralTooLarge', 'ResponseTooLarge']);
/** Folders in the order in which a lost message is likely to be there. */
const LIKELY = ['\\Inbox', '\\Junk', '\\Trash', '\\Archive', '\\All'];

/** Every place where a message with this header text lies, the inbox first. Folders are opened read-only. */
export function findMessage(
  endpoint: Endpoint,
  header: { readonly name: string; readonly text: string },
  terms: Terms,
): Promise<Dialog<readonly Place[]>> {
  return withClient(endpoint, terms, async (client, phase) => {
    phase('list');
    const folders = (await client.list()).filter(folder => !folder.flags.has('\\Noselect') && !folder.flags.has('\\NonExistent'));
    const places: Place[] = [];
    for (const folder of [...folders].sort(byLikelihood).slice(0, MOST_FOLDERS)) {
      phase('select');
      await client.mailboxOpen(folder.path, { readOnly: true });
      phase('search');
      const uids = await client.search({ header: { [header.name]: header.text } }, { uid: true });
      if (uids === false || uids === undefined) throw new Error('the search failed');
      for (const uid of uids.slice(0, 5)) places.push({ folder: printable(folder.path, 100), ...useOf(folder), uid });
    }
    return places;
  });
}

/**
 * Messages of the inbox since an instant that have this text somewhere, each cut after so many bytes: bounces, which bear our
 * Message-ID in what they return.
 */
export function readAbout(endpoint: Endpoint, text: string, since: number, terms: Terms): Promise<Dialog<readonly Buffer[]>> {
  return withClient(endpoint, terms, async (client, phase) => {
    phase('select');
    await client.mailboxOpen('INBOX', { readOnly: true });
    phase('search');
    // SINCE has the grain of a day, in the server's zone.
    const uids = await client.search({ text, since: new Date(since - 86_400_000) }, { uid: true });
    if (uids === false || uids === undefined) throw new Error('the search failed');
    phase('fetch');
    const found: Buffer[] = [];
    for (const uid of uids.slice(-5)) {
      const message = await client.fetchOne(String(uid), { source: { start: 0, maxLength: 64 * 1024 } }, { uid: true });
      if (message !== false && message?.source !== undefined) found.push(message.source);
    }
    return found;
  });
}

async function withClient<T>(
  endpoint: Endpoint,
  terms: Terms,
  work: (client: ImapFlow, phase: (name: PhaseName) => void) => Promise<T>,
): Promise<Dialog<T>> {
  const beganMs = terms.clock();
  let current: PhaseName = 'secret';
  let over: 'deadline' | 'cut' | 'too much' | undefined;
  let client: ImapFlow | undefined;
  const stop = (why: typeof over) => {
    over ??= why;
    client?.close();
  };
  const cut = () => stop('cut');
  const deadline = setTimeout(() => stop('deadline'), terms.deadlineMs);
  const meter = setInterval(() => {
    if ((client?.stats().received ?? 0) > MOST_BYTES) stop('too much');
  }, 25);
  terms.signal.addEventListener('abort', cut, { once: true });
  try {
    let lines = 0;
    const made = new ImapFlow({
      ...(await optionsOf(endpoint, terms.deadlineMs)),
      logger: counting(() => {
        lines += 1;
        if (lines > MOST_LINES) stop('too much');
      }),
    });
    client = made;
    // Without a listener a connection that dies ends this process.
    made.on('error', error => {
      if (tooMuch(error) !== undefined) stop('too much');
    });
    current = 'auth';
    if (over === undefined) await made.connect();
    const value = await work(made, name => {
      current = name;
    });
    return { ...record(endpoint, beganMs, terms), outcome: 'answered', value };
  } catch (error) {
    if (over === 'cut' || terms.signal.aborted) return { ...record(endpoint, beganMs, terms), outcome: 'cut' };
    return {
      ...record(endpoint, beganMs, terms),
      outcome: 'failed',
      fault: faultOf(endpoint, current, error, over ?? tooMuch(error)),
    };
  } finally {
    clearTimeout(deadline);
    clearInterval(meter);
    terms.signal.removeEventListener('abort', cut);
    client?.close();
  }
}

/** imapflow's own limits, which are tighter in time than the meter. */
function tooMuch(error: unknown): 'too much' | undefined {
  return error instanceof Error && 'code' in error && TOO_LARGE.has(error.code) ? 'too much' : undefined;
}

/** A log that keeps nothing and counts what the server says. */
function counting(heard: () => void) {
  const note = (entry: object) => {
    if ('src' in entry && entry.src === 's') heard();
  };
  return { trace: note, debug: note, info: note, warn: note, error: note };
}

async function optionsOf(endpoint: Endpoint, deadlineMs: number): Promise<ConstructorParameters<typeof ImapFlow>[0]> {
  const { host, port, security, servername, trust, login } = endpoint;
  if (login === undefined) throw new LocalProblem('Cannot look into a mailbox without a log-in');
  const secret = await login.secret();
  return {
    host,
    port,
    secure: security === 'tls',
    doSTARTTLS: security === 'starttls',
    ...(servername === undefined ? {} : { servername }),
    tls: { rejectUnauthorized: trust.verify, ...(trust.ca === undefined ? {} : { ca: trust.ca }) },
    auth: login.mechanism === 'xoauth2' ? { user: login.user, accessToken: secret } : { user: login.user, pass: secret },
    maxLineLength: LINE_BYTES,
    maxLiteralSize: LITERAL_BYTES,
    maxResponseSize: LINE_BYTES + LITERAL_BYTES,
    disableAutoIdle: true,
    connectionTimeout: deadlineMs,
    greetingTimeout: deadlineMs,
    socketTimeout: deadlineMs,
  };
}

function faultOf(endpoint: Endpoint, phase: PhaseName, error: unknown, over: 'deadline' | 'cut' | 'too much' | undefined): Fault {
  const { component, protocol } = endpoint;
  const words = printable(error instanceof Error ? error.message : String(error), 200);
  const fault = (kind: Fault['kind'], text: string): Fault => ({ component, protocol, phase, kind, text, lasting: 'unknown' });
  if (error instanceof LocalProblem) return { ...fault('local', words), component: 'monitor', protocol: 'local' };
  if (over === 'deadline') return fault('timeout', 'did not answer a second client in time');
  if (over === 'too much') return fault('garbled', `sent a second client more than ${MOST_BYTES} bytes or ${MOST_LINES} lines`);

  if (error instanceof Error && 'authenticationFailed' in error)
    return fault('rejected', `refused the log-in of a second client: ${words}`);
  return fault('dropped', `failed for a second client: ${words}`);
}

function record(endpoint: Endpoint, beganMs: number, terms: Terms): DialogRecord {
  const { component, protocol, host, port, security } = endpoint;
  return {
    component,
    protocol,
    host,
    port,
    security,
    beganMs,
    tookMs: Math.max(0, terms.clock() - beganMs),
    phases: [],
    facts: {},
    transcript: [],
  };
}

function byLikelihood(a: ListResponse, b: ListResponse): number {
  const rank = (folder: ListResponse) => {
    const at = LIKELY.indexOf(folder.path.toUpperCase() === 'INBOX' ? '\\Inbox' : (folder.specialUse ?? ''));
    return at < 0 ? LIKELY.length : at;
  };
  return rank(a) - rank(b);
}

function useOf(folder: ListResponse): { readonly use?: string } {
  if (folder.path.toUpperCase() === 'INBOX') return { use: 'inbox' };
  return folder.specialUse === undefined ? {} : { use: folder.specialUse.slice(1).toLowerCase() };
}
