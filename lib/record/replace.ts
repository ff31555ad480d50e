// Files that are replaced as a whole: written beside, forced to disk, renamed. A reader sees the old text or the new one.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { NotWritten, reason } from './append.ts';
import { makeFolder } from './folder.ts';

let serial = 0;

/**
 * Puts `text` in the place of the file, whole or not at all; mode 0600. The folder is forced to disk as well, so that the new
 * name survives a power cut.
 *
 * @throws {NotWritten} and leaves the old file as it was
 */
export function replaceFile(file: string, text: string): void {
  serial += 1;
  const beside = `${file}.${process.pid}.${serial}.new`;
  try {
    makeFolder(dirname(file));
    const fd = openSync(beside, 'wx', 0o600);
    try {
      const bytes = Buffer.from(text);
      const written = writeSync(fd, bytes);
      if (written !== bytes.length) throw new NotWritten(file, `the disk took only ${written} of ${bytes.length} bytes (full?)`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, file);
    syncFolder(dirname(file));
  } catch (error) {
    rmSync(beside, { force: true });
    throw error instanceof NotWritten ? error : new NotWritten(file, reason(error));
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
