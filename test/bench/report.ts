// Reports of a month and of a year from the records of a check every five minutes over eight paths, beside `wc -l` over the same files:
// what reading them costs at least. Records are as large as real ones.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Path } from '../../lib/model/trip.ts';
import { localTime } from '../../lib/record/day.ts';
import { journalFile } from '../../lib/record/journal.ts';
import { SYSTEST, systestHeader, systestRow } from '../../lib/record/systest.ts';
import { tableFile } from '../../lib/record/table.ts';
import { dayAfter, daysOf, spanOf } from '../../lib/report/period.ts';
import { chanceOf, failedTrip, goodTrip } from '../../lib/report/sample-trip.ts';
import { against, type Bench, bounded } from './bench.ts';
import { type Cost, interleaved, whyNoCosts } from './process.ts';

const ROUNDS = 3;
const YEAR = { from: '2025-11-01', to: '2026-10-31' };
const MONTH = { from: '2026-10-01', to: '2026-10-31' };
/** What the month is compared with. */
const BEFORE = { from: '2026-09-01', to: '2026-09-30' };
const EVERY = 5 * 60_000;
const PATHS: readonly Path[] = ['ims1', 'ims2'].flatMap(account =>
  ['ssmtp01', 'ssmtp02'].flatMap(mta => (['pop3', 'imap'] as const).map(mailbox => ({ account, mta, mmp: 'smux01', mailbox }))),
);

export const report: Bench = {
  name: 'report',
  about: 'reports of a month and of a year against wc -l over the same records',
  run: async say => {
    const cannot = whyNoCosts();
    if (cannot !== undefined) return { cannot };
    const place = mkdtempSync(join(tmpdir(), 'healthmon-bench-report-'));
    try {
      say('report: writing the records of a year ...');
      const { trips, megabytes } = writeYear(place);
      const monthTrips = daysOf(MONTH).length * 288;
      say(`report: ${trips} records, ${Math.round(megabytes)} MB; ${ROUNDS} rounds ...`);
      const files = (period: { readonly from: string; readonly to: string }) =>
        daysOf(period).map(day => journalFile(place, day));
      const command = (...period: readonly string[]) => ({
        argv: [process.execPath, join(process.cwd(), 'bin', 'check_rndtrip'), '-r', ...period, '--out', join(place, 'out.html')],
        env: { TZ: 'UTC', HEALTHMON_CONFIG: join(place, 'etc'), HEALTHMON_STATE: place },
      });
      const costs = await interleaved(
        {
          wcMonth: { argv: ['wc', '-l', ...files(BEFORE), ...files(MONTH)] },
          month: command('--month', '2026-10'),
          wcYear: { argv: ['wc', '-l', ...files(YEAR)] },
          year: command('--from', YEAR.from, '--to', YEAR.to),
        },
        ROUNDS,
        (name, { status, stdout, stderr }) => {
          if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
          const wanted = name === 'month' ? monthTrips : trips;
          const isRight =
            name === 'wcMonth' || name === 'wcYear'
              ? stdout.trimEnd().endsWith(' total')
              : new RegExp(`\\b${wanted} trips\\b|of ${wanted} trips`).test(readFileSync(join(place, 'out.html'), 'utf8'));
          if (!isRight) throw new Error(`${name} does not tell of ${wanted} trips`);
        },
      );
      return [
        ...rows('report of a month', costs.month, costs.wcMonth, 2),
        ...rows('report of a year', costs.year, costs.wcYear, 8),
      ];
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  },
};

function rows(name: string, ours: Cost, wc: Cost, mostSeconds: number) {
  const isMonth = mostSeconds === 2;
  return [
    bounded(`${name}, wall`, { value: ours.wallMs / 1000, unit: 's', most: mostSeconds }),
    // Beside it what it costs where others want the processors too.
    bounded(`${name}, processor time`, { value: ours.cpuMs / 1000, unit: 's' }),
    bounded(`${name}, memory`, { value: ours.peakMb, unit: 'MB', ...(isMonth ? { most: 200 } : {}) }),
    against(`${name}, wall`, { ours: ours.wallMs, theirs: wc.wallMs, unit: 'ms', what: 'wc -l' }),
  ];
}

/** Journals and tables of the year. */
function writeYear(state: string): { readonly trips: number; readonly megabytes: number } {
  process.env.TZ = 'UTC';
  mkdirSync(join(state, 'journal'), { recursive: true });
  writeEtc(join(state, 'etc'));
  let trips = 0;
  let bytes = 0;
  for (let day = YEAR.from; day <= YEAR.to; day = dayAfter(day, 1)) {
    const { startAt, endAt } = spanOf({ from: day, to: day });
    const chance = chanceOf(startAt);
    let journal = '';
    let table = systestHeader(day);
    for (let start = 0; startAt + start * EVERY < endAt; start += 1) {
      const path = PATHS[start % PATHS.length] as Path;
      const trip = { start, startedAt: startAt + start * EVERY + 3000 + Math.floor(chance() * 900), path, chance };
      const record =
        start % 97 === 96
          ? failedTrip(trip, {
              component: 'mmp/smux01',
              protocol: path.mailbox,
              phase: 'auth',
              kind: 'rejected',
              text: 'refused: authentication service not available',
              lasting: 'transient',
            })
          : goodTrip(trip);
      const { totalMs } = record.trip;
      journal += `${JSON.stringify(record)}\n`;
      table += `${systestRow({ time: localTime(trip.startedAt), ...path, ...(totalMs === undefined ? {} : { totalMs }), error: record.verdict.short })}\n`;
      trips += 1;
    }
    bytes += journal.length;
    writeFileSync(journalFile(state, day), journal);
    writeFileSync(tableFile(state, SYSTEST, day), table);
  }
  return { trips, megabytes: bytes / 1e6 };
}

function writeEtc(etc: string): void {
  mkdirSync(etc);
  const lines = PATHS.flatMap((path, n) =>
    [n, n + 8].flatMap(slot =>
      slot < 12
        ? [`${String(slot * 5).padStart(2, '0')} DMSG -u ${path.account} -s ${path.mta} -p ${path.mmp} -m ${path.mailbox}`]
        : [],
    ),
  );
  writeFileSync(join(etc, 'sequence.cfg'), `${lines.sort().join('\n')}\n`);
  for (const [name, text] of [['site.cfg', readFileSync(join(process.cwd(), 'etc', 'site.cfg'), 'utf8')]] as const)
    writeFileSync(join(etc, name), text);
}
