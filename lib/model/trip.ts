// One message's journey along one path, as we performed and timed it.

import type { DialogRecord, Fault } from './dialog.ts';

/** The route a test message takes: one line of etc/sequence.cfg. Names are those of site.cfg, without their kind. */
export interface Path {
  /** `-u`: the account, named after its store in the seed. */
  readonly account: string;
  /** `-s`: an MTA, or a balancer in front of some. */
  readonly mta: string;
  /** `-p`: an MMP, or a balancer in front of some; `direct` for the store's own doors. */
  readonly mmp: string;
  readonly mailbox: 'pop3' | 'imap';
}

/** `ims1 via ssmtp01, smux01 imap`: a path in words. */
export function pathText(path: Path): string {
  return `${path.account} via ${path.mta}, ${path.mmp} ${path.mailbox}`;
}

/** One string per path, for keys of maps and names of locks. */
export function pathKey(path: Path): string {
  return `${path.account}+${path.mta}+${path.mmp}+${path.mailbox}`;
}

/** Steps of a trip that we perform, in the order in which they begin. */
export const LEGS = ['open', 'submit', 'transit', 'fetch', 'sweep'] as const;
export type LegName = (typeof LEGS)[number];

export interface Leg {
  readonly name: LegName;
  /** Since the trip began; ms. */
  readonly beganMs: number;
  readonly tookMs: number;
  /** Absent when the leg did what it should. */
  readonly fault?: Fault;
  /** The conversations of this leg; of many looks only the first, the slowest and the last are kept. */
  readonly dialogs: readonly DialogRecord[];
  /** Transit: how often we looked, and how many log-ins that took. */
  readonly looks?: number;
  readonly logins?: number;
}

/**
 * One `Received:` stamp, oldest first. Clocks are other people's: `delayMs` is signed arithmetic between two of them, and
 * `skew` marks what cannot be a delay.
 *
 * @see RFC 5321 section 4.4
 */
export interface Hop {
  readonly by: string;
  readonly from?: string;
  readonly protocol?: string;
  readonly queueId?: string;
  /** Epoch ms by that host's clock; stamps have whole seconds. Absent when the stamp cannot be read. */
  readonly at?: number;
  /** Since the stamp before (the first: since we submitted). Absent when either is unknown or when `skew` says why. */
  readonly delayMs?: number;
  /** How far this host's clock is off at least, where its stamp cannot be true: ms, positive when it is ahead. */
  readonly skewMs?: number;
}

/** Something worth telling that did not stop the message. */
export interface Finding {
  readonly what:
    | 'altered'
    | 'duplicate'
    | 'junked'
    | 'skew'
    | 'unsure'
    | 'clock'
    | 'left-over'
    | 'foreign'
    | 'certificate'
    | 'deferred'
    | 'drained';
  readonly text: string;
}

/**
 * What became of the message.
 *
 * - `seen` in the inbox in time; it arrived between `afterMs` and `byMs` of the trip
 * - `junked` filed elsewhere than the inbox
 * - `bounced` a delivery status notification came back
 * - `lost` accepted, and not found within the limit (a later run may still find it: then it was late)
 * - `unsure` the connection died after the final dot, and the message was not found: it may or may not have been accepted
 * - `unsent` never accepted by the MTA
 * - `unknown` we could not look, so we cannot tell
 */
export type Arrival =
  | {
      readonly outcome: 'seen';
      readonly afterMs: number;
      readonly byMs: number;
      readonly internalDate?: number;
      readonly late?: boolean;
    }
  | { readonly outcome: 'junked'; readonly folder: string; readonly byMs: number }
  | { readonly outcome: 'bounced'; readonly byMs: number; readonly bounce: Bounce }
  | { readonly outcome: 'lost'; readonly waitedMs: number }
  | { readonly outcome: 'unsure'; readonly waitedMs: number }
  | { readonly outcome: 'unsent' }
  | { readonly outcome: 'unknown'; readonly why: string };

/** What a delivery status notification says. @see RFC 3464 */
export interface Bounce {
  /** `failed`, `delayed`, … */
  readonly action: string;
  /** RFC 3463 status, `5.1.1`. */
  readonly status: string;
  readonly diagnostic?: string;
  readonly reportingMta?: string;
  readonly remoteMta?: string;
}

/** The message as we sent it: what is needed to recognise it and to compare what comes back. */
export interface SentMessage {
  /** The token's id: sortable by time, unique. */
  readonly id: string;
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly envelopeFrom: string;
  readonly subject: string;
  readonly bytes: number;
}

export interface Trip {
  readonly id: string;
  readonly path: Path;
  /** Wall clock, epoch ms. All other times of a trip are spans on the monotonic clock. */
  readonly startedAt: number;
  readonly tookMs: number;
  readonly legs: readonly Leg[];
  readonly message?: SentMessage;
  readonly arrival: Arrival;
  readonly hops: readonly Hop[];
  readonly findings: readonly Finding[];
  /** The fault that ended the trip. */
  readonly fault?: Fault;
  /** Submission begun to message read back, looks and all; only when it was read back. ms */
  readonly totalMs?: number;
}
