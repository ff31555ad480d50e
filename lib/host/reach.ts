// Which mounts answer. A dead network mount holds whoever asks it, and a thread of Node that hangs there keeps the process from ending:
// so each mount of a kind that can hang is asked first, once for all checks of a run, by stat(1) in a process of its own that is left
// behind at its deadline. What lies on one that does not answer is then not touched.
//
// Known: a mount that dies in the second between the question and the reading still holds us.

import { existsSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Run } from './program.ts';
import { textOf } from './source.ts';
import { type Mount, mayHang, mountOf, parseMounts } from './sys/mounts.ts';

/** The mount that does not answer and that a path leads to, symbolic links followed; undefined: it can be asked. */
export type DeadOn = (path: string) => Mount | undefined;

/** For each mount, all at the same time. ms */
const DEADLINE_MS = 5000;
/** A host with more has an automounter for home directories: mail does not lie on them all. */
const MOST_ASKED = 100;
const MOST_LINKS = 40;

export interface Reach {
  readonly deadOn: DeadOn;
  /** All that do not answer. */
  readonly dead: readonly Mount[];
}

export async function reachOf(root: string, run: Run): Promise<Reach> {
  const mounts = parseMounts(textOf(join(root, 'proc/self/mountinfo')) ?? '');
  // What autofs has mounted is asked by its own type; to ask autofs itself would only make it mount more.
  const doubtful = mounts.filter(({ type }) => mayHang(type) && type !== 'autofs').slice(0, MOST_ASKED);
  const dead = new Set<Mount>();
  await Promise.all(
    doubtful.map(async mount => {
      const asked = await run(['stat', '-f', '-c', '%T', '--', mount.at], { deadlineMs: DEADLINE_MS });
      if (asked.ended === 'late') dead.add(mount);
    }),
  );
  if (dead.size === 0) return { deadOn: () => undefined, dead: [] };
  return { deadOn: path => deadMountOf(root, path, mounts, dead), dead: [...dead] };
}

/** Follows a path step by step, and never asks a mount that does not answer. */
function deadMountOf(root: string, path: string, mounts: readonly Mount[], dead: ReadonlySet<Mount>): Mount | undefined {
  const left = path.split('/').filter(part => part !== '');
  let here = '/';
  let links = 0;
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    here = resolve(here, part);
    const mount = mountOf(here, mounts);
    if (mount !== undefined && dead.has(mount)) return mount;
    const target = linkTarget(join(root, here));
    if (target === undefined || links >= MOST_LINKS) continue;
    links += 1;
    left.unshift(
      ...resolve(dirname(here), target)
        .split('/')
        .filter(each => each !== ''),
    );
    here = '/';
  }
  return undefined;
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

export function deadText({ at, type }: Mount): string {
  return `${at} (${type}) does not answer in ${DEADLINE_MS / 1000} s`;
}

/** Whether something is there; what cannot be asked is taken to be. */
export function isThere({ root, deadOn }: { readonly root: string; readonly deadOn: DeadOn }, path: string): boolean {
  return deadOn(path) !== undefined || existsSync(join(root, path));
}
