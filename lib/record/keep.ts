// A trip as the journal keeps it: all that is evidence, and nothing twice. A year of trips every five minutes is a gigabyte
// otherwise, and every report reads it. Pure.

import type { DialogRecord } from '../model/dialog.ts';
import type { Trip } from '../model/trip.ts';

/**
 * The trip without what nobody will need:
 *
 * - the transcript of a trip that went well (that of one that did not is evidence);
 * - what a connection learned (certificate, capabilities), where an earlier dialog of the trip has the same;
 * - digits below a microsecond.
 */
export function keptTrip(trip: Trip): Trip {
  const isGood = trip.fault === undefined;
  const told = new Set<string>();
  const kept = (dialog: DialogRecord): DialogRecord => {
    const facts = JSON.stringify([dialog.component, dialog.protocol, dialog.facts]);
    const isKnown = told.has(facts);
    told.add(facts);
    return { ...dialog, ...(isKnown ? { facts: {} } : {}), ...(isGood ? { transcript: [] } : {}) };
  };
  return toMicroseconds({ ...trip, legs: trip.legs.map(leg => ({ ...leg, dialogs: leg.dialogs.map(kept) })) });
}

/** A copy whose spans (names that end in `Ms`) have three digits after the point. */
function toMicroseconds<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (key, each: unknown) =>
      typeof each === 'number' && key.endsWith('Ms') ? Math.round(each * 1000) / 1000 : each,
    ),
  ) as T;
}
