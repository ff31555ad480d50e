// A channel that takes the processor for long, beside what is being timed.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ReadyChannel } from '../../lib/alarm/config/ready.ts';
import { ourselves } from '../../lib/alarm/send/claim.ts';
import { sendMessage } from '../../lib/alarm/send/dispatch.ts';
import type { Message } from '../../lib/alarm/send/message.ts';
import type { AlarmState } from '../../lib/alarm/send/outbox.ts';
import { peek } from '../../lib/alarm/send/outbox.ts';
import { Timed } from '../../lib/cli/round/timed.ts';

const settled = () => new Promise(done => setImmediate(done));

/** A message on its way over a channel, with a clock that stands until the test lets go of it. */
function sending(isHeavy: boolean, timed: Timed, signal = new AbortController().signal) {
  const folder = mkdtempSync(join(tmpdir(), 'healthmon-heavy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const events: string[] = [];
  const slept: number[] = [];
  let wake = () => {};
  const channel: ReadyChannel = {
    name: 'pager',
    label: '[x.pager]',
    place: { line: 1, column: 1 },
    kind: 'x',
    takes: 'all',
    cap: 20,
    leads: async () => [],
    ...(isHeavy ? { isHeavy: true } : {}),
    bring: async () => {
      events.push('brought');
      return { result: 'delivered', text: 'ok' };
    },
  };
  const message: Message = {
    id: 'a-1',
    to: 'oncall',
    channels: ['pager'],
    notices: [],
    decidedAt: 0,
    heldBack: 0,
    next: { channel: 0, tried: 0, round: 0, at: 0 },
    attempts: 0,
    done: [],
    claim: ourselves(0),
  };
  const state: AlarmState = peek(folder, 1000);
  const work = sendMessage(message, state, {
    folder,
    channels: new Map([['pager', channel]]),
    keepMs: 1000,
    clock: {
      now: () => 0,
      sleep: ms => {
        slept.push(ms);
        return new Promise(done => {
          wake = done;
        });
      },
    },
    signal,
    until: 60_000,
    nothingTimed: () => timed.over(),
    onAttempt: () => {},
    onGivenUp: () => {},
  });
  return { events, slept, work, wake: () => wake() };
}

test('it waits until the last of what is timed has ended; others go at once', async () => {
  const timed = new Timed();
  const ends = [timed.begin(), timed.begin()];
  const light = sending(false, timed);
  const heavy = sending(true, timed);
  await light.work;
  ends[0]?.();
  ends[0]?.();
  await settled();
  expect([light.events, heavy.events]).toEqual([['brought'], []]);
  ends[1]?.();
  await heavy.work;
  expect([heavy.events, heavy.slept]).toEqual([['brought'], [20_000]]);
});

test('told to stop while it waits, it sends nothing and leaves the message to the next run', async () => {
  const timed = new Timed();
  timed.begin();
  const stop = new AbortController();
  const heavy = sending(true, timed, stop.signal);
  stop.abort();
  heavy.wake();
  await heavy.work;
  expect(heavy.events).toEqual([]);
});

test('it waits twenty seconds and no longer', async () => {
  const timed = new Timed();
  timed.begin();
  const heavy = sending(true, timed);
  await settled();
  expect([heavy.events, heavy.slept]).toEqual([[], [20_000]]);
  heavy.wake();
  await heavy.work;
  expect(heavy.events).toEqual(['brought']);
});
