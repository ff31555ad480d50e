// Why a secret cannot be had. Its words never hold the secret: they name where it was looked for, and what stands in the way.

import { LocalProblem } from '../model/endpoint.ts';
import { printable } from '../model/printable.ts';

/** Our own fault, never a server's; `remedy` says what to do. */
export class SecretProblem extends LocalProblem {
  override name = 'SecretProblem';
  readonly remedy: string | undefined;

  constructor(text: string, remedy?: string) {
    super(printable(text, 600));
    this.remedy = remedy;
  }
}

/** The system's reason in words: `no such file`. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return REASONS[code] ?? code;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ELOOP: 'too many symbolic links',
  EEXIST: 'something else has this name',
  EIO: 'input/output error',
  ENOSPC: 'no space left on the disk',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  ENXIO: 'it is a socket or device',
  ENAMETOOLONG: 'the name is too long',
  ERR_INVALID_ARG_VALUE: 'the path is not valid',
};
