// How a monitor looks into the queues of the stand-in's MTAs: a command, as on a real host, that prints what `postqueue -j` would.
// The command is a few words of Node that ask a port of this process.

import { createServer, type Server } from 'node:net';
import { listenOnFreePort, releasePort, stopListening } from '../network/loopback.ts';
import type { Mta } from './mta.ts';

const ASK =
  "const s=require('node:net').connect(+process.argv[1],'127.0.0.1');s.end(process.argv[2]);s.pipe(process.stdout);s.on('error',e=>{console.error(e.message);process.exitCode=1})";

export class QueueDoor {
  readonly #server: Server;
  #port = 0;

  constructor(mtas: ReadonlyMap<string, Mta>) {
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, socket => {
      let name = '';
      socket.setEncoding('utf8');
      socket.on('error', () => {});
      socket.on('data', (text: string) => {
        name += text;
        if (name.length > 100) socket.destroy();
      });
      socket.on('end', () => socket.end(mtas.get(name)?.queue.queueJson() ?? ''));
      socket.unref();
    });
  }

  async open(): Promise<void> {
    this.#port = await listenOnFreePort(this.#server);
  }

  async stop(): Promise<void> {
    await stopListening(this.#server);
    releasePort(this.#port);
  }

  command(mta: string): readonly string[] {
    return [process.execPath, '-e', ASK, String(this.#port), mta];
  }
}
