// `healthmon config`: its face. The work is in ../config.ts.

import type { Subcommand } from './subcommand.ts';

export const config: Subcommand = {
  name: 'config',
  about: 'Checks or explains the config: "config check [DIR]", "config describe [FILE]".',
  shape: command =>
    command
      .argument('<what>', 'check or describe')
      .argument('[which]', 'check: the folder; describe: one of the files')
      .option('--no-secrets', 'check: do not look at passwords and keys (for a config kept without them)')
      .option('--json', 'check: print the problems as one JSON object')
      .addHelpText(
        'after',
        `
Examples:
  healthmon config check
  healthmon config check /etc/healthmon --no-secrets
  healthmon config describe site.cfg
  healthmon config describe host.cfg > etc/host.cfg

Exit status of check: 0 no errors (warnings are printed), 3 errors.`,
      ),
  run: async (options, args, terminal) => (await import('../config/config.ts')).runConfig(options, args, terminal),
};
