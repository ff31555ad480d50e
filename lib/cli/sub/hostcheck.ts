// `healthmon hostcheck`: its face. The work is in ../host.ts.

import { type Subcommand, withState } from './subcommand.ts';

export const hostcheck: Subcommand = {
  name: 'hostcheck',
  about:
    'All checks of a mail host in one run: queues, system, connections, processes, files, directories; one row of qmonitor.log.',
  shape: command =>
    withState(command.option('--config <dir>', 'folder with host.cfg (default: $HEALTHMON_CONFIG, else etc/)'))
      .option('-v, --verbose', 'every figure, the largest of many, and what could not be read')
      .option('--json', 'print the reading as one JSON object')
      .option('--nagios', 'print one status line with perfdata')
      .option('-q, --quiet', 'print nothing when all is well (as it is without a terminal)')
      .option('--no-record', 'look only: remember and record nothing')
      .addHelpText(
        'after',
        `
From crontab ("healthmon crontab --host" prints this line with absolute paths):
  */5 * * * *  /opt/healthmon/bin/healthmon hostcheck

Exit status: 0 ok, 1 warning, 2 critical, 3 unknown: could not be measured.`,
      ),
  run: async (options, _args, terminal) => (await import('../host/host.ts')).runHost(undefined, 'hostcheck', options, terminal),
};
