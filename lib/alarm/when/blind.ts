// Many subjects fail at once: the site, or us? Pure.
//
// A crowd, the half of all that is measured, is laid at our door when a look at ourselves finds anything broken. Where what is broken
// is just what the faults look like (names, and our resolver is silent), three are enough if hardly anything has been good since the
// first of them; and until a minute has shown whether there will be three, none of them is told as the fault of somebody else.

import type { CauseKind } from '../../model/record.ts';
import type { Alarm, GateState, Latest, OursLook } from './alarm.ts';
import type { OwnLook, Policy } from './policy.ts';
import type { Result } from './result.ts';

/** Fewer subjects than this are no crowd. */
const LEAST = 3;
/** What was measured longer ago says nothing about now. */
const LATELY_MS = 10 * 60_000;
/** So long an alarm that our own trouble would explain waits for others. */
const WAIT_MS = 60_000;

/** Faults that a broken resolver, gateway or disk of ours looks like. A refusal is an answer: somebody was reached. */
const OURS: ReadonlySet<CauseKind> = new Set(['name', 'unreachable', 'timeout', 'local']);

export function couldBeOurs(result: Result): boolean {
  return result.causes.some(({ component, kind }) => component === 'monitor' || OURS.has(kind));
}

/** How our own network would look, if it were this. */
function looksLikeOurs({ state, causes, isExcused }: Result): OursLook | undefined {
  const [first] = causes;
  if (first === undefined || state === 'ok' || isExcused === true) return undefined;
  if (first.component === 'monitor') return first.phase === 'resolve' || first.phase === 'connect' ? 'us' : undefined;
  return lookOf(first.kind);
}

function lookOf(kind: CauseKind): OursLook | undefined {
  if (kind === 'name') return 'name';
  return kind === 'timeout' || kind === 'unreachable' ? 'silence' : undefined;
}

/** Whether what the look found broken is what makes such faults. */
function explains(own: OwnLook | undefined, look: OursLook | undefined): boolean {
  if (look === 'name') return own?.resolver === 'fails';
  return look === 'silence' ? own?.gateway === 'fails' : look === 'us';
}

/** Whether to look at ourselves: something fails that could be ours, or waits for us to know. */
export function isLookDue(results: readonly Result[], gate: GateState, policy: Pick<Policy, 'blindShare'>, at: number): boolean {
  return (
    isSuspicious(results, gate.latest, policy) ||
    results.some(result => looksLikeOurs(result) !== undefined) ||
    gate.alarms.some(alarm => alarm.stage === 'watched' && isYoung(alarm, at) && lookOf(alarm.kind) !== undefined)
  );
}

/** Whether so many fail, in ways that could be ours, that it is one thing. */
function isSuspicious(results: readonly Result[], latest: GateState['latest'], policy: Pick<Policy, 'blindShare'>): boolean {
  const newest = new Map<string, boolean>();
  const now = Math.max(0, ...results.map(({ at }) => at));
  for (const [subject, { at, state }] of Object.entries(latest))
    if (now - at <= LATELY_MS && state === 'ok') newest.set(subject, false);
  for (const result of results.filter(({ isOfHost }) => isOfHost !== true))
    newest.set(result.subject, result.state !== 'ok' && result.isExcused !== true && couldBeOurs(result));
  const failing = [...newest.values()].filter(bad => bad).length;
  return failing >= LEAST && failing >= policy.blindShare * newest.size;
}

export interface Looking {
  readonly policy: Pick<Policy, 'blindShare'>;
  readonly own: OwnLook | undefined;
}

/**
 * Whether the fault is ours: many fail at once, and either the look found our resolver or gateway broken, or isolation has named
 * `monitor` in one of the results; or fewer, since the first of which hardly anything else was seen, and the look explains them.
 */
export function isBlind(results: readonly Result[], latest: GateState['latest'], { policy, own }: Looking): boolean {
  if (isSuspicious(results, latest, policy)) {
    if (own?.resolver === 'fails' || own?.gateway === 'fails') return true;
    if (results.some(({ state, causes }) => state !== 'ok' && causes[0]?.component === 'monitor')) return true;
  }
  const newest = new Map<string, Latest>(Object.entries(latest));
  for (const result of results.filter(({ isOfHost }) => isOfHost !== true)) newest.set(result.subject, latestOf(result));
  const now = Math.max(0, ...results.map(({ at }) => at));
  const lately = [...newest.values()].filter(({ at }) => now - at <= LATELY_MS);
  const ours = lately.filter(({ looks }) => explains(own, looks));
  const first = Math.min(...ours.map(({ at }) => at));
  const others = lately.filter(({ at, looks }) => at > first && !explains(own, looks));
  return ours.length >= LEAST && ours.length >= policy.blindShare * (ours.length + others.length);
}

export function latestOf(result: Result): Latest {
  const looks = looksLikeOurs(result);
  return { at: result.at, state: result.state, ...(looks === undefined ? {} : { looks }) };
}

/** Whether an alarm that is due is to wait: our own trouble, which the look has found, would look just like it. */
export function waitsForUs(alarm: Alarm, own: OwnLook | undefined, at: number): boolean {
  return alarm.component !== 'monitor' && isYoung(alarm, at) && explains(own, lookOf(alarm.kind));
}

/** The alarm that we are blind, while it is open, where another alarm is of what one who is blind would see. */
export function blindness({ component, kind }: Alarm, all: readonly Alarm[]): Alarm | undefined {
  if (component === 'monitor' || lookOf(kind) === undefined) return undefined;
  return all.find(({ stage, isBlind: isOurs }) => stage === 'open' && isOurs === true);
}

function isYoung({ run }: Alarm, at: number): boolean {
  return run.isBad && at - run.since < WAIT_MS;
}

/** Whether so few fail by now that blindness is over: the half of what made it. */
export function seesAgain(latest: GateState['latest'], { blindShare }: Pick<Policy, 'blindShare'>, at: number): boolean {
  const lately = Object.values(latest).filter(result => at - result.at <= LATELY_MS);
  return lately.filter(({ state }) => state !== 'ok').length < (blindShare / 2) * lately.length;
}
