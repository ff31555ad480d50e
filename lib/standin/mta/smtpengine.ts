// smtp-server as an engine: its SMTP state machine, command parser and AUTH exchanges, run over a socket that is not one.
//
// The stand-in's doors do TCP, TLS and faults; smtp-server does SMTP. Between them is a stream in memory that smtp-server takes
// for a socket. smtp-server waits 100 ms before each banner (its early-talker check), which no real MTA of a monitored site
// does; so some engines are always kept in reserve, past their banners.

import { Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { Gone } from '../network/wire.ts';

type Hooks = Required<Pick<SMTPServerOptions, 'onAuth' | 'onMailFrom' | 'onRcptTo' | 'onData'>>;

const MOST_IN_RESERVE = 16;

interface EngineRoomOptions {
  readonly hostName: string;
  readonly size: number;
  readonly hooks: Hooks;
}

/** All engines of one MTA. */
export class EngineRoom {
  readonly #server: SMTPServer;
  readonly #reserve: Engine[] = [];
  /** Grows with the demand. */
  #wanted = 2;
  #number = 0;

  constructor({ hostName, size, hooks }: EngineRoomOptions) {
    this.#server = new SMTPServer({
      name: hostName,
      banner: 'Postfix (Debian/GNU)',
      heloResponse: '%s',
      size,
      rejectOversized: true,
      authMethods: ['PLAIN', 'LOGIN', 'XOAUTH2'],
      // Whether a log-in is allowed, or needed, is for the front to say: it knows about TLS, the engine does not.
      allowInsecureAuth: true,
      authOptional: true,
      hideSTARTTLS: true,
      hideDSN: false,
      hideENHANCEDSTATUSCODES: false,
      disabledCommands: ['STARTTLS', 'XCLIENT', 'XFORWARD'],
      disableReverseLookup: true,
      logger: false,
      ...hooks,
    });
    this.#server.on('error', () => {}); // an engine's client has left: the front knows
  }

  /** Fills the reserve, in the background. */
  warmUp(): void {
    while (this.#reserve.length < this.#wanted) this.#reserve.push(this.#start());
  }

  take(): Engine {
    const engine = this.#reserve.shift() ?? this.#start();
    if (!engine.isReady) this.#wanted = Math.min(this.#wanted * 2, MOST_IN_RESERVE);
    this.warmUp();
    return engine;
  }

  stop(): void {
    for (const engine of this.#reserve.splice(0)) engine.stop();
  }

  #start(): Engine {
    this.#number += 1;
    const socket = new EngineSocket();
    // The number comes back in each hook as the session's remote port: that is how a hook knows whose engine calls it.
    this.#server.connect(socket, {
      remoteAddress: '127.0.0.1',
      remotePort: this.#number,
      localAddress: '127.0.0.1',
      localPort: 25,
    });
    return new Engine(this.#number, socket);
  }
}

/** One SMTP session of smtp-server: commands in, whole replies out. */
export class Engine {
  readonly number: number;
  readonly #socket: EngineSocket;
  #output = '';
  #wake: (() => void) | undefined;
  #over = false;
  /** The banner's reply is taken before the first command. */
  #greeted: Promise<unknown> | undefined;

  constructor(number: number, socket: EngineSocket) {
    this.number = number;
    this.#socket = socket;
    socket.onOutput = text => {
      this.#output += text;
      this.#wake?.();
    };
    socket.once('close', () => this.#end());
    socket.once('finish', () => this.#end());
  }

  get isReady(): boolean {
    return this.#output !== '' || this.#greeted !== undefined;
  }

  /** Resolves when the engine takes commands. */
  async ready(): Promise<void> {
    this.#greeted ??= this.#reply();
    await this.#greeted;
  }

  /** Sends a line and waits for its reply, which may have several lines. */
  async command(line: string): Promise<string[]> {
    await this.ready();
    this.feed(Buffer.from(`${line}\r\n`, 'latin1'));
    return this.#reply();
  }

  /** Message content after 354, dot-stuffed, with its final dot; waits for the reply. */
  async content(stuffed: Buffer): Promise<string[]> {
    this.feed(stuffed);
    this.feed(Buffer.from('.\r\n'));
    return this.#reply();
  }

  feed(bytes: Buffer): void {
    this.#socket.push(bytes);
  }

  stop(): void {
    this.#socket.destroy();
  }

  async #reply(): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const end = this.#output.indexOf('\r\n');
      if (end < 0) {
        if (this.#over) throw new Gone('the SMTP engine has ended the session');
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
        continue;
      }
      const line = this.#output.slice(0, end);
      this.#output = this.#output.slice(end + 2);
      lines.push(line);
      if (line[3] !== '-') return lines;
    }
  }

  #end(): void {
    this.#over = true;
    this.#wake?.();
  }
}

/** Looks like a connected socket to smtp-server; holds no handle and no timer. */
class EngineSocket extends Socket {
  onOutput: (text: string) => void = () => {};

  override _read(): void {}

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.onOutput(chunk.toString('latin1'));
    done();
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    for (const { chunk } of chunks) this.onOutput(chunk.toString('latin1'));
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error);
    // net.Socket leaves this event to the closing of its handle, and here is none
    process.nextTick(() => this.emit('close', error !== null));
  }

  /** The door watches over idle clients. */
  override setTimeout(): this {
    return this;
  }
}
