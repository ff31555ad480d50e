// `healthmon crontab`: its face. The work is in ../crontab.ts.

import { type Subcommand, withConfig, withState } from './subcommand.ts';

export const crontab: Subcommand = {
  name: 'crontab',
  about: 'Prints the crontab lines, or the systemd units, that run the checks.',
  shape: command =>
    withState(withConfig(command))
      .option('--host', 'the lines that every mail host runs: hostcheck')
      .option('--systemd', 'systemd units in place of crontab lines: for the daemon, or with --host a timer')
      .option('--user <name>', 'systemd: the user to run as', 'healthmon')
      .addHelpText(
        'after',
        `
Examples:
  (crontab -l; healthmon crontab) | crontab -
  healthmon crontab --systemd > /etc/systemd/system/healthmon.service

Exit status: 0 printed; 3 usage. A config with errors is told on stderr, and its interval taken as 5 minutes.`,
      ),
  run: async (options, _args, terminal) => (await import('../crontab.ts')).runCrontab(options, terminal),
};
