// What people say to the alarms: "I have it" and "be silent about that until then". Pure.

import type { Alarm, GateState } from './alarm.ts';

/** An ack ends by itself when the alarm is over; a silence always has an end and a reason. */
export interface Silence {
  /** What people call it, to end it early. */
  readonly id: number;
  /** A component, a pattern such as `mmp/*`, `alarm 17`, or `all`. */
  readonly what: string;
  readonly by: string;
  readonly reason: string;
  /** Epoch ms. */
  readonly at: number;
  readonly until: number;
}

/** The silence that covers an alarm now, the one that lasts longest. */
export function silenceOf(alarm: Alarm, silences: readonly Silence[], at: number): Silence | undefined {
  return silences.filter(({ what, until }) => at < until && isMeant(what, alarm)).sort((a, b) => b.until - a.until)[0];
}

/** Whether `all`, `alarm 17`, `mmp/smux02` or `mmp/*` means this alarm. */
export function isMeant(what: string, { id, component }: Pick<Alarm, 'id' | 'component'>): boolean {
  if (what === 'all' || what === `alarm ${id}`) return true;
  return matches(what, component);
}

/** A pattern in which each `*` stands for any text; all else stands for itself. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const [first = '', ...rest] = parts;
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  const last = rest.pop() ?? '';
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return text.length - from >= last.length && text.endsWith(last);
}

/** Whether somebody has the alarm in hand now. */
export function isAcked({ ack }: Pick<Alarm, 'ack'>, at: number): boolean {
  return ack !== undefined && (ack.until === undefined || at < ack.until);
}

/** The state with an alarm taken on; undefined when there is no open alarm of that number. */
export function acknowledge(state: GateState, id: number, ack: NonNullable<Alarm['ack']>): GateState | undefined {
  const found = state.alarms.find(alarm => alarm.id === id && alarm.stage === 'open');
  if (found === undefined) return undefined;
  return { ...state, alarms: state.alarms.map(alarm => (alarm === found ? { ...alarm, ack } : alarm)) };
}
