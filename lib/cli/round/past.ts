// What the journal says of the last hours, for those who weigh: when messages usually come, what phases usually take, what other paths
// did. Read once per round.

import type { Sibling, UsualPhase } from '../../model/evidence.ts';
import type { TripRecord } from '../../model/record.ts';
import { type Path, pathKey } from '../../model/trip.ts';
import { readJournalTail } from '../../record/journal.ts';
import { type Usual, usualOf } from '../../trip/pace.ts';

/** Enough of the journal for what some hundred trips took. */
const TAIL_BYTES = 1024 * 1024;
/** Trips of one path that count as its usual. */
const TRIPS_FOR_USUAL = 40;
const FEWEST = 5;
const SIBLING_MS = 3_600_000;
const MOST_SIBLINGS = 24;

export class Past {
  readonly #trips: TripRecord[];

  constructor(trips: readonly TripRecord[]) {
    this.#trips = [...trips];
  }

  static read(state: string): Past {
    return new Past(readJournalTail(state, TAIL_BYTES).records.filter(record => record.type === 'trip'));
  }

  /** A trip of this very round. */
  add(record: TripRecord): void {
    this.#trips.push(record);
  }

  /** When messages usually arrive on a path, after acceptance. */
  arrivals(path: Path): Usual | undefined {
    const seen = this.#of(path).flatMap(({ trip }) => {
      const transit = trip.legs.find(leg => leg.name === 'transit');
      return trip.arrival.outcome === 'seen' && transit !== undefined ? [Math.max(0, trip.arrival.byMs - transit.beganMs)] : [];
    });
    return usualOf(seen.slice(-TRIPS_FOR_USUAL));
  }

  /** What each phase of each leg usually takes on a path, from trips that went well. */
  phases(path: Path): readonly UsualPhase[] {
    const times = new Map<string, { leg: string; phase: UsualPhase['phase']; took: number[] }>();
    const note = (leg: string, phase: UsualPhase['phase'], took: number) => {
      const key = `${leg} ${phase}`;
      const known = times.get(key) ?? { leg, phase, took: [] };
      known.took.push(took);
      times.set(key, known);
    };
    for (const { trip, verdict } of this.#of(path).slice(-TRIPS_FOR_USUAL)) {
      if (verdict.state !== 'ok') continue;
      for (const leg of trip.legs) {
        note(leg.name, 'total', leg.tookMs);
        for (const phase of leg.dialogs[0]?.phases ?? []) note(leg.name, phase.name, phase.tookMs);
      }
    }
    return [...times.values()].flatMap(({ leg, phase, took }) => {
      if (took.length < FEWEST) return [];
      const sorted = took.sort((a, b) => a - b);
      const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
      return [{ leg, phase, p50Ms: at(0.5), p90Ms: at(0.9), n: took.length }];
    });
  }

  /** The last result of every other path that shares a component with this one, newest first. */
  siblings(path: Path, at: number): readonly Sibling[] {
    const newest = new Map<string, TripRecord>();
    for (const record of this.#trips) {
      const other = record.trip.path;
      const shares = other.account === path.account || other.mta === path.mta || other.mmp === path.mmp;
      if (shares && pathKey(other) !== pathKey(path) && at - record.trip.startedAt < SIBLING_MS)
        newest.set(pathKey(other), record);
    }
    return [...newest.values()]
      .sort((a, b) => b.at - a.at)
      .slice(0, MOST_SIBLINGS)
      .map(record => siblingOf(record, false));
  }

  #of(path: Path): readonly TripRecord[] {
    const key = pathKey(path);
    return this.#trips.filter(({ trip }) => pathKey(trip.path) === key);
  }
}

/** @param forThis whether it was walked to tell suspects apart */
export function siblingOf({ trip, verdict, at }: Pick<TripRecord, 'trip' | 'verdict' | 'at'>, forThis: boolean): Sibling {
  return {
    path: trip.path,
    state: verdict.state,
    at,
    forThis,
    outcome: trip.arrival.outcome,
    ...(trip.fault === undefined ? {} : { fault: { component: trip.fault.component, phase: trip.fault.phase } }),
    findings: trip.findings.map(({ what }) => what),
  };
}
