// Somebody at the other end: an HTTP server on loopback that keeps what it is sent and answers as it is told; and a proxy.

import {
  createServer as createPlain,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTls } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type CertificateVariant, secureContext } from '../../lib/standin/network/certificates.ts';

export interface Got {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Epoch ms at which it was whole. */
  readonly at: number;
}

export type Answer =
  | {
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly afterMs?: number;
    }
  /** Anything else that a server can do. */
  | { readonly act: (response: ServerResponse, socket: Socket) => void };

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly got: Got[];
  /** What is answered from now on; a function is asked each time. */
  answer: Answer | ((got: Got) => Answer);
  /** Connections that are open now. */
  readonly open: () => number;
  stop(): Promise<void>;
}

export interface ReceiverOptions {
  readonly tls?: CertificateVariant;
  readonly answer?: Receiver['answer'];
  readonly port?: number;
}

export const HOST = 'receiver.test';

/** Stops by itself when the test is over. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const got: Got[] = [];
  const sockets = new Set<Socket>();
  const listener: RequestListener = (request, response) => void take(request, response);
  const { tls } = options;
  const server: Server =
    tls === undefined
      ? createPlain(listener)
      : createTls({ SNICallback: (name, done) => done(null, secureContext([name], tls)), ...fallback(tls) }, listener);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listen(server, options.port);
  const receiver: Receiver = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    got,
    answer: options.answer ?? { status: 200 },
    open: () => sockets.size,
    stop: () => stop(server, sockets),
  };
  onTestFinished(() => receiver.stop());
  return receiver;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const one: Got = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      body: Buffer.concat(chunks).toString('utf8'),
      at: Date.now(),
    };
    got.push(one);
    const { answer } = receiver;
    const given = typeof answer === 'function' ? answer(one) : answer;
    if ('act' in given) {
      given.act(response, request.socket);
      return;
    }
    if (given.afterMs !== undefined) await new Promise(done => setTimeout(done, given.afterMs));
    response.writeHead(given.status, { 'Content-Type': 'text/plain', ...given.headers });
    response.end(given.body ?? 'ok');
  }
}

/** A client that names no host gets the certificate of 127.0.0.1. */
function fallback(variant: CertificateVariant) {
  return { secureContext: secureContext([HOST], variant) } as object;
}

export interface TestProxy {
  readonly port: number;
  /** Request lines and their Proxy-Authorization. */
  readonly asked: { readonly line: string; readonly authorization?: string }[];
}

/** A proxy that leads every name to 127.0.0.1. */
export async function startProxy(options: { readonly status?: number } = {}): Promise<TestProxy> {
  const asked: TestProxy['asked'] = [];
  const sockets = new Set<Socket>();
  const note = (request: IncomingMessage) => {
    const authorization = request.headers['proxy-authorization'];
    asked.push({ line: `${request.method} ${request.url}`, ...(authorization === undefined ? {} : { authorization }) });
  };
  const server = createPlain((request, response) => {
    note(request);
    response.end('through the proxy');
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    note(request);
    if (options.status !== undefined) {
      socket.end(`HTTP/1.1 ${options.status} No\r\n\r\n`);
      return;
    }
    const upstream = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on('error', () => socket.destroy());
  });
  const port = await listen(server);
  onTestFinished(() => stop(server, sockets));
  return { port, asked };
}

function listen(server: Server, port = 0): Promise<number> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, '127.0.0.1', () => done((server.address() as AddressInfo).port));
  });
}

function stop(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise(done => server.close(() => done()));
}
