// Suppose that one thing is broken: whom would isolation name? The doors of the site answer as they would then, and what they say goes
// through the very functions that weigh real trips, so that the plan promises what a verdict keeps. Pure.
//
// Kept to what a config decides: which doors there are to ask, which queue, which other path. That doors may answer late, or now and
// then, is not supposed here.

import { aboutDoor, type Door, doorsToKnock } from '../../isolate/doors.ts';
import { sceneOf } from '../../isolate/scene.ts';
import { doorOf, splitOf } from '../../isolate/split.ts';
import { weigh } from '../../isolate/weigh.ts';
import { type Component, shortName } from '../../model/component.ts';
import type { Fault } from '../../model/dialog.ts';
import type { Evidence, Knocked, QueueWord, Scene, Sibling, StoreWord } from '../../model/evidence.ts';
import type { Account, Route, Site } from '../../model/site.ts';
import type { Path, Trip } from '../../model/trip.ts';
import type { Suspect } from '../../model/verdict.ts';
import { routeOf } from '../route.ts';

/** A path with everybody on it and behind it. */
export interface World {
  readonly site: Site;
  readonly route: Route;
  readonly scene: Scene;
}

/** What a door says that does not do its part. */
export type Refusal = Pick<Fault, 'phase' | 'kind' | 'lasting' | 'reply'>;

/** Something broken, and how it shows. */
export interface Supposition {
  /** The same for the same kind of fault on another path. */
  readonly id: string;
  /** What is broken in truth; undefined for something that site.cfg does not name. */
  readonly truth: Component | undefined;
  /** How the trip ends. */
  readonly fault: Fault;
  readonly arrival: Trip['arrival'];
  /** Undefined: the door answers as it should. */
  readonly says: (door: Door) => Refusal | undefined;
  /** What the MTA's queue says, when there is a way to ask it. */
  readonly queue?: Pick<QueueWord, 'found' | 'reason'>;
  /** Whether another message, sent to tell, comes as it should. */
  readonly comes: (path: Path) => boolean;
}

/** @returns undefined for a path that cannot be walked */
export function worldOf(site: Site, path: Path): World | undefined {
  const routed = routeOf(site, path);
  return 'problem' in routed ? undefined : { site, route: routed.route, scene: sceneOf(site, routed.route) };
}

/** The suspects of the fault that ended the trip, most suspect first, when all that can be asked has been asked. */
export function suspectsIf(world: World, supposed: Supposition): readonly Suspect[] {
  const { site, route, scene } = world;
  const trip = tripOf(route.path, supposed.fault, supposed.arrival);
  const isMissing = supposed.arrival.outcome === 'lost';
  let evidence: Evidence = {
    scene,
    knocks: doorsToKnock(site, route, scene, trip).map(door => knockOn(door, route.account, supposed)),
    ...(isMissing ? { queue: queueWord(world, supposed), onStore: storeWord(world) } : {}),
    siblings: [],
    usual: [],
    absences: [],
    tookMs: 0,
  };
  for (;;) {
    const suspects = weigh(trip, evidence, site.limits).suspects.filter(({ fault }) => (fault ?? 0) === 0);
    const split = splitOf(site, trip, evidence, suspects);
    if (split === undefined) return suspects;
    if (split.ask === 'path') {
      evidence = { ...evidence, siblings: [siblingOf(split.path, supposed), ...evidence.siblings] };
      continue;
    }
    const door = doorOf(site, split);
    if (door === undefined) return suspects;
    const knock = knockOn(door, split.account, supposed);
    evidence = { ...evidence, knocks: [...evidence.knocks, knock] };
  }
}

/** A trip that ended with this fault, as far as weighing and knocking look at it. */
export function tripOf(path: Path, fault: Fault, arrival: Trip['arrival']): Trip {
  const findings = fault.phase === 'compare' ? [{ what: 'altered' as const, text: fault.text }] : [];
  return { id: 'supposed', path, startedAt: 0, tookMs: 0, legs: [], arrival, hops: [], findings, fault };
}

function knockOn(door: Door, account: Account, { says }: Supposition): Knocked {
  const refusal = says(door);
  const head = aboutDoor(door, account);
  if (refusal === undefined) return { ...head, tookMs: 0, outcome: 'answered', text: 'answers' };
  const fault: Fault = { component: head.component, protocol: head.protocol, ...refusal, text: refusal.kind };
  return { ...head, tookMs: 0, outcome: 'failed', text: refusal.kind, fault };
}

/** Behind a balancer the members' queues are asked, and one of them has the message. */
function queueWord({ site, scene }: World, { truth, queue }: Supposition): QueueWord {
  const asked = [scene.mta, ...scene.mtaMembers].filter(mta => site.mtas.get(shortName(mta))?.queue !== undefined);
  const owner = asked.find(mta => mta === truth) ?? asked[0];
  if (owner === undefined || queue === undefined) return { mta: scene.mta, found: 'unasked', text: 'no way to ask' };
  const isThere = scene.mtaMembers.length === 0 || truth === undefined || owner === truth || !scene.mtaMembers.includes(truth);
  return isThere ? { mta: owner, ...queue, text: queue.found } : { mta: owner, found: 'gone', text: 'gone' };
}

/** Nobody is supposed to misfile a message: the store does not have it. */
function storeWord({ site, scene, route }: World): StoreWord {
  const store = site.stores.get(route.account.store);
  const found = (store?.imap ?? store?.pop3) === undefined ? 'cannot look' : 'nowhere';
  return { store: scene.store, found, text: found };
}

function siblingOf(path: Path, { comes, fault }: Supposition): Sibling {
  const well = comes(path);
  const isAltered = fault.phase === 'compare';
  const base = { path, at: 0, forThis: true, findings: !well && isAltered ? ['altered'] : [] };
  const outcome = well || isAltered ? 'seen' : 'lost';
  return { ...base, state: well ? 'ok' : 'failed', outcome };
}
