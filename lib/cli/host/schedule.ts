// Looks at this host by the daemon, where host.cfg asks for them: `healthmon hostcheck` as crontab would start it, in a process of its
// own, so that no trip that is timed has to wait for it, and nothing that hangs there hangs the daemon.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTask, type ScheduledTask } from 'node-cron';
import { type Places, projectRoot } from '../context.ts';

type Say = (line: string) => void;

/** Beyond what a look and its alarms may take by themselves; ms. */
const DEADLINE_MS = 300_000;

export interface LookSchedule {
  /** Goes by what host.cfg says now. */
  renew(): Promise<void>;
  /** Ends it; a look that is under way is told to stop. */
  stop(): Promise<void>;
}

/**
 * @param command what looks: healthmon, but for tests
 */
export async function scheduleLooks(
  places: Places,
  say: Say,
  command: readonly [string, ...string[]] = [process.execPath, join(projectRoot(), 'bin', 'healthmon')],
): Promise<LookSchedule> {
  let task: ScheduledTask | undefined;
  let child: ChildProcess | undefined;

  async function renew(): Promise<void> {
    const everyMinutes = await wanted(places.config, say);
    // Said, and the schedule goes on as it was.
    if (everyMinutes === undefined) return;
    await task?.destroy();
    task = undefined;
    if (everyMinutes === 0) return;
    const minutes = everyMinutes === 60 ? '0' : `*/${everyMinutes}`;
    task = createTask(`${minutes} * * * *`, () => look(), {
      name: 'hostcheck',
      noOverlap: true,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    });
    await task.start();
  }

  function look(): Promise<void> {
    const [program, ...args] = command;
    return new Promise(resolve => {
      const started = spawn(program, [...args, 'hostcheck', '--config', places.config, '--state', places.state], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      const timer = setTimeout(() => started.kill('SIGKILL'), DEADLINE_MS);
      for (const stream of [started.stdout, started.stderr])
        createInterface({ input: stream }).on('line', line => say(`hostcheck: ${line}`));
      const end = () => {
        clearTimeout(timer);
        child = undefined;
        resolve();
      };
      started.on('error', error => {
        say(`hostcheck cannot be started: ${error.message}`);
        end();
      });
      started.on('close', end);
    });
  }

  await renew();
  return {
    renew,
    async stop() {
      await task?.destroy();
      child?.kill('SIGTERM');
    },
  };
}

/** Minutes between two looks, 0 for none; undefined, and said, when host.cfg cannot be used. */
async function wanted(config: string, say: Say): Promise<number | undefined> {
  try {
    const { hostConfig } = await import('./host.ts');
    return (await hostConfig(config)).everyMinutes;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
