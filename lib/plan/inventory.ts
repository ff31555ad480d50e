// What can stand after -u, -s and -p, and which of it a sequence is expected to use: the factors of the plan. Pure.
//
// Machines are expected, each by itself. Balancers, `direct` and the account that only takes bounces are shown where a sequence uses
// them, and no pair with them is missed: what they lead to is expected by its own name.

import type { Sequence } from '../model/sequence.ts';
import type { Site } from '../model/site.ts';
import type { Path } from '../model/trip.ts';
import { DIRECT, mailboxDoors } from './route.ts';

export type Mailbox = Path['mailbox'];
export const MAILBOXES: readonly Mailbox[] = ['pop3', 'imap'];

export interface Level {
  /** As it stands in sequence.cfg. */
  readonly name: string;
  /** Whether every pair with it is to be walked. */
  readonly wanted: boolean;
}

export interface Levels {
  readonly accounts: readonly Level[];
  readonly mtas: readonly Level[];
  readonly mmps: readonly Level[];
}

/** Those that are expected, in the order of site.cfg, then what the sequence uses besides, in its order. */
export function levelsOf(site: Site, sequence: Sequence): Levels {
  const { accounts, mtas, mmps } = wantedNames(site);
  return {
    accounts: withUsed(
      accounts,
      sequence.map(({ account }) => account),
    ),
    mtas: withUsed(
      mtas,
      sequence.map(({ mta }) => mta),
    ),
    mmps: withUsed(
      mmps,
      sequence.map(({ mmp }) => mmp),
    ),
  };
}

/** The names that every pair is wanted of. Without any MMP the stores are read directly. */
export function wantedNames(site: Site): {
  readonly accounts: readonly string[];
  readonly mtas: readonly string[];
  readonly mmps: readonly string[];
} {
  return {
    accounts: [...site.accounts.keys()].filter(name => !isOnlySender(site, name)),
    mtas: [...site.mtas.keys()],
    mmps: site.mmps.size > 0 ? [...site.mmps.keys()] : [DIRECT],
  };
}

/** An account that is there to take bounces: another one on its store is tested. */
export function isOnlySender(site: Site, account: string): boolean {
  if (site.sender !== account) return false;
  const store = site.accounts.get(account)?.store;
  return [...site.accounts.values()].some(other => other.name !== account && other.store === store);
}

/** By which protocols an account's mailbox can be read through an MMP; none when there is no such door. */
export function doorsOf(site: Site, mmp: string, account: string): readonly Mailbox[] {
  const found = site.accounts.get(account);
  const doors = found === undefined ? undefined : mailboxDoors(site, mmp, found);
  return doors === undefined ? [] : MAILBOXES.filter(mailbox => doors[mailbox] !== undefined);
}

/** The sequence with the protocol filled in where an MMP has but one door. */
export function settled(site: Site, sequence: Sequence): Sequence {
  return sequence.map(entry => {
    if (entry.mailbox !== undefined) return entry;
    const [only, second] = doorsOf(site, entry.mmp, entry.account);
    return only === undefined || second !== undefined ? entry : { ...entry, mailbox: only };
  });
}

function withUsed(wanted: readonly string[], used: readonly string[]): readonly Level[] {
  const known = new Set(wanted);
  const others = [...new Set(used)].filter(name => !known.has(name));
  return [...wanted.map(name => ({ name, wanted: true })), ...others.map(name => ({ name, wanted: false }))];
}
