// Many subjects fail at once: the site, or us? Pure.

import type { CauseKind } from '../model/record.ts';
import type { GateState } from './alarm.ts';
import type { OwnLook, Policy } from './policy.ts';
import type { Result } from './result.ts';

/** Fewer subjects than this are no crowd. */
const LEAST = 3;
/** What was measured longer ago says nothing about now. */
const LATELY_MS = 10 * 60_000;

/** Faults that a broken resolver, gateway or disk of ours looks like. A refusal is an answer: somebody was reached. */
const OURS: ReadonlySet<CauseKind> = new Set(['name', 'unreachable', 'timeout', 'local']);

export function couldBeOurs(result: Result): boolean {
  return result.causes.some(({ component, kind }) => component === 'monitor' || OURS.has(kind));
}

/** Whether so many fail, in ways that could be ours, that a look at ourselves is due. */
export function isSuspicious(
  results: readonly Result[],
  latest: GateState['latest'],
  policy: Pick<Policy, 'blindShare'>,
): boolean {
  const newest = new Map<string, boolean>();
  const now = Math.max(0, ...results.map(({ at }) => at));
  for (const [subject, { at, state }] of Object.entries(latest))
    if (now - at <= LATELY_MS && state === 'ok') newest.set(subject, false);
  for (const result of results.filter(({ isOfHost }) => isOfHost !== true))
    newest.set(result.subject, result.state !== 'ok' && result.isExcused !== true && couldBeOurs(result));
  const failing = [...newest.values()].filter(bad => bad).length;
  return failing >= LEAST && failing >= policy.blindShare * newest.size;
}

/**
 * Whether the fault is ours: many fail at once, and either the look found our resolver or gateway broken, or isolation has named
 * `monitor` in one of the results.
 */
export function isBlind(
  results: readonly Result[],
  latest: GateState['latest'],
  { policy, own }: { readonly policy: Pick<Policy, 'blindShare'>; readonly own: OwnLook | undefined },
): boolean {
  if (!isSuspicious(results, latest, policy)) return false;
  if (own?.resolver === 'fails' || own?.gateway === 'fails') return true;
  return results.some(({ state, causes }) => state !== 'ok' && causes[0]?.component === 'monitor');
}

/** Whether so few fail by now that blindness is over: the half of what made it. */
export function seesAgain(latest: GateState['latest'], { blindShare }: Pick<Policy, 'blindShare'>, at: number): boolean {
  const lately = Object.values(latest).filter(result => at - result.at <= LATELY_MS);
  return lately.filter(({ state }) => state !== 'ok').length < (blindShare / 2) * lately.length;
}
