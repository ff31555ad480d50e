// What a sub-command of `healthmon` is: its face, which `--help` shows, and its work, which is loaded only when it is asked for.

import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';

export interface Subcommand {
  readonly name: string;
  readonly about: string;
  /** Adds arguments, options and examples. */
  readonly shape: (command: Command) => Command;
  /**
   * Each command has its own options, as commander reads them: `never` stands for "whatever this one has asked for".
   *
   * @returns the exit status
   */
  readonly run: (options: never, args: readonly string[], terminal: Terminal) => Promise<number>;
}

export const withConfig = (command: Command): Command =>
  command.option('--config <dir>', 'folder with site.cfg and sequence.cfg (default: $HEALTHMON_CONFIG, else etc/)');

export const withState = (command: Command): Command =>
  command.option('--state <dir>', 'folder for tables, journal and ledger (default: $HEALTHMON_STATE, else var/)');
