// Trips for the tests, as short as a test can say them.

import type { TripFact } from '../../lib/report/facts.ts';

/** An instant of 21 November 2026, local time. */
export function at(hours: number, minutes: number, seconds = 0): number {
  return new Date(2026, 10, 21, hours, minutes, seconds).getTime();
}

let serial = 0;

export function tripFact(over: Partial<TripFact> = {}): TripFact {
  serial += 1;
  const startedAt = over.startedAt ?? at(0, 5, 3);
  return {
    id: `trip${serial}`,
    path: { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'pop3' },
    startedAt,
    recordedAt: startedAt + 2000,
    isScheduled: true,
    state: 'ok',
    isExcused: false,
    outcome: 'seen',
    isLate: false,
    found: [],
    legs: {},
    phases: [],
    hops: [],
    suspects: [],
    text: '',
    short: '',
    ...over,
  };
}

/** A trip that failed by one suspect. */
export function failedBy(component: string, over: Partial<TripFact> = {}): TripFact {
  const suspect = { component, protocol: 'pop3', phase: 'auth', kind: 'rejected', confidence: 'sure' };
  return tripFact({ state: 'failed', outcome: 'unsent', suspects: [suspect], text: `${component} pop3 auth: refused`, ...over });
}
