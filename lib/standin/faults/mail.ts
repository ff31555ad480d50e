// Faults of what becomes of a message once an MTA has taken it, and of mailboxes.

import type { Component } from '../../model/component.ts';
import { shortName } from '../../model/component.ts';
import type { Machinery } from '../machinery.ts';
import type { Mta } from '../mta/mta.ts';
import type { MtaTreatment } from '../mta/queue.ts';
import type { Store, StoreTreatment } from '../store/store.ts';
import { componentOf, type Fault, type Place, type Truth, toggled } from './faults.ts';
import { components, filtersOf, otherStore, pathThrough } from './places.ts';

type Told = Pick<Truth, 'phases' | 'states' | 'arrivals'> & Partial<Pick<Truth, 'protocols' | 'finding'>>;

/** Mail that lies in the active queue without a reason looks the same when the way to the store swallows what is sent. */
function linkToo(machinery: Machinery, place: Place): readonly Component[] {
  const { mta, account } = pathThrough(machinery, place);
  return [`link/${mta}-${account}`];
}

function mtaOf(machinery: Machinery, place: Place): Mta {
  const mta = machinery.mtas.get(shortName(componentOf(place)));
  if (mta === undefined) throw new Error(`Cannot break ${place}: it is no MTA of this site`);
  return mta;
}

function storeOf(machinery: Machinery, place: Place): Store {
  const store = machinery.stores.get(shortName(componentOf(place)));
  if (store === undefined) throw new Error(`Cannot break ${place}: it is no store of this site`);
  return store;
}

/** After DATA, an MTA and the store behind it cannot be told apart unless somebody may look into the queue. */
function afterAcceptance(machinery: Machinery, place: Place, shownInQueue: boolean): readonly Component[] {
  const path = pathThrough(machinery, place);
  const both: readonly Component[] = [`mta/${path.mta}`, ...filtersOf(machinery, path.mta), `store/${path.account}`];
  return shownInQueue && machinery.settings.queueAccess ? [componentOf(place)] : both;
}

/** Something that an MTA does with every message, until it is mended; then its queue is run. */
function treatedByMta(
  imitates: string,
  treatment: (options: { ms?: number }) => MtaTreatment,
  shownInQueue: boolean,
  told: (machinery: Machinery, ms: number | undefined) => Told,
): Fault {
  return {
    imitates,
    places: machinery => components(machinery, 'mta'),
    truth: (machinery, place, { ms }) => ({
      components: [...afterAcceptance(machinery, place, shownInQueue), ...(shownInQueue ? linkToo(machinery, place) : [])],
      protocols: ['smtp', 'lmtp', 'milter'],
      ...told(machinery, ms),
      path: pathThrough(machinery, place),
    }),
    impose: async (machinery, place, options) => {
      const { queue } = mtaOf(machinery, place);
      const mine = treatment(options);
      return toggled(
        () => queue.treatments.push(mine),
        () => {
          remove(queue.treatments, mine);
          queue.flush();
        },
      );
    },
  };
}

function treatedByStore(imitates: string, treatment: StoreTreatment, told: Told, onlyStore: boolean): Fault {
  return {
    imitates,
    places: machinery => components(machinery, 'store'),
    truth: (machinery, place) => ({
      components: onlyStore ? [componentOf(place)] : afterAcceptance(machinery, place, false),
      protocols: ['lmtp', 'imap', 'pop3'],
      ...told,
      path: pathThrough(machinery, place),
    }),
    impose: async (machinery, place) => {
      const store = storeOf(machinery, place);
      const mine = { ...treatment };
      return toggled(
        () => store.treatments.push(mine),
        () => {
          remove(store.treatments, mine);
          for (const mta of machinery.mtas.values()) mta.queue.flush();
        },
      );
    },
  };
}

function remove<T>(list: T[], value: T): void {
  const at = list.indexOf(value);
  if (at >= 0) list.splice(at, 1);
}

const LOST: Told = { phases: ['arrival'], states: ['failed'], arrivals: ['lost'] };
const ALTERED: Told = {
  phases: ['compare', 'arrival'],
  states: ['ok', 'slow', 'failed'],
  arrivals: ['seen'],
  finding: 'altered',
};
const IN_QUEUE: Told = { phases: ['arrival', 'final'], states: ['failed'], arrivals: ['lost'] };

