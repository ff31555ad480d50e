// Sets of places, for the catalogue.

import { type Component, kindOf } from '../../../lib/model/component.ts';
import type { Protocol } from '../../../lib/model/endpoint.ts';
import type { Site } from '../site.ts';
import type { Place } from './place.ts';

type Places = (site: Site) => readonly Place[];

/** Machines of these kinds, as a whole. */
export function machines(...kinds: readonly ReturnType<typeof kindOf>[]): Places {
  return site =>
    site.machines.filter(({ component }) => kinds.includes(kindOf(component))).map(({ component }) => ({ component }));
}

/** Machines of these kinds as a whole, and each of their protocols where they have more than one. */
export function doors(...kinds: readonly ReturnType<typeof kindOf>[]): Places {
  return site =>
    machines(...kinds)(site).flatMap(place => [place, ...(protocols(site, place).length > 1 ? parts(site, place) : [])]);
}

/** Each protocol of machines of these kinds by itself. */
export function singleDoors(...kinds: readonly ReturnType<typeof kindOf>[]): Places {
  return site => machines(...kinds)(site).flatMap(place => parts(site, place));
}

/** The network between two machines, seen from the one that connects. */
export const links: Places = site => {
  const link = (from: string, to: string): Place => ({ component: `link/${from}-${to}` as Component });
  const names = (kind: 'mta' | 'mmp' | 'store') => site.of(kind).map(machine => machine.name);
  return [
    ...['mta' as const, 'mmp' as const].flatMap(kind => names(kind).flatMap(from => names('store').map(to => link(from, to)))),
    ...[...site.of('mta'), ...site.of('mmp'), ...site.of('store')].flatMap(({ name, directories }) =>
      directories.map(to => link(name, to)),
    ),
    ...names('mta').map(to => link('smtp', to)),
    ...names('mmp').map(to => link('pop', to)),
  ];
};

export const accounts: Places = site => site.accounts.map(({ name }) => ({ component: `account/${name}` as Component }));

export function only(...components: readonly Component[]): Places {
  return () => components.map(component => ({ component }));
}

export function all(...sets: readonly Places[]): Places {
  return site => sets.flatMap(set => set(site));
}

function parts(site: Site, place: Place): Place[] {
  return protocols(site, place).map(protocol => ({ ...place, protocol }));
}

function protocols(site: Site, place: Place): Protocol[] {
  return [...new Set(site.machine(place.component).doors.map(door => door.protocol))];
}
