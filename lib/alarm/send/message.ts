// A message under way to one recipient: what it says, how far it has come, what is tried next. Pure.
//
// There is at most one message that waits for each recipient: what is decided while it waits is merged into it. So channels that were
// dead for hours deliver one message with what is true then, and no backlog.

import type { Outcome } from '../channel.ts';
import type { Notice } from '../words/notice.ts';
import type { Claim } from './claim.ts';

export interface Message {
  /** The same however often it is sent, and over whatever channel. */
  readonly id: string;
  /** The recipient; for a test, the channel. */
  readonly to: string;
  /** By name, in the order of trying. */
  readonly channels: readonly string[];
  readonly notices: readonly Notice[];
  /** Epoch ms. */
  readonly decidedAt: number;
  /** Notices that were never sent because newer ones replaced them. */
  readonly heldBack: number;
  /** A test or canary: never merged, not held back by a cap. */
  readonly isTest?: true;
  /** What is tried next: which of the channels, how often it has been tried in this round, which round, when (epoch ms). */
  readonly next: { readonly channel: number; readonly tried: number; readonly round: number; readonly at: number };
  /** All attempts so far. */
  readonly attempts: number;
  /** Notices that a channel which takes them one by one has delivered already: their places in the list. */
  readonly done: readonly number[];
  /** How often it may have arrived: then it keeps its id and its words. */
  readonly unsure?: number;
  /** Held back by a channel's cap. */
  readonly isCapped?: true;
  /** The process that is sending it. */
  readonly claim?: Claim;
}

/** How long to wait before the second and third try on one channel; after that it is the next one's turn. ms */
const BACK_OFF_MS: readonly number[] = [2000, 8000];
/** What may have arrived so often is not sent once more: better a reminder in an hour than the same message each minute. */
const UNSURE = 3;
/** When no channel has taken it: how long until all are tried again. ms */
const ROUND_MS: readonly number[] = [60_000, 120_000, 300_000, 600_000, 900_000];
/** A service that wants us to wait longer than this is not waited for while another channel is left. */
const PATIENCE_MS = 10_000;
const MOST_PATIENCE_MS = 3_600_000;

export type Progress =
  | { readonly is: 'delivered' }
  | { readonly is: 'given up' }
  | { readonly is: 'waiting'; readonly message: Message };

/**
 * What comes of a message after an attempt.
 *
 * @param keepMs after so long it is given up
 */
export function afterAttempt(message: Message, outcome: Outcome, at: number, keepMs: number): Progress {
  if (outcome.result === 'delivered') return { is: 'delivered' };
  const tried = message.next.tried + 1;
  const unsure = (message.unsure ?? 0) + (outcome.result === 'unsure' ? 1 : 0);
  const moved: Message = { ...message, attempts: message.attempts + 1, ...(unsure === 0 ? {} : { unsure }) };
  const wait = outcome.result === 'failed' && outcome.again === 'soon' ? Math.min(outcome.afterMs ?? 0, MOST_PATIENCE_MS) : 0;
  const backOff = BACK_OFF_MS[tried - 1];
  if (outcome.result === 'failed' && outcome.again === 'soon' && backOff !== undefined && wait <= PATIENCE_MS)
    return { is: 'waiting', message: { ...moved, next: { ...message.next, tried, at: at + Math.max(backOff, wait) } } };
  if (message.next.channel + 1 < message.channels.length)
    return { is: 'waiting', message: { ...moved, next: { ...message.next, channel: message.next.channel + 1, tried: 0, at } } };
  if (unsure >= UNSURE || at - message.decidedAt >= keepMs) return { is: 'given up' };
  const round = message.next.round + 1;
  const pause = Math.max(wait, ROUND_MS[Math.min(round, ROUND_MS.length) - 1] ?? 0);
  return { is: 'waiting', message: { ...moved, next: { channel: 0, tried: 0, round, at: at + pause } } };
}

/** Whether what waits may still be changed: nobody is sending it, and nobody can have got it. */
export function isOpenToMerge({ claim, unsure, isTest, done }: Message): boolean {
  return claim === undefined && unsure === undefined && isTest !== true && done.length === 0;
}

/**
 * New notices joined with those that wait: of each alarm one, the newest, which says as well what the older one would have said.
 *
 * @returns also how many were replaced
 */
export function mergeNotices(
  waiting: readonly Notice[],
  fresh: readonly Notice[],
): { readonly notices: readonly Notice[]; readonly replaced: number } {
  const news = new Map(fresh.map(notice => [notice.alarm, notice]));
  let replaced = 0;
  const kept = waiting.flatMap(old => {
    const newer = news.get(old.alarm);
    if (newer === undefined) return [old];
    replaced += 1;
    news.set(old.alarm, joined(old, newer));
    return [];
  });
  return { notices: [...kept, ...news.values()].toSorted(gravestFirst), replaced };
}

/** As the journal notes them; a drill as a test. */
export function briefly(notices: readonly Notice[]): { readonly alarm: number; readonly what: Notice['what'] }[] {
  return notices.map(({ alarm, what, isDrill }) => (isDrill === true ? { alarm: 0, what: 'test' } : { alarm, what }));
}

/** What goes on stands before what is over, failed before slow. */
function gravestFirst(a: Notice, b: Notice): number {
  const rank = ({ what, severity }: Notice) =>
    what === 'cleared' ? 3 : severity === 'failed' ? 0 : severity === 'unknown' ? 1 : 2;
  return rank(a) - rank(b);
}

function joined(old: Notice, newer: Notice): Notice {
  const isNews = old.what === 'raised';
  if (newer.what === 'cleared') return isNews ? { ...newer, untold: true } : newer;
  // To somebody who has not been told yet, what changed or goes on is new.
  if (isNews && newer.what !== 'raised')
    return { ...newer, what: 'raised', ...(old.unackedMs === undefined ? {} : { unackedMs: old.unackedMs }) };
  if (old.what === 'changed' && newer.what === 'reminder')
    return { ...newer, what: 'changed', ...(old.was === undefined ? {} : { was: old.was }) };
  return newer;
}
