// The report in the daemon: at its minute, at once when that was missed, and one at a time.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ReportSchedule, scheduleReports } from '../../lib/cli/report/later.ts';
import type { Site } from '../../lib/model/site.ts';
import { isOverdue, noteMade } from '../../lib/report/made.ts';
import { loadSite } from '../../lib/site/load.ts';
import { openShop } from '../cli/run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ZONE = process.env.TZ;
let place: string;
let site: Site;
let schedule: ReportSchedule | undefined;
let said: string[];

beforeEach(async () => {
  process.env.TZ = 'Europe/Berlin';
  place = mkdtempSync(join(tmpdir(), 'healthmon-schedule-'));
  mkdirSync(join(place, 'etc'));
  for (const name of ['site.cfg', 'sequence.cfg']) writeFileSync(join(place, 'etc', name), readFileSync(join(ROOT, 'etc', name)));
  const loaded = await loadSite(join(place, 'etc'), { secrets: false });
  if (loaded.site === undefined) throw new Error('etc/ has errors');
  site = loaded.site;
  said = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await schedule?.stop();
  schedule = undefined;
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
  rmSync(place, { recursive: true, force: true });
});

const local = (text: string) => new Date(text).getTime();

test.for([
  { what: 'nobody ever asked for a report', made: [], minute: 4, now: '2026-11-22T09:00', overdue: false },
  { what: 'yesterday has its report', made: ['2026-11-20', '2026-11-21'], minute: 4, now: '2026-11-22T09:00', overdue: false },
  { what: 'nobody was there at 00:04', made: ['2026-11-20'], minute: 4, now: '2026-11-22T00:07', overdue: true },
  { what: 'nobody was there for days', made: ['2026-11-02'], minute: 4, now: '2026-11-22T17:00', overdue: true },
  { what: 'its time has not come yet', made: ['2026-11-20'], minute: 9 * 60, now: '2026-11-22T08:59', overdue: false },
  { what: 'a report made now would be about today', made: ['2026-11-20'], minute: 4, now: '2026-11-22T23:45', overdue: false },
  { what: 'the one of 23:59 was missed', made: ['2026-11-20'], minute: 1439, now: '2026-11-22T00:10', overdue: true },
  {
    what: 'the one of 23:59 was made',
    made: ['2026-11-20', '2026-11-21'],
    minute: 1439,
    now: '2026-11-22T00:10',
    overdue: false,
  },
  { what: 'the clock left 02:30 out', made: ['2026-03-27'], minute: 150, now: '2026-03-29T03:31', overdue: true },
  { what: 'the first report is of a later day', made: ['2026-11-25'], minute: 4, now: '2026-11-22T09:00', overdue: false },
])('isOverdue() is $overdue when $what', ({ made, minute, now, overdue }) => {
  expect(isOverdue(made, minute, local(now))).toBe(overdue);
});

/** A program in the place of check_rndtrip: notes its arguments, and is there until `go` is. */
function recorder(waits = false): readonly [string, ...string[]] {
  const file = join(place, 'report.mjs');
  writeFileSync(
    file,
    `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
writeFileSync(${JSON.stringify(join(place, 'pid'))}, String(process.pid));
appendFileSync(${JSON.stringify(join(place, 'calls'))}, JSON.stringify(process.argv.slice(2)) + '\\n');
console.log('made');
${waits ? `while (!existsSync(${JSON.stringify(join(place, 'go'))})) await new Promise(resolve => setTimeout(resolve, 20));` : ''}`,
  );
  return [process.execPath, file];
}

const calls = () =>
  existsSync(join(place, 'calls'))
    ? readFileSync(join(place, 'calls'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((each): unknown => JSON.parse(each))
    : [];

async function scheduled(command = recorder()): Promise<void> {
  schedule = await scheduleReports(
    { config: join(place, 'etc'), state: join(place, 'var') },
    site,
    line => said.push(line),
    command,
  );
}

/** Real processes under a clock of ours: what they do comes when it comes. */
async function soon(poll: () => void, withinMs = 10_000): Promise<void> {
  const began = performance.now();
  for (;;) {
    try {
      poll();
      return;
    } catch (error) {
      if (performance.now() - began > withinMs) throw error;
    }
    await new Promise(resolve => setImmediate(resolve));
  }
}

function clockAt(text: string): void {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: local(text) });
}

