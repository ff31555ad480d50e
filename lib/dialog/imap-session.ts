// An IMAP session that is logged in: watch one folder, read and remove messages by UID. @see RFC 3501 section 6.4, 2177 (IDLE), 4315 (UIDPLUS)
//
// Every operation has its own deadline and gives its own record. After a fault the session is closed.

import type { Dialog } from '../model/dialog.ts';
import { printable } from '../model/printable.ts';
import { type Completed, type ImapWire, quoted, type Token, type Untagged } from './imap-wire.ts';
import type { Terms } from './line.ts';

/** What is known of a message without reading it: never more than the header lines that we ask for. */
export interface Envelope {
  readonly uid: number;
  readonly internalDate?: number;
  readonly bytes?: number;
  readonly flags: readonly string[];
  /** The header lines asked for, as the server has them. */
  readonly header: Buffer;
}

/** Header lines of one message that we are willing to take. */
const HEADER_BYTES = 64 * 1024;
/** An answer to SEARCH comes in one line: 100,000 numbers fit. */
const SEARCH_BYTES = 1024 * 1024;
/** Messages whose header lines we fetch at once. */
export const MOST_ENVELOPES = 100;

/** An open, logged-in session with one folder selected. After a fault it is closed. */
export class ImapSession {
  readonly #wire: ImapWire;
  readonly #capabilities: ReadonlySet<string>;
  #exists = 0;
  #uidNext = 0;
  #uidValidity = '';
  #readOnly = false;
  /** The server has told of something new that `fresh` has not looked at yet; it may say so in its answer to any command. */
  #news = false;

  constructor(wire: ImapWire, capabilities: ReadonlySet<string>) {
    this.#wire = wire;
    this.#capabilities = capabilities;
  }

  /** Every message with a UID from here on was not there when the folder was selected. */
  get uidNext(): number {
    return this.#uidNext;
  }

  get uidValidity(): string {
    return this.#uidValidity;
  }

  get readOnly(): boolean {
    return this.#readOnly;
  }

  get canIdle(): boolean {
    return this.#capabilities.has('IDLE');
  }

  /** Selects a folder; its messages so far are behind `uidNext`. */
  select(folder: string, terms: Terms): Promise<Dialog<void>> {
    return this.#wire.line.operation(terms, () => this.selectFolder(folder));
  }

