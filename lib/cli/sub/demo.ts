// `healthmon demo`: its face. The work is in ../demo.ts.

import type { Subcommand } from './subcommand.ts';

export const demo: Subcommand = {
  name: 'demo',
  about: 'Shows the product at work on a mail site inside this process: every path, then with one MMP broken.',
  shape: command =>
    command.addHelpText('after', '\nExit status: 0 when what should pass passed and what should fail failed, else 2.'),
  run: async (_options, _args, terminal) => (await import('../demo.ts')).runDemo(terminal),
};
