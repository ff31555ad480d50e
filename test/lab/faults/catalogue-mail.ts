// Faults in the handling of mail: refusals in the SMTP dialog, and what may become of a message after its 250.

import type { PhaseName } from '../../../lib/model/dialog.ts';
import type { Arrival } from '../../../lib/model/trip.ts';
import type { FaultKind } from './catalogue.ts';
import { all, machines } from './places.ts';
import { truth } from './truth.ts';

const MTAS = machines('mta');
const STORES = machines('store');

/** A refusal at one command. */
function refusal(name: string, imitates: string, phase: PhaseName): FaultKind {
  return { name, imitates, places: MTAS, doorsOpen: true, truth: place => truth(place, [phase]) };
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
  afterwards('lost', 'a message accepted and thrown away', 'lost'),
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
    truth: place => truth(place, ['arrival', 'compare'], { arrival: ['seen'] }),
  }),
  afterwards('altered-header', 'a gateway that writes into the Subject', 'seen', {
    truth: place => truth(place, ['compare'], { arrival: ['seen'] }),
  }),
  afterwards('altered-body', 'a gateway that writes into the text', 'seen', {
    truth: place => truth(place, ['compare'], { arrival: ['seen'] }),
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
