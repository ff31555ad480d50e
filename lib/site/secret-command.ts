// A secret that a program prints, as `pass show mail/ims1` does. Run without a shell and without our environment; it has a
// deadline and a size limit, and neither can be escaped by what the program starts in its turn.

import { spawn } from 'node:child_process';
import { reason, SecretProblem } from './secret-problem.ts';

const MAX_BYTES = 64 * 1024;
/** A program that leaves an agent behind with its output still open has said all it will say. */
const AFTER_EXIT_MS = 300;

export interface CommandOptions {
  /** The folder in which it runs: that of the config file. */
  readonly cwd: string;
  /** Where PATH, HOME and LANG are taken from; nothing else is handed on. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlineMs: number;
}

/**
 * What the program prints on stdout, at most 64 KiB; its stdin is empty and its stderr is thrown away, since either could
 * hold the secret.
 *
 * @throws {SecretProblem} when it cannot be started, ends with another status than 0, prints too much, or is not done in
 *   `deadlineMs`; then it is killed with everything that it started.
 */
export function runSecretCommand(command: readonly string[], { cwd, env, deadlineMs }: CommandOptions): Promise<Buffer> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = start(program, args, { cwd, env: cleanEnvironment(env) });
    const chunks: Buffer[] = [];
    let length = 0;
    let afterExit: NodeJS.Timeout | undefined;
    const deadline = setTimeout(() => fail(`it was not done in ${deadlineMs / 1000} s`), deadlineMs);

    function finish(): void {
      clearTimeout(deadline);
      clearTimeout(afterExit);
      child.stdout.destroy();
    }
    function fail(why: string): void {
      finish();
      if (child.exitCode === null) killGroup(child.pid);
      reject(
        new SecretProblem(
          `Cannot have the password from command '${program}': ${why}`,
          `run it by hand as the same user to see what it says: PATH, HOME and LANG are all that it finds in its environment`,
        ),
      );
    }
    function succeed(): void {
      finish();
      resolve(Buffer.concat(chunks));
    }

    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BYTES) fail(`it printed more than ${MAX_BYTES} bytes`);
      else chunks.push(chunk);
    });
    child.stdout.on('error', () => {}); // our own destroy(); how the program ended is what counts
    child.on('error', error => fail(reason(error)));
    child.on('exit', (code, signal) => {
      if (code !== 0) fail(code === null ? `it was ended by ${signal}` : `it ended with status ${code}`);
      else afterExit = setTimeout(succeed, AFTER_EXIT_MS);
    });
    child.on('close', code => {
      if (code === 0) succeed();
    });
  });
}

function start(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Record<string, string> },
) {
  try {
    // A group of its own, so that the whole of it can be killed.
    return spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'ignore'], detached: true, shell: false });
  } catch (error) {
    throw new SecretProblem(`Cannot start command '${program}': ${reason(error)}`);
  }
}

function cleanEnvironment(env: CommandOptions['env']): Record<string, string> {
  const clean: Record<string, string> = { PATH: env.PATH ?? '/usr/local/bin:/usr/bin:/bin' };
  if (env.HOME !== undefined) clean.HOME = env.HOME;
  if (env.LANG !== undefined) clean.LANG = env.LANG;
  return clean;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it is gone already
  }
}
