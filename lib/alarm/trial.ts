// Messages that a person sends to see that the chain works: a test, a drill. They take the way of every other message, over the disk
// and with the same retries, but each goes over one channel, at once, and what could not go out is not tried again later.

import type { NewRecord } from '../record/journal.ts';
import type { Alarms } from './config/load.ts';
import { ourselves } from './send/claim.ts';
import { type Attempt, type Clock, sendMessage, systemClock } from './send/dispatch.ts';
import { transact } from './send/outbox.ts';
import { deliveryRecord, noteInJournal } from './send/records.ts';
import { withMarked } from './when/decide.ts';
import type { Notice } from './words/notice.ts';

export interface TrialOptions {
  readonly alarms: Alarms;
  /** The state folder. */
  readonly state: string;
  /** Channels by name, each of which gets a message of its own. */
  readonly channels: readonly string[];
  /** What it says. @param origin distinguishes this state folder from others */
  readonly notices: (origin: string, at: number) => readonly Notice[];
  /** For the journal, besides what came of each attempt. */
  readonly record?: (at: number) => NewRecord;
  readonly signal: AbortSignal;
  readonly onAttempt: (attempt: Attempt) => void;
  /** Something about the journal or the state that the operator must know. */
  readonly say: (line: string) => void;
  readonly clock?: Clock;
}

/**
 * Sends, and waits for the end: at most as long as `wait` in alarms.cfg allows, and one attempt that has begun.
 *
 * @returns the channels that took it
 * @throws {NotWritten} when another process holds the state of the alarms for five seconds
 */
export async function bringNow(options: TrialOptions): Promise<ReadonlySet<string>> {
  const { alarms, state: folder, channels, signal, say } = options;
  const { keepMs } = alarms;
  const clock = options.clock ?? systemClock;
  const at = clock.now();
  const { state, notWritten } = await transact(folder, keepMs, before => {
    const notices = options.notices(before.origin, at);
    const first = before.messages.length;
    const after = channels.reduce((sum, channel) => withMarked(sum, channel, notices, at), before);
    const messages = after.messages.map((message, n) => (n < first ? message : { ...message, claim: ourselves(at) }));
    return { state: { ...after, messages }, result: undefined };
  });
  if (notWritten !== undefined) say(notWritten);
  if (options.record !== undefined) noteInJournal(folder, options.record(at), at, say);
  const mine = state.messages.slice(-channels.length);
  const delivered = new Set<string>();
  const sending = {
    folder,
    channels: alarms.channels,
    keepMs,
    clock,
    signal,
    until: at + alarms.waitMs,
    nothingTimed: async () => {},
    onAttempt: (attempt: Attempt) => {
      noteInJournal(folder, deliveryRecord(attempt), clock.now(), say);
      options.onAttempt(attempt);
      // Where notices go one by one, the last one counts.
      if (attempt.outcome.result === 'delivered') delivered.add(attempt.channel);
      else delivered.delete(attempt.channel);
    },
    onGivenUp: () => {},
  };
  try {
    await Promise.all(mine.map(message => sendMessage(message, state, sending)));
  } finally {
    const ids = new Set(mine.map(({ id }) => id));
    await transact(folder, keepMs, before => ({
      state: { ...before, messages: before.messages.filter(({ id }) => !ids.has(id)) },
      result: undefined,
    }));
  }
  return delivered;
}
