// The faults that a plan supposes, by the symptom that they share: what several of them have in common is what may not be told apart.
// Pure.

import type { Door } from '../../isolate/doors.ts';
import { directoriesOf } from '../../isolate/doors.ts';
import { type Component, kindOf, shortName } from '../../model/component.ts';
import type { Fault } from '../../model/dialog.ts';
import type { Path } from '../../model/trip.ts';
import type { Refusal, Supposition, World } from './suppose.ts';

/** What an operator sees, and everything that may be behind it. */
export interface Symptom {
  readonly text: string;
  /** Where a person would look when nothing in the config tells more. */
  readonly beyond: string;
  readonly suppositions: (world: World) => readonly Supposition[];
}

const DEAD: Refusal = { phase: 'connect', kind: 'refused-connection', lasting: 'unknown' };
const SILENT: Refusal = { phase: 'connect', kind: 'timeout', lasting: 'unknown' };
const UNAVAILABLE: Refusal = {
  phase: 'auth',
  kind: 'rejected',
  lasting: 'transient',
  reply: { code: 'NO', enhanced: 'UNAVAILABLE', lines: [] },
};
const REFUSED: Refusal = { phase: 'auth', kind: 'rejected', lasting: 'permanent' };
const UNSENT = { outcome: 'unsent' } as const;

export const SYMPTOMS: readonly Symptom[] = [
  {
    text: 'an MMP says that a mailbox is not available now, or hangs',
    beyond: 'the log of the MMP says whom it could not reach',
    suppositions: unavailable,
  },
  {
    text: 'an MMP refuses the password',
    beyond: 'the log of the MMP, or of its directory, says who refused',
    suppositions: refused,
  },
  {
    text: 'an MTA does not take the recipient for now',
    beyond: 'the log of the MTA says whom it asked',
    suppositions: notTaken,
  },
  {
    text: 'an MTA refuses a message after the final dot',
    beyond: 'the log of the MTA says who decided',
    suppositions: refusedAfterDot,
  },
  {
    text: 'a message was accepted and has not arrived',
    beyond: 'the log of the MTA says what became of the message',
    suppositions: vanished,
  },
  {
    text: 'a message came back altered',
    beyond: 'the message itself, written down on its way, shows where',
    suppositions: altered,
  },
  {
    text: 'the name of a machine does not resolve',
    beyond: 'whoever keeps the zone knows whether the name should be there',
    suppositions: unnamed,
  },
  {
    text: 'a machine gives no answer at all',
    beyond: 'a look from another place shows which',
    suppositions: silent,
  },
];

function unavailable(world: World): readonly Supposition[] {
  const { scene, route } = world;
  const { mmp, store } = scene;
  if (mmp === store) return [];
  const readers = [mmp, ...scene.mmpMembers];
  const base = failing(mmp, route.path.mailbox, UNAVAILABLE);
  const needed = directoriesBehind(world, readers);
  // Behind a balancer one member is broken, and the others are not.
  const broken = scene.mmpMembers[0] ?? mmp;
  const directory = (truth: Component | undefined): Supposition => {
    const needs = (each: Component) => truth !== undefined && (scene.needs[each] ?? []).includes(truth);
    const held = truth === undefined ? [broken] : [...readers, store].filter(needs);
    const says = (door: Door) => (ofComponent(door, truth) ? DEAD : isLogin(door, held) ? UNAVAILABLE : undefined);
    return { ...base, id: 'directory of the MMP', truth, says };
  };
  return [
    {
      ...base,
      id: 'store down',
      truth: store,
      says: door => (ofComponent(door, store) ? DEAD : isLogin(door, readers) && isAbout(world, door) ? UNAVAILABLE : undefined),
    },
    {
      ...base,
      id: 'way from MMP to store',
      truth: linkOf(broken, store),
      says: door => (isLogin(door, [broken]) && isAbout(world, door) ? UNAVAILABLE : undefined),
    },
    { ...base, id: 'MMP', truth: broken, says: door => (isLogin(door, [broken]) ? UNAVAILABLE : undefined) },
    ...(needed.length > 0 ? needed.map(directory) : [directory(undefined)]),
    ...waysToDirectory(base, scene, broken),
  ];
}

