// kill -9 at random points of whole rounds: half of them before or in the middle of a file operation or a socket write chosen by
// number, half at a moment. Runs follow each other as cron's do, five minutes apart (their clocks are moved), each in the state that
// the one before has left. Some rounds meet a broken MTA, so that isolation and alarms are killed as well.
//
// After each kill the state is read; after each dozen a round that is left alone must be well, and must find and remove all that the
// killed ones left in the mailbox, and nothing else.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openShop, type Shop } from '../cli/run.ts';
import { foreign } from '../story/world.ts';
import { Chance, type Claim, type Order, type Outcome } from './claim.ts';
import { inspect } from './inspect.ts';
import { type Ended, type Mishap, Product } from './product.ts';
import { type Receiver, startReceiver } from './receiver.ts';

/** Runs at once, each with a site of its own. */
const LANES = 2;
const BATCH = 12;
const EVERY_S = 300;

export const kills: Claim = {
  name: 'kills',
  promise: '2: a kill at any point leaves a state that is whole, and nothing of ours in the mailbox after the next run',
  unit: 'kills',
  short: 15,
  full: 1000,
  run: killRounds,
};

async function killRounds({ n, seed, say }: Order): Promise<Outcome> {
  using product = new Product();
  const lanes = await Promise.all(
    Array.from({ length: n > 50 ? LANES : 1 }, (_, lane) => Lane.open(product, new Chance(seed + lane))),
  );
  try {
    let started = 0;
    await Promise.all(
      lanes.map(async lane => {
        await lane.learn();
        while (started < n) {
          const count = Math.min(BATCH, n - started);
          started += count;
          await lane.batch(count);
          say(`${lanes.reduce((sum, { killed }) => sum + killed, 0)} of ${n} kills`);
        }
        await lane.tidy();
      }),
    );
    const total = (figure: (lane: Lane) => number) => lanes.reduce((sum, lane) => sum + figure(lane), 0);
    const failures = lanes.flatMap(lane => lane.failures);
    return {
      n: total(({ killed }) => killed),
      failures,
      figures: {
        'ended before the kill': total(({ escaped }) => escaped),
        'rows and records cut short': total(({ damaged }) => damaged),
        'left-overs cleaned by the next run': `${total(({ cleaned }) => cleaned)} of ${total(({ left }) => left)}`,
        'trips told and not recorded': total(({ missing }) => missing),
        'alarms raised / expected': `${total(({ raised }) => raised)} / ${total(({ broken }) => broken)}`,
      },
    };
  } finally {
    for (const lane of lanes) await lane.close();
  }
}

class Lane {
  readonly failures: string[] = [];
  killed = 0;
  escaped = 0;
  damaged = 0;
  left = 0;
  cleaned = 0;
  missing = 0;
  broken = 0;
  raised = 0;
  readonly #product: Product;
  readonly #shop: Shop;
  readonly #chance: Chance;
  readonly #clock: string;
  readonly #receiver: Receiver;
  #now = 0;
  #calls: readonly string[] = [];
  readonly #lying = new Set<string>();
  #tookMs = 0;
  #batches = 0;
  #acknowledged = new Set<string>();

  private constructor(product: Product, chance: Chance, shop: Shop, receiver: Receiver) {
    this.#product = product;
    this.#chance = chance;
    this.#shop = shop;
    this.#receiver = receiver;
    this.#clock = join(mkdtempSync(join(tmpdir(), 'healthmon-clock-')), 'clock');
  }

  static async open(product: Product, chance: Chance): Promise<Lane> {
    const shop = await openShop({
      mtas: 1,
      mmps: 1,
      stores: 1,
      limits: { submitMs: 4000, deliverMs: 4000, fetchMs: 4000, slowMs: 30_000 },
    });
    const receiver = await startReceiver();
    shop.write('alarms.cfg', receiver.alarmsCfg);
    const inbox = shop.standin.stores.get('ims1')?.mailbox('ims1');
    for (let number = 0; number < 4; number += 1) inbox?.append(foreign(`letter ${number}`));
    inbox?.append(foreign('about a test', 'X-Healthmon-Token: v1.0mbcdefgh0123456789a.1790000000.forged\r\n'));
    return new Lane(product, chance, shop, receiver);
  }

  /** Two hours later, what killed processes have left beside their files is gone. */
  async tidy(): Promise<void> {
    this.#now += 7200;
    await this.#round({});
    const { litter } = this.#look('in the end');
    if (litter.length > 0) this.failures.push(`left beside: ${litter.join(' ')}`);
  }

