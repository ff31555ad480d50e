// Which reports have been made, and when: one small note each. From them the next run knows which days have none, and up to when the
// report of the day before knew.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../record/replace.ts';
import { dayAfter, reportedDay } from './period.ts';
import { number, object, text } from './untrusted.ts';

export interface MadeNote {
  readonly id: string;
  /** Epoch ms. */
  readonly madeAt: number;
  readonly format: string;
}

function folderOf(state: string): string {
  return join(state, 'report', 'made');
}

/** @throws {NotWritten} */
export function noteMade(state: string, note: MadeNote): void {
  replaceFile(join(folderOf(state), `${note.id}.json`), `${JSON.stringify({ v: 1, ...note })}\n`);
}

/** Undefined when that report was never made, or its note cannot be read. */
export function madeNote(state: string, id: string): MadeNote | undefined {
  try {
    const value = object(JSON.parse(readFileSync(join(folderOf(state), `${id}.json`), 'utf8')));
    const madeAt = number(value?.madeAt);
    return value?.v !== 1 || madeAt === undefined ? undefined : { id, madeAt, format: text(value.format, 80) ?? '' };
  } catch {
    return undefined;
  }
}

/** Days whose report has been made, oldest first. */
export function madeDays(state: string): readonly string[] {
  try {
    return readdirSync(folderOf(state))
      .flatMap(name => /^(\d{4}-\d{2}-\d{2})\.json$/.exec(name)?.[1] ?? [])
      .sort();
  } catch {
    return [];
  }
}

/** Drops notes of days before; the newest one always stays, or the next run would not know what is missing. */
export function forgetMade(state: string, before: string): void {
  const days = madeDays(state);
  for (const day of days.slice(0, -1)) if (day < before) rmSync(join(folderOf(state), `${day}.json`), { force: true });
}

/** So many missing reports are made at once; of older ones it is only said that they are missing. */
const MOST = 7;

/**
 * Days between the first report ever made and `day` that have none. Before the first report nothing is missing: the monitor may have
 * been there, but nobody had asked for reports.
 *
 * @returns `make` the newest of them, oldest first; `older` the rest
 */
export function missingDays(
  made: readonly string[],
  day: string,
): { readonly make: readonly string[]; readonly older: readonly string[] } {
  const known = new Set(made);
  const [first] = made;
  const missing: string[] = [];
  for (let each = dayAfter(day, -1); first !== undefined && each > first; each = dayAfter(each, -1)) {
    if (!known.has(each)) missing.unshift(each);
  }
  return { make: missing.slice(-MOST), older: missing.slice(0, -MOST) };
}

/**
 * Whether the report that was due at `minute` of the day is still to be made although its time has come: nobody was there at that minute,
 * or the clock left it out. Before the first report nothing is due; and never in the last half hour of a day, when a report would be
 * about that day, and too early.
 *
 * @param now epoch ms
 */
export function isOverdue(made: readonly string[], minute: number, now: number): boolean {
  const today = new Date(now).setHours(0, minute, 0, 0);
  const dueAt = today <= now ? today : new Date(today).setDate(new Date(today).getDate() - 1);
  const day = reportedDay(dueAt);
  const [first] = made;
  return first !== undefined && day > first && !made.includes(day) && reportedDay(now) === day;
}
