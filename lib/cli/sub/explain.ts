// `healthmon explain`: its face. The work is in ../explain.ts.

import { type Subcommand, withConfig, withState } from './subcommand.ts';

export const explain: Subcommand = {
  name: 'explain',
  about: 'Tells everything that is known of one trip; without TRIP, of the last one that did not go well.',
  shape: command =>
    withState(withConfig(command))
      .argument('[trip]', 'id of the trip, or the beginning of it')
      .option('--json', 'print the records as one JSON object')
      .addHelpText('after', '\nExit status: 0 when the trip was found, 3 when there is none.'),
  run: async (options, args, terminal) => (await import('../explain.ts')).runExplain(options, args, terminal),
};
