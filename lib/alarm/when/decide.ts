// From the state, new results and the time to the next state with its messages. Pure: what is decided here is on disk as a whole
// before anything of it is sent.

import { localDay } from '../../record/day.ts';
import type { NewRecord } from '../../record/journal.ts';
import { briefly, isOpenToMerge, type Message, mergeNotices } from '../send/message.ts';
import type { AlarmState } from '../send/outbox.ts';
import { type Notice, type NoticeContext, noticeOf, testNotice } from '../words/notice.ts';
import { titleOf } from '../words/words.ts';
import { type Addressing, address, type Item, isStillTold, type Recipient, shiftTelling } from './address.ts';
import type { Alarm, AlarmEvent } from './alarm.ts';
import { forget, shiftGate, step } from './gate.ts';
import type { Policy, Surroundings } from './policy.ts';
import type { Result } from './result.ts';

export interface Deciding {
  readonly policy: Policy;
  readonly recipients: readonly Recipient[];
  readonly spacing: Addressing['spacing'];
  readonly around: Surroundings;
  readonly context: Omit<NoticeContext, 'origin'>;
  /** Minute of the day for a test over these channels. */
  readonly canary?: { readonly minute: number; readonly channels: readonly string[] };
}

export interface Decided {
  readonly state: AlarmState;
  /** For the journal: what came about and whom it was made a message for, what was replaced. */
  readonly records: readonly NewRecord[];
  readonly made: number;
}

/** Labels of subjects in one record of the journal. */
const LABELS = 50;

export function decide(before: AlarmState, results: readonly Result[], deciding: Deciding, at: number): Decided {
  const { policy, recipients, spacing, around } = deciding;
  const { state: gate, events } = step(before.gate, results, policy, around, at);
  const silences = before.silences.filter(({ until }) => at < until);
  const { telling, items, held } = address(gate.alarms, before.telling, { recipients, spacing, silences, around }, at);
  const told = { ...before, gate: forget(gate, policy, id => isStillTold(telling, id), at), telling, silences };
  const records: NewRecord[] = [];
  let state: AlarmState = told;
  for (const { to, items: ofOne } of items) {
    const made = withMessage(state, to, ofOne, deciding, at);
    state = made.state;
    records.push(...made.records);
  }
  const heard = (alarm: Alarm, what: AlarmEvent['what']) =>
    items
      .filter(({ items: ofOne }) => ofOne.some(item => item.alarm.id === alarm.id && isOf(item, what)))
      .map(({ to }) => to.name);
  const eventRecords = events.map(({ what, alarm }) => noticeRecord(what, alarm, heard(alarm, what), held.get(alarm.id)));
  const laterRecords = items.flatMap(({ to, items: ofOne }) =>
    ofOne
      .filter(item => !events.some(event => event.alarm.id === item.alarm.id && isOf(item, event.what)))
      .map(({ what, alarm }) => noticeRecord(what, alarm, [to.name], undefined)),
  );
  const withCanary = canary(state, deciding, at);
  const canaries = withCanary.messages.slice(state.messages.length).map(({ to }) => to);
  return {
    state: withCanary,
    records: [
      ...eventRecords,
      ...laterRecords,
      ...records,
      ...(canaries.length === 0 ? [] : [markedRecord('canary', canaries, at)]),
    ],
    made: withCanary.nextMessage - before.nextMessage,
  };
}

/** Whether an item tells of an event: one that is new to a recipient is raised to them, whatever the event is. */
function isOf({ what }: Item, event: AlarmEvent['what']): boolean {
  return what === event || (what === 'raised' && event !== 'cleared');
}

/** The state with a message for one recipient, joined with what waits for them. */
function withMessage(
  state: AlarmState,
  to: Recipient,
  items: readonly Item[],
  { context }: Deciding,
  at: number,
): { readonly state: AlarmState; readonly records: readonly NewRecord[] } {
  const whole: NoticeContext = { ...context, origin: state.origin };
  const fresh = items.map(({ what, alarm, turn, unackedMs }) =>
    noticeOf(alarm, what, whole, at, { turn, ...(unackedMs === undefined ? {} : { unackedMs }) }),
  );
  const waiting = state.messages.filter(message => message.to === to.name && isOpenToMerge(message));
  const { notices, replaced } = mergeNotices(
    waiting.flatMap(message => message.notices),
    fresh,
  );
  const isJoined = notices.length > fresh.length;
  const message: Message = {
    id: `${state.origin}-${state.nextMessage}`,
    to: to.name,
    channels: to.channels,
    notices,
    decidedAt: isJoined ? Math.min(at, ...waiting.map(({ decidedAt }) => decidedAt)) : at,
    heldBack: replaced + waiting.reduce((sum, { heldBack }) => sum + heldBack, 0),
    next: { channel: 0, tried: 0, round: 0, at },
    attempts: 0,
    done: [],
  };
  const records: NewRecord[] = waiting.map(old => ({
    type: 'delivery',
    message: old.id,
    to: to.name,
    channel: old.channels[old.next.channel] ?? '',
    attempt: old.attempts,
    outcome: 'replaced',
    text: `by message ${message.id}, which says it all`,
    tookMs: 0,
    notices: briefly(old.notices),
  }));
  return {
    state: {
      ...state,
      nextMessage: state.nextMessage + 1,
      messages: [...state.messages.filter(each => !waiting.includes(each)), message],
    },
    records,
  };
}

