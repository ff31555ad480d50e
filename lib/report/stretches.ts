// The period cut into stretches, for pictures and trends, and the grid of MTAs and MMPs. Pure.

import { localTime } from '../record/day.ts';
import type { Report } from './data.ts';
import type { TripFact } from './facts.ts';
import { daysOf, type Period, spanOf, startOf } from './period.ts';
import { medianOf } from './spread.ts';
import { groupBy, worstOf } from './tally.ts';

export interface Stretch {
  readonly at: number;
  readonly until: number;
  readonly label: string;
}

const HOUR = 3_600_000;
/** Longer periods are cut into months. */
const MOST_DAYS = 62;

/** Hours of a day (23, 24 or 25 of them), days of up to two months, else months. */
export function stretchesOf(period: Period): Stretch[] {
  const { startAt, endAt } = spanOf(period);
  const days = daysOf(period);
  const starts =
    period.from === period.to
      ? Array.from({ length: Math.ceil((endAt - startAt) / HOUR) }, (_, hour) => startAt + hour * HOUR).map(at => ({
          at,
          label: localTime(at).slice(0, 2),
        }))
      : days.length <= MOST_DAYS
        ? days.map(day => ({ at: startOf(day), label: day.slice(8) }))
        : [...new Set(days.map(day => day.slice(0, 7)))].map((month, index) => ({
            at: index === 0 ? startAt : startOf(`${month}-01`),
            label: month,
          }));
  return starts.map(({ at, label }, index) => ({ at, until: starts[index + 1]?.at ?? endAt, label }));
}

/** Which stretch an instant lies in; -1 before the first one. */
export function stretchIndex(stretches: readonly Stretch[], at: number): number {
  let low = 0;
  let high = stretches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stretches[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What happened in each of them. */
export function stretchNumbers(trips: readonly TripFact[], stretches: readonly Stretch[]): Report['stretches'] {
  const parts = stretches.map((): TripFact[] => []);
  for (const trip of trips) parts[stretchIndex(stretches, trip.startedAt)]?.push(trip);
  return stretches.map((stretch, index) => {
    const part = parts[index] ?? [];
    const totals = part.flatMap(({ totalMs }) => totalMs ?? []);
    const count = (state: TripFact['state']) => part.filter(trip => trip.state === state).length;
    return {
      ...stretch,
      trips: part.length,
      ok: count('ok'),
      slow: count('slow'),
      failed: count('failed'),
      unknown: count('unknown'),
      p50: medianOf(totals),
      worst: totals.length === 0 ? null : totals.reduce((a, b) => Math.max(a, b)),
      state: worstOf(part),
    };
  });
}

/** MTAs down, MMPs across; names in order. */
export function gridOf(trips: readonly TripFact[]): Report['grid'] {
  const mtas = [...new Set(trips.map(({ path }) => path.mta))].sort();
  const mmps = [...new Set(trips.map(({ path }) => path.mmp))].sort();
  const groups = groupBy(trips, ({ path }) => JSON.stringify([path.mta, path.mmp]));
  const medians = new Map(
    [...groups].map(([key, group]) => [key, medianOf(group.flatMap(({ totalMs }) => totalMs ?? []))] as const),
  );
  const fastest = [...medians.values()].reduce((least: number, p50) => Math.min(least, p50 ?? least), Number.POSITIVE_INFINITY);
  const rows = mtas.map(mta => ({
    mta,
    cells: mmps.map(mmp => {
      const key = JSON.stringify([mta, mmp]);
      const group = groups.get(key) ?? [];
      const p50 = medians.get(key) ?? null;
      const bad = group.filter(({ state }) => state === 'failed').length;
      const measured = group.filter(({ state }) => state !== 'unknown').length;
      return {
        mmp,
        trips: group.length,
        bad,
        ratio: measured === 0 ? null : (measured - bad) / measured,
        p50,
        heat: p50 === null ? null : heatOf(p50, fastest),
        state: worstOf(group),
      };
    }),
  }));
  return { mmps, rows };
}

/** By doublings, since a difference of a tenth is none that anybody should see: two of them, four times the time, are the hottest. */
function heatOf(p50: number, fastest: number): number {
  return fastest <= 0 ? 0 : Math.min(1, Math.max(0, Math.log2(p50 / fastest) / 2));
}
