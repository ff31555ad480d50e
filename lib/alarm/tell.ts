// The entrance: what a round calls once its records are written, and what runs without records as well, so that reminders, escalation,
// retries and heartbeats go on while nothing is due. Records are read from the journal, from where the last call ended: whoever was
// killed in between, nothing is counted twice or missed.
//
// Decide and claim in one change of the state on disk; send; keep what came of it. Within a round, sending shares the event loop with
// trips that are still under way: a channel that would take it for long waits for their end.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { ReadingRecord, TripRecord } from '../model/record.ts';
import type { Site } from '../model/site.ts';
import { NotWritten } from '../record/append.ts';
import { type NewRecord, readJournalSince } from '../record/journal.ts';
import type { Alarms } from './config/load.ts';
import type { ReadyHeartbeat } from './config/ready.ts';
import { outagesOf } from './outages.ts';
import { lookAtOurselves } from './own.ts';
import { ourselves } from './send/claim.ts';
import { type Attempt, type Clock, claimDue, releaseDead, sendMessage, systemClock, unclaimed } from './send/dispatch.ts';
import type { Message } from './send/message.ts';
import { type AlarmState, peek, type Transacted, transact } from './send/outbox.ts';
import { deliveryRecord, heldRecord, noteInJournal } from './send/records.ts';
import { isLookDue } from './when/blind.ts';
import { decide, followClock } from './when/decide.ts';
import { beatRequest, type Expected, judgeBeat, type Pulse, pulseOf } from './when/heartbeat.ts';
import type { OwnLook } from './when/policy.ts';
import { openSubjects, resultsOfReading } from './when/reading.ts';
import { needsOf, type Result, resultOf, runDone } from './when/result.ts';

export interface TellOptions {
  readonly alarms: Alarms;
  readonly site: Site;
  /** The state folder. */
  readonly state: string;
  /** New trips and readings of this process, each handed over once: they count even where the journal could not be written. */
  readonly records?: readonly (TripRecord | ReadingRecord)[];
  /** What the sequence is expected to measure, for the heartbeat. */
  readonly expected: readonly Expected[];
  /** What a command needs to find our folders: ` --config /etc/healthmon`, or nothing. */
  readonly commandTail: string;
  readonly signal: AbortSignal;
  /** Something about the alarms themselves that the operator must know; one line. */
  readonly say: (line: string) => void;
  /** Messages have been made, and are about to be sent. */
  readonly onMade?: () => void;
  /** Resolves when nothing is being timed in this process; absent: nothing is. */
  readonly nothingTimed?: () => Promise<void>;
  readonly clock?: Clock;
  readonly upTime?: () => { readonly upMs: number; readonly boot: string };
  readonly look?: () => Promise<OwnLook>;
}

export interface TellResult {
  /** Messages made now. */
  readonly made: number;
  readonly delivered: number;
  /** Messages that wait still. */
  readonly waiting: number;
}

/** Enough of the journal for what a day of rounds writes; a reader that is further behind begins with the newest. */
const JOURNAL_BYTES = 16 * 1024 * 1024;
/** What a first call looks at. ms */
const FIRST_MS = 3_600_000;
/** More than one round has, and what another process may have counted meanwhile. */
const COUNTED = 500;
/** A heartbeat is sent this much before its time, rather than a whole run after it. ms */
const EARLY_MS = 30_000;

