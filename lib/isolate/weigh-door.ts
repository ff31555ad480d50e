// A door that does not open: nothing listens, nobody greets, TLS does not come about, the name does not resolve. Whoever stands behind
// the door is to blame, unless somebody behind them holds them up. Pure.

import { kindOf } from '../model/component.ts';
import type { PhaseName } from '../model/dialog.ts';
import type { Suspect } from '../model/verdict.ts';
import { type Case, said } from './case.ts';
import { weighLonger } from './weigh-longer.ts';

const DOOR: ReadonlySet<PhaseName> = new Set(['resolve', 'connect', 'tls', 'banner', 'capability', 'ehlo', 'starttls']);

export function isDoor(phase: PhaseName): boolean {
  return DOOR.has(phase);
}

export function weighDoor(it: Case): readonly Suspect[] {
  const { fault } = it;
  if (fault.phase === 'resolve') return weighName(it);
  if (kindOf(fault.component) === 'balancer') return weighBalancer(it);
  return (
    held(it) ??
    weighLonger(it, confidence(it)) ?? [
      it.suspect(fault.component, confidence(it), [fault.text, again(it), otherDoor(it), othersAnswer(it)]),
    ]
  );
}

/** Who makes a server greet late or drop us: its filter, its directory, its name server. */
function held(it: Case): readonly Suspect[] | undefined {
  const { fault, scene } = it;
  const isMta = kindOf(fault.component) === 'mta';
  // Postfix answers 4xx to whatever comes first, STARTTLS or EHLO, when its filter is down (milter_default_action = tempfail).
  if (isMta && fault.kind === 'rejected' && fault.lasting === 'transient') {
    const down = it.badFilters()[0];
    if (down !== undefined) return [it.convicted(down, `${fault.component} turns everybody away without it: ${fault.text}`)];
  }
  const waits = fault.kind === 'timeout' || fault.kind === 'dropped';
  if (!waits) return undefined;
  const filter = isMta && fault.phase === 'banner' && fault.kind === 'timeout' ? it.badFilters()[0] : undefined;
  if (filter !== undefined)
    return [it.convicted(filter, `${fault.component} greets only when its filter has answered: ${fault.text}`)];
  const directory = isMta && fault.phase === 'ehlo' ? it.badDirectories(fault.component)[0] : undefined;
  if (directory !== undefined) return [it.convicted(directory, `${fault.component} looks up log-ins there: ${fault.text}`)];
  const name =
    fault.phase === 'banner' && fault.kind === 'timeout' && scene.nameServers.length > 0 ? it.badNameServers()[0] : undefined;
  if (name !== undefined && answersNow(it))
    return [it.convicted(name, `${fault.component} greets late: it asks for our name first`)];
  return undefined;
}

/** A balancer is taken apart: who of its members does not open? */
function weighBalancer(it: Case): readonly Suspect[] {
  const { fault, scene } = it;
  const members = fault.component === scene.mta ? scene.mtaMembers : scene.mmpMembers;
  const bad = members.flatMap(member => it.failed(member, undefined, fault.protocol) ?? []);
  if (bad.length > 0)
    return bad.map(knock => it.convicted(knock, `${fault.component} sends some connections to it: ${fault.text}`));
  const own = it.knocks(fault.component);
  const met = own.filter(({ outcome }) => outcome === 'failed').length;
  const why =
    own.length === 0
      ? undefined
      : `${met} of ${own.length} connections through it failed, and every member answers when asked directly`;
  return [it.suspect(fault.component, members.length > 0 ? 'sure' : 'likely', [fault.text, why])];
}

function weighName(it: Case): readonly Suspect[] {
  const { fault, scene } = it;
  const bad = it.badNameServers();
  if (bad.length > 0) return bad.map(knock => it.convicted(knock, fault.text));
  const denies = it.nameGone(fault.component);
  if (denies !== undefined) {
    // A server that knows other names has been told that this one is gone; or it has lost it; or was never there for it.
    return [
      it.suspect(fault.component, 'cannot tell apart', [fault.text, said(denies)]),
      it.suspect(denies.component, 'cannot tell apart', [said(denies), it.otherNames(denies.component)], {
        protocol: 'dns',
        phase: 'query',
        kind: denies.fault?.kind ?? 'missing',
      }),
    ];
  }
  const why = scene.nameServers.length === 0 ? 'site.cfg names no name server that could be asked ([dns.*])' : undefined;
  return [it.suspect(fault.component, 'likely', [fault.text, why])];
}

/** A door that failed in the trip and opens now. */
function answersNow(it: Case): boolean {
  return it.answered(it.fault.component, undefined, it.fault.protocol);
}

function again(it: Case): string | undefined {
  const { component, protocol } = it.fault;
  const now = it.knocks(component, undefined, protocol).find(({ outcome }) => outcome !== 'skipped');
  if (now === undefined) return undefined;
  return now.outcome === 'answered'
    ? 'a moment later the same door opened: it comes and goes'
    : `a moment later the same: ${now.text}`;
}

function otherDoor(it: Case): string | undefined {
  const { component, protocol } = it.fault;
  const other = it.knocks(component).find(each => each.protocol !== protocol && each.outcome !== 'skipped');
  return other === undefined ? undefined : `its other door ${other.protocol}: ${other.text}`;
}

function othersAnswer(it: Case): string | undefined {
  const others = [
    ...new Set(
      it.evidence.knocks
        .filter(({ component, outcome }) => component !== it.fault.component && outcome === 'answered')
        .map(({ component }) => component),
    ),
  ];
  return others.length === 0 ? undefined : `${others.slice(0, 4).join(', ')} ${others.length === 1 ? 'answers' : 'answer'}`;
}

/** We are sure that it is them and not us when somebody else answers. */
function confidence(it: Case): 'sure' | 'likely' {
  return othersAnswer(it) === undefined ? 'likely' : 'sure';
}
