// `healthmon host`: its face. The work is in ../host/suggest.ts.

import { wholeNumber } from '../program.ts';
import { type Subcommand, withState } from './subcommand.ts';

export const host: Subcommand = {
  name: 'host',
  about: '"host suggest": limits for host.cfg from what the checks have measured here in the last days.',
  shape: command =>
    withState(command)
      .argument('<what>', 'suggest')
      .option('--config <dir>', 'folder with host.cfg (default: $HEALTHMON_CONFIG, else etc/)')
      .option('--days <n>', 'how many days back', wholeNumber(1, 366), 7)
      .option('--figures', 'list all figures that a limit may name, and end')
      .option('--json', 'print one JSON object')
      .addHelpText(
        'after',
        `
Examples:
  healthmon host suggest
  healthmon host suggest --days 30 >> etc/host.cfg
  healthmon host suggest --figures

Exit status: 0 done; 3 usage, config, or too few readings.`,
      ),
  run: async (options, args, terminal) => (await import('../host/suggest.ts')).runHostWord(args, options, terminal),
};