  /** The work of `select`, inside an operation. */
  async selectFolder(folder: string): Promise<void> {
    const line = this.#wire.line;
    await line.phase('select', async () => {
      this.#exists = 0;
      this.#uidNext = 0;
      this.#uidValidity = '';
      const done = await this.#wire.command(`SELECT ${quoted(folder)}`);
      for (const each of done.untagged) {
        if (each.name === 'EXISTS') this.#exists = each.number ?? 0;
        if (each.code === 'UIDNEXT') this.#uidNext = Number(each.codeArgument ?? 0);
        if (each.code === 'UIDVALIDITY') this.#uidValidity = each.codeArgument ?? '';
      }
      this.#readOnly = done.code === 'READ-ONLY';
      line.facts.exists = this.#exists;
      line.facts.uidValidity = printable(this.#uidValidity, 20);
      // UIDNEXT is REQUIRED by RFC 3501, and old servers leave it out.
      if (!Number.isSafeInteger(this.#uidNext) || this.#uidNext < 1) this.#uidNext = await this.#uidNextByAsking();
    });
  }

  /**
   * One look by NOOP.
   *
   * @returns whether the folder may hold something new: it grew, or the server said that something is recent
   */
  noop(terms: Terms): Promise<Dialog<boolean>> {
    const line = this.#wire.line;
    return line.operation(terms, () =>
      line.phase('noop', async () => {
        this.#heedAll(await this.#wire.command('NOOP'));
        return this.#news;
      }),
    );
  }

  /**
   * Waits with IDLE until the server has news or the time is over. Ending it makes servers that batch their news tell them.
   *
   * @returns whether the folder may hold something new
   */
  idle(forMs: number, terms: Terms): Promise<Dialog<boolean>> {
    const { line } = this.#wire;
    return line.operation(terms, () =>
      line.phase('idle', async () => {
        const tag = await this.#wire.start('IDLE');
        this.#heed(await this.#wire.continuation(tag));
        const until = line.clock() + forMs;
        while (!this.#news && (await line.readable(until - line.clock()))) this.#heed([await this.#wire.unsolicited()]);
        await line.sendLine('DONE');
        this.#heedAll(await this.#wire.finish(tag));
        return this.#news;
      }),
    );
  }

  /** UIDs from `uidNext` on, which is then moved behind them. */
  fresh(terms: Terms): Promise<Dialog<readonly number[]>> {
    const line = this.#wire.line;
    return line.operation(terms, () =>
      line.phase('search', async () => {
        const from = this.#uidNext;
        this.#news = false;
        // `n:*` always includes the last message, also when its UID is below n.
        const uids = (await this.#search(`UID ${from}:*`)).filter(uid => uid >= from);
        for (const uid of uids) this.#uidNext = Math.max(this.#uidNext, uid + 1);
        return uids;
      }),
    );
  }

  /** UIDs of messages that have the header with this text in it; case does not matter (RFC 3501 section 6.4.4). */
  searchHeader(name: string, text: string, terms: Terms): Promise<Dialog<readonly number[]>> {
    const line = this.#wire.line;
    return line.operation(terms, () => line.phase('search', () => this.#search(`HEADER ${name} ${quoted(text)}`)));
  }

  /** Whether this text stands anywhere in a message, header or body: the server looks, nothing is read. */
  contains(uid: number, text: string, terms: Terms): Promise<Dialog<boolean>> {
    const line = this.#wire.line;
    return line.operation(terms, () =>
      line.phase('search', async () => (await this.#search(`UID ${uid} TEXT ${quoted(text)}`)).includes(uid)),
    );
  }

  /** Header lines of at most MOST_ENVELOPES messages; a message that has gone meanwhile is left out. */
  envelopes(uids: readonly number[], headers: readonly string[], terms: Terms): Promise<Dialog<readonly Envelope[]>> {
    const line = this.#wire.line;
    return line.operation(terms, () =>
      line.phase('fetch', async () => {
        if (uids.length === 0) return [];
        const wanted = uids.slice(0, MOST_ENVELOPES);
        line.allow(wanted.length * HEADER_BYTES);
        // Somebody's message may have a million of them.
        const fields = `BODY.PEEK[HEADER.FIELDS (${headers.join(' ')})]<0.${HEADER_BYTES}>`;
        const done = await this.#wire.command(`UID FETCH ${wanted.join(',')} (UID INTERNALDATE RFC822.SIZE FLAGS ${fields})`, {
          literal: HEADER_BYTES,
        });
        this.#heedAll(done);
        return done.untagged.map(asEnvelope).filter(each => each !== undefined && wanted.includes(each.uid)) as Envelope[];
      }),
    );
  }

  /**
   * One message, or a part of it, without marking it as seen.
   *
   * @param section `` for the whole message, else a section of RFC 3501 such as `2` or `3.HEADER`
   * @param mostBytes no more is asked for, and no more is taken
   */
  read(uid: number, section: string, mostBytes: number, terms: Terms): Promise<Dialog<Buffer>> {
    const line = this.#wire.line;
    return line.operation(terms, () =>
      line.phase('fetch', async () => {
        line.allow(mostBytes);
        const done = await this.#wire.command(`UID FETCH ${uid} (UID BODY.PEEK[${section}]<0.${mostBytes}>)`, {
          literal: mostBytes,
        });
        this.#heedAll(done);
        for (const each of done.untagged) {
          const items = itemsOf(each);
          if (items?.get('UID') !== String(uid)) continue;
          const body = [...items].find(([name]) => name.startsWith('BODY['))?.[1];
          if (Buffer.isBuffer(body)) return body;
        }
        throw line.broken('missing', `does not give message ${uid}, which it has just listed`);
      }),
    );
  }

  /**
   * Removes messages by UID, and nothing else. Without UIDPLUS, EXPUNGE would remove whatever anybody has marked: it is done only
   * when nothing but ours is marked, and otherwise ours stay marked for their owner's client to remove.
   *
   * @returns the UIDs that are gone
   */
  remove(uids: readonly number[], terms: Terms): Promise<Dialog<readonly number[]>> {
    const line = this.#wire.line;
    return line.operation(terms, async () => {
      if (uids.length === 0) return [];
      const set = uids.join(',');
      await line.phase('store', () => this.#wire.command(`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`));
      return line.phase('expunge', async () => {
        if (this.#capabilities.has('UIDPLUS')) {
          await this.#wire.command(`UID EXPUNGE ${set}`);
          return uids;
        }
        const marked = await this.#search('DELETED');
        if (!marked.every(uid => uids.includes(uid))) {
          line.remark('no UIDPLUS, and others have marked messages too: ours stay marked');
          return [];
        }
        await this.#wire.command('EXPUNGE');
        return uids;
      });
    });
  }

  /** Says LOGOUT and closes, whatever comes of it. */
  async logout(terms: Terms): Promise<Dialog<void>> {
    const { line } = this.#wire;
    // The server's BYE is what we want here, not a refusal.
    const done = await line.operation(terms, () =>
      line.phase('quit', async () => {
        await this.#wire.start('LOGOUT');
        await line.readLine();
      }),
    );
    line.close();
    return done;
  }

  close(): void {
    this.#wire.line.close();
  }

  async #search(criteria: string): Promise<number[]> {
    const line = this.#wire.line;
    line.allow(SEARCH_BYTES);
    const done = await this.#wire.command(`UID SEARCH ${criteria}`, { line: SEARCH_BYTES });
    this.#heedAll(done);
    const uids: number[] = [];
    for (const each of done.untagged) {
      if (each.name !== 'SEARCH') continue;
      for (const token of each.tokens) {
        const uid = uidOf(token);
        if (uid === undefined) throw line.broken('garbled', 'answers SEARCH with what is no message number');
        uids.push(uid);
      }
    }
    // Servers may name one twice.
    return uids.sort((a, b) => a - b).filter((uid, at) => uid !== uids[at - 1]);
  }

  async #uidNextByAsking(): Promise<number> {
    if (this.#exists === 0) return 1;
    const done = await this.#wire.command('UID FETCH * (UID)');
    let last = 0;
    for (const items of done.untagged.map(itemsOf)) {
      const uid = items === undefined ? 0 : uidOf(items.get('UID') ?? null);
      if (uid === undefined) throw this.#wire.line.broken('garbled', 'answers FETCH with a UID that is no number');
      last = Math.max(last, uid);
    }
    return last + 1;
  }

  /** Takes note of all that came with the answer to a command. */
  #heedAll(done: Completed): void {
    this.#heed([...done.untagged, { ...done, name: 'OK', tokens: [] }]);
  }

  /** Takes note of what the server tells unasked. */
  #heed(untagged: readonly Untagged[]): void {
    const line = this.#wire.line;
    for (const each of untagged) {
      if (each.code === 'UIDVALIDITY' && this.#uidValidity !== '' && each.codeArgument !== this.#uidValidity) {
        throw line.broken(
          'garbled',
          `changed UIDVALIDITY from ${printable(this.#uidValidity, 20)} to ${printable(each.codeArgument ?? '', 20)} under an open folder`,
        );
      }
      if (each.name === 'EXPUNGE') this.#exists = Math.max(0, this.#exists - 1);
      if (each.name === 'RECENT' && (each.number ?? 0) > 0) this.#news = true;
      if (each.name === 'EXISTS' && each.number !== undefined) {
        if (each.number > this.#exists) this.#news = true;
        // A count that goes down without EXPUNGE breaks RFC 3501; believing it means that the next growth is noticed.
        this.#exists = each.number;
      }
    }
  }
}

/** A message number as RFC 3501 has it; undefined for anything else. */
function uidOf(token: Token): number | undefined {
  const text = typeof token === 'string' ? token : '';
  return /^\d{1,10}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}

/** The name-value pairs of a FETCH response. */
function itemsOf(each: Untagged): ReadonlyMap<string, Token> | undefined {
  const list = each.tokens[0];
  if (each.name !== 'FETCH' || !Array.isArray(list)) return undefined;
  const items = new Map<string, Token>();
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at];
    if (typeof name === 'string') items.set(name.toUpperCase(), list[at + 1] as Token);
  }
  return items;
}

function asEnvelope(each: Untagged): Envelope | undefined {
  const items = itemsOf(each);
  const uid = Number(items?.get('UID'));
  if (items === undefined || !Number.isSafeInteger(uid)) return undefined;
  const header = [...items].find(([name]) => name.startsWith('BODY['))?.[1];
  const internalDate = Date.parse(String(items.get('INTERNALDATE') ?? '').replace(/^ ?(\d+)-(\w{3})-(\d{4})/, '$1 $2 $3'));
  const bytes = Number(items.get('RFC822.SIZE'));
  const flags = items.get('FLAGS');
  return {
    uid,
    ...(Number.isNaN(internalDate) ? {} : { internalDate }),
    ...(Number.isSafeInteger(bytes) ? { bytes } : {}),
    flags: Array.isArray(flags) ? flags.filter(flag => typeof flag === 'string') : [],
    header: Buffer.isBuffer(header) ? header : Buffer.alloc(0),
  };
}
