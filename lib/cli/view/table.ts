// The round as the table that operators know, straight from the records.

import type { TripRecord } from '../../model/record.ts';
import { localDay, localTime } from '../../record/day.ts';
import { systestHeader, systestRow } from '../../record/systest.ts';

/** Header and one row per record, as systest.log has them. */
export function roundTable(records: readonly TripRecord[]): string {
  const day = localDay(records[0]?.trip.startedAt ?? Date.now());
  return `${systestHeader(day)}${records.map(tableRow).join('\n')}`;
}

export function tableRow({ trip, verdict }: TripRecord): string {
  const { account, mta, mmp } = trip.path;
  const total = verdict.state === 'unknown' || trip.totalMs === undefined ? {} : { totalMs: trip.totalMs };
  return systestRow({ time: localTime(trip.startedAt), account, mta, mmp, ...total, error: verdict.short });
}
