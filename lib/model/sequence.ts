// etc/sequence.cfg after reading: which path is due in which minute of the hour.

import type { Path } from './trip.ts';

export interface SequenceEntry {
  /** 0 to 59. */
  readonly minute: number;
  readonly account: string;
  readonly mta: string;
  readonly mmp: string;
  /** Absent: POP3 and IMAP take turns, hour by hour. */
  readonly mailbox?: Path['mailbox'];
  /** Where it stands, for messages. */
  readonly line: number;
}

export type Sequence = readonly SequenceEntry[];
