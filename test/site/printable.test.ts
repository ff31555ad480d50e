// Text that may be shown to a terminal, a log or a person.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from '../../lib/model/printable.ts';

test.for([
  ['plain words', 'plain words'],
  ['äöü € 日本 😀', 'äöü € 日本 😀'],
  ['a\tb\nc\r', 'a\\x09b\\x0ac\\x0d'],
  ['\x1b[31mred\x07', '\\x1b[31mred\\x07'],
  ['\x7f\x80\x9f', '\\x7f\\x80\\x9f'],
  ['\u{202e}gnp.exe', '\\u{202e}gnp.exe'],
  ['a\u{200b}b\u{feff}c', 'a\\u{200b}b\\u{feff}c'],
  ['\u{2028}\u{2066}\u{e0041}', '\\u{2028}\\u{2066}\\u{e0041}'],
  ['\ud800x\udc00', '\\u{d800}x\\u{dc00}'],
  ['\0', '\\x00'],
] as const)('printable() writes %j so that it can be seen', ([text, shown]) => {
  expect(printable(text)).toBe(shown);
});

test.for([
  ['abcdef', 6, 'abcdef'],
  ['abcdefg', 6, 'abc...'],
  ['ab\x1bdefg', 8, 'ab...'],
  ['ab\x1bd', 7, 'ab\\x1bd'],
  ['a😀bcd', 5, 'a...'],
  ['abc', 2, '..'],
  ['', 0, ''],
  ['abc', 0, ''],
] as const)('printable() cuts %j at %i without cutting a character in two', ([text, max, shown]) => {
  expect(printable(text, max)).toBe(shown);
});

test('printable() is never longer than asked, never unsafe, and leaves alone what is safe', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(50), (text, max) => {
      const shown = printable(text, max);
      expect(shown.length).toBeLessThanOrEqual(max);
      expect(shown).not.toMatch(/[\p{Cc}\p{Surrogate}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]/u);
      expect(printable(shown, max)).toBe(shown);
    }),
    { numRuns: 1000 },
  );
});

test('printable() does not read a giant to its end', () => {
  const giant = Buffer.alloc(50_000_000, 'x').toString('latin1');
  expect(printable(giant, 20)).toBe(`${'x'.repeat(17)}...`);
  expect(fastest(() => printable(giant, 20))).toBeLessThan(fastest(() => giant.lastIndexOf('y')));
});

function fastest(work: () => unknown): number {
  const took: number[] = [];
  for (let n = 0; n < 5; n++) {
    const began = performance.now();
    work();
    took.push(performance.now() - began);
  }
  return Math.min(...took);
}
