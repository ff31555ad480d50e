// Hostile IMAP servers against the second opinion: imapflow, as look.ts guards it. Its commands are its own, so the server answers
// whatever is asked, and goes wrong at one command.

import { createServer, type Socket } from 'node:net';
import type { PhaseName } from '../../lib/model/dialog.ts';
import type { Mischief } from '../dialog/peer.ts';
import type { Case, HostilePeer, Wanted } from './case.ts';
import { drip, ESCAPE_BYTES, fin, flood, megabytes, rst, say, silence } from './mischief.ts';

const ANSWERS: Readonly<Record<string, string>> = {
  CAPABILITY: '* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS\r\n',
  LIST: '* LIST () "/" INBOX\r\n',
  EXAMINE: '* 1 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 6] n\r\n',
  'UID SEARCH': '* SEARCH 5\r\n',
  'UID FETCH': '* 1 FETCH (UID 5 BODY[]<0> {6}\r\nwanted)\r\n',
};

/** Goes wrong at the greeting, or in place of the answer to a command; `flaw` is given its tag. */
async function start(at: string, flaw: (tag: string) => Mischief): Promise<HostilePeer> {
  const sockets = new Set<Socket>();
  const heard: string[] = [];
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (at === 'greeting') return flaw('*')(socket, socket);
    socket.write('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS] ready\r\n');
    let rest = '';
    let over = false;
    socket.on('data', bytes => {
      const lines = (rest + bytes.toString('latin1')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        heard.push(line);
        const [, tag = '', command = ''] = /^(\S+) (UID \S+|\S+)/.exec(line) ?? [];
        if (over) continue;
        over = command.toUpperCase() === at;
        if (over) flaw(tag)(socket, socket);
        else socket.write(`${ANSWERS[command.toUpperCase()] ?? ''}${tag} OK done\r\n`);
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    heard,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

const PLACES: readonly (readonly [string, PhaseName])[] = [
  ['greeting', 'auth'],
  ['AUTHENTICATE', 'auth'],
  ['EXAMINE', 'select'],
  ['UID SEARCH', 'search'],
  ['UID FETCH', 'fetch'],
];

type Kinds = Exclude<Wanted, 'answered'>['kind'];

// After a refusal imapflow may ask on, and our server has said its last word.
const WAYS: readonly (readonly [string, (tag: string) => Mischief, Kinds, boolean?])[] = [
  ['stalls', () => silence, 'timeout'],
  ['ends', () => fin, 'dropped'],
  ['resets', () => rst, 'dropped'],
  ['sends a byte every 20 ms', () => drip('x'), 'timeout'],
  [
    'refuses with terminal escapes',
    tag => say(`${tag} ${tag === '*' ? 'BYE' : 'NO'} ${ESCAPE_BYTES}\r\n`),
    ['rejected', 'dropped', 'timeout'],
  ],
  ['floods with a line', () => megabytes(100, 'x'), 'garbled', true],
  ['floods with lines', () => flood('* OK more\r\n'), 'garbled', true],
  ['announces 4 GB and sends 100 MB', () => megabytes(100, 'x', '* 1 FETCH (UID 5 BODY[]<0> {4294967295}\r\n'), 'garbled', true],
];

export const IMAP_SECOND: readonly Case[] = [
  {
    name: 'is asked by the second client, and answers',
    client: { protocol: 'imap', security: 'plain', second: true },
    deadlineMs: 3000,
    start: () => start('nothing', () => silence),
    wanted: 'answered',
  },
  ...WAYS.flatMap(([what, flaw, kind, heavy = false]) =>
    PLACES.map(
      ([at, phase]): Case => ({
        name: `${what} at ${at} (second client)`,
        client: { protocol: 'imap', security: 'plain', second: true },
        deadlineMs: heavy ? 3000 : 600,
        start: () => start(at, flaw),
        wanted: { phase, kind },
        ...(heavy ? { heavy } : {}),
      }),
    ),
  ),
];
