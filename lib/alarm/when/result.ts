// What the gate counts: one measurement of one subject, whatever measured it, with what it blames. Pure.
//
// Results come from trips; those that readings of the hosts stand for are made in reading.ts. Of trips only what the schedule walks
// counts: a person who tries a path by hand, with limits of their own, raises no alarm and clears none.

import { type Component, shortName } from '../../model/component.ts';
import type { Protocol } from '../../model/endpoint.ts';
import { printable } from '../../model/printable.ts';
import type { CauseKind, JournalRecord, Runner, Step, TripRecord } from '../../model/record.ts';
import type { Site } from '../../model/site.ts';
import { type Leg, type Path, pathKey, pathText } from '../../model/trip.ts';
import type { Confidence, State, Suspect, Verdict } from '../../model/verdict.ts';

export interface Cause {
  readonly component: Component;
  readonly protocol: Protocol;
  readonly phase: Step;
  readonly kind: CauseKind;
  readonly confidence: Confidence;
  /** Suspects of the same fault have the same number; absent: 0, the fault that ended the trip. */
  readonly fault?: number;
}

export interface Result {
  /** Epoch ms. */
  readonly at: number;
  /** What was measured, the same text each time: a path's key, a check's name on a host. */
  readonly subject: string;
  /** The subject in words. */
  readonly label: string;
  readonly path?: Path;
  readonly state: State;
  /** What it blames, most suspect first; empty when all is well. */
  readonly causes: readonly Cause[];
  /** The peer's own words, or what was seen; printable and bounded. */
  readonly words?: string;
  readonly tripId?: string;
  /** Components that this measurement leads over: when it is good, they work. */
  readonly touches: readonly Component[];
  /** Another verdict on a trip that was counted before: it takes the place of the first, and says nothing where there was none. */
  readonly isAmendment?: true;
  /** All that it blames is being worked on: it counts neither way. */
  readonly isExcused?: true;
  /** Of a host, by its own checks: it says nothing about what the monitor reaches, and is no path. */
  readonly isOfHost?: true;
}

/** Longest text of a peer that an alarm carries. */
const WORDS = 300;

const COUNTED: ReadonlySet<Runner> = new Set(['check_rndtrip', 'daemon']);

type Needs = ReadonlyMap<Component, ReadonlySet<Component>>;

/** The result that a record of the journal stands for; undefined when it stands for none. */
export function resultOf(record: JournalRecord, site: Site, needs: Needs): Result | undefined {
  if (record.type === 'verdict') {
    const { at, trip: tripId, path, verdict } = record;
    const causes = verdict.suspects.map(causeOf);
    return {
      ...headOf(path, site, needs),
      at,
      tripId,
      isAmendment: true,
      ...told(verdict, causes, verdict.suspects[0]?.why[0] ?? verdict.text),
    };
  }
  if (record.type === 'skip')
    return {
      ...RUNS,
      at: record.at,
      state: 'unknown',
      causes: [{ component: 'monitor', protocol: 'local', phase: 'state', kind: 'local', confidence: 'sure' }],
      words: printable(record.why, WORDS),
    };
  if (record.type !== 'trip' || !COUNTED.has(record.by)) return undefined;
  const { at, trip, verdict } = record;
  const words = wordsOf(trip.fault?.reply?.lines) ?? trip.fault?.text ?? verdict.suspects[0]?.why[0] ?? verdict.text;
  return { ...headOf(trip.path, site, needs), at, tripId: trip.id, ...told(verdict, causesOf({ trip, verdict }), words) };
}

/** The runs themselves are a subject: one that is stuck keeps the others from measuring. */
const RUNS = { subject: 'runs', label: 'runs of check_rndtrip', touches: [] } as const;

/** A run has measured. */
export function runDone(at: number): Result {
  return { ...RUNS, at, state: 'ok', causes: [] };
}

function headOf(path: Path, site: Site, needs: Needs): Pick<Result, 'subject' | 'label' | 'path' | 'touches'> {
  return { subject: pathKey(path), label: pathText(path), path, touches: touchesOf(site, path, needs) };
}

function told(
  { state, excused }: Verdict,
  causes: readonly Cause[],
  words: string,
): Pick<Result, 'state' | 'causes' | 'words' | 'isExcused'> {
  if (state === 'ok') return { state, causes: [] };
  return {
    state,
    causes: causes.map(namingUs),
    words: printable(words, WORDS),
    ...(excused === undefined ? {} : { isExcused: true }),
  };
}

