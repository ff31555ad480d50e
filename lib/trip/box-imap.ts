// The box by IMAP: one session from opening to the end. Looks by NOOP, which makes Dovecot tell at once what IDLE tells half a second
// later; long pauses are spent in IDLE, so that a server that does push is heard.

import { openImap } from '../dialog/imap.ts';
import { type ImapSession, MOST_ENVELOPES } from '../dialog/imap-session.ts';
import type { Terms } from '../dialog/line.ts';
import type { Dialog, DialogRecord } from '../model/dialog.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { type Box, joined, type Letter, type Look, pause, recordOf, type Step, stepOf, troubleOf, valued } from './box.ts';
import { parseHeaders } from './headers.ts';
import { imapPause, type Usual } from './pace.ts';
import { TOKEN_HEADER } from './token.ts';

/** The header lines by which we know our own messages and bounces about them: all that is ever read of foreign mail. */
const HEADERS = [TOKEN_HEADER, 'Message-ID', 'Content-Type', 'Received'] as const;
const IDLE_FROM_MS = 1000;
const BOUNCE_BYTES = 64 * 1024;

export class ImapBox implements Box {
  readonly protocol = 'imap';
  readonly looksAreCheap = true;
  readonly #endpoint: Endpoint;
  readonly #folder: string;
  readonly #usual: Usual | undefined;
  #session: ImapSession | undefined;
  #acceptedMs = 0;
  #lookedMs = 0;
  #removed: Letter[] = [];

  constructor(endpoint: Endpoint, options: { readonly folder?: string; readonly usual?: Usual | undefined } = {}) {
    this.#endpoint = endpoint;
    this.#folder = options.folder ?? 'INBOX';
    this.#usual = options.usual;
  }

  async open(terms: Terms): Promise<Step> {
    const opened = await openImap(this.#endpoint, this.#folder, terms);
    if (opened.outcome === 'answered') this.#session = opened.value;
    return stepOf(opened);
  }

  get readOnly(): boolean {
    return this.#session?.readOnly ?? false;
  }

  accepted(atMs: number): void {
    this.#acceptedMs = atMs;
  }

  nextLookAt(nowMs: number): number {
    // From look to look, not from answer to look: a server that is slow to answer is not looked at less often for it.
    const from = Math.max(this.#lookedMs, this.#acceptedMs);
    return Math.max(nowMs, from + imapPause(from - this.#acceptedMs, this.#usual));
  }

  async look(waitMs: number, terms: Terms): Promise<Look> {
    const session = this.#opened();
    const dialogs: DialogRecord[] = [];
    const step = <T>(dialog: Dialog<T>): Dialog<T> => {
      dialogs.push(recordOf(dialog));
      return dialog;
    };
    let askedMs = terms.clock();
    const ended = (letters: readonly Letter[], last: Dialog<unknown>): Look => {
      const trouble = troubleOf(last);
      return {
        dialogs,
        letters,
        askedMs,
        answeredMs: last.beganMs + last.tookMs,
        logins: 0,
        ...(trouble === undefined ? {} : { trouble }),
      };
    };

    if (waitMs >= IDLE_FROM_MS && session.canIdle) {
      const idled = step(await session.idle(waitMs, { ...terms, deadlineMs: terms.deadlineMs + waitMs }));
      if (idled.outcome !== 'answered') return ended([], idled);
    } else await pause(waitMs, terms.signal);

    askedMs = terms.clock();
    this.#lookedMs = askedMs;
    const nooped = step(await session.noop(terms));
    if (nooped.outcome !== 'answered' || !nooped.value) return ended([], nooped);
    askedMs = terms.clock();
    const fresh = step(await session.fresh(terms));
    if (fresh.outcome !== 'answered' || fresh.value.length === 0) return ended([], fresh);
    const answeredMs = fresh.beganMs + fresh.tookMs;
    const letters = step(await this.#letters(fresh.value, terms));
    return { ...ended(letters.outcome === 'answered' ? letters.value : [], letters), answeredMs };
  }

  read(letter: Letter, mostBytes: number, terms: Terms): Promise<Dialog<Buffer>> {
    return this.#opened().read(Number(letter.ref), '', mostBytes, terms);
  }

  async excerpt(letter: Letter, id: string, terms: Terms): Promise<Dialog<Buffer | undefined>> {
    const found = await this.#opened().contains(Number(letter.ref), id, terms);
    if (found.outcome !== 'answered' || !found.value) return valued(found, () => undefined);
    return joined([recordOf(found)], await this.#opened().read(Number(letter.ref), '', BOUNCE_BYTES, terms));
  }

  async leftOvers(most: number, _thorough: boolean, terms: Terms): Promise<Dialog<readonly Letter[]>> {
    const found = await this.#opened().searchHeader(TOKEN_HEADER, 'v1.', terms);
    if (found.outcome !== 'answered') return found;
    return joined([recordOf(found)], await this.#letters(found.value.slice(-most), terms));
  }

  async remove(letters: readonly Letter[], terms: Terms): Promise<Dialog<void>> {
    const removed = await this.#opened().remove(
      letters.map(letter => Number(letter.ref)),
      terms,
    );
    if (removed.outcome === 'answered')
      this.#removed.push(...letters.filter(letter => removed.value.includes(Number(letter.ref))));
    return valued(removed, () => undefined);
  }

  async close(terms: Terms): Promise<Dialog<readonly Letter[]>> {
    return valued(await this.#opened().logout(terms), () => this.#removed);
  }

  abandon(): void {
    this.#session?.close();
  }

  async #letters(uids: readonly number[], terms: Terms): Promise<Dialog<readonly Letter[]>> {
    // After a flood of foreign mail the newest are looked at: ours is among them, or is found as a left-over later.
    const envelopes = await this.#opened().envelopes(uids.slice(-MOST_ENVELOPES), HEADERS, terms);
    return valued(envelopes, all =>
      all.map(({ uid, header, internalDate, bytes }) => ({
        ref: String(uid),
        headers: parseHeaders(header),
        ...(internalDate === undefined ? {} : { internalDate }),
        ...(bytes === undefined ? {} : { bytes }),
      })),
    );
  }

  #opened(): ImapSession {
    if (this.#session === undefined) throw new Error('Cannot use a box that has not been opened');
    return this.#session;
  }
}
