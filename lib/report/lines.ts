// The lines of a file, one at a time, in as much memory as one of them takes: a year of records is read this way.

import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK = 1024 * 1024;
/** No record of ours is a tenth of this; what is longer is no line but a damaged file. */
const LONGEST = 8 * 1024 * 1024;

/**
 * Yields each line without its end, the last one also when it has none. A line longer than 8 MB comes as its first byte only, which no
 * reader takes for anything.
 *
 * @returns nothing for a file that is not there
 * @throws the system's error when it cannot be read
 */
export function* linesOf(file: string): Generator<string> {
  const fd = openOrNone(file);
  if (fd === undefined) return;
  try {
    const chunk = Buffer.allocUnsafe(CHUNK);
    let pieces: Buffer[] = [];
    let length = 0;
    for (;;) {
      const bytes = readSync(fd, chunk, 0, CHUNK, null);
      if (bytes === 0) break;
      let from = 0;
      for (;;) {
        const end = chunk.indexOf(0x0a, from);
        if (end === -1 || end >= bytes) break;
        if (pieces.length === 0) yield chunk.toString('utf8', from, end);
        else {
          yield joined([...pieces, chunk.subarray(from, end)], length + end - from);
          pieces = [];
          length = 0;
        }
        from = end + 1;
      }
      if (from < bytes) {
        if (length < LONGEST) pieces.push(Buffer.from(chunk.subarray(from, bytes)));
        length += bytes - from;
      }
    }
    if (length > 0) yield joined(pieces, length);
  } finally {
    closeSync(fd);
  }
}

function joined(pieces: readonly Buffer[], length: number): string {
  return length > LONGEST ? (pieces[0]?.toString('latin1', 0, 1) ?? '') : Buffer.concat(pieces).toString('utf8');
}

function openOrNone(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
