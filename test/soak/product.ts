// The product as a user has it, in a folder of its own, so that a build made meanwhile does not change what is being tested; and its
// commands as processes with a bare environment, as cron starts them.

import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../lib/cli/context.ts';

/** What is to go wrong inside a command. @see mishap.mjs */
export interface Mishap {
  readonly at?: number;
  readonly do?: 'kill' | 'torn' | 'ENOSPC' | 'EDQUOT' | 'EROFS' | 'EIO';
  readonly clock?: string;
  readonly count?: string;
}

export interface Places {
  readonly config: string;
  readonly state: string;
}

export interface LaunchOptions extends Places {
  readonly mishap?: Mishap;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
  readonly tookMs: number;
}

export interface Launched {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has printed so far, on stdout and stderr. */
  readonly said: () => string;
}

export class Product {
  readonly folder = mkdtempSync(join(tmpdir(), 'healthmon-product-'));

  constructor() {
    const root = projectRoot();
    for (let tries = 1; ; tries += 1) {
      try {
        for (const part of ['bin', 'dist', 'plugins', 'reports', 'package.json'])
          cpSync(join(root, part), join(this.folder, part), { recursive: true });
        break;
      } catch (error) {
        // A build puts another dist/ in the place of this one.
        if (tries === 5) throw error;
        rmSync(join(this.folder, 'dist'), { recursive: true, force: true });
      }
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
  }

  launch(command: string, args: readonly string[], { config, state, mishap, env }: LaunchOptions): Launched {
    const hook = mishap === undefined ? [] : ['--import', pathToFileURL(join(projectRoot(), 'test', 'soak', 'mishap.mjs')).href];
    const began = performance.now();
    const child = spawn(process.execPath, [...hook, join(this.folder, 'bin', command), ...args], {
      env: {
        PATH: '/usr/bin:/bin',
        HEALTHMON_CONFIG: config,
        HEALTHMON_STATE: state,
        ...(mishap === undefined ? {} : { MISHAP: JSON.stringify({ below: state, ...mishap }) }),
        ...env,
      },
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
    const ended = new Promise<Ended>(resolve =>
      child.on('close', (status, signal) => resolve({ status, signal, out, err, tookMs: performance.now() - began })),
    );
    return { child, ended, said: () => out + err };
  }

  run(command: string, args: readonly string[], options: LaunchOptions): Promise<Ended> {
    return this.launch(command, args, options).ended;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
