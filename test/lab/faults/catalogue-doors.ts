// Faults that show at a machine's own door: processes, network, greetings, TLS, log-ins.

import { type Component, kindOf } from '../../../lib/model/component.ts';
import type { PhaseName } from '../../../lib/model/dialog.ts';
import type { FaultKind } from './catalogue.ts';
import type { Place } from './place.ts';
import { all, doors, links, machines, only, singleDoors } from './places.ts';
import { linkEnds, type Truth, truth, waysToDirectories } from './truth.ts';

const EVERY_MACHINE = machines('mta', 'mmp', 'store', 'directory', 'filter', 'balancer', 'dns');
const MAIL_DOORS = doors('mta', 'mmp', 'store', 'balancer');
const WITH_TLS = machines('mta', 'mmp', 'store', 'directory');
/** A store's or the name server's trouble is met by others: the message may be on its way, or was never sent. */
const STUCK: Truth['arrival'] = ['unsent', 'lost', 'unknown', 'bounced'];

export const DOOR_FAULTS: readonly FaultKind[] = [
  {
    name: 'stopped',
    imitates: 'a daemon that has ended: connections are refused',
    places: EVERY_MACHINE,
    truth: place => truth(place, connecting(place), further(place)),
  },
  {
    name: 'frozen',
    imitates: 'a daemon that hangs, with all its processes: connections are accepted and never answered',
    places: EVERY_MACHINE,
    truth: place => truth(place, waiting(place), further(place)),
  },
  {
    name: 'refused',
    imitates: 'a firewall that answers with a reset, for one protocol, a machine or the network between two',
    places: all(doors('mta', 'mmp', 'store', 'directory', 'filter', 'balancer'), links),
    truth: place => (kindOf(place.component) === 'link' ? between(place, true) : truth(place, connecting(place), further(place))),
  },
  {
    name: 'blackholed',
    imitates: 'packets that vanish, for one protocol, a machine or the network between two: connecting takes for ever',
    places: all(doors('mta', 'mmp', 'store', 'directory', 'filter', 'balancer', 'dns'), links),
    truth: place =>
      kindOf(place.component) === 'link' ? between(place, false) : truth(place, connecting(place), further(place)),
  },
  {
    name: 'reset',
    imitates: 'a middlebox or a dying daemon: the connection is taken and reset at once',
    places: doors('mta', 'mmp', 'store', 'directory', 'filter', 'balancer'),
    truth: place => truth(place, [...connecting(place), ...waiting(place)], further(place)),
  },
  {
    name: 'unwelcome',
    imitates: 'an overloaded or drained server: 421, -ERR or BYE in place of the greeting',
    places: MAIL_DOORS,
    truth: place => truth(place, ['banner'], further(place)),
  },
  {
    name: 'drip',
    imitates: 'a server or line so slow that a byte comes each 0.4 s',
    places: MAIL_DOORS,
    truth: place => truth(place, ['banner', 'capability', 'ehlo', 'starttls', 'tls', 'auth'], further(place)),
  },
  {
    name: 'connection-limit',
    imitates: 'every place is taken: 421 at an MTA, silence at an MMP or balancer, IN-USE or LIMIT after the log-in at a store',
    places: all(machines('mta', 'store', 'balancer'), doors('mmp')),
    truth: place => truth(place, kindOf(place.component) === 'store' ? ['auth'] : ['banner', 'tls', 'connect'], further(place)),
  },
  {
    name: 'door-closed',
    imitates: 'one protocol of a machine is dead and its others are alive: nothing listens there',
    places: singleDoors('mmp', 'store'),
    truth: place => truth(place, ['connect'], further(place)),
  },
  {
    name: 'no-name',
    imitates: 'a host name that is gone from the DNS (seen by healthmon only where its site.cfg has names: config --names)',
    places: machines('mta', 'mmp', 'store', 'directory', 'balancer'),
    doorsOpen: true,
    truth: place => truth(place, ['resolve', 'query'], { ...further(place), ...unasked(place), fair: ['dns/ns1'] }),
  },
  {
    name: 'dns-refuses',
    imitates: 'a name server that has lost its zone: every question is refused',
    places: only('dns/ns1'),
    truth: place => truth(place, ['query', 'resolve'], { arrival: STUCK }),
  },
  ...(['expired', 'wrong-name', 'unknown-ca'] as const).map(
    (blemish): FaultKind => ({
      name: `cert-${blemish}`,
      imitates: {
        expired: 'a certificate whose time is over',
        'wrong-name': 'a certificate for another name',
        'unknown-ca': 'a certificate by an authority that nobody knows',
      }[blemish],
      places: WITH_TLS,
      truth: place => tlsOnly(place, ['tls', 'starttls']),
    }),
  ),
  {
    name: 'no-starttls',
    imitates: 'TLS turned off by a wrong setting: STARTTLS is not offered, and the TLS ports are dead',
    places: WITH_TLS,
    truth: place => tlsOnly(place, ['starttls', 'capability', 'ehlo', 'connect', 'tls']),
  },
  {
    name: 'auth-refused',
    imitates: 'an MTA that takes nobody’s password: 535',
    places: machines('mta'),
    doorsOpen: true,
    truth: place => truth(place, ['auth']),
  },
  {
    name: 'sasl-stopped',
    imitates: 'the password check behind an MTA is dead: the connection drops after STARTTLS',
    places: machines('mta'),
    truth: place => truth(place, ['ehlo', 'auth']),
  },
  {
    name: 'sasl-frozen',
    imitates: 'the password check behind an MTA hangs: the connection drops 10 s after STARTTLS',
    places: machines('mta'),
    truth: place => truth(place, ['ehlo', 'auth'], { fair: waysToDirectories(place) }),
  },
  {
    name: 'login-refused',
    imitates: 'one MMP or store that refuses a right password; at an MMP for one protocol, if wanted',
    places: all(doors('mmp'), machines('store')),
    doorsOpen: true,
    truth: place =>
      truth(place, ['auth'], {
        ...further(place),
        protocols: place.protocol === undefined ? ['pop3', 'imap'] : [place.protocol],
      }),
  },
  {
    name: 'wrong-store',
    imitates: 'an MMP that sends people to the store where they do not live: their log-in is refused there',
    places: machines('mmp'),
    doorsOpen: true,
    truth: place => truth(place, ['auth']),
  },
  {
    name: 'filter-stopped-accept',
    imitates: 'a dead filter that the MTA does without (milter_default_action = accept): nothing shows but the missing signature',
    places: only('filter/dkim'),
    truth: place => truth(place, ['connect'], { state: 'ok', arrival: ['seen'] }),
  },
  {
    name: 'filter-frozen-accept',
    imitates: 'a hanging filter that the MTA does without after 30 s: its greeting is that late',
    places: only('filter/dkim'),
    truth: place => truth(place, ['negotiate'], { fair: ['mta/ssmtp02'], arrival: ['unsent', 'seen'] }),
  },
];

