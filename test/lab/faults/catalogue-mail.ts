// Faults in the handling of mail: refusals in the SMTP dialog, and what may become of a message after its 250.

import { shortName } from '../../../lib/model/component.ts';
import type { PhaseName } from '../../../lib/model/dialog.ts';
import type { Arrival } from '../../../lib/model/trip.ts';
import { FILTERED_MTAS } from '../site.ts';
import type { FaultKind } from './catalogue.ts';
import type { Place } from './place.ts';
import { all, machines } from './places.ts';
import { type Truth, truth } from './truth.ts';

const MTAS = machines('mta');
const STORES = machines('store');
const FROM_DATA_ON: ReadonlySet<PhaseName> = new Set(['data', 'body', 'final', 'arrival', 'compare']);

/** A refusal at one command. */
function refusal(name: string, imitates: string, phase: PhaseName): FaultKind {
  return { name, imitates, places: MTAS, doorsOpen: true, truth: place => truth(place, [phase], shownToFilters(place, phase)) };
}

/** Once the message is seen by a filter, nobody outside can tell whether the MTA or the filter did something to it. */
function shownToFilters({ component }: Place, phase: PhaseName): Partial<Truth> {
  const isFiltered = FILTERED_MTAS.includes(shortName(component)) && FROM_DATA_ON.has(phase);
  return isFiltered ? { fair: ['filter/dkim'], protocols: ['smtp', 'milter'] } : {};
}

/** The MTA says 250, and then something else happens. */
function afterwards(name: string, imitates: string, arrival: Arrival['outcome'], more: Partial<FaultKind> = {}): FaultKind {
  return {
    name,
    imitates,
    places: MTAS,
    doorsOpen: true,
    truth: place => truth(place, ['arrival'], { arrival: [arrival] }),
    ...more,
  };
}

export const MAIL_FAULTS: readonly FaultKind[] = [
  refusal('mail-4xx', 'a sender refused for now, told at MAIL', 'mail'),
  refusal('mail-5xx', 'a sender refused for good, told at MAIL', 'mail'),
  refusal('rcpt-4xx', 'greylisting: the recipient refused for now, told at RCPT', 'rcpt'),
  refusal('rcpt-5xx', 'the recipient refused for good, told at RCPT', 'rcpt'),
  refusal('data-4xx', 'the message refused for now, told at DATA', 'data'),
  refusal('data-5xx', 'the message refused for good, told at DATA', 'data'),
  refusal('final-4xx', 'the message refused for now after it was sent', 'final'),
  refusal('final-5xx', 'the message refused for good after it was sent', 'final'),
  afterwards('lost', 'a message accepted and thrown away', 'lost', {
    truth: place => truth(place, ['arrival'], { arrival: ['lost'], ...shownToFilters(place, 'arrival') }),
  }),
  afterwards('held', 'a message accepted and held in the queue until somebody looks', 'lost'),
  afterwards('deferred', 'a queue that has stopped delivering', 'lost'),
  afterwards('bounced', 'a message accepted and returned to its sender', 'bounced'),
  afterwards('misrouted', 'an MTA that takes mail to the wrong store, which refuses it: returned to its sender', 'bounced'),
  afterwards('late', 'a slow way into the store: each delivery waits (--seconds, 10 unless said otherwise)', 'seen', {
    places: all(MTAS, STORES),
    seconds: 10,
    truth: place =>
      truth(place, ['arrival', 'banner', 'connect'], { state: 'slow', arrival: ['seen'], protocols: ['smtp', 'lmtp'] }),
  }),
  afterwards('twice', 'an alias that delivers a message twice', 'seen', {
    truth: place => truth(place, ['arrival', 'compare'], { arrival: ['seen'], ...shownToFilters(place, 'compare') }),
  }),
  afterwards('altered-header', 'a gateway that writes into the Subject', 'seen', {
    truth: place => truth(place, ['compare'], { arrival: ['seen'], ...shownToFilters(place, 'compare') }),
  }),
  afterwards('altered-body', 'a gateway that writes into the text', 'seen', {
    truth: place => truth(place, ['compare'], { arrival: ['seen'], ...shownToFilters(place, 'compare') }),
  }),
  {
    name: 'junk',
    imitates: 'a store whose filter files the message into Junk',
    places: STORES,
    doorsOpen: true,
    truth: place => truth(place, ['arrival', 'search'], { arrival: ['junked', 'lost'] }),
  },
  {
    name: 'full',
    imitates: 'mailboxes over their quota: mail waits in the queue (452)',
    places: STORES,
    doorsOpen: true,
    truth: place => truth(place, ['final', 'arrival', 'rcpt'], { arrival: ['lost'] }),
  },
  {
    name: 'unwritable',
    imitates: 'a store that cannot write its mailboxes (disk, rights): mail waits in the queue (451), log-ins fail',
    places: STORES,
    doorsOpen: true,
    truth: place => truth(place, ['final', 'rcpt', 'auth', 'select', 'arrival'], { arrival: ['lost', 'unsent', 'unknown'] }),
  },
  {
    name: 'lmtp-5xx',
    imitates: 'a store that takes log-ins and refuses every recipient for good: returned to its sender',
    places: STORES,
    doorsOpen: true,
    truth: place => truth(place, ['rcpt', 'arrival'], { protocols: ['lmtp'], arrival: ['bounced'] }),
  },
];
