// Where faults can be put in a given site, and which trip then meets them.

import type { Component, Kind } from '../../model/component.ts';
import { kindOf, shortName } from '../../model/component.ts';
import type { Protocol } from '../../model/endpoint.ts';
import type { Path } from '../../model/trip.ts';
import { SENDER } from '../build.ts';
import { doorsOf, type Machinery } from '../machinery.ts';
import { type Place, splitPlace } from './faults.ts';

/** Components of these kinds. */
export function components(machinery: Machinery, ...kinds: readonly Kind[]): Component[] {
  const { mtas, mmps, stores, directories, filters, balancers, nameServers, residents } = machinery;
  const all: readonly (readonly [Kind, Iterable<string>])[] = [
    ['mta', mtas.keys()],
    ['mmp', mmps.keys()],
    ['store', stores.keys()],
    ['account', [...residents.keys()].filter(name => name !== SENDER)],
    ['directory', directories.keys()],
    ['filter', filters.keys()],
    ['balancer', balancers.keys()],
    ['dns', nameServers.keys()],
  ];
  return all
    .filter(([kind]) => kinds.includes(kind))
    .flatMap(([kind, names]) => [...names].map(name => `${kind}/${name}` as const));
}

/**
 * The filters that an MTA shows its messages to. What the MTA then does with a message, it may do on the filter's word: from outside,
 * by a door that only negotiates, the two cannot be told apart.
 */
export function filtersOf(machinery: Machinery, mta: string): Component[] {
  const use = machinery.mtas.get(mta)?.filter;
  return use === undefined
    ? []
    : [...machinery.filters].filter(([, filter]) => filter === use.filter).map(([name]) => `filter/${name}` as const);
}

/** Components of these kinds, and, where one has several doors, each of them as well. */
export function doorPlaces(machinery: Machinery, ...kinds: readonly Kind[]): Place[] {
  return components(machinery, ...kinds).flatMap(component => {
    const doors = doorsOf(machinery, component);
    return doors.length === 1 ? [component] : [component, ...doors.map(({ protocol }): Place => `${component} ${protocol}`)];
  });
}

/** Links over which mail or log-ins go inside the site. */
export function links(machinery: Machinery): Component[] {
  const stores = [...machinery.stores.keys()];
  return [...machinery.mtas.keys(), ...machinery.mmps.keys()].flatMap(from =>
    stores.map(store => `link/${from}-${store}` as const),
  );
}

/** The machines at both ends of a link. */
export function endsOf(machinery: Machinery, link: Component): { from: Component; to: Component } {
  const [first = '', second = ''] = shortName(link).split('-');
  return { from: machinery.mtas.has(first) ? `mta/${first}` : `mmp/${first}`, to: `store/${second}` };
}

/** A trip that goes through the place; of those that do not matter, the first. */
export function pathThrough(machinery: Machinery, place: Place): Path {
  const { component, protocol } = splitPlace(place);
  const name = shortName(component);
  const first = (map: ReadonlyMap<string, unknown>) => [...map.keys()][0] ?? '';
  const path: Path = {
    account: first(machinery.stores),
    mta: first(machinery.mtas),
    mmp: first(machinery.mmps),
    mailbox: mailboxOf(protocol),
  };
  switch (kindOf(component)) {
    case 'mta':
      return { ...path, mta: name };
    case 'mmp':
      return { ...path, mmp: name };
    case 'store':
    case 'account':
      return { ...path, account: name };
    case 'directory':
      return {
        ...path,
        mta: firstAsker(machinery, component, machinery.mtas),
        mmp: firstAsker(machinery, component, machinery.mmps),
      };
    case 'filter':
      return { ...path, mta: [...machinery.mtas].find(([, mta]) => mta.filter !== undefined)?.[0] ?? path.mta };
    case 'balancer':
      return name === 'smtp' ? { ...path, mta: name } : { ...path, mmp: name };
    case 'link': {
      const { from, to } = endsOf(machinery, component);
      const ends = { ...path, account: shortName(to) };
      return kindOf(from) === 'mta' ? { ...ends, mta: shortName(from) } : { ...ends, mmp: shortName(from) };
    }
    default:
      return path;
  }
}

/** Another store than the given one; undefined when there is only one. */
export function otherStore(machinery: Machinery, store: string): Component | undefined {
  const other = [...machinery.stores.keys()].find(name => name !== store);
  return other === undefined ? undefined : `store/${other}`;
}

function mailboxOf(protocol: Protocol | undefined): Path['mailbox'] {
  return protocol === 'pop3' ? 'pop3' : 'imap';
}

/** The machine that asks this directory before any other. */
function firstAsker(
  machinery: Machinery,
  directory: Component,
  among: ReadonlyMap<string, { readonly component: Component }>,
): string {
  for (const [name, { component }] of among) if (machinery.directoryOrder.get(component)?.[0] === directory) return name;
  return [...among.keys()][0] ?? '';
}
