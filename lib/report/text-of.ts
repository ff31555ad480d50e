// The text of a table, or why there is none. A file that is there and cannot be read keeps no report back: it is told in it.

import { readFileSync } from 'node:fs';
import { reason } from '../record/append.ts';

/** A file that is not there is an empty one. */
export function textOf(file: string): { readonly text: string; readonly why?: string } {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    return isMissing(error) ? { text: '' } : { text: '', why: reason(error) };
  }
}

/** Whether the system said so, and not this program. */
export function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'code' in error;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
