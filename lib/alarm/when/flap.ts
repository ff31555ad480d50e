// How restless something is. Pure.

/** So many results are looked at. */
export const FLAP_RESULTS = 21;
/** From this share of changes on it is flapping: five in twenty-one, while two honest outages make four. Percent. */
export const FLAP_PERCENT = 24;

/**
 * The share of changes between the last 21 results, in percent, newer changes weighing more (0.8 to 1.2). Fewer results count as
 * no change, so that what has just begun is never flapping.
 *
 * @param bad oldest first
 * @see "Detection and Handling of State Flapping" in the Nagios and Naemon manuals
 */
export function changePercent(bad: readonly boolean[]): number {
  const newest = bad.slice(-FLAP_RESULTS);
  const steps = FLAP_RESULTS - 1;
  let sum = 0;
  for (let i = 1; i < newest.length; i += 1) {
    if (newest[i] === newest[i - 1]) continue;
    const position = steps - newest.length + i; // 0 for the oldest of twenty steps
    sum += 0.8 + (0.4 * position) / (steps - 1);
  }
  return (100 * sum) / steps;
}
