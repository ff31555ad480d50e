// Small files of the system (/proc, /sys, /etc): read whole, with an answer in place of an exception.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** The text, or undefined when it cannot be read, for whatever reason: /proc entries come and go. */
export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}

/** The text and, when there is none, the system's code: `ENOENT`, `EACCES`. */
export function readOr(file: string): { readonly text: string } | { readonly code: string } {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    return { code: codeOf(error) };
  }
}

/** The system's code of an error; empty when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The first bytes of a file; undefined when it cannot be read. */
export function headOf(file: string, bytes: number, into?: Buffer): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch {
    return undefined;
  }
  try {
    const buffer = into ?? Buffer.allocUnsafe(bytes);
    return buffer.subarray(0, readSync(fd, buffer, 0, bytes, 0));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** `name value` lines, as /proc/vmstat and cgroup files have them. */
export function counters(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const blank = line.indexOf(' ');
    if (blank > 0) found.set(line.slice(0, blank), Number(line.slice(blank + 1)));
  }
  return found;
}

/** A property of something that was read back from JSON; undefined when it is not there or of another type. */
export function kept(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

export function keptNumber(value: unknown, key: string): number | undefined {
  const found = kept(value, key);
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}
