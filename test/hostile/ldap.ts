// Hostile directories: every phase, lengths that lie, and answers that never end. @see RFC 4511 section 5.1

import type { PhaseName } from '../../lib/model/dialog.ts';
import { entry, type Mischief, message, type PeerOptions, result, startLdapPeer, type Turn } from '../dialog/ldap-peer.ts';
import { type Case, type Client, deadlineOf, type Wanted } from './case.ts';
import { everyDoor } from './every-phase.ts';
import { ESCAPES, flood, megabytes, rst } from './mischief.ts';

const DN = `uid=ims1,${ESCAPES},dc=peer,dc=test`;
const BIND: Turn = { phase: 'bind', hear: 0x60, say: id => result(id, 0x61, 0) };
const SEARCH: Turn = {
  phase: 'search',
  hear: 0x63,
  say: id => Buffer.concat([entry(id, DN, { mail: [ESCAPES] }), result(id, 0x65, 0, ESCAPES)]),
};
const UNBIND: Turn = { phase: 'quit', hear: 0x42, say: () => Buffer.alloc(0) };
const PLAIN: readonly Turn[] = [BIND, SEARCH, UNBIND];
const STARTTLS: readonly Turn[] = [{ phase: 'starttls', hear: 0x77, say: id => result(id, 0x78, 0), upgrade: true }, ...PLAIN];

interface Wrong {
  readonly name: string;
  readonly at?: string;
  readonly does?: Mischief;
  readonly security?: Client['security'];
  readonly options?: Omit<PeerOptions, 'wrong'>;
  readonly heavy?: boolean;
  readonly noSecret?: boolean;
  readonly wanted: Wanted;
}

function ldapCase({ name, at, does, security = 'plain', options, heavy, noSecret, wanted }: Wrong): Case {
  const turns = security === 'starttls' ? STARTTLS : PLAIN;
  const turn = turns.findIndex(({ phase }) => phase === at);
  return {
    name,
    client: { protocol: 'ldap', security },
    deadlineMs: heavy === true ? 3000 : deadlineOf(wanted),
    start: () =>
      startLdapPeer(turns, {
        ...(security === 'tls' ? { tlsFirst: true } : {}),
        ...options,
        ...(does === undefined ? {} : { wrong: { turn, mischief: does } }),
      }),
    wanted,
    ...(heavy === undefined ? {} : { heavy }),
    ...(noSecret === undefined ? {} : { noSecret }),
  };
}

