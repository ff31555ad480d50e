// A thousand paths in one round: how long, how much memory, and whether the times are still those of the servers while so many
// trips are made. One of the ten MTAs stands behind a process that holds its replies back and knows for how long; what the records
// say of these phases is compared with that.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { greet } from '../../lib/dialog/smtp.ts';
import type { Endpoint } from '../../lib/model/endpoint.ts';
import type { TripRecord } from '../../lib/model/record.ts';
import type { Path } from '../../lib/model/trip.ts';
import { type Bench, bounded } from './bench.ts';
import { percentile } from './figures.ts';
import { run, whyNoCosts } from './process.ts';

const PATHS = 1000;
const DELAYED = 'ssmtp10';

export const round: Bench = {
  name: 'round',
  about: 'a thousand paths in one round of check_rndtrip --all on the embedded site',
  run: async say => {
    const cannot = whyNoCosts();
    if (cannot !== undefined) return { cannot };
    const folder = mkdtempSync(join(tmpdir(), 'healthmon-bench-round-'));
    const etc = join(folder, 'etc');
    const site = started(['test/start.mjs', 'test/bench/site.ts', etc]);
    let delayer: Child | undefined;
    try {
      await firstLine(site);
      const truths = new Map<string, readonly (readonly [string, number])[]>();
      const config = readFileSync(join(etc, 'site.cfg'), 'utf8');
      delayer = started(['test/bench/delayer.mjs', portOf(config)]);
      const port = await firstLine(delayer);
      createInterface({ input: delayer.stdout }).on('line', line => {
        const { id, took } = JSON.parse(line) as { id: string; took: [string, number][] };
        truths.set(id, took);
      });
      writeFileSync(join(etc, 'site.cfg'), delayed(config, port));
      const paths = JSON.parse(readFileSync(join(etc, 'paths.json'), 'utf8')) as Path[];
      const ours = paths.filter(({ account }) => account !== 'sender').slice(0, PATHS);
      if (ours.length !== PATHS) throw new Error(`the site has ${ours.length} paths`);
      writeFileSync(join(etc, 'sequence.cfg'), ours.map(entry).join(''));
      say(`round: ${PATHS} paths ...`);
      const argv = [process.execPath, 'bin/check_rndtrip', '--all', '--json', '--config', etc, '--state', join(folder, 'state')];
      const alone = new Alone(Number(port));
      const { status, stdout, stderr, wallMs, cpuMs, peakMb } = await run({ argv });
      const measured = await alone.stop();
      const records = stdout
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as TripRecord);
      const bad = records.filter(({ verdict }) => verdict.state !== 'ok');
      if (status !== 0 || records.length !== PATHS || bad.length > 0)
        throw new Error(
          `${records.length} records, ${bad.length} not ok, status ${status}: ${bad[0]?.verdict.text ?? ''} ${stderr}`,
        );
      const errors = records.flatMap(record => errorsOf(record, truths.get(record.trip.id)));
      const floor = [...measured].flatMap(([id, ehloMs]) => {
        const took = truths.get(id)?.find(([verb]) => verb === 'ehlo')?.[1];
        return took === undefined ? [] : [Math.abs(ehloMs - took)];
      });
      if (errors.length < 300) throw new Error(`only ${errors.length} phases to compare`);
      return [
        bounded(`${PATHS} paths in one round, wall`, { value: wallMs / 1000, unit: 's', most: 60 }),
        bounded(`${PATHS} paths in one round, CPU`, { value: cpuMs / PATHS, unit: 'ms a path' }),
        bounded(`${PATHS} paths in one round, memory`, { value: peakMb, unit: 'MB', most: 300 }),
        bounded(`timing error in that round, p95`, {
          value: percentile(errors, 0.95),
          unit: 'ms',
          most: 2,
          reference: `${percentile(floor, 0.95).toFixed(1)} ms by a client with nothing else to do; p50 ${percentile(errors, 0.5).toFixed(2)}, largest ${Math.max(...errors).toFixed(1)} ms of ${errors.length} phases`,
        }),
      ];
    } finally {
      delayer?.kill();
      site.stdin.end();
      if (site.exitCode === null) await once(site, 'close');
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** What this machine allows just now: one dialog after another with the same server, by a process that does nothing else. */
class Alone {
  readonly #measured = new Map<string, number>();
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(port: number) {
    this.#done = this.#run(port);
  }

  /** @returns what EHLO took, by the name that was given there */
  async stop(): Promise<ReadonlyMap<string, number>> {
    this.#isOver = true;
    await this.#done;
    return this.#measured;
  }

  async #run(port: number): Promise<void> {
    const endpoint: Endpoint = {
      component: 'mta/delayed',
      protocol: 'smtp',
      host: '127.0.0.1',
      port,
      security: 'plain',
      trust: { verify: true },
    };
    const terms = { clock: () => performance.now(), deadlineMs: 10_000, signal: new AbortController().signal };
    for (let n = 0; !this.#isOver; n += 1) {
      const { phases } = await greet(endpoint, `alone-${n}`, terms);
      const ehlo = phases.find(({ name }) => name === 'ehlo');
      if (ehlo !== undefined) this.#measured.set(`alone-${n}`, ehlo.tookMs);
    }
  }
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

function started(args: readonly string[]): Child {
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function firstLine(child: Child): Promise<string> {
  const [chunk] = await once(child.stdout, 'data');
  return String(chunk).trim();
}

/** How far off the record is, for each phase of which the truth is known. */
function errorsOf({ trip }: TripRecord, truth: readonly (readonly [string, number])[] | undefined): number[] {
  if (truth === undefined) return [];
  const phases = trip.legs.find(({ name }) => name === 'submit')?.dialogs[0]?.phases ?? [];
  const names: Readonly<Record<string, string>> = { ehlo: 'ehlo', mail: 'mail', rcpt: 'rcpt', data: 'data', final: 'final' };
  return truth.map(([verb, took]) => {
    const phase = phases.find(({ name }) => name === names[verb]);
    if (phase === undefined) throw new Error(`no phase for ${verb} in ${phases.map(({ name }) => name).join(' ')}`);
    return Math.abs(phase.tookMs - took);
  });
}

const section = new RegExp(`(\\[mta\\.${DELAYED}\\][^[]*?port = )(\\d+)([^[]*?security = )"\\w+"`);

function portOf(config: string): string {
  const port = section.exec(config)?.[2];
  if (port === undefined) throw new Error(`site.cfg has no ${DELAYED}`);
  return port;
}

/** The MTA behind the delayer, in clear, so that it can tell commands from replies. */
function delayed(config: string, port: string): string {
  return config.replace(section, (_, before, __, between) => `${before}${port}${between}"plain"`);
}

function entry({ account, mta, mmp, mailbox }: Path, n: number): string {
  return `${String(n % 60).padStart(2, '0')} DMSG -u ${account} -s ${mta} -p ${mmp} -m ${mailbox}\n`;
}
