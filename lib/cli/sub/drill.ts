// `healthmon drill`: its face. The work is in ../drill.ts.

import { type Subcommand, withConfig, withState } from './subcommand.ts';

export const drill: Subcommand = {
  name: 'drill',
  about:
    'Rehearses a failure on the embedded site: breaks one thing, walks, says what was detected and whether it was the truth.',
  shape: command =>
    withState(withConfig(command))
      .argument('[fault]', 'name of a fault, or all', 'all')
      .option('--list', 'the faults there are, each with what it imitates')
      .option('--at <place>', 'where: a component or one of its doors, as "mmp/smux01 pop3"')
      .option('--everywhere', 'at every place where it can occur, not at one')
      .option('--with-alarms <channel>', 'tell that channel of alarms.cfg what would be told, marked as a drill, and its end')
      .option('--json', 'one JSON object a line')
      .addHelpText(
        'after',
        `
Examples:
  healthmon drill --list
  healthmon drill store-full
  healthmon drill login-refused-at-mmp --at "mmp/smux02 imap"
  healthmon drill all --everywhere
  healthmon drill stopped --at "mmp/smux02 pop3" --with-alarms phone

Exit status: 0 when every verdict named the truth and the channel took what it was
told, 2 when not, 3 for wrong usage.`,
      ),
  run: async (options, args, terminal) => (await import('../drill/drill.ts')).runDrill(options, args, terminal),
};
