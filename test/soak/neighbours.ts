// Other people's mail on a real Dovecot: thousands of foreign messages, among them every look-alike that has made other monitors
// delete mail, through runs by IMAP and POP3 of which half are killed.
//
// Held against the mail folder itself, file by file, and against what Dovecot's own log says was fetched.

import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { signToken } from '../../lib/trip/token.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { whyNoLab } from '../lab/packages.ts';
import { Chance, type Claim, type Order, type Outcome } from './claim.ts';
import { inspect } from './inspect.ts';
import { type Ended, type Mishap, Product } from './product.ts';

/** Foreign messages: of the full form, and for each run of a shorter one. */
const MOST = 10_000;
const PER_RUN = 50;
/** So large that one that is fetched stands out. */
const BODY = `${'private words that nobody else is to read '.repeat(48)}\r\n`.repeat(10);
const EVERY_S = 300;

export const neighbours: Claim = {
  name: 'neighbours',
  promise: "14: other people's mail in the mailbox is never removed, flagged or fetched, whatever it looks like",
  unit: 'runs',
  short: 6,
  full: 100,
  needs: 'lab',
  run: liveBeside,
};

async function liveBeside({ n, seed, say }: Order): Promise<Outcome> {
  const why = whyNoLab();
  if (why !== undefined) return { n: 0, failures: [], figures: {}, skipped: `${why}; "sudo npm run lab -- install"` };
  using product = new Product();
  await using lab = await startLab({ net: 'free' });
  const place = mkdtempSync(join(tmpdir(), 'healthmon-neighbours-'));
  try {
    return await new Street(lab, product, place, new Chance(seed)).live(n, say);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

class Street {
  readonly #lab: Lab;
  readonly #product: Product;
  readonly #config: string;
  readonly #state: string;
  readonly #clock: string;
  readonly #chance: Chance;
  readonly #failures: string[] = [];
  #now = 0;
  #killed = 0;
  #left = 0;

  constructor(lab: Lab, product: Product, place: string, chance: Chance) {
    this.#lab = lab;
    this.#product = product;
    this.#chance = chance;
    this.#config = join(place, 'etc');
    this.#state = join(place, 'var');
    this.#clock = join(place, 'clock');
    lab.etc(this.#config, { submission: 587, site: { submit: 15, deliver: 15, fetch: 15, isolate: 5, slow: 10_000 } });
  }

  async live(n: number, say: Order['say']): Promise<Outcome> {
    const operations = { imap: await this.#learn('imap'), pop3: await this.#learn('pop3') };
    const [old] = inspect(this.#state).trips;
    const count = n >= neighbours.full ? MOST : Math.min(MOST, n * PER_RUN);
    const before = this.#plant(count, old ?? '');
    for (let run = 0; run < n; run += 1) {
      const mailbox = run % 4 < 2 ? 'imap' : 'pop3';
      const calls = operations[mailbox];
      const mishap: Mishap = run % 2 === 0 ? { at: 1 + this.#chance.below(calls.length), do: 'kill' } : {};
      const ended = await this.#run(mailbox, mishap);
      if (ended.signal === 'SIGKILL') {
        this.#killed += 1;
        await this.#delivered();
        this.#left += this.#ours().length;
      } else if (ended.status !== 0) this.#failures.push(`a run by ${mailbox}: ${text(ended)}`);
      say(`${run + 1} of ${n} runs beside ${count} messages`);
    }
    await this.#delivered();
    for (const mailbox of ['imap', 'pop3'] as const) {
      const last = await this.#run(mailbox, {});
      if (last.status !== 0) this.#failures.push(`the last run by ${mailbox}: ${text(last)}`);
    }
    const ours = this.#ours();
    if (ours.length > 0) this.#failures.push(`${ours.length} messages of ours are left`);
    const harm = harmTo(before, this.#foreign());
    this.#failures.push(...harm);
    const fetched = fetchedFrom(this.#lab.log('store/ims1'));
    const trips = n + 4;
    if (fetched.bodies > trips || fetched.bytes > trips * 8000)
      this.#failures.push(`${fetched.bodies} messages (${fetched.bytes} bytes) were fetched in ${trips} runs`);
    return {
      n,
      failures: this.#failures,
      figures: {
        'foreign messages': before.size,
        'removed or flagged': harm.length,
        'runs killed': this.#killed,
        'left-overs seen, cleaned': `${this.#left}, ${ours.length === 0 ? 'all' : 'not all'}`,
        'messages fetched whole, by Dovecot': `${fetched.bodies} of ${trips} sent, ${Math.round(fetched.bytes / Math.max(1, fetched.bodies))} bytes each`,
      },
    };
  }

  /** Waits until the MTA has no message any more: what a killed run had handed in is in the box. */
  async #delivered(): Promise<void> {
    for (let tries = 0; tries < 50 && (await this.#lab.mtaQueue('ssmtp01')).length > 0; tries += 1) await sleep(100);
  }

  async #learn(mailbox: 'imap' | 'pop3'): Promise<readonly string[]> {
    const count = `${this.#clock}.${mailbox}`;
    const ended = await this.#run(mailbox, { count });
    if (ended.status !== 0) throw new Error(`A first run by ${mailbox} ended with ${ended.status}: ${ended.err}${ended.out}`);
    return JSON.parse(readFileSync(count, 'utf8')) as string[];
  }

  #run(mailbox: 'imap' | 'pop3', mishap: Mishap): Promise<Ended> {
    this.#now += EVERY_S;
    writeFileSync(this.#clock, `+${this.#now}\n`);
    return this.#product.run('runmonitor', ['-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01', '-m', mailbox], {
      config: this.#config,
      state: this.#state,
      mishap: { clock: this.#clock, ...mishap },
    });
  }

  /** @returns the files by their names without flags, with flags and size */
  #plant(count: number, oldId: string): ReadonlyMap<string, string> {
    const first = this.#lab.plant('ims1', letter('the first one'));
    const { uid, gid } = statSync(first);
    const cur = join(this.#lab.maildir('ims1'), 'cur');
    const alike = this.#lookAlikes(oldId);
    const began = Math.floor(Date.now() / 1000) - 86_400;
    for (let number = 1; number < count; number += 1) {
      const flags = this.#chance.pick(['', 'S', 'FS', 'T', 'ST', 'RS']);
      const text = alike[number % 20] ?? letter(`letter ${number}`);
      const file = join(cur, `${began + (number % 80_000)}.M${number}P1.foreign:2,${flags}`);
      writeFileSync(file, text, { mode: 0o600 });
      chownSync(file, uid, gid);
    }
    return this.#foreign();
  }

  /** What has been taken for a test message by one monitor or another. */
  #lookAlikes(oldId: string): readonly string[] {
    const key = Buffer.from(readFileSync(join(this.#config, 'site.key'), 'utf8').trim(), 'base64');
    const at = Date.now() - 60_000;
    const { address } = this.#lab.site.account('ims1');
    const real = signToken(key, oldId, at, address);
    const elsewhere = signToken(key, oldId, at, 'somebody@else.test');
    const forged = `v1.${oldId}.${Math.floor(at / 1000)}.${'A'.repeat(43)}`;
    const header = (token: string) => `X-Healthmon-Token: ${token}\r\n`;
    const subject = `healthmon test ${oldId}`;
    return [
      letter(`Re: ${subject}`, '', `> X-Healthmon-Token: ${real}\r\n> ${subject}\r\n`),
      letter(subject),
      letter(subject, header(forged)),
      letter(subject, header(elsewhere)),
      letter(`Fwd: ${subject}`, header(real)),
      letter(subject, header(real) + header(real)),
      letter(subject, `Auto-Submitted: auto-generated\r\nX-Healthmon-Token:\r\n ${forged}\r\n`),
      letter('with no end to its token', header('v1.')),
      letter('not quite ours', header(signToken(Buffer.from('another key'), oldId, at, address))),
    ];
  }

  #files(): readonly string[] {
    const maildir = this.#lab.maildir('ims1');
    return ['new', 'cur'].flatMap(part => readdirSync(join(maildir, part)).map(name => join(maildir, part, name)));
  }

  #foreign(): ReadonlyMap<string, string> {
    return new Map(
      this.#files()
        .filter(file => !isOurs(file))
        .map(file => {
          const [name = '', flags = ''] = (file.split('/').at(-1) ?? '').split(':2,');
          return [name.replace(/,[SW]=\d+/g, ''), `flags "${flags}", ${statSync(file).size} bytes`];
        }),
    );
  }

  #ours(): readonly string[] {
    return this.#files().filter(isOurs);
  }
}

/** Delivered by the MTA: all that was planted has another name. */
function isOurs(file: string): boolean {
  return !file.includes('.foreign') && !file.includes('.planted');
}

function letter(subject: string, header = '', body = ''): string {
  const id = Math.random().toString(36).slice(2);
  return `From: somebody@else.test\r\nTo: ims1@lab.test\r\nSubject: ${subject}\r\nMessage-ID: <${id}@else.test>\r\n${header}\r\n${body}${BODY}`;
}

function harmTo(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  return [...before].flatMap(([name, was]) => {
    const is = after.get(name);
    return is === was ? [] : [`${name} was ${was}, is ${is ?? 'gone'}`];
  });
}

/** What Dovecot's sessions say at their end, of both protocols: messages that were fetched whole, or parts of their bodies. */
function fetchedFrom(log: string): { readonly bodies: number; readonly bytes: number } {
  let bodies = 0;
  let bytes = 0;
  for (const match of log.matchAll(/body_count=(\d+) body_bytes=(\d+)|retr=(\d+)\/(\d+)/g)) {
    bodies += Number(match[1] ?? match[3]);
    bytes += Number(match[2] ?? match[4]);
  }
  return { bodies, bytes };
}

function text({ status, out, err }: Ended): string {
  return `status ${status}: ${(err + out).slice(0, 300).replace(/\s+/g, ' ')}`;
}