/** Never throws for what the disk, the network or a service does; what cannot be done is said. */
export async function tellAlarms(options: TellOptions): Promise<TellResult> {
  const { alarms, state: folder, signal, say } = options;
  const clock = options.clock ?? systemClock;
  const { keepMs } = alarms;
  let decided: Transacted<DecidedNow>;
  try {
    decided = await transact(folder, keepMs, before => decideNow(before, options, clock));
  } catch (error) {
    if (!(error instanceof NotWritten)) throw error;
    say(`Alarms: ${error.message}; they are decided by the next run`);
    return { made: 0, delivered: 0, waiting: 0 };
  }
  const { result, state, notWritten } = decided;
  if (notWritten !== undefined) say(`Alarms: ${notWritten}; they are sent all the same, and may be sent again`);
  if (result.made > 0) options.onMade?.();
  const note = (record: NewRecord) => noteInJournal(folder, record, clock.now(), say);
  for (const record of result.records) note(record);

  let delivered = 0;
  const onAttempt = (attempt: Attempt) => {
    note(deliveryRecord(attempt));
    if (attempt.outcome.result === 'delivered') delivered += 1;
    else say(`Alarm to ${attempt.message.to} by ${attempt.channel}: ${attempt.outcome.text}`);
  };
  const onGivenUp = (message: Message) => {
    note(heldRecord(message, 'given up', `after ${message.attempts} attempts`));
    say(`Alarm to ${message.to}: given up after ${message.attempts} attempts`);
  };
  const until = clock.now() + alarms.waitMs;
  const { nothingTimed = async () => {} } = options;
  const sending = { folder, channels: alarms.channels, keepMs, clock, signal, until, nothingTimed, onAttempt, onGivenUp };
  const beats = new Map<string, { readonly ok: boolean; readonly text: string }>();
  await Promise.all([
    ...result.mine.map(message => sendMessage(message, state, sending)),
    ...result.beats.map(async due => {
      beats.set(due.heartbeat.name, await beat(due, options, clock));
    }),
  ]);
  if (result.mine.length > 0 || beats.size > 0) await settle(folder, { result, beats, options, clock });
  return { made: result.made, delivered, waiting: peek(folder, keepMs).messages.length };
}

interface DecidedNow {
  readonly records: readonly NewRecord[];
  readonly made: number;
  readonly mine: readonly Message[];
  readonly beats: readonly Due[];
}

interface Due {
  readonly heartbeat: ReadyHeartbeat;
  readonly pulse: Extract<Pulse, { readonly alive: true }>;
}

async function decideNow(before: AlarmState, options: TellOptions, clock: Clock) {
  const { alarms, site, commandTail } = options;
  const at = clock.now();
  const released = releaseDead(before, at);
  const followed = followClock(released.state, { at, ...(options.upTime ?? systemUpTime)() });
  const { state: read, results } = newResults(followed, options, at);
  const own = isLookDue(results, read.gate, alarms.policy, at) ? await (options.look ?? lookAtOurselves)() : undefined;
  const decision = decide(
    read,
    results,
    {
      policy: alarms.policy,
      recipients: alarms.recipients,
      spacing: alarms.spacing,
      around: { needs: needsOf(site), outages: outagesOf(site, options.state, at), ...(own === undefined ? {} : { own }) },
      context: { site: site.name, commandTail, storeOf: account => site.accounts.get(account)?.store },
      ...(alarms.canaryMinute === undefined
        ? {}
        : {
            canary: {
              minute: alarms.canaryMinute,
              channels: [...new Set(alarms.recipients.flatMap(({ channels }) => channels))],
            },
          }),
    },
    at,
  );
  const { state: claimed, mine, capped } = claimDue(decision.state, alarms.channels, ourselves(at), alarms.waitMs);
  const pulses = alarms.heartbeats
    .filter(({ name, everyMs }) => at - (claimed.beats[name]?.triedAt ?? 0) >= everyMs - EARLY_MS)
    .map(heartbeat => ({
      heartbeat,
      pulse: pulseOf(options.expected, claimed.gate, claimed.messages, {
        freshMs: heartbeat.freshMs,
        lookedAt: claimed.lookedAt,
        at,
      }),
    }));
  const beats = pulses.flatMap(({ heartbeat, pulse }) => (pulse.alive ? [{ heartbeat, pulse }] : []));
  // One that may not be sent is due still: the rest of this round may bring what it lacks.
  const missed = pulses.flatMap(({ heartbeat: { name }, pulse }) => {
    if (pulse.alive) return [];
    const known = claimed.beats[name] ?? { triedAt: 0 };
    return [[name, { ...known, failedAt: at, text: `not sent: ${pulse.why}` }] as const];
  });
  const state: AlarmState = {
    ...claimed,
    beats: Object.fromEntries([
      ...Object.entries(claimed.beats).filter(([name]) => alarms.heartbeats.some(heartbeat => heartbeat.name === name)),
      ...missed,
      ...beats.map(({ heartbeat: { name } }) => [name, { text: '', ...claimed.beats[name], triedAt: at }] as const),
    ]),
  };
  const records: NewRecord[] = [
    ...released.lost.map(deliveryRecord),
    ...decision.records,
    ...capped.map(message =>
      heldRecord(message, 'held back', `the cap of this channel is reached until ${new Date(message.next.at).toISOString()}`),
    ),
  ];
  const isQuiet =
    records.length === 0 &&
    results.length === 0 &&
    mine.length === 0 &&
    pulses.length === 0 &&
    released.lost.length === 0 &&
    read.lookedAt === before.lookedAt;
  return { state, result: { records, made: decision.made, mine, beats }, isSame: isQuiet && before.clock !== undefined };
}

