// A round: paths walked one after the other or several at once, each trip judged (and what failed isolated), recorded, and told.
//
// The table and the journal are written when the verdict stands. What cannot be written is told by the caller and by the exit status;
// the verdict itself does not depend on the disk.

import { setMaxListeners } from 'node:events';
import type { Lookup } from '../../dialog/line.ts';
import { judgeAlone } from '../../isolate/judge.ts';
import type { KnockDesk, MaildropTurn } from '../../isolate/knock.ts';
import { shortName } from '../../model/component.ts';
import type { Absence, Evidence, Sibling } from '../../model/evidence.ts';
import { JOURNAL_VERSION, type Runner, type TripRecord } from '../../model/record.ts';
import type { Route, Site } from '../../model/site.ts';
import type { Finding, LegName, Path, Trip } from '../../model/trip.ts';
import type { Verdict } from '../../model/verdict.ts';
import { AT_ONCE } from '../../plan/due.ts';
import { routeOf } from '../../plan/route.ts';
import { NotWritten } from '../../record/append.ts';
import { absenceOf, drainsAt } from '../../record/drain.ts';
import { appendJournal } from '../../record/journal.ts';
import { keptTrip } from '../../record/keep.ts';
import { Ledger } from '../../record/ledger.ts';
import { removeLitter } from '../../record/litter.ts';
import { appendSystest } from '../../record/systest.ts';
import type { TripResult } from '../../trip/order.ts';
import type { Amendment } from '../../trip/sweep.ts';
import { loadAhead, makeTrip } from '../../trip/trip.ts';
import { AT_WORK, AtWork } from './at-work.ts';
import { type Held, Maildrops } from './maildrops.ts';
import { Past, siblingOf } from './past.ts';
import { nextTurn } from './turns.ts';

export interface RoundOptions {
  readonly by: Runner;
  readonly site: Site;
  readonly state: string;
  readonly signal: AbortSignal;
  readonly keep?: boolean;
  readonly bytes?: number;
  /** Trips at once, where there are several. */
  readonly atOnce?: number;
  /** In place of the system's resolver. */
  readonly lookup?: Lookup;
  /** Take every trip at its own word and do not go and look. */
  readonly withoutIsolation?: boolean;
  readonly onLeg?: (path: Path, leg: LegName | 'isolate') => void;
  readonly onTrip?: (record: TripRecord) => void;
  /** Something could not be recorded. */
  readonly onNotWritten?: (message: string) => void;
}

/** Walks the paths. @returns one record per path, in their order; never throws for what a peer or the disk did */
export async function makeRound(paths: readonly Path[], options: RoundOptions): Promise<readonly TripRecord[]> {
  const round = new Round(paths, options);
  if (paths.length > 1) await Promise.all([loadAhead(), loadIsolation()]);
  const records: TripRecord[] = [];
  const waiting = paths.map((path, index) => ({ ...path, index }));
  const busy = new Set<string>();
  const atWork = new AtWork(options.atOnce ?? AT_WORK);
  const worker = async () => {
    for (;;) {
      const leave = await atWork.enter();
      const [turn] = waiting.splice(nextTurn(waiting, busy), 1);
      if (turn === undefined) return leave();
      const { index, ...path } = turn;
      if (path.mailbox === 'pop3') busy.add(path.account);
      records[index] = await round.walk(path);
      if (path.mailbox === 'pop3') busy.delete(path.account);
      leave();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce ?? AT_ONCE, paths.length) }, worker));
  return records;
}

/** Isolation is compiled when something has failed; where several trips are under way, before the first of them. */
function loadIsolation() {
  return Promise.all([import('../../isolate/isolate.ts'), import('../../isolate/knock.ts')]);
}

/** What the trips of one round share: the journal's past, the ledger, the knocks that were made, the turns at maildrops. */
class Round {
  readonly #options: RoundOptions;
  readonly #ledger: Ledger;
  readonly #past: Past;
  #desk: KnockDesk | undefined;
  readonly #maildrops: Maildrops;
  readonly #absences: readonly Absence[];

