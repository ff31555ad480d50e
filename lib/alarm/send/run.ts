// A program that brings a message: run without a shell, with a clean environment, in a group of its own that ends with the deadline.

import { spawn } from 'node:child_process';
import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { printable } from '../../model/printable.ts';
import { reason } from '../../record/append.ts';

export type RunResult =
  | { readonly ended: 'by itself'; readonly status: number; readonly output: string }
  | { readonly ended: 'not begun'; readonly text: string }
  | { readonly ended: 'by us'; readonly text: string };

export interface RunOptions {
  readonly stdin: string;
  /** What it finds in its environment, besides PATH, HOME and LANG of ours. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

const OUTPUT_BYTES = 64 * 1024;
const AFTER_EXIT_MS = 300;

/**
 * Runs a program. Its output (both streams, 64 KiB) is for telling why it failed.
 *
 * @returns `not begun` when there is no such program, or others than us and root could have changed it
 */
export function runProgram(command: readonly string[], options: RunOptions): Promise<RunResult> {
  const [name = '', ...args] = command;
  const found = findProgram(name, options.cwd);
  if ('problem' in found) return Promise.resolve({ ended: 'not begun', text: found.problem });
  return new Promise(resolve => {
    const child = spawn(found.file, args, {
      cwd: options.cwd,
      env: { ...ownEnvironment(), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      shell: false,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    let late: NodeJS.Timeout | undefined;
    const output = () => printable(Buffer.concat(chunks).toString('utf8').trim(), 200);
    const finish = (result: RunResult) => {
      clearTimeout(timer);
      clearTimeout(late);
      options.signal.removeEventListener('abort', stop);
      resolve(result);
    };
    const end = (text: string) => {
      killGroup(child.pid);
      finish({ ended: 'by us', text });
    };
    const stop = () => end('told to stop');
    const timer = setTimeout(() => end(`it was not done in ${options.deadlineMs / 1000} s`), options.deadlineMs);
    options.signal.addEventListener('abort', stop, { once: true });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        if (length < OUTPUT_BYTES) chunks.push(chunk.subarray(0, OUTPUT_BYTES - length));
        length += chunk.length;
      });
      stream.on('error', () => {});
    }
    child.stdin.on('error', () => {}); // a program need not read what it is given
    child.stdin.end(options.stdin);
    child.on('error', error => finish({ ended: 'not begun', text: `${name}: ${reason(error)}` }));
    const done = (status: number | null, signal: string | null) =>
      status === null ? end(`it was ended by ${signal}`) : finish({ ended: 'by itself', status, output: output() });
    // One that leaves a child behind with its output open has still ended.
    child.on('exit', (status, signal) => {
      late = setTimeout(() => done(status, signal), AFTER_EXIT_MS);
    });
    child.on('close', (status, signal) => done(status, signal));
  });
}

function ownEnvironment(): Record<string, string> {
  const { PATH, HOME, LANG } = process.env;
  return {
    PATH: PATH ?? '/usr/local/bin:/usr/bin:/bin',
    ...(HOME === undefined ? {} : { HOME }),
    ...(LANG === undefined ? {} : { LANG }),
  };
}

type Found = { readonly file: string } | { readonly problem: string };

/** Why a program could not be run as it is now; undefined when it could. @param cwd where a path that is not absolute begins */
export function whyNotRun(name: string, cwd: string): string | undefined {
  const found = findProgram(name, cwd);
  return 'problem' in found ? found.problem : undefined;
}

/** By its path, or along PATH; refused when somebody else than we or root may write to it or to its folder. */
function findProgram(name: string, cwd: string): Found {
  const places = name.includes('/')
    ? [isAbsolute(name) ? name : join(cwd, name)]
    : (ownEnvironment().PATH ?? '').split(delimiter).map(folder => join(folder, name));
  const file = places.find(isExecutable);
  if (file === undefined) return { problem: `there is no program ${printable(name, 100)}` };
  for (const place of [file, dirname(file)]) {
    if (isOpen(statSync(place)))
      return { problem: `${printable(place, 100)} can be changed by others than us and root: chmod go-w` };
  }
  return { file };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function isOpen({ mode, uid }: Stats): boolean {
  const us = process.getuid?.();
  const isOthers = us !== undefined && uid !== 0 && uid !== us;
  return isOthers || ((mode & 0o022) !== 0 && (mode & 0o1000) === 0);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it is gone
  }
}
