// What every command that measures begins with: the config checked, the state folder known, a signal that SIGTERM pulls.

import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sequence } from '../model/sequence.ts';
import type { Site } from '../model/site.ts';
import { reason } from '../record/append.ts';
import { makeFolder } from '../record/folder.ts';
import type { Problem } from '../site/problem.ts';
import type { Terminal } from './terminal.ts';

/** A command cannot go on; the message is for the user, the status is the process'. */
export class Stop extends Error {
  readonly status: number;
  constructor(message: string, status = 3) {
    super(message);
    this.status = status;
  }
}

export interface Places {
  readonly config: string;
  readonly state: string;
}

/** The folder that holds bin/, etc/ and the rest. */
export function projectRoot(): string {
  let folder = dirname(realpathSync(fileURLToPath(import.meta.url)));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** `--config`, else $HEALTHMON_CONFIG, else etc/ of the project; `--state`, else $HEALTHMON_STATE, else var/. Absolute. */
export function placesOf(options: { config?: string; state?: string }, env: NodeJS.ProcessEnv = process.env): Places {
  return {
    config: resolve(options.config ?? env.HEALTHMON_CONFIG ?? join(projectRoot(), 'etc')),
    state: resolve(options.state ?? env.HEALTHMON_STATE ?? join(projectRoot(), 'var')),
  };
}

export interface Loaded {
  readonly site: Site;
  readonly sequence: Sequence;
  readonly warnings: readonly Problem[];
}

/**
 * Reads and checks the config. Secrets are read when they are used: one that cannot be had makes its trips `unknown`.
 *
 * @throws {Stop} with every problem when there is an error among them
 */
export async function loadConfig(folder: string): Promise<Loaded> {
  // Loaded here: commands that need no site.cfg are not to wait for its reader.
  const [{ loadSite }, { formatProblems }] = await Promise.all([import('../site/load.ts'), import('../site/problem.ts')]);
  const { site, sequence, problems } = await loadSite(folder, { secrets: false });
  if (site === undefined || sequence === undefined) {
    const count = problems.filter(({ severity }) => severity === 'error').length;
    throw new Stop(
      `${formatProblems(problems)}\nCannot use the config in ${folder}: ${count} ${count === 1 ? 'error' : 'errors'}`,
    );
  }
  return { site, sequence, warnings: problems };
}

/**
 * Makes the state folder (0750) where it is missing. A disk that has become read-only is no reason not to measure: what cannot be
 * written is told by whoever had to.
 *
 * @throws {Stop} when it cannot be written
 */
export function openState(folder: string): void {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EROFS' && existsSync(folder)) return;
    throw new Stop(`Cannot write the state folder ${folder}: ${reason(error)}; name another with --state or $HEALTHMON_STATE`);
  }
}

/** Aborted by SIGTERM, SIGINT and SIGHUP: what is under way ends at once and is recorded. A second signal kills as usual. */
export function stopSignal(terminal: Terminal): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(name, () => {
      terminal.say(`${name}: stopping`);
      controller.abort();
    });
  }
  return controller.signal;
}
