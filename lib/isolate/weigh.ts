// From a trip and what was looked at to a verdict. Pure: the same evidence gives the same verdict, from the journal as well.
//
// First whether it is us; then the fault that ended the trip, by where it showed; then what else is broken by its own door's word;
// last who is excused because somebody is working on it.

import { type Component, kindOf, shortName } from '../model/component.ts';
import type { Fault } from '../model/dialog.ts';
import type { Evidence, Knocked } from '../model/evidence.ts';
import type { Limits } from '../model/site.ts';
import type { Trip } from '../model/trip.ts';
import type { State, Suspect, Verdict } from '../model/verdict.ts';
import { Case } from './case.ts';
import { judgeAlone, outcomeWord, shortSuspect, shortText, stateOf } from './judge.ts';
import { weighArrival } from './weigh-arrival.ts';
import { weighContent } from './weigh-content.ts';
import { isDoor, weighDoor } from './weigh-door.ts';
import { weighLogin } from './weigh-login.ts';
import { weighOurs } from './weigh-ours.ts';
import { weighSlow } from './weigh-slow.ts';
import { weighSubmission } from './weigh-submission.ts';

export function weigh(trip: Trip, evidence: Evidence, limits: Pick<Limits, 'slowMs'>): Verdict {
  const state = stateOf(trip, limits);
  const alone = judgeAlone(trip, limits);
  if (state === 'ok' || (state === 'unknown' && trip.fault?.kind === 'local')) return alone;
  const it = new Case(trip, trip.fault ?? slowFault(trip), evidence);
  const ours = state === 'slow' ? undefined : weighOurs(it);
  const first = ours !== undefined ? [ours] : state === 'slow' ? weighSlow(it) : suspectsOf(it);
  const found = first.length > 0 ? first : alone.suspects;
  const suspects = [...found, ...(ours === undefined ? otherFaults(it, found) : [])];
  return verdictOf(trip, ours === undefined ? state : 'unknown', suspects, evidence, alone);
}

/** Whom the fault that ended the trip points to, by where it showed. */
function suspectsOf(it: Case): readonly Suspect[] {
  const { fault, scene } = it;
  if (fault.phase === 'compare') return weighContent(it);
  if (fault.phase === 'arrival') return weighArrival(it);
  if (it.trip.arrival.outcome === 'bounced') return weighArrival(it);
  if (isDoor(fault.phase)) return weighDoor(it);
  if (fault.component === scene.mta || fault.protocol === 'smtp') return weighSubmission(it);
  return weighLogin(it);
}

/** What is broken by its own door's word and is not the reason: a fault of its own, to be reported as one. */
function otherFaults(it: Case, found: readonly Suspect[]): readonly Suspect[] {
  const named = new Set(found.map(({ component }) => component));
  const others = new Map<Component, Suspect>();
  for (const knock of it.evidence.knocks) {
    if (knock.outcome !== 'failed' || named.has(knock.component) || others.has(knock.component)) continue;
    if (isConsequence(it, knock, found)) continue;
    // A question that failed once and was answered once (a balancer's round robin, a name) is no conviction.
    if (it.answered(knock.component, knock.question, knock.protocol)) continue;
    if (knock.question === 'name' && !it.badNameServers().includes(knock)) continue;
    if (knock.question === 'own name' || knock.fault === undefined || knock.fault.component === 'monitor') continue;
    others.set(knock.component, { ...it.convicted(knock), fault: others.size + 1 });
  }
  return [...others.values()];
}

/** A component that fails because of one that is already named: an MMP whose directory is down, anybody who refuses a dead account. */
function isConsequence({ scene }: Case, { component, about }: Knocked, found: readonly Suspect[]): boolean {
  return found.some(suspect => {
    if (suspect.component === scene.account || suspect.component === 'monitor') return true;
    if (kindOf(suspect.component) === 'account' && about === shortName(suspect.component)) return true;
    if ((scene.needs[component] ?? []).includes(suspect.component)) return true;
    if (scene.filters.includes(suspect.component) && (component === scene.mta || scene.mtaMembers.includes(component)))
      return true;
    if (suspect.component === scene.store && (component === scene.mmp || scene.mmpMembers.includes(component))) return true;
    if (scene.nameServers.includes(suspect.component)) return true;
    return scene.mtaMembers.includes(suspect.component)
      ? component === scene.mta
      : scene.mmpMembers.includes(suspect.component) && component === scene.mmp;
  });
}

function verdictOf(trip: Trip, state: State, suspects: readonly Suspect[], { absences }: Evidence, alone: Verdict): Verdict {
  const excused = suspects.flatMap(({ component }) => absences.find(absence => absence.component === component) ?? []);
  const rest = suspects.filter(({ component }) => !absences.some(absence => absence.component === component));
  const total = alone.totalMs === undefined ? {} : { totalMs: alone.totalMs };
  const absent = excused[0];
  if (absent !== undefined && rest.length === 0) {
    const text = `${absent.component} is in maintenance (${absent.reason}): ${alone.text}`;
    return { state, ...total, suspects: [], excused: text, text, short: shortText(shortName(absent.component), 'maint') };
  }
  const first = rest[0];
  if (first === undefined) return { ...alone, state };
  return { state, ...total, suspects: rest, text: verdictText(rest, alone, trip), short: shortVerdict(first, trip, state) };
}

/** `mmp/smux02 pop3 auth: refused: -ERR [AUTH] ... while store/ims1 itself lets the same user in`; alternatives and further faults behind. */
function verdictText(suspects: readonly Suspect[], alone: Verdict, trip: Trip): string {
  const faults = new Map<number, Suspect[]>();
  for (const suspect of suspects) faults.set(suspect.fault ?? 0, [...(faults.get(suspect.fault ?? 0) ?? []), suspect]);
  const parts = [...faults.values()].map(group => {
    const first = group[0] as Suspect;
    const where = `${first.component} ${first.protocol} ${first.phase}`;
    const why = first.why[0] ?? alone.text;
    const tells = first.why.slice(1).find(each => / itself lets | did arrive|came as it should/.test(each));
    const main = `${where}: ${why}${tells === undefined ? '' : ` while ${tells}`}`;
    if (group.length === 1) return main;
    return `cannot tell apart ${group.map(({ component }) => component).join(' and ')}: ${why}`;
  });
  const text = parts.join('; also ');
  return trip.fault === undefined ? `slow: ${text}` : text;
}

function shortVerdict(first: Suspect, trip: Trip, state: State): string {
  if (state === 'slow') return shortText(shortName(first.component), 'slow');
  // What became of the message says more than the phase in which nobody was seen to fail.
  const aboutMessage = first.phase === 'arrival' || first.phase === 'compare' || trip.arrival.outcome === 'unsure';
  const word = aboutMessage ? outcomeWord(trip) : undefined;
  return word === undefined
    ? shortSuspect(first.component, first.protocol, first.phase)
    : shortText(shortName(first.component), word);
}

function slowFault(trip: Trip): Fault {
  const dialog = trip.legs[0]?.dialogs[0];
  return {
    component: dialog?.component ?? (`mta/${trip.path.mta}` as const),
    protocol: dialog?.protocol ?? 'smtp',
    phase: 'arrival',
    kind: 'timeout',
    text: 'slower than it should be',
    lasting: 'unknown',
  };
}
