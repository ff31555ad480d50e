// Limits: level and change, how long, in which hours, whose word counts; and what is carried from one look to the next.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defaultLimits } from '../../lib/host/default-limits.ts';
import { baseName, FIGURES, unitOf } from '../../lib/host/figures.ts';
import { type Evidence, judge, limitsOf, valueText } from '../../lib/host/judge.ts';
import { loadKept, remembered, saveKept } from '../../lib/host/keep.ts';
import { DEFAULT_LIMITS, holdsAt, type Limit } from '../../lib/host/limits.ts';
import { parseHours, parseQuantity, parseSpan } from '../../lib/host/quantities.ts';
import { extended, slope, timeUntil } from '../../lib/host/trend.ts';
import { sizeText, spanText } from '../../lib/host/words.ts';

const AT = new Date(2026, 10, 23, 10, 0).getTime(); // a Monday, local time
const MIN = 60_000;

const limit = (more: Partial<Limit>): Limit => ({
  name: 'x',
  figure: 'queues.total',
  is: 'above',
  forMs: 0,
  isOwn: false,
  ...more,
});
const told = (more: Partial<Evidence>) => {
  const { findings, beyond } = judge({ figures: {}, limits: [], at: AT, lastAt: AT - 5 * MIN, beyond: {}, history: {}, ...more });
  return { texts: findings.map(({ level, text }) => `${level}: ${text}`), beyond };
};

test('judge() tells the worst grade that is reached, with value and limit', () => {
  const limits = [limit({ warn: 500, crit: 3000 })];
  expect(told({ figures: { 'queues.total': 499 }, limits }).texts).toEqual([]);
  expect(told({ figures: { 'queues.total': 500 }, limits }).texts).toEqual(['warning: messages in the queue: 500, limit 500']);
  expect(told({ figures: { 'queues.total': 5000 }, limits }).texts).toEqual([
    'critical: messages in the queue: 5000, limit 3000',
  ]);
  const low = [limit({ figure: 'sys.memory_available_percent', is: 'below', warn: 10 })];
  expect(told({ figures: { 'sys.memory_available_percent': 8.5 }, limits: low }).texts).toEqual([
    'warning: memory available: 8.5 %, limit 10 %',
  ]);
});

test('judge() waits as long as the limit asks, and a break begins anew', () => {
  const limits = [limit({ warn: 500, forMs: 10 * MIN })];
  const figures = { 'queues.total': 700 };
  const first = told({ figures, limits });
  expect(first.texts).toEqual(['ok: messages in the queue: 700, limit 500 (counts after 10 min)']);
  const second = told({ figures, limits, at: AT + 5 * MIN, lastAt: AT, beyond: first.beyond });
  expect(second.texts).toEqual(['ok: messages in the queue: 700, limit 500, for 5 min (counts after 10 min)']);
  const third = told({ figures, limits, at: AT + 10 * MIN, lastAt: AT + 5 * MIN, beyond: second.beyond });
  expect(third.texts).toEqual(['warning: messages in the queue: 700, limit 500, for 10 min']);
  const below = told({ figures: { 'queues.total': 1 }, limits, at: AT + 15 * MIN, lastAt: AT + 10 * MIN, beyond: third.beyond });
  expect(below).toEqual({ texts: [], beyond: {} });
});

test('judge() gives the lower grade while the higher one has not lasted', () => {
  const limits = [limit({ warn: 500, crit: 3000, forMs: 10 * MIN })];
  const beyond = { 'x queues.total warn': AT - 20 * MIN };
  expect(told({ figures: { 'queues.total': 4000 }, limits, beyond }).texts).toEqual([
    'warning: messages in the queue: 4000, limit 500, for 20 min',
  ]);
});

test('judge() does not believe that a gap in the looks was all the same', () => {
  const limits = [limit({ warn: 500, forMs: 10 * MIN })];
  const beyond = { 'x queues.total warn': AT - 20 * MIN };
  const figures = { 'queues.total': 700 };
  expect(told({ figures, limits, beyond, lastAt: AT - 60 * MIN }).texts[0]).toMatch(/^ok: /);
  expect(told({ figures, limits, beyond, lastAt: AT + MIN }).texts[0]).toMatch(/^ok: /); // the clock went back
});

test('judge() tells a change within a span, and nothing while the span is not known', () => {
  const limits = [limit({ figure: 'queues.deferred', warn: 200, overMs: 10 * MIN })];
  const history = {
    'queues.deferred': [
      [AT - 15 * MIN, 5],
      [AT - 11 * MIN, 10],
      [AT - 5 * MIN, 150],
    ] as const,
  };
  const figures = { 'queues.deferred': 230 };
  expect(told({ figures, limits, history }).texts).toEqual(['warning: deferred messages: +220 within 10 min, limit 200']);
  expect(told({ figures, limits, history: { 'queues.deferred': [[AT - 5 * MIN, 0]] } }).texts).toEqual([]);
  expect(told({ figures, limits }).texts).toEqual([]);
});

