// The seed's own table: read as it stands, and reported in every format that ships.

import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadFormats } from '../../lib/report/formats.ts';
import { makeReport } from '../../lib/report/make.ts';
import { dayPeriod } from '../../lib/report/period.ts';
import { renderReport } from '../../lib/report/render.ts';
import { wrongWith } from './conform.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SEED = join(import.meta.dirname, 'seed', 'systest.log');
const ZONE = process.env.TZ;
let state: string;

beforeAll(() => {
  process.env.TZ = 'America/New_York';
  state = mkdtempSync(join(tmpdir(), 'healthmon-seed-'));
  cpSync(SEED, join(state, 'systest.log'));
});
afterAll(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
  rmSync(state, { recursive: true });
});

const seedReport = () =>
  makeReport(dayPeriod('2001-01-10'), Date.UTC(2001, 0, 11, 5, 4), {
    state,
    site: undefined,
    sequence: undefined,
    version: '0.1.0',
    outgoing: [],
  });

test("the seed's day has six trips, the times it says, and nothing that it does not say", () => {
  const report = seedReport();
  expect(
    report.rows.map(({ time, account, mta, mmp, mailbox, totalMs, state: result }) => [
      time,
      account,
      mta,
      mmp,
      mailbox,
      totalMs,
      result,
    ]),
  ).toEqual([
    ['00:05:04', 'ims2', 'ssmtp02', 'smux01', '', 2083, 'ok'],
    ['00:10:03', 'ims3', 'ssmtp03', 'smux02', '', 576, 'ok'],
    ['00:15:03', 'ims4', 'ssmtp04', 'smux02', '', 1715, 'ok'],
    ['00:20:04', 'ims1', 'ssmtp02', 'smux02', '', 1886, 'ok'],
    ['00:25:03', 'ims2', 'ssmtp01', 'smux02', '', 1914, 'ok'],
    ['00:30:03', 'ims3', 'ssmtp04', 'smux01', '', 614, 'ok'],
  ]);
  expect(report.whole.total).toEqual({ n: 6, p50: 1715, p90: 2083, p95: 2083, p99: 2083, worst: 2083 });
  expect([report.legs, report.phases, report.hops, report.certificates]).toEqual([[], [], [], []]);
  expect(wrongWith(JSON.parse(JSON.stringify(report)))).toEqual([]);
});

test('its report in classic begins with the table as the seed has it, byte for byte', async () => {
  const { byName } = await loadFormats({ shipped: join(ROOT, 'reports'), plugins: join(ROOT, 'none') });
  for (const format of byName.values()) {
    const { text = '', html } = await renderReport(format, seedReport(), () => 'cid:x');
    expect([format.name, text.length > 0]).toEqual([format.name, true]);
    if (format.name === 'classic') expect(text.startsWith(`${readFileSync(SEED, 'utf8')}\n`)).toBe(true);
    if (format.name === 'classic') await expect(text).toMatchFileSnapshot(join(import.meta.dirname, 'seed', 'classic.txt'));
    if (html !== undefined) expect(html).toContain('All 6 trips came back in time');
  }
});
