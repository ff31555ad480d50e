// Instants and spans as people write them.

import { expect, test } from 'vitest';
import { instantOf, intervalOf } from '../../lib/cli/maillog/when.ts';

const now = new Date('2026-03-01T10:30:00').getTime();
const local = (text: string) => new Date(text).getTime();

test.each([
  ['90m', now - 5_400_000],
  ['2h', now - 7_200_000],
  ['today', local('2026-03-01T00:00:00')],
  ['yesterday', local('2026-02-28T00:00:00')],
  ['08:30', local('2026-03-01T08:30:00')],
  ['22:15', local('2026-02-28T22:15:00')],
  ['2026-02-27', local('2026-02-27T00:00:00')],
  ['2026-02-27 08:30', local('2026-02-27T08:30:00')],
  ['2026-02-27T08:30:05Z', Date.parse('2026-02-27T08:30:05Z')],
  ['2026-02-27T08:30+0530', Date.parse('2026-02-27T03:00:00Z')],
])('instantOf("%s")', (text, at) => {
  expect(instantOf(text, now)).toBe(at);
});

test.each(['', 'soon', '2026-02-30', '25:00', '08:60', '2026-02-27 24:30', '-2h', '2026-2-7', '1e3'])(
  'instantOf("%s") is none',
  text => {
    expect(instantOf(text, now)).toBeUndefined();
  },
);

test.each([
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['6h', 21_600_000],
  ['24h', 86_400_000],
  ['2d', 172_800_000],
  ['7m', undefined],
  ['5h', undefined],
  ['36h', undefined],
  ['0m', undefined],
  ['x', undefined],
])('intervalOf("%s")', (text, ms) => {
  expect(intervalOf(text)).toBe(ms);
});
