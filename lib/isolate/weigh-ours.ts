// Is it us? Our resolver, our route: what fails everywhere at once is nobody's mail server. Pure.

import type { Suspect } from '../model/verdict.ts';
import { type Case, said } from './case.ts';

const NETWORK = new Set(['timeout', 'unreachable']);

/** The monitor as the one suspect; undefined when it is not. */
export function weighOurs(it: Case): Suspect | undefined {
  return ourResolver(it) ?? ourRoute(it);
}

function ourResolver(it: Case): Suspect | undefined {
  if (it.fault.kind !== 'name') return undefined;
  const asked = it.evidence.knocks.filter(({ question }) => question === 'own name');
  const known = it.evidence.knocks.filter(({ question, outcome }) => question === 'name' && outcome === 'answered');
  const allFail = asked.length > 1 && asked.every(({ outcome }) => outcome === 'failed');
  const why = [`our own resolver does not resolve ${asked.length} of ${asked.length} names of the site`];
  if (known.length > 0 && asked.some(({ about, outcome }) => outcome === 'failed' && known.some(each => each.about === about))) {
    return monitor(it, 'sure', 'resolve', [
      known[0] === undefined ? undefined : said(known[0]),
      'but our own resolver does not know it',
    ]);
  }
  if (allFail && it.scene.nameServers.length === 0) return monitor(it, 'likely', 'resolve', why);
  return undefined;
}

/** Nobody can be reached: several hosts, each by silence or "no way there". */
function ourRoute(it: Case): Suspect | undefined {
  if (it.fault.phase !== 'connect' || !NETWORK.has(it.fault.kind)) return undefined;
  const doors = it.evidence.knocks.filter(
    ({ question, outcome }) => question !== 'name' && question !== 'own name' && outcome !== 'skipped',
  );
  const silent = doors.filter(({ fault }) => fault?.phase === 'connect' && NETWORK.has(fault.kind));
  const components = new Set(silent.map(({ component }) => component));
  components.delete(it.fault.component);
  if (silent.length < doors.length || components.size < 2) return undefined;
  return monitor(it, 'likely', 'connect', [
    `none of ${doors.length} doors of ${components.size + 1} components can be reached from here: our own network is the one thing they have in common`,
  ]);
}

function monitor(
  it: Case,
  confidence: 'sure' | 'likely',
  phase: 'resolve' | 'connect',
  why: readonly (string | undefined)[],
): Suspect {
  return it.suspect('monitor', confidence, why, { protocol: 'local', phase, kind: 'local' });
}
