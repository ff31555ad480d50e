// The figures of a report against cases worked out by hand.

import { expect, test } from 'vitest';
import { compareOf } from '../../lib/report/compare.ts';
import type { TripFact } from '../../lib/report/facts.ts';
import { incidentsOf } from '../../lib/report/incidents.ts';
import { namesOf } from '../../lib/report/names.ts';
import { componentNumbers, pathNumbers } from '../../lib/report/paths.ts';
import { dayPeriod, spanOf } from '../../lib/report/period.ts';
import { runningOf } from '../../lib/report/slots.ts';
import { availabilityOf, spreadOf } from '../../lib/report/spread.ts';
import { gridOf, stretchesOf, stretchNumbers } from '../../lib/report/stretches.ts';
import { fatesOf, tally } from '../../lib/report/tally.ts';
import { hopNumbers, legNumbers, phaseNumbers } from '../../lib/report/timing.ts';
import { percentText, plural, spanText } from '../../lib/report/words.ts';
import { at, failedBy, tripFact } from './facts.ts';

const NONE = new Map();

test('spreadOf() takes percentiles by nearest rank', () => {
  // 20 values: the 50th is the 10th value, the 90th the 18th, the 95th the 19th, the 99th the 20th (19.8 rounded up).
  const twenty = Array.from({ length: 20 }, (_, i) => (20 - i) * 10);
  expect(spreadOf(twenty)).toEqual({ n: 20, p50: 100, p90: 180, p95: 190, p99: 200, worst: 200 });
  // 100 values: the p-th percentile is the p-th value.
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  expect(spreadOf(hundred)).toEqual({ n: 100, p50: 50, p90: 90, p95: 95, p99: 99, worst: 100 });
  // The six times of the seed's sample: the 3rd of 576 614 1715 1886 1914 2083, and the 6th from the 90th on.
  expect(spreadOf([2083, 576, 1715, 1886, 1914, 614])).toEqual({ n: 6, p50: 1715, p90: 2083, p95: 2083, p99: 2083, worst: 2083 });
  expect(spreadOf([7])).toEqual({ n: 1, p50: 7, p90: 7, p95: 7, p99: 7, worst: 7 });
  expect(spreadOf([])).toEqual({ n: 0, p50: null, p90: null, p95: null, p99: null, worst: null });
});

test('spreadOf() leaves its input as it was', () => {
  const values = [3, 1, 2];
  spreadOf(values);
  expect(values).toEqual([3, 1, 2]);
});

test.for([
  // Wilson's interval by hand, z = 1.96: for 10 of 10 the lower end is 10 / (10 + 3.8415).
  { good: 10, measured: 10, low: 0.7225, high: 1 },
  { good: 0, measured: 10, low: 0, high: 0.2775 },
  // 8 of 10: centre (0.8 + 0.19207) / 1.38415 = 0.71674, half 1.41599 · sqrt(0.016 + 0.0096036) = 0.22658.
  { good: 8, measured: 10, low: 0.4902, high: 0.9433 },
  // 287 of 288.
  { good: 287, measured: 288, low: 0.9806, high: 0.9994 },
])('availabilityOf() of $good of $measured has its interval', ({ good, measured, low, high }) => {
  const found = availabilityOf(good, measured);
  expect(found.low).toBeCloseTo(low, 4);
  expect(found.high).toBeCloseTo(high, 4);
  expect(found.isSmall).toBe(true);
});

test('availabilityOf() knows nothing of nothing', () => {
  expect(availabilityOf(0, 0)).toEqual({ measured: 0, good: 0, ratio: null, low: null, high: null, isSmall: true });
  expect(availabilityOf(300, 300).isSmall).toBe(false);
});

