// What we say about a trip: its state, and whom to suspect, with reasons.

import type { Component } from './component.ts';
import type { FaultKind, PhaseName } from './dialog.ts';
import type { Protocol } from './endpoint.ts';

/** `unknown` means that we could not measure, through a fault of our own: it is never an alarm about mail. */
export type State = 'ok' | 'slow' | 'failed' | 'unknown';

export type Confidence = 'sure' | 'likely' | 'cannot tell apart';

export interface Suspect {
  readonly component: Component;
  readonly protocol: Protocol;
  readonly phase: PhaseName;
  readonly kind: FaultKind | 'slow';
  readonly confidence: Confidence;
  /** Evidence, one sentence each. */
  readonly why: readonly string[];
  readonly against?: readonly string[];
  /** Suspects of the same fault have the same number; several numbers are several faults. 0 when absent: the one that ended the trip. */
  readonly fault?: number;
}

export interface Verdict {
  readonly state: State;
  readonly totalMs?: number;
  /** Most suspect first; empty when all is well. */
  readonly suspects: readonly Suspect[];
  /** All suspects are in planned maintenance or drained: nobody is to be called. */
  readonly excused?: string;
  /** One line for people: component first. */
  readonly text: string;
  /** For the Error column of systest.log, at most 15 characters: `smux02 pop auth`. Empty when all is well. */
  readonly short: string;
}

/** Exit status of a check, by the monitoring-plugins convention. */
export const EXIT = { ok: 0, slow: 1, failed: 2, unknown: 3 } as const satisfies Record<State, number>;

/** The worse of two states: failed > unknown > slow > ok. A failure is not hidden by something we could not measure. */
export function worse(a: State, b: State): State {
  const order: readonly State[] = ['ok', 'slow', 'unknown', 'failed'];
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
