// One connection to one server, for the protocols that talk in lines: SMTP, LMTP, POP3, IMAP (and milter's packets).
//
// Promises: one attempt on one address; every wait ends by the deadline, whatever the peer does; memory and lines are bounded;
// each phase is stamped on the trip's monotonic clock; what was said is kept with the secrets masked; certificates are judged.
// It never asks which protocol uses it.
//
// Own code, because this is what the product is for and the libraries cannot give it: nodemailer, imapflow and node-pop3 each
// dial by themselves, try names in their own order, report a drop in any phase as a connection error, and none has one deadline
// that nothing escapes (a byte every few hundred milliseconds keeps their idle timers content).
//
// Known: getaddrinfo cannot be cancelled. A name that hangs ends our wait at the deadline, its thread comes back when the
// system's resolver gives up.

import { isUtf8 } from 'node:buffer';
import { promises as dns } from 'node:dns';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { Dialog, DialogRecord, Facts, Fault, FaultKind, Phase, PhaseName, Reply, TranscriptLine } from '../model/dialog.ts';
import { type Endpoint, LocalProblem } from '../model/endpoint.ts';
import { printable } from '../model/printable.ts';
import { certificateTrouble, tlsFacts, tlsTrouble } from './tls.ts';
import { endTrouble, nameLasting, nameTrouble, usualLasting } from './trouble.ts';
import { Unread } from './unread.ts';

/** What a dialog is given besides its endpoint. */
export interface Terms {
  /** Milliseconds since the trip began, monotonic. */
  readonly clock: () => number;
  /** For the whole operation; ms. */
  readonly deadlineMs: number;
  /** Told to stop: ends any wait at once, with outcome `cut`. */
  readonly signal: AbortSignal;
  /** The system's resolver when absent. */
  readonly lookup?: Lookup;
}

export type Lookup = (host: string, family: 4 | 6 | undefined) => Promise<readonly { address: string }[]>;

/** Sizes a peer cannot exceed. RFC 5321 and 3501 stay far below the line limit; real servers' greetings fit many times. */
export const LINE_BYTES = 8 * 1024;
export const REPLY_LINES = 200;
/** Of one operation, besides what it asks for. Fifteen thousand messages that somebody else removes meanwhile are told in less. */
const DIALOG_BYTES = 256 * 1024;
const UNREAD_BYTES = 64 * 1024;
const TRANSCRIPT_LINES = 400;
const TRANSCRIPT_TEXT = 300;
/** How long a peer is listened to that we have no more business with. */
const LEAVE_MS = 2000;

/** A fault on its way to the border of the dialog, where it becomes data. */
export class Broken extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.text);
    this.fault = fault;
  }
}

/** We were told to stop. */
class Cut extends Error {}

export class Line {
  readonly endpoint: Endpoint;
  readonly clock: () => number;
  readonly facts: Facts = {};
  #lookup: Lookup;
  #socket: Socket | TLSSocket | undefined;
  #unread = new Unread();
  #taken = 0;
  #allowance = DIALOG_BYTES;
  #end: { error?: NodeJS.ErrnoException } | undefined;
  #wake: (() => void) | undefined;
  #phase: PhaseName = 'connect';
  #phaseBeganMs = 0;
  #phases: Phase[] = [];
  #transcript: TranscriptLine[] = [];
  #masked: string[] = [];
  #deadlineAt = 0;
  #signal: AbortSignal | undefined;
  /** The timer of the operation under way wakes us at this instant; a wait that ends sooner has one of its own. */
  #wokenAt = Number.POSITIVE_INFINITY;

  constructor(endpoint: Endpoint, terms: Terms) {
    this.endpoint = endpoint;
    this.clock = terms.clock;
    this.#lookup = terms.lookup ?? systemLookup;
  }

