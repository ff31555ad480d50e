// How far the report can be believed, in sentences: what was not tested, when nobody was looking, what is unsure, what did not reach
// anybody. An all-green day is often one on which the monitor slept. Pure.

import type { Sequence } from '../model/sequence.ts';
import type { Path } from '../model/trip.ts';
import { pathKey, pathText } from '../model/trip.ts';
import type { Report } from './data.ts';
import type { Doubts, MonitorFact, Records, SkipFact, TripFact } from './facts.ts';
import { keyOf } from './paths.ts';
import type { Running } from './slots.ts';
import type { Told } from './told.ts';
import { clockText, momentText, plural, spanText } from './words.ts';

type Line = Report['honest'][number];

/** A report that has not reached everybody. */
export interface Waiting {
  readonly title: string;
  readonly to: readonly string[];
  readonly since: number;
  readonly why: string;
}

export interface HonestInput {
  readonly trips: readonly TripFact[];
  readonly records: Pick<Records, 'skips' | 'events' | 'silences' | 'doubts'>;
  /** Undefined when sequence.cfg could not be read. */
  readonly sequence: Sequence | undefined;
  /** Every path of it. */
  readonly paths: readonly Path[];
  readonly running: Running;
  readonly told: Told;
  readonly waiting: readonly Waiting[];
  readonly damagedHosts: Doubts['damaged'];
  /** The period is a single day: times need no date. */
  readonly isDay: boolean;
}

const MOST = 20;

/** What is to be said against the report first, then what was looked at and found well. */
export function honestLines(input: HonestInput): Line[] {
  const lines = [
    untested(input),
    running(input),
    unsure(input.trips),
    notices(input),
    reports(input),
    config(input),
    records(input),
    clock(input),
    ...leftOut(input.trips, input.records.doubts),
    ...monitor(input),
  ];
  return [...lines.filter(({ isGood }) => !isGood), ...lines.filter(({ isGood }) => isGood)];
}

function line(what: Line['what'], isGood: boolean, text: string, details: readonly string[] = []): Line {
  const more = details.length - MOST;
  return { what, isGood, text, details: more > 0 ? [...details.slice(0, MOST - 1), `and ${more + 1} more`] : details };
}

function untested({ trips, sequence, paths }: HonestInput): Line {
  if (sequence === undefined) return line('untested', false, 'Which paths were due is not known: sequence.cfg could not be read');
  const walked = new Set(trips.map(trip => keyOf(trip.path)));
  // A table does not tell the protocol: a row of it stands for both.
  const rows = new Set(trips.filter(({ path }) => path.mailbox === '').map(({ path }) => roadOf(path)));
  const missing = paths.filter(path => !walked.has(pathKey(path)) && !rows.has(roadOf(path)));
  if (paths.length === 0) return line('untested', false, 'sequence.cfg has no entry: nothing is ever tested');
  if (missing.length === paths.length)
    return line('untested', false, `None of the ${plural(paths.length, 'path')} of sequence.cfg was tested`);
  if (missing.length === 0)
    return line(
      'untested',
      true,
      `Every path of sequence.cfg was tested (${paths.length}${rows.size > 0 ? '; of table rows POP3 and IMAP are not told apart' : ''})`,
    );
  return line(
    'untested',
    false,
    `${missing.length} of ${plural(paths.length, 'path')} of sequence.cfg ${missing.length === 1 ? 'was' : 'were'} never tested`,
    missing.map(pathText),
  );
}

function roadOf({ account, mta, mmp }: { readonly account: string; readonly mta: string; readonly mmp: string }): string {
  return JSON.stringify([account, mta, mmp]);
}

function running({ running: { due, missed, minutes, gaps }, sequence, records: { skips }, isDay }: HonestInput): Line {
  const when = isDay ? clockText : momentText;
  const why = skips.map(skip => `skipped at ${when(skip.at)}: ${skip.why}`);
  if (sequence === undefined)
    return line('not running', false, 'When the monitor should have run is not known: sequence.cfg could not be read', why);
  if (due === 0) return line('not running', true, 'No start was due in the period', why);
  if (missed === 0)
    return line('not running', skips.length === 0, `The monitor ran at each of the ${due} times of sequence.cfg`, why);
  const missing = `${missed} of ${plural(due, 'start')} missing`;
  if (missed === due) return line('not running', false, `The monitor did not run at all: ${missing}`, why);
  const ranges = gaps.map(({ from, until, starts }) => {
    const end = isDay && clockText(until) === '00:00' ? '24:00' : when(until);
    return `${when(from)} to ${end}: ${plural(starts, 'start')} missing${reasonIn(skips, from, until)}`;
  });
  return line('not running', false, `The monitor did not run for ${plural(minutes, 'minute')}: ${missing}`, ranges);
}

function reasonIn(skips: readonly SkipFact[], from: number, until: number): string {
  const skip = skips.find(({ at }) => at >= from && at < until);
  return skip === undefined ? '' : ` (${skip.why})`;
}

function unsure(trips: readonly TripFact[]): Line {
  const unknown = trips.filter(({ state }) => state === 'unknown');
  const open = trips.filter(({ suspects }) => suspects.some(({ confidence }) => confidence === 'cannot tell apart'));
  const accepted = trips.filter(({ outcome }) => outcome === 'unsure');
  const parts = [
    ...(unknown.length > 0 ? [`${plural(unknown.length, 'trip')} could not be measured`] : []),
    ...(open.length > 0 ? [`${plural(open.length, 'verdict')} could not tell suspects apart`] : []),
    ...(accepted.length > 0 ? [`${plural(accepted.length, 'message')} may or may not have been accepted`] : []),
  ];
  if (parts.length === 0) return line('unsure', true, 'No result is unsure');
  const reasons = new Map<string, number>();
  for (const { text } of unknown) reasons.set(text, (reasons.get(text) ?? 0) + 1);
  const details = [...reasons].sort(([, a], [, b]) => b - a).map(([text, n]) => (n === 1 ? text : `${text} (${n} times)`));
  return line('unsure', false, parts.join('; '), details);
}

