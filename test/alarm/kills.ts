// kill -9 at random points between decision and delivery. Runs follow each other on one state folder as cron's do, each with a new
// alarm to tell, and each is killed: half of them from their beginning on, half from the decision on. After each kill one run is left
// alone, as the next minute's would be. A receiver on loopback counts: each alarm must have been told, and what was told twice must
// have come under the same id.
//
// Delivery is when the receiver has read the request. A kill from the moment when the request is on its way until its answer is on our
// disk makes it come again: nobody who must lose nothing can know better. How many that are depends on how long the receiver takes;
// one that takes each id once shows none of them.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAlarms } from '../../lib/alarm/config/load.ts';
import { peek } from '../../lib/alarm/send/outbox.ts';
import { tellAlarms } from '../../lib/alarm/tell.ts';
import { JOURNAL_VERSION, type TripRecord } from '../../lib/model/record.ts';
import { appendJournal } from '../../lib/record/journal.ts';
import { loadSite } from '../../lib/site/load.ts';
import { bundled } from '../bundle.ts';
import { KEY, SEQUENCE } from '../site/folder.ts';

export interface Killed {
  readonly kills: number;
  /** Kills before the decision was on disk; between it and delivery; after delivery. */
  readonly before: number;
  readonly between: number;
  readonly after: number;
  readonly alarms: number;
  readonly told: number;
  /** Alarms of which no message came. */
  readonly lost: readonly string[];
  /** Requests that came again, under the id that they had before: the service has seen them twice. */
  readonly repeated: number;
  /** Messages that a service showed twice which takes each webhook-id once, as the standard of that name asks of it. */
  readonly shownTwice: number;
  /** The most that one kill has doubled. */
  readonly mostOfOneKill: number;
  /** Alarms that were raised in two messages with different ids. */
  readonly doubled: readonly string[];
}

/** Kills in all, as a multiple of those wanted between: on a machine whose speed changes meanwhile fewer of them fall there. */
const MOST_KILLS = 3;
const KEEP_MS = 24 * 3_600_000;
interface Request {
  readonly id: string;
  /** The header that says so as well. */
  readonly webhookId: string;
  readonly text: string;
  readonly raised: readonly string[];
  readonly at: number;
}

function read(body: string): Pick<Request, 'id' | 'text' | 'raised'> {
  const { id, text, notices } = JSON.parse(body) as {
    id: string;
    text: string;
    notices: { what: string; component: string }[];
  };
  return { id, text, raised: notices.filter(({ what }) => what === 'raised').map(({ component }) => component) };
}

/**
 * @param n kills between decision and delivery; about as many more come before and after
 * @param chance from 0 up to, but not including, 1
 */