test('tally() counts each result once, and what became of messages beside it', () => {
  const lost = tripFact({ id: 'a', state: 'failed', outcome: 'lost' });
  const found = tripFact({ id: 'b', state: 'failed', outcome: 'lost' });
  const trips: TripFact[] = [
    tripFact({ totalMs: 100 }),
    tripFact({ totalMs: 300, found: ['duplicate'] }),
    tripFact({ state: 'slow', totalMs: 12_000 }),
    lost,
    found,
    tripFact({ state: 'failed', outcome: 'unsent' }),
    tripFact({ state: 'failed', outcome: 'unsent', isExcused: true }),
    tripFact({ state: 'failed', outcome: 'seen', found: ['altered'], totalMs: 200 }),
    tripFact({ state: 'unknown', outcome: 'unsent' }),
  ];
  const amend = { at: 0, path: lost.path, text: '' };
  const fates = fatesOf([
    { ...amend, trip: 'b', became: 'late', afterMs: 90_000 },
    { ...amend, trip: 'b', became: 'duplicate' },
    { ...amend, trip: 'somebody else', became: 'late' },
  ]);
  expect(tally(trips, fates)).toEqual({
    trips: 9,
    ok: 2,
    slow: 1,
    failed: 5,
    unknown: 1,
    excused: 1,
    lost: 1,
    late: 1,
    duplicate: 2,
    altered: 1,
    junked: 0,
    bounced: 0,
    unsure: 0,
    unsent: 2,
    // 2 + 1 good; 5 failed of which 1 was announced; the unknown one says nothing.
    availability: availabilityOf(3, 7),
    total: { n: 4, p50: 200, p90: 12_000, p95: 12_000, p99: 12_000, worst: 12_000 },
  });
});

test('pathNumbers() goes by the sequence, then by name, and shows each stretch', () => {
  const stretches = stretchesOf(dayPeriod('2026-11-21'));
  const walked = (account: string, hour: number, over: Partial<TripFact> = {}) =>
    tripFact({
      path: { account, mta: 'ssmtp01', mmp: 'smux01', mailbox: 'pop3' },
      startedAt: at(hour, 5),
      totalMs: hour * 100,
      ...over,
    });
  const paths = pathNumbers(
    [walked('zz', 1), walked('aa', 2), walked('ims2', 3), walked('ims1', 4), walked('ims1', 4, { totalMs: 950 })],
    {
      fates: NONE,
      sequence: [
        { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'pop3' },
        { account: 'ims2', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'pop3' },
      ],
      stretches,
    },
  );
  expect(paths.map(({ account, trips }) => `${account} ${trips}`)).toEqual(['ims1 2', 'ims2 1', 'aa 1', 'zz 1']);
  expect(paths[0]?.trend).toHaveLength(24);
  expect(paths[0]?.trend[4]).toEqual({ at: at(4, 0), worst: 950, state: 'ok' });
  expect(paths[0]?.trend[5]).toEqual({ at: at(5, 0), worst: null, state: 'none' });
});

test('componentNumbers() counts trips over a component apart from the blame for them', () => {
  const components = componentNumbers(
    [
      tripFact(),
      failedBy('mmp/smux01'),
      failedBy('directory/ldap1', { path: { account: 'ims2', mta: 'ssmtp01', mmp: 'direct', mailbox: 'imap' } }),
    ],
    NONE,
    { ...namesOf(undefined), home: name => `store/${name}` },
  );
  expect(components.map(({ component, trips, failed, sure }) => [component, trips, failed, sure])).toEqual([
    ['mta/ssmtp01', 3, 2, 0],
    ['mmp/smux01', 2, 1, 1],
    ['store/ims1', 2, 1, 0],
    ['store/ims2', 1, 1, 0],
    ['directory/ldap1', 0, 0, 1],
  ]);
});

