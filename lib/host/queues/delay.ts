// What the state of a queue means for a message that enters now. Pure.

export interface Moving {
  /** Now, epoch ms. */
  readonly at: number;
  /** Messages in incoming and active: those that a new one stands behind. Deferred ones wait for their own time. */
  readonly depth: number;
  /** Arrivals of some of them, epoch ms. */
  readonly arrivals: readonly number[];
  /** Change of the depth, per ms; undefined without an earlier look. */
  readonly growth: number | undefined;
}

/** With fewer, one message that hangs would be taken for a jam. */
const LEAST_DEPTH = 20;

/**
 * How long a new message will wait: depth divided by throughput, as John Rudd reasoned of 1200 to 1600 messages and a quarter of an
 * hour. The throughput is not seen from outside; but a queue that is served in order holds what came in its last so many minutes, so
 * the ages of its messages tell how fast they come, and that less the growth is how fast they leave. The middle age is used, not the
 * oldest: one destination that hangs does not make a jam.
 *
 * @returns ms; undefined when too few messages wait or too little is known; Infinity when nothing leaves
 */
export function delayOf({ at, depth, arrivals, growth }: Moving): number | undefined {
  if (depth < LEAST_DEPTH || arrivals.length < LEAST_DEPTH) return undefined;
  const sorted = [...arrivals].sort((a, b) => b - a);
  const middle = Math.max(1000, at - (sorted[Math.floor(sorted.length / 2)] ?? at));
  const arriving = depth / (2 * middle);
  const leaving = arriving - (growth ?? 0);
  return leaving <= 0 ? Number.POSITIVE_INFINITY : depth / leaving;
}
