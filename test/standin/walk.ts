// A client that takes one door phase by phase with nothing but sockets, and says where and how it ended. It is patient, but in the
// phase in which it expects to wait in vain.

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint, Login } from '../../lib/model/endpoint.ts';

export interface Ended {
  readonly phase: string;
  readonly how: 'done' | 'refused' | 'reset' | 'eof' | 'timeout' | 'tls' | 'rejected';
  /** The last thing heard. */
  readonly said: string;
}

class Stop extends Error {
  readonly how: Ended['how'];
  constructor(how: Ended['how']) {
    super(how);
    this.how = how;
  }
}

/** A socket that is read by lines; errors and waits become Stop. */
export class Talk {
  said = '';
  #socket: Socket;
  #text = '';
  #trouble: Ended['how'] | undefined;
  #wake: () => void = () => {};
  limitMs: number;

  constructor(socket: Socket, limitMs = 5000) {
    this.limitMs = limitMs;
    this.#socket = socket;
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    const end = (how: Ended['how']) => {
      this.#trouble ??= how;
      this.#wake();
    };
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#text += text;
      this.#wake();
    });
    socket.on('end', () => end('eof'));
    socket.on('close', () => end('eof'));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'refused' : error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : 'tls'),
    );
  }

  async wait(until: () => boolean): Promise<void> {
    const limit = performance.now() + this.limitMs;
    while (!until()) {
      if (this.#trouble !== undefined) throw new Stop(this.#trouble);
      const left = limit - performance.now();
      if (left <= 0) throw new Stop('timeout');
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async connected(): Promise<void> {
    let is = false;
    this.#socket.once('connect', () => {
      is = true;
      this.#wake();
    });
    await this.wait(() => is);
  }

  async line(): Promise<string> {
    await this.wait(() => this.#text.includes('\n'));
    const end = this.#text.indexOf('\n') + 1;
    this.said = this.#text.slice(0, end).trimEnd();
    this.#text = this.#text.slice(end);
    return this.said;
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  async secure(endpoint: Endpoint): Promise<void> {
    let is = false;
    this.#socket.removeAllListeners();
    const { ca } = endpoint.trust;
    const socket = connectTls(
      { socket: this.#socket, servername: endpoint.servername ?? '', ...(ca === undefined ? {} : { ca }) },
      () => {
        is = true;
        this.#wake();
      },
    );
    this.#socket = socket;
    this.#listen(socket);
    await this.wait(() => is);
  }

  end(): void {
    this.#socket.destroy();
  }
}

interface Step {
  readonly phase: string;
  /** What to send; absent: only listen. `tls` shakes hands. */
  readonly send?: string;
  readonly act?: 'tls' | 'connect';
  /** The last line of the answer. */
  readonly last: RegExp;
  /** What that line must match. */
  readonly good: RegExp;
}

const smtp = (phase: string, send: string | undefined, good = /^2/): Step => ({
  phase,
  last: /^\d{3}(?: |$)/,
  good,
  ...(send === undefined ? {} : { send }),
});
const pop = (phase: string, send: string | undefined, last = /^[+-]/): Step => ({
  phase,
  last,
  good: /^(\+|\.)/,
  ...(send === undefined ? {} : { send }),
});
const imap = (phase: string, send: string | undefined): Step => ({
  phase,
  last: send === undefined ? /^/ : /^(a |\* BYE (?!Logging out))/,
  good: send === undefined ? /^\* OK/ : /^a OK/,
  ...(send === undefined ? {} : { send: `a ${send}` }),
});
const TLS: Step = { phase: 'tls', act: 'tls', last: /^/, good: /^/ };

async function steps(
  endpoint: Endpoint,
  login: Login | undefined,
  message: { from: string; to: string; raw: string },
): Promise<Step[]> {
  const secret = (await login?.secret()) ?? '';
  const start: Step[] = [
    { phase: 'connect', act: 'connect', last: /^/, good: /^/ },
    ...(endpoint.security === 'tls' ? [TLS] : []),
  ];
  const starttls = endpoint.security === 'starttls';
  switch (endpoint.protocol) {
    case 'smtp':
    case 'lmtp': {
      const hello = endpoint.protocol === 'smtp' ? 'EHLO me.test' : 'LHLO me.test';
      const plain = Buffer.from(`\0${login?.user}\0${secret}`).toString('base64');
      return [
        ...start,
        smtp('banner', undefined),
        smtp('ehlo', hello),
        ...(starttls ? [smtp('starttls', 'STARTTLS'), TLS, smtp('ehlo', hello)] : []),
        ...(login === undefined ? [] : [smtp('auth', `AUTH PLAIN ${plain}`)]),
        smtp('mail', `MAIL FROM:<${message.from}>`),
        smtp('rcpt', `RCPT TO:<${message.to}>`),
        smtp('data', 'DATA', /^354/),
        smtp('final', `${message.raw}.`),
        smtp('quit', 'QUIT'),
      ];
    }
    case 'pop3':
      return [
        ...start,
        pop('banner', undefined),
        pop('capability', 'CAPA', /^(\.|-)/),
        ...(starttls ? [pop('starttls', 'STLS'), TLS] : []),
        pop('user', `USER ${login?.user}`),
        pop('auth', `PASS ${secret}`),
        pop('list', 'UIDL', /^(\.$|-)/),
        pop('quit', 'QUIT'),
      ];
    default:
      return [
        ...start,
        imap('banner', undefined),
        imap('capability', 'CAPABILITY'),
        ...(starttls ? [imap('starttls', 'STARTTLS'), TLS] : []),
        imap('auth', `LOGIN "${login?.user}" "${secret}"`),
        imap('select', 'SELECT INBOX'),
        imap('search', 'UID SEARCH ALL'),
        imap('quit', 'LOGOUT'),
      ];
  }
}

/** Goes through the whole dialog of an endpoint; `login` in place of the endpoint's own, `stalls` the phases where patience is short. */
export async function walk(
  endpoint: Endpoint | undefined,
  options: { login?: Login; limitMs?: number; stalls?: string; from?: string; to?: string; raw?: string; until?: string } = {},
): Promise<Ended> {
  if (endpoint === undefined) throw new Error('no such endpoint');
  const {
    login = endpoint.login,
    limitMs = 1000,
    from = 'sender@standin.test',
    to = 'ims1@standin.test',
    raw = 'Subject: walk\r\n\r\nhello\r\n',
  } = options;
  const talk = new Talk(connect({ port: endpoint.port, host: endpoint.host, noDelay: true }), limitMs);
  let phase = 'connect';
  try {
    for (const step of await steps(endpoint, login, { from, to, raw })) {
      phase = step.phase;
      talk.limitMs = options.stalls?.split(' ').includes(phase) ? 100 : limitMs;
      if (step.act === 'connect') await talk.connected();
      else if (step.act === 'tls') await talk.secure(endpoint);
      else {
        if (step.send !== undefined) talk.send(`${step.send}\r\n`);
        while (!step.last.test(await talk.line())) {}
        if (!step.good.test(talk.said)) return { phase, how: 'rejected', said: talk.said };
      }
      if (phase === options.until) break;
    }
    return { phase, how: 'done', said: talk.said };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { phase, how: error.how, said: talk.said };
  } finally {
    talk.end();
  }
}
