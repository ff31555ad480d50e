// Many at once: sixteen starts in the same second on one state folder, of which one measures and the others say who does; and eight
// writers on one table and one journal.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localDay } from '../../lib/record/day.ts';
import { readJournal } from '../../lib/record/journal.ts';
import { parseSystest } from '../../lib/record/systest.ts';
import { bundled } from '../bundle.ts';
import { openShop } from '../cli/run.ts';
import type { Claim, Order, Outcome } from './claim.ts';
import { inspect } from './inspect.ts';
import { Product } from './product.ts';

const STARTS = 16;
const WRITERS = 8;
/** Rows of each writer, for each round of starts. */
const ROWS = 100;

export const together: Claim = {
  name: 'together',
  promise: '5: starts in the same second do not measure at once and are all recorded; writers on one table mix no lines',
  unit: `rounds of ${STARTS} starts`,
  short: 1,
  full: 20,
  run: startTogether,
};

async function startTogether({ n, say }: Order): Promise<Outcome> {
  using product = new Product();
  const shop = await openShop({
    mtas: 1,
    mmps: 1,
    stores: 1,
    limits: { submitMs: 10_000, deliverMs: 10_000, fetchMs: 10_000, slowMs: 30_000 },
  });
  const failures: string[] = [];
  const days = new Set<string>();
  let measured = 0;
  let skipped = 0;
  try {
    for (let round = 1; round <= n; round += 1) {
      const before = inspect(shop.state);
      days.add(localDay(Date.now()));
      const ended = await Promise.all(
        Array.from({ length: STARTS }, () => product.run('check_rndtrip', ['--all', '--json'], shop)),
      );
      const after = inspect(shop.state);
      const ran = ended.filter(({ status }) => status === 0).length;
      const refused = ended.filter(
        ({ status, err }) => status === 3 && /Another check_rndtrip \(process \d+\) is under way/.test(err),
      );
      measured += ran;
      skipped += refused.length;
      for (const { status, err, out } of ended)
        if (status !== 0 && status !== 3) failures.push(`a start ended with ${status}: ${err}${out.slice(0, 200)}`);
      if (ran < 1 || ran + refused.length !== STARTS)
        failures.push(`of ${STARTS} starts ${ran} measured, ${refused.length} said who does`);
      if (after.skips - before.skips !== refused.length)
        failures.push(`${refused.length} starts were refused, ${after.skips - before.skips} are in the journal`);
      for (const line of [...after.merged, ...after.unreadable]) failures.push(line);
      if (after.damaged > 0) failures.push(`${after.damaged} damaged lines`);
      say(`${round} of ${n}`);
    }
    days.add(localDay(Date.now()));
    const overlaps = overlapsIn(shop.state, [...days]);
    failures.push(...overlaps);
    const written = await write(n * ROWS);
    failures.push(...written.failures);
    return {
      n,
      failures,
      figures: {
        'runs that measured': measured,
        'starts that were refused, all recorded': skipped,
        'runs that overlapped': overlaps.length,
        [`rows of ${WRITERS} writers`]: written.rows,
        'mixed or missing': written.failures.length,
      },
    };
  } finally {
    await shop.stop();
  }
}

/** Trips of the same path cannot be of one run: where they overlap, two runs measured at once. */
function overlapsIn(state: string, days: readonly string[]): readonly string[] {
  const trips = days
    .flatMap(day => readJournal(state, day).records)
    .flatMap(record => (record.type === 'trip' ? [record.trip] : []))
    .sort((a, b) => a.startedAt - b.startedAt);
  const until = new Map<string, number>();
  return trips.flatMap(({ id, path, startedAt, tookMs }) => {
    const end = until.get(path.mailbox) ?? 0;
    until.set(path.mailbox, Math.max(end, startedAt + tookMs));
    return startedAt < end - 1 ? [`trip ${id} began ${end - startedAt} ms before the one of another run was over`] : [];
  });
}

async function write(count: number): Promise<{ rows: number; failures: string[] }> {
  const program = await bundled('test/record/writer.ts');
  const state = mkdtempSync(join(tmpdir(), 'healthmon-writers-'));
  const day = '2026-11-22';
  try {
    const writers: ChildProcess[] = Array.from({ length: WRITERS }, (_, number) =>
      spawn(process.execPath, [program, state, `w${number}`, String(count), day], { stdio: ['ignore', 'ignore', 'inherit'] }),
    );
    await Promise.all(writers.map(writer => new Promise(resolve => writer.once('close', resolve))));
    const { days, damaged } = parseSystest(readFileSync(join(state, `systest.log.${day}`), 'utf8'));
    const rows = days[0]?.rows ?? [];
    const journal = readJournal(state, day);
    const failures: string[] = [];
    if (damaged.length + journal.damaged > 0) failures.push(`${damaged.length} rows and ${journal.damaged} records are damaged`);
    if (rows.length !== WRITERS * count || journal.records.length !== WRITERS * count)
      failures.push(`${rows.length} rows and ${journal.records.length} records of ${WRITERS * count}`);
    return { rows: rows.length, failures };
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}
