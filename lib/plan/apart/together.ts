// Components that every test of either leads over: which tests fail never tells them apart, only doors do. With each the entry that
// would part them. Pure.

import type { Component } from '../../model/component.ts';
import type { Sequence, SequenceEntry } from '../../model/sequence.ts';
import type { Site } from '../../model/site.ts';
import { entryOver } from '../change.ts';
import { wantedNames } from '../inventory.ts';

export interface Together {
  readonly components: readonly [Component, Component];
  /** Leads over the first of them, and past the second. */
  readonly entry: SequenceEntry;
}

/** Of MTAs, MMPs and accounts; pairs that no entry could part are left out. */
export function togetherIn(site: Site, sequence: Sequence): readonly Together[] {
  const wanted = wantedNames(site);
  const names = { mta: wanted.mtas, mmp: wanted.mmps.filter(name => site.mmps.has(name)), account: wanted.accounts };
  const pairs = [
    ['mta', 'account'],
    ['mmp', 'account'],
    ['mta', 'mmp'],
  ] as const;
  const entriesOf = new Map<string, string>();
  for (const word of ['mta', 'mmp', 'account'] as const)
    for (const name of names[word])
      entriesOf.set(`${word}/${name}`, sequence.flatMap((entry, n) => (entry[word] === name ? [n] : [])).join());
  return pairs.flatMap(([word, other]) =>
    names[word].flatMap(name =>
      names[other].flatMap((partner): Together[] => {
        const entries = entriesOf.get(`${word}/${name}`);
        if (entries === '' || entries !== entriesOf.get(`${other}/${partner}`)) return [];
        const past = names[other].find(each => each !== partner);
        const entry = past === undefined ? undefined : entryOver(site, sequence, { [word]: name, [other]: past });
        return entry === undefined ? [] : [{ components: [`${word}/${name}`, `${other}/${partner}`], entry }];
      }),
    ),
  );
}
