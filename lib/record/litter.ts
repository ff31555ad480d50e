// What killed processes leave beside the files that they were replacing: `state.json.4711.1f3a9c02.new`. Nobody reads it, and a
// machine that is killed often would fill its disk with it.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './lock.ts';
import { removeQuietly } from './replace.ts';

/** A replacement takes milliseconds; what is this old is of a process that is gone, even if its number has been given anew. ms */
const OLD_MS = 3_600_000;
/** Where the state folder has many files that are never replaced. */
const NOT_IN: ReadonlySet<string> = new Set(['journal']);

/**
 * Removes half-finished files that are over an hour old and whose process has ended. Quiet about what cannot be removed: that harms
 * nobody, and whoever has to write there will say so.
 *
 * @param at wall clock, epoch ms
 */
export function removeLitter(state: string, at: number): void {
  for (const folder of ['', ...foldersIn(state), ...foldersIn(state).flatMap(name => foldersIn(state, name))]) {
    for (const name of namesIn(join(state, folder))) {
      const pid = /\.(\d+)(\.[0-9a-f]+)?\.new$/.exec(name)?.[1];
      if (pid !== undefined) removeOld(join(state, folder, name), Number(pid), at);
    }
  }
}

function removeOld(file: string, pid: number, at: number): void {
  const madeAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? at;
  if (at - madeAt > OLD_MS && (pid === process.pid || !isAlive({ pid }))) removeQuietly(file);
}

function foldersIn(state: string, folder = ''): readonly string[] {
  try {
    return readdirSync(join(state, folder), { withFileTypes: true })
      .filter(each => each.isDirectory() && !NOT_IN.has(each.name))
      .map(each => join(folder, each.name));
  } catch {
    return [];
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
