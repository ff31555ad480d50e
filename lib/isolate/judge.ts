// What a trip says by itself, before anybody has gone and looked: its state, and the leg that failed. Pure.

import { type Component, shortName } from '../model/component.ts';
import type { Fault } from '../model/dialog.ts';
import type { Limits } from '../model/site.ts';
import type { Trip } from '../model/trip.ts';
import type { State, Suspect, Verdict } from '../model/verdict.ts';

/** Characters of the Error column of systest.log. */
const SHORT = 15;

/** A fault of ours gives `unknown`; anything but one unaltered copy in the inbox, in time, is `failed`; above the limit is `slow`. */
export function stateOf(trip: Trip, limits: Pick<Limits, 'slowMs'>): State {
  if (trip.fault !== undefined) return trip.fault.kind === 'local' ? 'unknown' : 'failed';
  if (trip.arrival.outcome !== 'seen') return trip.arrival.outcome === 'unknown' ? 'unknown' : 'failed';
  return (trip.totalMs ?? 0) > limits.slowMs ? 'slow' : 'ok';
}

/** The verdict from the trip alone: whoever we were talking to is `likely`, and no more than that. */
export function judgeAlone(trip: Trip, limits: Pick<Limits, 'slowMs'>): Verdict {
  const state = stateOf(trip, limits);
  const total = trip.totalMs === undefined ? {} : { totalMs: trip.totalMs };
  if (state === 'ok') return { state, ...total, suspects: [], text: `ok, ${milliseconds(trip.totalMs ?? 0)}`, short: '' };
  if (state === 'slow') {
    const slowest = [...trip.legs].sort((a, b) => b.tookMs - a.tookMs)[0];
    const words = slowest === undefined ? '' : `, most of it in ${slowest.name} (${milliseconds(slowest.tookMs)})`;
    return {
      state,
      ...total,
      suspects: [],
      text: `slow: ${milliseconds(trip.totalMs ?? 0)}${words}`,
      short: shortText('slow', slowest?.name ?? ''),
    };
  }
  const fault = trip.fault;
  if (fault === undefined)
    return {
      state,
      ...total,
      suspects: [],
      text: `${state}: ${trip.arrival.outcome}`,
      short: shortText(trip.arrival.outcome, ''),
    };
  return { state, ...total, suspects: [suspectOf(fault)], text: faultText(fault), short: shortFault(trip, fault) };
}

/** `mmp/smux02 pop3 auth: refused: -ERR [AUTH] ...` */
function faultText(fault: Fault): string {
  return `${fault.component} ${fault.protocol} ${fault.phase}: ${fault.text}`;
}

/** `smux02 pop auth`, as far as fifteen characters allow: the protocol goes first, then the end of the name. */
export function shortSuspect(component: Component, protocol: Fault['protocol'], phase: string): string {
  const name = shortName(component);
  const spoken = protocol === 'pop3' ? 'pop' : protocol;
  const full = `${name} ${spoken} ${phase}`;
  return full.length <= SHORT ? full : shortText(name, phase);
}

function shortFault(trip: Trip, fault: Fault): string {
  if (fault.kind === 'local') return shortText('monitor', fault.phase);
  const word = outcomeWord(trip);
  if (word === undefined) return shortSuspect(fault.component, fault.protocol, fault.phase);
  if (trip.arrival.outcome === 'bounced') return shortText('bounced', fault.reply?.code ?? '');
  const mine =
    trip.arrival.outcome === 'lost' || trip.arrival.outcome === 'unsure' ? shortName(fault.component) : trip.path.account;
  return shortText(mine, word);
}

/** What became of the message, in a word or two; undefined when the fault says more than that. */
export function outcomeWord(trip: Trip): string | undefined {
  const { outcome } = trip.arrival;
  if (outcome === 'lost' || outcome === 'unsure' || outcome === 'bounced') return outcome;
  if (outcome === 'junked') return 'in junk';
  if (trip.fault?.phase === 'compare') return trip.findings.some(({ what }) => what === 'altered') ? 'altered' : 'twice';
  return undefined;
}

/** `name what` in fifteen characters: the name gives way. */
export function shortText(name: string, what: string): string {
  const full = what === '' ? name : `${name} ${what}`;
  if (full.length <= SHORT) return full;
  const room = SHORT - what.length - 2;
  return room >= 3 ? `${name.slice(0, room)}~ ${what}` : full.slice(0, SHORT);
}

function suspectOf(fault: Fault): Suspect {
  const { component, protocol, phase, kind, text } = fault;
  return { component, protocol, phase, kind, confidence: 'likely', why: [text] };
}

function milliseconds(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
