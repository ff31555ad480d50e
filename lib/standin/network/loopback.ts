// Listening on loopback, on a port of our own choice: below the range from which the kernel takes the ports of outgoing
// connections. A door that is closed by a fault switch must get its port back when it is mended, and a client that knocks at a
// closed port of that range may, once in a while, connect to itself.
//
// Sites of one process never share a port, not even a closed one. Other processes are kept away as far as that goes: each begins
// its search in a part of the range of its own.

import type { Server } from 'node:net';

const LOWEST = 10_240;
const HIGHEST = 32_767;
const PARTS = 16;
const PER_PART = Math.floor((HIGHEST - LOWEST + 1) / PARTS);
const TRIES = 400;

/** Ports that belong to a door of this process, open or closed. */
const ours = new Set<number>();

/**
 * Listens on 127.0.0.1 on a free port, which is then ours until `releasePort`.
 *
 * @returns the port
 * @throws when none is found
 */
export async function listenOnFreePort(server: Server): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    // The first half of the tries in our own part, the rest anywhere.
    const [from, span] =
      tried < TRIES / 2 ? [LOWEST + (process.pid % PARTS) * PER_PART, PER_PART] : [LOWEST, HIGHEST - LOWEST + 1];
    const port = from + Math.floor(Math.random() * span);
    if (ours.has(port)) continue;
    ours.add(port);
    if (await tryListening(server, port)) return port;
    ours.delete(port);
  }
  throw new Error('Cannot listen on 127.0.0.1: no free port found');
}

/** Listens again on a port that is ours. @throws when somebody else has taken it and keeps it for two seconds */
export async function listenAgain(server: Server, port: number): Promise<void> {
  for (let tried = 0; tried < 200; tried += 1) {
    if (await tryListening(server, port)) return;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error(`Cannot listen on 127.0.0.1: port ${port} is taken`);
}

export function releasePort(port: number): void {
  ours.delete(port);
}

function tryListening(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      server.off('listening', listening);
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    };
    const listening = () => {
      server.off('error', failed);
      server.unref();
      resolve(true);
    };
    server.once('error', failed).once('listening', listening);
    server.listen({ port, host: '127.0.0.1', backlog: 511, exclusive: true });
  });
}

export function stopListening(server: Server): Promise<void> {
  return new Promise(resolve => {
    if (!server.listening) resolve();
    else server.close(() => resolve());
  });
}