function noticeRecord(what: Item['what'], alarm: Alarm, to: readonly string[], why: string | undefined): NewRecord {
  const labels = Object.values(alarm.touched).map(({ label }) => label);
  return {
    type: 'notice',
    what,
    alarm: alarm.id,
    state: alarm.severity,
    component: alarm.component,
    protocol: alarm.protocols[0] ?? 'local',
    phase: alarm.phase,
    kind: alarm.kind,
    text: titleOf(alarm),
    since: alarm.firstAt,
    ...(what === 'cleared' ? { lastedMs: Math.max(0, (alarm.endedAt ?? alarm.lastBadAt) - alarm.firstAt) } : {}),
    paths: labels.slice(0, LABELS),
    pathCount: labels.length,
    ...(alarm.lastTrip === undefined ? {} : { trip: alarm.lastTrip }),
    to,
    ...(to.length > 0 ? {} : { why: why ?? 'no [notify.NAME] of alarms.cfg takes it now' }),
  };
}

/** The state with today's test over each channel, once its time has come. A monitor that starts later in the day begins tomorrow. */
function canary(state: AlarmState, { canary: wanted, context }: Deciding, at: number): AlarmState {
  if (wanted === undefined) return state;
  const today = localDay(at);
  const now = new Date(at);
  const isTime = now.getHours() * 60 + now.getMinutes() >= wanted.minute;
  if (!isTime || state.canaryDay === today) return state;
  if (state.canaryDay === undefined) return { ...state, canaryDay: today };
  const notice = testNotice('canary', { site: context.site, origin: state.origin }, at);
  return wanted.channels.reduce<AlarmState>((sum, channel) => withMarked(sum, channel, [notice], at), {
    ...state,
    canaryDay: today,
  });
}

/** The state with a message over one channel only that is marked as no alarm: never merged, not held back by a cap. */
export function withMarked(state: AlarmState, channel: string, notices: readonly Notice[], at: number): AlarmState {
  const message: Message = {
    id: `${state.origin}-${state.nextMessage}`,
    to: channel,
    channels: [channel],
    notices,
    decidedAt: at,
    heldBack: 0,
    isTest: true,
    next: { channel: 0, tried: 0, round: 0, at },
    attempts: 0,
    done: [],
  };
  return { ...state, nextMessage: state.nextMessage + 1, messages: [...state.messages, message] };
}

/** The journal's line on a test or a canary. */
export function markedRecord(what: 'test' | 'canary', to: readonly string[], at: number): NewRecord {
  const { component, phase, kind, title } = testNotice(what, { site: '', origin: '' }, at);
  return {
    type: 'notice',
    what,
    alarm: 0,
    state: 'unknown',
    component,
    protocol: 'local',
    phase,
    kind,
    text: title,
    since: at,
    paths: [],
    pathCount: 0,
    to,
  };
}

/** Where a clock was set by more than this, it was set. ms */
const CLOCK_STEP_MS = 60_000;

/**
 * The state with its instants moved by as much as the wall clock was set since the last step: what has lasted ten minutes has lasted
 * ten minutes, whatever the clock on the wall did.
 *
 * @param boot changes when the machine is started anew; then nothing can be said, and nothing is moved
 */
export function followClock(
  state: AlarmState,
  now: { readonly at: number; readonly upMs: number; readonly boot: string },
): AlarmState {
  const { clock } = state;
  const stepMs = clock === undefined || clock.boot !== now.boot ? 0 : now.at - clock.at - (now.upMs - clock.upMs);
  if (Math.abs(stepMs) < CLOCK_STEP_MS) return { ...state, clock: now };
  const moved = (instant: number) => instant + stepMs;
  return {
    ...state,
    clock: now,
    gate: shiftGate(state.gate, stepMs),
    telling: shiftTelling(state.telling, stepMs),
    messages: state.messages.map(message => ({
      ...message,
      decidedAt: moved(message.decidedAt),
      next: { ...message.next, at: moved(message.next.at) },
    })),
    sends: Object.fromEntries(Object.entries(state.sends).map(([name, instants]) => [name, instants.map(moved)])),
    beats: Object.fromEntries(
      Object.entries(state.beats).map(([name, beat]) => [name, { ...beat, triedAt: moved(beat.triedAt) }]),
    ),
  };
}
