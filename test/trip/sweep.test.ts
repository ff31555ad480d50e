// What may be removed from a mailbox and what may not, message by message.

import { expect, test } from 'vitest';
import type { LedgerEntry, LedgerState } from '../../lib/record/ledger.ts';
import type { Letter } from '../../lib/trip/box.ts';
import { parseHeaders } from '../../lib/trip/headers.ts';
import { planSweep, type SweepQuestion } from '../../lib/trip/sweep.ts';
import { newId, signToken } from '../../lib/trip/token.ts';

const KEY = Buffer.alloc(32, 7);
const AT = Date.UTC(2026, 10, 22, 12);
const ADDRESS = 'ims1@example.com';

const letter = (headers: string, more: Partial<Letter> = {}): Letter => ({
  ref: headers.slice(0, 40),
  headers: parseHeaders(Buffer.from(`${headers}\r\n\r\n`)),
  ...more,
});
const ours = (id: string, { key = KEY, address = ADDRESS, messageId = `<${id}@x>` } = {}) =>
  letter(`X-Healthmon-Token: ${signToken(key, id, AT - 5000, address)}\r\nMessage-ID: ${messageId}`);
const entry = (id: string, state: LedgerState, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  v: 1,
  message: { id, messageId: `<${id}@x>`, from: ADDRESS, to: ADDRESS, envelopeFrom: ADDRESS, subject: 's', bytes: 1 },
  path: { account: 'ims1', mta: 'a', mmp: 'b', mailbox: 'imap' },
  state,
  startedAt: AT - 5000,
  watchedUntil: 0,
  bodyHash: '',
  ...more,
});
const plan = (letters: readonly Letter[], entries: readonly LedgerEntry[], more: Partial<SweepQuestion> = {}) =>
  planSweep({
    letters,
    key: KEY,
    address: ADDRESS,
    currentId: 'current',
    entryOf: id => entries.find(each => each.message.id === id),
    since: AT - 1000,
    at: AT,
    cap: 10,
    ...more,
  });

const ID = newId(AT - 5000);

test.each([
  ['lost', 'late'],
  ['sent', 'late'],
  ['sending', 'late'],
  ['seen', 'swept'],
  ['gone', 'duplicate'],
] as const)('a message of ours whose entry is %s is removed and told as %s', (state, became) => {
  const { remove, amendments } = plan([ours(ID)], [entry(ID, state)]);
  expect([remove.length, amendments.map(each => each.became)]).toEqual([1, [became]]);
});

test.each([
  ['without our header', letter('Subject: x\r\nMessage-ID: <y@x>')],
  ['that another session has removed', letter('')],
])('a message %s is nobody to us', (_, foreign) => {
  expect(plan([foreign], [entry(ID, 'lost')])).toMatchObject({ remove: [], findings: [] });
});

test.each([
  ['signed by another key', ours(ID, { key: Buffer.alloc(32, 9) })],
  ['signed for another account', ours(ID, { address: 'ims2@example.com' })],
  ['with another Message-ID', ours(ID, { messageId: '<forged@x>' })],
  ['not in our ledger', ours(newId(AT))],
  [
    'with two tokens',
    letter(
      `X-Healthmon-Token: ${signToken(KEY, ID, AT, ADDRESS)}\r\nX-Healthmon-Token: ${signToken(KEY, ID, AT, ADDRESS)}\r\nMessage-ID: <${ID}@x>`,
    ),
  ],
  [
    'with a token that has been changed',
    letter(`X-Healthmon-Token: ${signToken(KEY, ID, AT, ADDRESS).replace('v1.', 'v1.z')}\r\nMessage-ID: <${ID}@x>`),
  ],
])('a message with our header and %s is left alone, and counted', (_, stranger) => {
  const { remove, findings } = plan([stranger], [entry(ID, 'lost')]);
  expect([remove, findings.map(({ what }) => what)]).toEqual([[], ['foreign']]);
});

test('a message that another run is still watching, that is kept, or that is this trip’s own is left to them', () => {
  expect(plan([ours(ID)], [entry(ID, 'sent', { watchedUntil: AT + 1000 })]).remove).toEqual([]);
  expect(plan([ours(ID)], [entry(ID, 'kept')]).remove).toEqual([]);
  expect(plan([ours(ID)], [entry(ID, 'lost')], { currentId: ID }).remove).toEqual([]);
});

test('what was removed since this trip began may still show in a maildrop that was opened before, and is no duplicate', () => {
  expect(plan([ours(ID)], [entry(ID, 'gone', { seenAt: AT - 500 })])).toMatchObject({ remove: [], amendments: [] });
  expect(plan([ours(ID)], [entry(ID, 'gone', { seenAt: AT - 1500 })]).amendments.map(({ became }) => became)).toEqual([
    'duplicate',
  ]);
});

test('no more than the cap are removed in one run', () => {
  const ids = Array.from({ length: 30 }, (_, n) => newId(AT - n));
  expect(
    plan(
      ids.map(id => ours(id)),
      ids.map(id => entry(id, 'lost')),
      { cap: 7 },
    ).remove,
  ).toHaveLength(7);
});

test('how late a message is: by the store’s date where that can be true, by ours where it cannot', () => {
  const late = (internalDate?: number) =>
    plan(
      [{ ...ours(ID), ...(internalDate === undefined ? {} : { internalDate }) }],
      [entry(ID, 'lost', { startedAt: AT - 60_000 })],
    ).amendments[0]?.afterMs;
  expect(late(AT - 20_000)).toBe(40_999);
  expect(late(AT + 90_000)).toBe(60_000);
  expect(late(AT - 900_000)).toBe(60_000);
  expect(late()).toBe(60_000);
});

test('a late message tells where its stamps say that it waited', () => {
  const started = AT - 600_000;
  const stamp = (by: string, at: number) => `Received: from x by ${by} with ESMTP id 1; ${new Date(at).toUTCString()}`;
  const headers = [
    `X-Healthmon-Token: ${signToken(KEY, ID, started, ADDRESS)}`,
    `Message-ID: <${ID}@x>`,
    stamp('ims1.example.com', AT - 10_000),
    stamp('ssmtp01.example.com', started + 1000),
  ].join('\r\n');
  const { amendments } = plan([letter(headers)], [entry(ID, 'lost', { startedAt: started })]);
  expect(amendments[0]?.waited).toBe('its stamps show 589 s between ssmtp01.example.com and ims1.example.com');
});
