// The report: from records to the data that formats get. Pure but for what reads earlier periods, which is an argument.

import type { Sequence } from '../model/sequence.ts';
import type { Path } from '../model/trip.ts';
import { localDay, localTime } from '../record/day.ts';
import type { QmonitorDay } from '../record/qmonitor.ts';
import { compareOf } from './compare.ts';
import { type Report, SCHEMA } from './data.ts';
import type { AmendFact, Doubts, Records, TripFact } from './facts.ts';
import { honestLines, type Waiting } from './honest.ts';
import { hostNumbers } from './hosts.ts';
import { type Incident, incidentsOf, pathLabel } from './incidents.ts';
import type { Names } from './names.ts';
import { componentNumbers, pathNumbers } from './paths.ts';
import { clockChange, daysOf, type Period, spanOf, titleOf } from './period.ts';
import { runningOf } from './slots.ts';
import { gridOf, stretchesOf, stretchNumbers } from './stretches.ts';
import { fatesOf, groupBy, tally, worstOf } from './tally.ts';
import { hopNumbers, legNumbers, phaseNumbers } from './timing.ts';
import { toldOf } from './told.ts';
import { clockText, momentText, plural, spanText } from './words.ts';

export interface Background {
  readonly period: Period;
  /** Now: what is recorded later is not in the report. Epoch ms. */
  readonly at: number;
  readonly version: string;
  readonly names: Names;
  /** Undefined when it cannot be read. */
  readonly sequence: Sequence | undefined;
  /** Every path of the sequence. */
  readonly paths: readonly Path[];
  readonly hostDays: readonly QmonitorDay[];
  readonly damagedHosts: Doubts['damaged'];
  readonly waiting: readonly Waiting[];
  /** The report of the day before, when there was one: up to when it knew. */
  readonly earlier: { readonly day: string; readonly madeAt: number } | undefined;
  readonly readEarlier: (period: Period) => Pick<Records, 'trips' | 'amends'>;
}

const MOST_INCIDENTS = 200;
const CERTIFICATE_DAYS = 30;
const DAY = 86_400_000;

export function reportOf(records: Records, background: Background): Report {
  const { period, at, names, sequence, paths } = background;
  const { startAt, endAt } = spanOf(period);
  const { trips } = records;
  const fates = fatesOf(records.amends);
  const stretches = stretchesOf(period);
  const incidents = incidentsOf(trips);
  const told = toldOf(incidents, records);
  const whole = tally(trips, fates);
  const until = Math.min(endAt, Math.max(startAt, at));
  const minutes = new Set(sequence?.map(entry => entry.minute));
  return {
    schema: SCHEMA,
    made: { at, version: background.version, isComplete: at >= endAt },
    site: { name: names.site, domain: names.domain },
    period: {
      ...period,
      title: titleOf(period),
      startAt,
      endAt,
      days: daysOf(period).length,
      minutes: Math.round((endAt - startAt) / 60_000),
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      clockChange: clockChange(period) ?? null,
    },
    verdict: { state: worstOf(trips), sentence: sentence(whole, incidents, period.from === period.to) },
    whole,
    paths: pathNumbers(trips, { fates, sequence: paths, stretches }),
    components: componentNumbers(trips, fates, names),
    legs: legNumbers(trips),
    phases: phaseNumbers(trips, records.phaseNames),
    hops: hopNumbers(trips),
    incidents: incidents.slice(0, MOST_INCIDENTS).map((incident, index) => ({
      ...incident,
      notices: told.byIncident[index] ?? [],
    })),
    incidentsLeftOut: Math.max(0, incidents.length - MOST_INCIDENTS),
    stretches: stretchNumbers(trips, stretches),
    grid: gridOf(trips),
    late: lateOf(records, { startAt, endAt }),
    carried: carriedOf(records, background.earlier),
    compare: compareOf(period, background.readEarlier),
    certificates: certificatesOf(records, endAt),
    hosts: hostNumbers(background.hostDays),
    notices: {
      count: told.all.length,
      told: told.told,
      notDelivered: told.notDelivered.length,
      acknowledged: told.acknowledged,
      unmatched: told.unmatched,
    },
    honest: honestLines({
      trips,
      records,
      sequence,
      paths,
      running: runningOf(trips, minutes, { from: startAt, until }),
      told,
      waiting: background.waiting,
      damagedHosts: background.damagedHosts,
      isDay: period.from === period.to,
    }),
    rows: trips.map(rowOf),
  };
}

