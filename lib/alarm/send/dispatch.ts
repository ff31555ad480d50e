// Sending what waits: claims messages, tries their channels in order with back-off, and keeps what came of it. Everything that the
// outside does is an outcome; this process, its clock and its patience are arguments.

import type { Channel, Outcome, Parcel } from '../channel.ts';
import type { ReadyChannel } from '../config/ready.ts';
import { titleOf } from '../words/words.ts';
import { type Claim, isHeld } from './claim.ts';
import { mark } from './marks.ts';
import { afterAttempt, type Message } from './message.ts';
import type { AlarmState } from './outbox.ts';

export interface Clock {
  /** Epoch ms. */
  readonly now: () => number;
  /** Resolves early when told to stop. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise(resolve => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
    }),
};

export interface Attempt {
  readonly message: Message;
  readonly channel: string;
  readonly outcome: Outcome;
  readonly tookMs: number;
}

const HOUR_MS = 3_600_000;
/** A round that goes on for longer is disturbed rather than the alarm held up. ms */
const HEAVY_WAIT_MS = 20_000;
/**
 * Messages whose sender was killed are free again; one whose attempt had begun may have arrived.
 *
 * @returns also the attempts that nobody saw the end of
 */
export function releaseDead(state: AlarmState, now: number): { readonly state: AlarmState; readonly lost: readonly Attempt[] } {
  const lost: Attempt[] = [];
  const messages = state.messages.map(message => {
    const { claim } = message;
    if (claim === undefined || isHeld(claim, now)) return message;
    const free = unclaimed(message);
    if (claim.isBegun !== true) return free;
    const outcome: Outcome = { result: 'unsure', text: 'the process that sent it ended in the middle' };
    lost.push({ message: free, channel: free.channels[free.next.channel] ?? '', outcome, tookMs: 0 });
    // The same channel once more, under the same id: whoever knows ids can tell that it is the same. It counts once, however many
    // processes end in the middle of it: none of them need have come as far as the request.
    return { ...free, unsure: Math.max(1, free.unsure ?? 0), attempts: free.attempts + 1 };
  });
  return { state: { ...state, messages }, lost };
}

/** A message that nobody is sending. */
export function unclaimed({ claim: _, ...message }: Message): Message {
  return message;
}

export interface Claimed {
  readonly state: AlarmState;
  readonly mine: readonly Message[];
  /** Messages that a cap holds back from now on. */
  readonly capped: readonly Message[];
}

/** Claims for this process what is due within `withinMs`, as far as caps allow. Pure. */
export function claimDue(
  state: AlarmState,
  channels: ReadonlyMap<string, Pick<ReadyChannel, 'cap'>>,
  claim: Claim,
  withinMs: number,
): Claimed {
  const now = claim.at;
  const mine: Message[] = [];
  const capped: Message[] = [];
  // What others have in their hands will have been sent as well.
  const planned = new Map<string, number>();
  for (const message of state.messages) if (message.claim !== undefined) plan(message);
  const messages = state.messages.map(message => {
    if (message.claim !== undefined || message.next.at > now + withinMs) return message;
    const name = message.channels[message.next.channel] ?? '';
    const until = message.isTest === true ? undefined : capUntil(state, channels, name, planned.get(name) ?? 0, now);
    if (until !== undefined) {
      const held: Message = { ...message, isCapped: true, next: { ...message.next, at: until } };
      if (message.isCapped !== true) capped.push(held);
      return held;
    }
    plan(message);
    const claimed = { ...message, claim };
    mine.push(claimed);
    return claimed;
  });
  return { state: { ...state, messages }, mine, capped };

  function plan({ channels: names, next }: Message): void {
    const name = names[next.channel] ?? '';
    planned.set(name, (planned.get(name) ?? 0) + 1);
  }
}

/** Until when a channel may bring nothing more; undefined while it may. */
function capUntil(
  { sends }: AlarmState,
  channels: ReadonlyMap<string, Pick<ReadyChannel, 'cap'>>,
  name: string,
  planned: number,
  now: number,
): number | undefined {
  const cap = channels.get(name)?.cap;
  const lately = (sends[name] ?? []).filter(sent => now - sent < HOUR_MS && sent <= now);
  if (cap === undefined || lately.length + planned < cap) return undefined;
  return (lately[lately.length - cap] ?? lately[0] ?? now) + HOUR_MS;
}

export interface Sending {
  readonly folder: string;
  readonly channels: ReadonlyMap<string, ReadyChannel>;
  readonly keepMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Until when this process goes on trying, epoch ms by `clock`. */
  readonly until: number;
  /** Resolves when nothing is being timed in this process. */
  readonly nothingTimed: () => Promise<void>;
  readonly onAttempt: (attempt: Attempt) => void;
  readonly onGivenUp: (message: Message) => void;
}

/**
 * Tries one message until it is delivered, given up, or time is up. What came of each attempt is on disk as soon as it is known, and
 * goes to `onAttempt`.
 */
export async function sendMessage(claimed: Message, state: AlarmState, sending: Sending): Promise<void> {
  let message = claimed;
  for (;;) {
    const wait = message.next.at - sending.clock.now();
    if (wait > 0 && sending.clock.now() + wait > sending.until) return;
    if (wait > 0) await sending.clock.sleep(wait, sending.signal);
    const name = message.channels[message.next.channel] ?? '';
    const channel = sending.channels.get(name);
    if (channel?.isHeavy === true) await untilNothingTimed(sending);
    if (sending.signal.aborted) return;
    const tries = channel === undefined ? noChannel(message, sending) : attempt(message, channel, state, sending);
    let last: Outcome = GONE;
    for await (const { outcome, part, tookMs } of tries) {
      last = outcome;
      sending.onAttempt({ message, channel: name, outcome, tookMs });
      if (part !== undefined && outcome.result === 'delivered') message = { ...message, done: [...message.done, part] };
    }
    if (last.result === 'delivered') return;
    const progress = afterAttempt(message, last, sending.clock.now(), sending.keepMs);
    if (progress.is !== 'waiting') {
      if (progress.is === 'given up') sending.onGivenUp(message);
      return;
    }
    message = progress.message;
  }
}

const GONE: Outcome = { result: 'failed', text: 'there is no such channel in alarms.cfg any more', again: 'never' };

interface Tried {
  readonly outcome: Outcome;
  /** The place of the notice, where they go one by one. */
  readonly part?: number;
  readonly tookMs: number;
}

async function* noChannel(message: Message, sending: Sending): AsyncGenerator<Tried> {
  note(message, { channel: message.channels[message.next.channel] ?? '', outcome: GONE }, sending);
  yield { outcome: GONE, tookMs: 0 };
}

/** One attempt: the message as a whole, or its notices one by one until one fails. */
async function* attempt(message: Message, channel: ReadyChannel, state: AlarmState, sending: Sending): AsyncGenerator<Tried> {
  const { clock, signal } = sending;
  for (const { parcel, part } of parcelsOf(message, channel.takes, {
    ...openNow(state),
    at: clock.now(),
    ...lastUntil(message, channel, state, clock.now()),
  })) {
    const place = { channel: channel.name, ...(part === undefined ? {} : { part }) };
    note(message, { channel: channel.name, begun: true }, sending);
    const began = performance.now();
    let isNoted = false;
    const outcome = await channel.bring(parcel, signal, text => {
      isNoted = true;
      note(message, { ...place, outcome: { result: 'delivered', text } }, sending);
    });
    if (!isNoted) note(message, { ...place, outcome }, sending);
    yield { outcome, ...(part === undefined ? {} : { part }), tookMs: Math.round(performance.now() - began) };
    if (outcome.result !== 'delivered') return;
  }
}

/** At most as long as an alarm may wait for the sake of measuring. */
async function untilNothingTimed({ nothingTimed, clock, signal }: Sending): Promise<void> {
  const enough = new AbortController();
  const waited = clock.sleep(HEAVY_WAIT_MS, AbortSignal.any([signal, enough.signal]));
  await Promise.race([nothingTimed(), waited]);
  enough.abort();
}

/** On disk before anything else is done. */
function note(
  { id, claim }: Message,
  what: { readonly channel: string } & ({ readonly begun: true } | { readonly part?: number; readonly outcome: Outcome }),
  { folder, clock }: Sending,
): void {
  if (claim !== undefined) mark(folder, claim, { message: id, at: clock.now(), ...what });
}

function openNow({ gate }: AlarmState): Pick<Parcel, 'open'> {
  return {
    open: gate.alarms
      .filter(({ stage }) => stage === 'open')
      .map(alarm => ({ alarm: alarm.id, severity: alarm.severity, title: titleOf(alarm) })),
  };
}

function parcelsOf(
  { id, notices, decidedAt, heldBack, done, unsure }: Message,
  takes: Channel['takes'],
  more: Pick<Parcel, 'open' | 'at' | 'lastUntil'>,
): readonly { readonly parcel: Parcel; readonly part?: number }[] {
  const repeat = unsure === undefined ? {} : ({ mayBeRepeat: true } as const);
  const head = { decidedAt, heldBack, ...repeat, ...more };
  if (takes === 'all') {
    const left = notices.filter((_, n) => !done.includes(n));
    return [{ parcel: { id, notices: left, ...head } }];
  }
  return notices.flatMap((notice, part) =>
    done.includes(part)
      ? []
      : [{ parcel: { id: notices.length === 1 ? id : `${id}.${part}`, notices: [notice], ...head }, part }],
  );
}

/** The last message that the cap lets through says so. */
function lastUntil(
  { isTest }: Message,
  { name, cap }: ReadyChannel,
  { sends }: AlarmState,
  now: number,
): Pick<Parcel, 'lastUntil'> {
  const lately = (sends[name] ?? []).filter(sent => now - sent < HOUR_MS);
  return isTest !== true && lately.length === cap - 1 && cap > 1 ? { lastUntil: (lately[0] ?? now) + HOUR_MS } : {};
}
