// When to look for the message again: often at first and around the time this path usually takes, then less and less. Pure.

/** How long messages took on this path lately, from acceptance to being seen; ms. */
export interface Usual {
  readonly p10: number;
  readonly p90: number;
}

/** Looks by IMAP that a server has to bear in the first seconds, and how many of them are kept back for rounding. */
const FIRST_MS = 5000;
const MOST_LOOKS = 100;
const SPARE = 4;
/** Between two looks: when a message is expected at any moment, when one may come at any time, when none is expected now. */
const DENSE_MS = 12;
const EVEN_MS = 53;
const SPARSE_MS = 80;

/**
 * From the beginning of one look over an open IMAP session to that of the next; a look costs one NOOP. Stays within 100 looks in the
 * first 5 s.
 *
 * @param sinceMs since the MTA accepted the message
 */
export function imapPause(sinceMs: number, usual: Usual | undefined): number {
  if (sinceMs < FIRST_MS) {
    if (usual === undefined) return sinceMs < 60 ? 10 : EVEN_MS;
    const from = Math.max(0, usual.p10 - 20);
    const until = Math.min(FIRST_MS, usual.p90 + 40);
    const width = Math.max(0, until - from);
    const inside = Math.max(DENSE_MS, width / (MOST_LOOKS - SPARE - (FIRST_MS - width) / SPARSE_MS));
    if (sinceMs >= from && sinceMs < until) return inside;
    return sinceMs < from ? Math.min(SPARSE_MS, Math.max(inside, from - sinceMs)) : SPARSE_MS;
  }
  if (sinceMs < 30_000) return 250;
  return sinceMs < 300_000 ? 1000 : 5000;
}

/** Log-ins by POP3 cost a server more than a NOOP: they do not come closer than this, nor farther apart while we look often. */
const CLOSEST_MS = 40;
const FARTHEST_MS = 220;
/** What usually comes within so many ms of each other has a usual time; what is spread wider may come at any. */
const NARROW_MS = 1500;

/**
 * The instants for looking by POP3, each of which costs a log-in: seven in ten within the first seconds, the rest ever further apart,
 * the last one at the limit.
 *
 * @param logins how many there may be, at least 1
 * @param limitMs how long we wait for the message
 * @param usual moves the first looks to where the message usually arrives
 * @returns ascending, ms since acceptance
 */
export function popLooks(logins: number, limitMs: number, usual: Usual | undefined): readonly number[] {
  const early = Math.max(1, Math.floor(logins * 0.7));
  const looks = usual !== undefined && usual.p90 - usual.p10 <= NARROW_MS ? aroundUsual(early, usual) : evenly(30, early);
  const late = logins - early;
  const from = (looks.at(-1) ?? 0) + FARTHEST_MS;
  for (let n = 1; n <= late; n += 1) looks.push(from * (limitMs / from) ** (n / late));
  const within = looks.filter(at => at < limitMs);
  return within.length === logins ? [...within.slice(0, -1), limitMs] : [...within, limitMs];
}

function evenly(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => from + n * FARTHEST_MS);
}

/** Most of them while the message usually comes, the others after that. */
function aroundUsual(count: number, usual: Usual): number[] {
  const from = Math.max(5, usual.p10 - 20);
  const until = usual.p90 + 40;
  const step = Math.min(FARTHEST_MS, Math.max(CLOSEST_MS, (until - from) / Math.max(1, count * 0.6)));
  const looks: number[] = [];
  for (let at = from; at <= until + step && looks.length < count; at += step) looks.push(at);
  return [...looks, ...evenly((looks.at(-1) ?? from) + FARTHEST_MS, count - looks.length)];
}

/** Percentiles of earlier arrivals; undefined when there are too few to say. */
export function usualOf(arrivalsMs: readonly number[]): Usual | undefined {
  if (arrivalsMs.length < 5) return undefined;
  const sorted = [...arrivalsMs].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
  return { p10: at(0.1), p90: at(0.9) };
}