test('an incident lasts until every path that it touched has been seen good', () => {
  const pop3 = { account: 'ims1', mta: 'ssmtp01', mmp: 'smux02', mailbox: 'pop3' } as const;
  const other = { ...pop3, account: 'ims2' };
  const [incident, ...more] = incidentsOf([
    tripFact({ path: pop3, startedAt: at(1, 0) }),
    failedBy('mmp/smux02', { path: pop3, startedAt: at(2, 0) }),
    failedBy('mmp/smux02', { path: other, startedAt: at(2, 5) }),
    tripFact({ path: pop3, startedAt: at(3, 0) }),
    // Not measured is not seen good.
    tripFact({ path: other, startedAt: at(3, 5), state: 'unknown', suspects: [] }),
    tripFact({ path: other, startedAt: at(4, 5) }),
  ]);
  expect(incident).toEqual({
    from: at(2, 0),
    lastAt: at(2, 5),
    to: at(4, 5),
    state: 'failed',
    component: 'mmp/smux02',
    protocol: 'pop3',
    phase: 'auth',
    kind: 'rejected',
    confidence: 'sure',
    others: [],
    text: 'mmp/smux02 pop3 auth: refused',
    results: 2,
    times: 0,
    paths: ['ims1 via ssmtp01, smux02 pop3', 'ims2 via ssmtp01, smux02 pop3'],
    touched: 'accounts ims1, ims2; MTA ssmtp01; MMP smux02; pop3',
  });
  expect(more.map(({ component, from, to }) => [component, from, to])).toEqual([['monitor', at(3, 5), at(4, 5)]]);
  expect(more[0]?.touched).toBe('ims2 via ssmtp01, smux02 pop3');
});

test('what an incident touched is told in few words, however many paths it were', () => {
  const trips = Array.from({ length: 24 }, (_, n) =>
    failedBy('directory/ldap1', {
      startedAt: at(1, n),
      path: { account: `ims${10 + (n % 12)}`, mta: `ssmtp${n % 2}`, mmp: 'smux01', mailbox: n < 12 ? 'pop3' : 'imap' },
    }),
  );
  const [incident, ...more] = incidentsOf(trips);
  expect(more).toEqual([]);
  expect(incident?.paths).toHaveLength(24);
  expect(incident?.touched).toBe(
    'accounts ims10, ims11, ims12, ims13, ims14, ims15, ims16, ims17 and 4 more; MTAs ssmtp0, ssmtp1; MMP smux01; pop3 and imap',
  );
});

test('an incident that comes back within half an hour is the same one, later it is another', () => {
  const bad = (hours: number, minutes: number) => failedBy('mta/ssmtp01', { startedAt: at(hours, minutes) });
  const good = (hours: number, minutes: number) => tripFact({ startedAt: at(hours, minutes) });
  const incidents = incidentsOf([bad(1, 0), good(1, 5), bad(1, 10), good(1, 15), bad(1, 46), good(2, 0), bad(5, 0)]);
  expect(incidents.map(({ from, to, results, times }) => ({ from, to, results, times }))).toEqual([
    { from: at(1, 0), to: at(1, 15), results: 2, times: 1 },
    { from: at(1, 46), to: at(2, 0), results: 1, times: 0 },
    { from: at(5, 0), to: null, results: 1, times: 0 },
  ]);
});

test('a path that fails by another cause is over the first one', () => {
  const incidents = incidentsOf([
    failedBy('mta/ssmtp01', { startedAt: at(1, 0) }),
    failedBy('mmp/smux01', { startedAt: at(1, 5) }),
    tripFact({ startedAt: at(1, 10) }),
  ]);
  expect(incidents.map(({ component, from, to }) => [component, from, to])).toEqual([
    ['mta/ssmtp01', at(1, 0), at(1, 5)],
    ['mmp/smux01', at(1, 5), at(1, 10)],
  ]);
});

test('runningOf() tells missing starts from starts that came late', () => {
  const minutes = new Set([0, 15, 30, 45]);
  const started = [at(0, 0, 3), at(0, 15, 4), at(1, 14, 59), at(1, 15, 3), at(1, 30, 2)].map(startedAt =>
    tripFact({ startedAt }),
  );
  // 00:30 and 00:45 are missing; the start of 01:00 was late but came before 01:15.
  expect(runningOf(started, minutes, { from: at(0, 0), until: at(1, 45, 40) })).toEqual({
    due: 8,
    missed: 2,
    minutes: 30,
    gaps: [{ from: at(0, 30), until: at(1, 0), starts: 2 }],
  });
  expect(runningOf(started, minutes, { from: at(0, 0), until: at(1, 47) })).toMatchObject({ missed: 3, minutes: 32 });
});

