// Which path of a round is walked next. Pure.

import type { Path } from '../../model/trip.ts';

/**
 * The first whose maildrop is free: by POP3 one session at a time has an account's mailbox, and a trip that waits for it keeps
 * another from being made.
 *
 * @param busy accounts that a trip of this round reads by POP3
 * @returns a place in `waiting`; 0 when all of them have to wait
 */
export function nextTurn(waiting: readonly Path[], busy: ReadonlySet<string>): number {
  const free = waiting.findIndex(({ account, mailbox }) => mailbox !== 'pop3' || !busy.has(account));
  return Math.max(0, free);
}
