// The box by POP3, watched by IMAP: the site allows both (`pop3_watch = "imap"`), so arrival is seen within milliseconds and POP3
// logs in twice, to prove at opening that it works and to fetch.

import type { Terms } from '../dialog/line.ts';
import type { Dialog } from '../model/dialog.ts';
import type { Box, Letter, Look, Step } from './box.ts';
import type { ImapBox } from './box-imap.ts';
import type { Pop3Box } from './box-pop3.ts';

export class WatchedPop3Box implements Box {
  readonly protocol = 'pop3';
  readonly looksAreCheap = false;
  readonly #watch: ImapBox;
  readonly #fetch: Pop3Box;

  constructor(watch: ImapBox, fetch: Pop3Box) {
    this.#watch = watch;
    this.#fetch = fetch;
  }

  async open(terms: Terms): Promise<Step> {
    const fetch = await this.#fetch.open(terms);
    if (fetch.trouble !== undefined) return fetch;
    const watch = await this.#watch.open(terms);
    return { ...watch, dialogs: [...fetch.dialogs, ...watch.dialogs] };
  }

  accepted(atMs: number, limitMs: number): void {
    this.#watch.accepted(atMs);
    this.#fetch.accepted(atMs, limitMs);
  }

  nextLookAt(nowMs: number): number {
    return this.#watch.nextLookAt(nowMs);
  }

  async look(waitMs: number, terms: Terms): Promise<Look> {
    const watched = await this.#watch.look(waitMs, terms);
    if (watched.trouble !== undefined || watched.letters.length === 0) return watched;
    const fetched = await this.#fetch.look(0, terms);
    return {
      ...fetched,
      dialogs: [...watched.dialogs, ...fetched.dialogs],
      letters: fetched.letters.map(letter => ({ ...dated(letter, watched.letters), ref: letter.ref })),
      // IMAP saw it when it saw it; that POP3 shows it is a step of its own.
      answeredMs: watched.answeredMs,
      askedMs: watched.askedMs,
    };
  }

  read(letter: Letter, mostBytes: number, terms: Terms): Promise<Dialog<Buffer>> {
    return this.#fetch.read(letter, mostBytes, terms);
  }

  excerpt(letter: Letter, id: string, terms: Terms): Promise<Dialog<Buffer | undefined>> {
    return this.#fetch.excerpt(letter, id, terms);
  }

  leftOvers(most: number, thorough: boolean, terms: Terms): Promise<Dialog<readonly Letter[]>> {
    return this.#fetch.leftOvers(most, thorough, terms);
  }

  remove(letters: readonly Letter[], terms: Terms): Promise<Dialog<void>> {
    return this.#fetch.remove(letters, terms);
  }

  async close(terms: Terms): Promise<Dialog<readonly Letter[]>> {
    await this.#watch.close({ ...terms, deadlineMs: Math.min(1000, terms.deadlineMs) });
    return this.#fetch.close(terms);
  }

  abandon(): void {
    this.#watch.abandon();
    this.#fetch.abandon();
  }
}

/** The store's own date of the same message, which only IMAP tells. */
function dated(letter: Letter, seen: readonly Letter[]): Letter {
  const id = messageIdOf(letter);
  const twin = seen.find(each => messageIdOf(each) === id);
  return twin?.internalDate === undefined ? letter : { ...letter, internalDate: twin.internalDate };
}

function messageIdOf(letter: Letter): string | undefined {
  return letter.headers.find(header => header.name.toLowerCase() === 'message-id')?.value;
}