/** Where there are two directories the other one is taken. */
function waysToDirectory(
  base: Omit<Supposition, 'id' | 'truth'>,
  scene: World['scene'],
  broken: Component,
): readonly Supposition[] {
  const directories = (scene.needs[broken] ?? []).filter(each => kindOf(each) === 'directory');
  const [only] = directories;
  if (only === undefined || directories.length > 1) return [];
  const says = (door: Door) => (isLogin(door, [broken]) ? UNAVAILABLE : undefined);
  return [{ ...base, id: 'way from MMP to directory', truth: linkOf(broken, only), says }];
}

function refused(world: World): readonly Supposition[] {
  const { scene, route } = world;
  const { mmp, store, account } = scene;
  if (mmp === store) return [];
  const base = failing(mmp, route.path.mailbox, REFUSED);
  const readers = [mmp, ...scene.mmpMembers];
  const broken = scene.mmpMembers[0] ?? mmp;
  return [
    {
      ...base,
      id: 'account',
      truth: account,
      says: door =>
        !isOf(world, door)
          ? undefined
          : isLogin(door, [...readers, store])
            ? REFUSED
            : door.question === 'bind'
              ? { ...REFUSED, phase: 'bind' }
              : undefined,
    },
    {
      ...base,
      id: 'store refuses',
      truth: store,
      says: door => (isLogin(door, [store]) || (isLogin(door, readers) && isAbout(world, door)) ? REFUSED : undefined),
    },
    { ...base, id: 'MMP refuses', truth: broken, says: door => (isLogin(door, [broken]) ? REFUSED : undefined) },
  ];
}

function notTaken(world: World): readonly Supposition[] {
  const { scene } = world;
  if (scene.mtaMembers.length > 0) return [];
  const base = failing(scene.mta, 'smtp', { phase: 'rcpt', kind: 'rejected', lasting: 'transient' });
  const asks = (door: Door) => ofComponent(door, scene.mta) && door.question === 'rcpt';
  const refusal: Refusal = { phase: 'rcpt', kind: 'rejected', lasting: 'transient' };
  const needed = directoriesBehind(world, [scene.mta]);
  const directory = (truth: Component | undefined): Supposition => ({
    ...base,
    id: 'directory of the MTA',
    truth,
    says: door => (ofComponent(door, truth) ? DEAD : asks(door) ? refusal : undefined),
  });
  return [
    { ...base, id: 'MTA refuses', truth: scene.mta, says: door => (asks(door) ? refusal : undefined) },
    ...(needed.length > 0 ? needed.map(directory) : [directory(undefined)]),
  ];
}

function refusedAfterDot(world: World): readonly Supposition[] {
  const { scene } = world;
  if (scene.mtaMembers.length > 0) return [];
  const base = failing(scene.mta, 'smtp', { phase: 'final', kind: 'rejected', lasting: 'permanent' });
  // Neither an MTA that knocks are made at nor a filter that negotiates says what it would do with a message.
  return [scene.mta, ...scene.filters].map(truth => ({ ...base, id: `after the dot: ${kindOf(truth)}`, truth }));
}

function vanished(world: World): readonly Supposition[] {
  const { site, scene } = world;
  const { mta, mtaMembers, store } = scene;
  const base = {
    ...failing(mta, 'smtp', { phase: 'arrival', kind: 'missing', lasting: 'unknown' }),
    arrival: { outcome: 'lost', waitedMs: site.limits.deliverMs } as const,
  };
  const reaches = (path: Path) => site.accounts.get(path.account)?.store === shortName(store);
  const isSender = (path: Path) => [mta, ...mtaMembers].some(each => shortName(each) === path.mta);
  const member = mtaMembers[0];
  const reason = (why: string) => `connect to ${shortName(store)}: ${why}`;
  const owner = member ?? mta;
  return [
    { ...base, id: 'MTA keeps it', truth: owner, queue: { found: 'hold' }, comes: path => path.mta !== shortName(owner) },
    ...scene.filters.map(
      (filter): Supposition => ({
        ...base,
        id: 'filter swallows it',
        truth: filter,
        queue: { found: 'gone' },
        comes: path => !uses(world, path.mta, filter),
      }),
    ),
    { ...base, id: 'store loses it', truth: store, queue: { found: 'gone' }, comes: path => !reaches(path) },
    {
      ...base,
      id: 'store takes no mail',
      truth: store,
      queue: { found: 'deferred', reason: reason('Connection refused') },
      says: door => (ofComponent(door, store) && 'endpoint' in door && door.endpoint.protocol === 'lmtp' ? DEAD : undefined),
      comes: path => !reaches(path),
    },
    {
      ...base,
      id: 'way from MTA to store',
      truth: linkOf(owner, store),
      queue: { found: 'deferred', reason: reason('Connection timed out') },
      comes: path => !reaches(path) || !isSender(path),
    },
  ];
}

