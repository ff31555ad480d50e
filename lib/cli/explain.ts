// Everything known of one trip in one text: what happened, the dialogs, the records behind it.

import type { JournalRecord, TripRecord, VerdictRecord } from '../model/record.ts';
import type { Site } from '../model/site.ts';
import { localDay, localTime } from '../record/day.ts';
import { journalDays, readJournal } from '../record/journal.ts';
import { loadSite } from '../site/load.ts';
import { placesOf, Stop } from './context.ts';
import type { Terminal } from './terminal.ts';
import { commandsFor } from './view/commands.ts';
import { evidenceText, reasonsText } from './view/evidence.ts';
import { transcriptText, tripText } from './view/trip.ts';

export interface Found {
  readonly record: TripRecord;
  /** What later runs learned about it. */
  readonly amendments: readonly Extract<JournalRecord, { type: 'amend' }>[];
  /** The verdict as it was weighed again. */
  readonly later?: VerdictRecord;
}

/**
 * Looks through the journal, newest day first.
 *
 * @param id of the trip, or the beginning of it; undefined for the last one that did not go well
 * @returns undefined when there is none
 */
export function findTrip(state: string, id: string | undefined): Found | undefined {
  const amendments: Found['amendments'][number][] = [];
  const verdicts: VerdictRecord[] = [];
  for (const day of [...journalDays(state)].reverse()) {
    const { records } = readJournal(state, day);
    amendments.push(...records.filter(record => record.type === 'amend'));
    verdicts.push(...records.filter(record => record.type === 'verdict'));
    const trips = records.filter(record => record.type === 'trip').reverse();
    const record = trips.find(({ trip, verdict }) => (id === undefined ? verdict.state !== 'ok' : trip.id.startsWith(id)));
    if (record === undefined) continue;
    const later = verdicts.filter(({ trip }) => trip === record.trip.id).at(-1);
    return {
      record,
      amendments: amendments.filter(({ trip }) => trip === record.trip.id),
      ...(later === undefined ? {} : { later }),
    };
  }
  return undefined;
}

export function explainText({ record, amendments, later }: Found, colours: Terminal['colours'], site: Site | undefined): string {
  const { trip } = record;
  const verdict = later?.verdict ?? record.verdict;
  const evidence = later?.evidence ?? record.evidence;
  const account = site?.accounts.get(trip.path.account);
  const commands =
    site === undefined ? [] : [...new Set(verdict.suspects.flatMap(suspect => commandsFor(site, suspect, account)))];
  const found = amendments.map(({ at, became, text }) => `    ${localDay(at)} ${localTime(at)}  ${became}: ${text}`);
  return [
    tripText({ ...record, verdict }, colours),
    ...(verdict.excused === undefined ? [] : ['', ...reasonsText(verdict, colours)]),
    ...(later === undefined ? [] : [`    (weighed again at ${localTime(later.at)}: ${later.text})`]),
    ...(evidence === undefined ? [] : ['', ...evidenceText(evidence, colours)]),
    ...(found.length === 0 ? [] : ['', colours.bold('  What later runs found'), ...found]),
    ...(commands.length === 0 ? [] : ['', colours.bold('  To see it for yourself'), ...commands.map(line => `    ${line}`)]),
    ...(trip.message === undefined
      ? []
      : ['', `  Message-ID ${trip.message.messageId}, envelope sender ${trip.message.envelopeFrom}`]),
    '',
    ...transcriptText(trip, colours),
  ].join('\n');
}

export async function runExplain(
  options: { readonly config?: string; readonly state?: string; readonly json?: boolean },
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const { state, config } = placesOf(options);
  const id = args[0];
  const found = findTrip(state, id);
  if (found === undefined)
    throw new Stop(
      id === undefined ? `No trip that went wrong is recorded in ${state}` : `No trip ${id} is recorded in ${state}`,
    );
  // The config is wanted only for the lines to copy: without it, or with one that has errors, they are left out.
  const { site } = await loadSite(config, { secrets: false });
  terminal.out(options.json === true ? JSON.stringify(found) : explainText(found, terminal.colours, site));
  return 0;
}
