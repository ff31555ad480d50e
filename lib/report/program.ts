// A format that is a program: the report goes in as JSON, what it prints is the result. It is run without a shell and without our
// environment; it has a deadline and a size limit, and is ended with everything that it started.

import { spawn } from 'node:child_process';
import { printable } from '../model/printable.ts';

const MOST_BYTES = 16 * 1024 * 1024;
const MOST_ERROR = 2000;

export type Printed = { readonly text: string } | { readonly fault: string };

/** Never throws for what the program does. */
export function runFormatProgram(
  command: { readonly argv: readonly string[]; readonly timeoutMs: number },
  { folder, input }: { readonly folder: string; readonly input: string },
): Promise<Printed> {
  const [program = '', ...args] = command.argv;
  return new Promise(resolve => {
    // A group of its own, so that the whole of it can be ended.
    const child = spawn(program, args, { cwd: folder, env: environment(), stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let complaint = '';
    let isOver = false;
    const finish = (printed: Printed) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(deadline);
      if ('fault' in printed) endGroup(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(printed);
    };
    const fail = (why: string) => {
      const said = complaint.trim() === '' ? '' : `; it said: ${printable(complaint.trim().split('\n').at(-1) ?? '', 300)}`;
      finish({ fault: `its program ${printable(program)} ${why}${said}` });
    };
    const deadline = setTimeout(() => fail(`was not done in ${command.timeoutMs / 1000} s`), command.timeoutMs);
    child.on('error', error => fail(`could not be started: ${'code' in error ? String(error.code) : error.message}`));
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) fail(`printed more than ${MOST_BYTES} bytes`);
      else chunks.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < MOST_ERROR) complaint += chunk.toString('utf8');
    });
    child.on('close', (status, signal) => {
      if (status === 0) finish({ text: Buffer.concat(chunks).toString('utf8') });
      else fail(status === null ? `was ended by ${signal}` : `ended with status ${status}`);
    });
    // One that does not read its input is no fault: it may have known enough.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function environment(): Record<string, string> {
  const { PATH, HOME, LANG, TZ } = process.env;
  const clean: Record<string, string> = { PATH: PATH ?? '/usr/local/bin:/usr/bin:/bin' };
  for (const [name, value] of Object.entries({ HOME, LANG, TZ })) if (value !== undefined) clean[name] = value;
  return clean;
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
