// Counting results: which alarm a bad one belongs to, which alarms a good one speaks against. Works on the gate's own copy.

import { titleOf } from '../words/words.ts';
import { type Alarm, alarmName, type Draft, type GateState, type Seen } from './alarm.ts';
import { couldBeOurs, latestOf } from './blind.ts';
import { outageOf } from './explain.ts';
import { FLAP_RESULTS } from './flap.ts';
import type { Surroundings } from './policy.ts';
import { type Cause, leadsOver, type Result } from './result.ts';

/** The gate's own copy of its state. */
export interface Working {
  nextId: number;
  alarms: Draft[];
  latest: Record<string, GateState['latest'][string]>;
}

/** An alarm lists at most so many subjects. */
const TOUCHED = 500;

/**
 * Counts one result.
 *
 * @param isBlind whether what could be our own fault is to be laid at our door now
 */
export function tally(gate: Working, result: Result, around: Surroundings, isBlind: boolean): void {
  if (result.isOfHost !== true) gate.latest[result.subject] = latestOf(result);
  const earlier = withdraw(gate, result);
  if (result.isExcused === true || (result.isAmendment === true && earlier.length === 0)) return;
  if (result.state === 'ok') {
    for (const alarm of gate.alarms) if (speaksOf(alarm, result)) countGood(alarm, result);
    return;
  }
  const { outages, needs } = around;
  for (const fault of faultsOf(result)) {
    if (fault.causes.some(cause => outageOf(cause, outages, needs, result.at) !== undefined)) continue;
    const [alarm, cause] = belongsTo(gate, fault, { around, isBlind, earlier });
    if (result.isAmendment === true) noteAmended(alarm, cause);
    countBad(alarm, fault, cause);
    follow(gate, alarm);
  }
}

/** Several faults at once are counted each for itself. */
function faultsOf(result: Result): readonly Result[] {
  const numbers = [...new Set(result.causes.map(({ fault = 0 }) => fault))].sort((a, b) => a - b);
  if (numbers.length <= 1) return [result];
  return numbers.map(number => ({ ...result, causes: result.causes.filter(({ fault = 0 }) => fault === number) }));
}

/** A verdict may be amended: what the same trip was counted for before is taken back. @returns the alarms it was counted for */
function withdraw(gate: Working, { tripId }: Result): readonly Draft[] {
  if (tripId === undefined) return [];
  const isOfTrip = (seen: Seen) => seen.tripId === tripId && seen.state !== 'ok';
  const counted = gate.alarms.filter(alarm => alarm.seen.some(isOfTrip));
  for (const alarm of counted) {
    alarm.seen = alarm.seen.filter(seen => !isOfTrip(seen));
    alarm.count = { results: alarm.count.results - 1, bad: alarm.count.bad - 1 };
    alarm.touched = Object.fromEntries(Object.entries(alarm.touched).filter(([, touched]) => touched.tripId !== tripId));
  }
  return counted;
}

/** Whether a good result says anything about an alarm. */
function speaksOf(alarm: Alarm, { subject, touches, path }: Pick<Result, 'subject' | 'touches' | 'path'>): boolean {
  if (alarm.isBlind === true || alarm.touched[subject] !== undefined) return true;
  // Another path's good trip says nothing about a password file of ours.
  if (alarm.component === 'monitor' || !leadsOver(touches, alarm.component)) return false;
  const isOfReading = alarm.protocols.every(protocol => protocol === 'pop3' || protocol === 'imap');
  return !isOfReading || path === undefined || alarm.protocols.includes(path.mailbox);
}

interface Belonging {
  readonly around: Surroundings;
  readonly isBlind: boolean;
  readonly earlier: readonly Draft[];
}