function notices({ told, records: { silences }, isDay }: HonestInput): Line {
  const when = isDay ? clockText : momentText;
  const quiet = silences.map(
    ({ at, what, by, until, reason }) =>
      `${when(at)}: ${by} silenced ${what} until ${momentText(until)}${reason === '' ? '' : ` (${reason})`}`,
  );
  if (told.all.length === 0) return line('not delivered', quiet.length === 0, 'No notices are recorded', quiet);
  const { told: sent, notDelivered } = told;
  const all =
    sent === 0 ? `${plural(told.all.length, 'notice')}, none of them to be sent` : `${plural(sent, 'notice')} to be sent`;
  if (notDelivered.length === 0)
    return line('not delivered', quiet.length === 0, sent === 0 ? all : `${all}, and each reached somebody`, quiet);
  const details = notDelivered.map(({ at, event, text }) => `${when(at)} ${event}: ${text}`);
  return line('not delivered', false, `${all}, and ${notDelivered.length} of them reached nobody`, [...details, ...quiet]);
}

function reports({ waiting }: HonestInput): Line {
  if (waiting.length === 0) return line('not delivered', true, 'No earlier report waits for delivery');
  return line(
    'not delivered',
    false,
    `${plural(waiting.length, 'earlier report')} ${waiting.length === 1 ? 'has' : 'have'} not been delivered to everybody`,
    waiting.map(({ title, to, since, why }) => `${title} to ${to.join(', ')}, since ${momentText(since)}: ${why}`),
  );
}

function config({ records: { events }, isDay }: HonestInput): Line {
  const changes = events.filter(({ event }) => event === 'config changed' || event === 'reloaded' || event === 'kept old config');
  if (changes.length === 0) return line('config', true, 'No change of the config is recorded');
  const count = changes.filter(({ event }) => event === 'config changed').length;
  const kept = changes.some(({ event }) => event === 'kept old config');
  return line(
    'config',
    false,
    count === 0
      ? 'The config was read again'
      : `The config changed ${count === 1 ? 'once' : `${count} times`}${kept ? ', and a broken one was not taken' : ''}`,
    changes.map(each => eventText(each, isDay)),
  );
}

function eventText({ at, event, text }: MonitorFact, isDay: boolean): string {
  return `${isDay ? clockText(at) : momentText(at)} ${event}: ${text}`;
}

function records({ records: { doubts }, damagedHosts }: HonestInput): Line {
  const { damaged, onlyInTable, withoutJournal, unknownTypes } = doubts;
  const lines = [...damaged, ...damagedHosts];
  const details = [
    ...lines.map(({ file, lines: n, why }) =>
      why === undefined ? `${plural(n, 'line')} of ${file} could not be read` : `${file} could not be read: ${why}`,
    ),
    ...(onlyInTable > 0
      ? [
          `${plural(onlyInTable, 'row')} of systest.log ${onlyInTable === 1 ? 'has' : 'have'} no record in the journal: taken from the table`,
        ]
      : []),
    ...(withoutJournal > 0
      ? [
          `${plural(withoutJournal, 'day')} without a journal: what there is comes from systest.log, which has no legs, protocols or suspects`,
        ]
      : []),
    ...[...unknownTypes].map(([type, n]) => `${plural(n, 'record')} of a kind that this version does not know ("${type}")`),
  ];
  return details.length === 0
    ? line('records', true, 'Every record could be read')
    : line('records', false, 'The records are not whole', details);
}

function clock({ records: { doubts } }: HonestInput): Line {
  const { clockBacks } = doubts;
  if (clockBacks.length === 0) return line('clock', true, "This machine's clock never went back");
  return line(
    'clock',
    false,
    `This machine's clock went back ${clockBacks.length === 1 ? 'once' : `${clockBacks.length} times`}: times around it are not in order`,
    clockBacks.map(({ from, to }) => `from ${momentText(from)} by ${spanText(from - to)}`),
  );
}

function leftOut(trips: readonly TripFact[], { drills }: Doubts): Line[] {
  const excused = trips.filter(({ state, isExcused }) => isExcused && state === 'failed').length;
  return [
    ...(drills > 0
      ? [line('left out', true, `${plural(drills, 'trip')} of drills and demos ${drills === 1 ? 'is' : 'are'} left out`)]
      : []),
    ...(excused > 0
      ? [
          line(
            'left out',
            true,
            `${plural(excused, 'failure')} in planned maintenance ${excused === 1 ? 'does' : 'do'} not count in availability`,
          ),
        ]
      : []),
  ];
}

function monitor({ records: { events }, isDay }: HonestInput): Line[] {
  const turns = events.filter(({ event }) => event === 'started' || event === 'stopped');
  const starts = turns.filter(({ event }) => event === 'started').length;
  return turns.length === 0
    ? []
    : [
        line(
          'monitor',
          true,
          `The daemon was started ${plural(starts, 'time')} and stopped ${plural(turns.length - starts, 'time')}`,
          turns.map(each => eventText(each, isDay)),
        ),
      ];
}
