// Spans as people read them.

/** Milliseconds with a digit after the point while they are small. */
export function ms(value: number): string {
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}
