// No false verdict: hundreds of trips on a healthy site while both processors are busy with something else, and each is `ok`.
// TRIPS=2000 is the full form.

import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import type { Path } from '../../lib/model/trip.ts';
import { openWorld } from '../story/world.ts';

const TRIPS = Number(process.env.TRIPS ?? 200);

test(`${TRIPS} healthy trips under load give ${TRIPS} ok`, { timeout: 900_000 }, async () => {
  const world = await openWorld({ limits: { submitMs: 30_000, deliverMs: 60_000, fetchMs: 30_000, slowMs: 10_000 } });
  const busy = [1, 2].map(() => spawn(process.execPath, ['-e', 'for (;;) Math.sqrt(Math.random())'], { stdio: 'ignore' }));
  try {
    const all = world.standin.paths.filter(({ account }) => account !== 'sender');
    const bad: string[] = [];
    for (let done = 0; done < TRIPS; done += 100) {
      const paths: Path[] = Array.from({ length: 100 }, (_, n) => all[(done + n) % all.length] as Path);
      const records = await world.walk(paths);
      bad.push(
        ...records
          .filter(({ verdict, trip }) => verdict.state !== 'ok' || trip.findings.length > 0)
          .map(({ verdict, trip }) => `${verdict.text} ${trip.findings.map(({ text }) => text).join(' ')}`),
      );
    }
    expect(bad).toEqual([]);
    expect(world.mails('ims1')).toEqual([]);
    expect(world.standin.problems).toEqual([]);
  } finally {
    for (const each of busy) each.kill('SIGKILL');
    await world.stop();
  }
});
