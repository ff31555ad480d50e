// Hostile mail filters.

import { createServer, type Socket } from 'node:net';
import { type Case, deadlineOf, type HostilePeer, type Wanted } from './case.ts';
import { everyDoor } from './every-phase.ts';
import { ESCAPES, flood, rst } from './mischief.ts';

const packet = (letter: string, data: Buffer) => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(data.length + 1, 0);
  head.write(letter, 4, 'latin1');
  return Buffer.concat([head, data]);
};
const options = (version: number) => {
  const data = Buffer.alloc(12);
  data.writeUInt32BE(version, 0);
  return packet('O', data);
};
const length = (bytes: number) => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes, 0);
  return head;
};

const bad = (kind: 'garbled' | 'dropped' | 'timeout'): Wanted => ({
  phase: 'negotiate',
  kind,
  ...(kind === 'timeout' ? {} : { atOnce: true }),
});

const WAYS: readonly (readonly [string, (socket: Socket) => void, Wanted, boolean?])[] = [
  ['stalls', () => {}, bad('timeout')],
  ['ends', socket => socket.end(), bad('dropped')],
  ['resets', socket => rst(socket, socket), bad('dropped')],
  ['ends in the middle of its answer', socket => socket.end(options(6).subarray(0, 9)), bad('dropped')],
  ['stalls in the middle of its answer', socket => socket.write(options(6).subarray(0, 9)), bad('timeout')],
  [
    'sends its answer a byte every 40 ms',
    socket => {
      const bytes = [...options(6)];
      const timer = setInterval(() => socket.write(Buffer.of(bytes.shift() ?? 0)), 40);
      socket.once('close', () => clearInterval(timer));
    },
    bad('timeout'),
  ],
  [
    'sends its answer a byte at a time',
    socket =>
      void [...options(6)].reduce(
        (before, byte) =>
          before.then(
            () =>
              new Promise(done => {
                socket.write(Buffer.of(byte));
                setImmediate(done);
              }),
          ),
        Promise.resolve(),
      ),
    'answered',
  ],
  ['announces 4 GB', socket => socket.write(length(0xffffffff)), bad('garbled')],
  ['announces nothing', socket => socket.write(length(0)), bad('garbled')],
  ['announces too little', socket => socket.write(length(12)), bad('garbled')],
  ['announces 4,097 bytes', socket => socket.write(length(4097)), bad('garbled')],
  ['floods', socket => flood('x')(socket, socket), bad('garbled'), true],
  ['floods with zeros', socket => flood('\0')(socket, socket), bad('garbled'), true],
  ['talks SMTP', socket => socket.write('220 peer.test ESMTP\r\n'), bad('garbled')],
  ['sends terminal escapes', socket => socket.write(ESCAPES), bad('garbled')],
  ['answers with another packet', socket => socket.write(packet('t', Buffer.alloc(12))), bad('garbled')],
  ['speaks version 1', socket => socket.write(options(1)), bad('garbled')],
  ['speaks version 7', socket => socket.write(options(7)), bad('garbled')],
  ['speaks version 4,294,967,295', socket => socket.write(options(0xffffffff)), bad('garbled')],
  ['speaks version 2', socket => socket.write(options(2)), 'answered'],
  ['goes on talking', socket => socket.write(Buffer.concat([options(6), options(6), Buffer.from(ESCAPES)])), 'answered'],
];

async function start(does: (socket: Socket) => void): Promise<HostilePeer> {
  const sockets = new Set<Socket>();
  const heard: string[] = [];
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.setNoDelay(true);
    socket.on('data', bytes => heard.push(bytes.toString('latin1')));
    socket.once('data', () => does(socket));
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

export const MILTER: readonly Case[] = [
  ...everyDoor('milter'),
  ...WAYS.map(
    ([name, does, wanted, heavy]): Case => ({
      name,
      client: { protocol: 'milter', security: 'plain' },
      deadlineMs: heavy === true ? 3000 : deadlineOf(wanted),
      start: () => start(does),
      wanted,
      ...(heavy === undefined ? {} : { heavy }),
    }),
  ),
];
