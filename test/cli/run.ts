// The real commands, as processes of their own with a bare environment, against an embedded site in this process.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { StandinOptions } from '../../lib/standin/options.ts';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Shop {
  readonly standin: StandinSite;
  readonly config: string;
  readonly state: string;
  /** Runs a command of bin/ to its end. */
  run(command: string, ...args: string[]): Promise<Ended>;
  start(command: string, ...args: string[]): Started;
  write(name: string, text: string, mode?: number): void;
  stop(): Promise<void>;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has printed so far, on stdout and stderr. */
  readonly said: () => string;
}

export async function openShop(options: StandinOptions = {}): Promise<Shop> {
  const standin = await startSite({ ...options, limits: { submitMs: 2000, deliverMs: 2000, fetchMs: 2000, ...options.limits } });
  const place = mkdtempSync(join(tmpdir(), 'healthmon-cli-'));
  const config = join(place, 'etc with blanks');
  const state = join(place, 'var');
  const write = (name: string, text: string, mode = 0o640) => {
    const file = join(config, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode });
  };
  for (const { name, text } of standin.files())
    write(name, text, name.startsWith('secrets/') || name.endsWith('.key') ? 0o600 : 0o640);
  const start = (command: string, ...args: string[]) =>
    startCommand(command, args, { HEALTHMON_CONFIG: config, HEALTHMON_STATE: state });
  return {
    standin,
    config,
    state,
    write,
    start,
    run: (command, ...args) => start(command, ...args).ended,
    stop: async () => {
      await standin.stop();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

/** Starts a command with an environment that has nothing but what is given: as cron does. */
export function startCommand(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(process.execPath, [join(ROOT, 'bin', command), ...args], {
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
  });
  let out = '';
  let err = '';
  child.stdout?.on('data', chunk => {
    out += chunk;
  });
  child.stderr?.on('data', chunk => {
    err += chunk;
  });
  const ended = new Promise<Ended>(resolve => child.on('close', status => resolve({ status, out, err })));
  return { child, ended, said: () => out + err };
}
