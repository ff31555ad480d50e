// Where the time goes: legs, the slowest phases, hops. Pure.

import { LEGS, type LegName } from '../model/trip.ts';
import type { Report } from './data.ts';
import type { PhaseName, TripFact } from './facts.ts';
import { spreadOf } from './spread.ts';

const ABOUT: Readonly<Record<LegName, string>> = {
  open: 'open the mailbox',
  submit: 'hand the message to the MTA',
  transit: 'wait until it is in the mailbox',
  fetch: 'read it back',
  sweep: 'remove it',
};
const MOST_PHASES = 10;
const MOST_HOPS = 20;
/** A phase that was seen less often has no 95th percentile to speak of. */
const FEW = 5;

/** Legs that did what they should; their shares are of all the time that such legs took. Empty without any. */
export function legNumbers(trips: readonly TripFact[]): Report['legs'] {
  const times = LEGS.map(name => ({ name, values: trips.flatMap(({ legs }) => legs[name] ?? []) }));
  const sums = times.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const all = sums.reduce((sum, value) => sum + value, 0);
  if (times.every(({ values }) => values.length === 0)) return [];
  return times.map(({ name, values }, index) => ({
    name,
    about: ABOUT[name],
    share: all > 0 ? (sums[index] ?? 0) / all : null,
    ...spreadOf(values),
  }));
}

export function phaseNumbers(trips: readonly TripFact[], names: readonly PhaseName[]): Report['phases'] {
  const times = names.map((): number[] => []);
  for (const { phases } of trips) {
    for (let i = 0; i + 1 < phases.length; i += 2) times[phases[i] ?? -1]?.push(phases[i + 1] ?? 0);
  }
  return names
    .map((name, index) => ({ ...name, ...spreadOf(times[index] ?? []) }))
    .filter(({ n }) => n >= FEW)
    .sort((a, b) => (b.p95 ?? 0) - (a.p95 ?? 0))
    .slice(0, MOST_PHASES);
}

/** By the host that wrote the stamp, those with most stamps first. Where its clock is off, its delays are not counted. */
export function hopNumbers(trips: readonly TripFact[]): Report['hops'] {
  const hosts = new Map<string, { delays: number[]; skewed: number; skewMs: number | null; seen: number }>();
  for (const { hops } of trips) {
    for (const { by, delayMs, skewMs } of hops) {
      const host = hosts.get(by) ?? { delays: [], skewed: 0, skewMs: null, seen: 0 };
      hosts.set(by, host);
      host.seen += 1;
      if (skewMs !== undefined) {
        host.skewed += 1;
        if (host.skewMs === null || Math.abs(skewMs) > Math.abs(host.skewMs)) host.skewMs = skewMs;
      } else if (delayMs !== undefined) host.delays.push(delayMs);
    }
  }
  return [...hosts]
    .sort(([, a], [, b]) => b.seen - a.seen)
    .slice(0, MOST_HOPS)
    .map(([by, { delays, skewed, skewMs }]) => ({ by, ...spreadOf(delays), skewed, skewMs }));
}
