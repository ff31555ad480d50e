// Runs that do not meet: what is said when another one is under way, and the end of one that does not end.

import type { Site } from '../model/site.ts';
import { localDay, localTime } from '../record/day.ts';
import { isAlive } from '../record/lock.ts';
import type { Holder } from '../record/owner.ts';
import { leaveAtOnce, type Terminal } from './terminal.ts';

/** Who holds the lock, since when, and what that means. */
export function holderText(holder: Holder | undefined, now: number): string {
  if (holder === undefined) return 'Another run is under way (it has left no note of who it is)';
  if (!isAlive(holder))
    return `The lock is held, but by nobody that left a note: process ${holder.pid}, which ${holder.what} was, has ended`;
  const minutes = Math.floor((now - holder.since) / 60_000);
  const since = `${localDay(holder.since)} ${localTime(holder.since)}`;
  const stuck = minutes >= 15 ? ': it is stuck, or stopped; see "ps" and end it' : '';
  return `Another ${holder.what} (process ${holder.pid}) is under way since ${since}${stuck}`;
}

/**
 * Ends this process with status 3 when a round takes longer than its own limits allow, whatever holds it up.
 *
 * @returns a function that calls it off
 */
export function watchdog(site: Site, paths: number, terminal: Terminal): () => void {
  const { submitMs, deliverMs, fetchMs, isolateMs } = site.limits;
  const oneMs = submitMs + deliverMs + 5 * fetchMs + isolateMs;
  const rounds = Math.ceil(paths / 4);
  const timer = setTimeout(
    () => {
      terminal.say(`This run has taken longer than ${Math.round((oneMs * rounds) / 1000)} s, which no limit allows: giving up`);
      leaveAtOnce(3);
    },
    oneMs * rounds + 10_000,
  );
  timer.unref();
  return () => clearTimeout(timer);
}

/** Hours of local time since a fixed day: goes up by one each hour, also over midnight. */
export function hoursOf(at: number): number {
  return Math.floor((at - new Date(at).getTimezoneOffset() * 60_000) / 3_600_000);
}
