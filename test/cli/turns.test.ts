// The order of a round.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AtWork } from '../../lib/cli/round/at-work.ts';
import { nextTurn } from '../../lib/cli/round/turns.ts';
import type { Path } from '../../lib/model/trip.ts';

const path = (account: string, mailbox: Path['mailbox']): Path => ({ account, mta: 'ssmtp01', mmp: 'smux01', mailbox });

test('a round goes by its sequence while nothing is in the way', () => {
  expect(nextTurn([path('ims1', 'pop3'), path('ims2', 'pop3')], new Set())).toBe(0);
  expect(nextTurn([path('ims1', 'imap'), path('ims2', 'pop3')], new Set(['ims1', 'ims2']))).toBe(0);
});

test('a path whose maildrop is in use lets others go first', () => {
  const waiting = [path('ims1', 'pop3'), path('ims1', 'pop3'), path('ims1', 'imap'), path('ims2', 'pop3')];
  expect(nextTurn(waiting, new Set(['ims1']))).toBe(2);
  expect(nextTurn([...waiting.slice(0, 2), ...waiting.slice(3)], new Set(['ims1']))).toBe(2);
});

test('where all have to wait the first one does', () => {
  expect(nextTurn([path('ims1', 'pop3'), path('ims2', 'pop3')], new Set(['ims1', 'ims2']))).toBe(0);
  expect(nextTurn([], new Set())).toBe(0);
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Trips that enter in their order. @returns which of them are in, and how each leaves */
function entering(atWork: AtWork, count: number): Map<number, () => void> {
  const inside = new Map<number, () => void>();
  for (let n = 0; n < count; n += 1) void atWork.enter().then(leave => inside.set(n, leave));
  return inside;
}
/** Until nothing is left to do but to wait. */
const settled = () => vi.advanceTimersByTimeAsync(0);

test('only so many trips are at work at once; the next begins when one is over', async () => {
  const inside = entering(new AtWork(2), 5);
  await settled();
  expect([...inside.keys()]).toEqual([0, 1]);
  inside.get(1)?.();
  await settled();
  expect([...inside.keys()]).toEqual([0, 1, 2]);
});

test('a trip that lasts makes room after a second, and not once more when it is over', async () => {
  const inside = entering(new AtWork(2), 7);
  await vi.advanceTimersByTimeAsync(999);
  expect(inside.size).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect([...inside.keys()]).toEqual([0, 1, 2, 3]);
  inside.get(0)?.();
  inside.get(1)?.();
  await settled();
  expect(inside.size).toBe(4);
  inside.get(2)?.();
  await settled();
  expect(inside.size).toBe(5);
});

test('when all are over there is room for as many as before', async () => {
  const atWork = new AtWork(2);
  for (const leave of entering(atWork, 2).values()) leave();
  await vi.advanceTimersByTimeAsync(5000);
  const inside = entering(atWork, 5);
  await settled();
  expect(inside.size).toBe(2);
});
