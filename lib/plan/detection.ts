// How long a component can be broken before that is noticed: the longest pause between two visits, and then a trip that uses up its
// limits, and isolation. Pure.
//
// One fault uses up one limit of a trip, so the sum of all of them is beyond what it can take. A start that is skipped because another
// is under way adds a pause: see timing.ts.

import { needsOf } from '../isolate/scene.ts';
import { type Component, kindOf, shortName } from '../model/component.ts';
import type { Sequence, SequenceEntry } from '../model/sequence.ts';
import type { Limits, Site } from '../model/site.ts';
import { type Change, entryOver } from './change.ts';
import { isOnlySender, MAILBOXES, type Mailbox } from './inventory.ts';
import { askedByAll, CYCLE_MINUTES, everybody, filtersOf, type Visit, visitsOf } from './visits.ts';

/** So certain is the time within which a component behind a balancer is met. */
export const CERTAINTY = 0.95;

const MINUTE_MS = 60_000;

export interface Detection {
  readonly component: Component;
  /** False for what is not there to be tested: an account that only takes bounces. */
  readonly wanted: boolean;
  /** Visits that are certain, in an hour on the average. */
  readonly visitsAnHour: number;
  /** Until a failure is noticed at the latest; ms. Absent: no visit is certain. */
  readonly worstMs?: number;
  /** Visits through a balancer, which may choose another member. */
  readonly chance?: {
    readonly visitsAnHour: number;
    /** The least chance that one of them leads over it. */
    readonly odds: number;
    /** Until a failure is noticed with CERTAINTY, by these visits alone; ms. */
    readonly likelyMs: number;
  };
  /** MMPs and balancers in their place: the same for each protocol by itself. ms; absent where it is never used. */
  readonly byProtocol?: Partial<Record<Mailbox, number>>;
  /** What the numbers do not say, a sentence each. */
  readonly notes: readonly string[];
  /** For a component that is never visited. */
  readonly change?: Change;
}

/** The longest that one trip takes by its limits, and isolation after it; ms. */
export function longestMs({ submitMs, deliverMs, fetchMs, isolateMs }: Limits): number {
  return submitMs + deliverMs + fetchMs + isolateMs;
}

/** Nothing leads over it: a failure of it is never noticed. */
export function isUnseen({ wanted, worstMs, chance }: Detection): boolean {
  return wanted && worstMs === undefined && chance === undefined;
}

/** One answer for each component, in the order in which a message meets them. */
export function detectionOf(site: Site, sequence: Sequence): readonly Detection[] {
  const visits = visitsOf(site, sequence);
  const over = new Map<Component, Visit[]>();
  for (const visit of visits) {
    for (const component of visit.odds.keys()) {
      const known = over.get(component);
      if (known === undefined) over.set(component, [visit]);
      else known.push(visit);
    }
  }
  const servers = new Set(askedByAll(site));
  // One entry leads over several of those that are never visited: it is proposed to all of them.
  const proposed: SequenceEntry[] = [];
  return everybody(site).map(component => {
    const found = detect(site, component, over.get(component) ?? []);
    const notes = [...found.notes, ...(servers.has(component) ? ['nobody\'s "needs" names it: taken as asked by all'] : [])];
    if (!isUnseen(found)) return { ...found, notes };
    const known = proposed.find(entry => visitsOf(site, [entry]).some(({ odds }) => odds.get(component) === 1));
    const change: Change | undefined =
      known === undefined ? changeFor(site, [...sequence, ...proposed], component) : { file: 'sequence.cfg', entries: [known] };
    if (known === undefined && change?.file === 'sequence.cfg') proposed.push(...change.entries);
    return { ...found, notes, ...(change === undefined ? {} : { change }) };
  });
}

function detect(site: Site, component: Component, visits: readonly Visit[]): Detection {
  const certain = visits.filter(({ odds }) => odds.get(component) === 1);
  const chancy = visits.filter(({ odds }) => odds.get(component) !== 1);
  const tripMs = longestMs(site.limits);
  const timeOf = (some: readonly Visit[]) => longestPause(some.map(({ minute }) => minute)) * MINUTE_MS + tripMs;
  const isSender = kindOf(component) === 'account' && isOnlySender(site, shortName(component));
  return {
    component,
    wanted: !isSender || visits.length > 0,
    visitsAnHour: (certain.length * 60) / CYCLE_MINUTES,
    ...(certain.length === 0 ? {} : { worstMs: timeOf(certain) }),
    ...(chancy.length === 0 ? {} : { chance: chanceOf(component, chancy, tripMs) }),
    ...(readsMail(site, component) && certain.length > 0 ? { byProtocol: byProtocol(certain, timeOf) } : {}),
    notes: notesFor(site, component, { isSender, isChancy: certain.length === 0 && chancy.length > 0 }),
  };
}