  constructor(paths: readonly Path[], options: RoundOptions) {
    const { site, state, signal } = options;
    const now = Date.now();
    // Every dialog of a round listens for the same word to stop.
    setMaxListeners(0, signal);
    this.#options = options;
    this.#ledger = new Ledger(state);
    this.#ledger.forget(now);
    removeLitter(state, now);
    this.#past = Past.read(state, paths);
    this.#maildrops = new Maildrops(state, signal, message => options.onNotWritten?.(message));
    const planned = site.maintenance.filter(({ from, until }) => from <= now && now < until);
    this.#absences = [...planned, ...drainsAt(state, now).map(absenceOf)];
  }

  async walk(path: Path): Promise<TripRecord> {
    const { site } = this.#options;
    const routed = routeOf(site, path);
    if ('problem' in routed) return this.#keep(unwalked(path, routed.problem));
    const held = await this.#maildrop(path, site.limits.fetchMs);
    if (held !== undefined && 'usedBy' in held)
      return this.#keep(unwalked(path, `the maildrop of ${path.account} is in use by ${held.usedBy}`));
    try {
      const result = await this.#trip(routed.route);
      const alone = judgeAlone(result.trip, site.limits);
      if (alone.state === 'ok' || alone.state === 'unknown' || this.#options.withoutIsolation === true)
        return this.#keep(result, alone);
      this.#options.onLeg?.(path, 'isolate');
      const { verdict, evidence } = await this.#isolate(routed.route, result.trip);
      return this.#keep(result, verdict, evidence);
    } finally {
      held?.release();
    }
  }

  async #trip(route: Route): Promise<TripResult> {
    const { site, signal, keep, bytes, onLeg, lookup } = this.#options;
    const { path } = route;
    const result = await makeTrip(
      {
        site,
        route,
        usual: this.#past.arrivals(path),
        ...(keep === undefined ? {} : { keep }),
        ...(bytes === undefined ? {} : { bytes }),
      },
      { ledger: this.#ledger, signal, onLeg: leg => onLeg?.(path, leg), ...(lookup === undefined ? {} : { lookup }) },
    );
    return { ...result, trip: { ...result.trip, findings: [...result.trip.findings, ...this.#drained(result.trip, route)] } };
  }

  async #isolate(route: Route, trip: Trip): Promise<{ verdict: Verdict; evidence: Evidence }> {
    const { site, signal, lookup } = this.#options;
    const { path } = route;
    const [{ isolate }, { KnockDesk }] = await loadIsolation();
    this.#desk ??= new KnockDesk({ site, signal, most: site.knocks, ...(lookup === undefined ? {} : { lookup }) });
    return isolate(
      {
        site,
        route,
        trip,
        siblings: this.#past.siblings(path, Date.now()),
        usual: this.#past.phases(path),
        absences: this.#absences,
      },
      {
        desk: this.#desk,
        maildrop: this.#turnsOf(path),
        signal,
        walk: (other, withinMs) => this.#walkToTell(path, other, withinMs),
      },
    );
  }

  /** Another path, walked only to tell suspects apart; its messages are ours like any other. */
  async #walkToTell(path: Path, other: Path, withinMs: number): Promise<Sibling | undefined> {
    const { site, signal } = this.#options;
    const routed = routeOf(site, other);
    if ('problem' in routed) return undefined;
    const mine = path.mailbox === 'pop3' && path.account === other.account;
    const held = mine ? undefined : await this.#maildrop(other, 1000);
    if (held !== undefined && 'usedBy' in held) return undefined;
    try {
      const limits = {
        ...site.limits,
        submitMs: Math.min(site.limits.submitMs, withinMs),
        deliverMs: Math.min(site.limits.deliverMs, withinMs),
        fetchMs: Math.min(site.limits.fetchMs, withinMs),
      };
      const stop = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, Math.ceil(withinMs)))]);
      const { trip, amendments } = await makeTrip(
        { site: { ...site, limits }, route: routed.route, usual: this.#past.arrivals(other) },
        { ledger: this.#ledger, signal: stop },
      );
      this.#amend(amendments);
      return siblingOf({ trip, verdict: judgeAlone(trip, limits), at: Date.now() }, true);
    } finally {
      held?.release();
    }
  }

