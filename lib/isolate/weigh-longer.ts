// What a door's silence was, once somebody has waited longer: servers wait for others by the clock, and how long says for whom. Pure.
//
// Postfix greets when its filter has answered, or 30 s later (milter_connect_timeout); a server that wants our name first greets when
// the resolver has given up: two tries of 5 s (resolv.conf), or twice that with two name servers.

import { kindOf } from '../model/component.ts';
import type { Confidence, Suspect } from '../model/verdict.ts';
import type { Case } from './case.ts';

/** Both ends, ms: what is measured is the named time and what the network and a loaded host add. */
const FILTER = [29_000, 33_000] as const;
const RESOLVER = [
  [9500, 11_500],
  [19_500, 21_500],
] as const;

/** @returns undefined when nobody looked, or looked at another door */
export function weighLonger(it: Case, confidence: Confidence): readonly Suspect[] | undefined {
  const { fault, scene } = it;
  const { longer } = it.evidence;
  if (longer === undefined || longer.component !== fault.component || longer.protocol !== fault.protocol) return undefined;
  if (longer.outcome === 'failed') return [it.suspect(fault.component, confidence, [fault.text, longer.text])];
  const { waitedMs } = longer;
  const isMta = kindOf(fault.component) === 'mta' && fault.protocol === 'smtp';
  if (isMta && within(waitedMs, FILTER)) {
    const why = 'which is how long Postfix waits for a filter (milter_connect_timeout)';
    if (scene.filters.length === 0)
      return [it.suspect(fault.component, 'likely', [`${longer.text}, ${why}: see its smtpd_milters`, fault.text])];
    return scene.filters.map(filter =>
      it.suspect(filter, scene.filters.length === 1 ? 'likely' : 'cannot tell apart', [`${longer.text}, ${why}`, fault.text], {
        protocol: 'milter',
        phase: 'negotiate',
      }),
    );
  }
  if (RESOLVER.some(each => within(waitedMs, each))) {
    const why = 'which is how long it waits for a name server (resolv.conf: 5 s, tried twice)';
    if (scene.nameServers.length === 0)
      return [it.suspect(fault.component, 'likely', [`${longer.text}, ${why}: see its /etc/resolv.conf`, fault.text])];
    return scene.nameServers.map(server =>
      it.suspect(
        server,
        scene.nameServers.length === 1 ? 'likely' : 'cannot tell apart',
        [`${longer.text}, ${why}`, fault.text],
        {
          protocol: 'dns',
          phase: 'query',
        },
      ),
    );
  }
  return [
    it.suspect(
      fault.component,
      confidence,
      [`${longer.text}: alive and busy, or waiting for something that this monitor does not know`, fault.text],
      { kind: 'slow' },
    ),
  ];
}

function within(ms: number, [from, to]: readonly [number, number]): boolean {
  return ms >= from && ms <= to;
}