function belongsTo(gate: Working, result: Result, { around, isBlind, earlier }: Belonging): readonly [Draft, Cause] {
  const first = result.causes[0] ?? NOBODY;
  const ours = couldBeOurs(result) ? blindAlarm(gate, result, around, isBlind) : undefined;
  if (ours !== undefined) return [ours, { ...first, component: 'monitor', protocol: 'local', phase: ours.phase, kind: 'local' }];

  const open = gate.alarms.filter(({ stage }) => stage === 'open');
  const watched = gate.alarms.filter(({ stage }) => stage === 'watched');
  const closed = gate.alarms.filter(({ stage }) => stage === 'closed');
  for (const alarms of [open, watched]) {
    for (const cause of result.causes) {
      const same = alarms.find(alarm => isAbout(alarm, cause));
      if (same !== undefined) return [same, cause];
    }
  }
  // The same machine fails the same subject one phase further on, or back: it is the same trouble.
  const moved = [...open, ...watched].find(
    alarm => alarm.component === first.component && isBad(alarm.touched[result.subject]?.state) && alarm.isBlind !== true,
  );
  if (moved !== undefined) return [moved, first];
  // A verdict that was weighed again takes its open alarm along: nobody has looked longer. So does one that was all of an alarm.
  const taken = earlier.find(
    alarm =>
      (alarm.stage === 'open' && alarm.isBlind !== true && result.isAmendment === true) ||
      (alarm.stage !== 'closed' && !alarm.seen.some(({ at, state }) => at >= alarm.countFrom && isBad(state))),
  );
  if (taken !== undefined) {
    rename(taken, first);
    return [taken, first];
  }
  const again = closed.find(alarm => isAbout(alarm, first));
  return [again === undefined ? watch(gate, result, first) : watchAgain(again, result), first];
}

const NOBODY: Cause = { component: 'monitor', protocol: 'local', phase: 'state', kind: 'local', confidence: 'cannot tell apart' };

function isAbout(alarm: Alarm, { component, phase }: Pick<Cause, 'component' | 'phase'>): boolean {
  return alarm.component === component && alarm.phase === phase && alarm.isBlind !== true;
}

function isBad(state: Seen['state'] | undefined): boolean {
  return state !== undefined && state !== 'ok';
}

/** The one alarm on ourselves, where what fails could be our own fault. */
function blindAlarm(gate: Working, result: Result, { own }: Surroundings, isBlind: boolean): Draft | undefined {
  const known = gate.alarms.find(alarm => alarm.isBlind === true);
  if (known !== undefined && known.stage !== 'closed') return known;
  if (!isBlind) return undefined;
  // One on us that is open already, from before so many failed, is this very one.
  const same = gate.alarms.find(
    ({ stage, component, phase }) => stage === 'open' && component === 'monitor' && (phase === 'resolve' || phase === 'connect'),
  );
  if (same !== undefined) {
    same.isBlind = true;
    return same;
  }
  if (known !== undefined) return watchAgain(known, result);
  const [first] = result.causes;
  const isName = first?.kind === 'name' || (first?.component === 'monitor' && first.phase === 'resolve');
  const phase = own?.resolver === 'fails' || isName ? 'resolve' : 'connect';
  const alarm = watch(gate, result, { component: 'monitor', protocol: 'local', phase, kind: 'local', confidence: 'sure' });
  alarm.isBlind = true;
  return alarm;
}

function watch(gate: Working, result: Result, { component, protocol, phase, kind, confidence }: Cause): Draft {
  const alarm: Draft = {
    id: gate.nextId,
    stage: 'watched',
    component,
    phase,
    kind,
    protocols: [protocol],
    confidence,
    severity: result.state === 'ok' ? 'unknown' : result.state,
    firstAt: result.at,
    lastBadAt: result.at,
    lastAt: result.at,
    countFrom: result.at,
    revision: 0,
    turn: 0,
    seen: [],
    run: { isBad: true, since: result.at, count: 0 },
    steps: [],
    count: { results: 0, bad: 0 },
    touched: {},
    raises: [],
    explains: [],
  };
  gate.nextId += 1;
  gate.alarms.push(alarm);
  return alarm;
}

/**
 * It was over, and is back under its old number. What had been raised is counted anew; what had not keeps its memory: a path that
 * fails each time, among others that do not, adds up.
 */
function watchAgain(alarm: Draft, result: Result): Draft {
  alarm.stage = 'watched';
  alarm.countFrom = result.at;
  alarm.run = { isBad: true, since: result.at, count: 0 };
  if (alarm.raisedAt !== undefined) {
    alarm.firstAt = result.at;
    alarm.count = { results: 0, bad: 0 };
    alarm.touched = {};
    alarm.explains = [];
  }
  for (const key of [
    'raisedAt',
    'closedAt',
    'endedAt',
    'closedBecause',
    'ack',
    'was',
    'firstTrip',
    'flapping',
    'explainedBy',
  ] as const)
    delete alarm[key];
  return alarm;
}

/** A subject remembers so many results of its own: as many as a threshold can ask for. */
const RECENT = 20;

