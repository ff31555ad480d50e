// Days, weeks and months, in the zones that make them hard.

import { afterEach, expect, test } from 'vitest';
import {
  clockChange,
  dayAfter,
  dayPeriod,
  daysOf,
  isDay,
  lastOver,
  monthPeriod,
  periodId,
  reportedDay,
  spanOf,
  startOf,
  titleOf,
  weekPeriod,
} from '../../lib/report/period.ts';
import { stretchesOf } from '../../lib/report/stretches.ts';

const ZONE = process.env.TZ;
afterEach(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

test('isDay() knows the calendar', () => {
  expect(['2026-11-21', '2028-02-29', '2026-02-29', '2026-13-01', '2026-1-1', 'today', '2026-04-31'].map(isDay)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

test('dayAfter() goes over ends of months and years', () => {
  expect([dayAfter('2026-12-31', 1), dayAfter('2028-02-28', 1), dayAfter('2026-03-01', -1)]).toEqual([
    '2027-01-01',
    '2028-02-29',
    '2026-02-28',
  ]);
});

test.for([
  { zone: 'Europe/Berlin', day: '2026-03-29', hours: 23, change: '23 hours: the clocks went forward' },
  { zone: 'Europe/Berlin', day: '2026-10-25', hours: 25, change: '25 hours: the clocks went back' },
  { zone: 'Europe/Berlin', day: '2026-11-21', hours: 24, change: undefined },
  { zone: 'America/New_York', day: '2026-11-01', hours: 25, change: '25 hours: the clocks went back' },
  { zone: 'Australia/Lord_Howe', day: '2026-10-04', hours: 23.5, change: '30 minutes less than usual: the clocks went forward' },
  { zone: 'UTC', day: '2026-03-29', hours: 24, change: undefined },
  // The clocks skip midnight itself.
  { zone: 'Africa/Cairo', day: '2026-04-24', hours: 23, change: '23 hours: the clocks went forward' },
])('$day in $zone has $hours hours', ({ zone, day, hours, change }) => {
  process.env.TZ = zone;
  const { startAt, endAt } = spanOf(dayPeriod(day));
  expect((endAt - startAt) / 3_600_000).toBe(hours);
  expect(clockChange(dayPeriod(day))).toBe(change);
  expect(stretchesOf(dayPeriod(day))).toHaveLength(Math.ceil(hours));
});

test('a week with a clock change says so', () => {
  process.env.TZ = 'Europe/Berlin';
  expect(clockChange(weekPeriod('2026-10-25'))).toBe('an hour more than usual: the clocks went back');
});

test.for([
  { now: '2026-11-22T00:04:00', day: '2026-11-21' },
  { now: '2026-11-21T23:59:00', day: '2026-11-21' },
  { now: '2026-11-21T23:29:59', day: '2026-11-20' },
  { now: '2026-11-21T23:30:00', day: '2026-11-21' },
  { now: '2026-11-21T14:00:00', day: '2026-11-20' },
  { now: '2027-01-01T00:04:00', day: '2026-12-31' },
  // The last half hour of a day that began an hour late, and the first minutes after it.
  { now: '2026-03-29T23:59:00', day: '2026-03-29' },
  { now: '2026-03-30T00:04:00', day: '2026-03-29' },
])('reportedDay() at $now is $day', ({ now, day }) => {
  process.env.TZ = 'Europe/Berlin';
  expect(reportedDay(new Date(now).getTime())).toBe(day);
});

test('startOf() is local midnight, also in the first century', () => {
  process.env.TZ = 'UTC';
  expect(startOf('2026-11-21')).toBe(Date.UTC(2026, 10, 21));
  expect(new Date(startOf('0099-01-01')).getUTCFullYear()).toBe(99);
});

test('weeks begin on Monday, months have their own length', () => {
  expect(weekPeriod('2026-11-22')).toEqual({ kind: 'week', from: '2026-11-16', to: '2026-11-22' });
  expect(weekPeriod('2026-11-16').from).toBe('2026-11-16');
  expect(monthPeriod('2028-02-10')).toEqual({ kind: 'month', from: '2028-02-01', to: '2028-02-29' });
  expect(daysOf(monthPeriod('2026-12-31'))).toHaveLength(31);
});

test('lastOver() is a period that has ended', () => {
  expect(lastOver(weekPeriod, '2026-11-22').to).toBe('2026-11-22');
  expect(lastOver(weekPeriod, '2026-11-21').to).toBe('2026-11-15');
  expect(lastOver(monthPeriod, '2026-11-30').to).toBe('2026-11-30');
  expect(lastOver(monthPeriod, '2026-11-29').to).toBe('2026-10-31');
});

test('periods have titles and names', () => {
  const range = { kind: 'range', from: '2026-11-03', to: '2026-12-09' } as const;
  expect([dayPeriod('2026-11-21'), weekPeriod('2026-11-21'), monthPeriod('2026-11-21'), range].map(titleOf)).toEqual([
    'Saturday 21 November 2026',
    'Week 47 of 2026, 16 to 22 November 2026',
    'November 2026',
    '3 November to 9 December 2026',
  ]);
  expect(titleOf({ kind: 'range', from: '2026-12-30', to: '2027-01-02' })).toBe('30 December 2026 to 2 January 2027');
  expect([dayPeriod('2026-11-21'), weekPeriod('2027-01-01'), monthPeriod('2026-11-21'), range].map(periodId)).toEqual([
    '2026-11-21',
    '2026-W53',
    '2026-11',
    '2026-11-03_2026-12-09',
  ]);
});
