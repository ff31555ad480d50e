// Runs a command to its end and gives back what it said. No shell; a failed command becomes one readable sentence.

import { spawn } from 'node:child_process';

/** Something that the person at the keyboard can act upon; printed without a stack. */
export class LabError extends Error {
  override name = 'LabError';
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** After this many ms the command is killed and counts as failed; 60 s when absent. */
  readonly limitMs?: number;
  /** True: a status other than 0 is an answer and not an error. */
  readonly anyStatus?: boolean;
  /** True: a Ctrl-C at our terminal does not reach it. */
  readonly sheltered?: boolean;
}

export interface Ran {
  /** -1 when it was ended by a signal. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @throws {LabError} when it cannot be started, or ends with another status than 0 and `anyStatus` is not set. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [program = '', ...args] = command;
  const ran = await new Promise<Ran>((resolve, reject) => {
    const child = spawn(program, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      detached: options.sheltered === true,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.limitMs ?? 60_000,
      killSignal: 'SIGKILL',
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => {}); // it may end without reading
    child.on('error', error => reject(new LabError(`Cannot run ${program}: ${error.message}`)));
    child.on('close', code =>
      resolve({ status: code ?? -1, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
    child.stdin.end(options.input ?? '');
  });
  if (ran.status !== 0 && options.anyStatus !== true) {
    const said = (ran.stderr.trim() || ran.stdout.trim()).split('\n').slice(-5).join('; ');
    throw new LabError(`${command.join(' ').slice(0, 300)} ended with status ${ran.status}: ${said || 'it said nothing'}`);
  }
  return ran;
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/**
 * Asks again and again, 5 ms apart at first and 50 ms later, until the answer is not undefined.
 *
 * @throws {LabError} with `what` when `limitMs` has passed.
 */
export async function until<T>(what: string, limitMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + limitMs;
  for (let pause = 5; ; pause = Math.min(50, pause * 1.5)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() >= end) throw new LabError(`${what}: not so after ${(limitMs / 1000).toFixed(1)} s`);
    await sleep(pause);
  }
}
