// Everything known of one trip in one text: what happened, the dialogs, the records behind it.

import type { JournalRecord, TripRecord } from '../model/record.ts';
import { localDay, localTime } from '../record/day.ts';
import { journalDays, readJournal } from '../record/journal.ts';
import { placesOf, Stop } from './context.ts';
import type { Terminal } from './terminal.ts';
import { tripText } from './view-trip.ts';

export interface Found {
  readonly record: TripRecord;
  /** What later runs learned about it. */
  readonly amendments: readonly Extract<JournalRecord, { type: 'amend' }>[];
}

/**
 * Looks through the journal, newest day first.
 *
 * @param id of the trip, or the beginning of it; undefined for the last one that did not go well
 * @returns undefined when there is none
 */
export function findTrip(state: string, id: string | undefined): Found | undefined {
  const amendments: Found['amendments'][number][] = [];
  for (const day of [...journalDays(state)].reverse()) {
    const { records } = readJournal(state, day);
    amendments.push(...records.filter(record => record.type === 'amend'));
    const trips = records.filter(record => record.type === 'trip').reverse();
    const record = trips.find(({ trip, verdict }) => (id === undefined ? verdict.state !== 'ok' : trip.id.startsWith(id)));
    if (record !== undefined) return { record, amendments: amendments.filter(({ trip }) => trip === record.trip.id) };
  }
  return undefined;
}

export function explainText({ record, amendments }: Found, colours: Terminal['colours']): string {
  const later = amendments.map(({ at, became, text }) => `  ${localDay(at)} ${localTime(at)}  ${became}: ${text}`);
  return [
    tripText(record, colours, { verbose: true }),
    ...(later.length === 0 ? [] : ['', colours.bold('  What later runs found'), ...later]),
    ...(record.trip.message === undefined
      ? []
      : ['', `  Message-ID ${record.trip.message.messageId}, envelope sender ${record.trip.message.envelopeFrom}`]),
  ].join('\n');
}

export async function runExplain(
  options: { readonly state?: string; readonly json?: boolean },
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const { state } = placesOf(options);
  const id = args[0];
  const found = findTrip(state, id);
  if (found === undefined)
    throw new Stop(
      id === undefined ? `No trip that went wrong is recorded in ${state}` : `No trip ${id} is recorded in ${state}`,
    );
  terminal.out(options.json === true ? JSON.stringify(found) : explainText(found, terminal.colours));
  return 0;
}
