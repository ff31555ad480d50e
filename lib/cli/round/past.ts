// What the journal says of the last hours, for those who weigh: when messages usually come, what phases usually take, what other paths
// did. Read once per round; half of a short run would go into reading what only a failure needs.

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
  readonly #state: string;
  readonly #trips: TripRecord[];
  /** The path whose trips alone have been read; undefined when all have. */
  #only: Path | undefined;

  private constructor(state: string, only: Path | undefined) {
    this.#state = state;
    this.#only = only;
    this.#trips = tripsOf(state, only);
  }

  /** Ready for a round over these paths. Before a trip over one path alone, the trips of others wait until they are asked for. */
  static read(state: string, paths: readonly Path[]): Past {
    return new Past(state, paths.length === 1 ? paths[0] : undefined);
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
    for (const record of this.#all()) {
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
    const isRead = this.#only === undefined || pathKey(this.#only) === key;
    return (isRead ? this.#trips : this.#all()).filter(({ trip }) => pathKey(trip.path) === key);
  }

  #all(): readonly TripRecord[] {
    if (this.#only !== undefined) {
      const known = new Set(this.#trips.map(({ trip }) => trip.id));
      this.#trips.unshift(...tripsOf(this.#state, undefined).filter(({ trip }) => !known.has(trip.id)));
      this.#only = undefined;
    }
    return this.#trips;
  }
}

function tripsOf(state: string, only: Path | undefined): TripRecord[] {
  const words = only === undefined ? [] : [only.account, only.mta, only.mmp, only.mailbox].map(word => JSON.stringify(word));
  return readJournalTail(state, TAIL_BYTES, words).records.filter(record => record.type === 'trip');
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
