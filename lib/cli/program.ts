// What all commands have in common: options by the same names, exit status, errors in words, `--help` with examples.

import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { LocalProblem } from '../model/endpoint.ts';
import { NotWritten } from '../record/append.ts';
import { Stop } from './context.ts';
import { leave, processTerminal, type Terminal } from './terminal.ts';

export const EXIT_HELP = `
Exit status:
  0  ok: the message came back, whole and in time
  1  slow: it came back later than [site] slow allows
  2  failed: a machine of the site did not do its part
  3  unknown: could not measure (usage, config, disk, our own network)`;

/** A command with the options that every command has. */
export function program(name: string, about: string): Command {
  return new Command(name)
    .description(about)
    .option('--config <dir>', 'folder with site.cfg and sequence.cfg (default: $HEALTHMON_CONFIG, else etc/)')
    .option('--state <dir>', 'folder for tables, journal and ledger (default: $HEALTHMON_STATE, else var/)')
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ sortOptions: false })
    .exitOverride();
}

/**
 * Parses the arguments, runs the command and ends the process with its status: that of the command, or 3 with words on stderr for
 * wrong usage, a config that cannot be used and whatever else is our own fault.
 */
export async function runProgram(command: Command, run: (terminal: Terminal) => Promise<number>): Promise<never> {
  const terminal = processTerminal();
  let status = 0;
  command.action(async () => {
    status = await run(terminal);
  });
  return finish(terminal, async () => {
    await command.parseAsync();
    return status;
  });
}

/** Ends the process with the status that the work gives, or with 3 and words for what went wrong on our side. */
export async function finish(terminal: Terminal, work: () => Promise<number>): Promise<never> {
  try {
    return leave(await work());
  } catch (error) {
    terminal.progress('');
    if (error instanceof CommanderError) return leave(error.exitCode === 0 ? 0 : 3);
    if (error instanceof Stop) {
      terminal.say(error.message);
      return leave(error.status);
    }
    if (error instanceof NotWritten || error instanceof LocalProblem) {
      terminal.say(error.message);
      return leave(3);
    }
    terminal.say(
      `This is a fault of this program; please report it with the lines below.\n${error instanceof Error ? error.stack : String(error)}`,
    );
    return leave(3);
  }
}

/** A whole number within bounds, for commander. */
export function wholeNumber(from: number, to: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`expected a whole number from ${from} to ${to}, not "${text}"`);
  };
}
