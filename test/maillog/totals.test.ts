// Counters that only grow: every line once, through rotation, kills and broken state; and as Prometheus reads them.

import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prometheusText } from '../../lib/maillog/prometheus.ts';
import { step, type Totals } from '../../lib/maillog/totals.ts';
import { counted } from './read.ts';

const text = readFileSync(join(import.meta.dirname, 'fixtures', 'postfix.log'), 'latin1');
const lines = text.split(/(?<=\n)/);
let folder: string;
let log: string;
let state: string;
let clock = 1_800_000_000_000;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'healthmon-totals-'));
  log = join(folder, 'mail.log');
  state = join(folder, 'var');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function next() {
  clock += 300_000;
  const result = await step(log, state, clock);
  if (result === undefined) throw new Error('no log');
  return result;
}

const some = ({ counters }: Totals) => Object.fromEntries(Object.entries(counters).filter(([, value]) => value !== 0));
const kept = () => readdirSync(join(state, 'maillog'));

test('step() after step counts what one reading counts, wherever the log was cut', async () => {
  writeFileSync(log, '');
  let last = await next();
  for (let at = 0; at < text.length; at += 333) {
    appendFileSync(log, text.slice(at, at + 333));
    last = await next();
  }
  expect(some(last.totals)).toEqual(counted(text));
  expect(last.totals.delays.reduce((sum, count) => sum + count, 0)).toBe(5);
});

test('step() tells what it brought, and since when', async () => {
  writeFileSync(log, lines.slice(0, 7).join(''));
  const first = await next();
  expect([first.spanMs, first.brought.delivered, first.totals.counters.delivered]).toEqual([undefined, 1, 1]);
  appendFileSync(log, lines[7] ?? '');
  const second = await next();
  expect([second.spanMs, second.brought.delivered, second.totals.counters.delivered]).toEqual([300_000, 1, 2]);
  expect([second.totals.sinceAt, second.totals.at]).toEqual([first.totals.at, clock]);
});

test('step() reads the old file to its end when the log was rotated', async () => {
  writeFileSync(log, lines.slice(0, 10).join(''));
  await next();
  appendFileSync(log, lines.slice(10, 20).join(''));
  renameSync(log, `${log}.1`);
  utimesSync(`${log}.1`, clock / 1000, clock / 1000);
  writeFileSync(log, lines.slice(20).join(''));
  const { totals, events } = await next();
  expect(events).toEqual(['rotated']);
  expect(some(totals)).toEqual(counted(text));
});

test('step() knows nothing of a log that never was, and keeps counting when it is gone for a while', async () => {
  expect(await step(log, state, clock)).toBeUndefined();
  writeFileSync(log, text);
  await next();
  rmSync(log);
  const { totals, brought } = await next();
  expect([brought.lines, totals.counters.lines]).toEqual([0, 40]);
});

test('step() begins anew with broken totals, says so and keeps them for a look', async () => {
  writeFileSync(log, text);
  await next();
  const [name = ''] = kept();
  for (const broken of ['{"v":1,"coun', '[]', 'null', '{"v":2}', '{"v":1,"sinceAt":"x","at":1,"delaySum":0}']) {
    writeFileSync(join(state, 'maillog', name), broken);
    const { isAnew, totals } = await next();
    expect([broken, isAnew, totals.counters.lines]).toEqual([broken, true, 40]);
    expect(kept()).toContain(`${name}.unreadable`);
  }
});

test('totals that lack a counter, as one that is new, begin it at nought', async () => {
  writeFileSync(log, text);
  await next();
  const file = join(state, 'maillog', kept()[0] ?? '');
  const old = JSON.parse(readFileSync(file, 'utf8'));
  delete old.counters.held;
  writeFileSync(file, JSON.stringify(old));
  const { isAnew, totals } = await next();
  expect([isAnew, totals.counters.held, totals.counters.delivered]).toEqual([false, 0, 5]);
});

test('two logs of one name are kept apart, for nobody else to read', async () => {
  writeFileSync(log, text);
  await next();
  const other = mkdtempSync(join(tmpdir(), 'healthmon-totals-'));
  writeFileSync(join(other, 'mail.log'), lines[0] ?? '');
  await step(join(other, 'mail.log'), state, clock);
  rmSync(other, { recursive: true });
  expect(kept()).toHaveLength(2);
  expect(kept().map(name => statSync(join(state, 'maillog', name)).mode & 0o777)).toEqual([0o600, 0o600]);
});

test('prometheusText() is what the golden file has', async () => {
  writeFileSync(log, text);
  const { totals } = await next();
  const shown = prometheusText([{ ...totals, log: '/var/log/"mail".log', at: 1_800_000_000_500 }]);
  await expect(shown).toMatchFileSnapshot('golden/prometheus.txt');
});

test('prometheusText() gives each name its meaning once, however many logs', async () => {
  writeFileSync(log, text);
  const { totals } = await next();
  const shown = prometheusText([totals, { ...totals, log: '/b' }]).split('\n');
  const names = shown.filter(line => line.startsWith('# TYPE ')).map(line => line.split(' ')[2]);
  expect(new Set(names).size).toBe(names.length);
  expect(shown.filter(line => line.startsWith('healthmon_mail_received_total{'))).toHaveLength(2);
});