test('a limit for one thing replaces that for all, the operator’s replaces ours, one with hours that without', () => {
  const ours = limit({ name: 'ours', figure: 'sys.disk_used_percent', warn: 90 });
  const own = limit({ name: 'own', figure: 'sys.disk_used_percent', warn: 80, isOwn: true });
  const night = limit({
    name: 'night',
    figure: 'sys.disk_used_percent',
    warn: 99,
    isOwn: true,
    hours: { from: 22 * 60, until: 6 * 60 },
  });
  const one = limit({ name: 'one', figure: 'sys.disk_used_percent:/var', warn: 70, isOwn: true });
  const change = limit({ name: 'change', figure: 'sys.disk_used_percent', warn: 5, overMs: 60 * MIN });
  const all = [ours, own, night, one, change];
  const names = (figure: string, at: number) => limitsOf(figure, all, at).map(({ name }) => name);
  expect(names('sys.disk_used_percent:/', AT)).toEqual(['own', 'change']);
  expect(names('sys.disk_used_percent:/var', AT)).toEqual(['one', 'change']);
  expect(names('sys.disk_used_percent:/', AT + 13 * 60 * MIN)).toEqual(['night', 'change']);
  expect(names('sys.load1', AT)).toEqual([]);
});

test('a limit of the operator whose figure is not there is unknown; one of ours is not', () => {
  const own = limit({ name: 'mine', figure: 'queues.deferred', warn: 5, isOwn: true });
  expect(told({ limits: [own, limit({ warn: 5 })] }).texts).toEqual([
    'unknown: limit mine cannot be judged: there is no queues.deferred on this host now',
  ]);
  expect(told({ limits: [{ ...own, figure: 'sys.disk_full_in_s' }] }).texts).toEqual([]);
});

test('findings stand worst first', () => {
  const limits = [
    limit({ warn: 1, forMs: MIN }),
    limit({ figure: 'queues.hold', warn: 1 }),
    limit({ figure: 'queues.corrupt', crit: 1 }),
  ];
  const figures = { 'queues.total': 5, 'queues.hold': 5, 'queues.corrupt': 5 };
  expect(told({ figures, limits }).texts.map(text => text.split(':')[0])).toEqual(['critical', 'warning', 'ok']);
});

test('the limits that hold without a word speak of figures that there are, and their critical lies beyond their warning', () => {
  const limits = defaultLimits();
  expect(limits).toHaveLength(DEFAULT_LIMITS.length);
  for (const { name, figure, is, warn, crit } of limits) {
    expect([name, FIGURES.has(baseName(figure)), (warn ?? crit ?? Number.NaN) > 0]).toEqual([name, true, true]);
    if (warn !== undefined && crit !== undefined)
      expect([name, is === 'above' ? crit > warn : crit < warn]).toEqual([name, true]);
  }
  expect(new Set(limits.map(({ name }) => name)).size).toBe(limits.length);
});

test('hours of the week are read and held, over midnight and over the weekend', () => {
  const on = (text: string, day: number, hour: number, minute = 0) => {
    const hours = parseHours(text);
    if (hours === undefined) throw new Error(text);
    return holdsAt(hours, new Date(2026, 10, 22 + day, hour, minute).getTime()); // day 0 is a Sunday
  };
  expect([on('08:00-18:00', 0, 8), on('08:00-18:00', 0, 7, 59), on('08:00-18:00', 0, 18)]).toEqual([true, false, false]);
  expect([on('22:00-06:00', 1, 23), on('22:00-06:00', 1, 5), on('22:00-06:00', 1, 12)]).toEqual([true, true, false]);
  expect([on('mon-fri 08:00-18:00', 1, 9), on('mon-fri 08:00-18:00', 6, 9)]).toEqual([true, false]);
  expect([on('sat,sun', 6, 0), on('sat,sun', 0, 23), on('sat,sun', 1, 0)]).toEqual([true, true, false]);
  expect([on('fri-mon 22:00-02:00', 2, 1), on('fri-mon 22:00-02:00', 2, 23)]).toEqual([true, false]);
  expect([on('00:00-24:00', 3, 23, 59)]).toEqual([true]);
  for (const bad of ['', '8-18', '25:00-26:00', '08:00-08:00', 'mon-xyz', 'noon', '08:61-09:00', '-', 'mon- 08:00-09:00'])
    expect(parseHours(bad)).toBeUndefined();
});

