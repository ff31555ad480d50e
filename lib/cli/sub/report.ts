// `healthmon report`: its face. The work is in ../report/formats.ts.

import { type Subcommand, withConfig, withState } from './subcommand.ts';

export const report: Subcommand = {
  name: 'report',
  about:
    'Formats of the report, and letters that wait: "report formats", "report new NAME", "report preview NAME", "report send".',
  shape: command =>
    withState(withConfig(command))
      .argument('<what>', 'formats, new, preview, schema or send')
      .argument('[name]', 'new, preview: name of the format')
      .option('--sample <name>', 'preview: of a quiet, bad or empty day', 'bad')
      .option('--open', 'preview: write it to a file and open that in the browser')
      .option('--out <file>', 'preview: write it to a file')
      .option('--json', 'formats: print them as one JSON object')
      .addHelpText(
        'after',
        `
  formats        lists the formats that ship and those of your own, and what is wrong with them
  new NAME       copies plugins/_template/report to plugins/NAME, adds it to plugins/report_formats.cfg, shows it
  preview NAME   renders it on the records of a day that never was
  schema         prints the JSON Schema of the data that formats get
  send           tries letters that wait for delivery now (check_rndtrip tries them too, by and by)

The report of a real day: check_rndtrip -r --print --format NAME
Formats of your own: plugins/README.md; another folder than plugins/ by $HEALTHMON_PLUGINS.

Exit status: 0 fine; 1 a format has errors, or somebody still waits for a letter; 3 wrong usage, cannot be written.`,
      ),
  run: async (options, args, terminal) => (await import('../report/formats.ts')).runReportFormats(options, args, terminal),
};
