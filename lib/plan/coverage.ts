// Which pairs of components the sequence walks, by which protocol, and which it never does. Pure.
//
// A pair is wanted by every protocol that its MMP has a door for. An MTA and an account meet over some MMP: they are wanted by the
// protocols of those MMPs over which they do meet. Entries without -m count for both protocols, since they take turns by the hour.

import { kindOf, shortName } from '../model/component.ts';
import type { Sequence } from '../model/sequence.ts';
import type { Site } from '../model/site.ts';
import { allPaths } from './due.ts';
import { doorsOf, type Level, levelsOf, MAILBOXES, type Mailbox, settled } from './inventory.ts';

/**
 * - `covered` by every protocol that there is for it
 * - `half` by one protocol, though the MMP on the way has the other door too
 * - `by chance` only through a balancer, which may choose another member each time
 * - `never`
 * - `no way` the MMP, or the store read directly, has no door for it
 */
export type CellState = 'covered' | 'half' | 'by chance' | 'never' | 'no way';

export interface Cell {
  readonly row: string;
  readonly column: string;
  readonly state: CellState;
  /** Protocols by which the pair is walked. */
  readonly walked: readonly Mailbox[];
  /** Protocols by which it is not and could be. */
  readonly missing: readonly Mailbox[];
  /** Pairs with a balancer, with `direct` or with the account for bounces are shown and not missed. */
  readonly wanted: boolean;
}

export type Role = 'mta' | 'mmp' | 'account';

export interface PairTable {
  readonly rows: { readonly role: Role; readonly levels: readonly Level[] };
  readonly columns: { readonly role: Role; readonly levels: readonly Level[] };
  /** By row, then by column. */
  readonly cells: readonly (readonly Cell[])[];
  /** Pairs that are wanted and can be walked. */
  readonly wanted: number;
  readonly covered: number;
}

export interface Coverage {
  readonly mtaAccount: PairTable;
  readonly mmpAccount: PairTable;
  readonly mtaMmp: PairTable;
  /** Whether every pair that is wanted is covered. */
  readonly complete: boolean;
}

export function coverageOf(site: Site, sequence: Sequence): Coverage {
  const entries = settled(site, sequence);
  const { accounts, mtas, mmps } = levelsOf(site, entries);
  const walked = new Walked(site, entries);
  const throughMmp = (mmp: string, account: string) => doorsOf(site, mmp, account);
  const anyAccount = (mmp: string) => union(accounts.map(({ name }) => throughMmp(mmp, name)));
  const anyMmp = (account: string) => union(mmps.filter(({ wanted }) => wanted).map(({ name }) => throughMmp(name, account)));
  const mtaAccount = tableOf(['mta', mtas], ['account', accounts], walked, (mta, account) => {
    const met = walked.mmpsOf(mta, account);
    return met.length === 0 ? anyMmp(account) : union(met.map(mmp => throughMmp(mmp, account)));
  });
  const mmpAccount = tableOf(['mmp', mmps], ['account', accounts], walked, throughMmp);
  const mtaMmp = tableOf(['mta', mtas], ['mmp', mmps], walked, (_mta, mmp) => anyAccount(mmp));
  const complete = [mtaAccount, mmpAccount, mtaMmp].every(({ wanted, covered }) => wanted === covered);
  return { mtaAccount, mmpAccount, mtaMmp, complete };
}

/** The tables of a coverage, in the order in which they are read. */
export function tablesOf({ mtaAccount, mmpAccount, mtaMmp }: Coverage): readonly PairTable[] {
  return [mtaAccount, mmpAccount, mtaMmp];
}

/** The cells that are wanted and not covered. */
export function gapsOf({ cells }: PairTable): readonly Cell[] {
  return cells.flat().filter(({ wanted, state }) => wanted && state !== 'covered' && state !== 'no way');
}

function tableOf(
  [rowRole, rows]: readonly [Role, readonly Level[]],
  [columnRole, columns]: readonly [Role, readonly Level[]],
  walked: Walked,
  possible: (row: string, column: string) => readonly Mailbox[],
): PairTable {
  const cells = rows.map(row =>
    columns.map((column): Cell => {
      const by = walked.by(rowRole, row.name, columnRole, column.name);
      const missing = possible(row.name, column.name).filter(mailbox => !by.includes(mailbox));
      const chance = by.length === 0 && walked.byChance(rowRole, row.name, columnRole, column.name);
      const state: CellState =
        by.length > 0
          ? missing.length > 0
            ? 'half'
            : 'covered'
          : chance
            ? 'by chance'
            : missing.length > 0
              ? 'never'
              : 'no way';
      return { row: row.name, column: column.name, state, walked: by, missing, wanted: row.wanted && column.wanted };
    }),
  );
  const counted = cells.flat().filter(({ wanted, state }) => wanted && state !== 'no way');
  return {
    rows: { role: rowRole, levels: rows },
    columns: { role: columnRole, levels: columns },
    cells,
    wanted: counted.length,
    covered: counted.filter(({ state }) => state === 'covered').length,
  };
}

/** Who meets whom on the paths of a sequence. */
class Walked {
  readonly #met = new Map<string, Set<Mailbox>>();
  readonly #chance = new Set<string>();
  readonly #mmps = new Map<string, Set<string>>();

  constructor(site: Site, sequence: Sequence) {
    for (const { account, mta, mmp, mailbox } of allPaths(sequence)) {
      this.#meet(key('mta', mta, 'account', account), mailbox);
      this.#meet(key('mmp', mmp, 'account', account), mailbox);
      this.#meet(key('mta', mta, 'mmp', mmp), mailbox);
      const over = this.#mmps.get(key('mta', mta, 'account', account)) ?? new Set();
      this.#mmps.set(key('mta', mta, 'account', account), over.add(mmp));
      const senders = [mta, ...membersOf(site, mta, 'mta')];
      const readers = [mmp, ...membersOf(site, mmp, 'mmp')];
      for (const sender of senders) {
        this.#chance.add(key('mta', sender, 'account', account));
        for (const reader of readers) this.#chance.add(key('mta', sender, 'mmp', reader));
      }
      for (const reader of readers) this.#chance.add(key('mmp', reader, 'account', account));
    }
  }

  by(role: Role, name: string, otherRole: Role, other: string): readonly Mailbox[] {
    const met = this.#met.get(key(role, name, otherRole, other));
    return MAILBOXES.filter(mailbox => met?.has(mailbox) === true);
  }

  byChance(role: Role, name: string, otherRole: Role, other: string): boolean {
    return this.#chance.has(key(role, name, otherRole, other));
  }

  mmpsOf(mta: string, account: string): readonly string[] {
    return [...(this.#mmps.get(key('mta', mta, 'account', account)) ?? [])];
  }

  #meet(pair: string, mailbox: Mailbox): void {
    this.#met.set(pair, (this.#met.get(pair) ?? new Set()).add(mailbox));
  }
}

function key(role: Role, name: string, otherRole: Role, other: string): string {
  return `${role}/${name} ${otherRole}/${other}`;
}

function membersOf(site: Site, name: string, kind: 'mta' | 'mmp'): readonly string[] {
  return (site.balancers.get(name)?.members ?? []).filter(member => kindOf(member) === kind).map(shortName);
}

function union(lists: readonly (readonly Mailbox[])[]): readonly Mailbox[] {
  return MAILBOXES.filter(mailbox => lists.some(list => list.includes(mailbox)));
}
