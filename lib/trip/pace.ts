// When to look for the message again: often at first and around the time this path usually takes, then less and less. Pure.

/** How long messages took on this path lately, from acceptance to being seen; ms. */
export interface Usual {
  readonly p10: number;
  readonly p90: number;
}

const DENSE_MS = 12;
const WIDEST_WINDOW_MS = 450;

/**
 * The pause before the next look over an open IMAP session; a look costs one NOOP. Stays within 100 looks in the first 5 s.
 *
 * @param sinceMs since the MTA accepted the message
 */
export function imapPause(sinceMs: number, usual: Usual | undefined): number {
  if (sinceMs < 5000) {
    if (usual === undefined) return sinceMs < 60 ? 10 : 53;
    const from = usual.p10 - 20;
    const until = Math.min(usual.p90 + 40, from + WIDEST_WINDOW_MS);
    if (sinceMs >= from && sinceMs < until) return DENSE_MS;
    return sinceMs < from ? Math.min(80, Math.max(DENSE_MS, from - sinceMs)) : 80;
  }
  if (sinceMs < 30_000) return 250;
  return sinceMs < 300_000 ? 1000 : 5000;
}

/**
 * The instants for looking by POP3, each of which costs a log-in: three in five within the first seconds, the rest ever further
 * apart, the last one at the limit.
 *
 * @param logins how many there may be, at least 1
 * @param limitMs how long we wait for the message
 * @param usual moves the first looks to where the message usually arrives
 * @returns ascending, ms since acceptance
 */
export function popLooks(logins: number, limitMs: number, usual: Usual | undefined): readonly number[] {
  const first = usual === undefined ? 30 : Math.max(5, usual.p10);
  const early = Math.max(1, Math.floor(logins * 0.6));
  const step = Math.max(100, Math.min(220, 4400 / early));
  const looks: number[] = [];
  for (let n = 0; n < early; n += 1) looks.push(first + n * step);
  const late = logins - early;
  const from = (looks.at(-1) ?? 0) + step;
  for (let n = 1; n <= late; n += 1) looks.push(from * (limitMs / from) ** (n / late));
  const within = looks.filter(at => at < limitMs);
  return within.length === logins ? [...within.slice(0, -1), limitMs] : [...within, limitMs];
}

/** Percentiles of earlier arrivals; undefined when there are too few to say. */
export function usualOf(arrivalsMs: readonly number[]): Usual | undefined {
  if (arrivalsMs.length < 5) return undefined;
  const sorted = [...arrivalsMs].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
  return { p10: at(0.1), p90: at(0.9) };
}
