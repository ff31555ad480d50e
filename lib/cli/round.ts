// Making trips and keeping what they brought: one path after the other or several at once, each judged and recorded.
//
// The table and the journal are written when the verdict stands. What cannot be written is told by the caller and by the exit status;
// the verdict itself does not depend on the disk.

import { judgeAlone } from '../isolate/judge.ts';
import type { Runner, TripRecord } from '../model/record.ts';
import { JOURNAL_VERSION } from '../model/record.ts';
import type { Site } from '../model/site.ts';
import { type LegName, type Path, pathKey, pathText, type Trip } from '../model/trip.ts';
import { routeOf } from '../plan/route.ts';
import { NotWritten } from '../record/append.ts';
import { appendJournal, readJournalTail } from '../record/journal.ts';
import { Ledger } from '../record/ledger.ts';
import { takeLock } from '../record/lock.ts';
import { appendSystest } from '../record/systest.ts';
import type { TripResult } from '../trip/order.ts';
import { type Usual, usualOf } from '../trip/pace.ts';
import { makeTrip } from '../trip/trip.ts';

export interface RoundOptions {
  readonly by: Runner;
  readonly site: Site;
  readonly state: string;
  readonly signal: AbortSignal;
  readonly keep?: boolean;
  readonly bytes?: number;
  /** Trips at once, where there are several. */
  readonly atOnce?: number;
  readonly onLeg?: (path: Path, leg: LegName) => void;
  readonly onTrip?: (record: TripRecord) => void;
  /** Something could not be recorded. */
  readonly onNotWritten?: (message: string) => void;
}

/** More timed dialogs at once and the times would be those of our own event loop. */
const AT_ONCE = 8;
/** Enough of the journal for what some hundred trips took. */
const TAIL_BYTES = 1024 * 1024;
const TRIPS_FOR_USUAL = 40;

/** Walks the paths. @returns one record per path, in their order; never throws for what a peer or the disk did */
export async function makeRound(paths: readonly Path[], options: RoundOptions): Promise<readonly TripRecord[]> {
  const usual = usualByPath(options.state);
  const ledger = new Ledger(options.state);
  ledger.forget(Date.now());
  const maildrops = new Turns();
  const records: TripRecord[] = [];
  let next = 0;
  const worker = async () => {
    while (next < paths.length) {
      const index = next;
      next += 1;
      const path = paths[index] as Path;
      const go = () => makeOne(path, usual.get(pathKey(path)), ledger, options);
      // A maildrop is locked while a POP3 session is open: trips to the same one take turns.
      records[index] = path.mailbox === 'pop3' ? await maildrops.take(path.account, go) : await go();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce ?? AT_ONCE, paths.length) }, worker));
  return records;
}

async function makeOne(path: Path, usual: Usual | undefined, ledger: Ledger, options: RoundOptions): Promise<TripRecord> {
  const { site, signal, keep, bytes, by } = options;
  const routed = routeOf(site, path);
  if ('problem' in routed) return keepRecord(unwalked(path, routed.problem), options);
  const lock = path.mailbox === 'pop3' ? await maildropLock(path, options) : undefined;
  if (lock?.held === false) return keepRecord(unwalked(path, `the maildrop of ${path.account} is in use by ${lock.by}`), options);
  try {
    const result = await makeTrip(
      { site, route: routed.route, usual, ...(keep === undefined ? {} : { keep }), ...(bytes === undefined ? {} : { bytes }) },
      { ledger, signal, onLeg: leg => options.onLeg?.(path, leg) },
    );
    return keepRecord(result, options);
  } finally {
    if (lock?.held === true) lock.release();
  }

  function keepRecord({ trip, amendments }: TripResult, { state, onTrip, onNotWritten }: RoundOptions): TripRecord {
    const verdict = judgeAlone(trip, site.limits);
    const record: TripRecord = { v: JOURNAL_VERSION, at: Date.now(), type: 'trip', by, trip, verdict };
    const written = (write: () => void) => {
      try {
        write();
      } catch (error) {
        if (!(error instanceof NotWritten)) throw error;
        onNotWritten?.(error.message);
      }
    };
    written(() => appendJournal(state, { type: 'trip', by, trip: withoutChatter(trip), verdict }, record.at));
    const total = verdict.state === 'unknown' || trip.totalMs === undefined ? {} : { totalMs: trip.totalMs };
    written(() =>
      appendSystest(state, trip.startedAt, {
        account: path.account,
        mta: path.mta,
        mmp: path.mmp,
        ...total,
        error: verdict.short,
      }),
    );
    for (const { entry, became, afterMs } of amendments) {
      const text = amendText(became, afterMs);
      const found = became === 'swept' ? {} : { afterMs };
      written(() =>
        appendJournal(state, { type: 'amend', trip: entry.message.id, path: entry.path, became, ...found, text }, Date.now()),
      );
    }
    onTrip?.(record);
    return record;
  }
}

