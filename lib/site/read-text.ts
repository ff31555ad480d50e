// A config file's bytes, fetched with care: a missing file, a folder, a pipe, a giant or a file in another encoding is a problem
// with a remedy and never an exception. Files of this size are read at once: going through threads takes longer than reading them.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { byteLines, isUtf16, utf8 } from './encoding.ts';
import type { Reporter } from './problem.ts';
import { reason } from './secret-problem.ts';

const MAX_BYTES = 1024 * 1024;
const TOP = { line: 1, column: 1 };

export const UTF16_REMEDY = 'save it as UTF-8: iconv -f utf-16 -t utf-8';

interface ConfigBytes {
  readonly bytes: Buffer;
  /** Whether anybody at all may write to it. */
  readonly isOpenToAll: boolean;
}

/**
 * The bytes of a config file, or undefined after a problem has been noted.
 *
 * @param ifMissing what to do when there is no such file.
 */
export function readConfigFile(path: string, report: Reporter, ifMissing: string): ConfigBytes | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = fstatSync(fd);
    if (!facts.isFile()) {
      report.error(TOP, 'cannot read the file: it is not a regular file');
      return undefined;
    }
    if (facts.size > MAX_BYTES) {
      report.error(
        TOP,
        `cannot read the file: it has ${facts.size} bytes, more than the ${MAX_BYTES} that a config file may have`,
      );
      return undefined;
    }
    return { bytes: readFileSync(fd), isOpenToAll: (facts.mode & 0o002) !== 0 };
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing) report.error(TOP, 'there is no such file', ifMissing);
    else report.error(TOP, `cannot read the file: ${reason(error)}`);
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The text of a file that must be UTF-8 throughout, or undefined after a problem at its first wrong line has been noted. */
export function decodeUtf8(bytes: Buffer, report: Reporter): string | undefined {
  const text = utf8(bytes);
  if (text !== undefined) return text;
  if (isUtf16(bytes)) {
    report.error(TOP, 'expected UTF-8: found UTF-16', UTF16_REMEDY);
    return undefined;
  }
  const wrong = byteLines(bytes).findIndex(line => utf8(line) === undefined);
  report.error(
    { line: wrong + 1, column: 1 },
    'expected UTF-8: found bytes in another encoding',
    'if it is Latin-1: iconv -f latin1 -t utf-8',
  );
  return undefined;
}
