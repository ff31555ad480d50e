// When to look: how soon a message is seen for what it costs, by arithmetic over many arrivals instead of by waiting for them.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { imapPause, popLooks, type Usual, usualOf } from '../../lib/trip/pace.ts';

/** The instants at which a session looks within so many ms, when a look takes `costMs`. */
function imapLooks(usual: Usual | undefined, costMs: number, withinMs = 5000): number[] {
  const looks: number[] = [];
  for (let at = 0; at < withinMs; at += Math.max(imapPause(at, usual), costMs)) looks.push(at);
  return looks;
}

/** For each arrival: how long until the next look. */
function lags(looks: readonly number[], arrivals: readonly number[]): number[] {
  return arrivals.map(at => (looks.find(look => look >= at) ?? Number.POSITIVE_INFINITY) - at).sort((a, b) => a - b);
}

const at = (sorted: readonly number[], share: number) => sorted[Math.floor(share * (sorted.length - 1))] as number;
/** Evenly from `from` to `until`. */
const spread = (from: number, until: number) => Array.from({ length: 400 }, (_, n) => from + ((until - from) * n) / 400);

const anything = fc.option(
  fc.tuple(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 10_000 })).map(([a, b]) => ({
    p10: Math.min(a, b),
    p90: Math.max(a, b),
  })),
  { nil: undefined },
);

test('looks by IMAP stay within a hundred in the first five seconds, whatever is usual', () => {
  fc.assert(fc.property(anything, usual => imapLooks(usual, 0).length <= 100));
});

test('by IMAP a message that comes at any time within five seconds is seen after half of 53 ms, and of 80 at the most', () => {
  const arrivals = spread(100, 4900);
  for (const usual of [undefined, usualOf(arrivals)]) {
    const lag = lags(imapLooks(usual, 3), arrivals);
    expect(at(lag, 0.5)).toBeLessThanOrEqual(27);
    expect(at(lag, 0.95)).toBeLessThanOrEqual(60);
    expect(at(lag, 1)).toBeLessThanOrEqual(80);
  }
});

test('by IMAP a path that always takes about as long is watched closely just then', () => {
  const arrivals = spread(800, 900);
  const lag = lags(imapLooks(usualOf(arrivals), 3), arrivals);
  expect(at(lag, 0.5)).toBeLessThanOrEqual(8);
  expect(at(lag, 1)).toBeLessThanOrEqual(15);
});

test('looks by POP3 are as many as there may be log-ins, ascend, and the last is at the limit, whatever is usual', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1000, max: 3_600_000 }), anything, (logins, limit, usual) => {
      const looks = popLooks(logins, limit, usual);
      return (
        looks.length <= logins + 1 &&
        looks.every((look, n) => look >= 0 && (n === 0 || look >= (looks[n - 1] as number))) &&
        looks.at(-1) === limit
      );
    }),
  );
});

test('by POP3 thirty log-ins see a message that comes at any time within five seconds after 125 ms', () => {
  const arrivals = spread(20, 4800);
  for (const usual of [undefined, usualOf(arrivals)]) {
    const lag = lags(popLooks(30, 60_000, usual), arrivals);
    expect(at(lag, 0.5)).toBeLessThanOrEqual(120);
    expect(at(lag, 0.9)).toBeLessThanOrEqual(250);
  }
});

test('by POP3 a path that always takes about as long is looked at several times just then', () => {
  const arrivals = spread(300, 420);
  const lag = lags(popLooks(30, 60_000, usualOf(arrivals)), arrivals);
  expect(at(lag, 0.5)).toBeLessThanOrEqual(25);
  expect(at(lag, 1)).toBeLessThanOrEqual(50);
});

test('by POP3 what comes within a minute is seen within a third of the time it took', () => {
  const arrivals = spread(5000, 59_000);
  for (const arrival of arrivals)
    expect(at(lags(popLooks(30, 60_000, undefined), [arrival]), 0)).toBeLessThanOrEqual(arrival / 3);
});

test('what is usual needs five arrivals', () => {
  expect(usualOf([1, 2, 3, 4])).toBeUndefined();
  expect(usualOf([5, 1, 4, 2, 3, 9, 8, 7, 6, 10])).toEqual({ p10: 2, p90: 10 });
});
