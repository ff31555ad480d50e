// What the report needs besides `-r`: letters that could not be mailed are tried again by the runs that measure, after they have measured;
// and the daemon makes the report of the day by itself, in a process of its own, so that nothing that is timed has to wait.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTask, type ScheduledTask } from 'node-cron';
import type { Site } from '../../model/site.ts';
import { takeLock } from '../../record/lock.ts';
import type { Places } from '../context.ts';

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

/** Makes the report of the day at its time, and tries letters that wait every five minutes. @returns the tasks, to be stopped */
export async function scheduleReports(places: Places, site: Site, say: Say): Promise<readonly ScheduledTask[]> {
  const { loadReportConfig } = await import('../../report/config.ts');
  const { config, problems } = await loadReportConfig(places.config, site);
  for (const { file, line, text } of problems) say(`${file}:${line}: ${text}`);
  const minute = config?.minute ?? 4;
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const tasks = [
    createTask(`${minute % 60} ${Math.floor(minute / 60)} * * *`, () => makeReport(places, say), {
      name: 'report',
      noOverlap: true,
      timezone,
    }),
    createTask('2-59/5 * * * *', () => retryReports(places, site, say), { name: 'letters', noOverlap: true, timezone }),
  ];
  for (const task of tasks) await task.start();
  return tasks;
}

/** `check_rndtrip -r`, as cron would start it. Never rejects. */
function makeReport({ config, state }: Places, say: Say): Promise<void> {
  const program = process.argv[1];
  if (program === undefined) return Promise.resolve();
  return new Promise(resolve => {
    let child: ChildProcess;
    try {
      child = spawn(process.execPath, [program, '-r', '--config', config, '--state', state], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    } catch (error) {
      say(`Cannot make the report: ${String(error)}`);
      resolve();
      return;
    }
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', line => say(line));
    }
    child.on('error', error => say(`Cannot make the report: ${error.message}`));
    child.on('close', () => resolve());
  });
}
