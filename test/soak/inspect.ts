// What a state folder looks like after a mishap: read by the product's own readers where it has them, and line by line for what these
// would only count.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSystest } from '../../lib/record/systest.ts';

export interface Condition {
  /** Files that must be whole at any moment and are not. */
  readonly unreadable: readonly string[];
  /** Lines that hold (parts of) two rows or records. */
  readonly merged: readonly string[];
  /** Lines that could not be read, in tables and journal: each is a write that was cut short. */
  readonly damaged: number;
  readonly rows: number;
  readonly records: number;
  /** Trips by their ids. */
  readonly trips: ReadonlySet<string>;
  readonly amends: number;
  readonly skips: number;
  /** Files of half-finished replacements. */
  readonly litter: readonly string[];
}

export function inspect(state: string): Condition {
  const files = existsSync(state) ? readdirSync(state, { recursive: true, encoding: 'utf8' }).sort() : [];
  const unreadable: string[] = [];
  const merged: string[] = [];
  const trips = new Set<string>();
  let damaged = 0;
  let rows = 0;
  let records = 0;
  let amends = 0;
  let skips = 0;
  for (const name of files) {
    const read = () => readFileSync(join(state, name), 'utf8');
    if (name.endsWith('.unreadable') || name.startsWith('ledger/unreadable/')) unreadable.push(name);
    else if (/\.json$/.test(name)) {
      if (!isJson(read())) unreadable.push(`${name}: ${JSON.stringify(read().slice(0, 80))}`);
    } else if (/^(systest|qmonitor)\.log\.\d{4}-\d{2}-\d{2}$/.test(name)) {
      const text = read();
      const table = parseSystest(text);
      rows += table.days.reduce((sum, day) => sum + day.rows.length, 0);
      damaged += table.damaged.length;
      const lines = text.split('\n');
      for (const number of table.damaged) {
        const line = lines[number - 1] ?? '';
        if ((line.match(/\| \d\d:\d\d:\d\d \|/g)?.length ?? 0) > 1 || /^\|.*[+D]/.test(line.replace(/[A-Z]{2,}/g, '')))
          merged.push(`${name}: ${line}`);
      }
      if ((text.match(/DATE COLLECTED/g)?.length ?? 0) !== 1) merged.push(`${name}: its header is not there once`);
    } else if (/\.jsonl$/.test(name)) {
      for (const line of read().split('\n')) {
        if (line === '') continue;
        if (!isJson(line)) {
          damaged += 1;
          if ((line.match(/\{"v":1,"at":/g)?.length ?? 0) > 1) merged.push(`${name}: ${line.slice(0, 100)}`);
          continue;
        }
        const record = JSON.parse(line) as { type?: string; trip?: { id?: string } };
        records += 1;
        if (record.type === 'trip' && record.trip?.id !== undefined) trips.add(record.trip.id);
        if (record.type === 'amend') amends += 1;
        if (record.type === 'skip') skips += 1;
      }
    }
  }
  const litter = files.filter(name => /\.new$/.test(name));
  return { unreadable, merged, damaged, rows, records, trips, amends, skips, litter };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
