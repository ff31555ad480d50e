// The sequence as a daemon: a tick each minute by node-cron, a round for the paths that are due, SIGHUP reads the config again,
// SIGTERM ends when what is under way is done.
//
// A tick that finds the round of the one before still under way is skipped and recorded, and so is one that was missed because this
// process did not get the processor. A config that does not pass the check is not taken: the old one stays, and that is said.

import { createTask, type ScheduledTask } from 'node-cron';
import pino, { type Logger } from 'pino';
import { pathsDue } from '../plan/due.ts';
import { NotWritten } from '../record/append.ts';
import { appendJournal, type NewRecord } from '../record/journal.ts';
import { takeLock } from '../record/lock.ts';
import { holderText, hoursOf } from './alone.ts';
import { type Loaded, loadConfig, openState, type Places, Stop } from './context.ts';
import { scheduleLooks } from './host/schedule.ts';
import { scheduleReports } from './report/later.ts';
import { noteConfigChange } from './round/config-change.ts';
import { waitLonger } from './round/longer.ts';
import { makeRound } from './round/round.ts';
import { tellerFor } from './round/tell.ts';
import { Timed } from './round/timed.ts';
import type { Terminal } from './terminal.ts';

/** @returns the exit status once it has been told to stop */
export async function runDaemon(terminal: Terminal, places: Places): Promise<number> {
  // To stderr and at once: what is logged before a kill is there after it.
  const log = pino(
    { base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
  let loaded = await loadConfig(places.config);
  openState(places.state);
  const lock = await takeLock(places.state, 'run', 'check_rndtrip --daemon');
  if (!lock.held) throw new Stop(holderText(lock.holder, Date.now()));
  const note = (record: NewRecord) => journal(places.state, record, log);
  for (const { text } of loaded.warnings) log.warn(text);

  const stop = new AbortController();
  let underWay: Promise<unknown> = Promise.resolve();
  const telling: Telling = {
    underWay: Promise.resolve(),
    longer: Promise.resolve(),
    enough: new AbortController(),
    timed: new Timed(),
  };
  const task = createTask(
    '* * * * *',
    () => {
      const round = roundOf(new Date(), loaded, places, stop.signal, log, telling);
      underWay = round;
      return round;
    },
    { name: 'sequence', noOverlap: true, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone },
  );
  const skipped = (why: string) => () => {
    const paths = pathsDue(loaded.sequence, new Date().getMinutes(), hoursOf(Date.now()));
    if (paths.length === 0) return;
    log.warn({ paths }, why);
    note({ type: 'skip', by: 'daemon', why, paths });
  };
  task.on('execution:overlap', skipped('the round of an earlier minute is still under way'));
  task.on('execution:missed', skipped('this process did not get to run in its minute'));
  task.on('execution:failed', ({ execution }) => log.error(execution?.error?.stack ?? 'a round failed'));

  const report = (line: string) => log.info(line);
  const reports = await scheduleReports(places, loaded.site, report);
  const looks = await scheduleLooks(places, report);
  const hangUp = async () => {
    const fresh = await reloaded(loaded, places.config, log, note);
    if (fresh === loaded) return;
    loaded = fresh;
    noteConfigChange(places, line => log.error(line));
    await reports.renew(loaded.site);
    await looks.renew();
  };
  process.on('SIGHUP', () => void hangUp());
  await task.start();
  log.info({ config: places.config, state: places.state, entries: loaded.sequence.length }, 'started');
  note({ type: 'monitor', event: 'started', text: `check_rndtrip --daemon, process ${process.pid}` });
  noteConfigChange(places, line => log.error(line));

  await toldToStop(terminal, task, stop);
  telling.enough.abort();
  await looks.stop();
  await reports.stop();
  await underWay.catch(() => {});
  await telling.longer;
  await telling.underWay;
  note({ type: 'monitor', event: 'stopped', text: `check_rndtrip --daemon, process ${process.pid}` });
  log.info('stopped');
  lock.release();
  return 0;
}

/** What goes on after a round and holds up no later one. */
interface Telling {
  /** The alarms of earlier rounds, one after the other. */
  underWay: Promise<void>;
  /** Longer looks at silent doors. */
  longer: Promise<unknown>;
  /** Ends these. */
  readonly enough: AbortController;
  /** The rounds, for what goes on beside later ones. */
  readonly timed: Timed;
}

async function roundOf(
  now: Date,
  { site, sequence }: Loaded,
  places: Places,
  signal: AbortSignal,
  log: Logger,
  telling: Telling,
): Promise<void> {
  const paths = pathsDue(sequence, now.getMinutes(), hoursOf(now.getTime()));
  const say = (line: string) => log.warn(line);
  const teller = tellerFor(places, { site, sequence }, { trips: paths.length, say, signal, timed: telling.timed });
  const finish = () => {
    telling.underWay = telling.underWay.then(() => teller.finish());
  };
  if (paths.length === 0) {
    finish();
    return;
  }
  const records = await makeRound(paths, {
    by: 'daemon',
    site,
    state: places.state,
    signal,
    onTrip: record => {
      const { trip, verdict } = record;
      teller.heard(record);
      const facts = { trip: trip.id, path: trip.path, state: verdict.state, totalMs: trip.totalMs };
      if (verdict.state === 'ok') log.info(facts, verdict.text);
      else log.warn(facts, verdict.text);
    },
    onNotWritten: message => log.error(message),
  });
  finish();
  const again = async () => {
    const signal = telling.enough.signal;
    const changed = await waitLonger(records, {
      site,
      state: places.state,
      signal,
      onNotWritten: message => log.error(message),
    });
    if (changed === undefined) return;
    log.warn(`after a longer look: ${changed}`);
    finish();
  };
  telling.longer = Promise.all([telling.longer, again()]);
}

async function reloaded(old: Loaded, folder: string, log: Logger, note: (record: NewRecord) => void): Promise<Loaded> {
  try {
    const fresh = await loadConfig(folder);
    log.info({ entries: fresh.sequence.length }, 'config read again');
    note({ type: 'monitor', event: 'reloaded', text: `${fresh.sequence.length} entries` });
    return fresh;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.error(`keeping the old config: ${why}`);
    note({ type: 'monitor', event: 'kept old config', text: why });
    return old;
  }
}

/** Resolves at SIGTERM or SIGINT; a second one cuts off what is under way. */
function toldToStop(terminal: Terminal, task: ScheduledTask, stop: AbortController): Promise<void> {
  return new Promise(resolve => {
    let told = 0;
    const stopNow = (name: string) => {
      told += 1;
      if (told > 1) stop.abort();
      else {
        terminal.say(`${name}: stopping when what is under way is done (once more: at once)`);
        void Promise.resolve(task.stop()).then(() => resolve());
      }
    };
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stopNow(name));
  });
}

function journal(state: string, record: NewRecord, log: Logger): void {
  try {
    appendJournal(state, record, Date.now());
  } catch (error) {
    if (!(error instanceof NotWritten)) throw error;
    log.error(error.message);
  }
}
