// One TCP connection, read by pulling: the next line, the next n bytes, the next whole message. Used by both sides, the
// stand-in's servers and the clients inside them (an MTA that speaks LMTP, a proxy, a look-up in the directory).
//
// Promises: TCP_NODELAY always; input is buffered to a bound and the peer is held back beyond it; whatever ends the connection
// makes the read under way, and every later one, throw Gone; what was buffered before a TLS upgrade is thrown away.

import { connect, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, TLSSocket } from 'node:tls';

/** The connection is over: the peer left, or we were told to stop. */
export class Gone extends Error {
  override name = 'Gone';
}

const PAUSE_ABOVE = 1 << 20;
const LINGER_MS = 500;

export class Wire {
  /** Whether TLS is up. */
  secure = false;
  readonly #raw: Socket;
  #socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #ended = false;
  #closed = false;
  #wake: (() => void) | undefined;
  #linger: NodeJS.Timeout | undefined;
  readonly closed: Promise<void>;
  #settleClosed: () => void = () => {};

  constructor(socket: Socket) {
    this.#raw = socket;
    this.#socket = socket;
    this.closed = new Promise(resolve => {
      this.#settleClosed = resolve;
    });
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  /**
   * Connects to a port on loopback.
   *
   * @throws the socket's own error (`ECONNREFUSED`, …), or an error whose message says that it timed out.
   */
  static async dial(port: number, timeoutMs: number, signal: AbortSignal): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('Connection timed out')), timeoutMs).unref();
      const stop = () => reject(new Gone('stopped'));
      signal.addEventListener('abort', stop, { once: true });
      socket.once('connect', resolve).once('error', reject);
      socket.once('close', () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
      });
    }).catch((error: unknown) => {
      socket.on('error', () => {}).destroy();
      throw error;
    });
    return new Wire(socket);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get remotePort(): number {
    return this.#raw.remotePort ?? 0;
  }

  /** A line without its end. Throws Gone at the end of input, also in the middle of a line. */
  async readLine(): Promise<string> {
    const raw = await this.readRawLine();
    const end = raw.length - (raw[raw.length - 2] === 0x0d ? 2 : 1);
    return raw.toString('latin1', 0, end);
  }

  /** A line with its end, as it came. */
  async readRawLine(): Promise<Buffer> {
    return this.#take(await this.#find(Buffer.from('\n'), 64 * 1024));
  }

  async read(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let have = 0;
    while (have < bytes) {
      const part = await this.readSome();
      parts.push(part);
      have += part.length;
    }
    const whole = parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
    this.#putBack(whole.subarray(bytes));
    return whole.subarray(0, bytes);
  }

  /** Whatever is there, at least one byte. */
  async readSome(): Promise<Buffer> {
    while (this.#gather().length === 0) await this.#more();
    return this.#take(this.#buffer.length);
  }

  /** A message up to its final dot (RFC 5321 section 4.1.1.4), still dot-stuffed, without the dot's own line. */
  async readDotted(): Promise<Buffer> {
    // Input is searched piece by piece, each with the end of the one before, so that a long message is not copied at every read.
    const parts: Buffer[] = [Buffer.from('\r\n')];
    let tail = parts[0] ?? Buffer.alloc(0);
    for (;;) {
      const part = await this.readSome();
      const searched = Buffer.concat([tail, part]);
      const at = searched.indexOf('\r\n.\r\n');
      if (at >= 0) {
        const end = at + 5 - tail.length;
        this.#putBack(part.subarray(end));
        return Buffer.concat([...parts, part.subarray(0, end)]).subarray(2, -3);
      }
      parts.push(part);
      tail = searched.subarray(-4);
    }
  }

  /** Resolves when the bytes are on their way; throws Gone when they cannot be. */
  async write(data: string | Buffer): Promise<void> {
    if (this.#closed || !this.#socket.writable) throw new Gone('the connection is closed');
    if (this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)) return;
    await new Promise<void>(resolve => {
      const done = () => {
        this.#socket.off('drain', done);
        resolve();
      };
      this.#socket.once('drain', done);
      void this.closed.then(done);
    });
  }

  /** The server's side of a TLS handshake, on what was plain so far. */
  async secureServer(context: SecureContext): Promise<void> {
    this.#detach();
    await this.#handshake(new TLSSocket(this.#raw, { isServer: true, secureContext: context }), 'secure');
  }

  /** The client's side; any certificate will do, because what is looked at here is never the certificate. */
  async secureClient(servername: string): Promise<void> {
    this.#detach();
    await this.#handshake(connectTls({ socket: this.#raw, servername, rejectUnauthorized: false }), 'secureConnect');
  }

  /** Stops taking bytes from the peer until the next read. */
  pause(): void {
    this.#socket.pause();
  }

  /** Ends our side properly, and the whole soon after. */
  end(): void {
    if (this.#closed) return;
    this.#socket.end();
    this.#socket.resume();
    this.#socket.once('end', () => this.#socket.destroy());
    if (this.#ended) this.#socket.once('finish', () => this.#socket.destroy());
    this.#linger ??= setTimeout(() => this.destroy(), LINGER_MS).unref();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#raw.destroy();
  }

  /** RST in place of FIN. */
  reset(): void {
    this.#raw.resetAndDestroy();
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', chunk => {
      this.#pending.push(chunk);
      this.#pendingBytes += chunk.length;
      if (this.#pendingBytes + this.#buffer.length > PAUSE_ABOVE) socket.pause();
      this.#wake?.();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#wake?.();
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#onClose());
  }

  #onClose(): void {
    this.#closed = true;
    this.#ended = true;
    clearTimeout(this.#linger);
    this.#settleClosed();
    this.#wake?.();
  }

  #detach(): void {
    this.#raw.removeAllListeners('data').removeAllListeners('end');
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#buffer = Buffer.alloc(0);
  }

  async #handshake(socket: TLSSocket, done: 'secure' | 'secureConnect'): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error?: Error) =>
        reject(new Gone(`TLS handshake failed: ${error?.message ?? 'the connection was closed'}`));
      socket.once(done, resolve);
      socket.once('error', failed);
      socket.once('_tlsError', failed);
      socket.once('close', () => failed());
      void this.closed.then(() => failed());
    }).catch((error: unknown) => {
      socket.on('error', () => {}).destroy();
      this.#raw.destroy();
      throw error;
    });
    this.secure = true;
    this.#socket = socket;
    this.#listen(socket);
  }

  /** Everything unread, in one piece. */
  #gather(): Buffer {
    if (this.#pending.length > 0) {
      this.#buffer =
        this.#buffer.length === 0 && this.#pending.length === 1
          ? (this.#pending[0] ?? this.#buffer)
          : Buffer.concat([this.#buffer, ...this.#pending]);
      this.#pending = [];
      this.#pendingBytes = 0;
    }
    return this.#buffer;
  }

  #putBack(bytes: Buffer): void {
    this.#buffer = bytes;
  }

  #take(bytes: number): Buffer {
    const taken = this.#buffer.subarray(0, bytes);
    this.#buffer = this.#buffer.subarray(bytes);
    return taken;
  }

  /** Length of the input up to and with `mark`. */
  async #find(mark: Buffer, longest: number): Promise<number> {
    let from = 0;
    for (;;) {
      const at = this.#gather().indexOf(mark, from);
      if (at >= 0) return at + mark.length;
      if (this.#buffer.length > longest) throw new Gone('a line is too long');
      from = Math.max(0, this.#buffer.length - mark.length + 1);
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    if (this.#pending.length > 0) return;
    if (this.#ended) throw new Gone('the peer has closed the connection');
    this.#socket.resume();
    await new Promise<void>(resolve => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
