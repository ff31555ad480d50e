// Lines of the journal. One JSON object a line, told apart by `type`; `v` is the schema's version and grows when a reader of the
// old one would misread the new.

import type { Component } from './component.ts';
import type { FaultKind, PhaseName } from './dialog.ts';
import type { Protocol } from './endpoint.ts';
import type { Evidence } from './evidence.ts';
import type { HostReading, HostStep } from './reading.ts';
import type { Path, Trip } from './trip.ts';
import type { State, Verdict } from './verdict.ts';

export const JOURNAL_VERSION = 1;

export interface RecordHead {
  readonly v: typeof JOURNAL_VERSION;
  /** When it was written, epoch ms. */
  readonly at: number;
}

/** A finished trip with what was made of it. */
export interface TripRecord extends RecordHead {
  readonly type: 'trip';
  readonly by: Runner;
  readonly trip: Trip;
  readonly verdict: Verdict;
  /** What the verdict was weighed from, where somebody went and looked. */
  readonly evidence?: Evidence;
}

/** A verdict that was given earlier, weighed again with what was learned since. */
export interface VerdictRecord extends RecordHead {
  readonly type: 'verdict';
  readonly trip: string;
  readonly path: Path;
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  /** Why it was weighed again. */
  readonly text: string;
}

/** What a later run learned about an earlier trip's message. */
export interface AmendRecord extends RecordHead {
  readonly type: 'amend';
  readonly trip: string;
  readonly path: Path;
  readonly became: 'late' | 'duplicate' | 'swept' | 'bounced' | 'junked';
  /** From submission to when it was found, wall clock; ms. Absent for `swept`. */
  readonly afterMs?: number;
  readonly text: string;
}

/** A run that did not measure, and why: another one was under way, a tick was missed, the config was broken. */
export interface SkipRecord extends RecordHead {
  readonly type: 'skip';
  readonly by: Runner;
  readonly why: string;
  readonly paths: readonly Path[];
}

/** The monitor itself: started, reloaded, stopped, found its config changed. */
export interface MonitorRecord extends RecordHead {
  readonly type: 'monitor';
  readonly event: 'started' | 'reloaded' | 'kept old config' | 'stopped' | 'config changed';
  readonly text: string;
}

/** Where something fails: a phase of a dialog, or what a look at a host found. */
export type Step = PhaseName | HostStep;
/** How it fails; `host`: in the words of the reading. */
export type CauseKind = FaultKind | 'slow' | 'host';

/**
 * What an alarm has to say. `raised`, `changed`, `flapping` and `cleared` are written when they come about, whoever is told (with `why`
 * where nobody is), and once more when somebody is told later: escalation, the end of a silence; `reminder`, `test`, `canary` and `held`
 * (what a cap held back) when a message is made of them.
 */
export type NoticeKind = 'raised' | 'changed' | 'reminder' | 'flapping' | 'cleared' | 'test' | 'canary' | 'held';

export interface NoticeRecord extends RecordHead {
  readonly type: 'notice';
  readonly what: NoticeKind;
  /** The alarm's number, as `healthmon ack` takes it; 0 where no alarm is meant (`test`, `canary`). */
  readonly alarm: number;
  readonly state: Exclude<State, 'ok'>;
  readonly component: Component;
  readonly protocol: Protocol;
  readonly phase: Step;
  readonly kind: CauseKind;
  /** One line for people: component first. */
  readonly text: string;
  /** First result that belongs to it, epoch ms. */
  readonly since: number;
  /** `cleared`: from the first bad result to the last one, ms. */
  readonly lastedMs?: number;
  /** Paths touched, in words: at most fifty of `pathCount`. */
  readonly paths: readonly string[];
  readonly pathCount: number;
  readonly trip?: string;
  /** Whom a message was made for at once, as [notify.*] in alarms.cfg names them. */
  readonly to: readonly string[];
  /** Why nobody was told at once, in words. */
  readonly why?: string;
}

/** One attempt to bring a message to somebody. */
export interface DeliveryRecord extends RecordHead {
  readonly type: 'delivery';
  /** The message's id; the same for all attempts. */
  readonly message: string;
  readonly to: string;
  readonly channel: string;
  /** Counts from 1 over all channels of this message. */
  readonly attempt: number;
  /**
   * `unsure`: it may have arrived (no answer came, or the process died); `held back`: the channel's cap; `replaced`: a newer
   * message says it all; `given up`: nobody was reached for as long as `keep` in alarms.cfg says.
   */
  readonly outcome: 'delivered' | 'failed' | 'unsure' | 'held back' | 'replaced' | 'given up';
  readonly text: string;
  readonly tookMs: number;
  readonly notices: readonly { readonly alarm: number; readonly what: NoticeKind }[];
}

/** Somebody has taken an alarm on. */
export interface AckRecord extends RecordHead {
  readonly type: 'ack';
  readonly alarm: number;
  readonly by: string;
  /** Epoch ms; absent: until it is over. */
  readonly until?: number;
  readonly reason?: string;
}

/** Somebody has asked for silence about something, or ended it before its time (`until` is then the time of the record). */
export interface SilenceRecord extends RecordHead {
  readonly type: 'silence';
  /** A component, a pattern such as `mmp/*`, `alarm 17`, or `all`. */
  readonly what: string;
  readonly by: string;
  readonly until: number;
  readonly reason: string;
}

/** One look at a mail host. */
export interface ReadingRecord extends RecordHead {
  readonly type: 'reading';
  /** The command that looked: `hostcheck`, or one of the checks alone. */
  readonly by: string;
  readonly reading: HostReading;
}

export type JournalRecord =
  | TripRecord
  | VerdictRecord
  | AmendRecord
  | SkipRecord
  | MonitorRecord
  | NoticeRecord
  | DeliveryRecord
  | AckRecord
  | SilenceRecord
  | ReadingRecord;

/** What started a trip. */
export type Runner = 'runmonitor' | 'check_rndtrip' | 'daemon' | 'demo' | 'drill';
