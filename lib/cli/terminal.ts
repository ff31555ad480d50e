// Output of the commands: results on stdout, progress and complaints on stderr, colour only on a terminal.

import pc, { createColors } from 'picocolors';

export interface Terminal {
  /** A line of the result. */
  out(line: string): void;
  /** A line about the work: a complaint, a remark. */
  say(line: string): void;
  /** A line that is replaced by the next one, on a terminal only; empty removes it. */
  progress(line: string): void;
  readonly colours: ReturnType<typeof createColors>;
  /** Columns of the result's terminal; 100 when it is none. */
  readonly columns: number;
  /** Whether a person can be asked. */
  readonly isInteractive: boolean;
}

/** The terminal of this process. A reader that goes away (`| head`) ends it quietly. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  stdout.on('error', error => process.exit('code' in error && error.code === 'EPIPE' ? 0 : 3));
  const coloured = stdout.isTTY === true && process.env.NO_COLOR === undefined && process.env.TERM !== 'dumb';
  let shown = 0;
  const clear = () => {
    if (shown > 0) stderr.write(`\r${' '.repeat(shown)}\r`);
    shown = 0;
  };
  return {
    out: line => {
      clear();
      stdout.write(`${line}\n`);
    },
    say: line => {
      clear();
      stderr.write(`${line}\n`);
    },
    progress: line => {
      if (stderr.isTTY !== true) return;
      clear();
      const cut = line.slice(0, (stderr.columns ?? 80) - 1);
      stderr.write(cut);
      shown = cut.length;
    },
    colours: coloured ? pc : createColors(false),
    columns: stdout.columns ?? 100,
    // Asked for when it is needed: to have an input, Node loads all that reads files.
    get isInteractive() {
      return process.stdin.isTTY === true && stderr.isTTY === true;
    },
  };
}

/**
 * Ends the process with a status once what was written has gone out: a pipe whose reader is slow takes it by and by, and process.exit()
 * would throw away what it has not taken. A hung resolver's thread would keep the process alive without that.
 */
export async function leave(status: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map(goneOut));
  process.exit(status);
}

/** Ends the process whatever has not gone out. */
export function leaveAtOnce(status: number): never {
  process.exit(status);
}

function goneOut(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve();
  return new Promise(resolve => {
    stream.once('close', () => resolve());
    stream.write('', () => resolve());
  });
}
