// The box by POP3: a session shows the maildrop as it was at log-in, so every look is a log-in, and there are only so many of them.
//
// Where the site allows it, IMAP watches and POP3 fetches once: then `watch` is an ImapBox on the same account.

import type { Terms } from '../dialog/line.ts';
import { type Drop, openPop3, type Pop3Session } from '../dialog/pop3.ts';
import type { Dialog, DialogRecord, Fault } from '../model/dialog.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { type Box, joined, type Letter, type Look, pause, recordOf, type Step, stepOf, troubleOf, valued } from './box.ts';
import { parseHeaders } from './headers.ts';
import { popLooks, type Usual } from './pace.ts';

/** New messages whose header we read in one look; foreign mail comes in such numbers only when something is wrong. */
const MOST_NEW = 30;
/** Messages from before whose header we read to find our left-overs. */
const MOST_OLD = 200;
/** And when none is known to be there: a second copy of a message that is accounted for. */
const FEW_OLD = 10;
const BOUNCE_LINES = 120;
/**
 * TOP cannot be told to stop, and somebody's message may have a million header lines: what is larger than this, and than any
 * message of ours, is not looked at.
 */
const LARGEST_BYTES = 512 * 1024;

/** What a session showed, and what it would not show, by unique-id. */
interface Shelf {
  readonly letters: readonly Letter[];
  readonly refused: ReadonlyMap<string, Fault>;
}

export class Pop3Box implements Box {
  readonly protocol = 'pop3';
  readonly looksAreCheap = false;
  readonly #endpoint: Endpoint;
  readonly #logins: number;
  readonly #usual: Usual | undefined;
  readonly #largestBytes: number;
  readonly #known = new Set<string>();
  readonly #refused = new Set<string>();
  #session: Pop3Session | undefined;
  #drops: readonly Drop[] = [];
  #looks: readonly number[] = [];
  #marked: Letter[] = [];

  /** `largestBytes`: of a message of ours, as it comes back. */
  constructor(
    endpoint: Endpoint,
    options: { readonly logins: number; readonly largestBytes: number; readonly usual?: Usual | undefined },
  ) {
    this.#endpoint = endpoint;
    this.#largestBytes = Math.max(LARGEST_BYTES, options.largestBytes);
    this.#logins = options.logins;
    this.#usual = options.usual;
  }

  async open(terms: Terms): Promise<Step> {
    const listed = await this.#list(terms);
    if (listed.outcome === 'answered') for (const { uidl } of listed.value) this.#known.add(uidl);
    // The maildrop is locked while a session is open, and this one would never show the message.
    if (listed.outcome === 'answered') await this.#leave(terms);
    return stepOf(listed);
  }

  accepted(atMs: number, limitMs: number): void {
    this.#looks = popLooks(this.#logins, limitMs, this.#usual).map(ms => atMs + ms);
  }

  nextLookAt(nowMs: number): number {
    return this.#looks.find(at => at >= nowMs) ?? Number.POSITIVE_INFINITY;
  }