/** Where a connection fails that is not even taken. */
function connecting({ component }: Place): PhaseName[] {
  return kindOf(component) === 'dns' ? ['query'] : ['connect'];
}

/** Where the first answer is waited for. */
function waiting({ component }: Place): PhaseName[] {
  switch (kindOf(component)) {
    case 'dns':
      return ['query'];
    case 'directory':
      return ['bind', 'starttls', 'tls', 'auth'];
    case 'filter':
      return ['negotiate'];
    default:
      return ['banner', 'tls'];
  }
}

/** What differs where others meet the fault on the path, and not we. */
function further({ component, protocol }: Place): Partial<Truth> {
  const kind = kindOf(component);
  if (kind === 'dns') return { arrival: STUCK };
  if (kind === 'store') return protocol === 'lmtp' ? { arrival: ['lost'] } : { arrival: STUCK };
  return {};
}

/** Nobody on the path asks for a directory by name. */
function unasked({ component }: Place): Partial<Truth> {
  return kindOf(component) === 'directory' ? { state: 'ok', arrival: ['seen'] } : {};
}

/** What only those see who insist on TLS: a store's MMPs and LMTP clients come without. */
function tlsOnly(place: Place, phases: readonly PhaseName[]): Truth {
  const kind = kindOf(place.component);
  const unseen: Partial<Truth> = kind === 'store' || kind === 'directory' ? { state: 'ok', arrival: ['seen'] } : {};
  const protocols: Partial<Truth> = kind === 'store' ? { protocols: ['pop3', 'imap'] } : {};
  return truth(place, phases, { ...unseen, ...protocols });
}

/** From the same machine to its other directory or the balancer's other member: from outside they look alike. */
function otherWays(link: Component): readonly Component[] {
  const [, from, to = ''] = /^link\/([^-]+)-(.+)$/.exec(link) ?? [];
  const other = `${to.slice(0, -1)}${to.endsWith('1') ? '2' : '1'}`;
  return /^(?:ldap|ssmtp|smux)/.test(to) ? [`link/${from}-${other}`] : [];
}

/**
 * A link that fails: its ends are fair to name when no door tells more. MTAs and stores have two directories and take the
 * second when the first refuses; when packets vanish, an MTA waits 10 s for each look-up and a store waits for good.
 */
function between(place: Place, refuses: boolean): Truth {
  const ends = [...linkEnds(place.component), ...otherWays(place.component)];
  const [from = place.component, to = place.component] = ends;
  const pair = `${kindOf(from)}-${kindOf(to)}`;
  const passed: Partial<Truth> = { fair: ends, state: 'ok', arrival: ['seen'] };
  // ims1 and ssmtp01 ask ldap1 first, ims2 and ssmtp02 ldap2.
  const second = from.slice(-1) !== to.slice(-1);
  switch (pair) {
    case 'mta-store':
      return truth(place, ['connect', 'arrival'], { fair: ends, protocols: ['lmtp'], arrival: ['lost'] });
    case 'mmp-store':
      return truth(place, ['connect'], { fair: ends, protocols: ['pop3', 'imap'] });
    case 'mmp-directory':
      return truth(place, ['connect'], { fair: ends, protocols: ['ldap'] });
    case 'mta-directory':
      if (refuses || second) return truth(place, ['connect'], { ...passed, protocols: ['ldap'] });
      return truth(place, ['connect'], {
        fair: ends,
        protocols: ['ldap'],
        state: 'failed',
        saved: 'slow',
        arrival: ['seen', ...STUCK],
      });
    case 'store-directory':
      if (refuses || second) return truth(place, ['connect'], { ...passed, protocols: ['ldap'] });
      return truth(place, ['connect'], { fair: ends, protocols: ['ldap'], arrival: STUCK });
    default:
      // A balancer tries its other member; packets that vanish cost it 5 s until its checks have noticed.
      return truth(place, ['connect'], refuses ? passed : { ...passed, state: 'slow', saved: 'ok' });
  }
}
