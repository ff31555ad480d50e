// What isolation looked at: everything that a verdict is weighed from, as it goes into the journal. A verdict can be weighed again from
// it, without the site.

import type { Component } from './component.ts';
import type { Fault, PhaseName, TlsFacts } from './dialog.ts';
import type { Protocol } from './endpoint.ts';
import type { Path } from './trip.ts';
import type { State } from './verdict.ts';

/** Who is on the path, by name; and who is behind them, by the operator's word. */
export interface Scene {
  readonly mta: Component;
  /** Members of a balancer in the MTA's place; empty when it is an MTA. */
  readonly mtaMembers: readonly Component[];
  readonly mmp: Component;
  readonly mmpMembers: readonly Component[];
  readonly store: Component;
  readonly account: Component;
  /** The account whose user and password the MTA asks for, where site.cfg has it; absent: the MTA asks for none, or for a stranger's. */
  readonly submitter?: Component;
  /** Filters that the MTA (or a member) uses. */
  readonly filters: readonly Component[];
  /** By component: what it needs, directories above all. */
  readonly needs: Readonly<Record<string, readonly Component[]>>;
  readonly nameServers: readonly Component[];
}

/** What is asked at a door. */
export type Question =
  /** As far as the protocol goes without a log-in. */
  | 'greet'
  /** SMTP, LMTP: the server's word on the recipient. */
  | 'rcpt'
  /** POP3, IMAP: log in and out. */
  | 'login'
  /** LDAP: the account's entry, as the site's own servers look it up. */
  | 'entry'
  /** LDAP: does this directory take the account's password? */
  | 'bind'
  /** milter */
  | 'negotiate'
  /** DNS: the name of a component. */
  | 'name'
  /** Our own resolver: the name of a component. */
  | 'own name';

/** One knock and what came of it. */
export interface Knocked {
  readonly component: Component;
  readonly protocol: Protocol;
  readonly question: Question;
  /** Whose account, name or recipient was asked for. */
  readonly about: string;
  /** Of a name: the components that bear it. */
  readonly bearers?: readonly Component[];
  readonly tookMs: number;
  /** The phase that took longest, where that was a second or more. */
  readonly slowest?: { readonly phase: PhaseName; readonly tookMs: number };
  /** What the server said first: behind a balancer it may tell who answered. */
  readonly banner?: string;
  /** `skipped`: not asked, and why (a password is not tried twice, the cap is reached, another session is in the box). */
  readonly outcome: 'answered' | 'failed' | 'skipped';
  readonly text: string;
  readonly fault?: Fault;
  readonly tls?: TlsFacts;
}

/** One look with more patience than a knock has, after the alarm has gone out, at a door that said nothing. */
export interface Longer {
  readonly component: Component;
  readonly protocol: Protocol;
  /** In which it was silent before. */
  readonly phase: PhaseName;
  /** Until it spoke, or until we gave up; ms. */
  readonly waitedMs: number;
  readonly outcome: 'answered' | 'failed';
  readonly text: string;
}

/** Where the message is, as far as anybody says. */
export interface QueueWord {
  readonly mta: Component;
  /** `gone`: no longer in the queue. `unasked`: no way is configured, or it failed. */
  readonly found: 'active' | 'incoming' | 'deferred' | 'hold' | 'gone' | 'unasked';
  /** The queue's own reason for a delay. */
  readonly reason?: string;
  readonly text: string;
}

/** The message on the store itself, past the MMP. */
export interface StoreWord {
  readonly store: Component;
  /** `cannot look` says why in the text. */
  readonly found: 'inbox' | 'other folder' | 'nowhere' | 'cannot look';
  readonly text: string;
}

/** What another path over some of the same components did. */
export interface Sibling {
  readonly path: Path;
  readonly state: State;
  /** Epoch ms. */
  readonly at: number;
  /** Whether it was walked now, to tell suspects apart. */
  readonly forThis: boolean;
  readonly outcome: string;
  /** The fault's component and phase, where it failed. */
  readonly fault?: { readonly component: Component; readonly phase: PhaseName };
  /** Findings that bear on faults of content: altered, duplicate. */
  readonly findings: readonly string[];
}

/** What a phase usually takes on this path. */
export interface UsualPhase {
  readonly leg: string;
  readonly phase: PhaseName | 'total';
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly n: number;
}

/** A planned absence that was in force. */
export interface Absence {
  readonly component: Component;
  /** Epoch ms; absent: until further notice. */
  readonly until?: number;
  readonly reason: string;
}

export interface Evidence {
  readonly scene: Scene;
  readonly knocks: readonly Knocked[];
  readonly queue?: QueueWord;
  readonly onStore?: StoreWord;
  readonly longer?: Longer;
  readonly siblings: readonly Sibling[];
  readonly usual: readonly UsualPhase[];
  readonly absences: readonly Absence[];
  /** From the end of the trip to the verdict; ms. */
  readonly tookMs: number;
}
