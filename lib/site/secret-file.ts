// A secret in a file: refused unless nobody but its owner can read or change it, or put another one in its place.

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { reason, SecretProblem } from './secret-problem.ts';

const MAX_BYTES = 64 * 1024;

/**
 * The bytes of a secret file, at most 64 KiB.
 *
 * What is checked is what is read: the file is opened first and judged by its open handle. A symbolic link is followed; then
 * both the folder of the link and the folder of its target must be safe.
 *
 * @param options.isPrivate false for a systemd credential, whose folder and mode are systemd's own affair.
 * @param options.make a command whose output the file should be, told when the file is missing; else what is typed.
 * @throws {SecretProblem} when it is missing, not a regular file, empty, too large, of another owner than us or root, readable
 *   or writable by group or others, or in a folder that group or others may write to (a sticky one is taken).
 */
export function readSecretFile(path: string, options: { readonly isPrivate: boolean; readonly make?: string }): Buffer {
  let fd: number;
  try {
    // Without O_NONBLOCK a named pipe would hold us up for ever, before we could see what it is.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new SecretProblem(`Cannot read secret file ${path}: ${reason(error)}`, missingRemedy(path, error, options.make));
  }
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) throw new SecretProblem(`Cannot use secret file ${path}: it is not a regular file`);
    if (options.isPrivate) {
      checkFile(path, facts);
      checkFolders(path);
    }
    if (facts.size > MAX_BYTES)
      throw new SecretProblem(
        `Cannot use secret file ${path}: it has ${facts.size} bytes, more than the ${MAX_BYTES} that a secret may have`,
      );
    return readAll(fd, path);
  } finally {
    closeSync(fd);
  }
}

function missingRemedy(path: string, error: unknown, make = 'cat'): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const typed = make === 'cat' ? ', then type the secret, Enter, Ctrl-D' : '';
  if (code === 'ENOENT') return `make it without the secret on a command line: (umask 077; ${make} > ${quoted(path)})${typed}`;
  if (code === 'EACCES') return 'run as the user that owns it, or give it to the user that runs this';
  return undefined;
}

/** For a shell, ready to paste. */
function quoted(path: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function checkFile(path: string, { mode, uid }: Stats): void {
  if ((mode & 0o066) !== 0) {
    const able = (mode & 0o044) !== 0 ? 'read' : 'written';
    throw new SecretProblem(
      `Cannot use secret file ${path}: it can be ${able} by group or others (mode ${octal(mode)})`,
      `chmod 600 ${quoted(path)}`,
    );
  }
  const us = process.getuid?.();
  if (us !== undefined && uid !== us && uid !== 0) {
    throw new SecretProblem(
      `Cannot use secret file ${path}: it belongs to user id ${uid}, neither to us (${us}) nor to root`,
      `chown ${us} ${quoted(path)}`,
    );
  }
}

/** Who may write to the folder may put another file in the secret's place. */
function checkFolders(path: string): void {
  let folders: string[];
  try {
    const isLink = lstatSync(path).isSymbolicLink();
    folders = isLink ? [dirname(path), dirname(realpathSync(path))] : [dirname(path)];
    for (const folder of folders) checkFolder(path, folder, statSync(folder));
  } catch (error) {
    if (error instanceof SecretProblem) throw error;
    throw new SecretProblem(`Cannot look at the folder of secret file ${path}: ${reason(error)}`);
  }
}

function checkFolder(path: string, folder: string, { mode }: Stats): void {
  const isSticky = (mode & 0o1000) !== 0;
  if ((mode & 0o022) !== 0 && !isSticky) {
    throw new SecretProblem(
      `Cannot use secret file ${path}: its folder ${folder} can be written to by group or others (mode ${octal(mode)})`,
      `chmod go-w ${quoted(folder)}`,
    );
  }
}

function readAll(fd: number, path: string): Buffer {
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  try {
    while (length < buffer.length) {
      const bytesRead = readSync(fd, buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
  } catch (error) {
    throw new SecretProblem(`Cannot read secret file ${path}: ${reason(error)}`);
  }
  if (length > MAX_BYTES)
    throw new SecretProblem(`Cannot use secret file ${path}: it has more than the ${MAX_BYTES} bytes that a secret may have`);
  return buffer.subarray(0, length);
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
