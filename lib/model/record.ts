// Lines of the journal. One JSON object a line, told apart by `type`; `v` is the schema's version and grows when a reader of the
// old one would misread the new.

import type { Path, Trip } from './trip.ts';
import type { Verdict } from './verdict.ts';

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

export type JournalRecord = TripRecord | AmendRecord | SkipRecord | MonitorRecord;

/** What started a trip. */
export type Runner = 'runmonitor' | 'check_rndtrip' | 'daemon' | 'demo' | 'drill';
