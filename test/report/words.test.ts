// The report as a whole on small days: its sentence, and what belongs to another day.

import { expect, test } from 'vitest';
import type { AmendFact, Records, TripFact } from '../../lib/report/facts.ts';
import { namesOf } from '../../lib/report/names.ts';
import { dayPeriod, type Period, spanOf, startOf, weekPeriod } from '../../lib/report/period.ts';
import { reportOf } from '../../lib/report/report.ts';
import { at, failedBy, tripFact } from './facts.ts';

const DAY = dayPeriod('2026-11-21');
const NOTHING: Records = {
  trips: [],
  before: [],
  amends: [],
  skips: [],
  events: [],
  notices: [],
  deliveries: [],
  acks: [],
  silences: [],
  certificates: [],
  phaseNames: [],
  doubts: { damaged: [], onlyInTable: 0, withoutJournal: 0, drills: 0, unknownTypes: new Map(), clockBacks: [] },
};

function reported(records: Partial<Records>, { period = DAY, earlierAt }: { period?: Period; earlierAt?: number } = {}) {
  return reportOf(
    { ...NOTHING, ...records },
    {
      period,
      at: spanOf(period).endAt + 240_000,
      version: '',
      names: namesOf(undefined),
      sequence: [],
      paths: [],
      hostDays: [],
      damagedHosts: [],
      waiting: [],
      earlier: earlierAt === undefined ? undefined : { day: '2026-11-20', madeAt: earlierAt },
      readEarlier: () => ({ trips: [], amends: [] }),
    },
  );
}

const said = (trips: readonly TripFact[], period?: Period) =>
  reported({ trips }, period === undefined ? {} : { period }).verdict.sentence;
const good = (hours: number) => tripFact({ startedAt: at(hours, 0), totalMs: 500 });
const bad = (component: string, hours: number, over: Partial<TripFact> = {}) =>
  failedBy(component, { startedAt: at(hours, 30), ...over });

test('the sentence names one incident that made most of the failures', () => {
  expect(said([good(1), bad('mmp/smux01', 2), bad('mmp/smux01', 3), good(4)])).toBe(
    '2 of 4 trips failed, all by mmp/smux01 pop3 auth from 02:30 on.',
  );
  expect(said([bad('mta/a', 1), good(2), bad('mmp/smux01', 3), bad('mmp/smux01', 4)])).toBe(
    '3 of 4 trips failed, 2 of them by mmp/smux01 pop3 auth from 03:30 on.',
  );
});

test('of many small incidents it names the component that was in most of them', () => {
  const hours = [1, 4, 7, 10];
  const trips = hours.flatMap(hour => [bad(hour === 10 ? 'mta/a' : 'mmp/smux01', hour), good(hour + 1)]);
  expect(said(trips)).toBe('4 of 8 trips failed, 3 of them by mmp/smux01, in 3 incidents.');
});

test('in a report of several days it says on which', () => {
  expect(said([good(1), bad('mmp/smux01', 2)], weekPeriod('2026-11-21'))).toBe(
    '1 of 2 trips failed, all by mmp/smux01 pop3 auth from 21 Nov 02:30 on.',
  );
});

test('the sentence of a day on which nothing failed, and of one on which nothing was done', () => {
  expect([said([]), said([good(1)]), said([good(1), good(2)])]).toEqual([
    'Nothing was tested.',
    'The one trip came back in time (500 ms).',
    'All 2 trips came back in time; half of them came back within 500 ms.',
  ]);
  expect(said([good(1), tripFact({ startedAt: at(2, 0), state: 'slow', totalMs: 12_000 })])).toBe(
    'No trip of 2 failed; 1 was slow; half of them came back within 500 ms.',
  );
});

test('what finished after the report of 23:59 is in the next one, and only that', () => {
  const midnight = startOf('2026-11-21');
  const late = failedBy('mta/a', { id: 'late', startedAt: midnight - 20_000, recordedAt: midnight + 40_000, text: 'lost' });
  const known = tripFact({ id: 'known', startedAt: midnight - 300_000, recordedAt: midnight - 299_000 });
  const { carried, whole } = reported({ trips: [good(1)], before: [known, late] }, { earlierAt: midnight - 55_000 });
  expect(carried).toEqual({
    from: '2026-11-20',
    trips: 1,
    failed: 1,
    rows: [expect.stringMatching(/^23:59:40 ims1 via ssmtp01, smux01 pop3: lost$/)],
  });
  expect(whole.trips).toBe(1);
  // A report of 00:04 knew it; and where there was none, there is nothing to carry.
  expect(reported({ before: [late] }, { earlierAt: midnight + 240_000 }).carried.trips).toBe(0);
  expect(reported({ before: [late] }).carried).toEqual({ from: null, trips: 0, failed: 0, rows: [] });
});

test('messages that turned up are told with when they were sent; what was only cleaned up is not', () => {
  const lost = failedBy('mta/a', { id: 'lost', startedAt: at(1, 0) });
  const amend: Omit<AmendFact, 'trip' | 'became'> = {
    at: at(2, 0),
    path: lost.path,
    text: 'arrived after all',
    afterMs: 3_600_000,
  };
  const { late } = reported({
    trips: [lost],
    amends: [
      { ...amend, trip: 'lost', became: 'late' },
      { ...amend, trip: 'clean', became: 'swept' },
      { ...amend, trip: 'of yesterday', became: 'late', at: at(0, 0) - 1 },
      { ...amend, trip: 'unknown', became: 'bounced' },
    ],
  });
  expect(late.map(({ trip, became, startedAt }) => [trip, became, startedAt])).toEqual([
    ['lost', 'late', at(1, 0)],
    ['unknown', 'bounced', null],
  ]);
});
