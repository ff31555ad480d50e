// Counting trips: how many ended how, and how long they took. Pure.

import type { AmendFact, TripFact } from './facts.ts';
import { type Availability, availabilityOf, type Spread, spreadOf } from './spread.ts';

export interface Tally {
  readonly trips: number;
  readonly ok: number;
  readonly slow: number;
  readonly failed: number;
  readonly unknown: number;
  readonly excused: number;
  readonly lost: number;
  readonly late: number;
  readonly duplicate: number;
  readonly altered: number;
  readonly junked: number;
  readonly bounced: number;
  readonly unsure: number;
  readonly unsent: number;
  readonly availability: Availability;
  readonly total: Spread;
}

/** What became of messages after their trip had been judged, by the trip's id. */
export type Fates = ReadonlyMap<string, ReadonlySet<AmendFact['became']>>;

export function fatesOf(amends: readonly AmendFact[]): Fates {
  const fates = new Map<string, Set<AmendFact['became']>>();
  for (const { trip, became } of amends) fates.set(trip, (fates.get(trip) ?? new Set()).add(became));
  return fates;
}

/**
 * Counts trips. `lost`, `late` and the like stand beside the four results, not among them: a trip that was lost is also a failed one.
 * A trip whose message turned up afterwards is late, or junked, and no longer lost.
 *
 * Availability is of what was measured and not announced: unknown results say nothing about mail, and a failure of what is in planned
 * maintenance is no surprise.
 */
export function tally(trips: readonly TripFact[], fates: Fates): Tally {
  const counts = {
    trips: trips.length,
    ok: 0,
    slow: 0,
    failed: 0,
    unknown: 0,
    excused: 0,
    lost: 0,
    late: 0,
    duplicate: 0,
    altered: 0,
    junked: 0,
    bounced: 0,
    unsure: 0,
    unsent: 0,
  };
  const totals: number[] = [];
  for (const trip of trips) {
    counts[trip.state] += 1;
    if (trip.isExcused && trip.state === 'failed') counts.excused += 1;
    const fate = endOf(trip, fates);
    if (fate !== undefined) counts[fate] += 1;
    if (trip.found.includes('altered')) counts.altered += 1;
    if (trip.found.includes('duplicate') || fates.get(trip.id)?.has('duplicate') === true) counts.duplicate += 1;
    if (trip.totalMs !== undefined) totals.push(trip.totalMs);
  }
  const good = counts.ok + counts.slow;
  return { ...counts, availability: availabilityOf(good, good + counts.failed - counts.excused), total: spreadOf(totals) };
}

type End = 'lost' | 'late' | 'junked' | 'bounced' | 'unsure' | 'unsent';

/** What became of a message that was not simply seen in time. */
function endOf(trip: TripFact, fates: Fates): End | undefined {
  const fate = fates.get(trip.id);
  if (trip.isLate || fate?.has('late') === true) return 'late';
  switch (trip.outcome) {
    case 'lost':
    case 'unsure':
      if (fate?.has('junked') === true) return 'junked';
      return fate?.has('bounced') === true ? 'bounced' : trip.outcome;
    case 'junked':
    case 'bounced':
      return trip.outcome;
    case 'unsent':
      // A trip that could not begin has sent nothing either, and that is not the MTA's doing.
      return trip.state === 'failed' ? 'unsent' : undefined;
    default:
      return undefined;
  }
}

/** The worst of some results; `none` of none. */
export function worstOf(trips: readonly Pick<TripFact, 'state'>[]): TripFact['state'] | 'none' {
  for (const state of ['failed', 'unknown', 'slow', 'ok'] as const) if (trips.some(trip => trip.state === state)) return state;
  return 'none';
}

/** Groups in the order in which they are first met. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
