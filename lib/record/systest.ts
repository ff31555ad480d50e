// systest.log, the seed's table of round trips: `| 00:05:04 | ims2 | ssmtp02 | smux01 | 2083 | |`, widths 10 11 12 12 7 17.
//
// Total Time is milliseconds from the beginning of submission until the message has been read back; a trip whose message was not
// read back has none, since any number there would make a broken relay look fast. The Error column has the short verdict.

import { dayOfTable, localDay, localTime, tableDay } from './day.ts';
import { appendRow, cell, type Table } from './table.ts';

export interface SystestRow {
  /** `HH:MM:SS`, local time at which the trip began. */
  readonly time: string;
  readonly account: string;
  readonly mta: string;
  readonly mmp: string;
  readonly totalMs?: number;
  /** Empty when all was well. */
  readonly error: string;
}

export const SYSTEST: Table = { name: 'systest.log', header: systestHeader };

export function systestHeader(day: string): string {
  return `DATE COLLECTED: ${tableDay(day)}
+--------------------------------------------------------+-----------------+
|                 Message Delivery time                  |                 |
+----------+-----------+------------+------------+-------+-----------------+
| Test run | Username: | Msg submit | Msg retr   | Total |      Error      |
| at time: |           | SMTP:      | POP:       | Time: |                 |
+----------+-----------+------------+------------+-------+-----------------+
`;
}

export function systestRow(row: SystestRow): string {
  const total = row.totalMs === undefined ? '' : String(Math.round(row.totalMs));
  // Above 99 seconds the figure takes the blanks beside it: cut off it would be another figure.
  const spent = total.length <= 5 ? ` ${total.padStart(5)} ` : total.padStart(7);
  return `| ${cell(row.time, 8)} | ${cell(row.account, 9)} | ${cell(row.mta, 10)} | ${cell(row.mmp, 10)} |${spent}| ${cell(row.error, 15)} |`;
}

/** Appends the row of a trip that began at `at`. @throws {NotWritten} */
export function appendSystest(state: string, at: number, row: Omit<SystestRow, 'time'>): void {
  appendRow(state, SYSTEST, localDay(at), systestRow({ ...row, time: localTime(at) }));
}

export interface SystestDay {
  readonly day: string;
  readonly rows: readonly SystestRow[];
}

/**
 * Reads a table back, also one with several days in it. Lines that are no whole row are counted, never believed.
 *
 * @returns days in the file's order; `damaged` holds the numbers of lines that could not be read
 */
export function parseSystest(text: string): { readonly days: readonly SystestDay[]; readonly damaged: readonly number[] } {
  const days: { day: string; rows: SystestRow[] }[] = [];
  const damaged: number[] = [];
  const headers = new Set(systestHeader('2001-01-10').split('\n').slice(1).map(collapsed));
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const day = /^DATE COLLECTED:(.+)$/.exec(line)?.[1];
    if (day !== undefined) {
      const known = dayOfTable(day);
      if (known === undefined) damaged.push(index + 1);
      else if (days.at(-1)?.day !== known) days.push({ day: known, rows: [] });
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

function parseRow(line: string): SystestRow | undefined {
  const cells = /^\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$/
    .exec(line)
    ?.slice(1)
    .map(text => text.trim());
  if (cells === undefined) return undefined;
  const [time = '', account = '', mta = '', mmp = '', total = '', error = ''] = cells;
  if (!/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/.test(time) || !/^\d*$/.test(total)) return undefined;
  return { time, account, mta, mmp, ...(total === '' ? {} : { totalMs: Number(total) }), error };
}

function collapsed(line: string): string {
  return line.replace(/\s+/g, ' ').trim();
}
