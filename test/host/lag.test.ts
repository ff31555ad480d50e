// How far a replica is behind: by what it lacks, not by the distance of two stamps.

import { expect, test } from 'vitest';
import { type Csns, csnsOf, type Lacked, lagOf, newest } from '../../lib/host/ldap/lag.ts';

const csn = (iso: string, server = '000') => `${iso.replace(/[-:T]/g, '').replace('Z', '')}.000000Z#000000#${server}#000000`;
const at = (iso: string) => Date.parse(iso);
const one = (iso: string) => csnsOf([csn(iso)]);

test('csnsOf() keeps the newest of each server, and nothing that is no CSN', () => {
  const values = [
    csn('2026-11-22T01:00:00Z', '001'),
    csn('2026-11-22T03:00:00Z', '001'),
    csn('2026-11-22T02:00:00Z', '002'),
    'nonsense',
    '#',
  ];
  expect([...csnsOf(values)]).toEqual([
    ['001', csn('2026-11-22T03:00:00Z', '001')],
    ['002', csn('2026-11-22T02:00:00Z', '002')],
  ]);
});

/** Looks each five minutes at what provider and replica have. */
function looks(rows: readonly (readonly [now: string, provider: string, replica: string])[]): number[] {
  let lacked: Lacked = {};
  return rows.map(([now, provider, replica]) => {
    const best: Csns = newest([one(provider), one(replica)]);
    const lag = lagOf(one(replica), best, lacked, at(now));
    lacked = JSON.parse(JSON.stringify(lag.lacked));
    return lag.lagMs / 1000;
  });
}

test('a replica in step has no lag, however old the last change is', () => {
  expect(looks([['2026-11-22T10:00:00Z', '2026-11-20T00:00:00Z', '2026-11-20T00:00:00Z']])).toEqual([0]);
});

test('one change of a second ago is a second, though the change before it was a day ago', () => {
  expect(looks([['2026-11-22T10:00:01Z', '2026-11-22T10:00:00Z', '2026-11-21T10:00:00Z']])).toEqual([1]);
});

test('a replica that has stopped falls behind by the clock, while its provider goes on', () => {
  expect(
    looks([
      ['2026-11-22T10:00:01Z', '2026-11-22T10:00:00Z', '2026-11-22T10:00:00Z'],
      ['2026-11-22T10:05:00Z', '2026-11-22T10:04:59Z', '2026-11-22T10:00:00Z'],
      ['2026-11-22T10:10:00Z', '2026-11-22T10:09:59Z', '2026-11-22T10:00:00Z'],
      ['2026-11-22T10:15:00Z', '2026-11-22T10:14:59Z', '2026-11-22T10:00:00Z'],
      ['2026-11-22T10:20:00Z', '2026-11-22T10:19:59Z', '2026-11-22T10:19:59Z'],
    ]),
  ).toEqual([0, 1, 301, 601, 0]);
});

test('a busy replica that lags a little each time is not taken for one that stands still', () => {
  expect(
    looks([
      ['2026-11-22T10:00:01Z', '2026-11-22T10:00:00Z', '2026-11-22T09:59:59Z'],
      ['2026-11-22T10:05:01Z', '2026-11-22T10:05:00Z', '2026-11-22T10:04:59Z'],
      ['2026-11-22T10:10:01Z', '2026-11-22T10:10:00Z', '2026-11-22T10:09:59Z'],
    ]),
  ).toEqual([1, 1, 1]);
});

test('with several providers each is compared by itself', () => {
  const mine = csnsOf([csn('2026-11-22T10:00:00Z', '001'), csn('2026-11-22T09:00:00Z', '002')]);
  const best = csnsOf([
    csn('2026-11-22T10:00:00Z', '001'),
    csn('2026-11-22T10:10:00Z', '002'),
    csn('2026-11-22T10:11:00Z', '003'),
  ]);
  expect(lagOf(mine, best, {}, at('2026-11-22T10:12:00Z'))).toEqual({
    lagMs: 120_000,
    lacked: { '002': csn('2026-11-22T10:10:00Z', '002'), '003': csn('2026-11-22T10:11:00Z', '003') },
  });
});