test('the report is made at the time of alarms.cfg, by the command that cron would start', async () => {
  writeFileSync(join(place, 'etc', 'alarms.cfg'), '[report]\nat = "06:30"\n');
  clockAt('2026-11-22T06:29:58');
  await scheduled();
  expect(calls()).toEqual([]);
  await vi.advanceTimersByTimeAsync(3000);
  vi.useRealTimers();
  await soon(() => expect(said).toEqual(['made']));
  expect(calls()).toEqual([['-r', '--config', join(place, 'etc'), '--state', join(place, 'var')]]);
});

test('a new time holds once the config is read again', async () => {
  clockAt('2026-11-22T06:29:50');
  await scheduled();
  writeFileSync(join(place, 'etc', 'alarms.cfg'), '[report]\nat = "06:30"\n');
  await schedule?.renew(site);
  await vi.advanceTimersByTimeAsync(12_000);
  vi.useRealTimers();
  await soon(() => expect(calls()).toHaveLength(1));
});

test('a report that was missed is made at once, and not twice at a time', async () => {
  noteMade(join(place, 'var'), { id: '2026-11-20', madeAt: 1, format: 'daily' });
  clockAt('2026-11-22T00:03:58');
  // The daemon starts before the time of the report; the last one is of the day before yesterday.
  await scheduled(recorder(true));
  await vi.advanceTimersByTimeAsync(3000);
  await soon(() => expect(calls()).toHaveLength(1));
  // At 00:07 it is looked whether a report is missing: there is one, and it is being made.
  await vi.advanceTimersByTimeAsync(4 * 60_000);
  await expect(soon(() => expect(calls()).toHaveLength(2), 400)).rejects.toThrow();
  writeFileSync(join(place, 'go'), '');
});

test('stopping ends a report that is being made, and waits for it', async () => {
  noteMade(join(place, 'var'), { id: '2000-01-01', madeAt: 1, format: 'daily' });
  clockAt('2026-11-22T09:00:00');
  await scheduled(recorder(true));
  vi.useRealTimers();
  await soon(() => expect(calls()).toHaveLength(1));
  await schedule?.stop();
  const pid = Number(readFileSync(join(place, 'pid'), 'utf8'));
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('what is wrong with [report], and a program that is not there, are said', async () => {
  writeFileSync(join(place, 'etc', 'alarms.cfg'), '[report]\nat = "26:30"\n');
  noteMade(join(place, 'var'), { id: '2000-01-01', madeAt: 1, format: 'daily' });
  clockAt('2026-11-22T09:00:00');
  await scheduled(['/no/such/program']);
  vi.useRealTimers();
  await soon(() => expect(said).toContain('Cannot make the report: spawn /no/such/program ENOENT'));
  expect(said[0]).toMatch(/alarms\.cfg:2: 'at' in \[report\] must be a time of day/);
});

test('a daemon that starts late makes the report that it missed', { timeout: 30_000 }, async () => {
  const shop = await openShop();
  noteMade(shop.state, { id: '2000-01-01', madeAt: 1, format: 'daily' });
  const daemon = shop.start('check_rndtrip', '--daemon');
  try {
    await expect.poll(daemon.said, { timeout: 20_000 }).toMatch(/kept in .*report\/\d{4}/);
    await expect.poll(daemon.said, { timeout: 20_000 }).toContain('names nobody: it is mailed to nobody');
  } finally {
    daemon.child.kill('SIGTERM');
    const { status } = await daemon.ended;
    await shop.stop();
    expect(status).toBe(0);
  }
});
