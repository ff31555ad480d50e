// The directory server: LDAP v3 (RFC 4511) over one door. Binds (simple, anonymous), searches, StartTLS; nobody can write.
//
// Words and codes are OpenLDAP's. Passwords are shown, as hashes, to the services of the tree only. A message longer than
// 64 KiB is refused and the connection ended, as slapd does with sockbuf_max_incoming.

import type { BerReader, BerWriter } from 'ldapts';
import type { Component } from '../../model/component.ts';
import type { Security } from '../../model/endpoint.ts';
import { Door } from '../network/door.ts';
import type { Visit } from '../network/visit.ts';
import type { World } from '../world.ts';
import { type Entry, entriesOf, matches, type Tree } from './directory.ts';
import { type Filter, matchesFilter, readFilter } from './filter.ts';
import { message, NotLdap, OP, readMessage, result, STARTTLS_OID } from './wire.ts';

const LONGEST_MESSAGE = 64 * 1024;
const SUCCESS = 0;
const PROTOCOL_ERROR = 2;
const SIZE_LIMIT_EXCEEDED = 4;
const UNAVAILABLE = 52;
const NO_SUCH_OBJECT = 32;
const INVALID_CREDENTIALS = 49;

export class DirectoryServer {
  readonly door: Door;
  readonly tree: Tree;
  /** What fault switches do to the entries, one after another. */
  readonly changes: ((entries: readonly Entry[]) => readonly Entry[])[] = [];
  readonly #entries: readonly Entry[];

  constructor(options: { world: World; component: Component; security: Security; tree: Tree; changedAt: Date }) {
    const { world, component, security, tree } = options;
    this.tree = tree;
    this.#entries = entriesOf(tree, options.changedAt);
    this.door = new Door({
      world,
      component,
      protocol: 'ldap',
      security,
      names: [world.hostName(component)],
      serve: visit => this.#serve(visit),
    });
  }

  /** What it holds at this moment. */
  get entries(): readonly Entry[] {
    return this.changes.reduce<readonly Entry[]>((entries, change) => change(entries), this.#entries);
  }

  async #serve(visit: Visit): Promise<void> {
    const client = { dn: '' };
    for (;;) {
      let reader: BerReader;
      try {
        reader = await readMessage(visit, LONGEST_MESSAGE);
      } catch (error) {
        if (!(error instanceof NotLdap)) throw error;
        visit.remark(error.message);
        return;
      }
      const id = messageId(reader);
      const op = reader.peek();
      if (op === OP.unbindRequest) return;
      if (op === OP.abandonRequest) continue;
      try {
        if (!(await this.#answer(visit, client, id, op, reader))) return;
      } catch (error) {
        if (!(error instanceof NotLdap)) throw error;
        visit.remark(error.message);
        await visit.say(result(id, OP.extendedResponse, PROTOCOL_ERROR, 'decoding error'));
        return;
      }
    }
  }

  /** @returns false when the connection must end */
  async #answer(visit: Visit, client: { dn: string }, id: number, op: number | null, reader: BerReader): Promise<boolean> {
    switch (op) {
      case OP.bindRequest:
        await this.#bind(visit, client, id, reader);
        return true;
      case OP.searchRequest:
        await this.#search(visit, client, id, reader);
        return true;
      case OP.extendedRequest:
        return this.#extended(visit, id, reader);
      default:
        visit.heard('an operation that is not offered');
        await visit.say(result(id, OP.extendedResponse, PROTOCOL_ERROR, 'unsupported operation'));
        return false;
    }
  }

  async #bind(visit: Visit, client: { dn: string }, id: number, reader: BerReader): Promise<void> {
    const { dn, password } = decoded(() => readBind(reader));
    visit.heard(`BIND ${dn === '' ? 'anonymous' : dn}${password === undefined ? ' sasl' : ` ${password}`}`);
    const refusal = await visit.enter('bind', `${INVALID_CREDENTIALS} `);
    if (refusal !== undefined) return this.#refuse(visit, id, OP.bindResponse, refusal);
    const code = this.#checkBind(dn, password);
    client.dn = code === SUCCESS ? dn.toLowerCase() : '';
    await visit.say(result(id, OP.bindResponse, code, ''));
  }

