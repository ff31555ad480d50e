// Files that are replaced as a whole: written beside, forced to disk, renamed. A reader sees the old text or the new one.

import { randomBytes } from 'node:crypto';
import { closeSync, fsync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { NotWritten, reason } from './append.ts';
import { makeFolder } from './folder.ts';

const sync = promisify(fsync);

/**
 * Puts `text` in the place of the file, whole or not at all. The folder is forced to disk as well, so that the new name survives a
 * power cut.
 *
 * @param mode 0600 unless others are to read it; the process' umask takes away from it
 * @throws {NotWritten} and leaves the old file as it was
 */
export function replaceFile(file: string, text: string, mode = 0o600): void {
  replace(file, text, { mode, force: true });
}

/**
 * The same without forcing the disk, which takes milliseconds in which nothing in this process goes on: for what may be lost in a
 * power cut. A reader sees the old text or the new one, also after a kill; after a power cut the file may be old, or empty.
 *
 * @throws {NotWritten} and leaves the old file as it was
 */
export function replaceUnforced(file: string, text: string): void {
  replace(file, text, { mode: 0o600, force: false });
}

/**
 * As `replaceFile`, but this process goes on while the disk is forced: trips beside are being timed. Resolves when it is there.
 *
 * @throws {NotWritten} and leaves the old file as it was
 */
export async function replaceMeanwhile(file: string, text: string): Promise<void> {
  const beside = nameBeside(file);
  try {
    const fd = openWritten(file, beside, text, 0o600);
    try {
      await sync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, file);
    const folder = openSync(dirname(file), 'r');
    try {
      await sync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    removeQuietly(beside);
    throw error instanceof NotWritten ? error : new NotWritten(file, reason(error));
  }
}

function replace(file: string, text: string, { mode, force }: { readonly mode: number; readonly force: boolean }): void {
  const beside = nameBeside(file);
  try {
    const fd = openWritten(file, beside, text, mode);
    try {
      if (force) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, file);
    if (force) syncFolder(dirname(file));
  } catch (error) {
    removeQuietly(beside);
    throw error instanceof NotWritten ? error : new NotWritten(file, reason(error));
  }
}

/** By chance, not by counting: in a container the next process often has the same number, and meets what a kill has left. */
function nameBeside(file: string): string {
  return `${file}.${process.pid}.${randomBytes(4).toString('hex')}.new`;
}

/** A new file with the text in it, still open. */
function openWritten(file: string, beside: string, text: string, mode: number): number {
  makeFolder(dirname(file));
  const fd = openSync(beside, 'wx', mode);
  try {
    const bytes = Buffer.from(text);
    const written = writeSync(fd, bytes);
    if (written !== bytes.length) throw new NotWritten(file, `the disk took only ${written} of ${bytes.length} bytes (full?)`);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Removes a file that nobody would miss; whoever has to write beside it will say what is wrong with the disk. */
export function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // it stays
  }
}

/** Gives a file that cannot be read another name, so that it can be looked at and is not in the way; quiet where that cannot be done. */
export function putAside(file: string): void {
  try {
    renameSync(file, `${file}.unreadable`);
  } catch {
    // it will be written over
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
