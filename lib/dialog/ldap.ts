// LDAP as a client: bind and search. @see RFC 4511 (protocol), 4513 (authentication and StartTLS), 4515 (filters)
//
// On the one line of all dialogs, so that one deadline holds over name, connection, TLS, bind and search; ldapts writes the
// requests. Its own client is not used: a stalled StartTLS handshake holds it for ever, its time-outs are told apart only by
// their wording, and garbage from the server reads as a time-out.
//
// Aliases and referrals are not followed: a probe asks the server that it was pointed at, and no other.

import { BindRequest, ExtendedRequest, escapeFilter, FilterParser, SearchRequest, UnbindRequest } from 'ldapts';
import type { Dialog, Fault, Reply } from '../model/dialog.ts';
import { type Endpoint, LocalProblem } from '../model/endpoint.ts';
import { printable } from '../model/printable.ts';
import {
  type Entry,
  type Message,
  messageLength,
  NotBer,
  type Result,
  readEntry,
  readMessage,
  readResult,
  readUris,
  TAG,
} from './ldap-wire.ts';
import { Line, type Terms } from './line.ts';
import { readSecret } from './sasl.ts';

export type { Entry };

export interface Search {
  /** A DN; empty is the root DSE. */
  readonly base: string;
  /** `sub` when absent. */
  readonly scope?: 'base' | 'one' | 'sub';
  /** RFC 4515 text; `fillFilter` puts values into one. `(objectClass=*)` when absent. */
  readonly filter?: string;
  /** Names, or `*` and `+`; all user attributes when empty. */
  readonly attributes: readonly string[];
  /** How many entries are taken; 10 when absent. */
  readonly mostEntries?: number;
}

export interface Found {
  readonly entries: readonly Entry[];
  /** There are more than `mostEntries`. */
  readonly isCut: boolean;
  /** Where the server says that other parts of the answer are; never followed. */
  readonly references: readonly string[];
}

/** One message: an entry with the attributes that a probe asks for is far smaller. */
const MESSAGE_BYTES = 256 * 1024;
/** All entries of one answer. */
const ENTRIES_BYTES = 1024 * 1024;
const MOST_REFERENCES = 200;
const STARTTLS_OID = '1.3.6.1.4.1.1466.20037';
const DISCONNECTION_OID = '1.3.6.1.4.1.1466.20036';

/** An open session, bound as the endpoint's log-in says or anonymously. After a fault it is closed. */
export class LdapSession {
  readonly #line: Line;
  readonly #ids: Ids;

  constructor(line: Line, ids: Ids) {
    this.#line = line;
    this.#ids = ids;
  }

  /** Nothing found is an answer without entries; a base that does not exist is refused (32 noSuchObject). */
  search(what: Search, terms: Terms): Promise<Dialog<Found>> {
    return this.#line.operation(terms, () => search(this.#line, this.#ids, what));
  }

  /** Says goodbye, which has no answer, and closes. @see RFC 4511 section 4.3 */
  quit(terms: Terms): Promise<Dialog<void>> {
    return this.#line.operation(terms, () => unbind(this.#line, this.#ids)).finally(() => this.close());
  }

  /** Drops the connection; idempotent. */
  close(): void {
    this.#line.close();
  }
}

/** Connects, encrypts as the endpoint says, and binds: with its log-in (`user` is a DN), or anonymously. */
export function openLdap(endpoint: Endpoint, terms: Terms): Promise<Dialog<LdapSession>> {
  const line = new Line(endpoint, terms);
  return line.operation(terms, async () => new LdapSession(line, await open(line)));
}

/** One question on a connection of its own: all phases are in one record. */
export async function askLdap(endpoint: Endpoint, what: Search, terms: Terms): Promise<Dialog<Found>> {
  const line = new Line(endpoint, terms);
  try {
    return await line.operation(terms, async () => {
      const ids = await open(line);
      const found = await search(line, ids, what);
      await unbind(line, ids);
      return found;
    });
  } finally {
    line.close();
  }
}

/** What a replica knows of its provider: one CSN per server that writes, as `20261122030444.100726Z#000000#000#000000`. */
export const CONTEXT_CSN = 'contextCSN';

/** Asks for the contextCSN of a base, which replication compares. @see RFC 4533; slapd-config(5), syncprov */
export function contextCsn(base: string): Search {
  return { base, scope: 'base', attributes: [CONTEXT_CSN] };
}

