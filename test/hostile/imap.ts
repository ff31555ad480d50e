// Hostile IMAP servers.

import type { PhaseName } from '../../lib/model/dialog.ts';
import { startPeer } from '../dialog/peer.ts';
import { type Case, deadlineOf, type Wanted } from './case.ts';
import { everyDoor, everyPhase, everyTls, type Manners } from './every-phase.ts';
import { drip, ESCAPE_BYTES, flood, megabytes, say, sayAndEnd } from './mischief.ts';
import { stepsOf, type Turn, textCase } from './text-peer.ts';

const tagOf = (step: { readonly say: string; readonly tag?: string }) => step.tag ?? /^(h\d+) OK/m.exec(step.say)?.[1] ?? '';

const MANNERS: Manners = {
  protocol: 'imap',
  refusal: (step, words) => (step.phase === 'banner' ? `* BYE ${words}\r\n` : `${tagOf(step)} NO [UNAVAILABLE] ${words}\r\n`),
  mayRefuse: () => false,
  mayHang: () => false,
  consent: 'h2 OK Go\r\n',
  injected: '* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nh3 OK done\r\n',
};

const garbledAt = (phase: PhaseName, says?: string): Wanted => ({
  phase,
  kind: 'garbled',
  atOnce: true,
  ...(says === undefined ? {} : { says }),
});
const ITEMS = 'UID 5 BODY[HEADER.FIELDS (X-HEALTHMON-TOKEN)] {2}\r\n\r\n';

/** BYE at every step, unasked. */
const BYES: readonly Turn[] = stepsOf('imap', 'plain').map((step, index, all) => {
  const nth = all.slice(0, index).filter(({ phase }) => phase === step.phase).length;
  return {
    name: `says BYE and ends at ${step.phase}${nth === 0 ? '' : ` ${nth + 1}`}`,
    at: [step.phase, nth],
    does: sayAndEnd('* BYE [UNAVAILABLE] shutting down\r\n'),
    wanted: { phase: step.phase as PhaseName, kind: 'rejected', lasting: 'transient', says: 'BYE', atOnce: true },
  };
});

/** UIDVALIDITY that changes at every step with an open folder. */
const VALIDITIES: readonly Turn[] = (
  [
    ['noop', 0],
    ['search', 0],
    ['fetch', 0],
    ['fetch', 1],
    ['idle', 0],
    ['idle', 1],
  ] as const
).map(([phase, nth]) => ({
  name: `changes UIDVALIDITY at ${phase}${nth === 0 ? '' : ` ${nth + 1}`}`,
  at: [phase, nth],
  says: usual => `* OK [UIDVALIDITY 8] new\r\n${usual}`,
  wanted: garbledAt(phase, 'UIDVALIDITY'),
}));