  /**
   * Runs one operation over the connection and turns whatever happens into data. The operation has `terms.deadlineMs` from
   * now. After a fault the connection is closed; an operation on a closed connection fails as `dropped`.
   */
  async operation<T>(terms: Pick<Terms, 'deadlineMs' | 'signal'>, script: () => Promise<T>): Promise<Dialog<T>> {
    const beganMs = this.clock();
    this.#deadlineAt = beganMs + terms.deadlineMs;
    this.#signal = terms.signal;
    this.#phases = [];
    this.#transcript = [];
    this.#allowance = this.#taken + DIALOG_BYTES;
    // One timer and one listener for the whole operation: with one of each for every wait they cost more than the rest of a probe.
    const wake = () => this.#wakeUp();
    terms.signal.addEventListener('abort', wake, { once: true });
    const timer = setTimeout(
      () => {
        this.#wokenAt = Number.POSITIVE_INFINITY;
        this.#wakeUp();
      },
      Math.max(0, Math.ceil(terms.deadlineMs)),
    );
    this.#wokenAt = this.#deadlineAt;
    try {
      const value = await script();
      return { ...this.#record(beganMs), outcome: 'answered', value };
    } catch (error) {
      this.close();
      if (error instanceof Cut) return { ...this.#record(beganMs), outcome: 'cut' };
      if (error instanceof Broken) return { ...this.#record(beganMs), outcome: 'failed', fault: error.fault };
      if (error instanceof LocalProblem) {
        return { ...this.#record(beganMs), outcome: 'failed', fault: this.#faultOf('local', this.#mask(error.message)) };
      }
      throw error;
    } finally {
      clearTimeout(timer);
      terms.signal.removeEventListener('abort', wake);
    }
  }

  /** Stamps one phase. A fault inside it carries its name. */
  async phase<T>(name: PhaseName, work: () => Promise<T>): Promise<T> {
    const beganMs = this.clock();
    this.#phase = name;
    this.#phaseBeganMs = beganMs;
    try {
      return await work();
    } finally {
      this.#phases.push({ name, beganMs, tookMs: Math.max(0, this.clock() - beganMs) });
    }
  }

  /**
   * Leaves, when what was wanted has been had: good manners that change nothing, whatever the peer makes of them.
   * It takes two seconds at most, and the deadline holds as well.
   */
  async leave(work: () => Promise<unknown>): Promise<void> {
    const deadlineAt = this.#deadlineAt;
    this.#deadlineAt = Math.min(this.clock() + LEAVE_MS, deadlineAt);
    await this.phase('quit', () =>
      work().catch(error => {
        if (!(error instanceof Broken || error instanceof Cut)) throw error;
      }),
    );
    this.#deadlineAt = deadlineAt;
  }

  /** Resolves the name, connects, and does the handshake where TLS comes first. */
  async dial(): Promise<void> {
    const address = await this.#resolve();
    await this.phase('connect', () => this.#connect(address));
    if (this.endpoint.security === 'tls') await this.phase('tls', () => this.#handshake());
  }

  /** The handshake in the middle of a dialog. Bytes that came in clear behind the server's consent are an attack or a bug. */
  async upgrade(): Promise<void> {
    await this.phase('tls', async () => {
      if (this.#unread.length > 0) {
        const words = this.#peek();
        throw this.broken(
          'garbled',
          `sent ${this.#unread.length} bytes in clear behind its consent to TLS (${words}): possible injection`,
        );
      }
      await this.#handshake();
    });
  }

  /**
   * The next line without its line end; CRLF and bare LF both end one. Text that is not UTF-8 is read as Latin-1.
   *
   * @throws {Broken} `timeout`, `dropped` when the peer has closed, `garbled` when the line or the dialog grows too large
   */
  async readLine(mostBytes = LINE_BYTES): Promise<string> {
    const bytes = await this.#take(() => this.#unread.lineLength(), mostBytes);
    let end = bytes.length - 1;
    if (end > 0 && bytes[end - 1] === 0x0d) end -= 1;
    const line = text(bytes.subarray(0, end));
    this.#note('<', line);
    return line;
  }

  /** Exactly so many bytes; the caller has checked the number against what it is willing to take. */
  async readBytes(count: number): Promise<Buffer> {
    if (count === 0) return Buffer.alloc(0);
    const bytes = await this.#take(() => (this.#unread.length >= count ? count : -1), count);
    this.#note('<', `(${count} bytes)`);
    return bytes;
  }

  /**
   * One packet of a protocol that says its length first.
   *
   * @param sizeOf the packet's whole length by its first bytes (at most 8 are given), -1 while too few of them are there; it may
   *   throw a `Broken` for what is no packet at all
   * @throws {Broken} `garbled` as soon as a length above `mostBytes` is announced: such a packet is never waited for
   */
  async readPacket(sizeOf: (head: Buffer) => number, mostBytes: number): Promise<Buffer> {
    return this.#take(() => {
      const size = sizeOf(this.#unread.head(8));
      if (size > mostBytes)
        throw this.broken('garbled', `announces a packet of ${size} bytes: more than ${mostBytes} are not taken`);
      return size >= 0 && this.#unread.length >= size ? size : -1;
    }, mostBytes);
  }

  /**
   * Bytes up to and without a lone dot on a line, dot-stuffing undone; `allow` says how many may come.
   *
   * @see RFC 1939 section 3, RFC 5321 section 4.5.2
   * @throws {Broken} as `readLine`
   */
  async readDotted(): Promise<Buffer> {
    const body = new Unread();
    await this.#dotted(Number.POSITIVE_INFINITY, (bytes, from, to) => body.add(bytes.subarray(from, to)));
    return body.take(body.length);
  }

  /** The same, a line at a time and without line ends, so that a long list is never held as a whole; Latin-1. */
  async readDottedLines(take: (line: string) => void): Promise<void> {
    await this.#dotted(LINE_BYTES, (bytes, from, to) => {
      const end = to - from > 1 && bytes[to - 2] === 0x0d ? to - 2 : to - 1;
      take(bytes.toString('latin1', from, end));
    });
  }

  async #dotted(mostLine: number, take: (bytes: Buffer, from: number, to: number) => void): Promise<void> {
    const tooLong = () => this.broken('garbled', `sent a line of more than ${mostLine} bytes in a list: ${this.#peek()}`);
    let ended = false;
    const before = this.#taken;
    for (;;) {
      this.#taken += this.#unread.eachLine((bytes, from, to) => {
        const dot = bytes[from] === 0x2e;
        ended = dot && (to - from === 2 || (to - from === 3 && bytes[from + 1] === 0x0d));
        if (to - from > mostLine) throw tooLong();
        if (!ended) take(bytes, dot ? from + 1 : from, to);
        return !ended;
      });
      if (ended) break;
      if (this.#unread.length > mostLine) throw tooLong();
      await this.#more();
    }
    this.#note('<', `(${this.#taken - before} bytes)`);
  }

  /** Whether something to read is there, or comes within so many ms; the deadline holds as well. A closed peer counts as something. */
  async readable(withinMs: number): Promise<boolean> {
    const until = this.clock() + withinMs;
    while (this.#unread.length === 0 && this.#end === undefined) {
      if (this.clock() >= until) return false;
      await this.#wait(until);
    }
    return true;
  }

  /**
   * Sends one line, with CRLF. `shown` replaces it in the transcript where it bears a secret.
   *
   * @throws {Broken} as `send`
   */
  async sendLine(line: string, shown?: string): Promise<boolean> {
    // What we send is built from config and from names the operator chose: a line end inside would be a second command.
    if (/[\r\n\0]/.test(line))
      throw new LocalProblem(
        `Cannot send a line end or NUL inside a ${this.endpoint.protocol} command: ${printable(shown ?? line, 60)}`,
      );
    return this.send(Buffer.from(`${line}\r\n`), shown ?? line);
  }

  /**
   * Sends bytes and waits until the system has taken them.
   *
   * @returns whether it has. When the peer has closed it has not, but what the peer said before is still to be read: the next
   *   read gives that, or reports the end
   * @param until `answered`: an answer that comes before all is sent ends the sending too, for a peer that has had enough
   * @throws {Broken} `timeout` when the peer stops taking
   */
  async send(bytes: Buffer, shown: string, until: 'sent' | 'answered' = 'sent'): Promise<boolean> {
    this.#note('>', shown);
    const socket = this.#socket;
    if (socket === undefined || this.#end !== undefined) return false;
    let flushed: boolean | undefined;
    socket.write(bytes, error => {
      flushed = error === undefined || error === null;
      this.#wakeUp();
    });
    // Most often the system takes a line at once, and its consent only waits for the next turn of the event loop.
    if (socket.writableLength === 0 && socket.errored === null) return true;
    const heard = () => until === 'answered' && this.#unread.length > 0;
    while (flushed === undefined && this.#end === undefined && !heard()) await this.#wait();
    return flushed ?? false;
  }

  /** What a packet said, for the transcript, in the protocol's own words. */
  heard(words: string): void {
    this.#note('<', words);
  }

  /** A remark for the transcript. */
  remark(words: string): void {
    this.#note('*', words);
  }

  /** From now on these strings are masked wherever they turn up, also in what the peer sends back. */
  hide(...secrets: string[]): void {
    this.#masked.push(...secrets.filter(secret => secret.length >= 4));
  }

  /** Lets the peer send so many bytes more than it usually may: a message that we asked for. */
  allow(bytes: number): void {
    this.#allowance = this.#taken + bytes + DIALOG_BYTES;
  }

  /** A fault in the phase under way. `what` continues "smux02 pop3 (10.0.0.1:110) ...". */
  broken(kind: FaultKind, what: string, reply?: Reply, lasting?: Fault['lasting']): Broken {
    return new Broken(this.#faultOf(kind, what, reply, lasting));
  }

  get phaseUnderWay(): PhaseName {
    return this.#phase;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined && this.#end === undefined;
  }

  /** Idempotent; unread and unsent bytes are dropped. */
  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#end ??= {};
    this.#unread.clear();
  }

  async #resolve(): Promise<string> {
    const { host, path, family } = this.endpoint;
    if (path !== undefined) return path;
    if (isIP(host) !== 0) return host;
    return this.phase('resolve', async () => {
      const found = await this.#race(this.#lookup(host, family)).catch(error => {
        throw error instanceof Error && 'code' in error
          ? this.broken('name', nameTrouble(host, String(error.code)), undefined, nameLasting(error.code))
          : error;
      });
      const first = found[0];
      if (first === undefined) throw this.broken('name', nameTrouble(host, 'ENOTFOUND'), undefined, 'permanent');
      if (found.length > 1) this.facts.addresses = found.map(each => each.address);
      return first.address;
    });
  }