/** When a CSN was given, epoch ms; undefined for what is none. */
export function csnTime(csn: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,6}))?Z#/.exec(csn);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  const at = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  return at + Number((parts[7] ?? '').padEnd(6, '0').slice(0, 3));
}

/** A filter of site.cfg with its values put in, escaped: `%s` is the address, `%u` the user. */
export function fillFilter(filter: string, account: { readonly address: string; readonly user: string }): string {
  return filter.replace(/%[su]/g, which => escaped(which === '%s' ? account.address : account.user));
}

/** @see RFC 4515 section 3 */
function escaped(value: string): string {
  return escapeFilter`${value}`;
}

/** Message ids of one connection: 1, 2, 3 … */
class Ids {
  last = 0;
  next(): number {
    this.last += 1;
    return this.last;
  }
}

async function open(line: Line): Promise<Ids> {
  const { login, security } = line.endpoint;
  const ids = new Ids();
  const password = login === undefined ? '' : await readSecret(line, login);
  // A DN without a password is taken for anonymous and answered with success. @see RFC 4513 section 5.1.2
  if (login !== undefined && password === '') throw new LocalProblem('Cannot bind with an empty password');
  await line.dial();
  if (security === 'starttls') {
    await line.phase('starttls', () => startTls(line, ids));
    await line.upgrade();
  }
  await line.phase('bind', () => bind(line, ids, { dn: login?.user ?? '', password }));
  return ids;
}

async function startTls(line: Line, ids: Ids): Promise<void> {
  const messageId = ids.next();
  await line.send(new ExtendedRequest({ messageId, oid: STARTTLS_OID }).write(), 'StartTLS');
  const result = resultOf(line, await answer(line, messageId, TAG.extendedResponse));
  line.heard(`StartTLS ${resultText(result)}`);
  if (result.code === 0) return;
  // Servers without TLS do not know the operation at all, and call that a protocol error.
  if (result.code === 2)
    throw line.broken(
      'missing',
      `offers no StartTLS, which is required here: ${resultText(result)}`,
      asReply(result),
      'permanent',
    );
  throw refused(line, result);
}

async function bind(line: Line, ids: Ids, as: { readonly dn: string; readonly password: string }): Promise<void> {
  const messageId = ids.next();
  const who = as.dn === '' ? 'anonymous' : as.dn;
  await line.send(new BindRequest({ messageId, ...as }).write(), `bind as ${who}`);
  const result = resultOf(line, await answer(line, messageId, TAG.bindResponse));
  line.heard(`bind ${resultText(result)}`);
  if (result.code !== 0) throw refused(line, result);
}

function search(line: Line, ids: Ids, what: Search): Promise<Found> {
  return line.phase('search', async () => {
    line.allow(ENTRIES_BYTES);
    const messageId = ids.next();
    const { base, scope = 'sub', filter = '(objectClass=*)', mostEntries = 10 } = what;
    const request = { baseDN: base, scope, sizeLimit: mostEntries, timeLimit: 0, attributes: [...what.attributes] };
    const bytes = new SearchRequest({ messageId, ...request, filter: parsed(filter) }).write();
    await line.send(bytes, `search base="${base}" scope=${scope} filter="${filter}" for ${what.attributes.join(' ') || '*'}`);
    const entries: Entry[] = [];
    const references: string[] = [];
    let referred = 0;
    for (;;) {
      const { operation } = await answer(line, messageId, TAG.searchDone, TAG.searchEntry, TAG.searchReference);
      if (operation.tag === TAG.searchEntry) {
        const entry = understood(line, () => readEntry(operation));
        line.heard(`entry ${entry.dn}`);
        if (entries.length === mostEntries)
          throw line.broken('garbled', `sends more entries than the ${mostEntries} that it may`);
        entries.push(entry);
      } else if (operation.tag === TAG.searchReference) {
        const uris = understood(line, () => readUris(operation)).map(uri => printable(uri, 200));
        line.heard(`a reference to ${uris[0] ?? 'nowhere'}`);
        if (references.length < mostEntries) references.push(...uris.slice(0, 1));
        referred += 1;
        if (referred > MOST_REFERENCES) throw line.broken('garbled', `refers to more than ${MOST_REFERENCES} other places`);
      } else {
        const result = resultOf(line, { operation });
        line.heard(`search ${resultText(result)}, ${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`);
        if (result.code === 0 || result.code === SIZE_LIMIT) return { entries, isCut: result.code === SIZE_LIMIT, references };
        throw refused(line, result);
      }
    }
  });
}

