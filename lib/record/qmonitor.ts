// qmonitor.log, the seed's table of queues and system: one row a look, widths 5 7 8 12 9 6 6 6 7 4 4 4 4 4.
//
//   |00:45|     0 |      0 |   2005648k |       0 |    1 |    1 |    5 |    93 |   0|  48|   0|  55|   0|
//
// A figure that could not be read is `-`. One that is too wide for its cell is shortened to thousands (`12k`, `3M`), never cut off:
// cut off it would be another figure. Connections have four columns without a blank between them, as the seed has.

import { dayOfTable, localDay, localTime, tableDay } from './day.ts';
import { appendRow, cell, type Table } from './table.ts';

export interface QmonitorRow {
  /** `HH:MM`, local time of the look. */
  readonly time: string;
  /** Messages in the active queue, and held. */
  readonly active?: number;
  readonly held?: number;
  /** Memory and swap that can still be had; KiB. */
  readonly swapKb?: number;
  /** Pages scanned for something to free; per second. */
  readonly scanRate?: number;
  /** Shares of the processors' time; percent. */
  readonly user?: number;
  readonly system?: number;
  readonly wait?: number;
  readonly idle?: number;
  /** Established TCP connections to our ports. */
  readonly smtp?: number;
  readonly imap?: number;
  readonly pop3?: number;
  readonly ldap?: number;
  readonly http?: number;
}

/** The cells of a row in order: their columns, those left free on the right, and the unit that stands behind the figure. */
const CELLS: readonly {
  readonly key: Exclude<keyof QmonitorRow, 'time'>;
  readonly columns: number;
  readonly free: number;
  readonly unit: string;
}[] = [
  { key: 'active', columns: 7, free: 1, unit: '' },
  { key: 'held', columns: 8, free: 1, unit: '' },
  { key: 'swapKb', columns: 12, free: 1, unit: 'k' },
  { key: 'scanRate', columns: 9, free: 1, unit: '' },
  { key: 'user', columns: 6, free: 1, unit: '' },
  { key: 'system', columns: 6, free: 1, unit: '' },
  { key: 'wait', columns: 6, free: 1, unit: '' },
  { key: 'idle', columns: 7, free: 1, unit: '' },
  { key: 'smtp', columns: 4, free: 0, unit: '' },
  { key: 'imap', columns: 4, free: 0, unit: '' },
  { key: 'pop3', columns: 4, free: 0, unit: '' },
  { key: 'ldap', columns: 4, free: 0, unit: '' },
  { key: 'http', columns: 4, free: 0, unit: '' },
];

/** @param instance the name of this host or instance: up to 40 characters of it are shown */
function qmonitorTable(instance: string): Table {
  return { name: 'qmonitor.log', header: day => qmonitorHeader(day, instance) };
}

export function qmonitorHeader(day: string, instance: string): string {
  return `${`DATE COLLECTED: ${tableDay(day)}`.padEnd(33)}instance name = ${cell(instance, 40).trimEnd()}
+---------------------------------------------------------------------------------------------------+
|                                  System and Queue monitoring data                                 |
+-----+----------------+------------+---------+----------------------------+------------------------+
|     | Msgs in Queue  | Available  |         |            CPU             |   TCP/IP Connections   |
|Time |  act  |  held  |    swap    |Scanrate |  us  |  sys |  wt  |   id  |smtp|imap|pop3|ldap|http|
+-----+-------+--------+------------+---------+------+------+------+-------+----+----+----+----+----+
`;
}

export function qmonitorRow(row: QmonitorRow): string {
  const cells = CELLS.map(({ key, columns, free, unit }) =>
    figure(row[key], columns - free, unit)
      .padStart(columns - free)
      .padEnd(columns),
  );
  return `|${cell(row.time, 5)}|${cells.join('|')}|`;
}

/** Appends the row of a look at `at`. @throws {NotWritten} */
export function appendQmonitor(state: string, instance: string, at: number, row: Omit<QmonitorRow, 'time'>): void {
  appendRow(state, qmonitorTable(instance), localDay(at), qmonitorRow({ ...row, time: localTime(at).slice(0, 5) }));
}

/** Absent is `-`; what is wider than so many columns is given in thousands of its unit. */
function figure(value: number | undefined, columns: number, unit: string): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  let text = `${Math.round(value)}${unit}`;
  let left = value;
  for (let thousands = UNITS.indexOf(unit) + 1; text.length > columns && thousands < UNITS.length; thousands += 1) {
    left /= 1000;
    text = `${Math.round(left)}${UNITS[thousands]}`;
  }
  return text;
}

const UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

export interface QmonitorDay {
  readonly day: string;
  readonly instance: string;
  readonly rows: readonly QmonitorRow[];
}

/**
 * Reads a table back, also one with several days in it. Lines that are no whole row are counted, never believed.
 *
 * @returns days in the file's order; `damaged` holds the numbers of lines that could not be read
 */
export function parseQmonitor(text: string): { readonly days: readonly QmonitorDay[]; readonly damaged: readonly number[] } {
  const days: { day: string; instance: string; rows: QmonitorRow[] }[] = [];
  const damaged: number[] = [];
  const headers = new Set(qmonitorHeader('2001-01-10', 'x').split('\n').slice(1).map(collapsed));
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const header = /^DATE COLLECTED:(.+?)\s+instance name = (.*)$/.exec(line);
    if (header !== null) {
      const day = dayOfTable(header[1] ?? '');
      const instance = (header[2] ?? '').trim();
      const last = days.at(-1);
      if (day === undefined) damaged.push(index + 1);
      else if (last?.day !== day || last.instance !== instance) days.push({ day, instance, rows: [] });
      continue;
    }
    if (/^\+[-+]+\+$/.test(line) || headers.has(collapsed(line))) continue;
    const row = parseRow(line);
    const last = days.at(-1);
    if (row === undefined || last === undefined) damaged.push(index + 1);
    else last.rows.push(row);
  }
  return { days, damaged };
}

function parseRow(line: string): QmonitorRow | undefined {
  const cells = line.split('|').map(text => text.trim());
  if (cells.length !== CELLS.length + 3 || cells[0] !== '' || cells.at(-1) !== '') return undefined;
  const [time = '', ...rest] = cells.slice(1, -1);
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(time)) return undefined;
  const row: Partial<Record<Exclude<keyof QmonitorRow, 'time'>, number>> = {};
  for (const [index, { key, unit }] of CELLS.entries()) {
    const text = rest[index] ?? '';
    if (text === '-') continue;
    const parts = /^(\d{1,12})([kMGTPE]?)$/.exec(text);
    if (parts === null) return undefined;
    row[key] = Number(parts[1]) * 1000 ** (UNITS.indexOf(parts[2] ?? '') - UNITS.indexOf(unit));
  }
  return { time, ...row };
}

function collapsed(line: string): string {
  return line.replace(/\s+/g, ' ').trim();
}
