// After a trip that failed or was slow: go and look, weigh, and while the answer is open and time is left, look once more.
//
// Promises: never longer than the limit, never more knocks than allowed, a password tried once per door and run, no message to anybody
// but a test account. What could not be asked is evidence of nothing and is said.

import type { Lookup, Terms } from '../dialog/line.ts';
import { shortName } from '../model/component.ts';
import type { Absence, Evidence, Knocked, QueueWord, Sibling, StoreWord, UsualPhase } from '../model/evidence.ts';
import type { Route, Site } from '../model/site.ts';
import type { Path, Trip } from '../model/trip.ts';
import type { Verdict } from '../model/verdict.ts';
import { TOKEN_HEADER } from '../trip/token.ts';
import { type Door, doorsToKnock } from './doors.ts';
import { stateOf } from './judge.ts';
import type { KnockDesk, MaildropTurn } from './knock.ts';
import { askQueue } from './queue.ts';
import { sceneOf } from './scene.ts';
import { doorOf, type Split, splitOf } from './split.ts';
import { weigh } from './weigh.ts';
import { lookOnStore } from './whereabouts.ts';

export interface IsolateOrder {
  readonly site: Site;
  readonly route: Route;
  readonly trip: Trip;
  readonly siblings: readonly Sibling[];
  readonly usual: readonly UsualPhase[];
  readonly absences: readonly Absence[];
}

export interface IsolateTools {
  readonly desk: KnockDesk;
  readonly maildrop: MaildropTurn;
  readonly signal: AbortSignal;
  readonly lookup?: Lookup;
  /** Walks another path once, within so many ms; undefined when it cannot. */
  readonly walk: (path: Path, withinMs: number) => Promise<Sibling | undefined>;
}

export interface Isolated {
  readonly verdict: Verdict;
  readonly evidence: Evidence;
}

/** Least time that another message is worth sending with. */
const WALK_MS = 500;

export async function isolate(order: IsolateOrder, tools: IsolateTools): Promise<Isolated> {
  const { site, route, trip, siblings, usual, absences } = order;
  const zero = performance.now();
  const leftMs = () => site.limits.isolateMs - (performance.now() - zero);
  const scene = sceneOf(site, route);
  const doors = doorsToKnock(site, route, scene, trip);
  const [knocks, queue, onStore] = await Promise.all([
    knockAll(doors, order, tools, leftMs),
    whereInQueue(order, tools, leftMs),
    whereOnStore(order, tools, leftMs),
  ]);
  let evidence: Evidence = {
    scene,
    knocks,
    ...(queue === undefined ? {} : { queue }),
    ...(onStore === undefined ? {} : { onStore }),
    siblings,
    usual,
    absences,
    tookMs: 0,
  };
  let verdict = weigh(trip, evidence, site.limits);
  for (;;) {
    const split = splitOf(site, trip, evidence, verdict.suspects);
    if (split === undefined || leftMs() < WALK_MS || tools.signal.aborted) break;
    const more = await ask(split, order, tools, leftMs);
    if (more === undefined) break;
    evidence = { ...evidence, knocks: [...evidence.knocks, ...more.knocks], siblings: [...more.siblings, ...evidence.siblings] };
    verdict = weigh(trip, evidence, site.limits);
  }
  return { verdict, evidence: { ...evidence, tookMs: performance.now() - zero } };
}

async function knockAll(
  doors: readonly Door[],
  { route }: IsolateOrder,
  { desk, maildrop }: IsolateTools,
  leftMs: () => number,
): Promise<readonly Knocked[]> {
  // Several knocks at one door (a balancer's) are numbered, or they would be taken for the same one.
  const nth = new Map<string, number>();
  return Promise.all(
    doors.map(door => {
      const account = ('endpoint' in door ? door.account : undefined) ?? route.account;
      const key =
        'endpoint' in door ? `${door.question} ${door.endpoint.component} ${door.endpoint.protocol} ${account.name}` : '';
      const count = nth.get(key) ?? 0;
      nth.set(key, count + 1);
      return desk.knock(door, account, leftMs, maildrop, 'endpoint' in door ? count : 0);
    }),
  );
}

/** Only a message that was accepted can be in a queue. */
async function whereInQueue(
  { site, route, trip }: IsolateOrder,
  { signal }: IsolateTools,
  leftMs: () => number,
): Promise<QueueWord | undefined> {
  const facts = trip.legs.find(({ name }) => name === 'submit')?.dialogs[0]?.facts;
  if (facts?.accepted === undefined || !isMissing(trip, site)) return undefined;
  const direct = site.mtas.get(shortName(route.smtp.component));
  if (direct !== undefined)
    return askQueue({ mta: direct.component, access: direct.queue, queueId: facts.queueId, withinMs: leftMs(), signal });
  // Behind a balancer any member may have it.
  const members = (site.balancers.get(shortName(route.smtp.component))?.members ?? []).flatMap(
    each => site.mtas.get(shortName(each)) ?? [],
  );
  const words = await Promise.all(
    members.map(mta => askQueue({ mta: mta.component, access: mta.queue, queueId: facts.queueId, withinMs: leftMs(), signal })),
  );
  return words.find(({ found }) => found !== 'gone' && found !== 'unasked') ?? words[0];
}

async function whereOnStore(
  { site, route, trip }: IsolateOrder,
  { signal, lookup }: IsolateTools,
  leftMs: () => number,
): Promise<StoreWord | undefined> {
  if (trip.message === undefined || !isMissing(trip, site)) return undefined;
  const zero = performance.now();
  const terms: Terms = {
    clock: () => performance.now() - zero,
    deadlineMs: Math.max(1, Math.min(8000, leftMs())),
    signal,
    ...(lookup === undefined ? {} : { lookup }),
  };
  return lookOnStore(site, route.account, { name: TOKEN_HEADER, text: trip.message.id }, terms);
}

/** Accepted, or perhaps so, and not found where it belongs. */
function isMissing(trip: Trip, site: Site): boolean {
  const { outcome } = trip.arrival;
  return (
    outcome === 'lost' ||
    outcome === 'unsure' ||
    outcome === 'unknown' ||
    (outcome === 'seen' && stateOf(trip, site.limits) === 'slow')
  );
}

async function ask(
  split: Split,
  { site }: IsolateOrder,
  { desk, walk, maildrop }: IsolateTools,
  leftMs: () => number,
): Promise<{ knocks: readonly Knocked[]; siblings: readonly Sibling[] } | undefined> {
  if (split.ask === 'path') {
    const sibling = await walk(split.path, leftMs());
    return sibling === undefined ? undefined : { knocks: [], siblings: [sibling] };
  }
  const door = doorOf(site, split);
  if (door === undefined) return undefined;
  const knock = await desk.knock(door, split.account, leftMs, maildrop);
  return { knocks: [knock], siblings: [] };
}
