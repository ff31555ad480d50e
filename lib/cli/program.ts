// What all commands have in common: options by the same names, exit status, errors in words, `--help` with examples.

import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { end } from './end.ts';
import { processTerminal, type Terminal } from './terminal.ts';

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
export function finish(terminal: Terminal, work: () => Promise<number>): Promise<never> {
  return end(terminal, async () => {
    try {
      return await work();
    } catch (error) {
      // commander has said it all already.
      if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 3;
      throw error;
    }
  });
}

/** A whole number within bounds, for commander. */
export function wholeNumber(from: number, to: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`expected a whole number from ${from} to ${to}, not "${text}"`);
  };
}
