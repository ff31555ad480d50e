// A raw client for line protocols, for looking at doors as they are: no retries, no cleverness, every byte as it came. Used to
// wait for doors, to see that a fault is in force, and by the lab's tests.

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { LabError } from './run.ts';

export interface WireOptions {
  readonly host: string;
  readonly port: number;
  /** File with the authority to trust; absent: whatever certificate is shown is taken. */
  readonly ca?: string;
  /** The name that the certificate must bear. */
  readonly servername?: string;
  /** For each answer; 8 s when absent. */
  readonly limitMs?: number;
}

/** One connection. Every wait ends: with the answer, or with an error that says what was seen. */
export class Wire implements AsyncDisposable {
  readonly #options: WireOptions;
  #socket: Socket;
  #text = '';
  #end: string | undefined;
  #wake: () => void = () => {};

  private constructor(options: WireOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    this.#listen(socket);
  }

  /** @throws {LabError} `connect: ECONNREFUSED` and the like, or a TLS error. */
  static async open(options: WireOptions, wrapped = false): Promise<Wire> {
    const plain = connect({ host: options.host, port: options.port });
    await settled(plain, 'connect', 'connect', options.limitMs ?? 8000);
    return wrapped ? new Wire(options, await secured(plain, options)) : new Wire(options, plain);
  }

  async startTls(): Promise<void> {
    this.#socket.removeAllListeners();
    this.#socket = await secured(this.#socket, this.#options);
    this.#listen(this.#socket);
  }

  send(line: string): void {
    this.#socket.write(`${line}\r\n`);
  }

  /** Text up to and with the first match; what follows is kept for the next. `timeout` and `end` tell in their words what came. */
  async expect(pattern: RegExp): Promise<string> {
    const end = Date.now() + (this.#options.limitMs ?? 8000);
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) {
        const seen = this.#text.slice(0, match.index + match[0].length);
        this.#text = this.#text.slice(seen.length);
        return seen;
      }
      if (this.#end !== undefined) throw new LabError(`${this.#end} after ${JSON.stringify(this.#text)}`);
      const left = end - Date.now();
      if (left <= 0) throw new LabError(`timeout after ${JSON.stringify(this.#text)}`);
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** A whole SMTP or LMTP reply, all its lines. */
  reply(): Promise<string> {
    return this.expect(/^(?:\d{3}-.*\r?\n)*\d{3}(?: .*)?\r?\n/);
  }

  /** One line. */
  line(): Promise<string> {
    return this.expect(/^.*\r?\n/);
  }

  async ask(line: string): Promise<string> {
    this.send(line);
    return this.reply();
  }

  close(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      this.#wake();
    });
    const over = (how: string) => {
      this.#end ??= how;
      this.#wake();
    };
    socket.on('end', () => over('end')).on('error', (error: NodeJS.ErrnoException) => over(error.code ?? error.message));
    socket.on('close', () => over('end'));
  }
}

async function secured(plain: Socket, options: WireOptions): Promise<Socket> {
  const trust = options.ca === undefined ? { rejectUnauthorized: false } : { ca: readFileSync(options.ca) };
  const socket = connectTls({ socket: plain, servername: options.servername ?? '', ...trust });
  await settled(socket, 'secureConnect', 'tls', options.limitMs ?? 8000);
  return socket;
}

function settled(socket: Socket, event: string, doing: string, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new LabError(`${doing}: ${why}`));
    };
    const timer = setTimeout(() => fail('timeout'), limitMs);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.removeAllListeners('error').removeAllListeners('close');
      resolve();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once('close', () => fail('end'));
  });
}
