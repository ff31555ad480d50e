// What the alarms know, on disk: state/alarm/state.json, replaced as a whole and forced to disk before anything is sent. An alarm's
// new state and the messages that tell of it are in one file, so that a kill at any moment leaves both or neither.
//
// What comes of each attempt is noted beside it (marks.ts), and taken in by the next change of the state.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotWritten } from '../../record/append.ts';
import type { JournalCursor } from '../../record/journal.ts';
import { takeLock } from '../../record/lock.ts';
import { putAside, replaceFile } from '../../record/replace.ts';
import { NOBODY_TOLD, type Telling } from '../when/address.ts';
import { type GateState, NO_ALARMS } from '../when/alarm.ts';
import type { Silence } from '../when/silence.ts';
import { type Claim, isHeld, type Sender } from './claim.ts';
import { dropMarks, type Mark, type Marks, readMarks } from './marks.ts';
import { afterAttempt, type Message } from './message.ts';

export interface AlarmState {
  readonly v: 1;
  /** Distinguishes this state folder from others: part of every message's id. */
  readonly origin: string;
  readonly nextMessage: number;
  readonly nextSilence: number;
  readonly gate: GateState;
  readonly telling: Telling;
  readonly silences: readonly Silence[];
  readonly messages: readonly Message[];
  /** When each channel delivered, in the last hour; for its cap. Epoch ms. */
  readonly sends: Readonly<Record<string, readonly number[]>>;
  /** How each channel did last. */
  readonly health: Readonly<Record<string, Health>>;
  /** How each heartbeat did last. */
  readonly beats: Readonly<Record<string, Health & { readonly triedAt: number }>>;
  /** The day of the last canary, local. */
  readonly canaryDay?: string;
  /** How far the journal has been read. */
  readonly cursor?: JournalCursor;
  /** When the checks of this host were last looked at. Epoch ms. */
  readonly lookedAt?: number;
  /** Trips that have been counted lately, so that none is counted twice. */
  readonly counted: readonly string[];
  /** Wall clock and time since boot at the last step, by which a clock that was set is noticed. */
  readonly clock?: { readonly at: number; readonly upMs: number; readonly boot: string };
}

export interface Health {
  readonly okAt?: number;
  readonly failedAt?: number;
  readonly text: string;
}

const LOCK_WAIT_MS = 5000;
const HOUR_MS = 3_600_000;

function freshState(): AlarmState {
  return {
    v: 1,
    origin: randomBytes(4).toString('hex'),
    nextMessage: 1,
    nextSilence: 1,
    gate: NO_ALARMS,
    telling: NOBODY_TOLD,
    silences: [],
    messages: [],
    sends: {},
    health: {},
    beats: {},
    counted: [],
  };
}

function stateFile(state: string): string {
  return join(state, 'alarm', 'state.json');
}

export interface Transaction<T> {
  readonly state: AlarmState;
  readonly result: T;
  /** Nothing has changed that is worth a write. */
  readonly isSame?: boolean;
}

export interface Transacted<T> {
  readonly result: T;
  readonly state: AlarmState;
  /** Why it could not be kept; the state is then in memory only. */
  readonly notWritten?: string;
}

/**
 * Reads the state, lets `work` change it, and keeps that before it returns. One process at a time; a process that is killed lets go.
 *
 * @param keepMs how long messages are tried, for what marks tell
 * @throws {NotWritten} when another process holds the state for five seconds
 */
export async function transact<T>(
  folder: string,
  keepMs: number,
  work: (state: AlarmState) => Promise<Transaction<T>> | Transaction<T>,
): Promise<Transacted<T>> {
  const release = await lock(folder);
  try {
    const kept = parseState(folder);
    const marks = readMarks(folder).filter(({ sender }) => sender.pid === process.pid || !isSending(sender, kept));
    const { state, result, isSame } = await work(withMarks(kept, marks, keepMs));
    if (isSame === true && marks.length === 0) return { state, result };
    try {
      replaceFile(stateFile(folder), `${JSON.stringify(state)}\n`);
      for (const each of marks) dropMarks(each);
      return { state, result };
    } catch (error) {
      if (!(error instanceof NotWritten)) throw error;
      return { state, result, notWritten: error.message };
    }
  } finally {
    release();
  }
}

