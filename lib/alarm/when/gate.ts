// The alarm gate: from what was known, new results, a policy and the time to what is known now and what has come about. Pure.
//
// One alarm per cause (component and phase), however many paths show it. It is watched from its first bad result, raised by the
// policy, changed when its cause or its severity does, and cleared by good results from measurements that lead over it. One that
// comes and goes is flapping, which is said once. One that another open alarm explains is not raised beside it.
//
// Nobody is told anything here: address.ts decides whom to tell what of it.

import { type Alarm, type AlarmEvent, alarmName, type Draft, type GateState, type Seen, type Severity } from './alarm.ts';
import { blindness, isBlind, seesAgain, waitsForUs } from './blind.ts';
import { explainer } from './explain.ts';
import { changePercent, FLAP_PERCENT, FLAP_RESULTS } from './flap.ts';
import type { Policy, Surroundings, Threshold } from './policy.ts';
import type { Result } from './result.ts';
import { tally, type Working } from './tally.ts';

export interface GateStep {
  readonly state: GateState;
  readonly events: readonly AlarmEvent[];
}

const HOUR_MS = 3_600_000;
/** Nothing has measured it for so long: it has left the sequence, or the site. */
const UNMEASURED_MS = 26 * HOUR_MS;
const LATEST_MS = 30 * 24 * HOUR_MS;

/**
 * One step. Without results it does what is due by time alone.
 *
 * @param results new since the last step, in any order; a result whose trip is known already replaces what that was counted for
 * @param at now, epoch ms
 */
export function step(before: GateState, results: readonly Result[], policy: Policy, around: Surroundings, at: number): GateStep {
  const gate: Working = {
    nextId: before.nextId,
    alarms: before.alarms.map(alarm => ({ ...alarm })),
    latest: Object.fromEntries(Object.entries(before.latest).filter(([, latest]) => at - latest.at < LATEST_MS)),
  };
  const ordered = results.toSorted((a, b) => a.at - b.at);
  const blind = isBlind(ordered, before.latest, { policy, own: around.own });
  for (const result of ordered) tally(gate, result, around, blind);
  const known = new Map(before.alarms.map(alarm => [alarm.id, alarm]));
  for (const alarm of gate.alarms) noteStep(alarm, known.get(alarm.id));

  const events: AlarmEvent[] = [];
  const say = (what: AlarmEvent['what'], alarm: Draft) => events.push({ what, alarm: { ...alarm } });
  // What others need comes first: it may explain them.
  for (const alarm of gate.alarms.toSorted((a, b) => depth(a, around) - depth(b, around) || a.id - b.id)) {
    settleExplanation(alarm, gate, around, at);
    if (alarm.stage === 'watched') judgeWatched(alarm, { policy, at, say }, around);
    else if (alarm.stage === 'open') judgeOpen(alarm, known.get(alarm.id)?.revision, { gate, policy, at, say });
  }
  return { state: gate, events };
}

/**
 * What this step brought, as one mark: paths that fail and paths that do not, in one round, are no change to and fro.
 */
function noteStep(alarm: Draft, before: Alarm | undefined): void {
  const isNew = before === undefined || before.countFrom !== alarm.countFrom;
  const results = alarm.count.results - (isNew ? 0 : before.count.results);
  const bad = alarm.count.bad - (isNew ? 0 : before.count.bad);
  if (results > 0) alarm.steps = [...alarm.steps, bad > 0].slice(-FLAP_RESULTS);
}

/** Without closed alarms that nobody needs any more: those that were raised are kept for flapping, the others for what adds up in a day. @param isNeeded told to somebody, who has not been told of its end */
export function forget(
  state: GateState,
  { flapWindowMs }: Pick<Policy, 'flapWindowMs'>,
  isNeeded: (id: number) => boolean,
  at: number,
): GateState {
  const alarms = state.alarms.filter(({ id, stage, closedAt = 0, lastBadAt, raisedAt }) => {
    if (stage !== 'closed' || isNeeded(id)) return true;
    return raisedAt === undefined ? at - lastBadAt < UNMEASURED_MS : at - closedAt < flapWindowMs;
  });
  return { ...state, alarms };
}

/** All instants moved by so many ms: the clock was set, and what has passed has not become longer or shorter by that. */
export function shiftGate(state: GateState, byMs: number): GateState {
  const moved = (instant: number) => instant + byMs;
  return {
    ...state,
    latest: Object.fromEntries(Object.entries(state.latest).map(([key, value]) => [key, { ...value, at: moved(value.at) }])),
    alarms: state.alarms.map(alarm => ({
      ...alarm,
      firstAt: moved(alarm.firstAt),
      lastBadAt: moved(alarm.lastBadAt),
      lastAt: moved(alarm.lastAt),
      countFrom: moved(alarm.countFrom),
      ...(alarm.raisedAt === undefined ? {} : { raisedAt: moved(alarm.raisedAt) }),
      ...(alarm.closedAt === undefined ? {} : { closedAt: moved(alarm.closedAt) }),
      ...(alarm.endedAt === undefined ? {} : { endedAt: moved(alarm.endedAt) }),
      run: { ...alarm.run, since: moved(alarm.run.since) },
      seen: alarm.seen.map(seen => ({ ...seen, at: moved(seen.at) })),
      touched: Object.fromEntries(
        Object.entries(alarm.touched).map(([key, value]) => [
          key,
          { ...value, at: moved(value.at), ...(value.badSince === undefined ? {} : { badSince: moved(value.badSince) }) },
        ]),
      ),
      raises: alarm.raises.map(moved),
      ...(alarm.flapping === undefined ? {} : { flapping: { since: moved(alarm.flapping.since) } }),
    })),
  };
}

