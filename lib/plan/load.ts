// What a sequence costs the site: test messages and log-ins by the hour, and knocks after a failure. Pure.
//
// By POP3 every look for the message is a log-in. At best one to open the mailbox and one that finds the message; at most pop3_logins
// of them, and one more when another client has found it at the limit. A message that is missed is looked for elsewhere, and bounces
// are looked for in the sender's mailbox.

import { doorsToKnock } from '../isolate/doors.ts';
import type { Sequence } from '../model/sequence.ts';
import type { Route, Site } from '../model/site.ts';
import type { Path } from '../model/trip.ts';
import { tripOf, worldOf } from './apart/suppose.ts';
import { pathsDue } from './due.ts';
import { settled } from './inventory.ts';

/** Messages sent in isolation to tell suspects apart, at most, for one trip that failed: over another MTA, and to another store. */
export const FURTHER_MESSAGES = 2;

/** Log-ins in one hour: `least` when all goes well, `most` when every message is missed. */
export interface LogIns {
  readonly least: number;
  readonly most: number;
}

export interface Load {
  /** In any hour. */
  readonly messages: number;
  readonly pop3: LogIns;
  readonly imap: LogIns;
  readonly smtp: LogIns;
  /** By account, in the order of site.cfg; those that no entry and no bounce concerns are left out. */
  readonly accounts: readonly {
    readonly account: string;
    readonly messages: number;
    readonly logIns: LogIns;
  }[];
  readonly knocks: {
    /** Doors behind the path that has most of them. */
    readonly most: number;
    /** And behind all entries of the minute that has most of them. */
    readonly mostInMinute: number;
    /** `knocks` in site.cfg: no run makes more. */
    readonly cap: number;
  };
}

type Count = { least: number; most: number };

/** The busiest of the hours that take turns, for each number by itself. */
export function loadOf(site: Site, sequence: Sequence): Load {
  const entries = settled(site, sequence);
  const minutes = [...new Set(entries.map(({ minute }) => minute))];
  const hours = [0, 1].map(hour => {
    const tally = new Tally();
    for (const minute of minutes) for (const path of pathsDue(entries, minute, hour)) tally.add(site, path);
    return tally;
  });
  const busiest = (count: (hour: Tally) => Count | undefined): LogIns => ({
    least: Math.max(...hours.map(hour => count(hour)?.least ?? 0)),
    most: Math.max(...hours.map(hour => count(hour)?.most ?? 0)),
  });
  const named = [...site.accounts.keys()].filter(account => hours.some(({ accounts }) => accounts.has(account)));
  return {
    messages: entries.length,
    pop3: busiest(({ pop3 }) => pop3),
    imap: busiest(({ imap }) => imap),
    smtp: busiest(({ smtp }) => smtp),
    accounts: named.map(account => ({
      account,
      messages: entries.filter(entry => entry.account === account).length,
      logIns: busiest(({ accounts }) => accounts.get(account)),
    })),
    knocks: knocksOf(site, entries, minutes),
  };
}

class Tally {
  readonly pop3: Count = { least: 0, most: 0 };
  readonly imap: Count = { least: 0, most: 0 };
  readonly smtp: Count = { least: 0, most: 0 };
  readonly accounts = new Map<string, Count>();

  add(site: Site, path: Path): void {
    const route = worldOf(site, path)?.route;
    if (route === undefined) return;
    if (route.smtp.login !== undefined) count(this.smtp, 1, 1);
    const { pop3, imap } = boxLogIns(site, route);
    // Looked for in all folders, by one door after the other, and taken out of the one it is in.
    const elsewhere = route.lookAt.length === 0 ? 0 : route.lookAt.length + 1;
    count(this.pop3, pop3.least, pop3.most);
    count(this.imap, imap.least, imap.most + elsewhere);
    count(this.#of(path.account), pop3.least + imap.least, pop3.most + imap.most + elsewhere);
    const bounces = route.sender.imap ?? route.sender.pop3;
    if (site.sender === undefined || bounces === undefined) return;
    // Once early and once at the limit.
    count(bounces.protocol === 'imap' ? this.imap : this.pop3, 0, 2);
    count(this.#of(site.sender), 0, 2);
  }

  #of(account: string): Count {
    const known = this.accounts.get(account) ?? { least: 0, most: 0 };
    this.accounts.set(account, known);
    return known;
  }
}

/** Log-ins to open, watch and read the mailbox of one trip. */
function boxLogIns(site: Site, { path, imap }: Route): { readonly pop3: LogIns; readonly imap: LogIns } {
  if (path.mailbox === 'imap') return { pop3: { least: 0, most: 0 }, imap: { least: 1, most: 1 } };
  if (site.popWatchesByImap && imap !== undefined) return { pop3: { least: 2, most: 3 }, imap: { least: 1, most: 1 } };
  return { pop3: { least: 2, most: site.popLogins + 2 }, imap: { least: 0, most: 0 } };
}

function count(what: Count, least: number, most: number): void {
  what.least += least;
  what.most += most;
}

function knocksOf(site: Site, entries: Sequence, minutes: readonly number[]): Load['knocks'] {
  const byMinute = minutes.map(minute =>
    [0, 1].map(hour => pathsDue(entries, minute, hour).map(path => doorsBehind(site, path))),
  );
  const runs = byMinute.flat();
  return {
    most: Math.max(0, ...runs.flat()),
    mostInMinute: Math.max(0, ...runs.map(doors => doors.reduce((sum, each) => sum + each, 0))),
    cap: site.knocks,
  };
}

/** Doors that are knocked at after a trip that failed, for the fault after which there are most of them. */
function doorsBehind(site: Site, path: Path): number {
  const world = worldOf(site, path);
  if (world === undefined) return 0;
  const { route, scene } = world;
  const { component } = route.smtp;
  const faults = [
    { component, protocol: 'smtp', phase: 'auth', kind: 'rejected', text: 'refused', lasting: 'permanent' },
    { component, protocol: 'smtp', phase: 'resolve', kind: 'name', text: 'not resolved', lasting: 'unknown' },
  ] as const;
  return Math.max(...faults.map(fault => doorsToKnock(site, route, scene, tripOf(path, fault, { outcome: 'unsent' })).length));
}
