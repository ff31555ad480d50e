// How fast smtpstats reads a day's log of a large host, against pflogsumm with the same report, and what a step of five minutes costs
// against Node doing nothing. The log is made here with its true counts; every answer is compared with them first.
//
// Of the whole log processor time is compared, of all threads: each reads from the page cache and does nothing but count, and on a
// machine that does something else as well this is the time that stays the same. Of the step it is what one waits for.

import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPflogsumm } from '../maillog/pflogsumm.ts';
import { against, type Bench, bounded, type Row } from './bench.ts';
import { median } from './figures.ts';
import { makeLog, type Truth } from './log-maker.ts';
import { interleaved, type Run, run, whyNoCosts } from './process.ts';

const BYTES = 220_000_000;
/** What such a host logs in five minutes at a busy hour. */
const STEP_BYTES = 1_150_000;
const ROUNDS = 3;
const STEPS = 15;

export const maillog: Bench = {
  name: 'maillog',
  about: 'smtpstats on a log of 220 MB against pflogsumm, and a step of five minutes against node -e 0',
  run: async say => {
    const cannot = whyNoCosts();
    if (cannot !== undefined) return { cannot };
    const pflogsumm = await findPflogsumm();
    if (pflogsumm === undefined) return { cannot: 'pflogsumm is not installed and apt-get cannot fetch it' };
    const folder = mkdtempSync(join(tmpdir(), 'healthmon-bench-maillog-'));
    try {
      const rows: Row[] = [];
      for (const stamps of ['rfc3339', 'bsd'] as const) {
        say(`maillog: making a log of ${BYTES / 1e6} MB with ${stamps} stamps ...`);
        const log = join(folder, `${stamps}.log`);
        const truth = makeLog(log, { bytes: BYTES, stamps });
        say(`maillog: ${ROUNDS} rounds of the report, the counters and pflogsumm ...`);
        rows.push(...(await whole(log, stamps, truth, pflogsumm)));
        if (stamps === 'bsd') continue;
        say(`maillog: ${STEPS} steps of five minutes ...`);
        rows.push(...(await steps(folder, log, truth)));
      }
      return rows;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const smtpstats = (...args: readonly string[]) => [process.execPath, join(process.cwd(), 'bin', 'smtpstats'), ...args];

async function whole(log: string, stamps: string, truth: Truth, pflogsumm: string): Promise<readonly Row[]> {
  const costs = await interleaved(
    {
      report: { argv: smtpstats('--json', log) },
      counters: { argv: smtpstats('--json', '--top', '0', log) },
      // As little as it can do: no details of refusals and the like, ten names of each kind.
      pflogsumm: {
        argv: [
          ...['perl', pflogsumm, '-h', '10', '-u', '10', '--deferral-detail=0', '--bounce-detail=0', '--reject-detail=0'],
          ...['--smtp-detail=0', '--smtpd-warning-detail=0', log],
        ],
      },
    },
    ROUNDS,
    (name, ended) => check(name, ended, truth),
  );
  const what = `pflogsumm, ${stamps}`;
  const seconds = (ours: number, most: number) => ({
    ours: ours / 1000,
    theirs: costs.pflogsumm.cpuMs / 1000,
    unit: 's',
    what,
    most,
  });
  return [
    against(`smtpstats report, ${stamps}, CPU`, seconds(costs.report.cpuMs, 0.2)),
    against(`smtpstats --top 0 (counters), ${stamps}, CPU`, seconds(costs.counters.cpuMs, 0.08)),
    bounded(`smtpstats report, ${stamps}, memory`, {
      value: costs.report.peakMb,
      unit: 'MB',
      most: 200,
      reference: `${costs.pflogsumm.peakMb.toFixed(0)} MB (pflogsumm)`,
    }),
  ];
}

function check(name: string, { status, stdout, stderr }: Run, truth: Truth): void {
  const { received, delivered, deferrals, deferred, bounced, rejected, bytesReceived, bytesDelivered } = truth;
  const wanted: Record<string, number> = {
    received,
    delivered,
    deferrals,
    deferred,
    bounced,
    rejected,
    bytesReceived,
    bytesDelivered,
  };
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
  if (name === 'pflogsumm') {
    const [seen] = /^ +(\d+) +received\n +(\d+) +delivered/m.exec(stdout)?.slice(1) ?? [];
    if (Number(seen) !== received) throw new Error(`pflogsumm counts ${seen} received, not ${received}`);
    return;
  }
  const { totals } = JSON.parse(stdout);
  for (const [counter, value] of Object.entries(wanted))
    if (totals[counter] !== value) throw new Error(`${name} counts ${totals[counter]} ${counter}, not ${value}`);
}

/** Each step begins where all but the last five minutes have been read. */
async function steps(folder: string, log: string, truth: Truth): Promise<readonly Row[]> {
  const size = statSync(log).size;
  const tail = Buffer.alloc(STEP_BYTES);
  const fd = openSync(log, 'r+');
  readSync(fd, tail, 0, STEP_BYTES, size - STEP_BYTES);
  truncateSync(log, size - STEP_BYTES);
  const state = (n: number) => join(folder, `state${n}`);
  const step = (n: number) => run({ argv: smtpstats('--counters', '--json', '--state', state(n), log) });
  mkdirSync(state(0), { mode: 0o750 });
  const first = await step(0);
  if (first.status !== 0) throw new Error(first.stderr);
  writeSync(fd, tail, 0, STEP_BYTES, size - STEP_BYTES);
  closeSync(fd);
  const bareMs: number[] = [];
  const stepMs: number[] = [];
  for (let n = 1; n <= STEPS; n += 1) cpSync(state(0), state(n), { recursive: true });
  for (let n = 1; n <= STEPS; n += 1) {
    bareMs.push((await run({ argv: [process.execPath, '-e', '0'] })).wallMs);
    const { status, stdout, stderr, wallMs } = await step(n);
    const counters = status === 0 ? JSON.parse(stdout).logs[0].totals.counters : {};
    if (counters.delivered !== truth.delivered || counters.bytesDelivered !== truth.bytesDelivered)
      throw new Error(`a step counts ${counters.delivered} delivered, not ${truth.delivered}: ${stderr}`);
    stepMs.push(wallMs);
  }
  return [
    against('smtpstats --counters, a step of 1.15 MB', {
      ours: median(stepMs),
      theirs: median(bareMs),
      unit: 'ms',
      what: 'node -e 0',
      most: 2,
    }),
  ];
}