test('quantities fit the unit of their figure', () => {
  expect([
    parseQuantity('90%', 'percent'),
    parseQuantity('2 GB', 'bytes'),
    parseQuantity('1.5k', 'bytes'),
    parseQuantity('15m', 's'),
  ]).toEqual([90, 2 * 1024 ** 3, 1536, 900]);
  expect([
    parseQuantity('500ms', 'ms'),
    parseQuantity('2s', 'ms'),
    parseQuantity(7, 'count'),
    parseQuantity('7', 'count'),
  ]).toEqual([500, 2000, 7, 7]);
  expect([
    parseQuantity('90%', 'count'),
    parseQuantity('15m', 'count'),
    parseQuantity('2 GB', 'percent'),
    parseQuantity('x', 'ms'),
  ]).toEqual([undefined, undefined, undefined, undefined]);
  expect([parseSpan('90s'), parseSpan('1.5h'), parseSpan('1d'), parseSpan('10'), parseSpan('m')]).toEqual([
    90_000,
    5_400_000,
    86_400_000,
    undefined,
    undefined,
  ]);
});

test('figures are told in words that people use', () => {
  expect([
    valueText(5 * 1024 ** 3, 'bytes'),
    valueText(93.4, 'percent'),
    valueText(5400, 's'),
    valueText(1500, 'ms'),
    valueText(0.5, 'per minute'),
  ]).toEqual(['5.0 GB', '93 %', '1 h 30 min', '1500 ms', '0.50/min']);
  expect([spanText(0), spanText(89_000), spanText(5_400_000), spanText(86_400_000 * 3 + 3_600_000), spanText(-5)]).toEqual([
    '0 s',
    '89 s',
    '1 h 30 min',
    '3 d 1 h',
    '0 s',
  ]);
  expect([sizeText(0), sizeText(999), sizeText(1500), sizeText(20 * 1024 ** 3)]).toEqual([
    '0 bytes',
    '999 bytes',
    '1.5 KB',
    '20 GB',
  ]);
  expect([unitOf('sys.disk_used_percent:/x_bytes'), unitOf('queues.total'), unitOf('queues.drain_per_min')]).toEqual([
    'percent',
    'count',
    'per minute',
  ]);
});

test('a trend is a straight line, and says nothing about what it has not seen', () => {
  const points = [0, 1, 2, 3, 4].map(n => [AT + n * MIN, 100 + n * 10] as const);
  expect(slope(points, 4 * MIN)).toBeCloseTo(10 / MIN, 12);
  expect(slope(points, 5 * MIN)).toBeUndefined();
  expect(slope(points.slice(0, 2), 0)).toBeUndefined();
  expect(timeUntil(600, 10 / MIN, 1e12)).toBeCloseTo(60 * MIN, 3);
  expect([
    timeUntil(600, 0, 1e12),
    timeUntil(600, -1, 1e12),
    timeUntil(600, undefined, 1e12),
    timeUntil(600, 1e-9, 1000),
  ]).toEqual([undefined, undefined, undefined, undefined]);
  const kept = extended(points, [AT + 5 * MIN, 1], { ms: 3 * MIN, most: 10 });
  expect(kept.map(([at]) => (at - AT) / MIN)).toEqual([3, 4, 5]);
  expect(extended(points, [AT - MIN, 1], { ms: 60 * MIN, most: 10 })).toEqual([[AT - MIN, 1]]);
  expect(extended(points, [AT + 5 * MIN, 1], { ms: 60 * MIN, most: 4 })).toHaveLength(4);
});

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'healthmon-keep-'));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

test('what is kept comes back, and a file that cannot be read is as if there were none', () => {
  const kept = { at: AT, before: { n: 1 }, beyond: { 'x queues.total warn': 5 }, history: { 'queues.total': [[1, 2]] as const } };
  saveKept(state, 'queues', kept);
  expect(loadKept(state, 'queues')).toEqual(kept);
  expect(loadKept(state, 'sys')).toEqual({ at: undefined, before: undefined, beyond: {}, history: {} });
  const file = join(state, 'host', 'queues.json');
  for (const text of [
    '',
    '{"v":1,"at":',
    '[]',
    'null',
    '{"v":2}',
    '{"v":1,"beyond":{"a":"x","__proto__":5},"history":{"b":[[1],[2,"x"],[3,4]],"c":7}}',
  ]) {
    writeFileSync(file, text);
    const read = loadKept(state, 'queues');
    expect(read.before).toBeUndefined();
    expect(read.beyond).toEqual({});
    expect(Object.values(read.history).flat()).toEqual(text.includes('history') ? [[3, 4]] : []);
  }
  expect(readFileSync(file, 'utf8')).toContain('history');
});

test('only figures whose change is judged are remembered, for as long as that takes', () => {
  const limits = [limit({ figure: 'sys.disk_used_percent', warn: 5, overMs: 10 * MIN }), limit({ warn: 5 })];
  const figures = { 'sys.disk_used_percent:/': 50, 'queues.total': 7 };
  const history = {
    'sys.disk_used_percent:/': [
      [AT - 30 * MIN, 1],
      [AT - 12 * MIN, 2],
    ] as const,
    gone: [[AT, 1]] as const,
  };
  expect(remembered(history, figures, limits, AT)).toEqual({
    'sys.disk_used_percent:/': [
      [AT - 12 * MIN, 2],
      [AT, 50],
    ],
  });
});