/** What the journal has that was not counted yet, and what of our own trips it has not. */
function newResults(
  state: AlarmState,
  { site, state: folder, records = [] }: TellOptions,
  at: number,
): { readonly state: AlarmState; readonly results: readonly Result[] } {
  let written: ReturnType<typeof readJournalSince>;
  try {
    written = readJournalSince(folder, state.cursor, JOURNAL_BYTES);
  } catch {
    written = { records: [], damaged: 0, cursor: state.cursor ?? {} };
  }
  const isFirst = state.cursor === undefined;
  const counted = new Set(state.counted);
  const needs = needsOf(site);
  const open = new Set(openSubjects(state.gate.alarms));
  const results: Result[] = [];
  for (const record of [...written.records, ...records]) {
    if (isFirst && at - record.at > FIRST_MS) continue;
    const one = record.type === 'reading' ? undefined : resultOf(record, site, needs);
    for (const result of record.type === 'reading' ? resultsOfReading(record, open) : one === undefined ? [] : [one]) {
      if (result.isOfHost === true && result.state !== 'ok') open.add(result.subject);
      const once = fingerprint(result);
      if (counted.has(once)) continue;
      counted.add(once);
      results.push(result.at > at ? { ...result, at } : result);
    }
  }
  if (results.some(({ tripId }) => tripId !== undefined)) results.push(runDone(at));
  const looks = [...written.records, ...records].flatMap(record => (record.type === 'reading' ? [Math.min(record.at, at)] : []));
  const lookedAt = looks.length === 0 ? {} : { lookedAt: Math.max(...looks) };
  return { state: { ...state, ...lookedAt, cursor: written.cursor, counted: [...counted].slice(-COUNTED) }, results };
}

/** The same verdict on the same trip is counted once; another verdict on it is another text, and takes the place of the first. */
function fingerprint({ tripId, subject, at, state, causes }: Result): string {
  const blamed = causes.map(({ component, phase, confidence }) => `${component} ${phase} ${confidence}`).join();
  return createHash('sha1')
    .update(`${tripId ?? `${subject} ${at}`} ${state} ${blamed}`)
    .digest('base64url')
    .slice(0, 12);
}

async function beat(
  { heartbeat, pulse }: Due,
  { site, signal }: TellOptions,
  clock: Clock,
): Promise<{ readonly ok: boolean; readonly text: string }> {
  const at = clock.now();
  const sent = await heartbeat.send((url, token) => beatRequest(heartbeat.form, pulse, site.name, { url, token, at }), signal);
  if ('problem' in sent) return { ok: false, text: sent.problem };
  const outcome = judgeBeat(heartbeat.form, sent.reply);
  return { ok: outcome.result === 'delivered', text: sent.mask(outcome.text) };
}

interface Settling {
  readonly result: DecidedNow;
  readonly beats: ReadonlyMap<string, { readonly ok: boolean; readonly text: string }>;
  readonly options: TellOptions;
  readonly clock: Clock;
}

/** Takes what came of the sending into the state, and lets go of what is left. */
async function settle(folder: string, { result, beats, options, clock }: Settling): Promise<void> {
  const mine = new Set(result.mine.map(({ id }) => id));
  try {
    await transact(folder, options.alarms.keepMs, before => {
      const at = clock.now();
      const messages = before.messages.map(message => (mine.has(message.id) ? unclaimed(message) : message));
      const fresh = Object.fromEntries(
        [...beats].map(([name, { ok, text }]) => {
          const known = before.beats[name] ?? { triedAt: at, text };
          return [name, ok ? { ...known, okAt: at, text } : { ...known, failedAt: at, text }];
        }),
      );
      return { state: { ...before, messages, beats: { ...before.beats, ...fresh } }, result: undefined };
    });
  } catch (error) {
    if (!(error instanceof NotWritten)) throw error;
    options.say(`Alarms: ${error.message}`);
  }
}

function systemUpTime(): { readonly upMs: number; readonly boot: string } {
  let boot = '';
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // elsewhere than on Linux a clock that was set is not noticed
  }
  return { upMs: uptime() * 1000, boot };
}
