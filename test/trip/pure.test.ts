// The small pure parts of a trip: tokens, headers, hops, bounces, pace, comparison.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBounce } from '../../lib/trip/bounce.ts';
import { bodyOf, parseHeaders } from '../../lib/trip/headers.ts';
import { hopsOf, skewFindings } from '../../lib/trip/received.ts';
import { newId, signToken, verifyToken } from '../../lib/trip/token.ts';

const KEY = Buffer.alloc(32, 1);
const headersOf = (text: string) => parseHeaders(Buffer.from(text, 'latin1'));

test('a token verifies for its own account and key, folded or not, and for nothing else', () => {
  const id = newId(Date.now());
  const token = signToken(KEY, id, Date.now(), 'a@example.com');
  expect(verifyToken(KEY, headersOf(`X-Healthmon-Token: ${token}\r\n\r\n`), 'A@example.com')).toBe(id);
  expect(
    verifyToken(KEY, headersOf(`x-healthmon-token:\r\n ${token.slice(0, 30)}\r\n\t${token.slice(30)}\r\n\r\n`), 'a@example.com'),
  ).toBe(id);
  expect(verifyToken(KEY, headersOf(`X-Healthmon-Token: ${token}\r\n\r\n`), 'b@example.com')).toBeUndefined();
  expect(verifyToken(Buffer.alloc(32, 2), headersOf(`X-Healthmon-Token: ${token}\r\n\r\n`), 'a@example.com')).toBeUndefined();
});

test('no text is taken for a token that was not signed', () => {
  fc.assert(
    fc.property(
      fc.string(),
      text => verifyToken(KEY, headersOf(`X-Healthmon-Token: ${text}\r\n\r\n`), 'a@example.com') === undefined,
    ),
  );
});

test('ids sort by time and do not repeat', () => {
  const ids = Array.from({ length: 1000 }, (_, n) => newId(1_700_000_000_000 + n * 1000));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(1000);
});

test('header lines are unfolded, the body begins behind the empty line, and nothing throws', () => {
  const raw = Buffer.from('A: one\r\n two\r\nnot a header\r\nB:three\r\n\r\nC: body\r\n');
  expect(headersOf(raw.toString())).toEqual([
    { name: 'A', value: 'one two' },
    { name: 'B', value: 'three' },
  ]);
  expect(bodyOf(raw).toString()).toBe('C: body\r\n');
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), bytes => Array.isArray(parseHeaders(Buffer.from(bytes)))));
});

test('a million header lines take no longer than they are long', () => {
  const raw = Buffer.from('X: y\r\n'.repeat(1_000_000));
  expect(parseHeaders(raw)).toHaveLength(2000);
});

const DEPART = Date.UTC(2026, 10, 22, 12, 0, 0);
const stamp = (by: string, at: number) =>
  `Received: from x (y [1.2.3.4]) by ${by} (Postfix) with ESMTPS id ABC\r\n for <a@b>; ${new Date(at).toUTCString()}`;

test('hops come oldest first with their delays; skew is named and is never a delay', () => {
  const headers = headersOf(
    [stamp('store', DEPART + 5000), stamp('relay', DEPART + 90_000), stamp('mta', DEPART + 1000)].join('\r\n'),
  );
  const hops = hopsOf(headers, DEPART, DEPART + 6000);
  expect(hops.map(({ by, delayMs, skewMs }) => ({ by, delayMs, skewMs }))).toEqual([
    { by: 'mta', delayMs: 1000, skewMs: undefined },
    { by: 'relay', delayMs: undefined, skewMs: 84_000 },
    { by: 'store', delayMs: undefined, skewMs: undefined },
  ]);
  expect(skewFindings(hops).map(({ text }) => text)).toEqual(['the clock of relay is at least 84 s ahead']);
});

test('whole seconds are no skew, and a clock behind is said to be behind', () => {
  expect(hopsOf(headersOf(stamp('mta', DEPART)), DEPART + 900, DEPART + 950)[0]).toMatchObject({ delayMs: 0 });
  expect(skewFindings(hopsOf(headersOf(stamp('mta', DEPART - 60_000)), DEPART, DEPART + 100))[0]?.text).toBe(
    'the clock of mta is at least 60 s behind',
  );
});

test('when every clock is off the same way, it may be ours', () => {
  const headers = headersOf([stamp('store', DEPART + 100_000), stamp('mta', DEPART + 100_000)].join('\r\n'));
  expect(skewFindings(hopsOf(headers, DEPART, DEPART + 1000))[0]?.text).toContain('perhaps it is ours');
});

test('stamps that are no stamps are hops without a time, and nothing throws or crawls', () => {
  expect(hopsOf(headersOf('Received: nonsense'), DEPART, DEPART)).toEqual([{ by: '(unknown)' }]);
  expect(hopsOf(headersOf(`Received: ${'('.repeat(100_000)}`), DEPART, DEPART)).toHaveLength(1);
  fc.assert(
    fc.property(fc.string(), text =>
      hopsOf([{ name: 'Received', value: text }], DEPART, DEPART + 1).every(({ delayMs }) => (delayMs ?? 0) >= 0),
    ),
  );
});

const BOUNCE = `Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

gone
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; ssmtp01.example.com

Final-Recipient: rfc822; a@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; ims1.example.com
Diagnostic-Code: smtp; 550 5.1.1 <a@example.com> User
    doesn't exist

--b
Content-Type: text/rfc822-headers

Message-ID: <0abc@healthmon.example.com>
--b--
`.replace(/\n/g, '\r\n');

test('a notification about our message is read; one about another is not', () => {
  expect(parseBounce(Buffer.from(BOUNCE), '<0abc@healthmon.example.com>')).toEqual({
    action: 'failed',
    status: '5.1.1',
    diagnostic: "550 5.1.1 <a@example.com> User doesn't exist",
    reportingMta: 'ssmtp01.example.com',
    remoteMta: 'ims1.example.com',
  });
  expect(parseBounce(Buffer.from(BOUNCE), '<other@healthmon.example.com>')).toBeUndefined();
  expect(
    parseBounce(Buffer.from(BOUNCE.replace('message/delivery-status', 'text/plain')), '<0abc@healthmon.example.com>'),
  ).toBeUndefined();
  fc.assert(fc.property(fc.string(), text => parseBounce(Buffer.from(text), '<x@y>') === undefined || text.includes('<x@y>')));
});
