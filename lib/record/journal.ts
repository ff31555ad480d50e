// The journal: one JSON object a line, a file a day, with everything that a report, `explain` or a dashboard needs.
//
// Read: a line that is no whole object is counted and skipped. A reader gets the records of the days it asks for, oldest first.

import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { JOURNAL_VERSION, type JournalRecord } from '../model/record.ts';
import { appendLine } from './append.ts';
import { localDay } from './day.ts';

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

/** The newest records, going back at most so many bytes: enough for what a path usually takes. */
export function readJournalTail(state: string, mostBytes: number): JournalDay {
  const records: JournalRecord[] = [];
  let damaged = 0;
  let left = mostBytes;
  for (const day of [...journalDays(state)].reverse()) {
    if (left <= 0) break;
    const text = readTail(journalFile(state, day), left);
    left -= Buffer.byteLength(text);
    const read = parseJournal(text);
    records.unshift(...read.records);
    damaged += read.damaged;
  }
  return { records, damaged };
}

export function parseJournal(text: string): JournalDay {
  const records: JournalRecord[] = [];
  let damaged = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const record = parseLine(line);
    if (record === undefined) damaged += 1;
    else records.push(record);
  }
  return { records, damaged };
}

const TYPES: ReadonlySet<string> = new Set(['trip', 'amend', 'skip', 'monitor'] satisfies JournalRecord['type'][]);

function parseLine(line: string): JournalRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    const { v, at, type } = value as Record<string, unknown>;
    if (v !== JOURNAL_VERSION || typeof at !== 'number' || typeof type !== 'string' || !TYPES.has(type)) return undefined;
    return value as JournalRecord;
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
