// The paths that a sequence should walk so that every pair is met in the fewest entries: a covering design of strength 2. Pure.
//
// Entries without -m are read by POP3 in one hour and by IMAP in the next, so the protocol needs no entries of its own, and every pair
// is met by both. Of the other three factors the two largest take a row for each of their pairs, which is the least there can be, and
// the third follows a Latin pattern: row (i, j) has its level (i + j) mod n. Since it has no more levels than either, it meets each
// level of both.

import type { Site } from '../../model/site.ts';
import { doorsOf, MAILBOXES, wantedNames } from '../inventory.ts';

/** One entry to be made: names as they stand in sequence.cfg. */
export interface Row {
  readonly account: string;
  readonly mta: string;
  readonly mmp: string;
}

/** What a design is made of. */
export interface Factors {
  readonly accounts: readonly string[];
  readonly mtas: readonly string[];
  readonly mmps: readonly string[];
  /** Balancers in front of MTAs, and in front of MMPs: to be visited, not paired with everybody. */
  readonly senders: readonly string[];
  readonly readers: readonly string[];
  /** Accounts that no MMP can read: there is no entry for them. */
  readonly unreadable: readonly string[];
}

export function factorsOf(site: Site): Factors {
  const { accounts, mtas, mmps } = wantedNames(site);
  const isReadable = (account: string) => mmps.some(mmp => doorsOf(site, mmp, account).length > 0);
  const balancers = [...site.balancers.values()];
  return {
    accounts: accounts.filter(isReadable),
    mtas,
    mmps,
    senders: balancers.filter(({ doors }) => doors.smtp !== undefined).map(({ name }) => name),
    readers: balancers.filter(({ doors }) => MAILBOXES.some(mailbox => doors[mailbox] !== undefined)).map(({ name }) => name),
    unreadable: accounts.filter(account => !isReadable(account)),
  };
}

/** The least number of entries in which every pair of machines can be met: the product of the two largest factors. */
export function lowerBound({ accounts, mtas, mmps }: Factors): number {
  if (accounts.length === 0 || mtas.length === 0 || mmps.length === 0) return 0;
  const [one = 0, two = 0] = [accounts.length, mtas.length, mmps.length].sort((a, b) => b - a);
  return one * two;
}

/** A row for each pair of the two largest factors, then rows for balancers; none when a factor is empty. */
export function designOf(factors: Factors): readonly Row[] {
  const byWord = { account: factors.accounts, mta: factors.mtas, mmp: factors.mmps };
  const words = (['account', 'mta', 'mmp'] as const).toSorted((a, b) => byWord[b].length - byWord[a].length);
  const [large, middle, small] = words.map(word => ({ word, names: byWord[word] }));
  if (large === undefined || middle === undefined || small === undefined || small.names.length === 0) return [];
  const rows = large.names.flatMap((one, i) =>
    middle.names.map((two, j): Row => {
      const three = small.names[(i + j) % small.names.length] ?? '';
      const named = { [large.word]: one, [middle.word]: two, [small.word]: three };
      return { account: named.account ?? '', mta: named.mta ?? '', mmp: named.mmp ?? '' };
    }),
  );
  return [...rows, ...balancerRows(factors)];
}

/** As few rows as lead over each balancer once. */
export function balancerRows({ accounts, mtas, mmps, senders, readers }: Factors): readonly Row[] {
  if (accounts.length === 0 || mtas.length === 0 || mmps.length === 0) return [];
  return Array.from({ length: Math.max(senders.length, readers.length) }, (_, n) => ({
    account: accounts[n % accounts.length] ?? '',
    mta: senders[n] ?? mtas[n % mtas.length] ?? '',
    mmp: readers[n] ?? mmps[n % mmps.length] ?? '',
  }));
}
