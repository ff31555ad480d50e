// Walks queue folders: names only, as a stream, however many there are. A folder or file that vanishes meanwhile is normal.

import { opendirSync } from 'node:fs';
import { codeOf } from '../source.ts';

/** Enough for one system call to fill. */
const BUFFER = 1024;

/** What became of a folder: `absent` is no trouble. */
export type Walked = 'walked' | 'absent' | 'denied' | { readonly why: string };

/**
 * Calls `each` for every name in the folder but `.` and `..`, in the order of the disk.
 *
 * @param goOn asked now and then; false ends the walk
 */
export function walk(folder: string, each: (name: string) => void, goOn: () => boolean): Walked {
  try {
    const dir = opendirSync(folder, { bufferSize: BUFFER });
    try {
      let seen = 0;
      for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
        each(entry.name);
        seen += 1;
        if (seen % 16_384 === 0 && !goOn()) break;
      }
    } finally {
      dir.closeSync();
    }
    return 'walked';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent';
    return code === 'EACCES' || code === 'EPERM' ? 'denied' : { why: code };
  }
}

/** The names in a folder, not many more than `most`; none when it cannot be read. */
export function namesIn(folder: string, most = 10_000): readonly string[] {
  const names: string[] = [];
  walk(
    folder,
    name => names.push(name),
    () => names.length < most,
  );
  return names;
}
