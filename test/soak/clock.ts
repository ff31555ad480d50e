// Clocks that are set while a message is under way, by a second, three hours, forty days and back to 1970; and the nights in which the
// hour changes, in four zones (Santiago changes at midnight, Lord Howe by half an hour), with a run every half hour.
//
// No time is negative or absurd, a clock that was set is said, nobody is alarmed, every row is in the file of its own day, and the
// reports of the days have every trip once.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TripRecord } from '../../lib/model/record.ts';
import { parseSystest } from '../../lib/record/systest.ts';
import { openShop, type Shop } from '../cli/run.ts';
import type { Claim, Order, Outcome } from './claim.ts';
import { type Clock, fakeClock } from './faketime.ts';
import { inspect } from './inspect.ts';
import { type Ended, Product } from './product.ts';
import { startReceiver } from './receiver.ts';

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const TO_1970 = -Math.floor(Date.UTC(2026, 10, 22) / 1000);
const JUMPS: readonly number[] = [3 * HOUR_S, -40 * DAY_S, 1, -1, -3 * HOUR_S, 40 * DAY_S, TO_1970];
/** Each changes twice a year. */
const ZONES = ['Europe/Berlin', 'America/Santiago', 'America/New_York', 'Australia/Lord_Howe'] as const;
/** Every half hour from three hours before the change until three after it. */
const PER_NIGHT = 12;
const STEP_S = HOUR_S / 2;
const ABSURD_MS = 30_000;

export const clock: Claim = {
  name: 'clock',
  promise: '11: a clock that is set, or changes its hour, makes no time absurd, no row strange, and no alarm',
  unit: 'runs',
  short: 10,
  full: JUMPS.length * 6 + ZONES.length * 2 * PER_NIGHT,
  run: setClocks,
};

async function setClocks({ n, say }: Order): Promise<Outcome> {
  using product = new Product();
  const isFull = n >= clock.full;
  const faked = fakeClock(isFull);
  const receiver = await startReceiver();
  const shop = await openShop({
    mtas: 1,
    mmps: 1,
    stores: 1,
    limits: { submitMs: 8000, deliverMs: 8000, fetchMs: 8000, slowMs: 30_000 },
  });
  shop.write('alarms.cfg', receiver.alarmsCfg);
  const place = mkdtempSync(join(tmpdir(), 'healthmon-clock-'));
  const bench = new Bench(product, shop, faked, place);
  try {
    const jumps = isFull ? JUMPS : JUMPS.slice(0, 1);
    for (const jump of jumps) {
      for (const mailbox of ['imap', 'pop3'] as const) await bench.jump(jump, mailbox);
      say(`set by ${jump} s`);
    }
    const zones = isFull ? ZONES : ZONES.slice(0, 1);
    const nights = zones.flatMap(zone => changesIn(zone).map(changeAt => ({ zone, changeAt }))).slice(0, isFull ? undefined : 1);
    for (const { zone, changeAt } of nights) {
      await bench.night(zone, changeAt, isFull ? PER_NIGHT : 2);
      say(`${zone}, ${new Date(changeAt * 1000).toISOString()}`);
    }
    if (receiver.told.length > 0) bench.failures.push(`${receiver.told.length} alarms: ${receiver.told[0]?.slice(0, 200)}`);
    return {
      n: bench.runs,
      failures: bench.failures,
      figures: {
        by: faked.by,
        'clocks set in mid-trip': jumps.length * 2,
        'nights, zones': `${nights.length}, ${zones.length}`,
        'longest time of a trip, ms': Math.round(bench.longestMs),
        alarms: receiver.told.length,
      },
    };
  } finally {
    receiver.stop();
    await shop.stop();
    rmSync(place, { recursive: true, force: true });
  }
}

class Bench {
  readonly failures: string[] = [];
  runs = 0;
  longestMs = 0;
  readonly #product: Product;
  readonly #shop: Shop;
  readonly #clock: Clock;
  readonly #place: string;
  readonly #file: string;
  #states = 0;

  constructor(product: Product, shop: Shop, faked: Clock, place: string) {
    this.#product = product;
    this.#shop = shop;
    this.#clock = faked;
    this.#place = place;
    this.#file = join(place, 'clock');
  }

  /** The clock is set in the moment in which the message is filed; then a run by the new clock, and one by the old, a little later. */
  async jump(seconds: number, mailbox: 'imap' | 'pop3'): Promise<void> {
    const what = `set by ${seconds} s, ${mailbox}`;
    const state = this.#freshState();
    const inbox = this.#shop.standin.stores.get('ims1')?.mailbox('ims1');
    if (inbox === undefined) throw new Error('no inbox');
    const append = inbox.append.bind(inbox);
    this.#set(0);
    inbox.append = (raw, options) => {
      this.#set(seconds);
      return append(raw, options);
    };
    const first = await this.#trip(state, mailbox);
    inbox.append = append;
    this.#judge(`${what}, the trip`, first);
    const found = recordOf(first)?.trip.findings.some(({ what }) => what === 'clock') ?? false;
    if (Math.abs(seconds) > 1 && !found) this.failures.push(`${what}: it is not said that the clock was set`);
    this.#judge(`${what}, the next`, await this.#trip(state, mailbox));
    this.#set(300);
    const last = await this.#trip(state, mailbox);
    if (last.status !== 0) this.failures.push(`${what}, set back: ${text(last)}`);
    const left = inbox.messages.length;
    if (left > 0) this.failures.push(`${what}: ${left} messages of ours are left`);
    const { damaged, merged, unreadable } = inspect(state);
    if (damaged > 0) this.failures.push(`${what}: ${damaged} damaged lines`);
    this.failures.push(...merged, ...unreadable);
  }

