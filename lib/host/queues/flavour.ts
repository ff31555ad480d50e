// What each MTA's queue reader is: a walk that feeds a tally, and what could not be walked.

import type { Missing } from '../../model/reading.ts';
import type { Run } from '../program.ts';
import type { QueuePlace } from './places.ts';
import type { Tally } from './tally.ts';

/** What a reader is given. */
export interface Reading {
  readonly root: string;
  readonly place: QueuePlace;
  readonly tally: Tally;
  readonly run: Run;
  /** Now, epoch ms. */
  readonly at: number;
  /** False: time is up, what has been counted so far must do. */
  readonly goOn: () => boolean;
}

export type ReadQueue = (reading: Reading) => Promise<readonly Missing[]>;

/** Envelopes are at the beginning of queue files: so much of one is read at most. */
export const HEAD_BYTES = 8192;

/** What to say of folders that we may not read; `remedy` is what would let us. */
export function denied(folders: readonly string[], remedy: string): readonly Missing[] {
  if (folders.length === 0) return [];
  return [{ what: `messages in ${folders.join(', ')}`, why: 'this user may not read them', remedy }];
}
