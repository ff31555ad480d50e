// `healthmon drain` and `healthmon undrain`: their faces. The work is in ../drain.ts.

import { type Subcommand, withConfig, withState } from './subcommand.ts';

export const drain: Subcommand = {
  name: 'drain',
  about:
    'Takes a component out for a while: verdicts leave it out, and mail that still goes through it is told. Without one: lists them.',
  shape: command =>
    withState(withConfig(command))
      .argument('[component]', 'as site.cfg names it: mta/ssmtp02')
      .option('--until <time>', 'when it is back: 90m, 2h, 22:30, 2026-11-23T06:00 (default: until "healthmon undrain")')
      .option('--reason <text>', 'why')
      .option('--json', 'list as JSON')
      .addHelpText(
        'after',
        `
Example:
  healthmon drain mta/ssmtp02 --until 2h --reason "kernel update"

Exit status: 0 done, or listed; 3 usage, config, or no such component.`,
      ),
  run: async (options, args, terminal) => (await import('../drain.ts')).runDrain(options, args, terminal),
};

export const undrain: Subcommand = {
  name: 'undrain',
  about: 'Puts a drained component back.',
  shape: command =>
    withState(withConfig(command))
      .argument('<component>', 'as site.cfg names it: mta/ssmtp02')
      .addHelpText('after', '\nExit status: 0 done; 3 usage, config, or it is not drained.'),
  run: async (options, args, terminal) => (await import('../drain.ts')).runUndrain(options, args, terminal),
};
