// Who is visited when: every trip of the two hours after which a sequence repeats itself, and the components that it leads over. Pure.
//
// Behind a balancer each member is visited with a chance of one in so many. Filters are visited by the MTAs that use them, directories
// and the like by those that need them. A name server that nobody is said to need counts as asked by everybody, as isolation sees it.

import { needsOf } from '../isolate/scene.ts';
import { type Component, kindOf, shortName } from '../model/component.ts';
import type { Sequence } from '../model/sequence.ts';
import type { Site } from '../model/site.ts';
import { type Path, pathKey } from '../model/trip.ts';
import { pathsDue } from './due.ts';
import { settled } from './inventory.ts';
import { routeOf } from './route.ts';

/** Minutes after which a sequence repeats itself: entries without -m take turns by the hour. */
export const CYCLE_MINUTES = 120;

export interface Visit {
  /** 0 to 119. */
  readonly minute: number;
  readonly path: Path;
  /** The chance that the trip leads over a component, above 0 and at most 1. */
  readonly odds: ReadonlyMap<Component, number>;
}

/** In the order of time. */
export function visitsOf(site: Site, sequence: Sequence): readonly Visit[] {
  const entries = settled(site, sequence);
  const minutes = [...new Set(entries.map(({ minute }) => minute))].sort((a, b) => a - b);
  const known = new Map<string, ReadonlyMap<Component, number>>();
  const servers = askedByAll(site);
  const oddsOf = (path: Path) => {
    const odds = known.get(pathKey(path)) ?? oddsOnPath(site, path, servers);
    known.set(pathKey(path), odds);
    return odds;
  };
  return [0, 1].flatMap(hour =>
    minutes.flatMap(minute =>
      pathsDue(entries, minute, hour).map(path => ({ minute: hour * 60 + minute, path, odds: oddsOf(path) })),
    ),
  );
}

/** Whom a path leads over, and with what chance. Empty for a path that cannot be walked. */
function oddsOnPath(site: Site, path: Path, servers: readonly Component[]): ReadonlyMap<Component, number> {
  const routed = routeOf(site, path);
  if ('problem' in routed) return new Map();
  const { route } = routed;
  const mmp = (path.mailbox === 'imap' ? route.imap : route.pop3)?.component;
  const store: Component = `store/${route.account.store}`;
  const sides = [
    sideOf(site, route.smtp.component),
    sideOf(site, mmp ?? store),
    sideOf(site, store),
    new Map([[route.account.component, 1]]),
    new Map(servers.map(server => [server, 1])),
  ];
  // Two sides of a path choose independently of each other.
  const odds = new Map<Component, number>();
  for (const side of sides) {
    for (const [component, chance] of side) odds.set(component, 1 - (1 - (odds.get(component) ?? 0)) * (1 - chance));
  }
  return odds;
}

/** A machine, or a balancer with its members, and everybody behind them. */
function sideOf(site: Site, component: Component): ReadonlyMap<Component, number> {
  const odds = new Map(behind(site, component).map(each => [each, 1]));
  const members = membersOf(site, component);
  for (const member of members) {
    for (const each of behind(site, member)) {
      // One member is chosen, so what they have in common adds up.
      odds.set(each, Math.min(1, roundOff((odds.get(each) ?? 0) + 1 / members.length)));
    }
  }
  return odds;
}

function membersOf(site: Site, component: Component): readonly Component[] {
  return kindOf(component) === 'balancer' ? (site.balancers.get(shortName(component))?.members ?? []) : [];
}

/** The component itself, its filters, and what all of these need. */
function behind(site: Site, component: Component): readonly Component[] {
  const filters = kindOf(component) === 'mta' ? filtersOf(site, shortName(component)) : [];
  return [...new Set([component, ...filters].flatMap(each => [each, ...needsOf(site, each)]))];
}

export function filtersOf(site: Site, mta: string): readonly Component[] {
  return [...site.filters.values()].filter(({ usedBy }) => usedBy.includes(mta)).map(({ component }) => component);
}

/** Name servers that stand in nobody's needs. */
export function askedByAll(site: Site): readonly Component[] {
  const needed = new Set(everybody(site).flatMap(component => needsOf(site, component)));
  return [...site.nameServers.values()].map(({ component }) => component).filter(component => !needed.has(component));
}

/** Every component of the site, in the order in which a message meets them. */
export function everybody(site: Site): readonly Component[] {
  const kinds = [
    site.balancers,
    site.mtas,
    site.filters,
    site.mmps,
    site.stores,
    site.accounts,
    site.directories,
    site.nameServers,
  ];
  return kinds.flatMap((kind): Component[] => [...kind.values()].map(({ component }) => component));
}

/** Thirds add up to one. */
function roundOff(chance: number): number {
  return Math.round(chance * 1e9) / 1e9;
}