function byProtocol(visits: readonly Visit[], timeOf: (some: readonly Visit[]) => number): Partial<Record<Mailbox, number>> {
  const times: Partial<Record<Mailbox, number>> = {};
  for (const mailbox of MAILBOXES) {
    const some = visits.filter(({ path }) => path.mailbox === mailbox);
    if (some.length > 0) times[mailbox] = timeOf(some);
  }
  return times;
}

/** An MMP, or a balancer in front of some. */
function readsMail(site: Site, component: Component): boolean {
  const doors = site.balancers.get(shortName(component))?.doors;
  return kindOf(component) === 'mmp' || (kindOf(component) === 'balancer' && (doors?.pop3 ?? doors?.imap) !== undefined);
}

/** Between two of these minutes of the cycle, which begins anew after its end; a whole cycle when there is but one. */
function longestPause(minutes: readonly number[], cycle = CYCLE_MINUTES): number {
  const sorted = [...new Set(minutes)].sort((a, b) => a - b);
  const first = sorted[0] ?? 0;
  return sorted.reduce((longest, minute, n) => Math.max(longest, (sorted[n + 1] ?? first + cycle) - minute), 0);
}

/** How long it takes, from the worst moment on, until all visits together have missed it with less than 5 %. */
function chanceOf(component: Component, visits: readonly Visit[], tripMs: number): NonNullable<Detection['chance']> {
  const odds = visits.map(visit => visit.odds.get(component) ?? 0);
  const worst = Math.max(
    ...visits.map((begin, first) => {
      let missed = 1;
      for (let n = 1; ; n += 1) {
        const at = (first + n) % visits.length;
        missed *= 1 - (odds[at] ?? 0);
        if (missed <= 1 - CERTAINTY + 1e-9)
          return (visits[at]?.minute ?? 0) - begin.minute + Math.floor((first + n) / visits.length) * CYCLE_MINUTES;
      }
    }),
  );
  return {
    visitsAnHour: (visits.length * 60) / CYCLE_MINUTES,
    odds: Math.min(...odds),
    likelyMs: worst * MINUTE_MS + tripMs,
  };
}

function notesFor(
  site: Site,
  component: Component,
  { isSender, isChancy }: { readonly isSender: boolean; readonly isChancy: boolean },
): readonly string[] {
  const notes: string[] = [];
  if (isSender) notes.push('only takes bounces: it is read when a message is missing');
  if (isChancy) notes.push('a balancer that leaves out a dead member hides it');
  const others = standIns(site, component);
  if (others.length > 0) notes.push(`a dead one may be hidden: who needs it also has ${others.join(', ')} to turn to`);
  return notes;
}

/** Directories or name servers that everybody has beside this one, so that fail-over may hide its failure. */
function standIns(site: Site, component: Component): readonly Component[] {
  const kind = kindOf(component);
  if (kind !== 'directory' && kind !== 'dns') return [];
  const users = everybody(site).filter(each => needsOf(site, each).includes(component));
  const lists = users.map(each => needsOf(site, each).filter(need => need !== component && kindOf(need) === kind));
  return lists.every(list => list.length > 0) ? [...new Set(lists.flat())] : [];
}

/** Lines that would have it visited. */
function changeFor(site: Site, sequence: Sequence, component: Component): Change | undefined {
  const name = shortName(component);
  const entry = (over: Parameters<typeof entryOver>[2]): Change | undefined => {
    const found = entryOver(site, sequence, over);
    return found === undefined ? undefined : { file: 'sequence.cfg', entries: [found] };
  };
  const toSite = (section: string, ...lines: readonly string[]): Change => ({ file: 'site.cfg', section, lines });
  switch (kindOf(component)) {
    case 'mta':
      return entry({ mta: name });
    case 'mmp':
      return entry({ mmp: name });
    case 'account':
      return entry({ account: name });
    case 'balancer':
      return entry(site.balancers.get(name)?.doors.smtp === undefined ? { mmp: name } : { mta: name });
    case 'store': {
      const account = [...site.accounts.values()].find(({ store }) => store === name);
      if (account !== undefined) return entry({ account: account.name });
      return toSite(`[store.${name}]`, `address = "test@${site.domain}"`, `password_file = "secrets/${name}"`);
    }
    case 'filter': {
      const mta = [...site.mtas.keys()].find(each => filtersOf(site, each).includes(component));
      return mta === undefined ? undefined : entry({ mta });
    }
    default: {
      const user = everybody(site).find(each => needsOf(site, each).includes(component));
      const needed = user === undefined ? undefined : changeFor(site, sequence, user);
      return needed ?? toSite('[mta.NAME], [mmp.NAME] or [store.NAME], whichever asks it', `needs = ["${component}"]`);
    }
  }
}