export const MAIL_FAULTS = {
  lost: treatedByMta(
    'an MTA that takes a message and loses it',
    () => ({ lose: true }),
    false,
    () => LOST,
  ),
  'lost-by-store': treatedByStore('a store that says "saved" and loses the message', { lose: true }, LOST, false),
  discarded: treatedByMta(
    'a header check that discards: 250 and gone',
    () => ({ lose: true }),
    false,
    () => LOST,
  ),
  late: treatedByMta(
    'a queue that is slow to move',
    ({ ms = 3000 }) => ({ delayMs: ms }),
    true,
    ({ settings }, ms = 3000) => {
      const isLost = ms > settings.limits.deliverMs;
      return {
        phases: ['arrival'],
        states: isLost ? ['failed'] : ms > settings.limits.slowMs ? ['slow'] : ['ok', 'slow'],
        arrivals: isLost ? ['lost'] : ['seen'],
      };
    },
  ),
  twice: treatedByMta(
    'an alias that leads to the same mailbox twice',
    () => ({ copies: 2 }),
    false,
    () => ({
      phases: ['arrival', 'compare'],
      states: ['ok', 'slow', 'failed'],
      arrivals: ['seen'],
      finding: 'duplicate',
    }),
  ),
  'altered-subject': treatedByMta(
    'a gateway that tags subjects',
    () => ({ alter: 'subject' }),
    false,
    () => ALTERED,
  ),
  'altered-header': treatedByMta(
    'a gateway that gives messages its own Message-ID',
    () => ({ alter: 'header' }),
    false,
    () => ALTERED,
  ),
  'altered-body': treatedByMta(
    'a gateway that appends a disclaimer',
    () => ({ alter: 'body' }),
    false,
    () => ALTERED,
  ),
  bounced: treatedByMta(
    'a message that is given up at once and sent back',
    () => ({ bounce: '5.1.1 unknown user' }),
    true,
    () => ({
      phases: ['arrival', 'final', 'rcpt'],
      states: ['failed'],
      arrivals: ['bounced'],
    }),
  ),
  held: treatedByMta(
    'a rule that puts mail on hold',
    () => ({ hold: true }),
    true,
    () => IN_QUEUE,
  ),
  'queue-stuck': treatedByMta(
    'a transport that is switched off: mail stays in the queue',
    () => ({ defer: 'deferred transport' }),
    true,
    () => IN_QUEUE,
  ),
  misrouted: {
    imitates: 'an MTA that sends mail to the wrong store, which sends it back',
    places: machinery => (machinery.stores.size > 1 ? components(machinery, 'mta') : []),
    truth: (machinery, place) => ({
      components: [componentOf(place)],
      protocols: ['smtp', 'lmtp', 'milter'],
      phases: ['arrival', 'rcpt', 'final'],
      states: ['failed'],
      arrivals: ['bounced'],
      path: pathThrough(machinery, place),
    }),
    impose: async (machinery, place) => {
      const { queue } = mtaOf(machinery, place);
      const path = pathThrough(machinery, place);
      const routeTo = otherStore(machinery, path.account);
      const mine: MtaTreatment = routeTo === undefined ? {} : { routeTo };
      return toggled(
        () => queue.treatments.push(mine),
        () => remove(queue.treatments, mine),
      );
    },
  },
  junked: treatedByStore(
    'a spam filter that files the message under Junk',
    { folder: 'Junk' },
    { phases: ['arrival'], states: ['failed', 'ok', 'slow'], arrivals: ['junked'], finding: 'junked' },
    false,
  ),
  'store-full': treatedByStore(
    'a mailbox over its quota: mail waits in the queue',
    { refuse: '452 4.2.2 <> Quota exceeded (mailbox for user is full)' },
    { ...IN_QUEUE, phases: ['final', 'arrival'] },
    true,
  ),
  'store-disk-full': treatedByStore(
    'a store whose disk is full',
    { refuse: '451 4.2.0 <> Internal error occurred. Refer to server log for more information.' },
    { ...IN_QUEUE, phases: ['final', 'arrival'] },
    true,
  ),
  'mailbox-locked': {
    imitates: 'another POP3 session holds the mailbox',
    places: machinery => components(machinery, 'store').map((component): Place => `${component} pop3`),
    truth: (machinery, place) => ({
      components: [componentOf(place), `account/${shortName(componentOf(place))}`],
      protocols: ['pop3'],
      phases: ['auth'],
      states: ['failed'],
      arrivals: [],
      path: pathThrough(machinery, place),
    }),
    impose: async (machinery, place) => {
      const mailbox = storeOf(machinery, place).mailboxOf(shortName(componentOf(place)));
      return toggled(
        () => {
          mailbox.popLocked = true;
        },
        () => {
          mailbox.popLocked = false;
        },
      );
    },
  },
  'user-has-too-many-sessions': {
    imitates: "somebody's phone holds all sessions that a user may have",
    places: machinery => components(machinery, 'store'),
    truth: (machinery, place) => ({
      components: [componentOf(place), `account/${shortName(componentOf(place))}`],
      protocols: ['imap', 'pop3'],
      phases: ['auth'],
      states: ['failed'],
      arrivals: [],
      path: pathThrough(machinery, place),
    }),
    impose: async (machinery, place) => {
      const store = storeOf(machinery, place);
      return toggled(
        () => {
          store.usersFull += 1;
        },
        () => {
          store.usersFull -= 1;
        },
      );
    },
  },
} satisfies Record<string, Fault>;