  #checkBind(dn: string, password: string | undefined): number {
    if (password === undefined) return 7; // authMethodNotSupported
    if (dn === '') return SUCCESS;
    const entry = this.entries.find(candidate => sameDn(candidate.dn, dn));
    return entry !== undefined && password !== '' && matches(password, entry.attributes.get('userpassword') ?? [])
      ? SUCCESS
      : INVALID_CREDENTIALS;
  }

  async #search(visit: Visit, client: { dn: string }, id: number, reader: BerReader): Promise<void> {
    const request = decoded(() => readSearch(reader));
    visit.heard(`SRCH base="${request.base}" scope=${request.scope}`);
    const refusal = await visit.enter('search', `${UNAVAILABLE} `);
    if (refusal !== undefined) return this.#refuse(visit, id, OP.searchDone, refusal);
    const { entries } = this;
    if (!entries.some(entry => sameDn(entry.dn, request.base)) && request.base !== '') {
      await visit.say(result(id, OP.searchDone, NO_SUCH_OBJECT, ''));
      return;
    }
    const isService = client.dn.includes(',ou=services,');
    const found = entries.filter(entry => inScope(entry.dn, request.base, request.scope) && matchesFilter(request.filter, entry));
    const limited = request.sizeLimit > 0 && found.length > request.sizeLimit;
    for (const entry of limited ? found.slice(0, request.sizeLimit) : found) {
      await visit.say(message(id, writer => writeEntry(writer, entry, request.attributes, isService)));
    }
    await visit.say(result(id, OP.searchDone, limited ? SIZE_LIMIT_EXCEEDED : SUCCESS, ''));
  }

  async #extended(visit: Visit, id: number, reader: BerReader): Promise<boolean> {
    const name = decoded(() => {
      reader.readSequence(OP.extendedRequest);
      return reader.readString(0x80);
    });
    visit.heard(`EXT oid=${name ?? ''}`);
    if (name !== STARTTLS_OID || !visit.offersTls) {
      await visit.say(result(id, OP.extendedResponse, PROTOCOL_ERROR, 'unsupported extended operation'));
      return true;
    }
    const refusal = await visit.enter('starttls', `${UNAVAILABLE} Could not start TLS`);
    if (refusal !== undefined) {
      await this.#refuse(visit, id, OP.extendedResponse, refusal);
      return true;
    }
    await visit.say(result(id, OP.extendedResponse, SUCCESS, ''));
    await visit.startTls();
    return true;
  }

  /** `49 text` */
  async #refuse(visit: Visit, id: number, tag: number, refusal: string): Promise<void> {
    if (refusal === '') return;
    const code = Number.parseInt(refusal, 10);
    await visit.say(result(id, tag, code, refusal.replace(/^\d+ ?/, '')));
  }
}

/** What cannot be read as the operation that it says to be is the client's fault. */
function decoded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new NotLdap(error instanceof Error ? error.message : 'decoding error');
  }
}

function messageId(reader: BerReader): number {
  try {
    reader.readSequence(0x30);
    return reader.readInt() ?? 0;
  } catch {
    return 0; // an answer to message 0 is a notice of disconnection (RFC 4511 section 4.4)
  }
}

/** `password` is absent when the client wants SASL. */
function readBind(reader: BerReader): { dn: string; password: string | undefined } {
  reader.readSequence(OP.bindRequest);
  reader.readInt(); // version
  const dn = reader.readString() ?? '';
  return { dn, password: reader.peek() === 0x80 ? (reader.readString(0x80) ?? '') : undefined };
}

interface SearchRequest {
  readonly base: string;
  readonly scope: number;
  readonly sizeLimit: number;
  readonly filter: Filter;
  readonly attributes: readonly string[];
}

function readSearch(reader: BerReader): SearchRequest {
  reader.readSequence(OP.searchRequest);
  const base = reader.readString() ?? '';
  const scope = reader.readEnumeration() ?? 0;
  reader.readEnumeration(); // aliases: there are none
  const sizeLimit = reader.readInt() ?? 0;
  reader.readInt(); // time limit
  reader.readBoolean(); // types only
  const filter = readFilter(reader);
  reader.readSequence(0x30);
  const end = reader.offset + reader.length;
  const attributes: string[] = [];
  while (reader.offset < end) attributes.push((reader.readString() ?? '').toLowerCase());
  return { base, scope, sizeLimit, filter, attributes };
}

function writeEntry(writer: BerWriter, entry: Entry, wanted: readonly string[], showPasswords: boolean): void {
  const all = wanted.length === 0 || wanted.includes('*');
  writer.startSequence(OP.searchEntry);
  writer.writeString(entry.dn);
  writer.startSequence();
  for (const [name, values] of entry.attributes) {
    const isOperational = name === 'contextcsn';
    if (!(wanted.includes(name) || (all && !isOperational) || (isOperational && wanted.includes('+')))) continue;
    if (name === 'userpassword' && !showPasswords) continue;
    writer.startSequence();
    writer.writeString(spelled(name));
    writer.startSequence(0x31);
    for (const value of values) writer.writeString(value);
    writer.endSequence();
    writer.endSequence();
  }
  writer.endSequence();
  writer.endSequence();
}

const SPELLINGS = ['objectClass', 'userPassword', 'mailHost', 'contextCSN'];

function spelled(name: string): string {
  return SPELLINGS.find(spelling => spelling.toLowerCase() === name) ?? name;
}

function normal(dn: string): string {
  return dn.toLowerCase().replace(/\s*([,=])\s*/g, '$1');
}

function sameDn(one: string, other: string): boolean {
  return normal(one) === normal(other);
}

/** 0 base, 1 one level, 2 subtree */
function inScope(dn: string, base: string, scope: number): boolean {
  const [here, root] = [normal(dn), normal(base)];
  if (scope === 0) return here === root;
  const isBelow = root === '' || here.endsWith(`,${root}`);
  if (scope === 2) return here === root || isBelow;
  return isBelow && !here.slice(0, here.length - root.length - 1).includes(',');
}
