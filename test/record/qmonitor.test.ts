// qmonitor.log as the seed draws it: byte for byte, and read back.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendQmonitor, parseQmonitor, type QmonitorRow, qmonitorHeader, qmonitorRow } from '../../lib/record/qmonitor.ts';

const GOLDEN = readFileSync(join(import.meta.dirname, 'golden', 'qmonitor.log'), 'utf8');
const SEED = join(import.meta.dirname, '../../../shared/spec/samples/qmonitor.log');

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'healthmon-qmonitor-'));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

function writtenBack(text: string): string {
  const { days, damaged } = parseQmonitor(text);
  expect(damaged).toEqual([]);
  return days
    .map(({ day, instance, rows }) => `${qmonitorHeader(day, instance)}${rows.map(row => `${qmonitorRow(row)}\n`).join('')}`)
    .join('');
}

test('a table is read and written back byte for byte', () => {
  expect(writtenBack(GOLDEN)).toBe(GOLDEN);
  expect(parseQmonitor(GOLDEN).days.map(({ day, instance, rows }) => [day, instance, rows.length])).toEqual([
    ['2001-01-10', 'msg-smtp1', 4],
    ['2001-01-11', 'msg-smtp1', 3],
  ]);
});

test.skipIf(!existsSync(SEED))("the seed's own sample is read and written back byte for byte", () => {
  const seed = readFileSync(SEED, 'utf8');
  expect(parseQmonitor(seed).days[0]?.rows).toHaveLength(26);
  expect(`${writtenBack(seed).trimEnd()}\n`).toBe(`${seed.trimEnd()}\n`);
});

test('every line of a table is as wide as its ruler, whatever the figures', () => {
  const figure = fc.option(fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e18, noNaN: true })), { nil: undefined });
  const names = [
    'active',
    'held',
    'swapKb',
    'scanRate',
    'user',
    'system',
    'wait',
    'idle',
    'smtp',
    'imap',
    'pop3',
    'ldap',
    'http',
  ];
  fc.assert(
    fc.property(fc.record(Object.fromEntries(names.map(name => [name, figure]))), figures => {
      const row = Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
      const line = qmonitorRow({ time: '10:05', ...row });
      expect(line).toHaveLength(101);
      expect(parseQmonitor(`${qmonitorHeader('2026-11-22', 'a')}${line}\n`).damaged).toEqual([]);
    }),
  );
});

test('a figure that does not fit is told in thousands, and one that is not known is a dash', () => {
  const row: QmonitorRow = { time: '10:05', active: 1_234_567, held: 0, swapKb: 98_765_432_100, smtp: 12_000 };
  expect(qmonitorRow(row)).toBe(
    '|10:05| 1235k |      0 |  98765432M |       - |    - |    - |    - |     - | 12k|   -|   -|   -|   -|',
  );
  expect(parseQmonitor(`${qmonitorHeader('2026-11-22', 'a')}${qmonitorRow(row)}`).days[0]?.rows).toEqual([
    { ...row, active: 1_235_000, swapKb: 98_765_432_000 },
  ]);
});

test('a row is appended under the header of its day, with the instance name', () => {
  const at = new Date(2026, 10, 22, 10, 5, 3).getTime();
  appendQmonitor(state, 'mx1|evil\x1b[2J', at, { active: 3, held: 0, user: 1.4, idle: 98.6 });
  const text = readFileSync(join(state, 'qmonitor.log'), 'utf8');
  expect(text.split('\n')[0]).toBe('DATE COLLECTED: 22 Nov 2026      instance name = mx1!evil?[2J');
  expect(text.split('\n')[7]).toBe(
    '|10:05|     3 |      0 |          - |       - |    1 |    - |    - |    99 |   -|   -|   -|   -|   -|',
  );
  expect(parseQmonitor(text).days).toEqual([
    { day: '2026-11-22', instance: 'mx1!evil?[2J', rows: [{ time: '10:05', active: 3, held: 0, user: 1, idle: 99 }] },
  ]);
});

test('lines that are no row are counted and not believed', () => {
  const cut = GOLDEN.split('\n').slice(0, 8).join('\n');
  const { days, damaged } = parseQmonitor(
    `${cut}\n|00:20|     0 |      0 |\n|25:00|${'x'.repeat(90)}|\nnoise\n${GOLDEN.split('\n')[9]}\n`,
  );
  expect([days[0]?.rows.length, damaged]).toEqual([2, [9, 10, 11]]);
  expect(parseQmonitor('|00:45|     0 |\n').damaged).toEqual([1]);
});
