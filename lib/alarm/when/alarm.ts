// An alarm: one cause, from the first result that blames it until it is over. Plain data, kept as JSON.

import type { Component } from '../../model/component.ts';
import type { Protocol } from '../../model/endpoint.ts';
import type { CauseKind, Step } from '../../model/record.ts';
import type { Path } from '../../model/trip.ts';
import type { Confidence, State } from '../../model/verdict.ts';

export type Severity = Exclude<State, 'ok'>;

/** One result as an alarm remembers it. */
export interface Seen {
  /** Epoch ms. */
  readonly at: number;
  readonly state: State;
  readonly subject: string;
  readonly phase?: Step;
  readonly mailbox?: Path['mailbox'];
  readonly isSure?: true;
  readonly tripId?: string;
}

/** A subject that an alarm has touched, as it was last seen. */
export interface Touched {
  readonly label: string;
  readonly state: State;
  /** Epoch ms. */
  readonly at: number;
  readonly path?: Path;
  readonly tripId?: string;
  /** Its own newest results, oldest first, by their initials: `oofsu`. */
  readonly recent: string;
  /** The first of its bad results in a row; absent when the last one was good. Epoch ms. */
  readonly badSince?: number;
  /** It was bad after others over the same component had been good: only itself can show that it is well again. */
  readonly isAlone?: true;
}

export interface Ack {
  readonly by: string;
  readonly at: number;
  /** Absent: until it is over. */
  readonly until?: number;
  readonly reason?: string;
}

/**
 * - `watched` counted, not yet said
 * - `open` raised
 * - `closed` over; kept for a while, so that one that comes back and back is known
 */
export type Stage = 'watched' | 'open' | 'closed';

export interface Alarm {
  /** What people call it: a number that is never used twice. */
  readonly id: number;
  readonly stage: Stage;
  readonly component: Component;
  readonly phase: Step;
  readonly kind: CauseKind;
  /** Protocols in which it was seen, the first one first. */
  readonly protocols: readonly Protocol[];
  readonly confidence: Confidence;
  readonly severity: Severity;
  /** Set for "the monitor is blind". */
  readonly isBlind?: true;
  /** First bad result, epoch ms. */
  readonly firstAt: number;
  readonly lastBadAt: number;
  /** Last result that says anything about it. */
  readonly lastAt: number;
  readonly raisedAt?: number;
  /** How often it has been raised: with its number, the key by which other systems know this turn of it. */
  readonly turn: number;
  /** What it was about when this turn began. */
  readonly raisedAs?: { readonly component: Component; readonly phase: Step };
  readonly closedAt?: number;
  /** The first of the good results that ended it, epoch ms. */
  readonly endedAt?: number;
  /** Why it ended, where not by good results. */
  readonly closedBecause?: string;
  /** Results before this instant are not counted any more. */
  readonly countFrom: number;
  /** Goes up when what is to be said changes. */
  readonly revision: number;
  /** The turn in which a verdict behind it was weighed again and its kind became another: said once in each. */
  readonly amendedTurn?: number;
  /** What it was before it changed, in words. */
  readonly was?: string;
  /** The newest results that say anything about it, oldest first. */
  readonly seen: readonly Seen[];
  /** Since when all results have been bad, or all have been good. Epoch ms; `count` results. */
  readonly run: { readonly isBad: boolean; readonly since: number; readonly count: number };
  /** The newest steps that brought results, oldest first: whether there was a bad one among them. */
  readonly steps: readonly boolean[];
  /** All results counted since the first bad one, and how many of them were bad. */
  readonly count: { readonly results: number; readonly bad: number };
  readonly touched: Readonly<Record<string, Touched>>;
  readonly words?: string;
  /** The first and the newest trip that shows it. */
  readonly firstTrip?: string;
  readonly lastTrip?: string;
  /** When it was raised lately, this time included. */
  readonly raises: readonly number[];
  readonly flapping?: { readonly since: number };
  /** What it explains, in words: `mmp/smux01 auth`. */
  readonly explains: readonly string[];
  /** The alarm that explains this one. */
  readonly explainedBy?: number;
  readonly ack?: Ack;
}

/** An alarm while the gate works on its own copy. */
export type Draft = { -readonly [K in keyof Alarm]: Alarm[K] };

/** What the gate remembers between two steps. */
export interface GateState {
  readonly nextId: number;
  readonly alarms: readonly Alarm[];
  /** The newest result of each subject: for the share that fails, and for the heartbeat. */
  readonly latest: Readonly<Record<string, Latest>>;
}

export interface Latest {
  /** Epoch ms. */
  readonly at: number;
  readonly state: State;
  /** Set where it is bad and our own network would look like this. */
  readonly looks?: OursLook;
}

/** How a fault of our own looks: a name that does not resolve, a silence, or isolation has named us. */
export type OursLook = 'name' | 'silence' | 'us';

export const NO_ALARMS: GateState = { nextId: 1, alarms: [], latest: {} };

/** Something came about with an alarm. Who is told of it is another matter. */
export interface AlarmEvent {
  readonly what: 'raised' | 'changed' | 'flapping' | 'cleared';
  readonly alarm: Alarm;
}

/** `mmp/smux02 connect` */
export function alarmName({ component, phase }: Pick<Alarm, 'component' | 'phase'>): string {
  return `${component} ${phase}`;
}
