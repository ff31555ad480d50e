// After a round, once its alarms are out: one longer wait at a door that was silent, and the verdict weighed again with what that taught.
// One wait per round and one at a time in all, so that a site that is down costs one connection and not one per path.

import { LONGER_MS, lookLonger, silentDoor } from '../../isolate/longer.ts';
import type { TripRecord } from '../../model/record.ts';
import type { Site } from '../../model/site.ts';
import { routeOf } from '../../plan/route.ts';
import { NotWritten } from '../../record/append.ts';
import { appendJournal } from '../../record/journal.ts';
import { type Taken, takeLock } from '../../record/lock.ts';

export interface Afterwards {
  readonly site: Site;
  readonly state: string;
  readonly signal: AbortSignal;
  /** Told before the wait begins. @param seconds it may last */
  readonly onWait?: (component: string, seconds: number) => void;
  /** What was learned could not be recorded. */
  readonly onNotWritten: (message: string) => void;
  /** LONGER_MS when absent. */
  readonly withinMs?: number;
}

/**
 * @returns the verdict in words as it stands now; undefined where there was nothing to wait for, somebody else waits already, or we
 *   were told to stop; never rejects for what a peer or the disk did
 */
export async function waitLonger(records: readonly TripRecord[], options: Afterwards): Promise<string | undefined> {
  const { site, state, signal, onWait, onNotWritten, withinMs = LONGER_MS } = options;
  for (const record of records) {
    const routed = routeOf(site, record.trip.path);
    if ('problem' in routed) continue;
    const door = silentDoor(routed.route, record);
    if (door === undefined) continue;
    const lock = await tryLock(state, onNotWritten);
    if (lock?.held !== true) return undefined;
    try {
      onWait?.(door.component, withinMs / 1000);
      const weighed = await lookLonger(site, routed.route, record, { signal, withinMs });
      const learned = weighed?.evidence.longer;
      if (weighed === undefined || learned === undefined) return undefined;
      const { id, path } = record.trip;
      appendJournal(state, { type: 'verdict', trip: id, path, ...weighed, text: learned.text }, Date.now());
      return weighed.verdict.text;
    } catch (error) {
      onNotWritten(unlessNotWritten(error).message);
      return undefined;
    } finally {
      lock.release();
    }
  }
  return undefined;
}

async function tryLock(state: string, onNotWritten: Afterwards['onNotWritten']): Promise<Taken | undefined> {
  try {
    return await takeLock(state, 'longer', 'longer look at a silent door');
  } catch (error) {
    onNotWritten(unlessNotWritten(error).message);
    return undefined;
  }
}

function unlessNotWritten(error: unknown): NotWritten {
  if (error instanceof NotWritten) return error;
  throw error;
}
