// When to speak: the numbers that the gate decides by, all from [alarms] of alarms.cfg.

import type { Component } from '../../model/component.ts';
import type { Severity } from './alarm.ts';

/** `n` of the last `m` results; or bad for so long, with no good result in between. */
export interface Threshold {
  readonly n: number;
  readonly m: number;
  /** Absent: time alone raises nothing. ms */
  readonly afterMs?: number;
}

export interface Policy {
  readonly raise: Readonly<Record<Severity, Threshold>>;
  /** Whether a verdict that isolation is sure of raises at once. */
  readonly sureAtOnce: boolean;
  /** Good results in a row that end an alarm. */
  readonly clear: number;
  /** Raised so often within `flapWindowMs`: flapping. */
  readonly flapTimes: number;
  readonly flapWindowMs: number;
  /** Flapping is over after so long without a change. */
  readonly steadyMs: number;
  /** Share of all subjects, 0 to 1, that must fail at once before we look for the fault in ourselves. */
  readonly blindShare: number;
}

/** A component that is being worked on: a [[maintenance]] window of site.cfg, or a drain. */
export interface Outage {
  readonly component: Component;
  /** Epoch ms. */
  readonly from: number;
  readonly until: number;
  readonly reason: string;
}

/** What a look at ourselves found; absent where there was no need to look. */
export interface OwnLook {
  readonly resolver: 'works' | 'fails' | 'unknown';
  readonly gateway: 'works' | 'fails' | 'unknown';
}

/** What the gate must know of the site. */
export interface Surroundings {
  /** What each component cannot work without, over any number of steps. */
  readonly needs: ReadonlyMap<Component, ReadonlySet<Component>>;
  readonly outages: readonly Outage[];
  readonly own?: OwnLook;
}
