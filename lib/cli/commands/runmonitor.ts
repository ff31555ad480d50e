// runmonitor: one path now, and everything about it. The seed's command, with the seed's letters.

import { type Path, pathText } from '../../model/trip.ts';
import { EXIT, type State, worse } from '../../model/verdict.ts';
import { loadConfig, openState, placesOf, Stop, stopSignal } from '../context.ts';
import { EXIT_HELP, program, runProgram, wholeNumber } from '../program.ts';
import { type ReportOptions, withReport } from '../report/options.ts';
import { makeRound } from '../round/round.ts';
import { nagiosLine } from '../view/nagios.ts';
import { tripText } from '../view/trip.ts';

interface Options extends ReportOptions {
  readonly u?: string;
  readonly s?: string;
  readonly p?: string;
  readonly m?: Path['mailbox'];
  readonly config?: string;
  readonly state?: string;
  readonly keep?: boolean;
  readonly size?: number;
  readonly timeout?: number;
  readonly json?: boolean;
  readonly nagios?: boolean;
  readonly verbose?: boolean;
}

const command = withReport(
  program('runmonitor', 'Sends a test message through one MTA, fetches it back through one MMP, and times every step.')
    .option('-u <account>', 'test account, as [account.*] or [store.*] in site.cfg names it')
    .option('-s <mta>', 'MTA to submit through, or a balancer')
    .option('-p <mmp>', 'MMP to fetch through, or a balancer, or "direct" for the store itself'),
)
  .option('-m <protocol>', 'pop3 or imap (default: pop3 where the MMP has it)')
  .option('--keep', 'leave the message in the mailbox')
  .option('--size <bytes>', 'fill the message up to so many bytes', wholeNumber(0, 50_000_000))
  .option('--timeout <seconds>', 'wait so long for the message, in place of [site] deliver', wholeNumber(1, 3600))
  .option('--json', 'print the record as one JSON object')
  .option('--nagios', 'print one status line with performance data')
  .option('-v, --verbose', 'print the dialogs as they happened, without secrets')
  .addHelpText(
    'after',
    `
Examples:
  runmonitor -u ims1 -s ssmtp01 -p smux01
  runmonitor -u ims1 -s ssmtp01 -p smux01 -m imap --verbose
  runmonitor -u ims1 -s ssmtp01 -p smux01 --nagios
  runmonitor -r                  the report of the day, as check_rndtrip -r (whose --help says more)
${EXIT_HELP}`,
  );

void runProgram(command, async terminal => {
  const options = command.opts<Options>();
  if (options.m !== undefined && options.m !== 'pop3' && options.m !== 'imap')
    throw new Stop(`expected -m pop3 or -m imap, not "${options.m}"`);
  const places = placesOf(options);
  if (options.r === true) return (await import('../report/report.ts')).runReport(options, places, terminal);
  const { u, s, p } = options;
  if (u === undefined || s === undefined || p === undefined) {
    const missing = u === undefined ? '-u <account>' : s === undefined ? '-s <mta>' : '-p <mmp>';
    throw new Stop(`error: required option '${missing}' not specified (or -r for the report)`);
  }
  const loaded = await loadConfig(places.config);
  openState(places.state);
  const { site } = loaded;
  const doors = site.mmps.get(p) ?? site.balancers.get(p)?.doors ?? site.stores.get(u);
  const path: Path = {
    account: u,
    mta: s,
    mmp: p,
    mailbox: options.m ?? (doors?.pop3 === undefined && doors?.imap !== undefined ? 'imap' : 'pop3'),
  };

  let recorded = true;
  const limits = options.timeout === undefined ? site.limits : { ...site.limits, deliverMs: options.timeout * 1000 };
  const [record] = await makeRound([path], {
    by: 'runmonitor',
    site: { ...site, limits },
    state: places.state,
    signal: stopSignal(terminal),
    ...(options.keep === undefined ? {} : { keep: options.keep }),
    ...(options.size === undefined ? {} : { bytes: options.size }),
    onLeg: (_, leg) => terminal.progress(`${pathText(path)}: ${leg} ...`),
    onNotWritten: message => {
      recorded = false;
      terminal.say(message);
    },
  });
  terminal.progress('');
  if (record === undefined) throw new Stop('no trip was made');
  if (options.json === true) terminal.out(JSON.stringify(record));
  else if (options.nagios === true) terminal.out(nagiosLine(record, limits));
  else terminal.out(tripText(record, terminal.colours, { verbose: options.verbose ?? false }));
  const state: State = recorded ? record.verdict.state : worse(record.verdict.state, 'unknown');
  return EXIT[state];
});
