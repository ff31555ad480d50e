// Limits by what was measured here: for figures whose right value depends on a site's traffic, from the looks of the last days. Pure.
//
// A disk that has been 95 % full for a week needs no higher limit: shares, pressure and what must never happen keep theirs. Of the
// rest, one look in a hundred is taken for an incident and left out, and the limit lies well above what remains. Each proposal is
// then tried on the very same looks, so that it says how often it would have spoken.

import { printable } from '../model/printable.ts';
import type { Figures } from '../model/reading.ts';
import { baseName, instanceOf, unitOf } from './figures.ts';
import { type Beyond, judge, limitsOf, valueText } from './judge.ts';
import type { Limit } from './limits.ts';

/** Figures of one look. */
export interface Looked {
  /** Epoch ms. */
  readonly at: number;
  readonly figures: Figures;
}

export interface Suggestion {
  /** The section of host.cfg: that of the limit it takes the place of, if there is one. */
  readonly name: string;
  readonly figure: string;
  readonly warn: number;
  readonly crit: number;
  readonly forMs: number;
  readonly seen: { readonly looks: number; readonly median: number; readonly usual: number; readonly most: number };
  /** What holds now, where something does. */
  readonly now?: { readonly warn?: number; readonly crit?: number };
  /** How often the proposal, and what holds now, would have been reached for long enough. */
  readonly times: { readonly proposed: number; readonly now: number };
}

interface Kind {
  /** In the figure's own unit: a quiet host is not to wake anybody for a handful. */
  readonly least: number;
  readonly forMs: number;
}

const MINUTE_MS = 60_000;

/** Which figures, by their names without what stands behind the colon. */
const KINDS: Readonly<Record<string, Kind>> = {
  'queues.total': { least: 50, forMs: 10 * MINUTE_MS },
  'queues.deferred': { least: 50, forMs: 10 * MINUTE_MS },
  'queues.hold': { least: 10, forMs: 10 * MINUTE_MS },
  'queues.delay_s': { least: 300, forMs: 10 * MINUTE_MS },
  'queues.oldest_active_s': { least: 1800, forMs: 10 * MINUTE_MS },
  'queues.top_client': { least: 50, forMs: 10 * MINUTE_MS },
  'sys.load_per_processor': { least: 1.5, forMs: 15 * MINUTE_MS },
  'mconn.established': { least: 50, forMs: 10 * MINUTE_MS },
  'mconn.top_client': { least: 20, forMs: 10 * MINUTE_MS },
  'procs.count': { least: 20, forMs: 15 * MINUTE_MS },
  'ldap.total_ms': { least: 500, forMs: 10 * MINUTE_MS },
};

/** So much is left above what is usual. */
const ROOM = 2;
const CRITICAL = 4;

/** @param looks oldest first */
export function suggest(looks: readonly Looked[], limits: readonly Limit[]): readonly Suggestion[] {
  const values = new Map<string, number[]>();
  for (const { figures } of looks) {
    for (const [figure, value] of Object.entries(figures)) {
      if (KINDS[baseName(figure)] === undefined) continue;
      const known = values.get(figure);
      if (known === undefined) values.set(figure, [value]);
      else known.push(value);
    }
  }
  return [...values].flatMap(([figure, seen]) => {
    const kind = KINDS[baseName(figure)];
    // A figure that is seldom there, as the delay of a queue that is nearly always empty, says little.
    if (kind === undefined || seen.length < 20) return [];
    return [proposal(figure, seen, kind, looks, limits)];
  });
}

function proposal(
  figure: string,
  values: readonly number[],
  kind: Kind,
  looks: readonly Looked[],
  limits: readonly Limit[],
): Suggestion {
  const sorted = [...values].sort((a, b) => a - b);
  const share = (part: number) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  const usual = share(0.99);
  const warn = rounded(Math.max(usual * ROOM, kind.least));
  const crit = rounded(Math.max(usual * ROOM, kind.least) * CRITICAL);
  const current = limitsOf(figure, limits, looks.at(-1)?.at ?? 0).find(
    ({ overMs, is }) => overMs === undefined && is === 'above',
  );
  const proposed: Limit = { name: 'x', figure, is: 'above', warn, crit, forMs: kind.forMs, isOwn: false };
  return {
    name: nameOf(figure, current),
    figure,
    warn,
    crit,
    forMs: kind.forMs,
    seen: { looks: values.length, median: share(0.5), usual, most: sorted.at(-1) ?? 0 },
    ...(current === undefined ? {} : { now: boundsOf(current) }),
    times: { proposed: timesOf(figure, [proposed], looks), now: current === undefined ? 0 : timesOf(figure, [current], looks) },
  };
}

function boundsOf({ warn, crit }: Limit): { readonly warn?: number; readonly crit?: number } {
  return { ...(warn === undefined ? {} : { warn }), ...(crit === undefined ? {} : { crit }) };
}

/** A limit for this very figure keeps its name; one for all of a kind is not to lose the others. */
function nameOf(figure: string, current: Limit | undefined): string {
  if (current?.figure === figure) return current.name;
  const [room = '', what = ''] = baseName(figure).split('.');
  const instance = instanceOf(figure);
  const plain = what.replace(/_(?:s|ms|bytes|percent)$/, '');
  return [room, plain, ...(instance === undefined ? [] : [instance])].join('_').replace(/[^A-Za-z0-9_]+/g, '_');
}

/** How often the limits would have begun to be passed for long enough. */
function timesOf(figure: string, limits: readonly Limit[], looks: readonly Looked[]): number {
  let times = 0;
  let wasBeyond = false;
  let beyond: Beyond = {};
  let lastAt: number | undefined;
  for (const { at, figures } of looks) {
    const value = figures[figure];
    if (value === undefined) continue;
    const judged = judge({ figures: { [figure]: value }, limits, at, lastAt, beyond, history: {} });
    const isBeyond = judged.findings.some(({ level }) => level === 'warning' || level === 'critical');
    if (isBeyond && !wasBeyond) times += 1;
    wasBeyond = isBeyond;
    beyond = judged.beyond;
    lastAt = at;
  }
  return times;
}

/** Up to the next 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6 or 8 with noughts: nobody reads more out of a limit. */
function rounded(value: number): number {
  const scale = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find(each => each * scale >= value * 0.999) ?? 10;
  return Number((step * scale).toPrecision(2));
}

/** The proposals as sections of host.cfg, what was seen as remarks. */
export function suggestionText({ name, figure, warn, crit, forMs, seen, now, times }: Suggestion): string {
  const unit = unitOf(figure);
  const text = (value: number) => valueText(value, unit);
  const bounds = [now?.warn, now?.crit].flatMap(each => (each === undefined ? [] : [text(each)])).join(' and ');
  const holds = bounds === '' ? 'no limit now' : `now ${bounds}, reached ${timesText(times.now)}`;
  return `# ${printable(figure)}: median ${text(seen.median)}, 99 of 100 looks up to ${text(seen.usual)}, the most ${text(seen.most)}; ${holds}
# what follows would have been reached ${timesText(times.proposed)}
[limit.${name}]
figure = ${JSON.stringify(figure)}
warn = ${quantity(warn, unit)}
crit = ${quantity(crit, unit)}
for = "${forMs / MINUTE_MS}m"`;
}

function timesText(times: number): string {
  return times === 0 ? 'never' : times === 1 ? 'once' : `${times} times`;
}

/** As host.cfg has it: spans with their unit. */
function quantity(value: number, unit: ReturnType<typeof unitOf>): string {
  return unit === 'ms' ? `"${value}ms"` : unit === 's' ? `"${value}s"` : String(value);
}
