// What the report needs besides `-r`: letters that could not be mailed are tried again by the runs that measure, after they have measured;
// and the daemon makes the report of the day by itself, in a process of its own, so that nothing that is timed has to wait.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ScheduledTask } from 'node-cron';
import type { Site } from '../../model/site.ts';
import { takeLock } from '../../record/lock.ts';
import { type Places, projectRoot } from '../context.ts';

type Say = (line: string) => void;

/** So long a run that has measured goes on for letters; ms. */
const WITHIN_MS = 30_000;

/**
 * Tries the letters whose time has come. Without any it costs a look into a folder.
 *
 * Never rejects: what cannot be sent or noted is said, and stays in the outbox.
 */
export async function retryReports(places: Places, site: Site, say: Say): Promise<void> {
  if (!existsSync(join(places.state, 'report', 'outbox'))) return;
  try {
    const [{ Outbox, isUndelivered }, { loadReportConfig }, { deliver }, { sendOver }] = await Promise.all([
      import('../../report/outbox.ts'),
      import('../../report/config.ts'),
      import('../../report/deliver.ts'),
      import('../../report/relay.ts'),
    ]);
    const outbox = new Outbox(places.state);
    const now = Date.now();
    if (!outbox.waiting().some(({ nextAt }) => nextAt <= now)) return;
    const { config } = await loadReportConfig(places.config, site);
    if (config?.relay === undefined) return;
    const lock = await takeLock(places.state, 'report', 'letters that wait');
    if (!lock.held) return;
    try {
      const send = sendOver(config.relay, AbortSignal.timeout(WITHIN_MS));
      const tried = await deliver({ outbox, send, at: now, onlyDue: true });
      for (const entry of tried.filter(isUndelivered))
        say(`The report ${entry.title} still waits for its way out (${entry.attempts} attempts): healthmon report send`);
    } finally {
      lock.release();
    }
  } catch (error) {
    say(`Reports: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export interface ReportSchedule {
  /** Goes by what alarms.cfg says now. */
  renew(site: Site): Promise<void>;
  /** Ends it; a report that is being made is told to stop, and waited for. */
  stop(): Promise<void>;
}

/**
 * Makes the report of the day at its time, at once when that time has passed without one, and tries letters that wait every five minutes.
 *
 * @param command what makes a report: check_rndtrip, but for tests
 */
export async function scheduleReports(
  places: Places,
  site: Site,
  say: Say,
  command: readonly [string, ...string[]] = [process.execPath, join(projectRoot(), 'bin', 'check_rndtrip')],
): Promise<ReportSchedule> {
  const [{ createTask }, { loadReportConfig }, { isOverdue, madeDays }] = await Promise.all([
    import('node-cron'),
    import('../../report/config.ts'),
    import('../../report/made.ts'),
  ]);
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  let tasks: readonly ScheduledTask[] = [];
  let making: { readonly child: ChildProcess; readonly ended: Promise<void> } | undefined;
  let minute = 4;

  function make(): Promise<void> {
    if (making !== undefined) return making.ended;
    const child = startReport(command, places, say);
    const ended = endOf(child, say).then(() => {
      making = undefined;
    });
    making = { child, ended };
    return ended;
  }
  async function makeOverdue(): Promise<void> {
    if (isOverdue(madeDays(places.state), minute, Date.now())) await make();
  }
  async function clear(): Promise<void> {
    for (const task of tasks) await task.destroy();
    tasks = [];
  }
  async function renew(newSite: Site): Promise<void> {
    await clear();
    const { config, problems } = await loadReportConfig(places.config, newSite);
    for (const { file, line, text } of problems) say(`${file}:${line}: ${text}`);
    minute = config?.minute ?? minute;
    const again = async () => {
      await makeOverdue();
      await retryReports(places, newSite, say);
    };
    tasks = [
      createTask(`${minute % 60} ${Math.floor(minute / 60)} * * *`, make, { name: 'report', noOverlap: true, timezone }),
      createTask('2-59/5 * * * *', again, { name: 'letters', noOverlap: true, timezone }),
    ];
    for (const task of tasks) await task.start();
  }

  await renew(site);
  void makeOverdue();
  return {
    renew,
    async stop() {
      await clear();
      making?.child.kill('SIGTERM');
      await making?.ended;
    },
  };
}

/** `check_rndtrip -r`, as cron would start it. */
function startReport([program, ...args]: readonly [string, ...string[]], { config, state }: Places, say: Say): ChildProcess {
  const child = spawn(program, [...args, '-r', '--config', config, '--state', state], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', line => say(line));
  return child;
}

/** Never rejects: what kept it from starting is said. */
function endOf(child: ChildProcess, say: Say): Promise<void> {
  return new Promise(resolve => {
    child.on('error', error => {
      say(`Cannot make the report: ${error.message}`);
      resolve();
    });
    child.on('close', () => resolve());
  });
}
