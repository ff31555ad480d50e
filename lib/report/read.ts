// Reads the records of some days: the journal where there is one, systest.log for what the journal does not have. One pass, a line at a
// time; what is kept of a record is its fact (facts.ts).
//
// A trip belongs to the day on which it began, its record to the file of the day on which it was written: so the file of the day
// after is read as well, and for what later runs found out about a trip, some more. A torn line, a type that this version does not
// know, a clock that went back: counted, told in the report, never fatal.

import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { JOURNAL_VERSION } from '../model/record.ts';
import { reason } from '../record/append.ts';
import { localDay, localTime } from '../record/day.ts';
import { journalFile } from '../record/journal.ts';
import { certificatesOf, factOfTrip, factPath, verdictFact } from './fact-of-trip.ts';
import type {
  AckFact,
  AmendFact,
  CertificateFact,
  DamagedFile,
  DeliveryFact,
  FactPath,
  MonitorFact,
  NoticeFact,
  PhaseName,
  Records,
  SilenceFact,
  SkipFact,
  TripFact,
} from './facts.ts';
import { linesOf } from './lines.ts';
import { dayAfter, daysOf, type Period, spanOf } from './period.ts';
import { readTables, rowKey } from './read-table.ts';
import { isOfSystem } from './text-of.ts';
import { entries, number, object, text, texts } from './untrusted.ts';

/** So many days after the period are searched for what became of its messages: an MTA gives up after five, the ledger after eight. */
const LATER_DAYS = 8;
/** A step back below this is two processes that wrote at the same time. */
const CLOCK_BACK_MS = 2000;
const OUR_OWN_TESTS: ReadonlySet<unknown> = new Set(['demo', 'drill']);
const BECAME: readonly AmendFact['became'][] = ['late', 'duplicate', 'swept', 'bounced', 'junked'];

interface ReadOptions {
  readonly state: string;
  readonly period: Pick<Period, 'from' | 'to'>;
  /** What was recorded after this is left out; epoch ms. */
  readonly until: number;
  /** Only results and total times are wanted, to compare with: legs, phases, hops and certificates are left out. */
  readonly isBrief?: boolean;
}

/** A file that is there and cannot be read is among the doubts. */
export function readRecords({ state, period, until, isBrief = false }: ReadOptions): Records {
  const reader = new Reader(spanOf(period), { until, isBrief });
  const days = daysOf(period);
  let withoutJournal = 0;
  for (const day of days) {
    const file = journalFile(state, day);
    if (!existsSync(file)) withoutJournal += 1;
    reader.journal(file);
  }
  reader.journal(journalFile(state, dayAfter(period.to, 1)));
  for (let later = 2; later <= LATER_DAYS; later += 1) reader.laterJournal(journalFile(state, dayAfter(period.to, later)));
  return reader.finish(readTables(state, days), withoutJournal);
}

/** Reads lines that are at hand, without tables. */
export function recordsFrom(lines: Iterable<string>, period: Pick<Period, 'from' | 'to'>): Records {
  const reader = new Reader(spanOf(period), { until: Number.POSITIVE_INFINITY, isBrief: false });
  reader.lines(lines, 'sample');
  return reader.finish({ rows: [], damaged: [] }, 0);
}

class Reader {
  readonly #startAt: number;
  readonly #endAt: number;
  readonly #until: number;
  readonly #isBrief: boolean;
  readonly #trips: TripFact[] = [];
  readonly #before: TripFact[] = [];
  readonly #verdicts = new Map<string, NonNullable<ReturnType<typeof verdictFact>>>();
  readonly #amends: AmendFact[] = [];
  readonly #skips: SkipFact[] = [];
  readonly #events: MonitorFact[] = [];
  readonly #notices: NoticeFact[] = [];
  readonly #deliveries: DeliveryFact[] = [];
  readonly #acks: AckFact[] = [];
  readonly #silences: SilenceFact[] = [];
  /** The newest line of each path: the certificates in it are the ones that count. */
  readonly #lastLines = new Map<string, string>();
  readonly #phases = new Map<string, Map<string, number>>();
  readonly #phaseNames: PhaseName[] = [];
  readonly #damaged: DamagedFile[] = [];
  readonly #unknownTypes = new Map<string, number>();
  readonly #clockBacks: { from: number; to: number }[] = [];
  /** Rows of systest.log that trips have: time and names as the table writes them. */
  readonly #rows = new Map<string, number>();
  #drills = 0;
  #lastAt = 0;

