// Reading about a message where there is only POP3: bounces in the sender's maildrop. Untimed, as look.ts is, and by another client
// than the one that travels: node-pop3.
//
// It is guarded as it must be (0.11.0). Replies that come in pieces are put together before it sees them, since it takes a piece for
// a reply; every wait ends at the deadline or when the connection does, since it waits for ever after a stall; it always has a
// listener for its errors, since a -ERR greeting ends the process otherwise; it is logged in by commands, never by its own log-in,
// and never given a line end. STLS, which it does not know, is done here on its socket.

import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import Pop3 from 'node-pop3';
import type { Dialog, DialogRecord, Fault, PhaseName } from '../model/dialog.ts';
import { type Endpoint, LocalProblem } from '../model/endpoint.ts';
import { printable } from '../model/printable.ts';
import type { Terms } from './line.ts';
import { Unread } from './unread.ts';

const NEWEST = 30;
const TOP_LINES = 120;
const MOST_BYTES = 1024 * 1024;
const CRLF = Buffer.from('\r\n');
const MULTI_LINE: ReadonlySet<string> = new Set(['UIDL', 'LIST', 'RETR', 'TOP', 'CAPA']);

/** Of the newest messages, the first lines of those that have this text in them. */
export async function readAboutByPop3(endpoint: Endpoint, text: string, terms: Terms): Promise<Dialog<readonly Buffer[]>> {
  const beganMs = terms.clock();
  let phase: PhaseName = 'secret';
  const client = new GuardedPop3(endpoint, terms);
  const record = (): DialogRecord => {
    const { component, protocol, host, port, security } = endpoint;
    return {
      component,
      protocol,
      host,
      port,
      security,
      beganMs,
      tookMs: Math.max(0, terms.clock() - beganMs),
      phases: [],
      facts: {},
      transcript: [],
    };
  };
  try {
    const { login } = endpoint;
    if (login === undefined) throw new LocalProblem('Cannot look into a maildrop without a log-in');
    const secret = await login.secret();
    phase = 'connect';
    await client.connect();
    if (endpoint.security === 'starttls') {
      phase = 'starttls';
      await client.startTls();
    }
    phase = 'auth';
    await client.ask('USER', login.user);
    await client.ask('PASS', secret);
    phase = 'list';
    const numbers = (await client.body('UIDL'))
      .toString('latin1')
      .split(/\r?\n/)
      .map(line => Number(line.split(' ')[0]))
      .filter(n => n > 0);
    phase = 'top';
    const found: Buffer[] = [];
    for (const number of numbers.slice(-NEWEST)) {
      const top = await client.body('TOP', String(number), String(TOP_LINES));
      if (top.includes(text)) found.push(top);
    }
    phase = 'quit';
    await client.ask('QUIT').catch(() => {});
    return { ...record(), outcome: 'answered', value: found };
  } catch (error) {
    if (terms.signal.aborted) return { ...record(), outcome: 'cut' };
    return { ...record(), outcome: 'failed', fault: faultOf(endpoint, phase, error) };
  } finally {
    client.end();
  }
}

class GuardedPop3 extends Pop3 {
  readonly #endpoint: Endpoint;
  readonly #terms: Terms;
  readonly #deadlineAt: number;
  /** node-pop3's own reader, which is given whole replies. */
  #reader: ((bytes: Buffer) => void) | undefined;
  readonly #pending = new Unread();
  /** A reply of many lines that is under way, as it came and without its dots. */
  #whole: Unread | undefined;
  #body = new Unread();
  #greeted = false;
  #received = 0;
  #multiLine = false;
  #lastBody: Buffer = Buffer.alloc(0);
  #stopped: Error | undefined;
  #stop: ((error: Error) => void) | undefined;

  constructor(endpoint: Endpoint, terms: Terms) {
    const { host, port, security, servername, trust } = endpoint;
    super({
      user: '',
      password: '',
      host,
      port,
      tls: security === 'tls',
      servername: servername ?? host,
      tlsOptions: { rejectUnauthorized: trust.verify, ...(trust.ca === undefined ? {} : { ca: trust.ca }) },
    });
    this.#endpoint = endpoint;
    this.#terms = terms;
    this.#deadlineAt = terms.clock() + terms.deadlineMs;
    this.setMaxListeners(0);
    this.on('error', () => {});
  }

  override connect(): Promise<void> {
    const connected = super.connect();
    const socket = this._socket as Socket;
    const [reader] = socket.listeners('data') as ((bytes: Buffer) => void)[];
    if (reader === undefined) throw new Error('node-pop3 has changed: it reads its socket in another way');
    this.#reader = reader;
    socket.removeAllListeners('data');
    this.#listen(socket);
    return this.#bounded(connected);
  }

