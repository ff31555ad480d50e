// The known name that a misspelt one probably stands for.

/** Longer names are compared by their beginning: nobody misspells the 65th letter, and the work stays bounded. */
const MAX_COMPARED = 64;

/**
 * The name in `known` that is nearest to `found`, or undefined when none is near: at most one slip for each three letters.
 * A slip is a letter left out, added, exchanged, or swapped with its neighbour; upper and lower case count as the same. Of
 * two names equally near, the first.
 */
export function nearest(found: string, known: Iterable<string>): string | undefined {
  const wanted = found.slice(0, MAX_COMPARED).toLowerCase();
  let best: string | undefined;
  let bestSlips = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const candidate = name.slice(0, MAX_COMPARED).toLowerCase();
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    if (Math.abs(wanted.length - candidate.length) > allowed) continue;
    const slips = distance(wanted, candidate);
    // One letter for another in a one-letter name is no likeness at all.
    if (slips <= allowed && slips < bestSlips && slips < wanted.length) {
      best = name;
      bestSlips = slips;
    }
  }
  return best;
}

/** `: did you mean 'port'?`, or nothing when no known name is near. */
export function didYouMean(found: string, known: Iterable<string>): string {
  const name = nearest(found, known);
  return name === undefined ? '' : `: did you mean '${name}'?`;
}

/** Slips between two words (Damerau and Levenshtein's distance, each pair of letters swapped at most once). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
