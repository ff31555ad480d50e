// Appending whole lines to a file that others append to as well, so that a kill, a full disk or a second writer never makes a
// line that is half one thing and half another.
//
// One write per line (O_APPEND: the kernel keeps writers apart on a local disk; NFS does not promise it). A short write gives no
// error in Node, so the count is checked. What a dead writer left without a line end is closed off by the next one before it
// writes: the fragment stands on a line of its own, which no reader takes for a row.

import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './folder.ts';

/** A row could not be kept whole. The caller tells the user; the data is still in its hands. */
export class NotWritten extends Error {
  override name = 'NotWritten';
  readonly file: string;
  constructor(file: string, why: string) {
    super(`Cannot write ${file}: ${why}`);
    this.file = file;
  }
}

/**
 * Appends one line; `line` has no line end of its own. Creates the folder (0750) and the file (0640).
 *
 * @throws {NotWritten} when the disk is full, the file cannot be opened, or only a part could be written
 */
export function appendLine(file: string, line: string): void {
  if (/[\r\n]/.test(line)) throw new NotWritten(file, 'a line end inside a line');
  appendText(file, `${line}\n`);
}

/** Appends text that ends with a line end, in one write. */
function appendText(file: string, text: string): void {
  let fd: number;
  try {
    makeFolder(dirname(file));
    fd = openSync(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o640);
  } catch (error) {
    throw new NotWritten(file, reason(error));
  }
  try {
    const bytes = Buffer.from(endsWithLine(fd) ? text : `\n${text}`);
    const written = writeSync(fd, bytes);
    if (written !== bytes.length) throw new NotWritten(file, `the disk took only ${written} of ${bytes.length} bytes (full?)`);
  } catch (error) {
    throw error instanceof NotWritten ? error : new NotWritten(file, reason(error));
  } finally {
    closeSync(fd);
  }
}

/** Whether the file is empty or its last byte is a line end. */
function endsWithLine(fd: number): boolean {
  const { size } = fstatSync(fd);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  return readSync(fd, last, 0, 1, size - 1) === 0 || last[0] === 0x0a;
}

/** The system's reason in words, without the path that Node repeats. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOSPC':
      return 'no space left on the disk (ENOSPC)';
    case 'EDQUOT':
      return 'disk quota exceeded (EDQUOT)';
    case 'EROFS':
      return 'the file system is read-only (EROFS)';
    case 'EACCES':
    case 'EPERM':
      return `permission denied (${code})`;
    case 'ELOOP':
      return 'it is a symbolic link (ELOOP)';
    default:
      return code !== '' ? code : error instanceof Error ? error.message : String(error);
  }
}
