// The journal: one JSON object a line, a file a day, with everything that a report, `explain` or a dashboard needs.
//
// Read: a line that is no whole object is counted and skipped. A reader gets the records of the days it asks for, oldest first.

import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { JOURNAL_VERSION, type JournalRecord } from '../model/record.ts';
import { appendLine } from './append.ts';
import { localDay } from './day.ts';
import { isRecord } from './shape.ts';

/** A record without what every record has. */
export type NewRecord = JournalRecord extends infer R ? (R extends JournalRecord ? Omit<R, 'v' | 'at'> : never) : never;

/** Appends one record to the file of the day on which it is written. @throws {NotWritten} */
export function appendJournal(state: string, record: NewRecord, at: number): void {
  appendLine(journalFile(state, localDay(at)), JSON.stringify({ v: JOURNAL_VERSION, at, ...record }));
}

export function journalFile(state: string, day: string): string {
  return join(state, 'journal', `${day}.jsonl`);
}

/** Days that have a journal, oldest first; empty when there is none yet. */
export function journalDays(state: string): readonly string[] {
  try {
    return readdirSync(join(state, 'journal'))
      .map(name => /^(\d{4}-\d{2}-\d{2})\.jsonl$/.exec(name)?.[1])
      .filter(day => day !== undefined)
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

export interface JournalDay {
  readonly records: readonly JournalRecord[];
  /** Lines that could not be read: torn by a kill or a full disk, or written by a newer version. */
  readonly damaged: number;
}

/** One day's records. A day without a file has none. */
export function readJournal(state: string, day: string): JournalDay {
  return parseJournal(readOrEmpty(journalFile(state, day)));
}

/**
 * The newest records, going back at most so many bytes: enough for what a path usually takes.
 *
 * @param words as they stand in JSON; lines that lack one of them are passed over unread
 */
export function readJournalTail(state: string, mostBytes: number, words: readonly string[] = []): JournalDay {
  const records: JournalRecord[] = [];
  let damaged = 0;
  let left = mostBytes;
  for (const day of [...journalDays(state)].reverse()) {
    if (left <= 0) break;
    const text = readTail(journalFile(state, day), left);
    left -= Buffer.byteLength(text);
    const read = parseJournal(text, words);
    records.unshift(...read.records);
    damaged += read.damaged;
  }
  return { records, damaged };
}

/** How far a reader has come: bytes read, by day. */
export type JournalCursor = Readonly<Record<string, number>>;

/**
 * The whole records that were added since a reader last looked, and how far it has come now. A line that is still being written is
 * left for the next time. Without a cursor, or with one that is far behind, it begins with the newest `mostBytes`.
 */
export function readJournalSince(
  state: string,
  cursor: JournalCursor | undefined,
  mostBytes: number,
): JournalDay & { readonly cursor: JournalCursor } {
  const oldest = cursor === undefined ? undefined : Object.keys(cursor).sort()[0];
  const records: JournalRecord[] = [];
  let damaged = 0;
  let left = mostBytes;
  const reached: Record<string, number> = {};
  const days = journalDays(state).filter(day => oldest === undefined || day >= oldest);
  for (const day of [...days].reverse()) {
    const file = journalFile(state, day);
    const { size } = statSync(file);
    const known = cursor?.[day] ?? 0;
    // A file that has become shorter is another one.
    const since = known <= size ? known : 0;
    const from = Math.max(since, size - Math.max(0, left));
    const bytes = readFrom(file, from);
    const begin = from === since ? 0 : bytes.indexOf(0x0a) + 1;
    const end = bytes.lastIndexOf(0x0a) + 1;
    left -= bytes.length;
    const read = parseJournal(bytes.toString('utf8', begin, end));
    records.unshift(...read.records);
    damaged += read.damaged;
    reached[day] = from + end;
  }
  // Two days are enough: after midnight a late writer may still add to yesterday's file.
  const newest = Object.keys(reached).sort().slice(-2);
  return { records, damaged, cursor: Object.fromEntries(newest.map(day => [day, reached[day] ?? 0])) };
}

function parseJournal(text: string, words: readonly string[] = []): JournalDay {
  const records: JournalRecord[] = [];
  let damaged = 0;
  for (const line of text.split('\n')) {
    if (line === '' || !words.every(word => line.includes(word))) continue;
    const record = parseLine(line);
    if (record === undefined) damaged += 1;
    else records.push(record);
  }
  return { records, damaged };
}

function parseLine(line: string): JournalRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    const { v } = value as { readonly v?: unknown };
    return v === JOURNAL_VERSION && isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function readFrom(file: string, from: number): Buffer {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(fd).size - from));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from));
  } finally {
    closeSync(fd);
  }
}

/** The last so many bytes, from a line's beginning on. */
function readTail(file: string, mostBytes: number): string {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(0, size - mostBytes);
    const bytes = Buffer.alloc(size - from);
    readSync(fd, bytes, 0, bytes.length, from);
    const text = bytes.toString('utf8');
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    closeSync(fd);
  }
}