  async #connect(address: string): Promise<void> {
    const { port, path } = this.endpoint;
    if (path === undefined) this.facts.peerAddress = address;
    this.remark(`connect to ${path ?? `${address} port ${port}`}`);
    const socket = connectTcp(path === undefined ? { host: address, port, autoSelectFamily: false } : { path });
    socket.setNoDelay(true);
    let connected = false;
    socket.once('connect', () => {
      connected = true;
      this.#wakeUp();
    });
    this.#adopt(socket);
    while (!connected && this.#end === undefined) await this.#wait();
    if (!connected) throw this.#ended();
  }

  async #handshake(): Promise<void> {
    const plain = this.#socket;
    if (plain === undefined || this.#end !== undefined) throw this.#ended();
    const { endpoint } = this;
    const name = endpoint.servername ?? endpoint.host;
    plain.removeAllListeners();
    plain.on('error', error => this.#finish(error));
    plain.pause();
    const socket = connectTls({
      socket: plain,
      host: name,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      secureContext: contextFor(endpoint.trust.ca),
      // Judged below, before a byte of ours goes out, so that the certificate's facts are known even when it is refused.
      rejectUnauthorized: false,
    });
    let secured = false;
    socket.once('secureConnect', () => {
      secured = true;
      this.#wakeUp();
    });
    this.#adopt(socket);
    while (!secured && this.#end === undefined) await this.#wait();
    if (!secured) {
      const error = this.#endError();
      if (error === undefined || error.code === 'ECONNRESET' || error.code === 'EPIPE')
        throw this.broken('dropped', 'ended the connection in the TLS handshake');
      throw this.broken('tls', tlsTrouble(error, name));
    }
    const verify = endpoint.trust.verify;
    const trouble = certificateTrouble(socket, name);
    this.facts.tls = tlsFacts(socket, verify && trouble === undefined, Date.now());
    this.remark(
      `${this.facts.tls.version} ${this.facts.tls.cipher}, certificate of ${this.facts.tls.subject}, ${this.facts.tls.daysLeft} days left`,
    );
    if (verify && trouble !== undefined) throw this.broken('tls', trouble, undefined, 'permanent');
  }

  #adopt(socket: Socket | TLSSocket): void {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#unread.add(bytes);
      if (this.#unread.length > UNREAD_BYTES) socket.pause();
      this.#wakeUp();
    });
    socket.on('error', error => this.#finish(error));
    socket.on('end', () => this.#finish());
    socket.on('close', () => this.#finish());
  }

  #endError(): NodeJS.ErrnoException | undefined {
    return this.#end?.error;
  }

  #finish(error?: NodeJS.ErrnoException): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wakeUp();
  }

  /** Takes as many bytes as `ready` says are wanted, waiting until it says so; `most` is the largest it may become. */
  async #take(ready: () => number, most: number): Promise<Buffer> {
    for (;;) {
      const count = ready();
      if (count > most || (count < 0 && this.#unread.length > most)) {
        throw this.broken('garbled', `sent a line of more than ${most} bytes: ${this.#peek()}`);
      }
      if (count >= 0) {
        this.#taken += count;
        this.#overrun();
        return this.#unread.take(count);
      }
      await this.#more();
    }
  }

  /** Waits for bytes behind those that are there. */
  async #more(): Promise<void> {
    this.#overrun();
    if (this.#end !== undefined) throw this.#ended();
    this.#socket?.resume();
    await this.#wait();
  }

  #overrun(): void {
    if (this.#taken + this.#unread.length <= this.#allowance) return;
    throw this.broken('garbled', `sent more than ${this.#allowance} bytes without an end`);
  }

  /** Until something happens: bytes, an end, a flush, the given instant. The deadline and being told to stop end it by throwing. */
  async #wait(until = Number.POSITIVE_INFINITY): Promise<void> {
    this.#expired();
    const endsAt = Math.min(until, this.#deadlineAt);
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>(resolve => {
      this.#wake = resolve;
      if (endsAt < this.#wokenAt) timer = setTimeout(() => this.#wakeUp(), Math.max(0, Math.ceil(endsAt - this.clock())));
    });
    clearTimeout(timer);
    if (this.#unread.length === 0 && this.#end === undefined) this.#expired();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #expired(): void {
    if (this.#signal?.aborted === true) throw new Cut();
    if (this.clock() < this.#deadlineAt) return;
    const waited = `${((this.clock() - this.#phaseBeganMs) / 1000).toFixed(1)} s`;
    throw this.broken(
      'timeout',
      this.#unread.length > 0 ? `sent only ${this.#peek()} in ${waited}` : `no answer in ${waited}`,
      undefined,
      'unknown',
    );
  }

  /** Our own waits for something that is not the socket. */
  async #race<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = work.finally(() => {
      settled = true;
      this.#wakeUp();
    });
    done.catch(() => {});
    while (!settled) await this.#wait();
    return done;
  }

  /** The fault that the end of the connection means in this phase. */
  #ended(): Broken {
    const partial = this.#unread.length > 0 ? ` after ${this.#peek()}` : '';
    const socketIsTls = this.#socket !== undefined && 'encrypted' in this.#socket;
    const { kind, text, lasting } = endTrouble(this.#endError(), { connecting: this.#phase === 'connect', partial, socketIsTls });
    return this.broken(kind, text, undefined, lasting);
  }

  #faultOf(kind: FaultKind, what: string, reply?: Reply, lasting: Fault['lasting'] = usualLasting(kind)): Fault {
    const { component, protocol } = this.endpoint;
    const words = this.#mask(what);
    return {
      component: kind === 'local' ? 'monitor' : component,
      protocol: kind === 'local' ? 'local' : protocol,
      phase: this.#phase,
      kind,
      text: words,
      ...(reply === undefined ? {} : { reply: { ...reply, lines: reply.lines.map(line => this.#mask(line)) } }),
      lasting,
    };
  }

  #record(beganMs: number): DialogRecord {
    const { component, protocol, host, port, security } = this.endpoint;
    return {
      component,
      protocol,
      host,
      port,
      security,
      beganMs,
      tookMs: Math.max(0, this.clock() - beganMs),
      phases: this.#phases,
      facts: { ...this.facts },
      transcript: this.#transcript,
    };
  }

  #note(from: TranscriptLine['from'], words: string): void {
    if (this.#transcript.length >= TRANSCRIPT_LINES) return;
    const full = this.#transcript.length === TRANSCRIPT_LINES - 1;
    this.#transcript.push({
      atMs: this.clock(),
      from: full ? '*' : from,
      text: full ? 'the rest is left out' : printable(this.#mask(words), TRANSCRIPT_TEXT),
    });
  }

  #mask(words: string): string {
    let masked = words;
    for (const secret of this.#masked) masked = masked.split(secret).join('***');
    return masked;
  }

  /** The start of what the peer sent and we could not use. */
  #peek(): string {
    return `"${printable(this.#mask(text(this.#unread.head(60))), 80)}"`;
  }
}

/** By the authorities that are trusted; the text of a few of them, from the config. */
const contexts = new Map<string | undefined, SecureContext>();

/** Reading authorities takes longer than the rest of a handshake: they are read once. No session is resumed through this. */
function contextFor(ca: string | undefined): SecureContext {
  const known = contexts.get(ca);
  if (known !== undefined) return known;
  const fresh = createSecureContext(ca === undefined ? {} : { ca });
  if (contexts.size >= 16) contexts.clear();
  contexts.set(ca, fresh);
  return fresh;
}

export async function systemLookup(host: string, family: 4 | 6 | undefined): Promise<readonly { address: string }[]> {
  return dns.lookup(host, { all: true, verbatim: true, ...(family === undefined ? {} : { family }) });
}

function text(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}
