// Rows of systest.log as facts, for days or trips that the journal does not have: an older version's, another program's, the seed's own
// sample. The table says less: no protocol of reading back, no legs, no suspects, and times of a day whose clock may repeat an hour.

import { lstatSync } from 'node:fs';
import { basename, join } from 'node:path';
import { printable } from '../model/printable.ts';
import type { State } from '../model/verdict.ts';
import { localTime } from '../record/day.ts';
import { journalFile } from '../record/journal.ts';
import { parseSystest, SYSTEST, type SystestRow } from '../record/systest.ts';
import { cell, tableFile } from '../record/table.ts';
import type { DamagedFile, FactPath, TripFact } from './facts.ts';
import { startOf } from './period.ts';
import { textOf } from './text-of.ts';

export interface TableRow {
  /** What the row and the trip that it is of have in common. */
  readonly key: string;
  /** Made when it is asked for: most rows are of trips that the journal has. */
  readonly fact: () => TripFact;
  /** The day has a journal too. */
  readonly hasJournal: boolean;
}

/** Rows of these days, from the files of the days and from a systest.log that is a file of its own, which may hold several. */
export function readTables(
  state: string,
  days: readonly string[],
): { readonly rows: readonly TableRow[]; readonly damaged: readonly DamagedFile[] } {
  const wanted = new Set(days);
  const rows: TableRow[] = [];
  const damaged: DamagedFile[] = [];
  const files = [...days.map(day => tableFile(state, SYSTEST, day)), ...ownFile(state)];
  for (const file of files) {
    const { text, why } = textOf(file);
    if (why !== undefined) damaged.push({ file: basename(file), lines: 0, why });
    const table = parseSystest(text);
    if (table.damaged.length > 0) damaged.push({ file: basename(file), lines: table.damaged.length });
    for (const { day, rows: found } of table.days) {
      if (!wanted.has(day)) continue;
      const hasJournal = lstatSync(journalFile(state, day), { throwIfNoEntry: false }) !== undefined;
      let lastAt = startOf(day);
      for (const row of found) {
        const startedAt = instantOf(day, row.time, lastAt);
        lastAt = startedAt;
        rows.push({ key: rowKey(day, row.time, row), fact: () => factOfRow(row, startedAt), hasJournal });
      }
    }
  }
  return { rows, damaged };
}

/** What the table says of a trip: the second in which it began, by the clock on the wall, and names as wide as the columns are. */
export function rowKey(day: string, time: string, { account, mta, mmp }: Pick<FactPath, 'account' | 'mta' | 'mmp'>): string {
  return `${day} ${time}|${column(account, 9)}|${column(mta, 10)}|${column(mmp, 10)}`;
}

function column(name: string, width: number): string {
  return cell(name, width).trimEnd();
}

/**
 * The instant of a row. In the hour that a clock repeats there are two: the first that is not before the row above, give or take ten
 * minutes for rows that were written out of order.
 */
export function instantOf(day: string, time: string, lastAt: number): number {
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  const noon = new Date(startOf(day) + 12 * 3_600_000);
  const at = new Date(noon.getFullYear(), noon.getMonth(), noon.getDate(), hours, minutes, seconds).getTime();
  for (const candidate of [at, at + 1_800_000, at + 3_600_000]) {
    if (candidate >= lastAt - 600_000 && localTime(candidate) === time) return candidate;
  }
  return at;
}

/** The states that the Error column stands for, as this program writes it; any other program's error is a failure. */
function stateOfRow({ error, totalMs }: SystestRow): State {
  if (error === '') return totalMs === undefined ? 'unknown' : 'ok';
  if (/^slow( |$)/.test(error)) return 'slow';
  return /^(monitor( |$)|unknown$)/.test(error) ? 'unknown' : 'failed';
}

function factOfRow(row: SystestRow, startedAt: number): TripFact {
  const state = stateOfRow(row);
  const { totalMs } = row;
  // The table may be another program's: its cells are shown to people as they are nowhere else.
  const [account = '', mta = '', mmp = '', error = ''] = [row.account, row.mta, row.mmp, row.error].map(text => printable(text));
  return {
    id: '',
    path: { account, mta, mmp, mailbox: '' },
    startedAt,
    recordedAt: startedAt + (totalMs ?? 0),
    isScheduled: true,
    state,
    isExcused: false,
    ...(totalMs === undefined || state === 'unknown' ? {} : { totalMs }),
    outcome: 'unrecorded',
    isLate: false,
    found: [],
    legs: {},
    phases: [],
    hops: [],
    suspects: [],
    text: error,
    short: error,
  };
}

/** `systest.log` itself, where it is a file and not the link that we make. */
function ownFile(state: string): string[] {
  const file = join(state, SYSTEST.name);
  return lstatSync(file, { throwIfNoEntry: false })?.isFile() === true ? [file] : [];
}
