// healthmon: everything that is not a check. The face of each sub-command is in sub/, its work is loaded only when it is asked for.

import { Command } from 'commander';
import { finish } from '../program.ts';
import { ack, alarm, silence } from '../sub/alarm.ts';
import { config } from '../sub/config.ts';
import { crontab } from '../sub/crontab.ts';
import { demo } from '../sub/demo.ts';
import { drain, undrain } from '../sub/drain.ts';
import { drill } from '../sub/drill.ts';
import { explain } from '../sub/explain.ts';
import { host } from '../sub/host.ts';
import { hostcheck } from '../sub/hostcheck.ts';
import { init } from '../sub/init.ts';
import { plan } from '../sub/plan.ts';
import { report } from '../sub/report.ts';
import type { Subcommand } from '../sub/subcommand.ts';
import { processTerminal } from '../terminal.ts';

/** In the order in which a newcomer needs them. */
const SUBCOMMANDS: readonly Subcommand[] = [
  demo,
  init,
  config,
  plan,
  crontab,
  explain,
  drill,
  alarm,
  ack,
  silence,
  drain,
  undrain,
  hostcheck,
  host,
  report,
];

const terminal = processTerminal();
let status = 0;

const command = new Command('healthmon')
  .description(
    [
      'Round-trip health monitor for mail sites: which machine and which step broke.',
      'The checks are commands of their own: runmonitor and check_rndtrip; for each',
      'mail host check_queues, check_sys, check_mconn, check_procs, check_files,',
      'check_ldap; smtpstats for mail logs.',
    ].join('\n'),
  )
  .helpOption('-h, --help', 'show this help')
  .configureHelp({ sortSubcommands: false, sortOptions: false })
  .exitOverride();

for (const { name, about, shape, run } of SUBCOMMANDS) {
  const sub = shape(command.command(name).description(about).helpOption('-h, --help', 'show this help').exitOverride());
  sub.action(async () => {
    status = await run(sub.opts<never>(), sub.args, terminal);
  });
}

void finish(terminal, async () => {
  if (process.argv.length <= 2) {
    command.outputHelp();
    return 3;
  }
  await command.parseAsync();
  return status;
});
