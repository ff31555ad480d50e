// Faults that no single dialog shows: what became of the message, and what went wrong on our own side.

import type { Fault, PhaseName } from '../model/dialog.ts';
import type { Route } from '../model/site.ts';
import type { Bounce } from '../model/trip.ts';

/** Accepted by the MTA and not (rightly) delivered: which machine of the way lost it, isolation finds out. */
export function arrivalFault(route: Route, text: string): Fault {
  return { component: route.smtp.component, protocol: 'smtp', phase: 'arrival', kind: 'missing', text, lasting: 'unknown' };
}

/** @param queueId under which the MTA had accepted the message, when it said so */
export function bounceFault(route: Route, bounce: Bounce, queueId: string | undefined): Fault {
  const by = bounce.reportingMta === undefined ? '' : ` by ${bounce.reportingMta}`;
  const why = bounce.diagnostic ?? bounce.status;
  const id = queueId === undefined ? '' : `, accepted as ${queueId}`;
  const lasting = bounce.status.startsWith('5') ? 'permanent' : 'transient';
  return {
    ...arrivalFault(route, `was bounced${by}: ${why}${id}`),
    kind: 'rejected',
    reply: { code: bounce.status, lines: [why] },
    lasting,
  };
}

export function localFault(phase: PhaseName, text: string): Fault {
  return { component: 'monitor', protocol: 'local', phase, kind: 'local', text, lasting: 'unknown' };
}
