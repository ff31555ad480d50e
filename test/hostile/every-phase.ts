// What can go wrong at every phase of every protocol that talks in lines, and how certificates and STARTTLS can.

import type { PhaseName } from '../../lib/model/dialog.ts';
import type { Protocol } from '../../lib/model/endpoint.ts';
import { type Step, startPeer } from '../dialog/peer.ts';
import type { Case } from './case.ts';
import { drip, ESCAPE_BYTES, fin, rst, say, sayAndEnd, silence, thenLater } from './mischief.ts';
import { stepsOf, type Turn, textCase } from './text-peer.ts';

/** What the tables below need to know of a protocol. */
export interface Manners {
  readonly protocol: 'smtp' | 'lmtp' | 'pop3' | 'imap';
  /** A refusal in its own way, with words that are no good for a terminal. */
  readonly refusal: (step: Step, words: string) => string;
  /** Steps whose refusal is no harm, and whose silence is none. */
  readonly mayRefuse: (step: Step) => boolean;
  readonly mayHang: (step: Step) => boolean;
  /** The consent to STARTTLS. */
  readonly consent: string;
  /** A reply that an attacker would put behind the consent. */
  readonly injected: string;
}

const words = (step: Step, nth: number) => (nth === 0 ? step.phase : `${step.phase} ${nth + 1}`);

/** Silence, end, reset, a byte now and then, refusal and nonsense, each at every step. */
export function everyPhase(manners: Manners): readonly Case[] {
  const { protocol, refusal, mayHang, mayRefuse } = manners;
  const seen = new Map<string, number>();
  return stepsOf(protocol, 'plain').flatMap(step => {
    const nth = seen.get(step.phase) ?? 0;
    seen.set(step.phase, nth + 1);
    if (mayHang(step)) return [];
    const phase = step.phase as PhaseName;
    const at = [step.phase, nth] as const;
    const first: readonly PhaseName[] | PhaseName = phase === 'banner' ? ['banner', 'connect'] : phase;
    const where = words(step, nth);
    const turns: Turn[] = [
      { name: `stalls at ${where}`, at, does: silence, wanted: { phase, kind: 'timeout', lasting: 'unknown' } },
      { name: `ends at ${where}`, at, does: fin, wanted: { phase, kind: 'dropped', lasting: 'transient', atOnce: true } },
      { name: `resets at ${where}`, at, does: rst, wanted: { phase: first, kind: 'dropped', atOnce: true } },
      {
        name: `ends in the middle of a line at ${where}`,
        at,
        does: sayAndEnd(step.say.slice(0, Math.max(1, step.say.indexOf('\r\n') - 1))),
        wanted: { phase, kind: 'dropped', atOnce: true },
      },
      {
        name: `sends a byte every 20 ms at ${where}`,
        at,
        does: drip(' '),
        wanted: { phase, kind: 'timeout', says: 'sent only' },
      },
      {
        name: `talks nonsense, with terminal escapes, at ${where}`,
        at,
        does: say(`${ESCAPE_BYTES}\r\n`),
        wanted: { phase, kind: 'garbled', atOnce: true },
      },
    ];
    if (!mayRefuse(step))
      turns.push({
        name: `refuses at ${where}, with terminal escapes`,
        at,
        does: say(refusal(step, ESCAPE_BYTES)),
        wanted: { phase, kind: 'rejected', atOnce: true },
      });
    return turns.map(turn => textCase(protocol, turn));
  });
}

const CERTIFICATES = [
  ['expired', 'has expired'],
  ['not yet valid', 'not valid yet'],
  ['other name', 'another name'],
  ['self-signed', 'self-signed'],
  ['unknown authority', 'not trusted'],
  ['weak key', 'too weak'],
] as const;

