// Hostile POP3 servers.

import type { PhaseName } from '../../lib/model/dialog.ts';
import { type Step, startPeer } from '../dialog/peer.ts';
import { type Case, deadlineOf, type Wanted } from './case.ts';
import { everyDoor, everyPhase, everyTls, type Manners } from './every-phase.ts';
import { drip, ESCAPE_BYTES, fin, flood, megabytes, rst, say, sayAndEnd, silence } from './mischief.ts';
import { type Turn, textCase } from './text-peer.ts';

const MANNERS: Manners = {
  protocol: 'pop3',
  refusal: (_, words) => `-ERR [SYS/TEMP] ${words}\r\n`,
  // Old servers do not know CAPA; the dialog goes on without.
  mayRefuse: ({ phase }) => phase === 'capability',
  mayHang: () => false,
  consent: '+OK Go\r\n',
  injected: '+OK\r\nSASL PLAIN\r\n.\r\n',
};

const garbledAt = (phase: PhaseName): Wanted => ({ phase, kind: 'garbled', atOnce: true });

const TURNS: readonly Turn[] = [
  { name: 'sends a banner without an end', at: 'banner', does: flood('x'), heavy: true, wanted: garbledAt('banner') },
  { name: 'sends a line of 100 MB', at: 'banner', does: megabytes(100, 'x', '+OK '), heavy: true, wanted: garbledAt('banner') },
  { name: 'has a banner line of 8,192 bytes', at: 'banner', says: `+OK ${'x'.repeat(8186)}\r\n`, wanted: 'answered' },
  {
    name: 'has a banner line of 8,193 bytes',
    at: 'banner',
    does: say(`+OK ${'x'.repeat(8187)}\r\n`),
    wanted: garbledAt('banner'),
  },
  { name: 'greets with nothing but +OK', at: 'banner', says: '+OK\r\n', wanted: 'answered' },
  ...[
    '+OKAY ready',
    '+ OK',
    'OK',
    '000',
    '999 x',
    '-ERROR',
    '220 mail.peer.test ESMTP',
    '* OK IMAP4rev1',
    'HTTP/1.1 400 Bad Request',
    '\xef\xbb\xbf+OK',
    '',
  ].map((line): Turn => ({ name: `greets with "${line}"`, at: 'banner', does: say(`${line}\r\n`), wanted: garbledAt('banner') })),
  {
    name: 'greets with -ERR and ends',
    at: 'banner',
    does: sayAndEnd('-ERR out of order\r\n'),
    wanted: { phase: 'banner', kind: 'rejected', lasting: 'unknown', atOnce: true },
  },
  {
    name: 'greets with -ERR [SYS/PERM]',
    at: 'banner',
    does: say('-ERR [SYS/PERM] gone\r\n'),
    wanted: { phase: 'banner', kind: 'rejected', lasting: 'permanent', atOnce: true },
  },
  { name: 'has terminal escapes in its banner', at: 'banner', says: `+OK ${ESCAPE_BYTES}\r\n`, wanted: 'answered' },
  { name: 'has NUL, 8-bit and lone CR in its banner', at: 'banner', says: '+OK a\x00b\xff\xfe\rc\r\n', wanted: 'answered' },
  { name: 'ends lines with a bare LF', at: ['list', 0], says: usual => usual.replaceAll('\r\n', '\n'), wanted: 'answered' },
  {
    name: 'has lone CR in place of line ends',
    at: 'list',
    does: say('+OK\r1 a\r.\r'),
    wanted: { phase: 'list', kind: 'timeout' },
  },
  {
    name: 'has terminal escapes in its capabilities',
    at: 'capability',
    says: `+OK ${ESCAPE_BYTES}\r\n${ESCAPE_BYTES} ${ESCAPE_BYTES}\r\nSASL PLAIN ${ESCAPE_BYTES}\r\nIMPLEMENTATION ${ESCAPE_BYTES}\r\n.\r\n`,
    wanted: 'answered',
  },
  {
    name: 'lists capabilities without an end',
    at: 'capability',
    does: flood('TOP\r\n', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('capability'),
  },
  {
    name: 'lists 100,000 different capabilities',
    at: 'capability',
    does: say(`+OK\r\n${Array.from({ length: 100_000 }, (_, i) => `X${i}\r\n`).join('')}.\r\n`),
    heavy: true,
    wanted: garbledAt('capability'),
  },
  {
    name: 'lists empty lines without an end',
    at: 'capability',
    does: flood('\r\n', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('capability'),
  },
  {
    name: 'lists a capability of 100 MB',
    at: 'capability',
    does: megabytes(100, 'x', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('capability'),
  },
  {
    name: 'refuses the log-in because the maildrop is locked',
    at: ['auth', 1],
    does: say('-ERR [IN-USE] locked\r\n'),
    wanted: { phase: 'auth', kind: 'rejected', lasting: 'transient', atOnce: true },
  },
  {
    name: 'asks for more without an end at the log-in',
    at: ['auth', 1],
    does: flood('+ \r\n'),
    wanted: garbledAt('auth'),
  },
  {
    name: 'says +OK to AUTH before it has the password',
    at: ['auth', 0],
    does: say('+OK welcome\r\n'),
    noSecret: true,
    wanted: garbledAt('auth'),
  },
  {
    name: 'sends the password back in its refusal',
    at: ['auth', 1],
    does: say(`-ERR [AUTH] geheim-1234 ${Buffer.from('\0probe\0geheim-1234').toString('base64')}\r\n`),
    wanted: { phase: 'auth', kind: 'rejected', lasting: 'permanent', atOnce: true },
  },
  {
    name: 'says -ERR unasked behind its consent to the log-in, and ends',
    at: ['auth', 1],
    does: sayAndEnd('+OK in\r\n-ERR [SYS/TEMP] shutting down\r\n'),
    wanted: { phase: 'list', kind: 'rejected', lasting: 'transient', atOnce: true },
  },
  {
    name: 'lists messages without an end',
    at: 'list',
    does: flood('1 abc\r\n', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('list'),
  },
  {
    name: 'lists 50,001 messages with names of 70 characters',
    at: 'list',
    does: say(`+OK\r\n${Array.from({ length: 50_001 }, (_, i) => `${i + 1} ${String(i).padStart(70, 'x')}\r\n`).join('')}.\r\n`),
    heavy: true,
    wanted: garbledAt('list'),
  },
  {
    name: 'lists 100 MB without a line end',
    at: 'list',
    does: megabytes(100, '1', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('list'),
  },
  {
    name: 'lists empty lines without an end in place of messages',
    at: 'list',
    does: flood('\n', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('list'),
  },
  {
    name: 'lists a message every 20 ms',
    at: 'list',
    does: drip('1 a\r\n', 20, '+OK\r\n'),
    wanted: { phase: 'list', kind: 'timeout' },
  },
  ...[
    ['words', 'one two'],
    ['a name with terminal escapes', `1 ${ESCAPE_BYTES}`],
    ['a name of 71 characters', `1 ${'x'.repeat(71)}`],
    ['a number of ten digits', '1234567890 a'],
    ['a number below zero', '-1 a'],
    ['a number without a name', '1'],
    ['a name with a NUL', '1 a\x00b'],
  ].map(
    ([what, line]): Turn => ({
      name: `lists ${what}`,
      at: 'list',
      does: say(`+OK\r\n${line}\r\n.\r\n`),
      wanted: garbledAt('list'),
    }),
  ),
  {
    name: 'ends before the dot of a list',
    at: 'list',
    does: sayAndEnd('+OK\r\n1 a\r\n'),
    wanted: { phase: 'list', kind: 'dropped', atOnce: true },
  },
  {
    name: 'stalls before the dot of a list',
    at: 'list',
    does: say('+OK\r\n1 a\r\n'),
    wanted: { phase: 'list', kind: 'timeout' },
  },
  {
    name: 'sends a header without an end',
    at: 'top',
    does: flood('X-A: b\r\n', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('top'),
  },
  {
    name: 'sends a header of 100 MB in one line',
    at: 'top',
    does: megabytes(100, 'x', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('top'),
  },
  {
    name: 'sends a message without an end',
    at: 'retr',
    does: flood('body\r\n', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('retr'),
  },
  {
    name: 'sends a message of empty lines without an end',
    at: 'retr',
    does: flood('\n', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('retr'),
  },
  {
    name: 'sends a message of dots without an end',
    at: 'retr',
    does: flood('..\n', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('retr'),
  },
  {
    name: 'sends a message without a line end, 100 MB',
    at: 'retr',
    does: megabytes(100, 'x', '+OK\r\n'),
    heavy: true,
    wanted: garbledAt('retr'),
  },
  {
    name: 'sends a byte of the message every 20 ms',
    at: 'retr',
    does: drip('x', 20, '+OK\r\n'),
    wanted: { phase: 'retr', kind: 'timeout' },
  },
  {
    name: 'ends before the dot of a message',
    at: 'retr',
    does: sayAndEnd('+OK\r\nSubject: x\r\n'),
    wanted: { phase: 'retr', kind: 'dropped', atOnce: true },
  },
  { name: 'ends a message with LF dot LF', at: 'retr', says: '+OK\nSubject: x\n\n..dot\n.\n', wanted: 'answered' },
  {
    name: 'has NUL, 8-bit and lone CR in a message',
    at: 'retr',
    says: '+OK\r\nSubject: \x00\xff\r\r\n\r\n\x00\xff\r.\r\n.\r\n',
    wanted: 'answered',
  },
  { name: 'goes on talking after QUIT', at: 'quit', does: say('+OK bye\r\n+OK still here\r\n-ERR what\r\n'), wanted: 'answered' },
  { name: 'floods after QUIT', at: 'quit', does: flood('+OK bye\r\n'), heavy: true, wanted: 'answered' },
];

/** The second opinion: node-pop3, as look-pop3.ts guards it. */
const SECOND: readonly Step[] = [
  { phase: 'connect', say: '+OK ready\r\n' },
  { phase: 'auth', hear: /^USER /, say: '+OK\r\n' },
  { phase: 'auth', hear: /^PASS /, say: '+OK\r\n' },
  { phase: 'list', hear: /^UIDL/, say: '+OK\r\n1 a\r\n.\r\n' },
  { phase: 'top', hear: /^TOP 1 /, say: '+OK\r\nSubject: wanted\r\n\r\n.\r\n' },
  { phase: 'quit', hear: /^QUIT/, say: '+OK\r\n' },
];

function second(): readonly Case[] {
  const ways = [
    ['stalls', silence, 'timeout', false],
    ['ends', fin, 'dropped', false],
    ['resets', rst, 'dropped', false],
    ['sends a byte every 20 ms', drip('+'), 'timeout', false],
    ['floods without a line end', flood('x'), 'garbled', true],
    ['floods with lines', flood('x\r\n', '+OK\r\n'), undefined, true],
    ['refuses with terminal escapes', say(`-ERR ${ESCAPE_BYTES}\r\n`), 'rejected', false],
    ['talks nonsense', say(`${ESCAPE_BYTES}\r\n`), 'garbled', false],
  ] as const;
  return ways.flatMap(([what, does, kind, heavy]) =>
    [0, 2, 3, 4].flatMap((index): Case[] => {
      const phase = SECOND[index]?.phase as PhaseName;
      const isList = phase === 'list' || phase === 'top';
      // A status line is an answer, and what comes behind it unasked is not looked at, unless a list is wanted.
      if (kind === undefined && !isList) return [];
      const wanted: Wanted = {
        phase,
        kind: kind ?? 'garbled',
        ...(what === 'stalls' || what.startsWith('sends a byte') ? {} : { atOnce: true }),
      };
      return [
        {
          name: `${what} at ${phase} (second client)`,
          client: { protocol: 'pop3', security: 'plain', second: true },
          deadlineMs: heavy ? 3000 : deadlineOf(wanted),
          start: () => startPeer(SECOND, { wrong: { step: index, mischief: does } }),
          wanted,
          heavy,
        },
      ];
    }),
  );
}

export const POP3: readonly Case[] = [
  ...everyDoor('pop3'),
  ...everyPhase(MANNERS),
  ...everyTls(MANNERS),
  ...TURNS.map(turn => textCase('pop3', turn)),
  ...second(),
];
