// A command at a terminal of its own, by script(1) of util-linux, and a person who answers what it asks.

import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** Why there can be no terminal here; undefined when there can. */
export function noTerminal(): string | undefined {
  const found = spawnSync('script', ['--version'], { encoding: 'utf8' });
  return found.stdout?.includes('util-linux') === true ? undefined : 'script of util-linux is not installed';
}

/**
 * @param answers in turn: what to wait for, and what to type then; Enter is `\r`
 * @returns all that the screen has shown, without the moves of the cursor; at most 20 s later
 */
export async function atTerminal(
  command: string,
  args: readonly string[],
  answers: readonly (readonly [question: string, keys: string])[],
): Promise<{ readonly status: number | null; readonly screen: string }> {
  const words = [process.execPath, join(ROOT, 'bin', command), ...args].map(word => `'${word.replaceAll("'", "'\\''")}'`);
  const child = spawn('script', ['-qfec', words.join(' '), '/dev/null'], {
    env: { PATH: '/usr/bin:/bin', TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'ignore'],
    cwd: '/',
  });
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
  let screen = '';
  let told = 0;
  let next = 0;
  child.stdout.on('data', chunk => {
    screen += String(chunk);
    const answer = answers[next];
    if (answer === undefined) return;
    const at = screen.indexOf(answer[0], told);
    if (at < 0) return;
    told = at + answer[0].length;
    next += 1;
    child.stdin.write(answer[1]);
  });
  const status = await new Promise<number | null>(resolve => child.on('close', resolve));
  clearTimeout(late);
  return { status, screen: screen.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r\n', '\n') };
}
