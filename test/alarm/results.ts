// Results and policies for the tests of the gate: a small site of two MTAs, two MMPs and two stores behind one directory.

import type { AlarmEvent, GateState } from '../../lib/alarm/when/alarm.ts';
import { NO_ALARMS } from '../../lib/alarm/when/alarm.ts';
import { step } from '../../lib/alarm/when/gate.ts';
import type { Policy, Surroundings } from '../../lib/alarm/when/policy.ts';
import type { Cause, Result } from '../../lib/alarm/when/result.ts';
import type { Component } from '../../lib/model/component.ts';
import { type Path, pathKey, pathText } from '../../lib/model/trip.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** Sunday, 22 November 2026, 02:00 UTC. */
export const START = Date.UTC(2026, 10, 22, 2);

export const POLICY: Policy = {
  raise: { failed: { n: 2, m: 3, afterMs: 30 * MINUTE }, slow: { n: 3, m: 5 }, unknown: { n: 3, m: 3, afterMs: HOUR } },
  sureAtOnce: true,
  clear: 2,
  flapTimes: 3,
  flapWindowMs: 6 * HOUR,
  steadyMs: HOUR,
  blindShare: 0.5,
};

const NEEDS: Surroundings['needs'] = new Map<Component, ReadonlySet<Component>>([
  ['mmp/smux01', new Set<Component>(['directory/ldap1'])],
  ['mmp/smux02', new Set<Component>(['directory/ldap1'])],
  ['account/ims1', new Set<Component>(['store/ims1'])],
  ['account/ims2', new Set<Component>(['store/ims2'])],
]);

export const SITE: Surroundings = { needs: NEEDS, outages: [] };

export function path(account = 'ims1', mta = 'ssmtp01', mmp = 'smux01', mailbox: Path['mailbox'] = 'pop3'): Path {
  return { account, mta, mmp, mailbox };
}

function touches({ account, mta, mmp }: Path): readonly Component[] {
  return [`mta/${mta}`, `mmp/${mmp}`, `account/${account}`, `store/${account}`, 'directory/ldap1'];
}

export function good(at: number, over: Path = path()): Result {
  return {
    at,
    subject: pathKey(over),
    label: pathText(over),
    path: over,
    state: 'ok',
    causes: [],
    touches: touches(over),
    tripId: trip(),
  };
}

export function bad(at: number, over: Path = path(), cause: Partial<Cause> = {}, more: Partial<Result> = {}): Result {
  const whole: Cause = {
    component: `mmp/${over.mmp}`,
    protocol: over.mailbox,
    phase: 'connect',
    kind: 'refused-connection',
    confidence: 'likely',
    ...cause,
  };
  return {
    ...good(at, over),
    state: 'failed',
    causes: [whole],
    words: 'refused the connection: nothing listens there, or a firewall says so',
    ...more,
  };
}

let trips = 0;
function trip(): string {
  trips += 1;
  return `trip${String(trips).padStart(6, '0')}`;
}

/** The gate over time. */
export class Gate {
  state: GateState = NO_ALARMS;
  policy = POLICY;
  around = SITE;

  /** One step; @returns what came about, as `raised mmp/smux01 connect` */
  step(at: number, ...results: readonly Result[]): string[] {
    return this.events(at, ...results).map(({ what, alarm }) => `${what} ${alarm.component} ${alarm.phase}`);
  }

  events(at: number, ...results: readonly Result[]): readonly AlarmEvent[] {
    const { state, events } = step(this.state, results, this.policy, this.around, at);
    this.state = state;
    return events;
  }

  stages(): string[] {
    return this.state.alarms.map(({ stage, component, phase }) => `${stage} ${component} ${phase}`);
  }
}
