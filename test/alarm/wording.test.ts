// The words: what a person reads, as golden files (changed only by reading the diff: npx vitest -u), and their bounds.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { plain, SMS_LENGTH, sizeOf, smsText } from '../../lib/alarm/words/sms.ts';
import { structured } from '../../lib/alarm/words/structured.ts';
import { headline, plainText } from '../../lib/alarm/words/wording.ts';
import { durationText } from '../../lib/alarm/words/words.ts';
import { TELLINGS } from './tellings.ts';

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = 'Europe/Berlin';
});
afterAll(() => {
  process.env.TZ = zone;
});

test.for(Object.entries(TELLINGS))('%s: plain text and short form', async ([name, telling]) => {
  const text = `${plainText(telling)}\n\n--- ${sizeOf(smsText(telling))} of 160 ---\n${smsText(telling)}\n`;
  await expect(text).toMatchFileSnapshot(`golden/${name}.txt`);
});

test.for(['raised', 'cleared', 'several'])('%s: structured form', async name => {
  const telling = TELLINGS[name];
  if (telling === undefined) throw new Error(name);
  await expect(`${JSON.stringify(structured('a1b2c3d4-7', telling), null, 2)}\n`).toMatchFileSnapshot(`golden/${name}.json`);
});

test.for(Object.entries(TELLINGS))('%s: fits one screen, and one text message in the default alphabet', ([name, telling]) => {
  const lines = name === 'longest' ? [] : plainText(telling).split('\n');
  expect(lines.length).toBeLessThanOrEqual(telling.notices.length === 1 ? 24 : 40);
  expect(
    lines.filter(line => line.length > 110 || (line.length > 80 && !/^(next|[A-Z]+ ) /.test(line) && line.includes(' ', 12))),
  ).toEqual([]);
  expect(sizeOf(smsText(telling))).toBeLessThanOrEqual(SMS_LENGTH);
  expect(smsText(telling)).toMatch(/^[A-Za-z0-9 @$!"#%&'()*+,\-./:;<=>?_^{}\\[~\]|]*$/);
  expect(headline(telling)).not.toMatch(/[\r\n]/);
});

test('smsText() keeps what broke and the number of the alarm, whatever the words are', () => {
  const [notice] = TELLINGS.raised?.notices ?? [];
  if (notice === undefined) throw new Error('no notice');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 100, max: 160 }), (words, max) => {
      const text = smsText({ notices: [{ ...notice, words }], at: notice.at, decidedAt: notice.at, heldBack: 0 }, max);
      expect(sizeOf(text)).toBeLessThanOrEqual(max);
      expect(text).toContain('FAILED Example Mail: mmp/smux02');
      expect(text).toContain('ack 1');
    }),
  );
});

test.for([
  ['Schlüssel', 'Schlussel'],
  ['größer – “quoted”', 'grosser - "quoted"'],
  ['失敗 ok', '?? ok'],
  ['a\r\nb\tc', 'a b c'],
  ['5 €', '5 EUR'],
] as const)('plain() writes %j as %j', ([text, wanted]) => {
  expect(plain(text)).toBe(wanted);
});

test.for([
  [0, '0 s'],
  [-5000, '0 s'],
  [99_000, '99 s'],
  [100_000, '2 min'],
  [11 * 60_000, '11 min'],
  [3 * 3_600_000 + 5 * 60_000, '3 h 05 min'],
  [3 * 3_600_000, '3 h'],
  [52 * 3_600_000, '2 d 4 h'],
] as const)('durationText() writes %d ms as %s', ([ms, wanted]) => {
  expect(durationText(ms)).toBe(wanted);
});