const hex =
  (text: string): Mischief =>
  socket =>
    void socket.write(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const send =
  (bytes: (id: number) => Buffer): Mischief =>
  (socket, _, id) =>
    void socket.write(bytes(id));
const garbled = (phase: PhaseName): Wanted => ({ phase, kind: 'garbled', atOnce: true });
const answerTag = (phase: string) => ({ bind: 0x61, search: 0x65, starttls: 0x78 })[phase] ?? 0;

/** At bind, at search, and at the consent to TLS. */
const EVERYWHERE: readonly Case[] = (['bind', 'search', 'starttls'] as const).flatMap(phase => {
  const security = phase === 'starttls' ? 'starttls' : 'plain';
  const ways: readonly (readonly [string, Mischief, Wanted])[] = [
    ['stalls', () => {}, { phase, kind: 'timeout' }],
    ['ends', socket => socket.end(), { phase, kind: 'dropped', atOnce: true }],
    ['resets', rst, { phase, kind: 'dropped', atOnce: true }],
    [
      'ends in the middle of a message',
      (s, _, id) => s.end(result(id, answerTag(phase), 0).subarray(0, 5)),
      { phase, kind: 'dropped', atOnce: true },
    ],
    [
      'sends a byte every 20 ms',
      socket => {
        socket.write(Buffer.from('3082ffff', 'hex').subarray(0, 1));
        const timer = setInterval(() => socket.write(Buffer.from([0x83])), 20);
        socket.once('close', () => clearInterval(timer));
      },
      // 0x83 says that three bytes of length follow: far too many, and known as soon as they are there.
      { phase, kind: ['garbled', 'timeout'] },
    ],
    [
      'refuses, with terminal escapes',
      send(id => result(id, answerTag(phase), 52, ESCAPES)),
      { phase, kind: 'rejected', lasting: 'transient', atOnce: true },
    ],
    [
      'gives notice of disconnection',
      send(() => result(0, 0x78, 52, ESCAPES, w => w.writeString('1.3.6.1.4.1.1466.20036', 0x8a))),
      { phase, kind: 'dropped', says: 'ends the connection', atOnce: true },
    ],
    [
      'sends a notice of something else',
      send(() => result(0, 0x78, 0, ESCAPES, w => w.writeString('1.2.3', 0x8a))),
      garbled(phase),
    ],
    ['talks SMTP', socket => void socket.write('220 mail.example ESMTP\r\n'), garbled(phase)],
    ['announces 4 GB', hex('3084ffffffff 0201'), garbled(phase)],
    ['announces a length of 126 bytes', hex('30fe ffffffff'), garbled(phase)],
    ['uses an indefinite length', hex('3080 020101 61'), garbled(phase)],
    ['sends an inner length that points past its message', hex('300c 020101 6184 7fffffff 0a01 00'), garbled(phase)],
    ['sends a message without an operation', hex('3003 020101'), garbled(phase)],
    ['sends an empty message', hex('3000'), garbled(phase)],
    ['sends a message id below zero', send(() => result(-1, answerTag(phase), 0)), garbled(phase)],
    ['sends a message id of nine bytes', hex('3012 0209 010101010101010101 6105 0a0100 0400'), garbled(phase)],
    ['answers another question', send(id => result(id + 7, answerTag(phase), 0)), garbled(phase)],
    ['answers with another operation', send(id => result(id, 0x6b, 0)), garbled(phase)],
    ['answers with a result of nothing', send(id => message(id, answerTag(phase), () => {})), garbled(phase)],
    ['sends zeros', hex('00'.repeat(40)), garbled(phase)],
  ];
  return ways.map(([name, does, wanted]) => ldapCase({ name: `${name} at ${phase}`, at: phase, does, security, wanted }));
});

/** An entry of as many attributes as fit, each as small as can be. */
function crowded(id: number): Buffer {
  const attribute = Buffer.from('3005 0401 61 3100'.replaceAll(' ', ''), 'hex');
  const list = Buffer.concat(Array.from({ length: 36_000 }, () => attribute));
  return message(id, 0x64, writer => {
    writer.writeString(DN);
    writer.writeBuffer(list, 0x30);
  });
}

const REST: readonly Wrong[] = [
  { name: 'has terminal escapes in names, values and words', wanted: 'answered' },
  { name: 'sends a byte at a time', options: { byteByByte: true }, wanted: 'answered' },
  { name: 'starttls: sends a byte at a time', security: 'starttls', options: { byteByByte: true }, wanted: 'answered' },
  {
    name: 'sends entries without an end',
    at: 'search',
    does: send(id => Buffer.concat(Array.from({ length: 1000 }, () => entry(id, DN, {})))),
    heavy: true,
    wanted: garbled('search'),
  },
  {
    name: 'sends references without an end',
    at: 'search',
    does: (socket, raw, id) => {
      const text = message(id, 0x73, w => w.writeString(`ldap://${ESCAPES}/`)).toString('latin1');
      flood(text)(socket, raw);
    },
    heavy: true,
    wanted: garbled('search'),
  },
  {
    name: 'refers to another server',
    at: 'search',
    does: send(id =>
      result(id, 0x65, 10, '', w => {
        w.startSequence(0xa3);
        w.writeString(`ldap://${ESCAPES}/`);
        w.endSequence();
      }),
    ),
    wanted: { phase: 'search', kind: 'rejected', says: 'refers to', atOnce: true },
  },
  {
    name: 'refers to itself a thousand times',
    at: 'search',
    does: send(id =>
      result(id, 0x65, 10, '', w => {
        w.startSequence(0xa3);
        for (let i = 0; i < 1000; i++) w.writeString('ldap://127.0.0.1/');
        w.endSequence();
      }),
    ),
    wanted: { phase: 'search', kind: 'rejected', atOnce: true },
  },
  { name: 'sends an entry of 36,000 attributes', at: 'search', does: send(crowded), heavy: true, wanted: garbled('search') },
  {
    name: 'sends an entry of 255 KB',
    at: 'search',
    does: send(id => entry(id, DN, { mail: ['x'.repeat(250_000)] })),
    wanted: { phase: 'search', kind: 'timeout' },
  },
  {
    name: 'sends an entry of more than 256 KB',
    at: 'search',
    does: send(id => entry(id, DN, { mail: ['x'.repeat(300_000)] })),
    heavy: true,
    wanted: garbled('search'),
  },
  {
    name: 'sends 100 MB of zeros',
    at: 'bind',
    does: (s, raw) => megabytes(100, '\0')(s, raw),
    heavy: true,
    wanted: garbled('bind'),
  },
  {
    name: 'sends an entry without attributes',
    at: 'search',
    does: send(id => message(id, 0x64, w => w.writeString(DN))),
    wanted: garbled('search'),
  },
  {
    name: 'sends an attribute without values',
    at: 'search',
    does: hex('3014 020102 640f 0401 61 300a 3008 0401 62 0203 010101'),
    wanted: garbled('search'),
  },
  ...(['expired', 'not yet valid', 'other name', 'self-signed', 'unknown authority', 'weak key'] as const).flatMap(
    (certificate): Wrong[] =>
      (['tls', 'starttls'] as const).map(security => ({
        name: `${security}: shows a certificate: ${certificate}`,
        security,
        options: { certificate },
        noSecret: true,
        wanted: { phase: 'tls', kind: 'tls', lasting: 'permanent', atOnce: true },
      })),
  ),
  {
    name: 'speaks TLS on the plain port',
    options: { tlsFirst: true },
    wanted: { phase: 'bind', kind: ['garbled', 'dropped'], atOnce: true },
  },
  {
    name: 'takes our handshake for an LDAP message, and ends',
    security: 'tls',
    options: { tlsFirst: false },
    noSecret: true,
    wanted: { phase: 'tls', kind: 'dropped', atOnce: true },
  },
  {
    name: 'starttls: says that it does not know it',
    security: 'starttls',
    at: 'starttls',
    does: send(id => result(id, 0x78, 2, ESCAPES)),
    noSecret: true,
    wanted: { phase: 'starttls', kind: 'missing', lasting: 'permanent', atOnce: true },
  },
  {
    name: 'starttls: consents, with an answer in clear behind it',
    security: 'starttls',
    at: 'starttls',
    does: send(id => Buffer.concat([result(id, 0x78, 0), result(id + 1, 0x61, 0)])),
    noSecret: true,
    wanted: { phase: 'tls', kind: 'garbled', says: 'injection', atOnce: true },
  },
  {
    name: 'starttls: consents and stalls',
    security: 'starttls',
    at: 'starttls',
    does: send(id => result(id, 0x78, 0)),
    noSecret: true,
    wanted: { phase: 'tls', kind: 'timeout' },
  },
];

export const LDAP: readonly Case[] = [...everyDoor('ldap'), ...EVERYWHERE, ...REST.map(ldapCase)];