/** The period in one sentence. */
function sentence(whole: Report['whole'], incidents: readonly Incident[], isDay: boolean): string {
  const { trips, failed, slow, unknown, total } = whole;
  if (trips === 0) return 'Nothing was tested.';
  const half = total.p50 === null ? '' : `; half of them came back within ${spanText(total.p50)}`;
  if (failed + slow + unknown === 0)
    return trips === 1
      ? `The one trip came back in time (${spanText(total.p50 ?? 0)}).`
      : `All ${trips} trips came back in time${half}.`;
  const others = [
    ...(slow > 0 ? [`${slow} ${slow === 1 ? 'was' : 'were'} slow`] : []),
    ...(unknown > 0 ? [`${unknown} could not be measured`] : []),
  ];
  if (failed === 0) return `No trip of ${trips} failed; ${others.join(', ')}${half}.`;
  const rest = others.length === 0 ? '' : `; ${others.join(', ')}`;
  return `${failed} of ${plural(trips, 'trip')} failed${guiltyText(failed, incidents, isDay)}${rest}.`;
}

/** Who broke most of them: one incident, or where it was many small ones, a component in several. */
function guiltyText(failed: number, incidents: readonly Incident[], isDay: boolean): string {
  const causes = incidents.filter(({ state }) => state === 'failed');
  const longest = causes.reduce<Incident | undefined>((a, b) => (a === undefined || b.results > a.results ? b : a), undefined);
  if (longest === undefined) return '';
  const share = (results: number) => (results === failed ? 'all' : `${results} of them`);
  if (longest.results * 2 >= failed) {
    const when = isDay ? clockText(longest.from) : momentText(longest.from);
    return `, ${share(longest.results)} by ${causeText(longest)} from ${when} on`;
  }
  const guilty = [...groupBy(causes, ({ component }) => component)]
    .map(([component, list]) => ({ component, times: list.length, results: list.reduce((sum, { results }) => sum + results, 0) }))
    .reduce((a, b) => (b.results > a.results ? b : a));
  return `, ${share(guilty.results)} by ${guilty.component}, in ${plural(guilty.times, 'incident')}`;
}

/** `mmp/smux01 pop3 auth`. */
function causeText({ component, protocol, phase }: Incident): string {
  return [component, protocol, phase].filter(part => part !== '').join(' ');
}

function lateOf(records: Records, { startAt, endAt }: { startAt: number; endAt: number }): Report['late'] {
  const started = new Map([...records.before, ...records.trips].map(trip => [trip.id, trip.startedAt]));
  return records.amends
    .filter(({ at }) => at >= startAt && at < endAt)
    .flatMap(turnedUp)
    .map(({ trip, path, became, afterMs, text }) => ({
      trip,
      label: pathLabel(path),
      startedAt: started.get(trip) ?? null,
      became,
      afterMs: afterMs ?? null,
      text,
    }));
}

/** One that its own trip had seen, and only not removed, is nothing that turned up. */
function turnedUp(amend: AmendFact): (AmendFact & { readonly became: Report['late'][number]['became'] })[] {
  const { became } = amend;
  return became === 'swept' ? [] : [{ ...amend, became }];
}

/** Trips of the day before that its own report came too early for. */
function carriedOf({ before }: Records, earlier: Background['earlier']): Report['carried'] {
  const trips =
    earlier === undefined
      ? []
      : before.filter(({ startedAt, recordedAt }) => localDay(startedAt) === earlier.day && recordedAt > earlier.madeAt);
  return {
    from: trips.length === 0 ? null : (earlier?.day ?? null),
    trips: trips.length,
    failed: trips.filter(({ state }) => state === 'failed').length,
    rows: trips.map(trip => `${localTime(trip.startedAt)} ${pathLabel(trip.path)}: ${trip.text}`),
  };
}

function certificatesOf({ certificates }: Records, endAt: number): Report['certificates'] {
  const same = groupBy(certificates, ({ component, subject, validTo }) => JSON.stringify([component, subject, validTo]));
  return [...same.values()]
    .flatMap(([first, ...rest]) => {
      if (first === undefined) return [];
      const protocols = [...new Set([first, ...rest].map(({ protocol }) => protocol))].sort();
      return [{ ...first, protocol: protocols.join(', '), daysLeft: Math.floor((first.validTo - endAt) / DAY) }];
    })
    .filter(({ daysLeft }) => daysLeft <= CERTIFICATE_DAYS)
    .sort((a, b) => a.validTo - b.validTo);
}

function rowOf(trip: TripFact): Report['rows'][number] {
  const { account, mta, mmp, mailbox } = trip.path;
  return {
    at: trip.startedAt,
    day: localDay(trip.startedAt),
    time: localTime(trip.startedAt),
    account,
    mta,
    mmp,
    mailbox,
    totalMs: trip.totalMs ?? null,
    state: trip.state,
    error: trip.short,
    text: trip.text,
    trip: trip.id,
  };
}
