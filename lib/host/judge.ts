// Figures against limits: what is beyond, since when, and whether long enough. Pure: time is an argument, what was known before comes
// in and what to remember goes out.

import type { Figures, HostFinding, Level } from '../model/reading.ts';
import { baseName, FIGURES, instanceOf, type Unit, unitOf } from './figures.ts';
import { holdsAt, type Limit } from './limits.ts';
import type { Point } from './trend.ts';
import { numberText, sizeText, spanText } from './words.ts';

/** Since when a figure has been beyond a limit without a break: `queue queues.total warn` -> epoch ms. */
export type Beyond = Readonly<Record<string, number>>;

export interface Evidence {
  readonly figures: Figures;
  readonly limits: readonly Limit[];
  /** Now, epoch ms. */
  readonly at: number;
  /** The last look, epoch ms; undefined for the first. */
  readonly lastAt: number | undefined;
  readonly beyond: Beyond;
  /** Earlier values of figures whose change is judged, oldest first. */
  readonly history: Readonly<Record<string, readonly Point[]>>;
}

export interface Judgement {
  readonly findings: readonly HostFinding[];
  readonly beyond: Beyond;
}

/** After a gap this long nobody knows whether it has been so all the time. */
const GAP_MS = 45 * 60_000;

export function judge(evidence: Evidence): Judgement {
  const { figures, limits, at, lastAt } = evidence;
  const findings: HostFinding[] = [];
  const beyond: Record<string, number> = {};
  const isFresh = lastAt === undefined || at - lastAt > GAP_MS || at < lastAt;
  for (const [figure, value] of Object.entries(figures)) {
    const judged = limitsOf(figure, limits, at).flatMap(limit => judgeOne(figure, value, limit));
    const worst = judged.sort((a, b) => RANK.indexOf(a.level) - RANK.indexOf(b.level))[0];
    if (worst !== undefined) findings.push(worst);
  }
  findings.push(...unmeasured(evidence));
  return { findings: findings.sort((a, b) => RANK.indexOf(a.level) - RANK.indexOf(b.level)), beyond };

  function judgeOne(figure: string, level: number, limit: Limit): HostFinding[] {
    const value = limit.overMs === undefined ? level : change(figure, level, limit.overMs, evidence);
    if (value === undefined) return [];
    const reached = (['crit', 'warn'] as const).filter(grade => isBeyond(value, limit[grade], limit.is));
    const since = reached.map(grade => {
      const key = `${limit.name} ${figure} ${grade}`;
      const from = isFresh ? at : Math.min(at, evidence.beyond[key] ?? at);
      beyond[key] = from;
      return { grade, from };
    });
    const lasting = since.find(({ from }) => at - from >= limit.forMs);
    const shown = lasting ?? since[0];
    const bound = shown === undefined ? undefined : limit[shown.grade];
    if (shown === undefined || bound === undefined) return [];
    return [
      {
        level: lasting === undefined ? 'ok' : GRADES[lasting.grade],
        subject: figure,
        text: sentence(figure, value, bound, limit, at - shown.from, lasting === undefined),
        value,
        limit: bound,
        since: shown.from,
      },
    ];
  }
}

const GRADES = { warn: 'warning', crit: 'critical' } as const;
const RANK: readonly Level[] = ['critical', 'unknown', 'warning', 'ok'];

function isBeyond(value: number, bound: number | undefined, is: Limit['is']): boolean {
  if (bound === undefined) return false;
  return is === 'above' ? value >= bound : value <= bound;
}

/**
 * The limits that hold for a figure at this instant. One for this very thing (`:/var`) takes the place of those for all; one of the
 * operator's that of ours; one with hours that of those without. Levels and changes are apart.
 */
export function limitsOf(figure: string, limits: readonly Limit[], at: number): readonly Limit[] {
  const mine = limits.filter(limit => (limit.figure === figure || limit.figure === baseName(figure)) && holdsAt(limit.hours, at));
  return [mine.filter(({ overMs }) => overMs === undefined), mine.filter(({ overMs }) => overMs !== undefined)].flatMap(group => {
    const exact = preferred(group, limit => limit.figure === figure && figure !== baseName(figure));
    return preferred(
      preferred(exact, ({ isOwn }) => isOwn),
      ({ hours }) => hours !== undefined,
    );
  });
}

function preferred(limits: readonly Limit[], isBetter: (limit: Limit) => boolean): readonly Limit[] {
  const better = limits.filter(isBetter);
  return better.length > 0 ? better : limits;
}

/** The change over a span: against the value nearest to its beginning, if there is one within a quarter of it. */
function change(figure: string, value: number, overMs: number, { at, history }: Evidence): number | undefined {
  const from = at - overMs;
  let nearest: Point | undefined;
  for (const point of history[figure] ?? []) {
    if (nearest === undefined || Math.abs(point[0] - from) < Math.abs(nearest[0] - from)) nearest = point;
  }
  return nearest === undefined || Math.abs(nearest[0] - from) > overMs / 4 ? undefined : value - nearest[1];
}

/** A limit that the operator wrote and whose figure cannot be had: silence would look like health. */
function unmeasured({ figures, limits, at }: Evidence): HostFinding[] {
  const names = Object.keys(figures);
  return limits
    .filter(({ isOwn, figure, hours }) => isOwn && FIGURES.get(baseName(figure))?.mayBeAbsent !== true && holdsAt(hours, at))
    .filter(({ figure }) => !names.some(name => name === figure || baseName(name) === figure))
    .map(({ name, figure }) => ({
      level: 'unknown' as const,
      subject: figure,
      text: `limit ${name} cannot be judged: there is no ${figure} on this host now`,
    }));
}

function sentence(figure: string, value: number, bound: number, limit: Limit, lastedMs: number, isWaiting: boolean): string {
  const unit = unitOf(figure);
  const instance = instanceOf(figure);
  const label = FIGURES.get(baseName(figure))?.label ?? figure;
  const what = instance === undefined ? label : `${label} (${instance})`;
  const moved = limit.overMs === undefined ? '' : ` within ${spanText(limit.overMs)}`;
  const lasting = lastedMs >= 1000 ? `, for ${spanText(lastedMs)}` : '';
  const waiting = isWaiting ? ` (counts after ${spanText(limit.forMs)})` : '';
  const sign = limit.overMs !== undefined && value > 0 ? '+' : '';
  return `${what}: ${sign}${valueText(value, unit)}${moved}, limit ${valueText(bound, unit)}${lasting}${waiting}`;
}

/** A figure with its unit, for people. */
export function valueText(value: number, unit: Unit): string {
  switch (unit) {
    case 'bytes':
      return sizeText(value);
    case 'percent':
      return `${numberText(value)} %`;
    case 's':
      return spanText(value * 1000);
    case 'ms':
      return value < 10_000 ? `${numberText(value)} ms` : spanText(value);
    case 'per minute':
      return `${numberText(value)}/min`;
    case 'per second':
      return `${numberText(value)}/s`;
    case 'count':
      return numberText(value);
    default:
      return unit satisfies never;
  }
}
