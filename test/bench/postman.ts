// An MTA for measuring arrival: takes a message by SMTP and files it into a Maildir after a time that it is told, by rename, as a
// store does. It knows the instant of the rename: nobody can see the message before, everybody who asks can see it after.

import { chownSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { VMAIL } from '../lab/site.ts';

/** The message was not there before `afterMs` and was there at `byMs`; performance.now(). */
export interface Filed {
  readonly afterMs: number;
  readonly byMs: number;
}

/** Files a message into one or more Maildirs at once. */
function file(message: Buffer, maildirs: readonly string[]): Filed {
  const name = `${Math.floor(Date.now() / 1000)}.P${process.hrtime.bigint()}.bench`;
  for (const maildir of maildirs) {
    writeFileSync(join(maildir, 'tmp', name), message, { mode: 0o600 });
    chownSync(join(maildir, 'tmp', name), VMAIL, VMAIL);
  }
  const afterMs = performance.now();
  for (const maildir of maildirs) renameSync(join(maildir, 'tmp', name), join(maildir, 'new', name));
  return { afterMs, byMs: performance.now() };
}

export interface Postman {
  readonly port: number;
  /** What becomes of the next message: filed so many ms after the final dot. */
  next(delayMs: number, maildirs: readonly string[]): Promise<Filed>;
  stop(): Promise<void>;
}

export async function startPostman(): Promise<Postman> {
  let order: ((message: Buffer) => void) | undefined;
  const server: Server = createServer({ noDelay: true }, socket => converse(socket, message => order?.(message)));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    next: (delayMs, maildirs) =>
      new Promise((resolve, reject) => {
        order = message => {
          order = undefined;
          const work = () => {
            try {
              resolve(file(message, maildirs));
            } catch (error) {
              reject(error);
            }
          };
          setTimeout(work, delayMs);
        };
      }),
    stop: () => new Promise(resolve => server.close(() => resolve())),
  };
}

function converse(socket: Socket, onMessage: (message: Buffer) => void): void {
  let unread = Buffer.alloc(0);
  let inData = false;
  socket.on('error', () => {});
  socket.write('220 bench ESMTP\r\n');
  socket.on('data', bytes => {
    unread = Buffer.concat([unread, bytes]);
    for (;;) {
      const end = unread.indexOf(inData ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      const text = unread.subarray(0, end + 2);
      unread = unread.subarray(end + (inData ? 5 : 2));
      if (inData) {
        inData = false;
        socket.write('250 2.0.0 Ok: queued as BENCH\r\n');
        onMessage(Buffer.from(text.toString('latin1').replace(/^\.\./gm, '.'), 'latin1'));
        continue;
      }
      const verb = text.toString('latin1', 0, 4).toUpperCase();
      inData = verb === 'DATA';
      socket.write(verb === 'EHLO' ? '250 bench\r\n' : inData ? '354 go on\r\n' : verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      if (verb === 'QUIT') socket.end();
    }
  });
}
