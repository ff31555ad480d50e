// What a hostile case is: what a peer does, what our side says to it, and what must come of it.

import type { FaultKind, PhaseName } from '../../lib/model/dialog.ts';
import type { Protocol, Security } from '../../lib/model/endpoint.ts';

/** Our side of a case, as data: it is run in the tests' own process, and in one that is weighed. */
export interface Client {
  readonly protocol: Protocol;
  readonly security: Security;
  /** SMTP: a message that fills every buffer on the way. */
  readonly large?: boolean;
  /** The mechanism of the log-in, where it matters; `none` is without a log-in. */
  readonly login?: 'plain' | 'login' | 'xoauth2' | 'none';
  /** Another client of the same protocol: the second opinion of look.ts and look-pop3.ts. */
  readonly second?: boolean;
}

export interface Failing {
  /** Where there are two, the kernel decides which: a reset may overtake the accept that it follows. */
  readonly phase: PhaseName | readonly PhaseName[];
  readonly kind: FaultKind | readonly FaultKind[];
  readonly lasting?: 'transient' | 'permanent' | 'unknown';
  /** Stands in the fault's text. */
  readonly says?: string;
  /** It ends long before the deadline: nothing is waited for that cannot come. */
  readonly atOnce?: boolean;
}

/** The dialog ends well all the same. */
export type Wanted = Failing | 'answered';

export interface HostilePeer {
  readonly port: number;
  /** All that was heard, line by line, or packet by packet. */
  readonly heard: readonly string[];
  stop(): Promise<void>;
}

export interface Case {
  /** What the peer does, in the words of a table. */
  readonly name: string;
  readonly client: Client;
  readonly deadlineMs: number;
  readonly start: () => Promise<HostilePeer>;
  readonly wanted: Wanted;
  /** Sends without end or by the megabyte: weighed in a process of its own as well. */
  readonly heavy?: boolean;
  /** No password may have gone out. */
  readonly noSecret?: boolean;
}

/** Of a case that waits until its end, and of one that ends before: that it did not wait shows in its kind and in its time. */
export function deadlineOf(wanted: Wanted): number {
  return wanted === 'answered' ? 3000 : wanted.atOnce === true ? 1000 : 300;
}