test('runningOf() does not take a person’s own trip for a start', () => {
  const mine = tripFact({ startedAt: at(0, 0, 3), isScheduled: false });
  expect(runningOf([mine], new Set([0]), { from: at(0, 0), until: at(1, 0) })).toMatchObject({ due: 1, missed: 1, minutes: 60 });
  expect(runningOf([], new Set(), { from: at(0, 0), until: at(1, 0) })).toEqual({ due: 0, missed: 0, minutes: 0, gaps: [] });
});

test('stretchNumbers() counts each trip in its hour', () => {
  const hours = stretchNumbers(
    [
      tripFact({ startedAt: at(0, 0), totalMs: 5 }),
      tripFact({ startedAt: at(0, 59, 59), totalMs: 9 }),
      failedBy('mta/ssmtp01', { startedAt: at(1, 0) }),
    ],
    stretchesOf(dayPeriod('2026-11-21')),
  );
  expect(hours).toHaveLength(24);
  expect(hours[0]).toEqual({
    at: at(0, 0),
    until: at(1, 0),
    label: '00',
    trips: 2,
    ok: 2,
    slow: 0,
    failed: 0,
    unknown: 0,
    p50: 5,
    worst: 9,
    state: 'ok',
  });
  expect(hours[1]).toMatchObject({ failed: 1, state: 'failed', worst: null });
  expect(hours[2]).toMatchObject({ trips: 0, state: 'none' });
});

test('stretchesOf() cuts a month into days and a year into months', () => {
  expect(stretchesOf({ kind: 'month', from: '2026-11-01', to: '2026-11-30' })).toHaveLength(30);
  expect(stretchesOf({ kind: 'range', from: '2026-01-15', to: '2026-12-31' }).map(({ label }) => label)).toEqual(
    Array.from({ length: 12 }, (_, month) => `2026-${String(month + 1).padStart(2, '0')}`),
  );
  expect(stretchesOf({ kind: 'range', from: '2026-01-15', to: '2026-12-31' })[0]?.at).toBe(
    spanOf(dayPeriod('2026-01-15')).startAt,
  );
});

test('gridOf() has a cell for every pair, cold like the fastest and hot at four times its time', () => {
  const over = (mta: string, mmp: string, totalMs: number) =>
    tripFact({ path: { account: 'ims1', mta, mmp, mailbox: 'pop3' }, totalMs });
  const { mmps, rows } = gridOf([
    over('b', 'x', 100),
    over('b', 'y', 200),
    over('a', 'y', 800),
    failedBy('mta/a', { path: { account: 'i', mta: 'a', mmp: 'y', mailbox: 'pop3' } }),
  ]);
  expect(mmps).toEqual(['x', 'y']);
  expect(rows).toEqual([
    {
      mta: 'a',
      cells: [
        { mmp: 'x', trips: 0, bad: 0, ratio: null, p50: null, heat: null, state: 'none' },
        { mmp: 'y', trips: 2, bad: 1, ratio: 0.5, p50: 800, heat: 1, state: 'failed' },
      ],
    },
    {
      mta: 'b',
      cells: [
        { mmp: 'x', trips: 1, bad: 0, ratio: 1, p50: 100, heat: 0, state: 'ok' },
        { mmp: 'y', trips: 1, bad: 0, ratio: 1, p50: 200, heat: 0.5, state: 'ok' },
      ],
    },
  ]);
});