async function lock(folder: string): Promise<() => void> {
  const until = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      const taken = await takeLock(folder, 'alarm', 'the alarms');
      if (taken.held) return taken.release;
      if (performance.now() > until)
        throw new NotWritten(
          stateFile(folder),
          `process ${taken.holder?.pid ?? '(unknown)'} has held the alarms for ${LOCK_WAIT_MS / 1000} s`,
        );
    } catch (error) {
      // A disk that takes no lock must not keep an alarm from being told.
      if (!(error instanceof NotWritten) || error.file === stateFile(folder)) throw error;
      return () => {};
    }
    await new Promise(resolve => setTimeout(resolve, 15));
  }
}

/** The state as it is now, with what is noted beside it; for reading only. */
export function peek(folder: string, keepMs: number): AlarmState {
  return withMarks(parseState(folder), readMarks(folder), keepMs);
}

function withMarks(state: AlarmState, all: readonly Marks[], keepMs: number): AlarmState {
  return all.flatMap(({ marks }) => marks).reduce((folded, mark) => foldMark(folded, mark, keepMs), state);
}

/** Whether a process that still runs has messages in its hands: then its notes are its own to take in. */
function isSending({ pid, born }: Sender, { messages }: AlarmState): boolean {
  return messages.some(({ claim }) => claim?.pid === pid && claim.born === born && isHeld(claim, Date.now()));
}

/** A file that cannot be read is put aside: what it knew is lost, which is said by alarms being raised anew. */
function parseState(folder: string): AlarmState {
  const file = stateFile(folder);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return freshState();
    return freshState();
  }
  try {
    const value = JSON.parse(text) as AlarmState;
    if (value.v === 1 && Array.isArray(value.gate?.alarms) && Array.isArray(value.messages)) return { ...freshState(), ...value };
  } catch {
    // put aside below
  }
  putAside(file);
  return freshState();
}

/** The state with what a mark tells. Pure. */
function foldMark(state: AlarmState, entry: Mark, keepMs: number): AlarmState {
  const message = state.messages.find(({ id }) => id === entry.message);
  const kept = 'begun' in entry ? state : withHealth(state, entry);
  if (message === undefined) return kept;
  const replace = (fresh: Message | undefined): AlarmState => ({
    ...kept,
    messages: kept.messages.flatMap(each => (each !== message ? [each] : fresh === undefined ? [] : [fresh])),
  });
  if ('begun' in entry)
    return replace(message.claim === undefined ? message : { ...message, claim: { ...message.claim, isBegun: true } });
  const ended = message.claim === undefined ? message : { ...message, claim: withoutBegun(message.claim) };
  if (entry.part !== undefined && entry.outcome.result === 'delivered') {
    const done = [...new Set([...ended.done, entry.part])];
    return replace(done.length >= ended.notices.length ? undefined : { ...ended, done });
  }
  const progress = afterAttempt(ended, entry.outcome, entry.at, keepMs);
  return replace(progress.is === 'waiting' ? progress.message : undefined);
}

function withoutBegun({ pid, born, at }: Claim): Claim {
  return { pid, born, at };
}

function withHealth(state: AlarmState, { channel, at, outcome, part }: Exclude<Mark, { begun: true }>): AlarmState {
  const known = state.health[channel];
  const health: Health =
    outcome.result === 'delivered'
      ? { ...known, okAt: at, text: outcome.text }
      : { ...(known?.okAt === undefined ? {} : { okAt: known.okAt }), failedAt: at, text: outcome.text };
  const sends =
    outcome.result !== 'delivered' || (part !== undefined && part > 0)
      ? state.sends
      : { ...state.sends, [channel]: [...(state.sends[channel] ?? []).filter(sent => at - sent < HOUR_MS), at] };
  return { ...state, health: { ...state.health, [channel]: health }, sends };
}
