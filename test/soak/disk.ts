// Disks that are full, have become read-only, or fail once: at any file operation of a run (made inside the process, so that every
// operation can be reached), and on a real small file system where root can mount one.
//
// A verdict is always printed, what could not be written is told with status 3, whoever is to be told of a dead MTA is told, and the next run on a sound disk is well: no row glued to another, nothing to repair by hand.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRound } from '../../lib/cli/round/round.ts';
import type { TripRecord } from '../../lib/model/record.ts';
import { openShop, type Shop } from '../cli/run.ts';
import { Chance, type Claim, type Order, type Outcome } from './claim.ts';
import { inspect } from './inspect.ts';
import { type Ended, type Mishap, Product } from './product.ts';
import { startReceiver } from './receiver.ts';

export const disk: Claim = {
  name: 'disk',
  promise: '4: a full, read-only or failing disk is told with status 3 beside the verdict, merges no rows, and needs no repair',
  unit: 'failures',
  short: 4,
  full: 150,
  run: failDisks,
};

const FAILURES = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'] as const;
const PATH = ['-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01', '-m', 'imap'];

async function failDisks({ n, seed, say }: Order): Promise<Outcome> {
  using product = new Product();
  const chance = new Chance(seed);
  const receiver = await startReceiver();
  const shop = await openShop({
    mtas: 1,
    mmps: 1,
    stores: 1,
    limits: { submitMs: 4000, deliverMs: 4000, fetchMs: 4000, slowMs: 30_000 },
  });
  shop.write('alarms.cfg', receiver.alarmsCfg);
  const failures: string[] = [];
  const figures = { 'told with status 3': 0, 'harmless, all was recorded': 0, 'dead MTA told of': '' };
  let broken = 0;
  let told = 0;
  try {
    const calls = await learn(product, shop);
    for (let done = 0; done < n; done += 1) {
      const state = stateLike(shop.state);
      const isBroken = done % 4 === 3;
      const fault = isBroken ? await shop.standin.breakIt('stopped', 'mta/ssmtp01') : undefined;
      // Each of them comes beside a dead MTA, too.
      const kind = FAILURES[(done + Math.floor(done / 4)) % FAILURES.length] as (typeof FAILURES)[number];
      const mishap: Mishap = { at: 1 + chance.below(calls.length), do: kind };
      const where = `${mishap.do} at ${mishap.at} (${calls[(mishap.at ?? 1) - 1]})${isBroken ? ', MTA down' : ''}`;
      const args = isBroken ? ['--all'] : PATH;
      receiver.told.length = 0;
      const ended = await product.run(isBroken ? 'check_rndtrip' : 'runmonitor', args, { config: shop.config, state, mishap });
      await fault?.mend();
      // Without a line in the ledger no message is sent, and nothing is known of the MTA.
      if (isBroken && /FAILED .*ssmtp01/.test(ended.out)) {
        broken += 1;
        if (receiver.told.some(body => body.includes('mta/ssmtp01'))) told += 1;
        else failures.push(`${where}: nobody was told of the MTA: ${text(ended)}`);
      }
      const condition = inspect(state);
      const isRecorded = condition.rows === condition.trips.size && condition.rows === 1 + (isBroken ? 2 : 1);
      if (ended.status === 3) figures['told with status 3'] += 1;
      else if (isRecorded) figures['harmless, all was recorded'] += 1;
      failures.push(...wrongIn(ended, isBroken, isRecorded).map(wrong => `${where}: ${wrong}: ${text(ended)}`));
      const after = await product.run('runmonitor', PATH, { config: shop.config, state });
      const sound = inspect(state);
      if (after.status !== 0) failures.push(`${where}: the next run on a sound disk: ${text(after)}`);
      for (const line of [...sound.merged, ...sound.unreadable]) failures.push(`${where}: ${line}`);
      if (sound.damaged > 2) failures.push(`${where}: ${sound.damaged} damaged lines`);
      rmSync(state, { recursive: true, force: true });
      say(`${done + 1} of ${n}`);
    }
    const real = await onRealDisk(product, shop);
    figures['dead MTA told of'] = `${told} of ${broken}`;
    return { n, failures: [...failures, ...real.failures], figures: { ...figures, ...real.figures } };
  } finally {
    receiver.stop();
    await shop.stop();
  }
}

