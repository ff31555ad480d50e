// Faults of doors: a process that is dead or frozen, a port that is filtered, a certificate that is wrong, a command that is refused.

import type { Component } from '../../model/component.ts';
import { kindOf, shortName } from '../../model/component.ts';
import type { PhaseName } from '../../model/dialog.ts';
import type { Protocol } from '../../model/endpoint.ts';
import type { State } from '../../model/verdict.ts';
import { doorsOf, type Machinery } from '../machinery.ts';
import type { CertificateVariant } from '../network/certificates.ts';
import type { Act, Condition } from '../network/conditions.ts';
import type { Door } from '../network/door.ts';
import { type BreakOptions, type Fault, type Place, splitPlace, type Truth, together } from './faults.ts';
import { doorPlaces, filtersOf, pathThrough } from './places.ts';

const EVERYTHING = ['mta', 'mmp', 'store', 'directory', 'balancer'] as const;
const MAIL_DOORS = ['mta', 'mmp', 'store', 'balancer'] as const;
/** Doors at which the monitor itself shakes hands. */
const TLS_DOORS = ['mta', 'mmp'] as const;

/** A fault that is one condition at the doors of a place. */
export function doorFault(
  imitates: string,
  kinds: readonly (typeof EVERYTHING)[number][],
  condition: (door: Door, options: BreakOptions) => Condition,
  phases: (protocol: Protocol, machinery: Machinery) => readonly PhaseName[],
  states: readonly State[] = ['failed'],
): Fault {
  return {
    imitates,
    places: machinery => doorPlaces(machinery, ...kinds),
    truth: (machinery, place) => doorTruth(machinery, place, phases, states),
    impose: (machinery, place, options) => imposeAt(machinery, place, door => condition(door, options)),
  };
}

export async function imposeAt(machinery: Machinery, place: Place, condition: (door: Door) => Condition) {
  const { component, protocol } = splitPlace(place);
  return together(await Promise.all(doorsOf(machinery, component, protocol).map(door => door.impose(condition(door)))));
}

export function doorTruth(
  machinery: Machinery,
  place: Place,
  phases: (protocol: Protocol, machinery: Machinery) => readonly PhaseName[],
  states: readonly State[],
): Truth {
  const { component, protocol } = splitPlace(place);
  const protocols = doorsOf(machinery, component, protocol).map(door => door.protocol);
  const where = [...new Set(protocols.flatMap(each => phases(each, machinery)))];
  const onContent = where.some(phase => phase === 'data' || phase === 'body' || phase === 'final');
  return {
    components: [component, ...(onContent && kindOf(component) === 'mta' ? filtersOf(machinery, shortName(component)) : [])],
    protocols,
    phases: where,
    states: isMasked(machinery, component) ? ['ok', 'slow'] : states,
    arrivals: protocol === 'lmtp' ? ['lost'] : [],
    path: pathThrough(machinery, place),
  };
}

/** A second directory takes over from one that is seen to be dead. */
function isMasked(machinery: Machinery, component: Component): boolean {
  return kindOf(component) === 'directory' && machinery.directories.size > 1;
}

/** Where a client waits in vain that has connected and hears nothing. */
function firstAnswer(protocol: Protocol, machinery: Machinery): readonly PhaseName[] {
  if (protocol === 'ldap') return machinery.settings.security === 'plain' ? ['bind'] : ['starttls'];
  if (protocol === 'milter') return ['negotiate'];
  if (protocol === 'lmtp') return ['banner'];
  return machinery.settings.security === 'tls' ? ['tls'] : ['banner'];
}

export function atPhase(
  phase: PhaseName,
  act: (door: Door, options: BreakOptions) => Act,
  after = false,
): (door: Door, options: BreakOptions) => Condition {
  return (door, options) => ({
    kind: 'at',
    phase,
    act: act(door, options),
    after,
    ...(options.times === undefined ? {} : { times: options.times }),
  });
}

/** A refusal in the server's own words, or in given ones. */
export function refusal(phase: PhaseName, words?: Partial<Record<Protocol, string>>) {
  return atPhase(phase, (door, { reply }) => {
    const text = reply ?? words?.[door.protocol];
    return text === undefined ? { do: 'refuse' } : { do: 'refuse', reply: text };
  });
}