  constructor({ startAt, endAt }: ReturnType<typeof spanOf>, { until, isBrief }: { until: number; isBrief: boolean }) {
    this.#startAt = startAt;
    this.#endAt = endAt;
    this.#until = until;
    this.#isBrief = isBrief;
  }

  journal(file: string): void {
    this.#whole(file, () => this.lines(linesOf(file), basename(file)));
  }

  /** What cannot be read is told in the report, which is made of the rest. */
  #whole(file: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!isOfSystem(error)) throw error;
      this.#damaged.push({ file: basename(file), lines: 0, why: reason(error) });
    }
  }

  lines(lines: Iterable<string>, name: string): void {
    let damaged = 0;
    this.#lastAt = 0;
    for (const line of lines) {
      if (line === '') continue;
      const record = parsed(line);
      if (record === undefined || !this.#take(record, line)) damaged += 1;
    }
    if (damaged > 0) this.#damaged.push({ file: name, lines: damaged });
  }

  /** Of days that are past the period only what was found out about its trips. */
  laterJournal(file: string): void {
    this.#whole(file, () => {
      for (const line of linesOf(file)) {
        if (!line.includes('"type":"amend"') && !line.includes('"type":"verdict"')) continue;
        const record = parsed(line);
        if (record?.type === 'amend' || record?.type === 'verdict') this.#take(record, line);
      }
    });
  }

  finish(tables: ReturnType<typeof readTables>, withoutJournal: number): Records {
    const onlyInTable = tables.rows
      .filter(row => !this.#isKnown(row.key))
      .map(({ fact, hasJournal }) => ({ fact: fact(), hasJournal }))
      .filter(({ fact }) => fact.recordedAt <= this.#until);
    const trips = [...this.#trips.map(trip => this.#reweighed(trip)), ...onlyInTable.map(({ fact }) => fact)];
    return {
      trips: trips.sort((a, b) => a.startedAt - b.startedAt),
      before: this.#before.map(trip => this.#reweighed(trip)),
      amends: this.#amends,
      skips: this.#skips,
      events: this.#events,
      notices: this.#notices,
      deliveries: this.#deliveries,
      acks: this.#acks,
      silences: this.#silences,
      certificates: newest([...this.#lastLines.values()].flatMap(line => certificatesOf(parsed(line) ?? {}))),
      phaseNames: this.#phaseNames,
      doubts: {
        damaged: [...this.#damaged, ...tables.damaged],
        // Where there is no journal at all, the table is not a second witness but the only one.
        onlyInTable: onlyInTable.filter(({ hasJournal }) => hasJournal).length,
        withoutJournal,
        drills: this.#drills,
        unknownTypes: this.#unknownTypes,
        clockBacks: this.#clockBacks,
      },
    };
  }

  /** @returns false when the record is not whole */
  #take(record: Record<string, unknown>, line: string): boolean {
    const at = number(record.at);
    if (record.v !== JOURNAL_VERSION || at === undefined || typeof record.type !== 'string') return false;
    if (at > this.#until) return true;
    const isInside = at >= this.#startAt && at < this.#endAt;
    if (isInside && at < this.#lastAt - CLOCK_BACK_MS) this.#clockBacks.push({ from: this.#lastAt, to: at });
    this.#lastAt = at;
    switch (record.type) {
      case 'trip':
        return this.#takeTrip(record, line);
      case 'verdict': {
        const verdict = verdictFact(record.verdict);
        const trip = text(record.trip, 64);
        if (verdict === undefined || trip === undefined) return false;
        this.#verdicts.set(trip, verdict);
        return true;
      }
      case 'amend': {
        const amend = amendFact(record, at);
        if (amend !== undefined) this.#amends.push(amend);
        return amend !== undefined;
      }
      case 'skip':
        if (isInside) this.#skips.push({ at, why: text(record.why, 300) ?? '' });
        return true;
      case 'monitor':
        if (isInside) this.#events.push({ at, event: text(record.event, 40) ?? '', text: text(record.text, 300) ?? '' });
        return true;
      case 'notice':
        if (isInside) this.#notices.push(noticeFact(record, at));
        return true;
      case 'delivery':
        // A message of the last minute may be on its way until after midnight.
        this.#deliveries.push(deliveryFact(record, at));
        return true;
      case 'ack':
        this.#acks.push({ at, alarm: number(record.alarm) ?? 0, by: text(record.by, 80) ?? '' });
        return true;
      case 'silence':
        if (isInside) this.#silences.push(silenceFact(record, at));
        return true;
      case 'reading':
        // The figures of a host are in its qmonitor.log.
        return true;
      default: {
        const type = text(record.type, 40) ?? '';
        this.#unknownTypes.set(type, (this.#unknownTypes.get(type) ?? 0) + 1);
        return true;
      }
    }
  }

  #takeTrip(record: Record<string, unknown>, line: string): boolean {
    const numbersOf = (component: string, protocol: string) => this.#numbersOf(component, protocol);
    const fact = factOfTrip(record, this.#isBrief ? undefined : numbersOf);
    if (fact === undefined) return false;
    if (fact.startedAt >= this.#endAt) return true;
    const isBefore = fact.startedAt < this.#startAt;
    if (!isBefore) {
      const key = rowKey(localDay(fact.startedAt), localTime(fact.startedAt), fact.path);
      this.#rows.set(key, (this.#rows.get(key) ?? 0) + 1);
    }
    if (OUR_OWN_TESTS.has(record.by)) {
      if (!isBefore) this.#drills += 1;
      return true;
    }
    (isBefore ? this.#before : this.#trips).push(fact);
    if (!isBefore && fact.state !== 'unknown' && !this.#isBrief) this.#lastLines.set(pathName(fact.path), line);
    return true;
  }

  /** Numbers for the phases of one kind of dialog; millions are asked for, a few dozen there are. */
  #numbersOf(component: string, protocol: string): (phase: string) => number {
    const dialog = `${component} ${protocol}`;
    const known = this.#phases.get(dialog) ?? new Map<string, number>();
    this.#phases.set(dialog, known);
    return phase => {
      const number = known.get(phase) ?? this.#phaseNames.push({ component, protocol, phase }) - 1;
      known.set(phase, number);
      return number;
    };
  }

  #reweighed(trip: TripFact): TripFact {
    const verdict = this.#verdicts.get(trip.id);
    return verdict === undefined ? trip : { ...trip, ...verdict };
  }

  #isKnown(key: string): boolean {
    const left = this.#rows.get(key) ?? 0;
    if (left === 0) return false;
    this.#rows.set(key, left - 1);
    return true;
  }
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return object(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function pathName({ account, mta, mmp, mailbox }: FactPath): string {
  return `${account}+${mta}+${mmp}+${mailbox}`;
}

function amendFact(record: Record<string, unknown>, at: number): AmendFact | undefined {
  const path = factPath(record.path);
  const became = BECAME.find(known => known === record.became);
  const trip = text(record.trip, 64);
  if (path === undefined || became === undefined || trip === undefined) return undefined;
  const afterMs = number(record.afterMs);
  return { at, trip, path, became, ...(afterMs === undefined ? {} : { afterMs }), text: text(record.text, 300) ?? '' };
}

function noticeFact(record: Record<string, unknown>, at: number): NoticeFact {
  return {
    at,
    what: text(record.what, 30) ?? '',
    alarm: number(record.alarm) ?? 0,
    component: text(record.component, 80) ?? '',
    text: text(record.text, 300) ?? '',
    since: number(record.since) ?? at,
    to: texts(record.to, 50, 80),
    why: text(record.why, 200) ?? '',
  };
}

function deliveryFact(record: Record<string, unknown>, at: number): DeliveryFact {
  return {
    at,
    message: text(record.message, 80) ?? '',
    to: text(record.to, 80) ?? '',
    channel: text(record.channel, 80) ?? '',
    outcome: text(record.outcome, 30) ?? '',
    text: text(record.text, 300) ?? '',
    notices: entries(record.notices, 100).map(({ alarm, what }) => ({ alarm: number(alarm) ?? 0, what: text(what, 30) ?? '' })),
  };
}

function silenceFact(record: Record<string, unknown>, at: number): SilenceFact {
  return {
    at,
    what: text(record.what, 80) ?? '',
    by: text(record.by, 80) ?? '',
    until: number(record.until) ?? at,
    reason: text(record.reason, 200) ?? '',
  };
}

/** Each door shows one certificate at a time; several paths lead over it. */
function newest(certificates: readonly CertificateFact[]): CertificateFact[] {
  const byDoor = new Map<string, CertificateFact>();
  for (const each of certificates) byDoor.set(`${each.component} ${each.protocol} ${each.subject} ${each.validTo}`, each);
  return [...byDoor.values()];
}
