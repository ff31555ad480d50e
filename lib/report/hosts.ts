// Queue and system figures of the period, from qmonitor.log where this state folder has any.

import { lstatSync } from 'node:fs';
import { basename, join } from 'node:path';
import { printable } from '../model/printable.ts';
import { parseQmonitor, type QmonitorDay, type QmonitorRow } from '../record/qmonitor.ts';
import type { Report } from './data.ts';
import type { DamagedFile } from './facts.ts';
import { spreadOf } from './spread.ts';
import { groupBy } from './tally.ts';
import { textOf } from './text-of.ts';

const NAME = 'qmonitor.log';

export interface HostTables {
  readonly days: readonly QmonitorDay[];
  readonly damaged: readonly DamagedFile[];
}

/** The tables of these days: one file a day, and a qmonitor.log that is a file of its own. */
export function readHostTables(state: string, days: readonly string[]): HostTables {
  const wanted = new Set(days);
  const found: QmonitorDay[] = [];
  const damaged: DamagedFile[] = [];
  const own = join(state, NAME);
  const isOwn = lstatSync(own, { throwIfNoEntry: false })?.isFile() === true;
  for (const file of [...days.map(day => join(state, `${NAME}.${day}`)), ...(isOwn ? [own] : [])]) {
    const { text, why } = textOf(file);
    if (why !== undefined) damaged.push({ file: basename(file), lines: 0, why });
    const table = parseQmonitor(text);
    if (table.damaged.length > 0) damaged.push({ file: basename(file), lines: table.damaged.length });
    found.push(...table.days.filter(({ day }) => wanted.has(day)));
  }
  return { days: found, damaged };
}

/** By instance. Pure. */
export function hostNumbers(days: readonly QmonitorDay[]): Report['hosts'] {
  return [...groupBy(days, ({ instance }) => instance)].map(([name, group]) => {
    const rows = group.flatMap(day => day.rows);
    const spread = (pick: (row: QmonitorRow) => number | undefined) => spreadOf(rows.flatMap(row => pick(row) ?? []));
    const swap = rows.flatMap(({ swapKb }) => swapKb ?? []);
    return {
      name: printable(name, 80),
      rows: rows.length,
      active: spread(row => row.active),
      held: spread(row => row.held),
      swapLowK: swap.length === 0 ? null : swap.reduce((a, b) => Math.min(a, b)),
      busy: spread(({ idle }) => (idle === undefined ? undefined : 100 - idle)),
      smtp: spread(row => row.smtp),
      imap: spread(row => row.imap),
      pop3: spread(row => row.pop3),
    };
  });
}
