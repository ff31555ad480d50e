// When the monitor was to start and when it did: the minutes of the sequence against the trips that there are. Pure.

import type { TripFact } from './facts.ts';

export interface Gap {
  /** The first start that did not happen. */
  readonly from: number;
  /** When it started again, or the end of what was looked at. */
  readonly until: number;
  readonly starts: number;
}

export interface Running {
  /** Starts that the sequence asks for. */
  readonly due: number;
  readonly missed: number;
  /** Minutes from the first missed start to the next one made, over all gaps. */
  readonly minutes: number;
  readonly gaps: readonly Gap[];
}

const MINUTE = 60_000;

/**
 * Compares what was due with what was begun. A start counts as made when a scheduled trip began before the next start was due.
 *
 * @param minutes minutes of the hour that have an entry in sequence.cfg
 * @param span from and until: until is the end of the period, or now where that is earlier
 */
export function runningOf(
  trips: readonly TripFact[],
  minutes: ReadonlySet<number>,
  span: { readonly from: number; readonly until: number },
): Running {
  const due = startsDue(minutes, span);
  const begun = trips
    .filter(trip => trip.isScheduled)
    .map(trip => trip.startedAt)
    .sort((a, b) => a - b);
  const gaps: Gap[] = [];
  let open: { from: number; starts: number } | undefined;
  let missed = 0;
  let next = 0;
  for (const [index, at] of due.entries()) {
    while (next < begun.length && (begun[next] ?? 0) < at) next += 1;
    const limit = due[index + 1] ?? span.until;
    const first = begun[next];
    if (first !== undefined && first < limit) {
      if (open !== undefined) gaps.push({ ...open, until: at });
      open = undefined;
      continue;
    }
    // A start that was due a moment before the report was made may still be under way.
    if (index === due.length - 1 && span.until - at < MINUTE) continue;
    missed += 1;
    open = open === undefined ? { from: at, starts: 1 } : { ...open, starts: open.starts + 1 };
  }
  if (open !== undefined) gaps.push({ ...open, until: span.until });
  const lost = gaps.reduce((sum, gap) => sum + (gap.until - gap.from), 0);
  return { due: due.length, missed, minutes: Math.round(lost / MINUTE), gaps };
}

/** Instants at which the clock on the wall shows one of the minutes. An hour that is repeated has its starts twice. */
function startsDue(minutes: ReadonlySet<number>, { from, until }: { readonly from: number; readonly until: number }): number[] {
  const starts: number[] = [];
  if (minutes.size === 0) return starts;
  for (let at = Math.ceil(from / MINUTE) * MINUTE; at < until; at += MINUTE) {
    if (minutes.has(new Date(at).getMinutes())) starts.push(at);
  }
  return starts;
}
