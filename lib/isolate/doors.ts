// Which doors to knock at after a failure: all of those along the path and behind it, by their cheapest telling question. Pure.
//
// A password is not tried again where the trip has just tried it: what came of that is known.

import { type Component, kindOf, shortName } from '../model/component.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Knocked, Question, Scene } from '../model/evidence.ts';
import { printable } from '../model/printable.ts';
import type { Account, Route, Site } from '../model/site.ts';
import type { Trip } from '../model/trip.ts';

/** A knock to be made. */
export type Door =
  | {
      readonly question: 'greet' | 'rcpt' | 'login' | 'entry' | 'bind' | 'negotiate';
      readonly endpoint: Endpoint;
      /** Whose log-in, recipient or entry; the receiving account's when absent. */
      readonly account?: Account;
    }
  | { readonly question: 'name'; readonly server: Component; readonly bearers: readonly Component[]; readonly host: string }
  | { readonly question: 'own name'; readonly component: Component; readonly host: string };

/** Knocks at a balancer: so many per member, so that a round robin meets each of them. */
const PER_MEMBER = 2;

export function doorsToKnock(site: Site, route: Route, scene: Scene, trip: Trip): readonly Door[] {
  const doors: Door[] = [];
  const knock = (question: Exclude<Question, 'name' | 'own name'>, endpoint: Endpoint | undefined) => {
    if (endpoint !== undefined) doors.push({ question, endpoint });
  };
  const triedAt = (component: Component, protocol: Endpoint['protocol']) =>
    trip.fault !== undefined && loggedInAt(trip, component, protocol);

  for (const mta of [scene.mta, ...scene.mtaMembers]) {
    const smtp = site.mtas.get(shortName(mta))?.smtp ?? site.balancers.get(shortName(mta))?.doors.smtp;
    if (kindOf(mta) === 'balancer') repeat(PER_MEMBER * scene.mtaMembers.length, () => knock('greet', smtp));
    else knock(smtp?.login !== undefined && triedAt(mta, 'smtp') ? 'greet' : 'rcpt', smtp);
  }
  for (const mmp of [scene.mmp, ...scene.mmpMembers]) {
    const found = site.mmps.get(shortName(mmp)) ?? site.balancers.get(shortName(mmp))?.doors;
    for (const protocol of ['imap', 'pop3'] as const) {
      const endpoint = found?.[protocol];
      if (endpoint === undefined) continue;
      const withLogin = { ...endpoint, login: loginFor(endpoint, route) };
      if (kindOf(mmp) === 'balancer') repeat(PER_MEMBER * scene.mmpMembers.length, () => knock('greet', endpoint));
      else knock(triedAt(mmp, protocol) ? 'greet' : 'login', withLogin);
    }
  }
  const store = site.stores.get(shortName(scene.store));
  knock('rcpt', store?.lmtp);
  for (const endpoint of [store?.imap, store?.pop3]) {
    if (endpoint === undefined || (scene.mmp === scene.store && triedAt(scene.store, endpoint.protocol))) continue;
    knock('login', { ...endpoint, login: loginFor(endpoint, route) });
  }
  for (const filter of scene.filters) knock('negotiate', filterEndpoint(site, filter));
  for (const directory of directoriesOf(scene)) {
    const ldap = site.directories.get(shortName(directory))?.ldap;
    knock('entry', ldap);
    if (loginWasRefused(trip)) knock('bind', ldap);
  }
  return [...doors, ...submitterDoors(site, scene, trip), ...nameDoors(site, scene, route, trip)];
}

/** The MTA refused somebody's password who is not the receiving account: is it taken where nobody else stands between? */
function submitterDoors(site: Site, scene: Scene, trip: Trip): readonly Door[] {
  const { submitter } = scene;
  if (submitter === undefined || submitter === scene.account) return [];
  if (!loginWasRefused(trip) || trip.fault?.protocol !== 'smtp') return [];
  const account = site.accounts.get(shortName(submitter));
  const store = account === undefined ? undefined : site.stores.get(account.store);
  if (account === undefined) return [];
  const mailbox = store?.imap ?? store?.pop3;
  const directories = directoriesOf(scene).flatMap(each => site.directories.get(shortName(each))?.ldap ?? []);
  return [
    ...(mailbox === undefined ? [] : [{ question: 'login', endpoint: { ...mailbox, login: account.login }, account } as const]),
    ...directories.flatMap(endpoint => [
      { question: 'entry', endpoint, account } as const,
      { question: 'bind', endpoint, account } as const,
    ]),
  ];
}