/** What is needed has fewer needs than what needs it; we are needed for everything. */
function depth({ component, isBlind: isOurs }: Alarm, { needs }: Surroundings): number {
  return isOurs === true ? -1 : (needs.get(component)?.size ?? 0);
}

function settleExplanation(alarm: Draft, gate: Working, { needs }: Surroundings, at: number): void {
  if (alarm.stage === 'closed') return;
  const by = alarm.isBlind === true ? undefined : (blindness(alarm, gate.alarms) ?? explainer(alarm, gate.alarms, needs));
  if (by === undefined) {
    if (alarm.explainedBy !== undefined) {
      delete alarm.explainedBy;
      // What was seen while the other was open proves nothing about this one.
      if (alarm.stage === 'watched') {
        alarm.countFrom = at;
        alarm.count = { results: 0, bad: 0 };
        alarm.touched = {};
      }
    }
    return;
  }
  alarm.explainedBy = by.id;
  const name = alarmName(alarm);
  const explaining = gate.alarms.find(({ id }) => id === by.id);
  if (explaining !== undefined && !explaining.explains.includes(name)) explaining.explains = [...explaining.explains, name];
}

type Say = (what: AlarmEvent['what'], alarm: Draft) => void;

function counted(alarm: Alarm): readonly Seen[] {
  return alarm.seen.filter(({ at }) => at >= alarm.countFrom);
}

function judgeWatched(alarm: Draft, { policy, at, say }: Omit<Judging, 'gate'>, { own }: Surroundings): void {
  const seen = counted(alarm);
  const isOthers = alarm.explainedBy !== undefined || waitsForUs(alarm, own, at);
  const severity = isOthers ? undefined : severityDue(alarm, seen, policy, at);
  if (severity !== undefined) {
    alarm.stage = 'open';
    alarm.severity = severity;
    alarm.raisedAt = at;
    const failing = Object.values(alarm.touched).flatMap(({ badSince }) => badSince ?? []);
    if (failing.length > 0) alarm.firstAt = Math.min(...failing);
    alarm.turn += 1;
    alarm.raisedAs = { component: alarm.component, phase: alarm.phase };
    alarm.raises = [...alarm.raises.filter(raised => at - raised < policy.flapWindowMs), at];
    if (isRestless(alarm, policy, at)) {
      alarm.flapping = { since: alarm.raises[0] ?? at };
      say('flapping', alarm);
    } else say('raised', alarm);
    return;
  }
  if (goodTail(seen).length >= policy.clear || at - alarm.lastAt > UNMEASURED_MS) {
    alarm.stage = 'closed';
    alarm.closedAt = at;
  }
}

/** The severity with which to raise it now; undefined while there is too little. */
function severityDue(alarm: Alarm, seen: readonly Seen[], policy: Policy, at: number): Severity | undefined {
  if (alarm.isBlind === true) return 'unknown';
  const order: readonly Severity[] = ['failed', 'unknown', 'slow'];
  return order.find(
    severity =>
      isReached(policy.raise[severity], seen, severity, { run: alarm.run, at }) ||
      isReachedByOne(policy.raise[severity], alarm, severity) ||
      isSureOf(seen, severity, policy) ||
      (alarm.kind === 'host' && severity === 'slow' && isSureOf(seen, severity, policy, 'slow')),
  );
}

function isReached(
  { n, m, afterMs }: Threshold,
  seen: readonly Seen[],
  severity: Severity,
  { run, at }: { readonly run: Alarm['run']; readonly at: number },
): boolean {
  const counts = (state: Seen['state']) => state === severity || (severity === 'slow' && state === 'failed');
  if (seen.slice(-m).filter(({ state }) => counts(state)).length >= n) return true;
  const last = seen.at(-1);
  return afterMs !== undefined && run.isBad && last !== undefined && counts(last.state) && at - run.since >= afterMs;
}

/** The same for one subject by itself, whatever the others bring. */
function isReachedByOne({ n, m }: Threshold, { touched, countFrom }: Alarm, severity: Severity): boolean {
  const initials = severity === 'slow' ? 'sf' : severity[0];
  return Object.values(touched).some(
    ({ state, recent, at }) =>
      state !== 'ok' && at >= countFrom && [...recent.slice(-m)].filter(initial => initials?.includes(initial)).length >= n,
  );
}

