// What a report needs of each record, and no more: a year of them fits into memory. Taken from the journal (read.ts) or, where that has
// nothing, from the rows of systest.log.

import type { LegName, Path } from '../model/trip.ts';
import type { State } from '../model/verdict.ts';

export interface FactPath {
  readonly account: string;
  readonly mta: string;
  readonly mmp: string;
  /** Empty where only systest.log has the trip: the table does not say it. */
  readonly mailbox: Path['mailbox'] | '';
}

export interface SuspectFact {
  readonly component: string;
  readonly protocol: string;
  readonly phase: string;
  readonly kind: string;
  readonly confidence: string;
}

export interface HopFact {
  readonly by: string;
  readonly delayMs?: number;
  readonly skewMs?: number;
}

export interface TripFact {
  /** Empty where only systest.log has it. */
  readonly id: string;
  readonly path: FactPath;
  readonly startedAt: number;
  /** When its record was written: a trip that ends after midnight is recorded on the next day. */
  readonly recordedAt: number;
  /** Whether the schedule started it (not a person): what is due is compared with these. */
  readonly isScheduled: boolean;
  readonly state: State;
  /** All suspects were in planned maintenance: a failure that was announced. */
  readonly isExcused: boolean;
  /** Only of a message that was read back. */
  readonly totalMs?: number;
  /** `seen`, `lost`, … of Arrival; `unrecorded` for a row of systest.log. */
  readonly outcome: string;
  readonly isLate: boolean;
  /** `altered`, `duplicate`, `junked`, … of Finding. */
  readonly found: readonly string[];
  /** Legs that did what they should; ms. */
  readonly legs: Readonly<Partial<Record<LegName, number>>>;
  /** Number of a phase (in `Records.phaseNames`) and its time in ms, one after the other. */
  readonly phases: readonly number[];
  readonly hops: readonly HopFact[];
  readonly suspects: readonly SuspectFact[];
  readonly text: string;
  readonly short: string;
}

export interface PhaseName {
  readonly component: string;
  readonly protocol: string;
  readonly phase: string;
}

export interface AmendFact {
  readonly at: number;
  readonly trip: string;
  readonly path: FactPath;
  readonly became: 'late' | 'duplicate' | 'swept' | 'bounced' | 'junked';
  readonly afterMs?: number;
  readonly text: string;
}

export interface SkipFact {
  readonly at: number;
  readonly why: string;
}

export interface MonitorFact {
  readonly at: number;
  readonly event: string;
  readonly text: string;
}

/** What an alarm had to say, with what became of it. */
export interface NoticeFact {
  readonly at: number;
  readonly what: string;
  readonly alarm: number;
  readonly component: string;
  readonly text: string;
  /** First result that belongs to it. */
  readonly since: number;
  /** Whom it was meant for; empty when nobody was to be told at once, and `why` says why. */
  readonly to: readonly string[];
  readonly why: string;
}

export interface DeliveryFact {
  readonly at: number;
  readonly message: string;
  readonly to: string;
  readonly channel: string;
  readonly outcome: string;
  readonly text: string;
  readonly notices: readonly { readonly alarm: number; readonly what: string }[];
}

export interface AckFact {
  readonly at: number;
  readonly alarm: number;
  readonly by: string;
}

export interface SilenceFact {
  readonly at: number;
  readonly what: string;
  readonly by: string;
  readonly until: number;
  readonly reason: string;
}

export interface CertificateFact {
  readonly component: string;
  readonly protocol: string;
  readonly subject: string;
  /** Epoch ms. */
  readonly validTo: number;
}

/** Everything that was read, and what could not be. */
export interface Records {
  /** Oldest first by the order of writing. Trips of demos and drills are not among them. */
  readonly trips: readonly TripFact[];
  /** Trips that began before the period and were recorded in it. */
  readonly before: readonly TripFact[];
  readonly amends: readonly AmendFact[];
  readonly skips: readonly SkipFact[];
  readonly events: readonly MonitorFact[];
  readonly notices: readonly NoticeFact[];
  readonly deliveries: readonly DeliveryFact[];
  readonly acks: readonly AckFact[];
  readonly silences: readonly SilenceFact[];
  readonly certificates: readonly CertificateFact[];
  readonly phaseNames: readonly PhaseName[];
  readonly doubts: Doubts;
}

/** A file of which not everything could be read. */
export interface DamagedFile {
  readonly file: string;
  /** So many lines of it. */
  readonly lines: number;
  /** Instead: why nothing more of it could be read. */
  readonly why?: string;
}

/** What keeps the records from being the whole truth. */
export interface Doubts {
  readonly damaged: readonly DamagedFile[];
  /** Rows of systest.log that no record in the journal answers to. */
  readonly onlyInTable: number;
  /** Days that have only a table. */
  readonly withoutJournal: number;
  /** Trips of demos and drills, left out. */
  readonly drills: number;
  /** Records of types that this version does not know, by type. */
  readonly unknownTypes: ReadonlyMap<string, number>;
  /** Where the clock went back: from when to when. */
  readonly clockBacks: readonly { readonly from: number; readonly to: number }[];
}