/** What a knock there is about, for the evidence. */
export function aboutDoor(
  door: Door,
  account: Account,
): Pick<Knocked, 'component' | 'protocol' | 'question' | 'about' | 'bearers'> {
  const { question } = door;
  switch (question) {
    case 'name':
      return { component: door.server, protocol: 'dns', question, about: printable(door.host, 100), bearers: door.bearers };
    case 'own name':
      return { component: door.component, protocol: 'dns', question, about: printable(door.host, 100) };
    default: {
      const { component, protocol } = door.endpoint;
      return { component, protocol, question, about: (door.account ?? account).name };
    }
  }
}

/** Directories that anybody along the path needs. */
export function directoriesOf(scene: Scene): readonly Component[] {
  return [...new Set(Object.values(scene.needs).flat())].filter(each => kindOf(each) === 'directory');
}

function filterEndpoint(site: Site, filter: Component): Endpoint | undefined {
  const socket = site.filters.get(shortName(filter))?.socket;
  if (socket === undefined) return undefined;
  const where = 'path' in socket ? { host: 'localhost', port: 0, path: socket.path } : socket;
  return { component: filter, protocol: 'milter', ...where, security: 'plain', trust: { verify: true } };
}

/** Somebody said no to a user and a password. */
function loginWasRefused({ fault }: Trip): boolean {
  return fault?.phase === 'auth' && fault.kind === 'rejected';
}

/** Whether the trip has sent a password to that door and it did not do. */
function loggedInAt(trip: Trip, component: Component, protocol: Endpoint['protocol']): boolean {
  const { fault } = trip;
  return fault?.phase === 'auth' && fault.component === component && fault.protocol === protocol;
}

function loginFor(endpoint: Endpoint, { account }: Route): NonNullable<Endpoint['login']> {
  const mechanism = endpoint.mechanism ?? account.login.mechanism;
  return { user: account.login.user, secret: account.login.secret, ...(mechanism === undefined ? {} : { mechanism }) };
}

/**
 * The site's own name servers are asked for the names of everybody along the path: their silence delays everybody. Where the config
 * has addresses, the names that the certificates bear are asked for. Our own resolver is asked when a name did not resolve.
 */
function nameDoors(site: Site, scene: Scene, route: Route, trip: Trip): readonly Door[] {
  const names = new Map<string, { readonly bearers: Component[]; isUsed: boolean }>();
  const note = (endpoint: Endpoint | undefined) => {
    if (endpoint === undefined || endpoint.path !== undefined) return;
    const isUsed = !isAddress(endpoint.host);
    const name = isUsed ? endpoint.host : endpoint.servername;
    if (name === undefined || isAddress(name)) return;
    const known = names.get(name) ?? { bearers: [], isUsed: false };
    if (!known.bearers.includes(endpoint.component)) known.bearers.push(endpoint.component);
    known.isUsed ||= isUsed;
    names.set(name, known);
  };
  const store = site.stores.get(shortName(scene.store));
  for (const endpoint of [route.smtp, route.imap, route.pop3, store?.lmtp, store?.imap, store?.pop3]) note(endpoint);
  const doors: Door[] = [];
  if (trip.fault?.kind === 'name') {
    for (const [host, { bearers, isUsed }] of names)
      if (isUsed && bearers[0] !== undefined) doors.push({ question: 'own name', component: bearers[0], host });
  }
  for (const server of scene.nameServers)
    for (const [host, { bearers }] of names) doors.push({ question: 'name', server, bearers, host });
  return doors;
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':');
}

function repeat(times: number, work: () => void): void {
  for (let n = 0; n < times; n += 1) work();
}
