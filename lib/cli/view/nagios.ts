// The status line of the monitoring plugins: `OK - text | 'label'=value;warn;crit;min;max`. @see the Monitoring Plugins
// Development Guidelines, section 2.6

import type { TripRecord } from '../../model/record.ts';
import type { Limits } from '../../model/site.ts';
import { LEGS, type LegName, pathText } from '../../model/trip.ts';

const WORDS = { ok: 'OK', slow: 'WARNING', failed: 'CRITICAL', unknown: 'UNKNOWN' } as const;

/** One line; a bar or a line end in the text would be taken for the end of it. */
export function nagiosLine({ trip, verdict }: TripRecord, limits: Pick<Limits, 'slowMs'>): string {
  const text = `${pathText(trip.path)}: ${verdict.text}`.replace(/[|\r\n]/g, ' ');
  const data: string[] = [];
  // A figure is given only for what has been measured: a path that failed has no total, and is not the fastest.
  if (trip.totalMs !== undefined && verdict.state !== 'unknown')
    data.push(`total=${seconds(trip.totalMs)};${limits.slowMs / 1000};;0`);
  for (const name of LEGS) {
    const took = legMs(trip.legs, name);
    if (took !== undefined) data.push(`${name}=${seconds(took)};;;0`);
  }
  return `${WORDS[verdict.state]} - ${text}${data.length === 0 ? '' : ` | ${data.join(' ')}`}`;
}

function legMs(legs: TripRecord['trip']['legs'], name: LegName): number | undefined {
  const leg = legs.find(each => each.name === name);
  return leg === undefined || leg.fault !== undefined ? undefined : leg.tookMs;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(6)}s`;
}
