// What is true while a fault is on: whom a verdict should name, on which path it shows, and what becomes of the message. Data for
// the tests of isolation; the product never sees it.

import { type Component, kindOf, shortName } from '../../../lib/model/component.ts';
import type { PhaseName } from '../../../lib/model/dialog.ts';
import type { Protocol } from '../../../lib/model/endpoint.ts';
import type { Arrival, Path } from '../../../lib/model/trip.ts';
import type { Place } from './place.ts';

export interface Truth {
  /** Whom to name; any one of them is right. Empty: nothing can be seen on a trip. */
  readonly components: readonly Component[];
  /** May be named beside them, where the site's doors do not tell them apart. */
  readonly fair: readonly Component[];
  /** Any of these is right. */
  readonly protocols: readonly Protocol[];
  readonly phases: readonly PhaseName[];
  /** A path that meets the fault; a part that is absent may be anything. */
  readonly path: Partial<Path>;
  readonly state: 'ok' | 'slow' | 'failed';
  /** The state of trips that happen to miss it, where a balancer or a second directory can save them. */
  readonly saved?: 'ok' | 'slow';
  /** What becomes of the message, where more than one end is honest in any order. */
  readonly arrival: readonly Arrival['outcome'][];
}

const MAILBOX: readonly Protocol[] = ['pop3', 'imap'];
const SPOKEN: Readonly<Record<string, readonly Protocol[]>> = {
  mta: ['smtp'],
  mmp: MAILBOX,
  store: ['lmtp', 'pop3', 'imap'],
  directory: ['ldap'],
  filter: ['milter'],
  dns: ['dns'],
  balancer: ['smtp', 'pop3', 'imap'],
  account: ['pop3', 'imap', 'smtp', 'ldap', 'lmtp'],
  link: ['lmtp', 'pop3', 'imap', 'ldap', 'smtp'],
};

/** The truth of a fault whose place is to be named, in one of these phases. `more` says where it differs from the usual. */
export function truth(place: Place, phases: readonly PhaseName[], more: Partial<Truth> = {}): Truth {
  const { component, protocol } = place;
  return {
    components: [component],
    fair: [],
    protocols: protocol === undefined ? (SPOKEN[kindOf(component)] ?? []) : [protocol],
    phases,
    path: pathThrough(place),
    state: 'failed',
    arrival: ['unsent'],
    ...more,
  };
}

/** Part of a path on which that place lies. */
function pathThrough({ component, protocol }: Place): Partial<Path> {
  const name = shortName(component);
  const mailbox = protocol === 'pop3' || protocol === 'imap' ? { mailbox: protocol } : {};
  switch (kindOf(component)) {
    case 'mta':
      return { mta: name };
    case 'mmp':
      return { mmp: name, ...mailbox };
    case 'store':
      return { account: name, ...mailbox };
    case 'account':
      return { account: name };
    case 'directory':
      // Each MMP has one directory; MTAs and stores have two and take the other when one is down.
      return { mmp: name === 'ldap1' ? 'smux01' : 'smux02' };
    case 'filter':
      return { mta: 'ssmtp02' };
    case 'balancer':
      return name === 'smtp' ? { mta: name } : { mmp: name, ...mailbox };
    case 'link':
      // From the far end to the near one: a member of a balancer is met through the balancer.
      return Object.assign({}, ...[...linkEnds(component)].reverse().map(end => pathThrough({ component: end })));
    default:
      return {};
  }
}

/** `link/smux01-ims1` joins `mmp/smux01` and `store/ims1`. */
export function linkEnds(link: Component): Component[] {
  return shortName(link)
    .split('-')
    .map((name): Component => {
      if (name.startsWith('ssmtp')) return `mta/${name}`;
      if (name.startsWith('smux')) return `mmp/${name}`;
      if (name.startsWith('ldap')) return `directory/${name}`;
      return name.startsWith('ims') ? `store/${name}` : `balancer/${name}`;
    });
}

/** The ways from a machine to its directories: not to get an answer there looks like not being let in, or like not asking. */
export function waysToDirectories({ component }: Place): readonly Component[] {
  return ['ldap1', 'ldap2'].map((name): Component => `link/${shortName(component)}-${name}`);
}
