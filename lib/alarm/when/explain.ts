// Which alarm explains which: a dead directory explains the log-ins it breaks, and not a connection that is refused. Pure.

import { type Component, kindOf, shortName } from '../../model/component.ts';
import type { PhaseName } from '../../model/dialog.ts';
import type { CauseKind, Step } from '../../model/record.ts';
import type { Alarm } from './alarm.ts';
import type { Outage } from './policy.ts';

/** Before these are done a server has asked nobody else: only its network or itself can be at fault. */
const OWN_PHASES: ReadonlySet<Step> = new Set<PhaseName>(['resolve', 'connect', 'tls', 'starttls', 'capability', 'ehlo']);

/** Whether trouble with `needed` can show itself in this phase of a server that needs it. */
function hingesOn(needed: Component, { phase, kind }: { readonly phase: Step; readonly kind: CauseKind }): boolean {
  if (!OWN_PHASES.has(phase)) return true;
  // A name server is asked for the client's name before the banner, by servers that log it; it is never why a port is closed.
  return kindOf(needed) === 'dns' && kind !== 'refused-connection';
}

/** The alarm that is open, on something that `alarm`'s component needs, and that can look like this. */
export function explainer(
  alarm: Alarm,
  others: readonly Alarm[],
  needs: ReadonlyMap<Component, ReadonlySet<Component>>,
): Alarm | undefined {
  const needed = needs.get(alarm.component);
  return others.find(
    other =>
      other.id !== alarm.id &&
      other.stage === 'open' &&
      other.severity !== 'slow' &&
      needed?.has(other.component) === true &&
      hingesOn(other.component, alarm),
  );
}

/**
 * The outage that excuses what is seen of a component at an instant: its own, that of something it needs, or that of either end
 * of a link.
 */
export function outageOf(
  seen: { readonly component: Component; readonly phase: Step; readonly kind: CauseKind },
  outages: readonly Outage[],
  needs: ReadonlyMap<Component, ReadonlySet<Component>>,
  at: number,
): Outage | undefined {
  return outages.find(({ component, from, until }) => {
    if (at < from || at >= until) return false;
    if (component === seen.component) return true;
    if (needs.get(seen.component)?.has(component) === true) return hingesOn(component, seen);
    if (kindOf(seen.component) !== 'link') return false;
    const ends = shortName(seen.component);
    return ends.startsWith(`${shortName(component)}-`) || ends.endsWith(`-${shortName(component)}`);
  });
}
