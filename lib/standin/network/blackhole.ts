// A port whose kernel does not answer: connect() times out, as behind a packet filter that drops.
//
// Without root this can be had only by a listener whose queue is full: Linux then drops every further SYN. Node accepts
// whatever arrives, so the listener lives in a thread that blocks for good as soon as it listens, and two connections of our
// own fill its queue of one. The queue has been seen to be full before anybody is told that the port is silent.

import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

const LISTENER = `
const { workerData, parentPort } = require('node:worker_threads');
const server = require('node:net').createServer(socket => socket.destroy());
server.on('error', error => parentPort.postMessage(error.code ?? 'failed'));
server.listen({ port: workerData.port, host: '127.0.0.1', backlog: 1, exclusive: true }, () => {
  parentPort.postMessage('listening');
  Atomics.wait(new Int32Array(workerData.until), 0, 0);
});
`;

const FULL_AFTER_MS = 60;
const MOST_FILLERS = 16;

export interface Blackhole {
  close(): Promise<void>;
}

/** @throws when the port cannot be had, or its queue does not fill (a system that is not Linux). */
export async function digBlackhole(port: number): Promise<Blackhole> {
  const until = new SharedArrayBuffer(4);
  const worker = new Worker(LISTENER, { eval: true, workerData: { port, until } });
  worker.unref();
  const fillers: Socket[] = [];
  const close = async () => {
    for (const filler of fillers) filler.destroy();
    Atomics.store(new Int32Array(until), 0, 1);
    Atomics.notify(new Int32Array(until), 0);
    await worker.terminate();
  };
  try {
    const said = await new Promise<unknown>((resolve, reject) => {
      worker.once('message', resolve).once('error', reject);
    });
    if (said !== 'listening') throw new Error(`Cannot listen on 127.0.0.1:${port}: ${String(said)}`);
    for (;;) {
      const filler = connect({ port, host: '127.0.0.1' }).on('error', () => {});
      filler.unref();
      fillers.push(filler);
      if (!(await connects(filler))) {
        filler.destroy(); // a connection that is being made would keep the process alive
        return { close };
      }
      if (fillers.length === MOST_FILLERS) throw new Error('Cannot make a port that does not answer: its queue never fills');
    }
  } catch (error) {
    await close();
    throw error;
  }
}

function connects(socket: Socket): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(false), FULL_AFTER_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