function certificateFault(imitates: string, variant: CertificateVariant): Fault {
  return doorFault(
    imitates,
    TLS_DOORS,
    () => ({ kind: 'certificate', variant }),
    () => ['tls', 'starttls'],
  );
}

export const DOOR_FAULTS = {
  stopped: doorFault(
    'a daemon that is dead: connections are refused',
    EVERYTHING,
    () => ({ kind: 'stopped' }),
    () => ['connect'],
  ),
  frozen: {
    ...doorFault(
      'a daemon that is stopped in its tracks or out of processes: accepts and never answers',
      EVERYTHING,
      () => ({ kind: 'frozen' }),
      firstAnswer,
    ),
    // no failover from a server whose connections still open
    truth: (machinery, place) => ({ ...doorTruth(machinery, place, firstAnswer, ['failed']), states: ['failed'] }),
  },
  blackholed: {
    ...doorFault(
      'a host that is gone, or a packet filter that drops: connecting times out',
      EVERYTHING,
      () => ({ kind: 'blackholed' }),
      () => ['connect'],
    ),
    truth: (machinery, place) => ({ ...doorTruth(machinery, place, () => ['connect'], ['failed']), states: ['failed'] }),
  },
  'resets-on-connect': doorFault(
    'a middlebox, or TCP wrappers: RST as soon as connected',
    EVERYTHING,
    () => ({ kind: 'resets' }),
    (protocol, machinery) => ['connect', ...firstAnswer(protocol, machinery)],
  ),
  'closes-at-once': doorFault(
    'a balancer without servers, or a login process at its limit: EOF in place of a banner',
    EVERYTHING,
    () => ({ kind: 'closes' }),
    firstAnswer,
  ),
  'turns-away': doorFault(
    'maintenance, or a client restriction: 421, -ERR or BYE for a banner',
    ['mta', 'mmp', 'store'],
    atPhase('banner', (_door, { reply }) => (reply === undefined ? { do: 'refuse' } : { do: 'refuse', reply })),
    () => ['banner'],
  ),
  'slow-drip-banner': doorFault(
    'a stalling link: the banner comes byte by byte',
    MAIL_DOORS,
    (_door, { ms = 400 }) => ({ kind: 'drips', everyMs: ms, what: 'banner' }),
    () => ['banner'],
  ),
  'slow-drip': doorFault(
    'a link that is nearly dead: everything comes byte by byte',
    MAIL_DOORS,
    (_door, { ms = 400 }) => ({ kind: 'drips', everyMs: ms, what: 'all' }),
    () => ['banner'],
  ),
  'connection-limit': doorFault(
    'no place for one more connection',
    ['mta', 'mmp', 'store'],
    door => {
      const reply =
        door.protocol === 'smtp'
          ? `421 4.7.0 ${door.world.hostName(door.component)} Error: too many connections from 127.0.0.1`
          : undefined;
      return { kind: 'full', places: 0, ...(reply === undefined ? {} : { reply }) };
    },
    firstAnswer,
  ),
  'garbled-banner': doorFault(
    'something else listens on the port',
    ['mta', 'mmp'],
    atPhase('banner', () => ({ do: 'garble', bytes: 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n' })),
    () => ['banner'],
  ),
  'certificate-expired': certificateFault('nobody renewed the certificate', 'expired'),
  'certificate-other-name': certificateFault('the certificate of another machine', 'other name'),
  'certificate-self-signed': certificateFault('the certificate that came with the package', 'self-signed'),
  'certificate-unknown-authority': certificateFault(
    'a certificate by an authority that clients do not know',
    'unknown authority',
  ),
  'starttls-withdrawn': doorFault(
    'TLS switched off by an update, or a middlebox that strips it',
    TLS_DOORS,
    () => ({ kind: 'no starttls' }),
    protocol => (protocol === 'smtp' ? ['starttls', 'ehlo'] : ['starttls', 'capability']),
  ),
  'starttls-refused': doorFault(
    'key and certificate do not match: STARTTLS is offered and then refused',
    TLS_DOORS,
    refusal('starttls'),
    () => ['starttls'],
  ),
  'handshake-stalls': doorFault(
    'no entropy, or a middlebox that eats large packets: the handshake is never answered',
    TLS_DOORS,
    atPhase('tls', () => ({ do: 'stall' })),
    () => ['tls', 'starttls'],
  ),
} satisfies Record<string, Fault>;
