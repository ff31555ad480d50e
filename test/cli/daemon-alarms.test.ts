// The daemon and its alarms over minutes that the test turns: what is told survives a restart, and an ack from another process holds.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { peek } from '../../lib/alarm/send/outbox.ts';
import { journalDays, readJournal } from '../../lib/record/journal.ts';
import { type Receiver, startReceiver } from '../alarm/receiver.ts';
import { openShop, type Shop, type Started, startCommand } from './run.ts';

const DAY_MS = 24 * 3_600_000;
const PATIENCE = { timeout: 20_000, interval: 10 };

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ mtas: 1, mmps: 1, stores: 1 });
});
afterAll(() => shop.stop());

/** The daemon, with a clock that stands until a minute is turned. */
class Minutes {
  readonly #folder = mkdtempSync(join(tmpdir(), 'healthmon-minutes-'));
  readonly #file = join(this.#folder, 'now');
  #daemon: Started | undefined;

  constructor() {
    // In the middle of a minute, so that the first turn is a whole one like the others.
    writeFileSync(this.#file, String(Math.floor(Date.now() / 60_000) * 60_000 + 30_000));
  }

  /** A command at the daemon's time. */
  run(command: string, ...args: string[]): Started {
    return startCommand(command, args, {
      HEALTHMON_CONFIG: shop.config,
      HEALTHMON_STATE: shop.state,
      MINUTES: this.#file,
      NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'minutes.mjs')).href}`,
    });
  }

  async start(): Promise<void> {
    this.#daemon = this.run('check_rndtrip', '--daemon');
    await expect.poll(this.#daemon.said, PATIENCE).toContain('"msg":"started"');
  }

  async stop(): Promise<void> {
    this.#daemon?.child.kill('SIGTERM');
    expect((await this.#daemon?.ended)?.status).toBe(0);
    this.#daemon = undefined;
  }

  /** The next minute, until its trip has been measured and the alarms have counted it and sent what is to be sent. */
  async turn(): Promise<void> {
    const known = trips();
    this.#daemon?.child.kill('SIGUSR2');
    await expect.poll(trips, PATIENCE).toBe(known + 1);
    await expect
      .poll(() => {
        const { counted, messages } = peek(shop.state, DAY_MS);
        return [counted.length, messages.length];
      }, PATIENCE)
      .toEqual([known + 1, 0]);
  }

  end(): void {
    this.#daemon?.child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function trips(): number {
  return journalDays(shop.state)
    .flatMap(day => readJournal(shop.state, day).records)
    .filter(({ type }) => type === 'trip').length;
}

function told({ got }: Receiver): string[] {
  return got.map(({ url, body }) => `${url.slice(1)} ${(JSON.parse(body) as { headline: string }).headline.split(' ')[0]}`);
}

test('the daemon tells of a broken MMP, not again after a restart, and of its end; an ack from another process stops reminders and escalation', async () => {
  const receiver = await startReceiver();
  const to = (name: string) =>
    `[webhook.${name}]\nurl = "${receiver.url}/${name}"\naccept_dependence = "all of it is on one machine"\n`;
  shop.write(
    'alarms.cfg',
    `[alarms]\nremind = 2\nremind_most = 2\n${to('oncall')}${to('boss')}[notify.oncall]\nchannels = ["oncall"]\n[notify.boss]\nchannels = ["boss"]\nafter = 5\nreminders = false\n`,
  );
  const site = readFileSync(join(shop.config, 'site.cfg'), 'utf8').replace(/^interval = .*\n/m, '');
  shop.write('site.cfg', site.replace('[site]', '[site]\ninterval = 1'));
  const every = Array.from({ length: 60 }, (_, n) => `${String(n).padStart(2, '0')} DMSG -u ims1 -s ssmtp01 -p smux01 -m pop3`);
  shop.write('sequence.cfg', `${every.join('\n')}\n`);
  const minutes = new Minutes();
  try {
    await minutes.start();
    await minutes.turn();
    const broken = await shop.standin.breakIt('stopped', 'mmp/smux01 pop3');
    await minutes.turn();
    expect(told(receiver)).toEqual(['oncall FAILED']);
    await minutes.stop();
    await minutes.start();
    await minutes.turn();
    expect(told(receiver)).toEqual(['oncall FAILED']);
    // Nobody takes it on: a reminder.
    for (let minute = 0; minute < 2; minute += 1) await minutes.turn();
    expect(told(receiver)).toEqual(['oncall FAILED', 'oncall STILL']);
    const { status, out } = await minutes.run('healthmon', 'ack', '1', '--by', 'jo').ended;
    expect([status, out]).toEqual([0, expect.stringContaining('taken on by jo')]);
    // Two more would have come by now, and the boss would have been told.
    for (let minute = 0; minute < 5; minute += 1) await minutes.turn();
    expect(told(receiver)).toEqual(['oncall FAILED', 'oncall STILL']);
    await minutes.stop();
    await broken.mend();
    await minutes.start();
    for (let minute = 0; minute < 2; minute += 1) await minutes.turn();
    expect(told(receiver)).toEqual(['oncall FAILED', 'oncall STILL', 'oncall CLEARED']);
    await minutes.stop();
  } finally {
    minutes.end();
  }
}, 120_000);
