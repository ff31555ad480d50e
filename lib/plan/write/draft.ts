// A sequence made for a site: every pair in the fewest entries, each component as evenly over the hour as can be. Pure, and the same
// each time for the same site.
//
// When the hour has no room for all of them, those entries are taken that leave the least unseen, and the answer says what would make
// room. What is then not covered is for coverage.ts to say: nothing is dropped in silence.

import type { Sequence, SequenceEntry } from '../../model/sequence.ts';
import type { Site } from '../../model/site.ts';
import { doorsOf } from '../inventory.ts';
import { bestRows } from './best-rows.ts';
import { designOf, factorsOf, lowerBound, type Row } from './design.ts';
import { type Stop, spread } from './spread.ts';

/** What `interval` in site.cfg may be: divisors of the hour, in minutes. */
export const INTERVALS: readonly number[] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60];

export interface DraftTerms {
  /** Minutes between two starts by cron; one of INTERVALS. */
  readonly intervalMinutes: number;
  /** Entries that may share a minute, at least 1. */
  readonly perMinute: number;
}

export interface Draft {
  readonly entries: Sequence;
  /** Entries that cover everything, and how many of these only lead over balancers. */
  readonly needed: number;
  readonly forBalancers: number;
  /** No sequence covers every pair of machines in fewer. */
  readonly lowerBound: number;
  /** Entries that there is room for. */
  readonly room: number;
  /** What would make room for all; absent when there is. */
  readonly instead?: {
    /** The longest interval that has a minute for each; absent when even 1 has not. */
    readonly intervalMinutes?: number;
    /** So many entries in a minute, at the given interval. */
    readonly perMinute: number;
    /** And with a start in every minute. */
    readonly perMinuteAtMost: number;
  };
  /** Accounts that cannot be read at all. */
  readonly unreadable: readonly string[];
}

export function draftFor(site: Site, { intervalMinutes, perMinute }: DraftTerms): Draft {
  const factors = factorsOf(site);
  const design = designOf(factors);
  const bound = lowerBound(factors);
  const slots = 60 / intervalMinutes;
  const room = slots * perMinute;
  const rows = design.length <= room ? design : bestRows(factors, room);
  const more = design.length <= room ? {} : { instead: roomFor(design.length, intervalMinutes) };
  return {
    entries: inOrder(site, rows, slots),
    needed: design.length,
    forBalancers: design.length - bound,
    lowerBound: bound,
    room,
    ...more,
    unreadable: factors.unreadable,
  };
}

function roomFor(needed: number, intervalMinutes: number): NonNullable<Draft['instead']> {
  const interval = INTERVALS.toReversed().find(minutes => minutes < intervalMinutes && 60 / minutes >= needed);
  const perMinute = Math.ceil((needed * intervalMinutes) / 60);
  const some = { perMinute, perMinuteAtMost: Math.ceil(needed / 60) };
  return interval === undefined ? some : { intervalMinutes: interval, ...some };
}

/** Minutes for the rows, evenly over the hour, and an order in which each component's visits are even too. */
function inOrder(site: Site, rows: readonly Row[], slots: number): Sequence {
  const interval = 60 / slots;
  const minutes = rows.map((_, place) => Math.floor((place * slots) / rows.length) * interval);
  const stops = rows.map(row => stopOf(site, row, interval));
  return spread(stops, minutes).flatMap((n, place) => {
    const row = rows[n];
    return row === undefined ? [] : [entryOf(site, row, minutes[place] ?? 0)];
  });
}

function stopOf(site: Site, { account, mta, mmp }: Row, interval: number): Stop {
  const store = site.accounts.get(account)?.store ?? account;
  const isShared = [...site.accounts.values()].filter(other => other.store === store).length > 1;
  // With an even interval all entries of an hour go by the same protocol, in whatever order.
  const hasTurns = interval % 2 === 1 && doorsOf(site, mmp, account).length > 1;
  return {
    visits: [`account ${account}`, ...(isShared ? [`store ${store}`] : []), `mta ${mta}`, `mmp ${mmp}`],
    mailbox: account,
    sender: mta,
    ...(hasTurns ? { turns: mmp } : {}),
  };
}

/** Without -m both protocols have their turn; where there is one door only, it is named. */
function entryOf(site: Site, { account, mta, mmp }: Row, minute: number): SequenceEntry {
  const [only, second] = doorsOf(site, mmp, account);
  return { minute, account, mta, mmp, ...(only === undefined || second !== undefined ? {} : { mailbox: only }), line: 0 };
}
