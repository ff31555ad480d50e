// Reports on their way: a letter on disk, and beside it a note of who has it and who has not. A report that could not be mailed is kept
// and tried again; whoever has it does not get it twice.
//
// The note is written before and after each attempt, so a crash leaves at worst one recipient of whom it is not known; that one is tried
// again with the same Message-ID.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NotWritten, reason } from '../record/append.ts';
import { replaceFile } from '../record/replace.ts';
import { entries, number, object, text } from './untrusted.ts';

export interface Addressee {
  readonly address: string;
  /**
   * - `waiting` not tried yet, or tried in vain
   * - `sending` an attempt began; a crash leaves it so
   * - `sent` the relay has taken it
   * - `refused` the relay will never take it for this address
   */
  readonly state: 'waiting' | 'sending' | 'sent' | 'refused';
  /** What the last attempt brought; empty before the first. */
  readonly text: string;
}

export interface Outgoing {
  readonly v: 1;
  /** The period's name: `2026-11-21`. */
  readonly id: string;
  readonly title: string;
  readonly from: string;
  readonly messageId: string;
  readonly createdAt: number;
  readonly attempts: number;
  /** Not before; `check_rndtrip -r` and people do not wait for it. Epoch ms. */
  readonly nextAt: number;
  readonly people: readonly Addressee[];
}

/** So long a report is tried; then it is only kept. */
export const TRY_MS = 7 * 86_400_000;

export class Outbox {
  readonly #folder: string;

  constructor(state: string) {
    this.#folder = join(state, 'report', 'outbox');
  }

  /** Puts a letter in; a second one of the same period takes the place of the first. @throws {NotWritten} */
  put(entry: Outgoing, letter: Buffer): void {
    // A letter is ASCII throughout: what is not was encoded.
    replaceFile(this.#letter(entry.id), letter.toString('latin1'));
    this.note(entry);
  }

  /** @throws {NotWritten} */
  note(entry: Outgoing): void {
    replaceFile(join(this.#folder, `${entry.id}.json`), `${JSON.stringify(entry)}\n`);
  }

  /** What is in there, oldest first; a note that cannot be read is left alone and not told. */
  all(): readonly Outgoing[] {
    return this.#names()
      .filter(name => name.endsWith('.json'))
      .flatMap(name => parsed(textOf(join(this.#folder, name))) ?? [])
      .sort((a, b) => a.createdAt - b.createdAt);
  }

  /** Those that somebody still waits for. */
  waiting(): readonly Outgoing[] {
    return this.all().filter(isWaiting);
  }

  letter(id: string): Buffer | undefined {
    try {
      return readFileSync(this.#letter(id));
    } catch {
      return undefined;
    }
  }

  /** Drops what is older. @throws {NotWritten} when the folder cannot be changed */
  forget(before: number): void {
    for (const { id, createdAt } of this.all()) {
      if (createdAt >= before) continue;
      try {
        rmSync(join(this.#folder, `${id}.json`), { force: true });
        rmSync(this.#letter(id), { force: true });
      } catch (error) {
        throw new NotWritten(this.#folder, reason(error));
      }
    }
  }

  #letter(id: string): string {
    return join(this.#folder, `${id}.eml`);
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.#folder);
    } catch {
      return [];
    }
  }
}

export function isWaiting({ people }: Outgoing): boolean {
  return people.some(({ state }) => state === 'waiting' || state === 'sending');
}

/** Not everybody has it, and not everybody will. */
export function isUndelivered({ people }: Outgoing): boolean {
  return people.some(({ state }) => state !== 'sent');
}

/** After the n-th vain attempt: 5, 10, 20, 40 minutes, then hourly. */
export function pauseMs(attempts: number): number {
  return Math.min(60, 5 * 2 ** Math.max(0, attempts - 1)) * 60_000;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const STATES: readonly Addressee['state'][] = ['waiting', 'sending', 'sent', 'refused'];

function parsed(line: string): Outgoing | undefined {
  try {
    const value = object(JSON.parse(line));
    const id = text(value?.id, 80);
    const messageId = text(value?.messageId, 300);
    if (value === undefined || value.v !== 1 || id === undefined || !/^[0-9A-Za-z_-]+$/.test(id) || messageId === undefined)
      return undefined;
    return {
      v: 1,
      id,
      title: text(value.title, 200) ?? id,
      from: text(value.from, 300) ?? '',
      messageId,
      createdAt: number(value.createdAt) ?? 0,
      attempts: number(value.attempts) ?? 0,
      nextAt: number(value.nextAt) ?? 0,
      people: entries(value.people).flatMap(person => {
        const address = text(person.address, 320);
        const state = STATES.find(known => known === person.state);
        return address === undefined || state === undefined ? [] : [{ address, state, text: text(person.text, 300) ?? '' }];
      }),
    };
  } catch {
    return undefined;
  }
}
