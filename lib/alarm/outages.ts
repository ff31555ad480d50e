// What is being worked on: the windows of site.cfg, and components that are drained for now.

import { kindOf, shortName } from '../model/component.ts';
import type { Site } from '../model/site.ts';
import { drainsAt } from '../record/drain.ts';
import type { Outage } from './when/policy.ts';

/** A drain without an end holds until somebody takes it away. */
const NO_END = Number.MAX_SAFE_INTEGER;

/** @param at now, epoch ms */
export function outagesOf(site: Pick<Site, 'maintenance'>, state: string, at: number): readonly Outage[] {
  const drains = drainsAt(state, at).map(({ component, since, until = NO_END, reason }) => ({
    component,
    from: since,
    until,
    reason,
  }));
  const all = [...site.maintenance, ...drains];
  // Work on a server is work on the machine of that name.
  const hosts = all
    .filter(({ component }) => kindOf(component) !== 'account' && component !== 'monitor')
    .map(outage => ({ ...outage, component: `host/${shortName(outage.component)}` as const }));
  return [...all, ...hosts];
}
