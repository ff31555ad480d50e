// `healthmon plan`: its face. The work is in ../plan.ts.

import { wholeNumber } from '../program.ts';
import { type Subcommand, withConfig } from './subcommand.ts';

export const plan: Subcommand = {
  name: 'plan',
  about:
    'Says what sequence.cfg covers, how soon each failure is noticed, what could not be told apart, and what it costs; or writes one.',
  shape: command =>
    withConfig(command)
      .option('--write [file]', 'make a sequence.cfg that covers every pair in the fewest entries (default: to stdout)')
      .option(
        '--interval <minutes>',
        'with --write: minutes between two starts (default: interval in site.cfg)',
        wholeNumber(1, 60),
      )
      .option('--per-minute <n>', 'with --write: at most so many entries in a minute (default: 1)', wholeNumber(1, 1000))
      .option('--force', 'with --write: replace the file if it is there')
      .option('--json', 'one JSON object')
      .addHelpText(
        'after',
        `
Examples:
  healthmon plan
  healthmon plan --write > /tmp/sequence.cfg
  healthmon plan --write --interval 3
  healthmon plan --write /etc/healthmon/sequence.cfg --force

Exit status:
  0  every pair is covered, and every component is visited
  1  some are not; they are listed
  3  usage, config, or a file that cannot be written`,
      ),
  run: async (options, _args, terminal) => (await import('../plan/plan.ts')).runPlan(options, terminal),
};