  async night(zone: string, changeAt: number, count: number): Promise<void> {
    const state = this.#freshState();
    const expected = new Map<string, string[]>();
    for (let n = 0; n < count; n += 1) {
      const at = changeAt + (n - count / 2) * STEP_S + 60;
      this.#setTo(at);
      const ended = await this.#run(state, 'check_rndtrip', ['--all', '--json'], { TZ: zone });
      if (ended.status !== 0) this.failures.push(`${zone} at ${at}: ${text(ended)}`);
      const { day, time } = localOf(zone, at);
      expected.set(day, [...(expected.get(day) ?? []), time]);
    }
    for (const [day, times] of expected) {
      const file = join(state, `systest.log.${day}`);
      const read = parseSystest(existsSync(file) ? readFileSync(file, 'utf8') : '');
      // Two paths to a run; minutes are enough, a run takes a moment to start.
      const rows = (read.days[0]?.rows ?? []).map(row => row.time.slice(0, 5)).filter((_, index) => index % 2 === 0);
      if (rows.join() !== times.join() || read.days[0]?.day !== day || read.damaged.length > 0)
        this.failures.push(`${zone}, ${day}: rows at ${rows.join(' ')}, runs at ${times.join(' ')}`);
      this.#setTo(changeAt + 3 * DAY_S);
      const report = await this.#run(state, 'check_rndtrip', ['-r', '--day', day, '--print', '--format', 'csv'], { TZ: zone });
      const trips = report.out.split('\n').filter(line => line.includes('ssmtp01')).length;
      if (trips !== 2 * times.length)
        this.failures.push(`${zone}, ${day}: ${trips} trips in the report, ${2 * times.length} were made`);
    }
    const others = readdirSync(state).filter(name => /^systest\.log\.\d/.test(name) && !expected.has(name.slice(-10)));
    if (others.length > 0) this.failures.push(`${zone}: rows in ${others.join(' ')}`);
  }

  /** Whatever the clock says, times are true, and the mail site is not to blame. */
  #judge(what: string, ended: Ended): void {
    const record = recordOf(ended);
    if (record === undefined || (ended.status !== 0 && record.verdict.state !== 'unknown')) {
      this.failures.push(`${what}: ${record?.verdict.text ?? text(ended)}`);
      return;
    }
    const { trip } = record;
    const spans = [
      trip.tookMs,
      trip.totalMs ?? 0,
      ...trip.legs.map(({ tookMs }) => tookMs),
      ...trip.hops.map(({ delayMs }) => delayMs ?? 0),
      ...(trip.arrival.outcome === 'seen' ? [trip.arrival.afterMs, trip.arrival.byMs] : []),
    ];
    this.longestMs = Math.max(this.longestMs, trip.tookMs);
    const absurd = spans.filter(ms => ms < 0 || ms > ABSURD_MS);
    if (absurd.length > 0) this.failures.push(`${what}: ${absurd.join(' ')} ms`);
  }

  #trip(state: string, mailbox: 'imap' | 'pop3'): Promise<Ended> {
    return this.#run(state, 'runmonitor', ['-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01', '-m', mailbox, '--json']);
  }

  #run(state: string, command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const { env: fakedEnv, ...options } = this.#clock.options(this.#file);
    this.runs += 1;
    return this.#product.run(command, args, {
      config: this.#shop.config,
      state,
      ...options,
      env: { TZ: 'UTC', ...fakedEnv, ...env },
    });
  }

  #freshState(): string {
    this.#states += 1;
    return join(this.#place, `var${this.#states}`);
  }

  #set(seconds: number): void {
    writeFileSync(this.#file, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  }

  /** @param at epoch seconds */
  #setTo(at: number): void {
    this.#set(at - Math.floor(Date.now() / 1000));
  }
}

function recordOf({ out }: Ended): TripRecord | undefined {
  try {
    return JSON.parse(out) as TripRecord;
  } catch {
    return undefined;
  }
}

/** When the hour changes in the year that begins, epoch seconds. Certificates of the embedded site are good for so long. */
function changesIn(zone: string): readonly number[] {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  const offset = (at: number) => format.formatToParts(at * 1000).find(({ type }) => type === 'timeZoneName')?.value;
  const now = Math.floor(Date.now() / (1000 * HOUR_S)) * HOUR_S;
  const changes: number[] = [];
  for (let day = now; day < now + 363 * DAY_S; day += DAY_S) {
    if (offset(day) === offset(day + DAY_S)) continue;
    let at = day;
    while (offset(at) === offset(day)) at += STEP_S;
    changes.push(at);
  }
  return changes;
}

function localOf(zone: string, at: number): { readonly day: string; readonly time: string } {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(at * 1000);
  const [day = '', time = ''] = parts.split(' ');
  return { day, time };
}

function text({ status, out, err }: Ended): string {
  return `status ${status}: ${(err + out).slice(0, 300).replace(/\s+/g, ' ')}`;
}
