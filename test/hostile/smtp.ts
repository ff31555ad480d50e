// Hostile MTAs.

import type { Case } from './case.ts';
import { everyDoor, everyPhase, everyTls, type Manners } from './every-phase.ts';
import { drip, ESCAPE_BYTES, fin, flood, megabytes, rst, say, sayAndEnd, silence, stopReading } from './mischief.ts';
import { type Turn, textCase } from './text-peer.ts';

const MANNERS: Manners = {
  protocol: 'smtp',
  refusal: (_, words) => `554 5.7.1 ${words}\r\n`,
  mayRefuse: () => false,
  mayHang: ({ phase }) => phase === 'quit',
  consent: '220 Go\r\n',
  injected: '250-peer.test\r\n250 AUTH PLAIN\r\n',
};

const long = (bytes: number) => `220 ${'x'.repeat(bytes - 6)}\r\n`;

const TURNS: readonly Turn[] = [
  {
    name: 'sends a banner without an end',
    at: 'banner',
    does: flood('x'),
    heavy: true,
    wanted: { phase: 'banner', kind: 'garbled', atOnce: true },
  },
  {
    name: 'sends a banner of lines without an end',
    at: 'banner',
    does: flood('220-x\r\n'),
    heavy: true,
    wanted: { phase: 'banner', kind: 'garbled', atOnce: true },
  },
  {
    name: 'sends empty lines without an end',
    at: 'banner',
    does: flood('\n'),
    heavy: true,
    wanted: { phase: 'banner', kind: 'garbled', atOnce: true },
  },
  {
    name: 'sends a line of the banner every 20 ms',
    at: 'banner',
    does: drip('220-x\r\n'),
    wanted: { phase: 'banner', kind: 'timeout' },
  },
  {
    name: 'sends a line of 100 MB',
    at: 'banner',
    does: megabytes(100, 'x', '220 '),
    heavy: true,
    wanted: { phase: 'banner', kind: 'garbled', atOnce: true },
  },
  {
    name: 'answers EHLO without an end',
    at: 'ehlo',
    does: flood('250-PIPELINING\r\n'),
    heavy: true,
    wanted: { phase: 'ehlo', kind: 'garbled', atOnce: true },
  },
  {
    name: 'answers EHLO with 190 lines of 8 KB',
    at: 'ehlo',
    does: flood(`250-AUTH ${'y'.repeat(8100)}\r\n`),
    heavy: true,
    wanted: { phase: 'ehlo', kind: 'garbled', atOnce: true },
  },
  {
    name: 'floods in place of a reply to the dot',
    at: 'final',
    does: flood('250-ok\r\n'),
    heavy: true,
    wanted: { phase: 'final', kind: 'garbled', atOnce: true },
  },
  { name: 'has a banner line of 512 bytes', at: 'banner', says: long(512), wanted: 'answered' },
  { name: 'has a banner line of 8,192 bytes', at: 'banner', says: long(8192), wanted: 'answered' },
  {
    name: 'has a banner line of 8,193 bytes',
    at: 'banner',
    does: say(long(8193)),
    wanted: { phase: 'banner', kind: 'garbled', atOnce: true },
  },
  { name: 'answers with 200 lines', at: 'banner', says: `${'220-x\r\n'.repeat(199)}220 x\r\n`, wanted: 'answered' },
  {
    name: 'answers with 201 lines',
    at: 'banner',
    does: say(`${'220-x\r\n'.repeat(200)}220 x\r\n`),
    wanted: { phase: 'banner', kind: 'garbled', atOnce: true },
  },
  ...[
    '000 x',
    '999 x',
    '099 x',
    '2 50 x',
    '22',
    '1e3 x',
    '-20 x',
    '220_x',
    'HTTP/1.1 400 Bad Request',
    '+OK POP3',
    '* OK IMAP',
  ].map(
    (line): Turn => ({
      name: `greets with "${line}"`,
      at: 'banner',
      does: say(`${line}\r\n`),
      wanted: { phase: 'banner', kind: 'garbled', atOnce: true },
    }),
  ),
  {
    name: 'greets with a byte order mark',
    at: 'banner',
    does: say('\xef\xbb\xbf220 x\r\n'),
    wanted: { phase: 'banner', kind: 'garbled', atOnce: true },
  },
  { name: 'greets with a code and nothing else', at: 'banner', says: '220\r\n', wanted: 'answered' },
  { name: 'ends lines with a bare LF', at: 'ehlo', says: usual => usual.replaceAll('\r\n', '\n'), wanted: 'answered' },
  { name: 'has NUL, 8-bit and lone CR in a reply', at: 'banner', says: '220 a\x00b\xff\xfe\xc3\x28\rc\r\n', wanted: 'answered' },
  {
    name: 'has lone CR in place of line ends',
    at: 'banner',
    does: say('220 x\r220 y\r'),
    wanted: { phase: 'banner', kind: 'timeout' },
  },
  { name: 'has terminal escapes in its banner', at: 'banner', says: `220 ${ESCAPE_BYTES}\r\n`, wanted: 'answered' },
  {
    name: 'has terminal escapes in its capabilities',
    at: 'ehlo',
    says: `250-${ESCAPE_BYTES}\r\n250-${ESCAPE_BYTES} ${ESCAPE_BYTES}\r\n250-AUTH PLAIN ${ESCAPE_BYTES}\r\n250-SIZE\r\n250 DSN\r\n`,
    wanted: 'answered',
  },
  {
    name: 'has terminal escapes in its reply to the dot',
    at: 'final',
    says: `250 2.0.0 Ok: queued as ${ESCAPE_BYTES} (${ESCAPE_BYTES})\r\n`,
    wanted: 'answered',
  },
  {
    name: 'changes the code within a reply',
    at: 'ehlo',
    does: say('250-peer.test\r\n251 SIZE\r\n'),
    wanted: { phase: 'ehlo', kind: 'garbled', says: 'changed its code', atOnce: true },
  },
  {
    name: 'stalls in the middle of a reply',
    at: 'ehlo',
    does: say('250-peer.test\r\n'),
    wanted: { phase: 'ehlo', kind: 'timeout' },
  },
  {
    name: 'ends in the middle of a reply',
    at: 'ehlo',
    does: sayAndEnd('250-peer.test\r\n'),
    wanted: { phase: 'ehlo', kind: 'dropped', atOnce: true },
  },
  ...(['banner', 'auth', 'mail', 'rcpt', 'data', 'final'] as const).flatMap((phase): Turn[] => [
    {
      name: `says 421 and ends at ${phase}`,
      at: phase,
      does: sayAndEnd('421 4.3.2 shutting down\r\n'),
      wanted: { phase, kind: 'rejected', lasting: 'transient', atOnce: true },
    },
    {
      name: `puts off with 451 at ${phase}`,
      at: phase,
      does: say('451-4.7.1 greylisted\r\n451 4.7.1 come again\r\n'),
      wanted: { phase, kind: 'rejected', lasting: 'transient', says: 'greylisted', atOnce: true },
    },
  ]),
  {
    name: 'says 421 unasked behind its answer to EHLO, and ends',
    at: 'ehlo',
    does: sayAndEnd('250-peer.test\r\n250 AUTH PLAIN\r\n421 4.3.2 shutting down\r\n'),
    wanted: { phase: 'auth', kind: 'rejected', lasting: 'transient', atOnce: true },
  },
  { name: 'says 354 to MAIL', at: 'mail', does: say('354 go on\r\n'), wanted: { phase: 'mail', kind: 'garbled', atOnce: true } },
  { name: 'says 250 to DATA', at: 'data', does: say('250 ok\r\n'), wanted: { phase: 'data', kind: 'garbled', atOnce: true } },
  {
    name: 'says 354 to the dot',
    at: 'final',
    does: say('354 go on\r\n'),
    wanted: { phase: 'final', kind: 'garbled', atOnce: true },
  },
  {
    name: 'answers AUTH with a challenge',
    at: 'auth',
    does: say('334 \r\n'),
    wanted: { phase: 'auth', kind: 'garbled', atOnce: true },
  },
  {
    name: 'answers XOAUTH2 with challenges without an end',
    client: { login: 'xoauth2' },
    at: ['auth', 0],
    does: flood('334 e30=\r\n'),
    wanted: { phase: 'auth', kind: 'timeout' },
  },
  {
    name: 'offers no log-in that we know',
    at: 'ehlo',
    does: say('250-peer.test\r\n250 AUTH CRAM-MD5\r\n'),
    noSecret: true,
    wanted: { phase: 'auth', kind: 'missing', lasting: 'permanent', atOnce: true },
  },
  {
    name: 'sends the password back in its refusal',
    at: 'auth',
    does: say(`535 5.7.8 geheim-1234 ${Buffer.from('\0probe\0geheim-1234').toString('base64')}\r\n`),
    wanted: { phase: 'auth', kind: 'rejected', lasting: 'permanent', atOnce: true },
  },
  {
    name: 'stops reading in the middle of the message',
    client: { large: true },
    at: 'data',
    does: (socket, raw) => {
      socket.write('354 go on\r\n');
      stopReading(socket, raw);
    },
    deadlineMs: 600,
    wanted: { phase: 'body', kind: 'timeout' },
  },
  {
    name: 'says 552 in the middle of the message and stops reading',
    client: { large: true },
    at: 'data',
    does: (socket, raw) => {
      socket.write('354 go on\r\n552 5.3.4 too much\r\n');
      stopReading(socket, raw);
    },
    deadlineMs: 3000,
    wanted: { phase: 'body', kind: 'rejected', lasting: 'permanent', says: '552', atOnce: true },
  },
  {
    name: 'resets in the middle of the message',
    client: { large: true },
    at: 'data',
    does: (socket, raw) => {
      socket.write('354 go on\r\n');
      stopReading(socket, raw);
      setTimeout(() => raw.resetAndDestroy(), 40);
    },
    deadlineMs: 3000,
    wanted: { phase: 'body', kind: 'dropped', atOnce: true },
  },
  { name: 'goes on talking after QUIT', at: 'quit', does: say('221 bye\r\n250 still here\r\n500 what\r\n'), wanted: 'answered' },
  { name: 'floods after QUIT', at: 'quit', does: flood('221-bye\r\n'), heavy: true, wanted: 'answered' },
  { name: 'stalls at QUIT', at: 'quit', does: silence, deadlineMs: 1000, wanted: 'answered' },
  { name: 'ends at QUIT', at: 'quit', does: fin, wanted: 'answered' },
  { name: 'resets at QUIT', at: 'quit', does: rst, wanted: 'answered' },
  { name: 'drips at QUIT', at: 'quit', does: drip('2'), deadlineMs: 1000, wanted: 'answered' },
  { name: 'refuses QUIT', at: 'quit', does: say('554 stay\r\n'), wanted: 'answered' },
];

export const SMTP: readonly Case[] = [
  ...everyDoor('smtp'),
  ...everyPhase(MANNERS),
  ...everyTls(MANNERS),
  ...TURNS.map(turn => textCase('smtp', turn)),
];
