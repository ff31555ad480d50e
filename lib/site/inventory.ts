// What a site.cfg speaks of, by component: enough to judge references and the sequence, even while parts of the file are wrong.

import type { Component, Kind } from '../model/component.ts';
import type { Place } from './problem.ts';
import type { SiteContents } from './site-table.ts';
import type { Entry, Fields } from './table/field.ts';

type DoorName = 'smtp' | 'lmtp' | 'pop3' | 'imap';

export interface Known {
  readonly component: Component;
  readonly kind: Kind;
  readonly name: string;
  /** The section that describes it: `[mta.ssmtp01]`. */
  readonly label: string;
  readonly place: Place;
  readonly doors: ReadonlySet<DoorName>;
  /** An account: the store that holds its mailbox. Absent while the config does not say so. */
  readonly store?: string;
  /** A balancer: what is behind it, as written. */
  readonly members: readonly string[];
}

/** Every component, by its full name: `mta/ssmtp01`. */
export type Inventory = ReadonlyMap<string, Known>;

export function takeInventory(contents: SiteContents): Inventory {
  const known = new Map<string, Known>();
  const add = (kind: Kind, entry: Entry<Fields>, more: Partial<Known> = {}): void => {
    const component: Component = `${kind}/${entry.name}`;
    if (known.has(component)) return; // two accounts of one name: told by references.ts
    known.set(component, {
      component,
      kind,
      name: entry.name,
      label: entry.label,
      place: entry.place,
      doors: doorsOf(entry),
      members: [],
      ...more,
    });
  };
  for (const entry of contents.mta) add('mta', entry, { doors: new Set(['smtp']) });
  for (const entry of contents.mmp) add('mmp', entry);
  for (const entry of contents.store) {
    add('store', entry);
    if (entry.written.has('address')) add('account', entry, { store: entry.name, doors: new Set() });
  }
  for (const entry of contents.account)
    add('account', entry, entry.draft.store === undefined ? {} : { store: entry.draft.store });
  for (const entry of contents.balancer)
    add('balancer', entry, { members: (entry.draft.members ?? []).map(member => member.value) });
  for (const entry of contents.directory) add('directory', entry);
  for (const entry of contents.filter) add('filter', entry);
  for (const entry of contents.dns) add('dns', entry);
  return known;
}

/** Names of one or several kinds, as an operator writes them in references without a kind. */
export function namesOf(inventory: Inventory, ...kinds: readonly Kind[]): string[] {
  return [...inventory.values()].filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
}

/** A door that is written there counts, even when its value is wrong: that has been told already. */
function doorsOf(entry: Entry<Fields>): ReadonlySet<DoorName> {
  return new Set((['smtp', 'lmtp', 'pop3', 'imap'] as const).filter(door => entry.written.has(door)));
}
