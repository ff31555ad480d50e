// Incidents: results that show the same cause, from the first bad one until every path it touched has been seen good again. Pure; from
// records alone, so that a report of last year says the same today.
//
// A cause is the first suspect, with protocol: `mmp/smux02 imap`. Faults of one component by POP3 and by IMAP are two incidents, since the
// one may end before the other. Slow trips have a cause too; ours alone are called `monitor`.

import { pathText } from '../model/trip.ts';
import type { FactPath, SuspectFact, TripFact } from './facts.ts';

export interface Incident {
  readonly from: number;
  readonly lastAt: number;
  readonly to: number | null;
  readonly state: 'failed' | 'slow' | 'unknown';
  readonly component: string;
  readonly protocol: string;
  readonly phase: string;
  readonly kind: string;
  readonly confidence: string;
  readonly others: readonly string[];
  readonly text: string;
  readonly results: number;
  readonly times: number;
  readonly paths: readonly string[];
  /** The same in short: `accounts ims2, ims4; MTA ssmtp01; MMP smux02; pop3`. */
  readonly touched: string;
}

/** What comes back within this time is the same incident. */
const SAME_MS = 30 * 60_000;

interface Growing {
  from: number;
  lastAt: number;
  to: number | null;
  state: Incident['state'];
  readonly first: SuspectFact;
  readonly others: readonly string[];
  readonly text: string;
  results: number;
  times: number;
  /** By label. */
  readonly paths: Map<string, FactPath>;
  /** Paths that were bad when they were last walked. */
  readonly bad: Set<string>;
}

/** @param trips oldest first @returns incidents in the order of their beginning */
export function incidentsOf(trips: readonly TripFact[]): Incident[] {
  const open = new Map<string, Growing>();
  const all: Growing[] = [];
  for (const trip of trips) {
    const label = pathLabel(trip.path);
    const cause = causeOf(trip);
    for (const [key, incident] of open) {
      if (key !== cause?.key) mend(incident, label, trip);
    }
    if (cause === undefined) continue;
    const known = open.get(cause.key);
    const incident = known !== undefined && isSame(known, trip) ? known : begun(trip, cause);
    if (incident !== known) {
      open.set(cause.key, incident);
      all.push(incident);
    }
    if (incident.to !== null) incident.times += 1;
    incident.to = null;
    incident.lastAt = trip.startedAt;
    incident.state = worse(incident.state, cause.state);
    incident.results += 1;
    incident.paths.set(label, trip.path);
    incident.bad.add(label);
  }
  return all.map(finished);
}

interface Cause {
  readonly key: string;
  readonly state: Incident['state'];
  readonly first: SuspectFact;
  readonly others: readonly string[];
}

function causeOf(trip: TripFact): Cause | undefined {
  if (trip.state === 'ok') return undefined;
  const [first = unnamed(trip), ...rest] = trip.suspects;
  const others = rest.filter(({ component }) => component !== first.component).map(({ component }) => component);
  return { key: `${first.component} ${first.protocol} ${first.kind === 'slow'}`, state: trip.state, first, others };
}

/** A bad result that names nobody: a slow trip, or a row of a table, whose error text is all there is. */
function unnamed(trip: TripFact): SuspectFact {
  const component = trip.state === 'unknown' ? 'monitor' : trip.short;
  return { component, protocol: '', phase: '', kind: trip.state === 'slow' ? 'slow' : '', confidence: '' };
}

function begun(trip: TripFact, { first, others, state }: Cause): Growing {
  return {
    from: trip.startedAt,
    lastAt: trip.startedAt,
    to: null,
    state,
    first,
    others: [...new Set(others)],
    text: trip.text,
    results: 0,
    times: 0,
    paths: new Map(),
    bad: new Set(),
  };
}

function isSame({ to }: Growing, trip: TripFact): boolean {
  return to === null || trip.startedAt - to <= SAME_MS;
}

/** A path that was walked without showing the cause is mended; the last one ends the incident. */
function mend(incident: Growing, label: string, trip: TripFact): void {
  // What we could not measure is not seen good.
  if (trip.state === 'unknown' || !incident.bad.delete(label)) return;
  if (incident.bad.size === 0) incident.to = trip.startedAt;
}

function worse(a: Incident['state'], b: Incident['state']): Incident['state'] {
  const order: readonly Incident['state'][] = ['slow', 'unknown', 'failed'];
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

function finished({ first, paths, bad: _, others, ...rest }: Growing): Incident {
  const { component, protocol, phase, kind, confidence } = first;
  const touched = touchedText([...paths.values()]);
  return { ...rest, component, protocol, phase, kind, confidence, others: [...others], paths: [...paths.keys()], touched };
}

/** Of one path its label; of several what they are made of, since a list of hundreds is read by nobody. */
function touchedText(paths: readonly FactPath[]): string {
  const [first] = paths;
  if (first !== undefined && paths.length === 1) return pathLabel(first);
  const parts = [
    namesText('account', new Set(paths.map(({ account }) => account))),
    namesText('MTA', new Set(paths.map(({ mta }) => mta))),
    namesText('MMP', new Set(paths.map(({ mmp }) => mmp))),
    [...new Set(paths.map(({ mailbox }) => mailbox))].filter(mailbox => mailbox !== '').join(' and '),
  ];
  return parts.filter(part => part !== '').join('; ');
}

const MOST_NAMES = 8;

function namesText(what: string, names: ReadonlySet<string>): string {
  const shown = [...names].sort().slice(0, MOST_NAMES).join(', ');
  const more = names.size - MOST_NAMES;
  return `${what}${names.size === 1 ? '' : 's'} ${shown}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `ims1 via ssmtp01, smux01 imap`; without the protocol where a table does not tell it. */
export function pathLabel(path: FactPath): string {
  return path.mailbox === '' ? `${path.account} via ${path.mta}, ${path.mmp}` : pathText({ ...path, mailbox: path.mailbox });
}
