// The answer is still open: what one more knock, or one more message over another path, would split the remaining suspects best? Pure.

import { type Component, kindOf, shortName } from '../model/component.ts';
import type { Evidence } from '../model/evidence.ts';
import type { Account, Site } from '../model/site.ts';
import type { Path, Trip } from '../model/trip.ts';
import type { Suspect } from '../model/verdict.ts';
import type { Door } from './doors.ts';

export type Split =
  /** Somebody else's log-in at the same door: a fault of the MMP, or of the way to one store? Of the store, or of one account? */
  | { readonly ask: 'other user'; readonly at: Component; readonly account: Account }
  /** The same account over another MTA, or another account over the same one. */
  | { readonly ask: 'path'; readonly path: Path };

/** @returns undefined when the suspects are told apart, or nothing that can be asked would do it */
export function splitOf(site: Site, trip: Trip, evidence: Evidence, suspects: readonly Suspect[]): Split | undefined {
  const open = suspects
    .filter(({ fault, confidence }) => (fault ?? 0) === 0 && confidence === 'cannot tell apart')
    .map(({ component }) => component);
  if (open.length < 2) return undefined;
  const { scene } = evidence;
  const mmp = open.find(each => each === scene.mmp || scene.mmpMembers.includes(each));
  if (mmp !== undefined && open.some(each => kindOf(each) === 'link')) return otherUser(site, evidence, mmp);
  if (open.includes(scene.account) && open.includes(scene.store)) return otherUserOnStore(site, evidence);
  const onSender = open.some(each => each === scene.mta || scene.filters.includes(each));
  if (onSender && open.includes(scene.store)) return otherPath(site, trip, evidence);
  return undefined;
}

/** Where somebody else's log-in is tried; undefined where there is no such door. */
export function doorOf(site: Site, { at, account }: Extract<Split, { readonly ask: 'other user' }>): Door | undefined {
  const found = (kindOf(at) === 'store' ? site.stores : site.mmps).get(shortName(at));
  const endpoint = found?.imap ?? found?.pop3;
  return endpoint === undefined ? undefined : { question: 'login', endpoint: { ...endpoint, login: account.login }, account };
}

function otherUser(site: Site, { scene, knocks }: Evidence, mmp: Component): Split | undefined {
  const store = shortName(scene.store);
  const account = [...site.accounts.values()].find(each => each.store !== store);
  if (account === undefined || knocks.some(({ component, about }) => component === mmp && about === account.name))
    return undefined;
  return { ask: 'other user', at: mmp, account };
}

function otherUserOnStore(site: Site, { scene, knocks }: Evidence): Split | undefined {
  const account = [...site.accounts.values()].find(
    each => each.store === shortName(scene.store) && each.component !== scene.account,
  );
  if (account === undefined || knocks.some(({ component, about }) => component === scene.store && about === account.name))
    return undefined;
  return { ask: 'other user', at: scene.store, account };
}

/** Another MTA without the same filters first: it leaves the store alone under suspicion if the message is lost there too. */
function otherPath(site: Site, trip: Trip, { scene, siblings }: Evidence): Split | undefined {
  const walked = (path: Path) =>
    siblings.some(each => each.forThis && each.path.account === path.account && each.path.mta === path.mta);
  const filtersOf = (name: string) => [...site.filters.values()].filter(({ usedBy }) => usedBy.includes(name)).length;
  const mtas = [...site.mtas.values()].filter(
    ({ component }) => component !== scene.mta && !scene.mtaMembers.includes(component),
  );
  const other = [...mtas].sort((a, b) => filtersOf(a.name) - filtersOf(b.name))[0];
  if (other !== undefined) {
    const path: Path = { ...trip.path, mta: other.name };
    if (!walked(path)) return { ask: 'path', path };
  }
  const store = shortName(scene.store);
  const account = [...site.accounts.values()].find(each => each.store !== store);
  if (account === undefined) return undefined;
  const path: Path = { ...trip.path, account: account.name };
  return walked(path) ? undefined : { ask: 'path', path };
}