test('legNumbers() shares the time out, phaseNumbers() has the slowest first', () => {
  const names = [
    { component: 'mmp/smux01', protocol: 'pop3', phase: 'auth' },
    { component: 'mta/ssmtp01', protocol: 'smtp', phase: 'banner' },
    { component: 'mta/ssmtp01', protocol: 'smtp', phase: 'rare' },
  ];
  const trips = [1, 2, 3, 4, 5].map(n =>
    tripFact({
      legs: { open: 30, submit: 10, ...(n === 1 ? { transit: 300 } : {}) },
      phases: [0, n, 1, n * 10, ...(n === 1 ? [2, 999] : [])],
    }),
  );
  const legs = legNumbers(trips);
  // 5 · 30 + 5 · 10 + 300 = 500.
  expect(legs.map(({ name, n, share }) => [name, n, share])).toEqual([
    ['open', 5, 0.3],
    ['submit', 5, 0.1],
    ['transit', 1, 0.6],
    ['fetch', 0, 0],
    ['sweep', 0, 0],
  ]);
  expect(phaseNumbers(trips, names).map(({ phase, p50, p95 }) => [phase, p50, p95])).toEqual([
    ['banner', 30, 50],
    ['auth', 3, 5],
  ]);
  expect(legNumbers([tripFact()])).toEqual([]);
});

test('hopNumbers() leaves the delays of a clock that is off out', () => {
  const trips = [
    tripFact({
      hops: [
        { by: 'a', delayMs: 1000 },
        { by: 'b', skewMs: -5000 },
      ],
    }),
    tripFact({
      hops: [
        { by: 'a', delayMs: 3000 },
        { by: 'b', skewMs: 4000 },
        { by: 'b', delayMs: 2000 },
      ],
    }),
  ];
  expect(hopNumbers(trips).map(({ by, n, worst, skewed, skewMs }) => [by, n, worst, skewed, skewMs])).toEqual([
    ['b', 1, 2000, 2, -5000],
    ['a', 2, 3000, 0, null],
  ]);
});

test('compareOf() takes medians of the same weekday, and leaves days without trips out', () => {
  const days: Record<string, number[]> = {
    '2026-11-20': [100, 200],
    '2026-11-14': [10],
    '2026-11-07': [30],
    '2026-10-31': [],
    '2026-10-24': [20],
  };
  const asked: string[] = [];
  const { before, usual } = compareOf(dayPeriod('2026-11-21'), ({ from }) => {
    asked.push(from);
    return { trips: (days[from] ?? []).map(totalMs => tripFact({ totalMs })), amends: [] };
  });
  expect(asked).toEqual(['2026-11-20', '2026-11-14', '2026-11-07', '2026-10-31', '2026-10-24']);
  expect(before).toEqual({ label: 'the day before', days: 1, trips: 2, failed: 0, ratio: 1, p50: 100, p95: 200 });
  expect(usual).toEqual({ label: 'the last Saturdays', days: 3, trips: 1, failed: 0, ratio: 1, p50: 20, p95: 20 });
  expect(compareOf({ kind: 'range', from: '2026-11-20', to: '2026-11-21' }, () => ({ trips: [], amends: [] }))).toEqual({
    before: null,
    usual: null,
  });
});

test('figures are said in few digits, and nothing is rounded up to perfect', () => {
  expect(
    [0, 9.94, 9.96, 576, 999.4, 999.6, 2083, 13_393, 61_300, 245_000, 3_600_000, 12_000_000, 190_000_000].map(spanText),
  ).toEqual([
    '0.0 ms',
    '9.9 ms',
    '10 ms',
    '576 ms',
    '999 ms',
    '1.00 s',
    '2.08 s',
    '13.4 s',
    '61.3 s',
    '4 min',
    '1 h',
    '3 h 20 min',
    '2 d 4 h',
  ]);
  expect([1, 0.99999, 0.9931, 0.00001, 0].map(ratio => percentText(ratio))).toEqual([
    '100 %',
    '99.99 %',
    '99.31 %',
    '0.01 %',
    '0.00 %',
  ]);
  expect([plural(1, 'trip'), plural(2, 'entry'), plural(0, 'day')]).toEqual(['1 trip', '2 entries', '0 days']);
});
