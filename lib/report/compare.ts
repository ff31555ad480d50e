// The period beside earlier ones: the one before, and for a day the usual of its weekday. Pure but for what reads the records, which is
// an argument.

import type { Report } from './data.ts';
import type { Records, TripFact } from './facts.ts';
import { dayAfter, dayPeriod, monthPeriod, type Period, weekdayName, weekPeriod } from './period.ts';
import { medianOf } from './spread.ts';
import { fatesOf, tally } from './tally.ts';

type Brief = NonNullable<Report['compare']['before']>;

/** So many earlier days of the same weekday make what is usual. */
const WEEKS = 4;

export function compareOf(period: Period, read: (period: Period) => Pick<Records, 'trips' | 'amends'>): Report['compare'] {
  const before = periodBefore(period);
  const numbers = (each: Period) => {
    const { trips, amends } = read(each);
    return figures(trips, amends);
  };
  return {
    before: before === undefined ? null : briefOf(beforeLabel(period), [numbers(before)]),
    usual:
      period.kind === 'day'
        ? briefOf(
            `the last ${weekdayName(period.from)}s`,
            Array.from({ length: WEEKS }, (_, week) => numbers(dayPeriod(dayAfter(period.from, -7 * (week + 1))))),
          )
        : null,
  };
}

/** Undefined for a range of days, which has no natural one before it. */
function periodBefore({ kind, from }: Period): Period | undefined {
  switch (kind) {
    case 'day':
      return dayPeriod(dayAfter(from, -1));
    case 'week':
      return weekPeriod(dayAfter(from, -1));
    case 'month':
      return monthPeriod(dayAfter(from, -1));
    case 'range':
      return undefined;
    default:
      return kind satisfies never;
  }
}

function beforeLabel({ kind }: Period): string {
  return kind === 'day' ? 'the day before' : kind === 'week' ? 'the week before' : 'the month before';
}

type Figures = Pick<Brief, 'trips' | 'failed' | 'ratio' | 'p50' | 'p95'>;

function figures(trips: readonly TripFact[], amends: Records['amends']): Figures {
  const { failed, availability, total } = tally(trips, fatesOf(amends));
  return { trips: trips.length, failed, ratio: availability.ratio, p50: total.p50, p95: total.p95 };
}

/** Medians over the periods that had any trips; null when none had. */
function briefOf(label: string, all: readonly Figures[]): Brief | null {
  const some = all.filter(({ trips }) => trips > 0);
  if (some.length === 0) return null;
  const median = (pick: (each: Figures) => number | null) => medianOf(some.flatMap(each => pick(each) ?? []));
  return {
    label,
    days: some.length,
    trips: median(({ trips }) => trips) ?? 0,
    failed: median(({ failed }) => failed) ?? 0,
    ratio: median(({ ratio }) => ratio),
    p50: median(({ p50 }) => p50),
    p95: median(({ p95 }) => p95),
  };
}
