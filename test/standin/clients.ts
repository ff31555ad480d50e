// Independent clients for the stand-in's servers, each set up for one endpoint of the Site: nodemailer, imapflow, and for POP3
// plain sockets (node-pop3 changes the bytes: LIBRARIES.md 2.4).

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import type { Endpoint, Login } from '../../lib/model/endpoint.ts';

export async function sendMail(
  endpoint: Endpoint,
  mail: { from: string; to: string; raw: string | Buffer },
): Promise<{ response: string }> {
  const transport = createTransport({
    host: endpoint.host,
    port: endpoint.port,
    secure: endpoint.security === 'tls',
    requireTLS: endpoint.security === 'starttls',
    name: 'client.standin.test',
    tls: {
      servername: endpoint.servername ?? endpoint.host,
      ...(endpoint.trust.ca === undefined ? {} : { ca: endpoint.trust.ca }),
    },
    connectionTimeout: 3000,
    greetingTimeout: 3000,
    socketTimeout: 3000,
    ...(endpoint.login === undefined ? {} : { auth: { user: endpoint.login.user, pass: await endpoint.login.secret() } }),
  });
  try {
    return await transport.sendMail({ envelope: { from: mail.from, to: [mail.to] }, raw: mail.raw });
  } finally {
    transport.close();
  }
}

export async function openImap(endpoint: Endpoint, login: Login): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: endpoint.host,
    port: endpoint.port,
    secure: endpoint.security === 'tls',
    doSTARTTLS: endpoint.security === 'starttls',
    servername: endpoint.servername ?? endpoint.host,
    tls: endpoint.trust.ca === undefined ? {} : { ca: endpoint.trust.ca },
    auth: { user: login.user, pass: await login.secret() },
    logger: false,
    disableAutoIdle: true,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Everything in the maildrop; `remove` deletes what was read. */
export async function readPop(endpoint: Endpoint, login: Login, remove: boolean): Promise<Buffer[]> {
  const talk = await openPop(endpoint, login);
  try {
    const uidls = (await talk.multi('UIDL'))
      .toString('latin1')
      .split('\r\n')
      .filter(line => line !== '');
    const messages: Buffer[] = [];
    for (const line of uidls) {
      const number = line.split(' ')[0] ?? '';
      messages.push(await talk.multi(`RETR ${number}`));
      if (remove) await talk.single(`DELE ${number}`);
    }
    await talk.single('QUIT');
    return messages;
  } finally {
    talk.end();
  }
}

/** A POP3 session of plain sockets, logged in. */
export async function openPop(endpoint: Endpoint, login: Login): Promise<PopTalk> {
  const { ca } = endpoint.trust;
  const tls = { servername: endpoint.servername ?? endpoint.host, ...(ca === undefined ? {} : { ca }) };
  const socket =
    endpoint.security === 'tls'
      ? connectTls({ port: endpoint.port, host: endpoint.host, ...tls })
      : connect({ port: endpoint.port, host: endpoint.host });
  let talk = new PopTalk(socket);
  await talk.line();
  if (endpoint.security === 'starttls') {
    await talk.single('STLS');
    talk.release();
    talk = new PopTalk(connectTls({ socket, ...tls }));
  }
  await talk.single(`USER ${login.user}`);
  await talk.single(`PASS ${await login.secret()}`);
  return talk;
}

export class PopTalk {
  #bytes = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', chunk => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('end', end).on('error', end);
  }

  release(): void {
    this.#socket.removeAllListeners();
  }

  end(): void {
    this.#socket.destroy();
  }

  async line(): Promise<string> {
    const line = await this.#upTo('\r\n');
    return line.toString('latin1').trimEnd();
  }

  /** @throws the server's own words when it says no */
  async single(command: string): Promise<string> {
    this.#socket.write(`${command}\r\n`);
    const line = await this.line();
    if (!line.startsWith('+OK')) throw new Error(line);
    return line;
  }

  /** The content of a reply of several lines, un-stuffed, byte for byte. */
  async multi(command: string): Promise<Buffer> {
    await this.single(command);
    if (this.#bytes.length < 3) await this.#more();
    if (this.#bytes.subarray(0, 3).equals(Buffer.from('.\r\n'))) {
      this.#bytes = this.#bytes.subarray(3);
      return Buffer.alloc(0);
    }
    const content = (await this.#upTo('\r\n.\r\n')).subarray(0, -3).toString('latin1');
    return Buffer.from(content.replace(/(^|\r\n)\./g, '$1'), 'latin1');
  }

  async #upTo(mark: string): Promise<Buffer> {
    for (;;) {
      const at = this.#bytes.indexOf(mark);
      if (at >= 0) {
        const found = this.#bytes.subarray(0, at + mark.length);
        this.#bytes = this.#bytes.subarray(at + mark.length);
        return found;
      }
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new Error('connection closed');
    await new Promise<void>(resolve => {
      this.#wake = resolve;
    });
  }
}