function amendText(became: 'late' | 'duplicate' | 'swept', afterMs: number): string {
  const seconds = (afterMs / 1000).toFixed(1);
  switch (became) {
    case 'late':
      return `arrived after all, at most ${seconds} s after its trip began`;
    case 'duplicate':
      return `a further copy was found, ${seconds} s after its trip began`;
    case 'swept':
      return 'was left over by a run that did not end well, and has been removed';
    default:
      return became satisfies never;
  }
}

/** A trip that could not even begin, through a fault of ours. */
function unwalked(path: Path, why: string): TripResult {
  const startedAt = Date.now();
  const fault = {
    component: 'monitor',
    protocol: 'local',
    phase: 'config',
    kind: 'local',
    text: why,
    lasting: 'unknown',
  } as const;
  const trip: Trip = {
    id: `unwalked-${startedAt.toString(36)}`,
    path,
    startedAt,
    tookMs: 0,
    legs: [],
    arrival: { outcome: 'unknown', why },
    hops: [],
    findings: [],
    fault,
  };
  return { trip, amendments: [] };
}

/** The transcript of a trip that went well is of no use later; that of one that did not is evidence. */
function withoutChatter(trip: Trip): Trip {
  if (trip.fault !== undefined) return trip;
  return {
    ...trip,
    legs: trip.legs.map(leg => ({ ...leg, dialogs: leg.dialogs.map(dialog => ({ ...dialog, transcript: [] })) })),
  };
}

type MaildropLock = { readonly held: true; readonly release: () => void } | { readonly held: false; readonly by: string };

/** Other processes on this host take turns as well; they are waited for as long as a fetch may take. */
async function maildropLock(path: Path, { state, site, signal, onNotWritten }: RoundOptions): Promise<MaildropLock | undefined> {
  const until = performance.now() + site.limits.fetchMs;
  for (;;) {
    try {
      const taken = await takeLock(state, `maildrop-${path.account}`, `a trip ${pathText(path)}`);
      if (taken.held) return taken;
      if (performance.now() > until || signal.aborted)
        return { held: false, by: taken.holder === undefined ? 'another run' : `process ${taken.holder.pid}` };
    } catch (error) {
      if (!(error instanceof NotWritten)) throw error;
      onNotWritten?.(error.message);
      return undefined;
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

/** What messages took to arrive lately, by path. */
function usualByPath(state: string): ReadonlyMap<string, Usual> {
  const arrivals = new Map<string, number[]>();
  for (const record of readJournalTail(state, TAIL_BYTES).records) {
    if (record.type !== 'trip' || record.trip.arrival.outcome !== 'seen') continue;
    const transit = record.trip.legs.find(leg => leg.name === 'transit');
    if (transit === undefined) continue;
    const key = pathKey(record.trip.path);
    const list = arrivals.get(key) ?? [];
    list.push(Math.max(0, record.trip.arrival.byMs - transit.beganMs));
    arrivals.set(key, list.slice(-TRIPS_FOR_USUAL));
  }
  return new Map(
    [...arrivals].flatMap(([key, list]) => {
      const usual = usualOf(list);
      return usual === undefined ? [] : [[key, usual] as const];
    }),
  );
}

/** One at a time per key, in the order of asking. */
class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work);
    this.#last.set(
      key,
      mine.catch(() => {}),
    );
    return mine;
  }
}