function countGood(alarm: Draft, { at, subject, path, label, tripId }: Result): void {
  alarm.seen = [
    ...alarm.seen,
    { at, state: 'ok' as const, subject, ...(path === undefined ? {} : { mailbox: path.mailbox }) },
  ].slice(-FLAP_RESULTS);
  alarm.lastAt = Math.max(alarm.lastAt, at);
  alarm.run = runOn(alarm.run, false, at);
  alarm.count = { ...alarm.count, results: alarm.count.results + 1 };
  const known = alarm.touched[subject];
  if (known === undefined) return;
  const { badSince: _, isAlone: __, ...rest } = known;
  const trip = tripId === undefined ? {} : { tripId };
  alarm.touched = {
    ...alarm.touched,
    [subject]: { ...rest, label, state: 'ok', at, recent: added(known.recent, 'ok'), ...trip },
  };
}

function added(recent: string, state: Seen['state']): string {
  return `${recent}${state[0]}`.slice(-RECENT);
}

function runOn(run: Draft['run'], isBad: boolean, at: number): Draft['run'] {
  return run.isBad === isBad ? { ...run, count: run.count + 1 } : { isBad, since: at, count: 1 };
}

function countBad(alarm: Draft, result: Result, cause: Cause): void {
  const { at, state, subject, label, path, tripId, words } = result;
  const trip = tripId === undefined ? {} : { tripId };
  const seen: Seen = {
    at,
    state,
    subject,
    phase: cause.phase,
    ...(path === undefined ? {} : { mailbox: path.mailbox }),
    ...(cause.confidence === 'sure' ? { isSure: true } : {}),
    ...trip,
  };
  alarm.seen = [...alarm.seen, seen].slice(-FLAP_RESULTS);
  const known = alarm.touched[subject];
  const isAlone = known?.isAlone === true || alarm.count.results > alarm.count.bad;
  alarm.run = runOn(alarm.run, true, at);
  alarm.count = { results: alarm.count.results + 1, bad: alarm.count.bad + 1 };
  if (known !== undefined || Object.keys(alarm.touched).length < TOUCHED)
    alarm.touched = {
      ...alarm.touched,
      [subject]: {
        label,
        state,
        at,
        recent: added(known?.recent ?? '', state),
        badSince: known?.badSince ?? at,
        ...(isAlone ? { isAlone: true } : {}),
        ...(path === undefined ? {} : { path }),
        ...trip,
      },
    };
  alarm.lastBadAt = Math.max(alarm.lastBadAt, at);
  alarm.lastAt = Math.max(alarm.lastAt, at);
  if (!alarm.protocols.includes(cause.protocol)) alarm.protocols = [...alarm.protocols, cause.protocol];
  alarm.kind = cause.kind;
  if (cause.confidence === 'sure' || alarm.confidence === 'cannot tell apart') alarm.confidence = cause.confidence;
  if (words !== undefined) alarm.words = words;
  if (tripId !== undefined) {
    alarm.firstTrip ??= tripId;
    alarm.lastTrip = tripId;
  }
}

function rename(alarm: Draft, { component, protocol, phase, kind, confidence }: Cause): void {
  if (alarm.stage === 'open') {
    alarm.was = alarmName(alarm);
    alarm.revision += 1;
  }
  alarm.component = component;
  alarm.phase = phase;
  alarm.kind = kind;
  alarm.protocols = [protocol];
  alarm.confidence = confidence;
}

/** The same cause, and of another kind than it seemed: alive, if slow. Once in each turn, since the next trip may look as the first did. */
function noteAmended(alarm: Draft, { kind }: Cause): void {
  if (alarm.stage !== 'open' || alarm.kind === kind || alarm.amendedTurn === alarm.turn) return;
  alarm.amendedTurn = alarm.turn;
  alarm.was = titleOf(alarm);
  alarm.revision += 1;
}

/** The alarm goes with its machine to another phase once two results in a row, or a sure one, show that. */
function follow(gate: Working, alarm: Draft): void {
  const [last, before] = alarm.seen.filter(({ state, at }) => isBad(state) && at >= alarm.countFrom).reverse();
  const phase = last?.phase;
  if (phase === undefined || phase === alarm.phase) return;
  if (last?.isSure !== true && before?.phase !== phase) return;
  if (alarm.stage === 'open') {
    alarm.was = alarmName(alarm);
    alarm.revision += 1;
  }
  alarm.phase = phase;
  const twin = gate.alarms.find(other => other !== alarm && other.stage === 'watched' && isAbout(other, alarm));
  if (twin === undefined) return;
  alarm.touched = { ...twin.touched, ...alarm.touched };
  alarm.count = { results: alarm.count.results + twin.count.results, bad: alarm.count.bad + twin.count.bad };
  gate.alarms = gate.alarms.filter(other => other !== twin);
}