  async look(waitMs: number, terms: Terms): Promise<Look> {
    await this.#leave(terms);
    await pause(waitMs, terms.signal);
    const dialogs: DialogRecord[] = [];
    const askedMs = terms.clock();
    const ended = (letters: readonly Letter[], last: Dialog<unknown>, answeredMs: number): Look => {
      const trouble = troubleOf(last);
      return { dialogs, letters, askedMs, answeredMs, logins: 1, ...(trouble === undefined ? {} : { trouble }) };
    };
    const listed = await this.#list(terms);
    dialogs.push(recordOf(listed));
    const answeredMs = listed.beganMs + listed.tookMs;
    if (listed.outcome !== 'answered') return ended([], listed, answeredMs);
    const fresh = listed.value.filter(({ uidl }) => !this.#known.has(uidl)).slice(-MOST_NEW);
    const shown = await this.#show(fresh, terms);
    if (fresh.length > 0) dialogs.push(recordOf(shown));
    if (shown.outcome !== 'answered') return ended([], shown, answeredMs);
    const { letters, refused } = shown.value;
    for (const { uidl } of fresh) if (!refused.has(uidl)) this.#known.add(uidl);
    // Refused once, it was removed while we looked: the next look does not list it. Refused twice, the server cannot show it.
    const twice = [...refused].find(([uidl]) => this.#refused.has(uidl));
    for (const uidl of refused.keys()) this.#refused.add(uidl);
    if (twice !== undefined) return ended(letters, { ...recordOf(shown), outcome: 'failed', fault: twice[1] }, answeredMs);
    return ended(letters, shown, answeredMs);
  }

  async read(letter: Letter, mostBytes: number, terms: Terms): Promise<Dialog<Buffer>> {
    const at = await this.#at(letter, terms);
    return at.outcome === 'answered' ? this.#opened().retrieve(at.value, mostBytes, terms) : at;
  }

  async excerpt(letter: Letter, id: string, terms: Terms): Promise<Dialog<Buffer | undefined>> {
    const at = await this.#at(letter, terms);
    if (at.outcome !== 'answered') return at;
    const top = await this.#opened().top(at.value, BOUNCE_LINES, this.#largestBytes, terms);
    return valued(top, shown => ('text' in shown && shown.text.includes(id) ? shown.text : undefined));
  }

  async leftOvers(most: number, thorough: boolean, terms: Terms): Promise<Dialog<readonly Letter[]>> {
    const before: DialogRecord[] = [];
    if (this.#session === undefined) {
      const listed = await this.#list(terms);
      if (listed.outcome !== 'answered') return listed;
      before.push(recordOf(listed));
    }
    // POP3 cannot search: the newest are looked at, which is where left-overs are unless the box is everybody's.
    const shown = await this.#show(this.#drops.slice(thorough ? -MOST_OLD : -FEW_OLD), terms);
    return joined(
      before,
      valued(shown, ({ letters }) =>
        letters.filter(letter => letter.headers.some(header => header.name.toLowerCase() === 'x-healthmon-token')).slice(-most),
      ),
    );
  }

  async remove(letters: readonly Letter[], terms: Terms): Promise<Dialog<void>> {
    const numbers: number[] = [];
    const before: DialogRecord[] = [];
    for (const letter of letters) {
      const at = await this.#at(letter, terms);
      if (at.outcome !== 'answered') return at;
      before.push(recordOf(at));
      numbers.push(at.value);
    }
    const removed = await this.#opened().remove(numbers, terms);
    if (removed.outcome === 'answered') this.#marked.push(...letters);
    return joined(before, removed);
  }

  /** POP3 removes at QUIT: only when the server has said yes to that are they gone. */
  async close(terms: Terms): Promise<Dialog<readonly Letter[]>> {
    const quit = await this.#opened().quit(terms);
    this.#session = undefined;
    return valued(quit, () => this.#marked);
  }

  abandon(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  /** A fresh session and what it shows. */
  async #list(terms: Terms): Promise<Dialog<readonly Drop[]>> {
    const opened = await openPop3(this.#endpoint, terms);
    if (opened.outcome !== 'answered') return opened;
    this.#session = opened.value;
    const listed = await opened.value.list({ ...terms, deadlineMs: Math.max(1, terms.deadlineMs - opened.tookMs) });
    if (listed.outcome === 'answered') this.#drops = listed.value;
    return joined([recordOf(opened)], listed);
  }

  async #leave(terms: Terms): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) await session.quit({ ...terms, deadlineMs: Math.min(2000, terms.deadlineMs) });
  }

  async #show(drops: readonly Drop[], terms: Terms): Promise<Dialog<Shelf>> {
    const letters: Letter[] = [];
    const refused = new Map<string, Fault>();
    const before: DialogRecord[] = [];
    if (drops.length === 0) return { ...nothingDone(this.#endpoint, terms), outcome: 'answered', value: { letters, refused } };
    const sizes = await this.#opened().sizes(terms);
    if (sizes.outcome !== 'answered') return sizes;
    before.push(recordOf(sizes));
    let last: Dialog<unknown> = sizes;
    for (const { number, uidl } of drops) {
      const bytes = sizes.value.get(number) ?? 0;
      if (bytes > this.#largestBytes) continue;
      const shown = await this.#opened().top(number, 0, bytes, terms);
      if (shown.outcome !== 'answered') return joined(before, shown);
      if ('text' in shown.value) letters.push({ ref: uidl, headers: parseHeaders(shown.value.text) });
      else refused.set(uidl, shown.value.refused);
      before.push(recordOf(shown));
      last = shown;
    }
    return joined(
      before.slice(0, -1),
      valued(last, () => ({ letters, refused })),
    );
  }

  /** The message's number in a session, which is opened when there is none. */
  async #at(letter: Letter, terms: Terms): Promise<Dialog<number>> {
    const before: DialogRecord[] = [];
    if (this.#session === undefined) {
      const listed = await this.#list(terms);
      if (listed.outcome !== 'answered') return listed;
      before.push(recordOf(listed));
    }
    const found = this.#drops.find(({ uidl }) => uidl === letter.ref);
    const here = nothingDone(this.#endpoint, terms);
    if (found !== undefined) return joined(before, { ...here, outcome: 'answered', value: found.number });
    const { component, protocol } = this.#endpoint;
    const text = 'does not show a message that it has shown before';
    return joined(before, {
      ...here,
      outcome: 'failed',
      fault: { component, protocol, phase: 'list', kind: 'missing', text, lasting: 'unknown' },
    });
  }

  #opened(): Pop3Session {
    if (this.#session === undefined) throw new Error('Cannot use a maildrop that has not been opened');
    return this.#session;
  }
}

function nothingDone(endpoint: Endpoint, terms: Terms): DialogRecord {
  const { component, protocol, host, port, security } = endpoint;
  return { component, protocol, host, port, security, beganMs: terms.clock(), tookMs: 0, phases: [], facts: {}, transcript: [] };
}
