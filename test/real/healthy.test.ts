// No false verdict: hundreds of trips on a healthy site while both processors are busy with something else, and each is `ok`; on the
// embedded site and on the real servers. TRIPS=2000 is the full form.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeRound } from '../../lib/cli/round/round.ts';
import type { TripRecord } from '../../lib/model/record.ts';
import type { Path } from '../../lib/model/trip.ts';
import { allPaths } from '../../lib/plan/due.ts';
import { loadSite } from '../../lib/site/load.ts';
import { startLab } from '../lab/lab.ts';
import { openWorld } from '../story/world.ts';

const TRIPS = Number(process.env.TRIPS ?? 200);
const REAL_TRIPS = Number(process.env.TRIPS ?? 32);
/** Seconds, and ms for slow: a machine with no time left is slow, and that is not the mail site's fault. */
const PATIENT = { submit: 30, fetch: 30, deliver: 60, slow: 10_000 };

let busy: readonly ReturnType<typeof spawn>[] = [];
beforeEach(() => {
  busy = [1, 2].map(() => spawn(process.execPath, ['-e', 'for (;;) Math.sqrt(Math.random())'], { stdio: 'ignore' }));
});
afterEach(() => {
  for (const each of busy) each.kill('SIGKILL');
});

/** What is not plainly well, in words. */
function complaints(records: readonly TripRecord[]): readonly string[] {
  return records
    .filter(({ verdict, trip }) => verdict.state !== 'ok' || trip.findings.length > 0)
    .map(({ verdict, trip }) => `${verdict.text} ${trip.findings.map(({ text }) => text).join(' ')}`);
}

/** Rounds of at most a hundred, over all paths in turn. */
async function walkAll(trips: number, paths: readonly Path[], walk: (paths: readonly Path[]) => Promise<readonly TripRecord[]>) {
  const bad: string[] = [];
  let made = 0;
  while (made < trips) {
    const next = Array.from({ length: Math.min(100, trips - made) }, (_, n) => paths[(made + n) % paths.length] as Path);
    const records = await walk(next);
    made += records.length;
    bad.push(...complaints(records));
    if (records.length !== next.length) throw new Error(`${next.length} trips were asked for and ${records.length} made`);
  }
  return bad;
}

test(`${TRIPS} healthy trips under load give ${TRIPS} ok`, { timeout: 900_000 }, async () => {
  const world = await openWorld({
    limits: {
      submitMs: PATIENT.submit * 1000,
      deliverMs: PATIENT.deliver * 1000,
      fetchMs: PATIENT.fetch * 1000,
      slowMs: PATIENT.slow,
    },
  });
  try {
    const paths = world.standin.paths.filter(({ account }) => account !== 'sender');
    expect(await walkAll(TRIPS, paths, each => world.walk(each))).toEqual([]);
    expect(world.mails('ims1')).toEqual([]);
    expect(world.standin.problems).toEqual([]);
  } finally {
    await world.stop();
  }
});

test(`${REAL_TRIPS} healthy trips on the real servers under load give ${REAL_TRIPS} ok`, { timeout: 1_800_000 }, async () => {
  await using lab = await startLab({ net: 'free' });
  const place = mkdtempSync(join(tmpdir(), 'healthmon-healthy-'));
  try {
    lab.etc(join(place, 'etc'), { site: PATIENT });
    const { site, sequence, problems } = await loadSite(join(place, 'etc'), { secrets: true });
    if (site === undefined || sequence === undefined) throw new Error(JSON.stringify(problems));
    const walk = (paths: readonly Path[]) =>
      makeRound(paths, { by: 'check_rndtrip', site, state: join(place, 'var'), signal: new AbortController().signal });
    expect(await walkAll(REAL_TRIPS, allPaths(sequence), walk)).toEqual([]);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});