  /** The turn at a maildrop that a trip by POP3 needs; undefined where none is needed. */
  async #maildrop({ mailbox, account }: Path, withinMs: number): Promise<Held | { readonly usedBy: string } | undefined> {
    return mailbox === 'pop3' ? this.#maildrops.enter(account, withinMs) : undefined;
  }

  /** Knocks by POP3 take turns with each other, and with everybody else unless this trip has the maildrop already. */
  #turnsOf(path: Path): MaildropTurn {
    let last: Promise<unknown> = Promise.resolve();
    return (account, work) => {
      const mine = path.mailbox === 'pop3' && path.account === account;
      const turn = last.then(async () => {
        if (mine) return work();
        const held = await this.#maildrops.tryEnter(account);
        if ('usedBy' in held) return 'in use' as const;
        try {
          return await work();
        } finally {
          held.release();
        }
      });
      last = turn.catch(() => {});
      return turn;
    };
  }

  /** Mail that flows over a machine which is said to be out of service. */
  #drained(trip: Trip, route: Route): readonly Finding[] {
    const { site } = this.#options;
    return this.#absences.flatMap(({ component }): readonly Finding[] => {
      if (component === route.smtp.component) return [];
      const mta = site.mtas.get(shortName(component));
      if (mta === undefined || mta.component !== component) return [];
      const through = trip.hops.find(
        ({ by }) => isHost(by, mta.smtp.host) || isHost(by, mta.smtp.servername) || isHost(by, mta.name),
      );
      return through === undefined
        ? []
        : [{ what: 'drained', text: `${component} is drained, and mail still goes through it (${through.by})` }];
    });
  }

  #keep(
    { trip, amendments }: TripResult,
    verdict: Verdict = judgeAlone(trip, this.#options.site.limits),
    evidence?: Evidence,
  ): TripRecord {
    const { state, by, onTrip } = this.#options;
    const { account, mta, mmp } = trip.path;
    const looked = evidence === undefined ? {} : { evidence };
    const record: TripRecord = { v: JOURNAL_VERSION, at: Date.now(), type: 'trip', by, trip, verdict, ...looked };
    this.#past.add(record);
    this.#write(() => appendJournal(state, { type: 'trip', by, trip: keptTrip(trip), verdict, ...looked }, record.at));
    const total = verdict.state === 'unknown' || trip.totalMs === undefined ? {} : { totalMs: trip.totalMs };
    this.#write(() => appendSystest(state, trip.startedAt, { account, mta, mmp, ...total, error: verdict.short }));
    this.#amend(amendments);
    onTrip?.(record);
    return record;
  }

  #amend(amendments: readonly Amendment[]): void {
    for (const { entry, became, afterMs, waited } of amendments) {
      const text = `${amendText(became, afterMs)}${waited === undefined ? '' : `; ${waited}`}`;
      const found = became === 'swept' ? {} : { afterMs };
      this.#write(() =>
        appendJournal(
          this.#options.state,
          { type: 'amend', trip: entry.message.id, path: entry.path, became, ...found, text },
          Date.now(),
        ),
      );
    }
  }

  #write(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof NotWritten)) throw error;
      this.#options.onNotWritten?.(error.message);
    }
  }
}

function amendText(became: Amendment['became'], afterMs: number): string {
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

function isHost(by: string, host: string | undefined): boolean {
  if (host === undefined) return false;
  const [one, other] = [by.toLowerCase(), host.toLowerCase()];
  return one === other || one.split('.')[0] === other;
}
