// What has happened on a trip so far, its two clocks, and its line to the ledger.

import type { Terms } from '../dialog/line.ts';
import { NOT_VALID_YET } from '../dialog/tls.ts';
import type { Fault } from '../model/dialog.ts';
import type { Arrival, Finding, Hop, Leg, LegName, SentMessage, Trip } from '../model/trip.ts';
import { NotWritten } from '../record/append.ts';
import { isWatched, type LedgerEntry } from '../record/ledger.ts';
import type { Box, Letter, Step, Trouble } from './box.ts';
import type { Composed } from './compose.ts';
import { localFault } from './faults.ts';
import type { TripOrder, TripResult, TripTools } from './order.ts';
import { Stalls } from './stalls.ts';
import type { Amendment } from './sweep.ts';
import { newId } from './token.ts';

/** The wall clock moved against the monotonic one by more than this: it was set. */
const CLOCK_JUMP_MS = 1000;
/** A clock that is this much behind what it has shown before was set back. */
const BEHIND_MS = 60_000;
/** What waiting ends in: nothing came in time, the peer had enough of waiting for us, the message was not there in time. */
const RUN_OUT: ReadonlySet<Fault['kind']> = new Set(['timeout', 'dropped', 'missing']);

export class TripLog {
  readonly id: string;
  readonly startedAt: number;
  readonly clock: () => number;
  readonly now: () => number;
  box: Box | undefined;
  message: SentMessage | undefined;
  copies: readonly Letter[] = [];
  hops: readonly Hop[] = [];
  readonly #order: TripOrder;
  readonly #tools: TripTools;
  readonly #legs: Leg[] = [];
  readonly #findings: Finding[] = [];
  readonly #amendments: Amendment[] = [];
  readonly #stalls = new Stalls();
  #readBackMs: number | undefined;

  constructor(order: TripOrder, tools: TripTools) {
    const monotonic = tools.monotonic ?? (() => performance.now());
    const zero = monotonic();
    this.clock = () => monotonic() - zero;
    this.now = tools.now ?? Date.now;
    this.startedAt = this.now();
    this.id = newId(this.startedAt);
    this.#order = order;
    this.#tools = tools;
  }

  terms(deadlineMs: number): Terms {
    const { signal, lookup } = this.#tools;
    return { clock: this.clock, deadlineMs, signal, ...(lookup === undefined ? {} : { lookup }) };
  }

