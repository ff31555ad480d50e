// check_rndtrip: the one line in crontab. Walks the paths of the current minute of etc/sequence.cfg, or all of them, or runs the
// sequence itself as a daemon.

import type { TripRecord } from '../../model/record.ts';
import { type Path, pathText } from '../../model/trip.ts';
import { EXIT, type State, worse } from '../../model/verdict.ts';
import { allPaths, pathsDue } from '../../plan/due.ts';
import { appendJournal } from '../../record/journal.ts';
import { takeLock } from '../../record/lock.ts';
import { holderText, hoursOf, watchdog } from '../alone.ts';
import { loadConfig, openState, placesOf, Stop, stopSignal } from '../context.ts';
import { EXIT_HELP, program, runProgram } from '../program.ts';
import { retryReports } from '../report/later.ts';
import { REPORT_HELP, type ReportOptions, withReport } from '../report/options.ts';
import { noteConfigChange } from '../round/config-change.ts';
import { makeRound } from '../round/round.ts';
import { type Teller, tellerFor } from '../round/tell.ts';
import type { Terminal } from '../terminal.ts';
import { roundTable, tableRow } from '../view/table.ts';
import { headline, stateWord } from '../view/trip.ts';

interface Options extends ReportOptions {
  readonly config?: string;
  readonly state?: string;
  readonly all?: boolean;
  readonly at?: string;
  readonly daemon?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const command = withReport(
  program(
    'check_rndtrip',
    'Walks the paths that etc/sequence.cfg has for this minute; a minute without an entry is quiet and exits 0.',
  ),
)
  .option('--all', 'walk every path of the sequence once, now')
  .option('--at <HH:MM>', 'walk the paths of that minute, now: to try a schedule')
  .option(
    '--daemon',
    'stay and walk each path in its minute; SIGHUP reads the config again, SIGTERM ends after what is under way',
  )
  .option('--json', 'print the records, one JSON object a line')
  .option('-q, --quiet', 'print nothing when all is well (as it is without a terminal)')
  .addHelpText(
    'after',
    `
From crontab ("healthmon crontab" prints this line with absolute paths):
  */5 * * * *  /opt/healthmon/bin/check_rndtrip

Examples:
  check_rndtrip --all
  check_rndtrip --at 00:05
${EXIT_HELP}
${REPORT_HELP}`,
  );

void runProgram(command, async terminal => {
  const options = command.opts<Options>();
  const places = placesOf(options);
  if (options.r === true) return (await import('../report/report.ts')).runReport(options, places, terminal);
  if (options.daemon === true) return (await import('../daemon.ts')).runDaemon(terminal, places);

  const startedAt = Date.now();
  const loaded = await loadConfig(places.config);
  const { site, sequence } = loaded;
  openState(places.state);
  const paths = options.all === true ? allPaths(sequence) : pathsDue(sequence, ...minuteOf(options.at, startedAt));
  const signal = stopSignal(terminal);
  const telling = { trips: paths.length, say: terminal.say, signal };
  if (paths.length === 0) {
    if (options.all === true) throw new Stop(`${places.config}/sequence.cfg has no entries`);
    if (process.stdout.isTTY === true || options.at !== undefined)
      terminal.say('No path is due in this minute (--all walks every path now)');
    await tellerFor(places, loaded, telling).finish();
    return 0;
  }

  const lock = await takeLock(places.state, 'run', 'check_rndtrip');
  if (!lock.held) {
    const why = `${holderText(lock.holder, startedAt)}; this start measures nothing`;
    appendJournal(places.state, { type: 'skip', by: 'check_rndtrip', why, paths }, startedAt);
    await tellerFor(places, loaded, { ...telling, trips: 0 }).finish();
    throw new Stop(why);
  }
  noteConfigChange(places, terminal.say);
  const stopWatching = watchdog(site, paths.length, terminal);
  const teller = tellerFor(places, loaded, telling);
  let status: number;
  let records: readonly TripRecord[];
  try {
    ({ status, records } = await walk(terminal, paths, options, { site, state: places.state, signal, teller }));
  } finally {
    stopWatching();
    lock.release();
  }
  await teller.finish();
  await retryReports(places, site, terminal.say);
  if (records.every(({ verdict }) => verdict.state === 'ok')) return status;
  const onWait = (component: string, seconds: number) =>
    terminal.progress(`waiting at ${component}, up to ${seconds} s, for what its silence means ...`);
  const { waitLonger } = await import('../round/longer.ts');
  const changed = await waitLonger(records, { site, state: places.state, signal, onWait, onNotWritten: terminal.say });
  terminal.progress('');
  if (changed !== undefined) {
    if (options.json !== true) terminal.out(`After a longer look: ${changed}`);
    await tellerFor(places, loaded, { ...telling, trips: 0 }).finish();
  }
  return status;
});

async function walk(
  terminal: Terminal,
  paths: readonly Path[],
  options: Options,
  { site, state, signal, teller }: Pick<Parameters<typeof makeRound>[1], 'site' | 'state' | 'signal'> & { teller: Teller },
): Promise<{ readonly status: number; readonly records: readonly TripRecord[] }> {
  let done = 0;
  let worst: State = 'ok';
  const told = new Set<string>();
  const showProgress = () => terminal.progress(`${done} of ${paths.length} paths walked ...`);
  showProgress();
  const records = await makeRound(paths, {
    by: 'check_rndtrip',
    site,
    state,
    signal,
    onLeg: (path, leg) => terminal.progress(`${done} of ${paths.length} paths walked; ${pathText(path)}: ${leg} ...`),
    onTrip: record => {
      done += 1;
      showProgress();
      tellAtOnce(record);
      teller.heard(record);
    },
    onNotWritten: message => {
      worst = worse(worst, 'unknown');
      // A full disk says the same of every trip.
      if (!told.has(message)) terminal.say(message);
      told.add(message);
    },
  });
  terminal.progress('');
  for (const { verdict } of records) worst = worse(worst, verdict.state);
  tell(terminal, records, options);
  return { status: EXIT[worst], records };

  function tellAtOnce(record: TripRecord): void {
    if (options.json === true) terminal.out(JSON.stringify(record));
  }
}

/** On a terminal the whole table; under cron, which mails whatever is printed, only what did not go well. */
function tell(terminal: Terminal, records: readonly TripRecord[], options: Options): void {
  if (options.json === true) return;
  const bad = records.filter(({ verdict }) => verdict.state !== 'ok');
  const whole = options.quiet !== true && (process.stdout.isTTY === true || options.all === true || options.at !== undefined);
  if (whole) terminal.out(roundTable(records));
  else for (const record of bad) terminal.out(tableRow(record));
  for (const record of bad) terminal.out(headline(record, terminal.colours));
  if (!whole) return;
  const counts = new Map<State, number>();
  for (const { verdict } of records) counts.set(verdict.state, (counts.get(verdict.state) ?? 0) + 1);
  terminal.out([...counts].map(([state, count]) => `${stateWord(state, terminal.colours).trimEnd()} ${count}`).join('   '));
}

/** The minute, and a count of hours for entries that take turns. */
function minuteOf(at: string | undefined, now: number): [minute: number, hour: number] {
  if (at === undefined) return [new Date(now).getMinutes(), hoursOf(now)];
  const parts = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(at);
  if (parts === null) throw new Stop(`expected --at HH:MM, not "${at}"`);
  return [Number(parts[2]), Math.floor(hoursOf(now) / 24) * 24 + Number(parts[1])];
}