function altered(world: World): readonly Supposition[] {
  const { site, scene } = world;
  if (scene.mtaMembers.length > 0) return [];
  const base = {
    ...failing(scene.mta, 'smtp', { phase: 'compare', kind: 'altered', lasting: 'unknown' }),
    arrival: { outcome: 'seen', afterMs: 0, byMs: 0 } as const,
  };
  const reaches = (path: Path) => site.accounts.get(path.account)?.store === shortName(scene.store);
  return [
    { ...base, id: 'altered by the MTA', truth: scene.mta, comes: path => path.mta !== shortName(scene.mta) },
    ...scene.filters.map(
      (filter): Supposition => ({
        ...base,
        id: 'altered by a filter',
        truth: filter,
        comes: path => !uses(world, path.mta, filter),
      }),
    ),
    { ...base, id: 'altered by the store', truth: scene.store, comes: path => !reaches(path) },
  ];
}

/** Shown at the MTA: the others' names are looked up the same way. */
function unnamed(world: World): readonly Supposition[] {
  const { scene, route } = world;
  const { host, component } = route.smtp;
  if (/^[\d.]+$/.test(host) || host.includes(':')) return [];
  const base = failing(component, 'smtp', { phase: 'resolve', kind: 'name', lasting: 'unknown' });
  const isOwn = (door: Door) => door.question === 'own name' && door.host === host;
  const lost: Refusal = { phase: 'query', kind: 'missing', lasting: 'permanent' };
  const server = scene.nameServers[0];
  return [
    {
      ...base,
      id: 'a name server has lost the name',
      truth: server,
      says: door =>
        isOwn(door) || (door.question === 'name' && door.server === server && door.host === host) ? lost : undefined,
    },
    {
      ...base,
      id: 'a name server is dead',
      truth: server,
      says: door =>
        isOwn(door) ? lost : door.question === 'name' && door.server === server ? { ...SILENT, phase: 'query' } : undefined,
    },
    { ...base, id: 'our own resolver', truth: 'monitor', says: door => (door.question === 'own name' ? lost : undefined) },
  ];
}

/** Shown at the MTA: from one place a dead machine and a dead way to it look the same. */
function silent(world: World): readonly Supposition[] {
  const { scene } = world;
  if (scene.mtaMembers.length > 0) return [];
  const base = failing(scene.mta, 'smtp', SILENT);
  const says = (door: Door) => (ofComponent(door, scene.mta) ? SILENT : undefined);
  const machine: Supposition = { ...base, id: 'machine', truth: scene.mta, says };
  return [machine, { ...machine, id: 'way from here', truth: `link/monitor-${shortName(scene.mta)}` }];
}

/** What most suppositions begin with: a trip that fails at one component, while every door and every other message does well. */
function failing(component: Component, protocol: Fault['protocol'], how: Refusal): Omit<Supposition, 'id' | 'truth'> {
  const fault: Fault = { component, protocol, ...how, text: how.kind };
  return { fault, arrival: UNSENT, says: () => undefined, comes: () => true };
}

function ofComponent(door: Door, component: Component | undefined): boolean {
  return 'endpoint' in door && door.endpoint.component === component;
}

function isLogin(door: Door, at: readonly Component[]): boolean {
  return door.question === 'login' && at.includes(door.endpoint.component);
}

/** Asked with the account of the trip, not with somebody else's. */
function isAbout({ route }: World, door: Door): boolean {
  const login = 'endpoint' in door ? door.endpoint.login : undefined;
  return login === undefined || login.user === route.account.login.user;
}

/** Asked about the account of the trip. */
function isOf({ route }: World, door: Door): boolean {
  return 'endpoint' in door && (door.account ?? route.account).name === route.account.name;
}

function directoriesBehind({ scene }: World, components: readonly Component[]): readonly Component[] {
  const behind = components.flatMap(each => scene.needs[each] ?? []);
  return directoriesOf(scene).filter(directory => behind.includes(directory));
}

function uses({ site }: World, mta: string, filter: Component): boolean {
  return site.filters.get(shortName(filter))?.usedBy.includes(mta) === true;
}

function linkOf(from: Component, to: Component): Component {
  return `link/${shortName(from)}-${shortName(to)}`;
}
