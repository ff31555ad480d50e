// Whatever a server says, all at once and in whatever order: a dialog ends as data, in time, with a clean record, and never throws.
//
// Its replies are good dialogs that have been damaged, and pieces of them in any order. HEALTHMON_FUZZ_RUNS sets how many each
// protocol gets; 100 when absent. A failure prints its seed and its path.

import { createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { authorityPem } from '../../lib/standin/network/certificates.ts';
import { entry, result } from '../dialog/ldap-peer.ts';
import type { Client } from './case.ts';
import { speak } from './client.ts';
import { type Grammar, inputs } from './inputs.ts';
import { ESCAPES } from './mischief.ts';
import { wholesome } from './runner.ts';
import { stepsOf } from './text-peer.ts';

const RUNS = Number(process.env.HEALTHMON_FUZZ_RUNS ?? 100);
const DEADLINE_MS = 2000;

const script = (protocol: 'smtp' | 'pop3' | 'imap' | 'lmtp') => stepsOf(protocol, 'plain').map(({ say }) => say);
const spoken = (protocol: 'smtp' | 'pop3' | 'imap' | 'lmtp', ...more: readonly string[]): Grammar => ({
  good: [Buffer.from(script(protocol).join(''), 'latin1')],
  pieces: [...script(protocol), ...more, '\r\n', '\n', '\r', ' ', '\0', ESCAPES],
});

const DIALOGS: readonly (readonly [string, Client, Grammar])[] = [
  [
    'smtp',
    { protocol: 'smtp', security: 'plain' },
    spoken('smtp', '250-', '250 ', '334 ', '421 x\r\n', '554-a\r\n554 b\r\n', '000 ', '250-AUTH LOGIN\r\n'),
  ],
  [
    'smtp with AUTH LOGIN',
    { protocol: 'smtp', security: 'plain', login: 'login' },
    spoken('smtp', '334 VXNlcm5hbWU6\r\n', '334 UGFzc3dvcmQ6\r\n', '235 ok\r\n'),
  ],
  ['lmtp', { protocol: 'lmtp', security: 'plain' }, spoken('lmtp', '250-', '452 x\r\n')],
  [
    'pop3',
    { protocol: 'pop3', security: 'plain' },
    spoken('pop3', '+OK\r\n', '-ERR x\r\n', '-ERR [IN-USE] x\r\n', '+ \r\n', '.\r\n', '..\r\n', '1 a\r\n'),
  ],
  [
    'pop3, the second client',
    { protocol: 'pop3', security: 'plain', second: true },
    {
      good: [Buffer.from('+OK\r\n+OK\r\n+OK\r\n+OK\r\n1 a\r\n.\r\n+OK\r\nx: wanted\r\n\r\n.\r\n+OK\r\n')],
      pieces: ['+OK\r\n', '-ERR x\r\n', '.\r\n', '1 a\r\n', '\r\n', '+', '-', '.', '\n', '\r', '\0'],
    },
  ],
  [
    'imap',
    { protocol: 'imap', security: 'plain' },
    spoken(
      'imap',
      '* ',
      'h1 ',
      'h2 OK\r\n',
      '(',
      ')',
      '"',
      '\\',
      '[',
      ']',
      '{3}\r\n',
      '{0}\r\n',
      '{99999999}\r\n',
      'NIL',
      '* 1 EXISTS\r\n',
      '* 1 FETCH (',
      'UID 5',
      '* BYE x\r\n',
      '+ \r\n',
      '* SEARCH ',
      '* OK [UIDVALIDITY 7]\r\n',
    ),
  ],
  [
    'ldap',
    { protocol: 'ldap', security: 'plain' },
    {
      good: [
        Buffer.concat([result(1, 0x61, 0), entry(2, `cn=${ESCAPES}`, { mail: ['a', ESCAPES] }), result(2, 0x65, 0, ESCAPES)]),
      ],
      pieces: [result(1, 0x61, 0), entry(2, 'cn=a', {}), result(2, 0x65, 32), result(0, 0x78, 52)]
        .map(each => each.toString('latin1'))
        .concat(['0', '\x00', '\x01', '\x02\x01\x01']),
    },
  ],
  [
    'milter',
    { protocol: 'milter', security: 'plain' },
    { good: [Buffer.from('0000000d4f000000060000000000000000', 'hex')], pieces: ['\0', '\0\0\0\x0d', 'O', '\0\0\0\x06', 'x'] },
  ],
];

test.for(DIALOGS)('%s: whatever is said, the dialog ends as data', { timeout: 120_000 }, async ([, client, grammar]) => {
  let words: Buffer = Buffer.alloc(0);
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.resume();
    socket.end(words);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await fc.assert(
      fc.asyncProperty(inputs(grammar), async bytes => {
        words = bytes;
        const zero = performance.now();
        const ended = await speak(client, port, authorityPem(), {
          clock: () => performance.now() - zero,
          deadlineMs: DEADLINE_MS,
          signal: new AbortController().signal,
        });
        expect(['answered', 'failed']).toContain(ended.outcome);
        expect(wholesome(ended)).toEqual([]);
        // The connection is closed behind the words: nothing is left to be waited for.
        expect(ended.outcome === 'failed' && ended.fault.kind === 'timeout').toBe(false);
      }),
      { numRuns: RUNS },
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  }
});
