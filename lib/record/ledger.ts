// The ledger of test messages: one small file per message, on disk before MAIL FROM goes out, so that whatever happens to this
// process, the next run knows which messages are ours and what became of them.
//
// ledger/<id>.json is a message that may still lie somewhere; ledger/done/<id>.json one that is accounted for, kept for some days
// so that a second copy is known as a duplicate. An entry that cannot be read (a crash of the disk, not of ours) is told and left.

import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Path, SentMessage } from '../model/trip.ts';
import { NotWritten, reason } from './append.ts';
import { makeFolder } from './folder.ts';
import { removeQuietly, replaceMeanwhile, replaceUnforced } from './replace.ts';

/**
 * - `sending` written before MAIL FROM; a crash leaves it so, and the message may or may not be on its way
 * - `sent` accepted, or perhaps accepted
 * - `seen` read back
 * - `lost` not found within the limit
 * - `unsent` the MTA did not take it
 * - `kept` left in the mailbox because the user asked for it
 * - `gone` removed from the mailbox, or known not to be anywhere
 */
export type LedgerState = 'sending' | 'sent' | 'seen' | 'lost' | 'unsent' | 'kept' | 'gone';

export interface LedgerEntry {
  readonly v: 1;
  readonly message: SentMessage;
  readonly path: Path;
  readonly state: LedgerState;
  /** Epoch ms. */
  readonly startedAt: number;
  /** Until then the run that sent it is looking for it itself; others leave it alone. Epoch ms. */
  readonly watchedUntil: number;
  /** SHA-256 of the body as sent, hex. */
  readonly bodyHash: string;
  /** Epoch ms. */
  readonly seenAt?: number;
}

/** Whether the run that sent a message is looking for it right now. An entry of tomorrow is from a clock that was wrong. */
export function isWatched({ startedAt, watchedUntil }: LedgerEntry, at: number): boolean {
  return at < watchedUntil && startedAt - at < DAY_MS;
}

const ID = /^[0-9a-z]{16,40}$/;
const DAY_MS = 86_400_000;
const KEEP_MS = 8 * DAY_MS;

export class Ledger {
  readonly #folder: string;

  constructor(state: string) {
    this.#folder = join(state, 'ledger');
  }

  /**
   * Writes the entry of a message that is about to be sent, and forces it to disk.
   *
   * @throws {NotWritten}: then the message must not be sent
   */
  async begin(entry: LedgerEntry): Promise<void> {
    await replaceMeanwhile(this.#file(entry.message.id), textOf(entry));
  }

  /**
   * Writes what has become of a message. It outlives a kill; in a power cut an entry may fall back to what it was, or become
   * unreadable, which the next run mends.
   *
   * @throws {NotWritten}
   */
  put(entry: LedgerEntry): void {
    const done = entry.state === 'gone' || entry.state === 'unsent';
    const open = this.#file(entry.message.id);
    if (!done) {
      replaceUnforced(open, textOf(entry));
      return;
    }
    replaceUnforced(this.#file(entry.message.id, 'done'), textOf(entry));
    try {
      rmSync(open, { force: true });
    } catch (error) {
      throw new NotWritten(open, reason(error));
    }
  }

  /** The entry of a message; undefined when it is none of ours, or so old that it has been dropped. */
  get(id: string): LedgerEntry | undefined {
    if (!ID.test(id)) return undefined;
    return read(this.#file(id)) ?? read(this.#file(id, 'done'));
  }

  /** Messages that may still lie somewhere, oldest first. `unreadable` are files that hold no entry. */
  open(): { readonly entries: readonly LedgerEntry[]; readonly unreadable: readonly string[] } {
    const entries: LedgerEntry[] = [];
    const unreadable: string[] = [];
    for (const name of names(this.#folder)) {
      const id = /^([0-9a-z]+)\.json$/.exec(name)?.[1];
      if (id === undefined) continue;
      const entry = read(join(this.#folder, name));
      if (entry === undefined) unreadable.push(name);
      else entries.push(entry);
    }
    return { entries: entries.sort((a, b) => a.startedAt - b.startedAt), unreadable };
  }

  /** When the newest message was sent of which anything is known, by the clock of that time; undefined when there is none. Epoch ms. */
  newestAt(): number | undefined {
    const ids = ['', 'done'].flatMap(folder => names(join(this.#folder, folder))).filter(name => ID.test(name.slice(0, -5)));
    const newest = ids.sort().at(-1);
    return newest === undefined ? undefined : Number.parseInt(newest.slice(0, 9), 36);
  }

  /**
   * Drops what is older than eight days: by then an MTA has given a message up (Postfix: five days) and a second copy comes no
   * more. Ids begin with their time, so names are enough. What a disk does not let go of stays for another time.
   *
   * Where all of it is old, the clock has jumped, or we have rested: one run more knows of it, and sweeps.
   */
  forget(at: number): void {
    const limit = timeOfId(at - KEEP_MS);
    const files = ['', 'done'].flatMap(folder =>
      names(join(this.#folder, folder))
        .filter(name => /^[0-9a-z]+\.json$/.test(name))
        .map(name => ({ name, file: join(this.#folder, folder, name) })),
    );
    if (files.every(({ name }) => name < limit)) return;
    for (const { name, file } of files) if (name < limit) removeQuietly(file);
  }

  /** Puts an unreadable entry aside, so that it is told once. */
  setAside(name: string): void {
    try {
      makeFolder(join(this.#folder, 'unreadable'));
      renameSync(join(this.#folder, name), join(this.#folder, 'unreadable', name));
    } catch (error) {
      throw new NotWritten(join(this.#folder, name), reason(error));
    }
  }

  #file(id: string, folder = ''): string {
    return join(this.#folder, folder, `${id}.json`);
  }
}

/** The beginning of an id made at that instant: nine digits of base 36 sort by time until the year 5188. */
export function timeOfId(at: number): string {
  return Math.max(0, Math.floor(at)).toString(36).padStart(9, '0');
}

function textOf(entry: LedgerEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function read(file: string): LedgerEntry | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as LedgerEntry;
    return value.v === 1 && typeof value.message?.id === 'string' && typeof value.startedAt === 'number' ? value : undefined;
  } catch {
    return undefined;
  }
}
