// One look with more patience. Where a door said nothing within a knock's eight seconds, 35 seconds may tell a frozen process from one
// that waits for a filter or a name server. It comes after the alarm has gone out, asks no password, and amends the verdict.

import type { Lookup, Terms } from '../dialog/line.ts';
import type { Dialog, PhaseName } from '../model/dialog.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Longer } from '../model/evidence.ts';
import type { TripRecord } from '../model/record.ts';
import type { Route, Site } from '../model/site.ts';
import type { Isolated } from './isolate.ts';
import { greetAny } from './knock.ts';
import { weigh } from './weigh.ts';

export const LONGER_MS = 35_000;

const SILENT: ReadonlySet<PhaseName> = new Set(['banner', 'ehlo', 'capability']);

export interface LongerTools {
  readonly signal: AbortSignal;
  readonly lookup?: Lookup;
  /** LONGER_MS when absent. */
  readonly withinMs?: number;
}

/**
 * The door where a longer look may teach something: it was silent, and the verdict has nobody behind it to blame.
 *
 * @returns undefined where there is nothing to learn
 */
export function silentDoor(route: Route, { trip, verdict, evidence }: TripRecord): Endpoint | undefined {
  const { fault } = trip;
  if (fault === undefined || evidence === undefined || fault.kind !== 'timeout' || !SILENT.has(fault.phase)) return undefined;
  if (verdict.state !== 'failed' || verdict.suspects[0]?.component !== fault.component) return undefined;
  return [route.smtp, route.imap, route.pop3].find(
    each => each?.component === fault.component && each.protocol === fault.protocol,
  );
}

/**
 * Waits at that door, without a log-in, and weighs the trip again.
 *
 * @returns undefined when there is no such door, or when told to stop
 */
export async function lookLonger(
  site: Site,
  route: Route,
  record: TripRecord,
  { signal, lookup, withinMs = LONGER_MS }: LongerTools,
): Promise<Isolated | undefined> {
  const endpoint = silentDoor(route, record);
  const { trip, evidence } = record;
  if (endpoint === undefined || evidence === undefined || trip.fault === undefined) return undefined;
  const zero = performance.now();
  const terms: Terms = {
    clock: () => performance.now() - zero,
    deadlineMs: withinMs,
    signal,
    ...(lookup === undefined ? {} : { lookup }),
  };
  const { login: _, ...anonymous } = endpoint;
  const longer = longerOf(await greetAny(anonymous, site.helo, terms), trip.fault.phase);
  if (longer === undefined) return undefined;
  const looked = { ...evidence, longer };
  return { verdict: weigh(trip, looked, site.limits), evidence: looked };
}

function longerOf(done: Dialog<unknown>, silent: PhaseName): Longer | undefined {
  const { component, protocol, phases, tookMs } = done;
  if (done.outcome === 'cut') return undefined;
  const waitedMs = phases.find(({ name }) => name === silent)?.tookMs ?? tookMs;
  const seconds = (waitedMs / 1000).toFixed(1);
  const spoke = done.outcome === 'answered' || done.fault.phase !== silent;
  const base = { component, protocol, phase: silent, waitedMs };
  if (spoke) return { ...base, outcome: 'answered', text: `it answers (${silent}) after ${seconds} s` };
  const stillSilent = done.fault.kind === 'timeout';
  const text = stillSilent
    ? `silent for ${seconds} s: the process is stopped or hangs, while its host still accepts connections`
    : `after ${seconds} s: ${done.fault.text}`;
  return { ...base, outcome: 'failed', text };
}
