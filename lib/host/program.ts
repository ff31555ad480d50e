// Programs that a check asks: no shell, an environment of our own, a deadline that nothing escapes, bounded output.
//
// A program that hangs where no signal reaches it (a dead NFS mount) is left behind: it is killed as soon as the system lets it go,
// and neither its end nor its pipes are waited for.

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

type Ended =
  | { readonly ended: 'done'; readonly status: number; readonly stdout: string; readonly stderr: string }
  /** There is no such program, or it cannot be run by us. */
  | { readonly ended: 'absent'; readonly why: string }
  | { readonly ended: 'late' }
  | { readonly ended: 'too much' };

interface RunOptions {
  /** 5 s when absent. */
  readonly deadlineMs?: number;
  /** Of stdout and stderr together; 4 MiB when absent. */
  readonly mostBytes?: number;
  /** Takes stdout as it comes; it is then not kept. `false` ends the program: enough has been read. */
  readonly onStdout?: (chunk: Buffer) => boolean | undefined;
}

export type Run = (command: readonly string[], options?: RunOptions) => Promise<Ended>;

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Where a program lies: in PATH or where cron's PATH does not look; undefined when it is nowhere. */
function whereIs(program: string, path = process.env.PATH ?? ''): string | undefined {
  if (isAbsolute(program)) return isRunnable(program) ? program : undefined;
  const folders = [...path.split(delimiter).filter(folder => isAbsolute(folder)), ...FOLDERS];
  return folders.map(folder => join(folder, program)).find(isRunnable);
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Never throws; stdin is empty. */
export const runProgram: Run = (command, options = {}) => {
  const { deadlineMs = 5000, mostBytes = 4 * 1024 * 1024, onStdout } = options;
  const [program = '', ...args] = command;
  const file = whereIs(program);
  if (file === undefined) return Promise.resolve({ ended: 'absent', why: `${program} is not installed` });
  return new Promise(resolve => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
      env: {
        PATH: FOLDERS.join(delimiter),
        LC_ALL: 'C',
        LANG: 'C',
        ...(process.env.TZ === undefined ? {} : { TZ: process.env.TZ }),
      },
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let bytes = 0;
    const end = (ended: Ended) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      child.unref();
      for (const pipe of [child.stdout, child.stderr]) pipe.destroy();
      resolve(ended);
    };
    const texts = (status: number): Ended => ({
      ended: 'done',
      status,
      stdout: Buffer.concat(stdout).toString('utf8'),
      stderr: Buffer.concat(stderr).toString('utf8'),
    });
    const timer = setTimeout(() => end({ ended: 'late' }), deadlineMs);
    child.stdout.on('data', (chunk: Buffer) => {
      if (onStdout !== undefined) {
        if (onStdout(chunk) === false) end(texts(0));
        return;
      }
      bytes += chunk.length;
      if (bytes > mostBytes) end({ ended: 'too much' });
      else stdout.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= mostBytes) stderr.push(chunk);
    });
    child.on('error', error => end({ ended: 'absent', why: `${program} cannot be run: ${error.message}` }));
    child.on('close', status => end(texts(status ?? 128)));
  });
};
