// From a trip's record in the journal to its fact. The journal is our own, but it has been through disks, editors and versions: every
// field is looked at before it is believed. What does not fit makes the record a damaged one, never an exception.

import { printable } from '../model/printable.ts';
import type { LegName } from '../model/trip.ts';
import { LEGS } from '../model/trip.ts';
import type { State } from '../model/verdict.ts';
import type { CertificateFact, FactPath, HopFact, SuspectFact, TripFact } from './facts.ts';
import { entries, number, object, text } from './untrusted.ts';

/** Phases that are our own doing or our own waiting: they say nothing about a server. */
const OWN_PHASES: ReadonlySet<string> = new Set(['secret', 'compose', 'arrival', 'compare', 'config', 'state', 'idle']);
/** Of the looks of a transit only some are recorded, and not at random. */
const TIMED_LEGS: ReadonlySet<string> = new Set(['open', 'submit', 'fetch', 'sweep']);
const STATES: ReadonlySet<string> = new Set(['ok', 'slow', 'failed', 'unknown'] satisfies State[]);
/** More Received stamps than any honest message has. */
const MOST_HOPS = 30;

/** Gives, for one kind of dialog, the number of a phase by its name. */
export type NumbersOf = (component: string, protocol: string) => (phase: string) => number;

/**
 * @param numbersOf undefined where only results and total times are wanted: legs, phases and hops are then left out
 * @returns undefined when it is not a whole record
 */
export function factOfTrip(record: Record<string, unknown>, numbersOf: NumbersOf | undefined): TripFact | undefined {
  const trip = object(record.trip);
  const verdict = verdictFact(record.verdict);
  const path = factPath(trip?.path);
  const startedAt = number(trip?.startedAt);
  const recordedAt = number(record.at);
  if (trip === undefined || verdict === undefined || path === undefined) return undefined;
  if (startedAt === undefined || recordedAt === undefined) return undefined;
  const arrival = object(trip.arrival);
  const outcome = text(arrival?.outcome, 20) ?? 'unknown';
  const totalMs = number(trip.totalMs);
  const { legs, phases } = numbersOf === undefined ? NO_TIMES : times(trip.legs, numbersOf);
  return {
    id: text(trip.id, 64) ?? '',
    path,
    startedAt,
    recordedAt,
    isScheduled: record.by === 'check_rndtrip' || record.by === 'daemon',
    ...verdict,
    // A figure of a trip that was not measured would make a fault of ours look like mail's.
    ...(totalMs === undefined || verdict.state === 'unknown' ? {} : { totalMs }),
    outcome,
    isLate: outcome === 'seen' && arrival?.late === true,
    found: [...new Set(entries(trip.findings).flatMap(finding => text(finding.what, 20) ?? []))],
    legs,
    phases,
    hops: numbersOf === undefined ? [] : entries(trip.hops, MOST_HOPS).flatMap(hopFact),
  };
}

const NO_TIMES: Pick<TripFact, 'legs' | 'phases'> = { legs: {}, phases: [] };

/** The part of a fact that a verdict gives; a later verdict about the same trip takes its place. */
export function verdictFact(value: unknown): Pick<TripFact, 'state' | 'suspects' | 'text' | 'short' | 'isExcused'> | undefined {
  const verdict = object(value);
  const state = text(verdict?.state, 20);
  if (verdict === undefined || state === undefined || !STATES.has(state)) return undefined;
  return {
    state: state as State,
    isExcused: typeof verdict.excused === 'string',
    suspects: entries(verdict.suspects, 20).flatMap(suspectFact),
    text: text(verdict.text, 300) ?? '',
    short: text(verdict.short, 40) ?? '',
  };
}

export function factPath(value: unknown): FactPath | undefined {
  const path = object(value);
  const account = text(path?.account, 70);
  const mta = text(path?.mta, 70);
  const mmp = text(path?.mmp, 70);
  if (account === undefined || mta === undefined || mmp === undefined) return undefined;
  return { account, mta, mmp, mailbox: path?.mailbox === 'pop3' || path?.mailbox === 'imap' ? path.mailbox : '' };
}

/** Certificates that a trip's servers showed. */
export function certificatesOf(record: Record<string, unknown>): CertificateFact[] {
  return entries(object(record.trip)?.legs).flatMap(leg =>
    entries(leg.dialogs).flatMap(dialog => {
      const tls = object(object(dialog.facts)?.tls);
      const validTo = Date.parse(text(tls?.validTo, 40) ?? '');
      const component = text(dialog.component, 80);
      if (component === undefined || Number.isNaN(validTo)) return [];
      return [{ component, protocol: text(dialog.protocol, 20) ?? '', subject: text(tls?.subject, 200) ?? '', validTo }];
    }),
  );
}

function times(value: unknown, numbersOf: NumbersOf): Pick<TripFact, 'legs' | 'phases'> {
  const legs: Partial<Record<LegName, number>> = {};
  const phases: number[] = [];
  for (const leg of entries(value, 10)) {
    const name = LEGS.find(known => known === leg.name);
    const tookMs = number(leg.tookMs);
    if (name === undefined) continue;
    const hasFault = leg.fault !== undefined;
    if (tookMs !== undefined && !hasFault) legs[name] = tookMs;
    if (!TIMED_LEGS.has(name)) continue;
    const dialogs = entries(leg.dialogs, 20);
    for (const [index, dialog] of dialogs.entries()) {
      const component = text(dialog.component, 80);
      const protocol = text(dialog.protocol, 20);
      if (component === undefined || protocol === undefined) continue;
      const numberOf = numbersOf(component, protocol);
      const list = entries(dialog.phases, 60);
      // The step in which a leg broke took as long as the fault, or our patience, made it.
      const whole = hasFault && index === dialogs.length - 1 ? list.length - 1 : list.length;
      for (let i = 0; i < whole; i += 1) {
        const phaseName = text(list[i]?.name, 20);
        const phaseMs = number(list[i]?.tookMs);
        if (phaseName === undefined || phaseMs === undefined || OWN_PHASES.has(phaseName)) continue;
        phases.push(numberOf(phaseName), phaseMs);
      }
    }
  }
  return { legs, phases };
}

function hopFact(hop: Record<string, unknown>): HopFact[] {
  const by = text(hop.by, 100);
  const delayMs = number(hop.delayMs);
  const skewMs = number(hop.skewMs);
  if (by === undefined) return [];
  // Written by whoever handled the message, perhaps before this was made printable.
  return [{ by: printable(by, 100), ...(delayMs === undefined ? {} : { delayMs }), ...(skewMs === undefined ? {} : { skewMs }) }];
}

function suspectFact(suspect: Record<string, unknown>): SuspectFact[] {
  const component = text(suspect.component, 80);
  if (component === undefined) return [];
  return [
    {
      component,
      protocol: text(suspect.protocol, 20) ?? '',
      phase: text(suspect.phase, 20) ?? '',
      kind: text(suspect.kind, 30) ?? '',
      confidence: text(suspect.confidence, 30) ?? '',
    },
  ];
}