export async function killTellers(n: number, chance: () => number, say: (line: string) => void = () => {}): Promise<Killed> {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', chunk => {
      body += chunk;
    });
    request.on('end', () => {
      requests.push({ ...read(body), webhookId: String(request.headers['webhook-id']), at: performance.now() });
      response.end('ok');
    });
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const place = mkdtempSync(join(tmpdir(), 'healthmon-kills-'));
  const [state, config] = ['var', 'etc'].map(name => join(place, name)) as [string, string];
  mkdirSync(state);
  mkdirSync(config);
  const files = {
    'site.cfg':
      '[site]\nname = "Example Mail"\ndomain = "example.com"\n[mta.ssmtp01]\n[mmp.smux01]\npop3 = {}\n[store.ims1]\naddress = "ims1@example.com"\npassword_file = "secrets/x"\n',
    'sequence.cfg': SEQUENCE,
    'site.key': KEY,
    'alarms.cfg': `[alarms]\ntogether = 0\nremind = 0\ncap = 1000\n[webhook.hook]\nurl = "http://127.0.0.1:${port}/"\n[notify.oncall]\nchannels = ["hook"]\n`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(config, name), text, { mode: 0o600 });
  const program = await bundled('test/alarm/teller.ts');
  const start = () => new Teller(spawn(process.execPath, [program, config, state], { stdio: ['ignore', 'pipe', 'pipe'] }));
  const { site } = await loadSite(config, { secrets: false });
  const loaded = await loadAlarms(config, { plugins: config, state });
  if (site === undefined || loaded?.alarms === undefined) throw new Error(JSON.stringify(loaded?.problems));
  const next = { alarms: loaded.alarms, site, state, expected: [], commandTail: '', signal: new AbortController().signal, say };
  const recover = () => tellAlarms(next);
  const alarms: string[] = [];
  const fail = () => {
    const name = `mmp/p${String(alarms.length).padStart(4, '0')}` as const;
    alarms.push(name);
    appendJournal(state, failing(name, alarms.length), Date.now());
  };
  try {
    // How long each part takes here and now.
    const spans = { ready: [] as number[], decided: [] as number[] };
    for (let warm = 0; warm < 3; warm += 1) {
      fail();
      const teller = start();
      const readyAt = await teller.at('ready');
      const decidedAt = await teller.at('decided');
      const doneAt = await teller.at('done');
      await teller.ended;
      spans.ready.push(doneAt - readyAt);
      spans.decided.push((requests.at(-1)?.at ?? doneAt) - decidedAt);
    }
    const middle = (values: number[]) => values.sort((a, b) => a - b)[1] ?? 0;
    const span = { ready: middle(spans.ready), decided: middle(spans.decided) };

    const struck = { before: 0, between: 0, after: 0 };
    let mostOfOneKill = 0;
    let kills = 0;
    for (; struck.between < n && kills < MOST_KILLS * n; kills += 1) {
      const word = kills % 2 === 0 ? 'ready' : 'decided';
      fail();
      const name = alarms.at(-1) ?? '';
      const known = requests.length;
      const teller = start();
      const from = await teller.at(word);
      await until(from + chance() * span[word]);
      const isDelivered = requests.length > known;
      teller.child.kill('SIGKILL');
      await teller.ended;
      const isDecided = peek(state, KEEP_MS).gate.alarms.some(({ component }) => component === name);
      const where = isDelivered ? 'after' : isDecided ? 'between' : 'before';
      struck[where] += 1;
      await recover();
      const again = requests.slice(known).filter(({ id }, place, all) => all.findIndex(other => other.id === id) < place);
      mostOfOneKill = Math.max(mostOfOneKill, again.length);
      say(`${struck.between} of ${n} kills between decision and delivery`);
    }
    const ids = new Set(requests.map(({ id }) => id));
    const shown = requests.filter(({ webhookId }, place, all) => all.findIndex(each => each.webhookId === webhookId) === place);
    const messagesOf = (name: string) => new Set(requests.filter(({ raised }) => raised.includes(name)).map(({ id }) => id)).size;
    return {
      kills,
      ...struck,
      alarms: alarms.length,
      told: ids.size,
      lost: alarms.filter(name => messagesOf(name) === 0),
      repeated: requests.length - ids.size,
      shownTwice: shown.length - new Set(shown.flatMap(({ raised }) => raised)).size,
      mostOfOneKill,
      doubled: alarms.filter(name => messagesOf(name) > 1),
    };
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(place, { recursive: true, force: true });
  }
}

class Teller {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  #out = '';
  readonly #seen = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.child = child;
    this.ended = new Promise(done => child.once('close', () => done()));
    const hear = (chunk: unknown) => {
      this.#out += String(chunk);
      for (const word of ['ready', 'decided', 'done'])
        if (!this.#seen.has(word) && this.#out.includes(word)) this.#seen.set(word, performance.now());
      for (const wake of this.#waiting.splice(0)) wake();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    void this.ended.then(() => hear(''));
  }

  /** When it said that word; a process that ends without it is a fault of this test. */
  async at(word: string): Promise<number> {
    for (;;) {
      const at = this.#seen.get(word);
      if (at !== undefined) return at;
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`it ended before "${word}": ${this.#out}`);
      await new Promise<void>(wake => this.#waiting.push(wake));
    }
  }
}

/** To a fraction of a millisecond: what is to be struck takes few of them. */
async function until(at: number): Promise<void> {
  while (performance.now() < at) await new Promise(done => setImmediate(done));
}

function failing(component: `mmp/${string}`, n: number): Omit<TripRecord, 'v' | 'at'> {
  const path = { account: 'ims1', mta: 'ssmtp01', mmp: component.slice(4), mailbox: 'pop3' } as const;
  const suspect = {
    component,
    protocol: 'pop3',
    phase: 'connect',
    kind: 'refused-connection',
    confidence: 'sure',
    why: ['refused the connection'],
  } as const;
  const arrival = { outcome: 'unsent' } as const;
  return {
    type: 'trip',
    by: 'check_rndtrip',
    trip: { id: `kill${JOURNAL_VERSION}${n}`, path, startedAt: Date.now(), tookMs: 1, legs: [], arrival, hops: [], findings: [] },
    verdict: { state: 'failed', suspects: [suspect], text: 'failed', short: 'failed' },
  };
}