const SIZE_LIMIT = 4;

function unbind(line: Line, ids: Ids): Promise<void> {
  return line.leave(() => line.send(new UnbindRequest({ messageId: ids.next() }).write(), 'unbind'));
}

/** The next message, which must answer `id` with one of the operations. */
async function answer(line: Line, id: number, ...tags: readonly number[]): Promise<Pick<Message, 'operation'>> {
  const bytes = await line.readPacket(head => understood(line, () => messageLength(head)), MESSAGE_BYTES);
  const message = understood(line, () => readMessage(bytes));
  if (message.id === 0) throw disconnection(line, message);
  if (message.id !== id || !tags.includes(message.operation.tag))
    throw line.broken(
      'garbled',
      `answered what was not asked (message ${message.id}, tag 0x${message.operation.tag.toString(16)})`,
    );
  return message;
}

/** @see RFC 4511 section 4.4.1 */
function disconnection(line: Line, { operation }: Message): Error {
  if (operation.tag !== TAG.extendedResponse) return line.broken('garbled', 'sent a message that answers nothing');
  const result = resultOf(line, { operation });
  if (result.oid !== DISCONNECTION_OID) return line.broken('garbled', 'sent a message that answers nothing');
  return line.broken('dropped', `says that it ends the connection: ${resultText(result)}`, asReply(result), lasting(result.code));
}

function resultOf(line: Line, { operation }: Pick<Message, 'operation'>): Result {
  return understood(line, () => readResult(operation));
}

function understood<T>(line: Line, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotBer) throw line.broken('garbled', `sent what is no LDAP message: ${error.message}`);
    throw error;
  }
}

function parsed(filter: string): ReturnType<typeof FilterParser.parseString> {
  try {
    return FilterParser.parseString(filter);
  } catch (error) {
    throw new LocalProblem(`Cannot use LDAP filter ${printable(filter, 100)}: ${error instanceof Error ? error.message : error}`);
  }
}

function refused(line: Line, result: Result): Error {
  const elsewhere = result.referrals[0] === undefined ? '' : ` (it refers to ${printable(result.referrals[0], 100)})`;
  return line.broken('rejected', `refused: ${resultText(result)}${elsewhere}`, asReply(result), lasting(result.code));
}

function asReply(result: Result): Reply {
  const name = NAMES.get(result.code);
  return {
    code: String(result.code),
    ...(name === undefined ? {} : { enhanced: name }),
    lines: [printable(result.text === '' ? (name ?? '') : result.text, 300)],
  };
}

/** `49 invalidCredentials`, with the server's own words behind it when it has any. */
function resultText({ code, text }: Result): string {
  const name = NAMES.get(code);
  const own = text === '' ? '' : `: ${printable(text, 200)}`;
  return `${code}${name === undefined ? '' : ` ${name}`}${own}`;
}

function lasting(code: number): Fault['lasting'] {
  if ([3, 11, 51, 52].includes(code)) return 'transient';
  return [2, 7, 8, 13, 32, 34, 48, 49, 50].includes(code) ? 'permanent' : 'unknown';
}

/** @see RFC 4511 section 4.1.9 and appendix A */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'success'],
  [1, 'operationsError'],
  [2, 'protocolError'],
  [3, 'timeLimitExceeded'],
  [4, 'sizeLimitExceeded'],
  [7, 'authMethodNotSupported'],
  [8, 'strongerAuthRequired'],
  [10, 'referral'],
  [11, 'adminLimitExceeded'],
  [12, 'unavailableCriticalExtension'],
  [13, 'confidentialityRequired'],
  [16, 'noSuchAttribute'],
  [17, 'undefinedAttributeType'],
  [18, 'inappropriateMatching'],
  [21, 'invalidAttributeSyntax'],
  [32, 'noSuchObject'],
  [34, 'invalidDNSyntax'],
  [48, 'inappropriateAuthentication'],
  [49, 'invalidCredentials'],
  [50, 'insufficientAccessRights'],
  [51, 'busy'],
  [52, 'unavailable'],
  [53, 'unwillingToPerform'],
  [80, 'other'],
]);
