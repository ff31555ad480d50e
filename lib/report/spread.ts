// Percentiles and the confidence of a share. Pure; the definitions stand in README.md as well, because people compare figures.

export interface Spread {
  readonly n: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly worst: number | null;
}

/**
 * Percentiles by nearest rank: of n values in order, the p-th percentile is the one at place ceil(p·n/100), counted from 1. Each is
 * a value that was measured; with fewer than a hundred values the 99th is the largest. Spans, so never negative; the order of
 * `values` does not matter and is not changed.
 */
export function spreadOf(values: readonly number[] | Float64Array): Spread {
  const sorted = new Float64Array(values).sort();
  const rank = (p: number): number | null => sorted[Math.ceil((p * sorted.length) / 100) - 1] ?? null;
  return { n: sorted.length, p50: rank(50), p90: rank(90), p95: rank(95), p99: rank(99), worst: sorted.at(-1) ?? null };
}

/** The median by the same rule. */
export function medianOf(values: readonly number[]): number | null {
  return spreadOf(values).p50;
}

export interface Availability {
  readonly measured: number;
  readonly good: number;
  readonly ratio: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly isSmall: boolean;
}

/** Below this a share of all good ones leaves more than one percent open. */
const SMALL = 300;
/** The 97.5th percentile of the normal distribution. */
const Z = 1.959964;

/**
 * good of measured, with Wilson's score interval at 95 %. Of 10 good ones of 10 it says 72 % to 100 %: ten trips cannot say more.
 *
 * @see E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927
 */
export function availabilityOf(good: number, measured: number): Availability {
  if (measured === 0) return { measured, good, ratio: null, low: null, high: null, isSmall: true };
  const ratio = good / measured;
  const z2 = Z * Z;
  const centre = (ratio + z2 / (2 * measured)) / (1 + z2 / measured);
  const half = (Z / (1 + z2 / measured)) * Math.sqrt((ratio * (1 - ratio)) / measured + z2 / (4 * measured * measured));
  return {
    measured,
    good,
    ratio,
    // Rounding must not leave the range, nor an end that is exact by theory.
    low: good === 0 ? 0 : Math.max(0, centre - half),
    high: good === measured ? 1 : Math.min(1, centre + half),
    isSmall: measured < SMALL,
  };
}
