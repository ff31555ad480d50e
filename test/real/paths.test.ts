// The main job on real servers, by the commands as cron and people start them: every path over every door where mail can be handed
// in, the daemon in its own minute, and the longer look at a real Postfix that waits for its filter.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TripRecord } from '../../lib/model/record.ts';
import { pathText } from '../../lib/model/trip.ts';
import { localDay } from '../../lib/record/day.ts';
import { readJournal } from '../../lib/record/journal.ts';
import { parseSystest } from '../../lib/record/systest.ts';
import { startCommand } from '../cli/run.ts';
import { type Lab, startLab } from '../lab/lab.ts';

let lab: Lab;
const places: string[] = [];
beforeAll(async () => {
  lab = await startLab({ net: 'free' });
});
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  for (const place of places) rmSync(place, { recursive: true, force: true });
});

interface Watch {
  readonly etc: string;
  readonly state: string;
  readonly env: Readonly<Record<string, string>>;
}

function watch(options: Parameters<Lab['etc']>[1]): Watch {
  const place = mkdtempSync(join(tmpdir(), 'healthmon-paths-'));
  places.push(place);
  const [etc, state] = [join(place, 'etc'), join(place, 'var')];
  lab.etc(etc, options);
  return { etc, state, env: { HEALTHMON_CONFIG: etc, HEALTHMON_STATE: state } };
}

function journal({ state }: Watch) {
  return readJournal(state, localDay(Date.now())).records;
}

test.each([25, 465, 587] as const)('every store, MTA, MMP and protocol is green over port %i', async submission => {
  const mine = watch({ submission });
  const { status, out, err } = await startCommand('check_rndtrip', ['--all', '--json'], mine.env).ended;
  const records: TripRecord[] = out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(records.filter(({ verdict }) => verdict.state !== 'ok').map(({ verdict }) => verdict.text)).toEqual([]);
  expect([status, err]).toEqual([0, '']);
  expect(new Set(records.map(({ trip }) => pathText(trip.path))).size).toBe(16);
  for (const { trip } of records) {
    expect(trip.arrival.outcome).toBe('seen');
    expect(trip.hops.length).toBeGreaterThan(0);
  }
  const rows = parseSystest(readFileSync(join(mine.state, 'systest.log'), 'utf8')).days.flatMap(day => day.rows);
  expect(rows.map(({ error, totalMs }) => [error, typeof totalMs])).toEqual(Array(16).fill(['', 'number']));
});

test.concurrent('the daemon walks what is due in its minute, and ends at SIGTERM', { timeout: 120_000 }, async () => {
  const mine = watch({ site: { interval: 1 } });
  const each = Array.from({ length: 60 }, (_, minute) => `${minute} DMSG -u ims1 -s ssmtp01 -p smux01 -m imap`);
  writeFileSync(join(mine.etc, 'sequence.cfg'), `${each.join('\n')}\n`);
  const began = Date.now();
  const daemon = startCommand('check_rndtrip', ['--daemon'], mine.env);
  await Promise.race([
    expect.poll(() => trips(mine).length, { timeout: 75_000, interval: 250 }).toBeGreaterThan(0),
    daemon.ended.then(({ err }) => expect.fail(err)),
  ]);
  daemon.child.kill('SIGTERM');
  const { status } = await daemon.ended;
  expect(status).toBe(0);
  const [trip] = trips(mine);
  expect(trip?.verdict).toMatchObject({ state: 'ok' });
  expect(trip?.by).toBe('daemon');
  expect(new Date(trip?.trip.startedAt ?? 0).getSeconds()).toBeLessThan(5);
  expect(trip?.trip.startedAt).toBeGreaterThanOrEqual(began);
  expect(journal(mine).filter(({ type }) => type === 'monitor').length).toBeGreaterThanOrEqual(2);
});

test.concurrent('a Postfix that greets after 30 s waits for a filter: learned after the alarm, and told with the place to look', {
  timeout: 120_000,
}, async () => {
  const mine = watch({ site: { submit: 6, fetch: 6, isolate: 5 } });
  const file = join(mine.etc, 'site.cfg');
  const withoutFilter = readFileSync(file, 'utf8').replace(/\[filter\.(?:.+\n)+/g, '');
  expect(withoutFilter).not.toContain('8891');
  writeFileSync(file, withoutFilter);
  writeFileSync(join(mine.etc, 'sequence.cfg'), '0 DMSG -u ims1 -s ssmtp02 -p smux01 -m imap\n');
  const fault = await lab.fault('filter-frozen-accept', 'filter/dkim');
  try {
    const { status, out, err } = await startCommand('check_rndtrip', ['--all'], mine.env).ended;
    expect(status, err).toBe(2);
    expect(out).toMatch(/After a longer look: mta\/ssmtp02 smtp banner/);
  } finally {
    await fault.off();
  }
  const again = journal(mine).find(record => record.type === 'verdict');
  expect(again).toMatchObject({ verdict: { suspects: [{ component: 'mta/ssmtp02', phase: 'banner', confidence: 'likely' }] } });
  expect(JSON.stringify(again)).toMatch(/milter_connect_timeout\): see its smtpd_milters/);
  const [trip] = trips(mine);
  const { out } = await startCommand('healthmon', ['explain', trip?.trip.id ?? ''], mine.env).ended;
  expect(out).toMatch(/weighed again at/);
  expect(out).toMatch(/later, mta\/ssmtp02 smtp: it answers \(banner\) after 30\.\d s/);
});

function trips(mine: Watch): readonly TripRecord[] {
  return journal(mine).filter(record => record.type === 'trip');
}
