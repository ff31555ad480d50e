// What the journal keeps of a trip.

import { expect, test } from 'vitest';
import type { DialogRecord } from '../../lib/model/dialog.ts';
import type { Leg, Trip } from '../../lib/model/trip.ts';
import { keptTrip } from '../../lib/record/keep.ts';

function dialog(over: Partial<DialogRecord>): DialogRecord {
  return {
    component: 'mmp/smux01',
    protocol: 'imap',
    host: '127.0.0.1',
    port: 143,
    security: 'starttls',
    beganMs: 1.23456789,
    tookMs: 0.00004,
    phases: [{ name: 'connect', beganMs: 3.4916359999999997, tookMs: 11.956979000000018 }],
    facts: { banner: 'ready', exists: 3 },
    transcript: [{ atMs: 0.5535370000000057, from: '<', text: '* OK ready' }],
    ...over,
  };
}

function trip(dialogs: readonly DialogRecord[], over: Partial<Trip> = {}): Trip {
  const leg: Leg = { name: 'open', beganMs: 0, tookMs: 90.181565, dialogs };
  return {
    id: 'x',
    path: { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'imap' },
    startedAt: 1795324922902,
    tookMs: 323.04293499999994,
    legs: [leg],
    arrival: { outcome: 'unsent' },
    hops: [],
    findings: [],
    ...over,
  };
}

test('keptTrip() keeps what a connection learned once, and spans to a microsecond', () => {
  const other = dialog({ facts: { banner: 'ready', exists: 4 } });
  const kept = keptTrip(trip([dialog({}), dialog({ beganMs: 7 }), other, dialog({ component: 'mmp/smux02' })]));
  expect(kept.legs[0]?.dialogs.map(({ facts }) => facts)).toEqual([
    { banner: 'ready', exists: 3 },
    {},
    { banner: 'ready', exists: 4 },
    { banner: 'ready', exists: 3 },
  ]);
  expect(kept.legs[0]?.dialogs[0]).toMatchObject({
    beganMs: 1.235,
    tookMs: 0,
    phases: [{ name: 'connect', beganMs: 3.492, tookMs: 11.957 }],
    transcript: [],
  });
  expect({ tookMs: kept.tookMs, startedAt: kept.startedAt }).toEqual({ tookMs: 323.043, startedAt: 1795324922902 });
});

test('keptTrip() keeps the transcript of a trip that went wrong', () => {
  const fault = {
    component: 'mmp/smux01',
    protocol: 'imap',
    phase: 'connect',
    kind: 'timeout',
    text: 'did not answer',
    lasting: 'unknown',
  } as const;
  const kept = keptTrip(trip([dialog({})], { fault }));
  expect(kept.legs[0]?.dialogs[0]?.transcript).toEqual([{ atMs: 0.554, from: '<', text: '* OK ready' }]);
  expect(kept.fault).toEqual(fault);
});