  async leg<S extends Step>(name: LegName, work: (counters: { looks: number; logins: number }) => Promise<S>): Promise<S> {
    this.#tools.onLeg?.(name);
    const beganMs = this.clock();
    const counters = { looks: 0, logins: 0 };
    const step = await work(counters);
    const fault = step.trouble === undefined || step.trouble === 'cut' ? undefined : step.trouble.fault;
    this.#legs.push({
      name,
      beganMs,
      tookMs: this.clock() - beganMs,
      dialogs: step.dialogs,
      ...(fault === undefined ? {} : { fault }),
      ...(counters.looks > 0 ? counters : {}),
    });
    return step;
  }

  find(finding: Finding): void {
    this.#findings.push(finding);
  }

  /** Writes the ledger's first entry on a message. Until that is on disk, the message must not go out. @throws {NotWritten} */
  begin(composed: Composed): Promise<void> {
    return this.#tools.ledger.begin(this.#entry(composed, 'sending', true));
  }

  /**
   * Writes what has become of the message; a later run can mend what is not kept of it.
   *
   * @param isOurs while this trip deals with the message itself, no other trip over the same account takes it for a left-over
   */
  note(composed: Composed, state: LedgerEntry['state'], isOurs = state === 'sent'): void {
    try {
      this.#tools.ledger.put(this.#entry(composed, state, isOurs));
    } catch (error) {
      if (!(error instanceof NotWritten)) throw error;
      this.find({ what: 'left-over', text: error.message });
    }
  }

  #entry(composed: Composed, state: LedgerEntry['state'], isOurs: boolean): LedgerEntry {
    const { limits } = this.#order.site;
    return {
      v: 1,
      message: composed.message,
      path: this.#order.route.path,
      state,
      startedAt: this.startedAt,
      watchedUntil: isOurs ? this.startedAt + limits.submitMs + limits.deliverMs + 4 * limits.fetchMs : 0,
      bodyHash: composed.bodyHash,
      ...(state === 'seen' || state === 'gone' ? { seenAt: this.now() } : {}),
    };
  }

  entryOf(id: string): LedgerEntry | undefined {
    return this.#tools.ledger.get(id);
  }

  /** Whether messages of earlier trips may still lie in this account's box. */
  oldOnes(account: string): boolean {
    const { entries, unreadable } = this.#tools.ledger.open();
    return (
      unreadable.length > 0 ||
      entries.some(entry => entry.path.account === account && entry.message.id !== this.id && !isWatched(entry, this.now()))
    );
  }

  amend(amendments: readonly Amendment[], gone: readonly Letter[]): void {
    for (const each of amendments) {
      this.#amendments.push(each);
      try {
        this.#tools.ledger.put({
          ...each.entry,
          watchedUntil: 0,
          seenAt: each.entry.seenAt ?? this.now(),
          state: gone.includes(each.letter) ? 'gone' : 'seen',
        });
      } catch (error) {
        if (!(error instanceof NotWritten)) throw error;
        this.find({ what: 'left-over', text: error.message });
      }
    }
  }

  readBack(): void {
    this.#readBackMs = this.clock();
  }

  endWith(arrival: Arrival, trouble: Trouble): TripResult {
    return trouble === 'cut'
      ? this.end({ outcome: 'unknown', why: 'told to stop' }, localFault('state', 'told to stop before the trip was over'))
      : this.end(arrival, trouble.fault);
  }

  end(ended: Arrival, found: Fault | undefined): TripResult {
    const { arrival, fault } = this.#asRun(ended, found);
    const tookMs = this.clock();
    const drift = this.now() - this.startedAt - tookMs;
    if (Math.abs(drift) > CLOCK_JUMP_MS)
      this.find({
        what: 'clock',
        text: `our own clock was set ${drift > 0 ? 'forward' : 'back'} by ${(Math.abs(drift) / 1000).toFixed(1)} s during the trip`,
      });
    const submitMs = this.#legs.find(leg => leg.name === 'submit')?.beganMs;
    const trip: Trip = {
      id: this.id,
      path: this.#order.route.path,
      startedAt: this.startedAt,
      tookMs,
      legs: this.#legs,
      ...(this.message === undefined ? {} : { message: this.message }),
      arrival,
      hops: this.hops,
      findings: this.#findings,
      ...(fault === undefined ? {} : { fault }),
      ...(this.#readBackMs === undefined || submitMs === undefined ? {} : { totalMs: this.#readBackMs - submitMs }),
    };
    return { trip, amendments: this.#amendments };
  }

  /** Lets go of what a trip holds, however it ended. */
  abandon(): void {
    this.#stalls.end();
    this.box?.abandon();
  }

  /** What our own process or clock did to a trip says nothing about mail. */
  #asRun(arrival: Arrival, fault: Fault | undefined): { readonly arrival: Arrival; readonly fault: Fault | undefined } {
    const ours = fault === undefined ? undefined : this.#ourPart(fault);
    if (fault === undefined || ours === undefined) return { arrival, fault };
    const why = `${ours}; then: ${fault.component} ${fault.text}`;
    return { arrival: arrival.outcome === 'seen' ? arrival : { outcome: 'unknown', why }, fault: localFault('state', why) };
  }

  #ourPart({ kind, text }: Fault): string | undefined {
    const awayMs = this.#stalls.longestMs();
    if (awayMs > 0 && RUN_OUT.has(kind)) return `this process was stopped for ${(awayMs / 1000).toFixed(1)} s during the trip`;
    if (kind !== 'tls' || !text.includes(NOT_VALID_YET)) return undefined;
    const now = this.now();
    const latest = Math.max(this.startedAt + this.clock(), this.#tools.ledger.newestAt() ?? 0);
    return latest - now > BEHIND_MS
      ? `our own clock is behind: it says ${new Date(now).toISOString()}, and it has been ${new Date(latest).toISOString()} already`
      : undefined;
  }
}
