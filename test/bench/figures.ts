// Order statistics.

/** The value below which so many of them lie (nearest rank). @param share 0 to 1 @throws when there are no values */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
  if (value === undefined) throw new Error('Cannot take a percentile of nothing');
  return value;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
