// The order of a round.

import { expect, test } from 'vitest';
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
