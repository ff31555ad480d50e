// Where a figure is going: a straight line through what was seen, and when it gets there. Pure.

export type Point = readonly [at: number, value: number];

/** Change per ms by least squares; undefined for fewer than three points, or less than `leastMs` between first and last. */
export function slope(points: readonly Point[], leastMs: number): number | undefined {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 3 || last[0] - first[0] < leastMs) return undefined;
  const n = points.length;
  const meanAt = points.reduce((sum, [at]) => sum + (at - first[0]), 0) / n;
  const mean = points.reduce((sum, [, value]) => sum + value, 0) / n;
  let above = 0;
  let below = 0;
  for (const [at, value] of points) {
    const distance = at - first[0] - meanAt;
    above += distance * (value - mean);
    below += distance * distance;
  }
  return below === 0 ? undefined : above / below;
}

/**
 * Time until so much more has been added; ms. Undefined when it does not grow, or would take longer than `mostMs`: a line drawn
 * through hours says nothing about months.
 */
export function timeUntil(left: number, perMs: number | undefined, mostMs: number): number | undefined {
  if (perMs === undefined || perMs <= 0) return undefined;
  const ms = Math.max(0, left) / perMs;
  return ms <= mostMs ? ms : undefined;
}

/** The points with a new one, none older than `keepMs`, at most `most` of them; a clock that went back starts anew. */
export function extended(
  points: readonly Point[],
  point: Point,
  keep: { readonly ms: number; readonly most: number },
): readonly Point[] {
  const [at] = point;
  const still = points.filter(([then]) => then < at && then > at - keep.ms);
  const thinned = still.length < keep.most ? still : still.filter((_, i) => i % 2 === 0);
  return [...thinned, point];
}

/** Points as they come back from JSON; what is none is dropped. */
export function pointsOf(value: unknown): readonly Point[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (each): each is Point =>
      Array.isArray(each) && each.length === 2 && each.every(n => typeof n === 'number' && Number.isFinite(n)),
  );
}