/** Certificates, TLS where there should be none and the other way round, and what can be done to STARTTLS. */
export function everyTls({ protocol, consent, injected, refusal }: Manners): readonly Case[] {
  const tls = { security: 'tls' } as const;
  const starttls = { security: 'starttls' } as const;
  const start = stepsOf(protocol, 'starttls').find(({ phase }) => phase === 'starttls') as Step;
  const turns: Turn[] = [
    ...CERTIFICATES.flatMap(([certificate, says]): Turn[] =>
      [tls, starttls].map(client => ({
        name: `${client.security}: shows a certificate: ${certificate}`,
        client,
        options: { certificate },
        noSecret: true,
        wanted: { phase: 'tls', kind: 'tls', lasting: 'permanent', says, atOnce: true },
      })),
    ),
    {
      name: 'tls: shows a certificate with terminal escapes in its names',
      client: tls,
      options: { certificate: 'escapes' },
      noSecret: true,
      wanted: { phase: 'tls', kind: 'tls' },
    },
    {
      name: 'tls: says that it speaks no TLS newer than 1.1',
      client: tls,
      at: 'banner',
      does: say('\x15\x03\x02\x00\x02\x02\x46'),
      options: { tlsFirst: false },
      noSecret: true,
      wanted: { phase: 'tls', kind: 'tls', says: 'too old', atOnce: true },
    },
    {
      name: 'speaks TLS on the plain port, where it waits for us to begin',
      options: { tlsFirst: true },
      noSecret: true,
      wanted: { phase: 'banner', kind: 'timeout' },
    },
    {
      name: 'answers with a TLS alert on the plain port',
      at: 'banner',
      does: sayAndEnd('\x15\x03\x01\x00\x02\x02\x0a'),
      noSecret: true,
      wanted: { phase: 'banner', kind: 'garbled', atOnce: true },
    },
    {
      name: 'speaks clear text where TLS comes first',
      client: tls,
      options: { tlsFirst: false },
      noSecret: true,
      wanted: { phase: 'tls', kind: 'tls', says: 'does not speak TLS', atOnce: true },
    },
    ...(
      [
        ['stalls', silence, 'timeout', false],
        ['ends', fin, 'dropped', true],
        ['resets', rst, 'dropped', true],
        ['sends nonsense', say('\x16\x03\x03\x00\x05n\x00\x00\x01o'), 'tls', true],
        ['sends a byte every 20 ms', drip('\x00', 20, '\x16\x03\x03\x3f\xff\x02'), 'timeout', false],
      ] as const
    ).map(
      ([what, does, kind, atOnce]): Turn => ({
        name: `tls: ${what} in the handshake`,
        client: tls,
        at: 'banner',
        does,
        options: { tlsFirst: false },
        noSecret: true,
        wanted: { phase: ['tls', 'connect'], kind, ...(atOnce ? { atOnce } : {}) },
      }),
    ),
    {
      name: 'starttls: is not offered',
      client: starttls,
      at: protocol === 'pop3' || protocol === 'imap' ? 'capability' : 'ehlo',
      says: usual => usual.replace(/STARTTLS|STLS/, 'XSTART'),
      noSecret: true,
      wanted: { phase: 'starttls', kind: 'missing', lasting: 'permanent', atOnce: true },
    },
    {
      name: 'starttls: is offered and then refused',
      client: starttls,
      at: 'starttls',
      does: say(refusal(start, `no ${ESCAPE_BYTES}`)),
      noSecret: true,
      wanted: { phase: 'starttls', kind: 'rejected', atOnce: true },
    },
    {
      name: 'starttls: consents, with a reply in clear behind it in the same segment',
      client: starttls,
      at: 'starttls',
      does: say(`${consent}${injected}`),
      noSecret: true,
      wanted: { phase: 'tls', kind: 'garbled', says: 'injection', atOnce: true },
    },
    {
      name: 'starttls: consents, and sends a reply in clear a moment later',
      client: starttls,
      at: 'starttls',
      does: thenLater(consent, 30, injected),
      noSecret: true,
      // On a busy machine both come in one piece.
      wanted: { phase: 'tls', kind: ['tls', 'garbled'], atOnce: true },
    },
    {
      name: 'starttls: consents and stalls',
      client: starttls,
      at: 'starttls',
      does: say(consent),
      noSecret: true,
      wanted: { phase: 'tls', kind: 'timeout' },
    },
    {
      name: 'starttls: consents and ends',
      client: starttls,
      at: 'starttls',
      does: sayAndEnd(consent),
      noSecret: true,
      wanted: { phase: 'tls', kind: 'dropped', atOnce: true },
    },
    {
      name: 'starttls: says yes to a handshake and ends without a goodbye behind it',
      client: starttls,
      at: protocol === 'pop3' || protocol === 'imap' ? ['capability', 1] : ['ehlo', 1],
      does: (_, raw) => raw.end(),
      noSecret: true,
      wanted: { phase: protocol === 'pop3' || protocol === 'imap' ? 'capability' : 'ehlo', kind: 'dropped', atOnce: true },
    },
    { name: 'starttls: sends a byte at a time', client: starttls, options: { byteByByte: true }, wanted: 'answered' },
    { name: 'sends a byte at a time', options: { byteByByte: true }, wanted: 'answered' },
  ];
  return turns.map(turn => textCase(protocol, turn));
}

/** A port that nothing listens at, and one whose connections are reset as they are accepted. */
export function everyDoor(protocol: Protocol): readonly Case[] {
  const client = { protocol, security: 'plain' } as const;
  return [
    {
      name: 'is not there',
      client,
      deadlineMs: 1000,
      start: async () => {
        const peer = await startPeer([]);
        await peer.stop();
        return { ...peer, stop: async () => {} };
      },
      wanted: { phase: 'connect', kind: 'refused-connection', atOnce: true },
    },
  ];
}
