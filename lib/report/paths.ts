// The trips by path and by component. Pure.

import { KINDS } from '../model/component.ts';
import { type Path, pathKey } from '../model/trip.ts';
import type { Report } from './data.ts';
import type { FactPath, TripFact } from './facts.ts';
import { pathLabel } from './incidents.ts';
import type { Names } from './names.ts';
import { type Stretch, stretchIndex } from './stretches.ts';
import { type Fates, groupBy, tally, worstOf } from './tally.ts';

type PathNumbers = Report['paths'][number];
type ComponentNumbers = Report['components'][number];

/** By path: those of the sequence first and in its order, then others by name. A path that was not walked is not among them. */
export function pathNumbers(
  trips: readonly TripFact[],
  options: { readonly fates: Fates; readonly sequence: readonly Path[]; readonly stretches: readonly Stretch[] },
): PathNumbers[] {
  const { fates, sequence, stretches } = options;
  const places = new Map(sequence.map((path, index) => [pathKey(path), index]));
  const groups = [...groupBy(trips, trip => pathLabel(trip.path)).values()];
  const placeOf = (group: readonly TripFact[]) => places.get(keyOf(group[0]?.path)) ?? sequence.length;
  const labelOf = (group: readonly TripFact[]) => (group[0] === undefined ? '' : pathLabel(group[0].path));
  return groups
    .sort((a, b) => placeOf(a) - placeOf(b) || compareText(labelOf(a), labelOf(b)))
    .flatMap(group => {
      const [first] = group;
      if (first === undefined) return [];
      const { account, mta, mmp, mailbox } = first.path;
      return [
        { label: pathLabel(first.path), account, mta, mmp, mailbox, ...tally(group, fates), trend: trend(group, stretches) },
      ];
    });
}

/** The key that a path has in maps; a path of a table, which does not tell the protocol, has none. */
export function keyOf(path: FactPath | undefined): string {
  return path === undefined || path.mailbox === '' ? '' : pathKey({ ...path, mailbox: path.mailbox });
}

function trend(trips: readonly TripFact[], stretches: readonly Stretch[]): PathNumbers['trend'] {
  const parts = stretches.map((): TripFact[] => []);
  for (const trip of trips) parts[stretchIndex(stretches, trip.startedAt)]?.push(trip);
  return parts.map((part, index) => {
    const totals = part.flatMap(({ totalMs }) => totalMs ?? []);
    return {
      at: stretches[index]?.at ?? 0,
      worst: totals.length === 0 ? null : totals.reduce((a, b) => Math.max(a, b)),
      state: worstOf(part),
    };
  });
}

function componentsOf({ account, mta, mmp }: FactPath, names: Names): string[] {
  return [names.mta(mta), names.mmp(mmp), names.home(account)].filter(component => component !== undefined);
}

/**
 * By component: every trip that leads over it, whoever broke it, and how often a verdict named it. Components that are only named
 * (a directory, a filter, the network between two) have no trips of their own.
 */
export function componentNumbers(trips: readonly TripFact[], fates: Fates, names: Names): ComponentNumbers[] {
  const over = new Map<string, TripFact[]>();
  const blamed = new Map<string, { sure: number; likely: number; open: number }>();
  for (const trip of trips) {
    for (const component of componentsOf(trip.path, names)) {
      const list = over.get(component);
      if (list === undefined) over.set(component, [trip]);
      else list.push(trip);
    }
    for (const { component, confidence } of trip.suspects) {
      const count = blamed.get(component) ?? { sure: 0, likely: 0, open: 0 };
      if (confidence === 'sure') count.sure += 1;
      else if (confidence === 'likely') count.likely += 1;
      else count.open += 1;
      blamed.set(component, count);
    }
  }
  return [...new Set([...over.keys(), ...blamed.keys()])]
    .map(component => {
      const [kind = '', name = component] = component === 'monitor' ? ['monitor', 'monitor'] : split(component);
      const count = blamed.get(component) ?? { sure: 0, likely: 0, open: 0 };
      return { component, kind, name, ...tally(over.get(component) ?? [], fates), ...count };
    })
    .sort((a, b) => rankOf(a.kind) - rankOf(b.kind) || compareText(a.name, b.name));
}

function split(component: string): [string, string] {
  const slash = component.indexOf('/');
  return [component.slice(0, slash), component.slice(slash + 1)];
}

function rankOf(kind: string): number {
  const order: readonly string[] = KINDS;
  const place = order.indexOf(kind);
  return place === -1 ? order.length : place;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