const TURNS: readonly Turn[] = [
  ...BYES,
  ...VALIDITIES,
  {
    name: 'changes UIDVALIDITY in its tagged reply',
    at: 'noop',
    does: say('h3 OK [UIDVALIDITY 8] new\r\n'),
    wanted: garbledAt('noop', 'UIDVALIDITY'),
  },
  { name: 'sends a banner without an end', at: 'banner', does: flood('x'), heavy: true, wanted: garbledAt('banner') },
  { name: 'sends a line of 100 MB', at: 'banner', does: megabytes(100, 'x', '* OK '), heavy: true, wanted: garbledAt('banner') },
  ...[
    ['PREAUTH', '* PREAUTH [CAPABILITY IMAP4rev1] in\r\n'],
    ['NO', '* NO not now\r\n'],
    ['BAD', '* BAD what\r\n'],
    ['a tagged reply', 'h1 OK hello\r\n'],
    ['a continuation', '+ hello\r\n'],
    ['an SMTP banner', '220 peer.test ESMTP\r\n'],
    ['a POP3 banner', '+OK ready\r\n'],
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n'],
    ['a byte order mark', '\xef\xbb\xbf* OK\r\n'],
    ['an empty line', '\r\n'],
    ['an OK without a star', 'OK hello\r\n'],
    ['a list', '* (a b)\r\n'],
    ['a literal', '* OK {5}\r\nhello\r\n'],
  ].map(
    ([what, line]): Turn => ({
      name: `greets with ${what}`,
      at: 'banner',
      does: say(line as string),
      noSecret: true,
      wanted: garbledAt('banner'),
    }),
  ),
  {
    name: 'greets with PREAUTH where STARTTLS is required',
    client: { security: 'starttls' },
    at: 'banner',
    does: say('* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] in\r\n'),
    noSecret: true,
    wanted: garbledAt('banner', 'PREAUTH'),
  },
  {
    name: 'has terminal escapes in its banner and capabilities',
    at: 'banner',
    says: `* OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS AUTH=PLAIN SASL-IR ${ESCAPE_BYTES.replaceAll(' ', '')}] ${ESCAPE_BYTES}\r\n`,
    wanted: 'answered',
  },
  {
    name: 'has terminal escapes in its numbers',
    at: 'select',
    says: usual => usual.replace('UIDVALIDITY 7', `UIDVALIDITY ${ESCAPE_BYTES.replaceAll('\r', '')}`),
    wanted: 'answered',
  },
  {
    name: 'has NUL, 8-bit and lone CR in a reply',
    at: 'noop',
    says: usual => `* OK a\x00b\xff\xfe\rc\r\n${usual}`,
    wanted: 'answered',
  },
  { name: 'ends lines with a bare LF', at: 'select', says: usual => usual.replaceAll('\r\n', '\n'), wanted: 'answered' },
  {
    name: 'has lone CR in place of line ends',
    at: 'noop',
    does: say('* OK\rh3 OK\r'),
    wanted: { phase: 'noop', kind: 'timeout' },
  },
  {
    name: 'sends the password back in its refusal',
    at: 'auth',
    does: say(`h1 NO [AUTHENTICATIONFAILED] geheim-1234 ${Buffer.from('\0probe\0geheim-1234').toString('base64')}\r\n`),
    wanted: { phase: 'auth', kind: 'rejected', lasting: 'permanent', atOnce: true },
  },
  {
    name: 'asks for more without an end at the log-in',
    at: 'auth',
    does: flood('+ \r\n'),
    heavy: true,
    wanted: garbledAt('auth'),
  },
  { name: 'asks for more where nothing more is due', at: 'select', does: say('+ more\r\n'), wanted: garbledAt('select') },
  {
    name: 'offers no log-in that we know',
    at: 'banner',
    does: say('* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] x\r\n'),
    noSecret: true,
    wanted: { phase: 'auth', kind: 'missing', lasting: 'permanent', atOnce: true },
  },
  {
    name: 'lists capabilities without an end',
    client: { security: 'starttls' },
    at: 'capability',
    does: flood('* CAPABILITY A B C D E F G H I J K L M\r\n'),
    heavy: true,
    wanted: garbledAt('capability'),
  },
  {
    name: 'lists 100,000 different capabilities',
    client: { security: 'starttls' },
    at: 'capability',
    does: say(
      `${Array.from({ length: 1000 }, (_, i) => `* CAPABILITY ${Array.from({ length: 100 }, (_, j) => `X${i}.${j}`).join(' ')}\r\n`).join('')}h1 OK\r\n`,
    ),
    heavy: true,
    wanted: garbledAt('capability'),
  },
  {
    name: 'answers with status lines without an end',
    at: 'select',
    does: flood('* OK more\r\n'),
    heavy: true,
    wanted: garbledAt('select'),
  },
  {
    name: 'answers with counts without an end',
    at: 'select',
    does: flood('* 1 EXISTS\r\n'),
    heavy: true,
    wanted: garbledAt('select'),
  },
  {
    name: 'answers with lists without an end',
    at: 'select',
    does: flood('* LIST () "/" a\r\n'),
    heavy: true,
    wanted: garbledAt('select'),
  },
  {
    name: 'answers with empty literals without an end',
    at: 'select',
    does: flood('{0}\r\n', '* X '),
    heavy: true,
    wanted: garbledAt('select'),
  },
  {
    name: 'sends a status line every 20 ms',
    at: 'select',
    does: drip('* OK wait\r\n'),
    wanted: { phase: 'select', kind: 'timeout' },
  },
  ...[
    ['a tag that we did not give', 'h99 OK done\r\n'],
    ['our tag in capitals', 'H2 OK done\r\n'],
    ['the tag of the command before', 'h1 OK done\r\n'],
    ['a tag without a word', 'h2\r\n'],
    ['a tag and a word of its own', 'h2 FINE done\r\n'],
    ['a count below zero', '* -1 EXISTS\r\n'],
    ['a count of eleven digits', '* 99999999999 EXISTS\r\n'],
    ['lists 100,000 deep', `* LIST ${'('.repeat(7000)}\r\n`],
    ['a list that is never closed', '* FLAGS (a b\r\n'],
    ['a list that was never opened', '* FLAGS a b)\r\n'],
    ['a quote that is never closed', '* LIST "a\r\n'],
    ['a bracket that is never closed', '* LIST a[b\r\n'],
    ['a star and nothing', '* \r\n'],
  ].map(
    ([what, line]): Turn => ({
      name: `answers with ${what}`,
      at: 'select',
      does: say(line as string),
      wanted: garbledAt('select'),
    }),
  ),
  {
    name: 'nests brackets 1,000 deep in a response code',
    at: 'select',
    says: usual => `* OK ${'['.repeat(1000)}\r\n${usual}`,
    wanted: 'answered',
  },
  { name: 'lets EXISTS go down', at: 'noop', says: '* 0 EXISTS\r\nh3 OK done\r\n', wanted: 'answered' },
  {
    name: 'expunges more messages than there are',
    at: 'noop',
    says: `${'* 1 EXPUNGE\r\n'.repeat(100)}h3 OK done\r\n`,
    wanted: 'answered',
  },
  ...['x', '-5', '0', '1.5', 'NIL', '(5)', '18446744073709551616', '0x5', ESCAPE_BYTES].map(
    (number): Turn => ({
      name: `finds message ${number === ESCAPE_BYTES ? 'terminal escapes' : number}`,
      at: 'search',
      does: say(`* SEARCH ${number}\r\nh4 OK done\r\n`),
      wanted: garbledAt('search'),
    }),
  ),
  {
    name: 'finds messages without an end, in one line',
    at: 'search',
    does: flood('7 ', '* SEARCH '),
    heavy: true,
    wanted: garbledAt('search'),
  },
  {
    name: 'finds messages without an end, in many lines',
    at: 'search',
    does: flood('* SEARCH 7 8 9\r\n'),
    heavy: true,
    wanted: garbledAt('search'),
  },
  {
    name: 'finds 100,000 messages',
    at: 'search',
    says: `* SEARCH ${Array.from({ length: 100_000 }, (_, i) => i + 1).join(' ')}\r\nh4 OK done\r\n`,
    heavy: true,
    wanted: 'answered',
  },
  {
    name: 'nests lists 100,000 deep',
    at: 'search',
    does: say(`* SEARCH ${'('.repeat(100_000)}\r\n`),
    heavy: true,
    wanted: garbledAt('search'),
  },
  {
    name: 'sends 100,000 empty lists',
    at: 'search',
    does: say(`* SEARCH ${'()'.repeat(100_000)}\r\nh4 OK\r\n`),
    heavy: true,
    wanted: garbledAt('search'),
  },
  {
    name: 'announces a literal of 4 GB and begins to send it',
    at: 'fetch',
    does: megabytes(100, 'x', '* 2 FETCH (UID 5 BODY[] {4294967295}\r\n'),
    heavy: true,
    wanted: garbledAt('fetch', '4294967295'),
  },
  {
    name: 'announces a literal of 20 digits',
    at: 'fetch',
    does: say('* 2 FETCH (UID 5 BODY[] {99999999999999999999}\r\n'),
    wanted: garbledAt('fetch'),
  },
  {
    name: 'announces a literal below zero',
    at: 'fetch',
    does: say('* 2 FETCH (UID 5 BODY[] {-1}\r\nh5 OK\r\n'),
    wanted: garbledAt('fetch'),
  },
  {
    name: 'sends a literal larger than was asked for',
    at: ['fetch', 1],
    does: say(`* 2 FETCH (UID 5 BODY[]<0> {1001}\r\n${'x'.repeat(1001)})\r\nh6 OK\r\n`),
    wanted: garbledAt('fetch', '1001'),
  },
  {
    name: 'sends header lines of more than 64 KB',
    at: 'fetch',
    does: say(`* 2 FETCH (UID 5 BODY[HEADER.FIELDS (A)] {70000}\r\n${'x'.repeat(70_000)})\r\nh5 OK\r\n`),
    wanted: garbledAt('fetch', '70000'),
  },
  {
    name: 'sends less than the literal that it announces, and waits',
    at: ['fetch', 1],
    does: say('* 2 FETCH (UID 5 BODY[]<0> {40}\r\nbody)\r\nh6 OK\r\n'),
    wanted: { phase: 'fetch', kind: 'timeout' },
  },
  {
    name: 'sends less than the literal that it announces, and ends',
    at: ['fetch', 1],
    does: sayAndEnd('* 2 FETCH (UID 5 BODY[]<0> {40}\r\nbody)\r\n'),
    wanted: { phase: 'fetch', kind: 'dropped', atOnce: true },
  },
  {
    name: 'sends more than the literal that it announces',
    at: ['fetch', 1],
    does: say('* 2 FETCH (UID 5 BODY[]<0> {2}\r\nbody)\r\nh6 OK done\r\n'),
    wanted: garbledAt('fetch'),
  },
  {
    name: 'sends another message than was asked for',
    at: ['fetch', 1],
    does: say('* 2 FETCH (UID 6 BODY[]<0> {4}\r\nbody)\r\nh6 OK done\r\n'),
    wanted: { phase: 'fetch', kind: 'missing', atOnce: true },
  },
  {
    name: 'sends a message without its number',
    at: ['fetch', 1],
    does: say('* 2 FETCH (BODY[]<0> {4}\r\nbody)\r\nh6 OK done\r\n'),
    wanted: { phase: 'fetch', kind: 'missing', atOnce: true },
  },
  {
    name: 'sends no message',
    at: ['fetch', 1],
    does: say('* 2 FETCH (UID 5 BODY[]<0> NIL)\r\nh6 OK done\r\n'),
    wanted: { phase: 'fetch', kind: 'missing', atOnce: true },
  },
  {
    name: 'sends messages without an end',
    at: 'fetch',
    does: flood(`* 2 FETCH (${ITEMS})\r\n`),
    heavy: true,
    wanted: garbledAt('fetch'),
  },
  {
    name: 'sends dates, sizes and flags that are none',
    at: 'fetch',
    says: `* 2 FETCH (INTERNALDATE "${ESCAPE_BYTES}" RFC822.SIZE -7 FLAGS (${ESCAPE_BYTES.replaceAll(/[\s()[\]"]/g, '')}) ${ITEMS})\r\nh5 OK done\r\n`,
    wanted: 'answered',
  },
  {
    name: 'sends header lines that are none',
    at: 'fetch',
    says: '* 2 FETCH (UID 5 BODY[HEADER.FIELDS (A)] {12}\r\n\x00\xff:\r\r: :\n\n\n\n)\r\nh5 OK done\r\n',
    wanted: 'answered',
  },
  {
    name: 'tells of things during IDLE without an end',
    at: 'idle',
    does: flood('* OK still here\r\n', '+ idling\r\n'),
    heavy: true,
    wanted: garbledAt('idle'),
  },
  { name: 'continues IDLE again and again', at: 'idle', does: say('+ idling\r\n+ idling\r\n'), wanted: garbledAt('idle') },
  {
    name: 'stops in the middle of a line during IDLE',
    at: 'idle',
    does: say('+ idling\r\n* 5 EX'),
    wanted: { phase: 'idle', kind: 'timeout' },
  },
  { name: 'floods before it continues IDLE', at: 'idle', does: flood('* OK wait\r\n'), heavy: true, wanted: garbledAt('idle') },
  { name: 'never ends IDLE', at: ['idle', 1], does: drip('* OK still here\r\n'), wanted: { phase: 'idle', kind: 'timeout' } },
];

/** A server that leaves out UIDNEXT and gives nonsense when it is asked. */
const nextless = (words: string, name: string, wanted: Wanted): Case => ({
  name,
  client: { protocol: 'imap', security: 'plain' },
  deadlineMs: deadlineOf(wanted),
  start: () =>
    startPeer([
      ...stepsOf('imap', 'plain').slice(0, 2),
      { phase: 'select', hear: /SELECT/, say: '* 1 EXISTS\r\nh2 OK done\r\n' },
      { phase: 'select', hear: /UID FETCH/, say: words },
    ]),
  wanted,
});

export const IMAP: readonly Case[] = [
  ...everyDoor('imap'),
  ...everyPhase(MANNERS),
  ...everyTls(MANNERS),
  ...TURNS.map(turn => textCase('imap', turn)),
  nextless('* 1 FETCH (UID abc)\r\nh3 OK\r\n', 'gives a UID that is no number', garbledAt('select')),
  nextless('* 1 FETCH (UID NIL)\r\nh3 OK\r\n', 'gives a UID that is NIL', garbledAt('select')),
  nextless('* 1 FETCH ((UID) 5)\r\nh3 OK\r\n', 'gives a list for a name', garbledAt('select')),
];