  async startTls(): Promise<void> {
    await this.ask('STLS');
    if (this.#pending.length > 0) throw new Garbled('sent something in clear behind its consent to TLS');
    const plain = this._socket as Socket;
    plain.removeAllListeners('data');
    const { host, servername, trust } = this.#endpoint;
    const name = servername ?? host;
    const socket = connectTls({
      socket: plain,
      host: name,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      rejectUnauthorized: trust.verify,
      ...(trust.ca === undefined ? {} : { ca: trust.ca }),
    });
    this._socket = socket;
    await this.#bounded(new Promise<void>(resolve => socket.once('secureConnect', resolve)), socket);
    this.#listen(socket);
  }

  /** A command with a one-line answer. */
  async ask(...words: string[]): Promise<string> {
    if (words.some(word => /[\r\n\0]/.test(word))) throw new LocalProblem('Cannot send a line end or NUL inside a POP3 command');
    this.#multiLine = MULTI_LINE.has(words[0] as string) && (words[0] !== 'UIDL' || words.length === 1);
    const [info] = await this.#bounded(super.command(...words));
    return info;
  }

  /** A command with a body: its bytes, dot-stuffing undone. */
  async body(...words: string[]): Promise<Buffer> {
    await this.ask(...words);
    return this.#lastBody;
  }

  end(): void {
    (this._socket as Socket | null)?.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.once('close', () => this.#over(new Error('closed the connection')));
    socket.on('error', error => this.#over(error));
  }

  /** Hands over each reply when it is whole. */
  #take(bytes: Buffer): void {
    this.#received += bytes.length;
    if (this.#received > MOST_BYTES) {
      this.#over(new Garbled(`sent a second client more than ${MOST_BYTES} bytes`));
      return;
    }
    this.#pending.add(bytes);
    this.#pending.eachLine((store, from, to) => {
      if (this.#whole === undefined) this.#status(store.subarray(from, to));
      else this.#bodyLine(this.#whole, store, from, to);
      return this.#stopped === undefined;
    });
  }

  #status(line: Buffer): void {
    const positive = /^\+OK\b/i.test(line.toString('latin1', 0, 4));
    if (!positive && !/^(-ERR|\+ ?\r?\n)/i.test(line.toString('latin1', 0, 4))) {
      this.#over(new Garbled(`sent a second client what is no POP3 reply: ${printable(line.toString('latin1'), 80)}`));
      return;
    }
    const isGreeting = !this.#greeted;
    this.#greeted = true;
    const words = line.toString('latin1').trimEnd();
    if (isGreeting && !positive) this.#over(new Refused(words));
    else if (positive && this.#multiLine) {
      this.#whole = new Unread();
      this.#body = new Unread();
      this.#whole.add(Buffer.from(`${words}\r\n`, 'latin1'));
    } else this.#reader?.(Buffer.from(`${words}\r\n`, 'latin1'));
  }

  /** Up to a lone dot; line ends become CRLF, which node-pop3 looks for. */
  #bodyLine(whole: Unread, store: Buffer, from: number, to: number): void {
    const end = to - from > 1 && store[to - 2] === 0x0d ? to - 2 : to - 1;
    whole.add(store.subarray(from, end));
    whole.add(CRLF);
    const dot = store[from] === 0x2e;
    if (!dot || end - from > 1) {
      this.#body.add(store.subarray(dot ? from + 1 : from, end));
      this.#body.add(CRLF);
      return;
    }
    this.#whole = undefined;
    this.#multiLine = false;
    this.#lastBody = this.#body.take(this.#body.length);
    this.#reader?.(whole.take(whole.length));
  }

  #over(error: Error): void {
    this.#stopped ??= error;
    this.end();
    this.#stop?.(this.#stopped);
  }

  /** Settles with the work, at the deadline, when told to stop, or when the connection ends: whichever comes first. */
  #bounded<T>(work: Promise<T>, socket?: Socket): Promise<T> {
    work.catch(() => {});
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise<T>((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#terms.signal.removeEventListener('abort', cut);
        this.#stop = undefined;
      };
      const fail = (error: Error) => {
        settle();
        reject(error);
      };
      const timer = setTimeout(
        () => this.#over(new Deadline('did not answer a second client in time')),
        Math.max(0, this.#deadlineAt - this.#terms.clock()),
      );
      const cut = () => this.#over(new Error('told to stop'));
      this.#terms.signal.addEventListener('abort', cut, { once: true });
      this.#stop = fail;
      socket?.once('error', fail);
      work.then(
        value => {
          settle();
          resolve(value);
        },
        // A refusal wins over the close that may follow it.
        fail,
      );
    });
  }
}

class Deadline extends Error {}
class Garbled extends Error {}
class Refused extends Error {}

function faultOf(endpoint: Endpoint, phase: PhaseName, error: unknown): Fault {
  const { component, protocol } = endpoint;
  const words = printable(error instanceof Error ? error.message : String(error), 200);
  if (error instanceof LocalProblem)
    return { component: 'monitor', protocol: 'local', phase, kind: 'local', text: words, lasting: 'unknown' };
  const refused = error instanceof Refused || (error instanceof Error && 'command' in error);
  const kind = error instanceof Deadline ? 'timeout' : refused ? 'rejected' : error instanceof Garbled ? 'garbled' : 'dropped';
  return {
    component,
    protocol,
    phase,
    kind,
    text: refused ? `refused a second client: ${words.replace(/^(-ERR ?)?/, '-ERR ')}` : words,
    lasting: 'unknown',
  };
}
