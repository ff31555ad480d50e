// `healthmon alarm list`: what is open now, who knows of it and who has it. With --all also what is watched and what is over.

import type { AlarmState } from '../../alarm/send/outbox.ts';
import type { Alarm, Severity } from '../../alarm/when/alarm.ts';
import { isAcked, silenceOf } from '../../alarm/when/silence.ts';
import { durationText, many, severityText, titleOf, whenText } from '../../alarm/words/words.ts';
import { placesOf } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { type FolderOptions, seenState, usable } from './open.ts';

export interface ListOptions extends FolderOptions {
  readonly all?: boolean;
}

/** As check results: 1 slow, 2 failed, 3 could not be measured. */
const STATUS: Readonly<Record<Severity, number>> = { failed: 2, unknown: 3, slow: 1 };
const ORDER: readonly Severity[] = ['failed', 'unknown', 'slow'];
const LISTED = 3;

/** @returns 0 when nothing is open, else the status of the worst that is */
export async function runList(options: ListOptions, terminal: Terminal): Promise<number> {
  const places = placesOf(options);
  const state = seenState(places, await usable(places, terminal));
  const now = Date.now();
  const open = state.gate.alarms.filter(({ stage }) => stage === 'open').toSorted(gravestFirst);
  const others = options.all === true ? state.gate.alarms.filter(({ stage }) => stage !== 'open') : [];
  if (options.json === true) {
    terminal.out(JSON.stringify([...open, ...others].map(alarm => forMachines(alarm, state, now))));
  } else {
    for (const line of listText(open, state, now, terminal.colours)) terminal.out(line);
    for (const alarm of others.filter(({ stage }) => stage === 'watched'))
      terminal.out(
        `watched ${alarm.id}  ${titleOf(alarm)}: ${alarm.count.bad} bad of ${many(alarm.count.results, 'result')}, not raised`,
      );
    for (const alarm of others.filter(({ stage, raisedAt }) => stage === 'closed' && raisedAt !== undefined))
      terminal.out(`over ${alarm.id}  ${titleOf(alarm)}: ${overText(alarm, now)}`);
  }
  const worst = ORDER.find(severity => open.some(alarm => alarm.severity === severity));
  return worst === undefined ? 0 : STATUS[worst];
}

function gravestFirst(a: Alarm, b: Alarm): number {
  return ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) || a.firstAt - b.firstAt;
}

/** What is open, as lines for people. */
export function listText(open: readonly Alarm[], state: AlarmState, now: number, { bold, dim }: Terminal['colours']): string[] {
  if (open.length === 0) return ['No alarm is open'];
  return open.flatMap(alarm => {
    const word = alarm.flapping === undefined ? severityText(alarm).toUpperCase() : 'FLAPPING';
    const touched = Object.values(alarm.touched).map(({ label }) => label);
    const more = touched.length > LISTED ? `; and ${touched.length - LISTED} more` : '';
    const since = `since ${whenText(alarm.firstAt, now)} (${durationText(now - alarm.firstAt)})`;
    const count = alarm.kind === 'host' ? '' : `${many(touched.length, 'path')}: `;
    const paths = touched.length === 0 ? '' : `, ${count}${touched.slice(0, LISTED).join('; ')}${more}`;
    return [
      bold(`${alarm.id}  ${word}  ${titleOf(alarm)}`),
      `    ${since}${paths}`,
      ...(alarm.words === undefined || alarm.kind === 'host' ? [] : [`    said: ${alarm.words}`]),
      ...(alarm.explains.length === 0 ? [] : [`    explains ${alarm.explains.join(', ')}`]),
      `    ${handText(alarm, state, now)}`,
      ...(alarm.lastTrip === undefined ? [] : [dim(`    healthmon explain ${alarm.lastTrip}`)]),
    ];
  });
}

/** Who knows of it, who has it, what holds it back. */
function handText(alarm: Alarm, state: AlarmState, now: number): string {
  const told = toldOf(alarm, state);
  const waiting = waitingFor(alarm, state);
  const silence = silenceOf(alarm, state.silences, now);
  const { ack } = alarm;
  const isTaken = ack !== undefined && isAcked(alarm, now);
  return [
    told.length === 0 ? 'nobody has been told' : `told: ${told.join(', ')}`,
    ...(waiting.length === 0 ? [] : [`not out yet: the message to ${waiting.join(', ')} (healthmon alarm status)`]),
    ...(alarm.explainedBy === undefined ? [] : [`alarm ${alarm.explainedBy} explains it`]),
    ...(silence === undefined ? [] : [`silenced until ${whenText(silence.until, now)} by ${silence.by}: ${silence.reason}`]),
    isTaken
      ? `taken on by ${ack.by}${ack.until === undefined ? '' : ` until ${whenText(ack.until, now)}`}${ack.reason === undefined ? '' : `: ${ack.reason}`}`
      : `nobody has taken it on (healthmon ack ${alarm.id})`,
  ].join('; ');
}

/** Those whom it has reached. */
function toldOf(alarm: Alarm, state: AlarmState): readonly string[] {
  const { id } = alarm;
  const waiting = waitingFor(alarm, state);
  const all = Object.keys(state.telling.told).flatMap(key => (key.startsWith(`${id}>`) ? [key.slice(`${id}>`.length)] : []));
  return all.filter(name => !waiting.includes(name));
}

/** Those whom it has not reached yet: their message is decided, and no channel has taken it. */
function waitingFor({ id }: Alarm, { messages }: AlarmState): readonly string[] {
  const isUntold = messages.filter(({ notices }) => notices.some(({ alarm, what }) => alarm === id && what === 'raised'));
  return [...new Set(isUntold.map(({ to }) => to))];
}

function overText({ firstAt, endedAt, lastBadAt, closedBecause }: Alarm, now: number): string {
  const end = endedAt ?? lastBadAt;
  return `${whenText(firstAt, now)} to ${whenText(end, now)}, ${durationText(end - firstAt)}${closedBecause === undefined ? '' : `, ${closedBecause}`}`;
}

function forMachines(alarm: Alarm, state: AlarmState, now: number) {
  const { id, stage, component, phase, kind, protocols, severity, confidence, explains, explainedBy, flapping, ack } = alarm;
  const touched = Object.values(alarm.touched).map(({ label }) => label);
  const silence = silenceOf(alarm, state.silences, now);
  return {
    alarm: id,
    stage,
    state: severity,
    component,
    protocols,
    phase,
    kind,
    confidence,
    title: titleOf(alarm),
    since: iso(alarm.firstAt),
    raised: maybeIso(alarm.raisedAt),
    ended: maybeIso(stage === 'closed' ? alarm.endedAt : undefined),
    flapping: flapping !== undefined,
    touched: { count: touched.length, labels: touched.slice(0, 20) },
    results: alarm.count,
    words: alarm.words ?? null,
    trip: alarm.lastTrip ?? null,
    told: toldOf(alarm, state),
    waiting: waitingFor(alarm, state),
    explains,
    explainedBy: explainedBy ?? null,
    ack: ack === undefined ? null : { by: ack.by, at: iso(ack.at), until: maybeIso(ack.until), reason: ack.reason ?? null },
    silence: silence === undefined ? null : { id: silence.id, until: iso(silence.until), by: silence.by, reason: silence.reason },
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function maybeIso(at: number | undefined): string | null {
  return at === undefined ? null : iso(at);
}
