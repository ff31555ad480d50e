// The site as etc/site.cfg describes it, after checking: every reference resolved by name, every default filled in.

import type { Component } from './component.ts';
import type { Endpoint, Login, Protocol } from './endpoint.ts';
import type { Path } from './trip.ts';

/** Time limits of a trip; ms. */
export interface Limits {
  readonly submitMs: number;
  /** From the MTA's final 250 until we call the message lost. */
  readonly deliverMs: number;
  /** Opening the mailbox, and fetching from it, each. */
  readonly fetchMs: number;
  readonly isolateMs: number;
  /** A total above this is `slow`. */
  readonly slowMs: number;
}

interface Named {
  readonly name: string;
  readonly component: Component;
  /** Other components that this one cannot work without, by the operator's own word. */
  readonly needs: readonly Component[];
}

export interface Mta extends Named {
  readonly smtp: Endpoint;
  /** How to ask for a message in its queue; absent: not at all. */
  readonly queue?: QueueAccess;
}

/** A command that prints an MTA's queue, run without a shell. */
export interface QueueAccess {
  readonly flavour: 'postfix' | 'exim' | 'sendmail';
  readonly command: readonly string[];
}

/** A POP/IMAP proxy. */
export interface Mmp extends Named {
  readonly pop3?: Endpoint;
  readonly imap?: Endpoint;
}

export interface Store extends Named {
  readonly lmtp?: Endpoint;
  readonly pop3?: Endpoint;
  readonly imap?: Endpoint;
  /** Where filters put what they suspect; looked for by special use and by common names when absent. */
  readonly junk?: string;
}

export interface Account extends Named {
  readonly store: string;
  readonly address: string;
  readonly login: Login;
}

export interface Directory extends Named {
  readonly ldap: Endpoint;
  readonly base: string;
  /** `%s` stands for the account's address, `%u` for its user. */
  readonly filter: string;
  readonly attributes: readonly string[];
}

export interface Filter extends Named {
  /** A milter's socket: host and port, or a local path. */
  readonly socket: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly usedBy: readonly string[];
}

export interface Balancer extends Named {
  readonly doors: Partial<Record<Protocol, Endpoint>>;
  readonly members: readonly Component[];
}

export interface NameServer extends Named {
  readonly address: string;
  readonly port: number;
}

/** A planned outage: the component is left out of verdicts between these instants. */
export interface Maintenance {
  readonly component: Component;
  /** Epoch ms. */
  readonly from: number;
  readonly until: number;
  readonly reason: string;
}

/** What a path leads over, in endpoints that are ready to use. */
export interface Route {
  readonly path: Path;
  readonly account: Account;
  readonly smtp: Endpoint;
  /** The doors of the MMP (or of the store itself for `-p direct`), with the account's log-in. */
  readonly pop3?: Endpoint;
  readonly imap?: Endpoint;
  /** IMAP doors for looking where a message went, in order of preference. */
  readonly lookAt: readonly Endpoint[];
  /** Envelope sender, and where bounces to it are read when that is not the receiving account. */
  readonly sender: { readonly address: string; readonly imap?: Endpoint; readonly pop3?: Endpoint };
}

/** Parts of a test message that the site is known to change, which is then no fault. */
export type MayAlter = 'subject' | 'header' | 'body';

export interface Site {
  readonly name: string;
  /** The site's mail domain, used in Message-ID. */
  readonly domain: string;
  readonly limits: Limits;
  /** Minutes between two starts of check_rndtrip by cron. */
  readonly intervalMinutes: number;
  /** The name we say in EHLO. */
  readonly helo: string;
  /** The account whose address is the envelope sender and whose box is read for bounces; absent: the receiving account. */
  readonly sender?: string;
  /** At most this many log-ins by POP3 in one trip. */
  readonly popLogins: number;
  /** Watch by IMAP and fetch once by POP3, where the MMP has both. */
  readonly popWatchesByImap: boolean;
  /** At most this many of our own left-over messages are removed in one trip. */
  readonly sweepCap: number;
  /** At most so many knocks at doors in one run, to isolate what failed. */
  readonly knocks: number;
  /** Size to which a test message is filled up; bytes. */
  readonly messageBytes: number;
  readonly mayAlter: ReadonlySet<MayAlter>;
  /** The HMAC key that signs test messages. */
  readonly key: () => Promise<Buffer>;
  readonly mtas: ReadonlyMap<string, Mta>;
  readonly mmps: ReadonlyMap<string, Mmp>;
  readonly stores: ReadonlyMap<string, Store>;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly directories: ReadonlyMap<string, Directory>;
  readonly filters: ReadonlyMap<string, Filter>;
  readonly balancers: ReadonlyMap<string, Balancer>;
  readonly nameServers: ReadonlyMap<string, NameServer>;
  readonly maintenance: readonly Maintenance[];
}