/** @param what failures, but for hosts: their warnings have lasted as long as their limits ask before they come here */
function isSureOf(
  seen: readonly Seen[],
  severity: Severity,
  { sureAtOnce }: Policy,
  what: 'failed' | 'slow' = 'failed',
): boolean {
  return (
    sureAtOnce &&
    severity === what &&
    seen.some(({ state, isSure }) => state === what && isSure === true) &&
    badTail(seen).length > 0
  );
}

function goodTail(seen: readonly Seen[]): readonly Seen[] {
  return seen.slice(seen.findLastIndex(({ state }) => state !== 'ok') + 1);
}

function badTail(seen: readonly Seen[]): readonly Seen[] {
  return seen.slice(seen.findLastIndex(({ state }) => state === 'ok') + 1);
}

interface Judging {
  readonly gate: Working;
  readonly policy: Policy;
  readonly at: number;
  readonly say: Say;
}

function judgeOpen(alarm: Draft, knownRevision: number | undefined, { gate, policy, at, say }: Judging): void {
  const seen = counted(alarm);
  const over = isOver(alarm, seen, policy, at) && (alarm.isBlind !== true || seesAgain(gate.latest, policy, at));
  const because = over ? undefined : vanished(alarm, seen, gate, at);
  if (over || because !== undefined) {
    if (because !== undefined) alarm.closedBecause = because;
    close(alarm, at, say);
    return;
  }
  judgeSeverity(alarm, seen, policy, at);
  if (alarm.flapping === undefined) {
    if (isRestless(alarm, policy, at)) {
      alarm.flapping = { since: alarm.raises[0] ?? at };
      say('flapping', alarm);
    }
  } else if (alarm.run.isBad && isSteady(alarm, policy, at)) {
    delete alarm.flapping;
    alarm.raises = [at];
    alarm.was = 'flapping';
    alarm.revision += 1;
  }
  if (knownRevision !== undefined && alarm.revision > knownRevision && alarm.flapping === undefined) say('changed', alarm);
}

/** Why there is nothing left of it, though nothing good was seen; undefined while there is. */
function vanished(alarm: Alarm, seen: readonly Seen[], gate: Working, at: number): string | undefined {
  if (seen.length === 0) return 'it was something else, see there';
  const newest = Math.max(0, ...Object.values(gate.latest).map(latest => latest.at));
  return at - alarm.lastAt > UNMEASURED_MS && at - newest < HOUR_MS ? 'it is not measured any more' : undefined;
}

function isRestless(alarm: Alarm, policy: Policy, at: number): boolean {
  if (alarm.isBlind === true) return false;
  const lately = alarm.raises.filter(raised => at - raised < policy.flapWindowMs).length;
  return lately >= policy.flapTimes || changePercent(alarm.steps) >= FLAP_PERCENT;
}

function isSteady({ run }: Alarm, { steadyMs }: Policy, at: number): boolean {
  return run.count >= 3 && at - run.since >= steadyMs;
}

/** Enough good results in a row, from every mailbox protocol in which it was seen; of a flapping one, for long enough. */
function isOver(alarm: Alarm, seen: readonly Seen[], policy: Policy, at: number): boolean {
  const tail = goodTail(seen);
  if (tail.length < policy.clear || alarm.steps.at(-1) === true) return false;
  if (Object.values(alarm.touched).some(({ state, isAlone }) => state !== 'ok' && isAlone === true)) return false;
  const read = alarm.protocols.filter(protocol => protocol === 'pop3' || protocol === 'imap');
  const failedBy = new Set(
    seen.filter(({ state, mailbox }) => state !== 'ok' && mailbox !== undefined).map(({ mailbox }) => mailbox),
  );
  if (read.some(protocol => failedBy.has(protocol) && !tail.some(({ mailbox }) => mailbox === protocol))) return false;
  return alarm.flapping === undefined || (!alarm.run.isBad && isSteady(alarm, policy, at));
}

function close(alarm: Draft, at: number, say: Say): void {
  alarm.stage = 'closed';
  alarm.closedAt = at;
  alarm.endedAt = goodTail(counted(alarm))[0]?.at ?? at;
  say('cleared', alarm);
  if (alarm.flapping === undefined) return;
  // It has come to rest: what it did before is not held against it.
  alarm.raises = [at];
  alarm.seen = [];
  alarm.steps = [];
}

function judgeSeverity(alarm: Draft, seen: readonly Seen[], policy: Policy, at: number): void {
  if (alarm.isBlind === true) return;
  const bad = seen.filter(({ state }) => state !== 'ok');
  const { n, m } = policy.raise.failed;
  const isWorse =
    alarm.severity !== 'failed' &&
    (isReached({ n, m }, seen, 'failed', { run: alarm.run, at }) ||
      // One that looked dead before and was only slow is believed by its count.
      (alarm.amendedTurn !== alarm.turn && isSureOf(seen.slice(-1), 'failed', policy)));
  const isBetter = alarm.severity === 'failed' && bad.length >= m && bad.slice(-m).every(({ state }) => state === 'slow');
  if (!isWorse && !isBetter) return;
  alarm.was = alarm.severity;
  alarm.severity = isWorse ? 'failed' : 'slow';
  alarm.revision += 1;
  // Worse than when it was taken on: that does not count any more.
  if (isWorse) delete alarm.ack;
}