  async close(): Promise<void> {
    this.#receiver.stop();
    rmSync(join(this.#clock, '..'), { recursive: true, force: true });
    await this.#shop.stop();
  }

  /** A round that is left alone, to know its operations and how long it takes; not the first one, which makes the files. */
  async learn(): Promise<void> {
    const count = `${this.#clock}.count`;
    await this.#round({});
    const ended = await this.#round({ count });
    if (ended.status !== 0) throw new Error(`A first round ended with ${ended.status}: ${ended.err}${ended.out}`);
    this.#calls = JSON.parse(readFileSync(count, 'utf8')) as string[];
    this.#tookMs = ended.tookMs;
  }

  async batch(count: number): Promise<void> {
    this.#batches += 1;
    const isBroken = this.#batches % 4 === 3;
    const fault = isBroken ? await this.#shop.standin.breakIt('stopped', 'mta/ssmtp01') : undefined;
    for (let n = 0; n < count; n += 1) await this.#kill();
    if (isBroken) {
      this.broken += 1;
      const before = this.#receiver.told.length;
      for (let n = 0; n < 2; n += 1) await this.#round({});
      // Told in this batch, by one of the killed runs or by those that were left alone.
      if (this.#receiver.told.some(body => body.includes('mta/ssmtp01'))) this.raised += 1;
      else this.failures.push(`an MTA was down for ${count} killed and 2 whole rounds, and nobody was told (${before} letters)`);
    }
    await fault?.mend();
    this.#receiver.told.length = 0;
    await this.#settle(count);
  }

  async #kill(): Promise<void> {
    const byCall = this.#chance.next() < 0.7;
    const mishap = byCall ? this.#mishap() : {};
    this.#tick();
    const launched = this.#product.launch('check_rndtrip', ['--all', '--json'], this.#options(mishap));
    const timer = byCall ? undefined : setTimeout(() => launched.child.kill('SIGKILL'), this.#chance.below(this.#tookMs));
    const ended = await launched.ended;
    clearTimeout(timer);
    if (ended.signal === 'SIGKILL') this.killed += 1;
    else this.escaped += 1;
    for (const id of idsIn(ended.out)) this.#acknowledged.add(id);
    for (const token of this.#ours()) this.#lying.add(token);
    this.#look(`after ${JSON.stringify(mishap)}`);
  }

  #mishap(): Mishap {
    if (this.#chance.next() < 0.5) return { at: 1 + this.#chance.below(this.#calls.length), do: 'kill' };
    const writes = this.#calls.flatMap((kind, index) => (kind === 'write' ? [index + 1] : []));
    return { at: this.#chance.pick(writes), do: 'torn' };
  }

  /** The next round that nobody kills. */
  async #settle(kills: number): Promise<void> {
    const ended = await this.#round({});
    const lying = this.#ours();
    const after = lying.length;
    this.left += this.#lying.size;
    this.cleaned += [...this.#lying].filter(token => !lying.includes(token)).length;
    this.#lying.clear();
    if (ended.status !== 0) this.#fail(`the round after ${kills} kills`, ended);
    if (after > 0) this.failures.push(`${after} left-overs were not removed by the next run`);
    const foreigners = this.#messages().length - after;
    if (foreigners !== 5) this.failures.push(`${5 - foreigners} foreign messages are gone`);
    const condition = this.#look('after a whole round');
    this.damaged = condition.damaged;
    // Table and journal: a kill cuts off at most the one line that was being written.
    if (condition.damaged > this.killed) this.failures.push(`${condition.damaged} damaged lines after ${this.killed} kills`);
    for (const id of this.#acknowledged) {
      if (condition.trips.has(id)) continue;
      this.missing += 1;
      this.failures.push(`trip ${id} was told and is not in the journal`);
    }
    this.#acknowledged.clear();
  }

  #look(when: string): ReturnType<typeof inspect> {
    const condition = inspect(this.#shop.state);
    for (const text of [...condition.unreadable, ...condition.merged]) this.failures.push(`${when}: ${text}`);
    return condition;
  }

  #fail(what: string, { status, out, err }: Ended): void {
    this.failures.push(`${what} ended with ${status}: ${(err + out).slice(0, 400)}`);
  }

  async #round(mishap: Mishap): Promise<Ended> {
    this.#tick();
    const ended = await this.#product.run('check_rndtrip', ['--all', '--json'], this.#options(mishap));
    for (const id of idsIn(ended.out)) this.#acknowledged.add(id);
    return ended;
  }

  #options(mishap: Mishap) {
    const { config, state } = this.#shop;
    return { config, state, mishap: { clock: this.#clock, ...mishap } };
  }

  #tick(): void {
    this.#now += EVERY_S;
    writeFileSync(this.#clock, `+${this.#now}\n`);
  }

  #messages(): readonly string[] {
    const inbox = this.#shop.standin.stores.get('ims1')?.mailbox('ims1');
    return (inbox?.messages ?? []).map(({ raw }) => raw.toString('latin1'));
  }

  /** Tokens of the messages of ours that lie in the box. */
  #ours(): readonly string[] {
    return this.#messages()
      .flatMap(text => /^X-Healthmon-Token:\s+(v1\.\S+)/m.exec(text)?.[1] ?? [])
      .filter(token => !token.endsWith('forged'));
  }
}

/** Trips whose records a run has printed: it had written them before. */
function idsIn(out: string): readonly string[] {
  return out.split('\n').flatMap(line => {
    try {
      const record = JSON.parse(line) as { trip?: { id?: string } };
      return record.trip?.id === undefined ? [] : [record.trip.id];
    } catch {
      return [];
    }
  });
}