/** A good run, to know its operations; it leaves a state that others begin with. */
async function learn(product: Product, shop: Shop): Promise<readonly string[]> {
  const count = join(shop.config, 'count');
  const first = await product.run('runmonitor', PATH, shop);
  if (first.status !== 0) throw new Error(`A first run ended with ${first.status}: ${text(first)}`);
  const copy = stateLike(shop.state);
  await product.run('runmonitor', PATH, { config: shop.config, state: copy, mishap: { count, do: 'EIO' } });
  rmSync(copy, { recursive: true, force: true });
  return JSON.parse(readFileSync(count, 'utf8')) as string[];
}

function wrongIn({ status, out, err }: Ended, isBroken: boolean, isRecorded: boolean): readonly string[] {
  const wrong: string[] = [];
  if (/fault of this program/.test(err)) wrong.push('an error that nobody foresaw');
  // A dead MTA is worse than an unwritten row.
  const isStatusRight = status === 3 || isRecorded || (isBroken && status === 2);
  if (!isStatusRight) wrong.push(`status ${status}, and not all was recorded`);
  if (!isRecorded && !/Cannot write/.test(err + out)) wrong.push('no word of what could not be written');
  if (!/^(OK|SLOW|FAILED|UNKNOWN) /m.test(out)) wrong.push('no verdict');
  if (isBroken && status !== 2 && status !== 3) wrong.push(`status ${status}`);
  return wrong;
}

/** A copy of a state folder, with locks of its own. */
function stateLike(state: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'healthmon-soak-'));
  cpSync(state, copy, { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(copy, 'lock'), { recursive: true });
  writeFileSync(join(copy, 'lock', 'place'), randomBytes(24).toString('hex'), { mode: 0o600 });
  return copy;
}

/** 64 KB that fill up, a remount that takes writing away, and both mended while this process goes on. */
async function onRealDisk(product: Product, shop: Shop): Promise<Pick<Outcome, 'failures' | 'figures'>> {
  const place = mkdtempSync(join(tmpdir(), 'healthmon-disk-'));
  const mount = (...options: string[]) => execFileSync('mount', [...options, place], { stdio: 'ignore' });
  try {
    mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs');
  } catch {
    rmSync(place, { recursive: true, force: true });
    return { failures: [], figures: { 'real file system': 'skipped: root only' } };
  }
  const failures: string[] = [];
  const unwritten: string[] = [];
  const walk = async (): Promise<TripRecord | undefined> => {
    unwritten.length = 0;
    const [record] = await makeRound([{ account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'imap' }], {
      by: 'check_rndtrip',
      site: shop.standin.site,
      state: place,
      signal: new AbortController().signal,
      onNotWritten: message => unwritten.push(message),
    });
    return record;
  };
  const expectWell = async (when: string) => {
    const record = await walk();
    if (record?.verdict.state !== 'ok' || unwritten.length > 0)
      failures.push(`${when}: ${record?.verdict.text} ${unwritten.join('; ')}`);
    const { merged, unreadable } = inspect(place);
    for (const line of [...merged, ...unreadable]) failures.push(`${when}: ${line}`);
  };
  const expectTold = async (when: string, why: RegExp) => {
    const ended = await product.run('runmonitor', PATH, { config: shop.config, state: place });
    failures.push(...wrongIn(ended, false, false).map(wrong => `${when}: ${wrong}: ${text(ended)}`));
    if (ended.status !== 3 || !why.test(ended.err + ended.out)) failures.push(`${when}: ${text(ended)}`);
    await walk();
    if (unwritten.length === 0) failures.push(`${when}: the same process said nothing`);
  };
  try {
    await expectWell('a sound disk');
    fill(join(place, 'filler'));
    await expectTold('a full disk', /ENOSPC|took only/);
    rmSync(join(place, 'filler'));
    await expectWell('after a full disk, without a restart');
    mount('-o', 'remount,ro');
    await expectTold('a read-only disk', /read-only/);
    mount('-o', 'remount,rw');
    await expectWell('after a read-only disk, without a restart');
    return { failures, figures: { 'real file system': 'full, read-only, mended' } };
  } finally {
    execFileSync('umount', [place], { stdio: 'ignore' });
    rmSync(place, { recursive: true, force: true });
  }
}

function fill(file: string): void {
  for (const bytes of [4096, 1]) {
    try {
      for (;;) appendFileSync(file, 'x'.repeat(bytes));
    } catch {
      if (!existsSync(file)) throw new Error(`Cannot fill ${file}`);
    }
  }
}

function text({ status, out, err }: Ended): string {
  return `status ${status}: ${(err + out).slice(0, 300).replace(/\s+/g, ' ')}`;
}
