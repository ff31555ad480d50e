// Time stamps of all kinds, above all those without a year.

import { expect, test } from 'vitest';
import { Stamps } from '../../lib/maillog/stamp.ts';

/** What a stamp means to the second, in local time; `undefined` for none. */
function instant(line: string, reference: number): number | undefined {
  const stamps = new Stamps(reference);
  return stamps.read(line, 0, line.length) ? stamps.minuteAt + stamps.seconds(line, 0) * 1000 : undefined;
}

const local = (text: string) => new Date(text).getTime();

test('a stamp without a year is of the last such day before the log was written', () => {
  const newYear = local('2026-01-01T00:30:00');
  expect(instant('Dec 31 23:59:58 mx1 x: y', newYear)).toBe(local('2025-12-31T23:59:58'));
  expect(instant('Jan  1 00:00:01 mx1 x: y', newYear)).toBe(local('2026-01-01T00:00:01'));
  expect(instant('Feb 29 12:00:00 mx1 x: y', newYear)).toBe(local('2024-02-29T12:00:00'));
  expect(instant('Jun  1 12:00:00 mx1 x: y', newYear)).toBe(local('2025-06-01T12:00:00'));
});

test('a clock that is ahead by less than a day is not taken for one of a year ago', () => {
  expect(instant('Jan  1 00:10:00 mx1 x: y', local('2025-12-31T23:50:00'))).toBe(local('2026-01-01T00:10:00'));
});

test('a log across New Year stays in order, in one reading', () => {
  const stamps = new Stamps(local('2026-01-02T00:00:00'));
  const lines = [
    'Dec 31 23:59:59 mx1 a: b',
    'Dec 31 23:59:59 mx1 a: c',
    'Jan  1 00:00:00 mx1 a: d',
    'Jan  1 00:00:00 other a: e',
  ];
  const seen = lines.map(line => [stamps.read(line, 0, line.length), stamps.minuteAt, line.slice(stamps.rest)]);
  const [last, first] = [local('2025-12-31T23:59:00'), local('2026-01-01T00:00:00')];
  expect(seen).toEqual([
    [true, last, 'a: b'],
    [true, last, 'a: c'],
    [true, first, 'a: d'],
    [true, first, 'a: e'],
  ]);
});

test.each([
  ['2026-11-22T02:08:13.123456+01:00 mx1 x: y', '2026-11-22T01:08:13Z'],
  ['2026-11-22T02:08:13Z mx1 x: y', '2026-11-22T02:08:13Z'],
  // journalctl -o short-iso
  ['2026-11-22T02:08:13-0330 mx1 x: y', '2026-11-22T05:38:13Z'],
  // Exim with log_timezone and millisec
  ['2026-11-22 02:08:13.123 +0200 1xV2IK-00085r-0R x', '2026-11-22T00:08:13Z'],
])('%s', (line, iso) => {
  expect(instant(line, Date.now())).toBe(Date.parse(iso));
});

test.each([
  '',
  'Nov',
  'Foo 22 02:08:13 mx1 x',
  'Nov 31 02:08:13 mx1 x',
  'Nov 22 25:08:13 mx1 x',
  '2026-13-22T02:08:13Z mx1 x',
  '2026-02-30 02:08:13 x',
  '2026-11-22T02:08:13 mx1 x',
  '[2026-11-22 02:08:13] x',
])('"%s" is no stamp', line => {
  expect(instant(line, Date.now())).toBeUndefined();
});

test('a line inside a longer text is read where it stands', () => {
  const text = 'Nov 22 02:08:13 mx1 a: b\nNov 22 02:08:14 mx1 c: d\nNov 22 02:09:14 mx1 e: f\n';
  const stamps = new Stamps(local('2026-11-22T03:00:00'));
  const rests = [0, 25, 50].map(from => {
    stamps.read(text, from, from + 24);
    return text.slice(stamps.rest, from + 24);
  });
  expect(rests).toEqual(['a: b', 'c: d', 'e: f']);
});