function wordsOf(lines: readonly string[] | undefined): string | undefined {
  const text = lines?.join(' / ');
  return text === undefined || text === '' ? undefined : text;
}

function causesOf({ trip, verdict }: Pick<TripRecord, 'trip' | 'verdict'>): readonly Cause[] {
  if (verdict.suspects.length > 0) return verdict.suspects.map(causeOf);
  if (trip.fault !== undefined) {
    const { component, protocol, phase, kind } = trip.fault;
    return [{ component, protocol, phase, kind, confidence: 'likely' }];
  }
  return [verdict.state === 'slow' ? slowCause(trip.legs, trip.path) : unsaidCause(trip.path)];
}

function causeOf({ component, protocol, phase, kind, confidence, fault }: Suspect): Cause {
  return { component, protocol, phase, kind, confidence, ...(fault === undefined ? {} : { fault }) };
}

/** A fault of ours is never laid at the door that it kept us from knocking on. */
function namingUs(cause: Cause): Cause {
  return cause.kind === 'local' ? { ...cause, component: 'monitor', protocol: 'local' } : cause;
}

/** A slow trip without a suspect: whoever we waited for longest. */
function slowCause(legs: readonly Leg[], path: Path): Cause {
  const leg = [...legs].sort((a, b) => b.tookMs - a.tookMs)[0];
  const dialog = leg?.name === 'transit' ? undefined : leg?.dialogs[0];
  const submit = legs.find(({ name }) => name === 'submit')?.dialogs[0];
  if (dialog === undefined)
    return {
      component: submit?.component ?? `mta/${path.mta}`,
      protocol: 'smtp',
      phase: 'arrival',
      kind: 'slow',
      confidence: 'cannot tell apart',
    };
  const phase = [...dialog.phases].sort((a, b) => b.tookMs - a.tookMs)[0]?.name ?? 'connect';
  return { component: dialog.component, protocol: dialog.protocol, phase, kind: 'slow', confidence: 'likely' };
}

function unsaidCause(path: Path): Cause {
  return {
    component: `mta/${path.mta}`,
    protocol: 'smtp',
    phase: 'arrival',
    kind: 'missing',
    confidence: 'cannot tell apart',
  };
}

/** The components that a path leads over, with all that these need. A balancer's members are not among them: one is met, unknown which. */
function touchesOf(site: Site, path: Path, needs: Needs): readonly Component[] {
  const store = site.accounts.get(path.account)?.store;
  const direct: Component[] = [
    site.mtas.has(path.mta) ? `mta/${path.mta}` : `balancer/${path.mta}`,
    ...(path.mmp === 'direct'
      ? []
      : [site.mmps.has(path.mmp) ? (`mmp/${path.mmp}` as const) : (`balancer/${path.mmp}` as const)]),
    `account/${path.account}`,
    ...(store === undefined ? [] : [`store/${store}` as const]),
    ...[...site.filters.values()].filter(({ usedBy }) => usedBy.includes(path.mta)).map(({ component }) => component),
  ];
  return [...new Set([...direct, ...direct.flatMap(component => [...(needs.get(component) ?? [])])])];
}

/** What each component cannot work without, over any number of steps: by its `needs`, an account by its store, an MTA by its filters. */
export function needsOf(site: Site): Needs {
  const first = new Map<Component, readonly Component[]>();
  const all = [site.mtas, site.mmps, site.stores, site.directories, site.filters, site.balancers, site.nameServers];
  for (const kind of all) for (const { component, needs } of kind.values()) first.set(component, needs);
  for (const { component, needs, store } of site.accounts.values()) first.set(component, [...needs, `store/${store}`]);
  for (const { component, usedBy } of site.filters.values())
    for (const name of usedBy) first.set(`mta/${name}`, [...(first.get(`mta/${name}`) ?? []), component]);
  const closure = new Map<Component, ReadonlySet<Component>>();
  for (const component of first.keys()) {
    const found = new Set<Component>();
    const open = [...(first.get(component) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next) || next === component) continue;
      found.add(next);
      open.push(...(first.get(next) ?? []));
    }
    closure.set(component, found);
  }
  return closure;
}

/** Whether a measurement that led over `touches` would have met `component`. */
export function leadsOver(touches: readonly Component[], component: Component): boolean {
  if (component === 'monitor' || touches.includes(component)) return true;
  if (!component.startsWith('link/')) return false;
  const names = touches.map(shortName);
  return names.some(a => names.some(b => a !== b && `${a}-${b}` === shortName(component)));
}
