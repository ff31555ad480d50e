// Runs a program and says what it cost, children that it waited for included: wall time, processor time, the largest of its
// processes. The kernel counts; python3 asks it, because Node has no wait4.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { median } from './figures.ts';

export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Resident memory of the largest process; MB. */
  readonly peakMb: number;
}

export interface Run extends Cost {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const WAIT = `
import os, sys, time
began = time.monotonic()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, 3)])
_, status, use = os.wait4(pid, 0)
took = time.monotonic() - began
os.write(3, b'%d %f %f %d' % (os.waitstatus_to_exitcode(status), took * 1000, (use.ru_utime + use.ru_stime) * 1000, use.ru_maxrss))
`;

/** Why nothing can be measured here; undefined when it can. */
export function whyNoCosts(): string | undefined {
  return spawnSync(PYTHON, ['-c', 'import os; os.wait4'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'python3 is needed to count the processor time of other programs';
}

export function run({ argv, env, cwd }: Command): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(PYTHON, ['-SEc', WAIT, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
    });
    const texts = ['', '', '', ''];
    for (const n of [1, 2, 3]) child.stdio[n]?.on('data', chunk => (texts[n] += chunk));
    child.on('error', reject);
    child.on('close', () => {
      const [, stdout = '', stderr = '', cost = ''] = texts;
      const [status = 1, wallMs = 0, cpuMs = 0, peakKb = 0] = cost.split(' ').map(Number);
      if (cost === '') reject(new Error(`Cannot run ${argv.join(' ')}: ${stderr}`));
      else resolve({ status, wallMs, cpuMs, peakMb: peakKb / 1024, stdout, stderr });
    });
  });
}

/**
 * Runs each of the commands once per round, one after the other, so that whatever else happens on the machine meets all of them.
 *
 * @param check throws when the program did not do its work
 * @returns the medians, by name
 */
export async function interleaved<Name extends string>(
  commands: Readonly<Record<Name, Command>>,
  rounds: number,
  check: (name: Name, run: Run) => void,
): Promise<Readonly<Record<Name, Cost>>> {
  const names = Object.keys(commands) as Name[];
  const runs = new Map<Name, Run[]>(names.map(name => [name, []]));
  // The first round warms the page cache and does not count.
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      const one = await run(commands[name]);
      check(name, one);
      if (round > 0) runs.get(name)?.push(one);
    }
  }
  const cost = (of: readonly Run[]): Cost => ({
    wallMs: median(of.map(({ wallMs }) => wallMs)),
    cpuMs: median(of.map(({ cpuMs }) => cpuMs)),
    peakMb: Math.max(...of.map(({ peakMb }) => peakMb)),
  });
  return Object.fromEntries(names.map(name => [name, cost(runs.get(name) ?? [])])) as Record<Name, Cost>;
}
