// A peer that plays one side of a dialog by a script, and can be told to go wrong at any step of it.

import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Terms } from '../../lib/dialog/line.ts';
import type { Endpoint, Login, Protocol, Security } from '../../lib/model/endpoint.ts';
import { authorityPem, secureContext } from '../../lib/standin/network/certificates.ts';

/** One exchange: what is awaited (nothing: the peer speaks first) and what is answered. */
export interface Step {
  readonly phase: string;
  readonly hear?: RegExp;
  readonly say: string;
  /** IMAP: the tag of the command, where the answer does not bear it. */
  readonly tag?: string;
  /** A TLS handshake follows the answer. */
  readonly upgrade?: boolean;
}

/** What the peer does in place of its answer; `raw` is the connection below TLS. */
export type Mischief = (socket: Socket, raw: Socket) => void;

export interface Peer {
  readonly port: number;
  /** All that was heard, line by line. */
  readonly heard: readonly string[];
  stop(): Promise<void>;
}

export const NAME = 'peer.test';

export interface PeerOptions {
  /** Index of the step that goes wrong, and how. */
  readonly wrong?: { readonly step: number; readonly mischief: Mischief };
  readonly tlsFirst?: boolean;
  readonly certificate?: Parameters<typeof secureContext>[1];
  /** Answers go out a byte at a time. */
  readonly byteByByte?: boolean;
  /** The address it listens on; 127.0.0.1 when absent. */
  readonly address?: string;
}

export async function startPeer(steps: readonly Step[], options: PeerOptions = {}): Promise<Peer> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.setNoDelay(true);
    void play(options.tlsFirst === true ? secure(socket, options) : socket, steps, options, heard);
  });
  const port = await listen(server, options.address);
  return {
    port,
    heard,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function play(plain: Socket, steps: readonly Step[], options: PeerOptions, heard: string[]): Promise<void> {
  let socket = plain;
  let lines = reader(socket, heard);
  for (const [index, step] of steps.entries()) {
    if (step.hear !== undefined) {
      const got = await lines.until(step.hear);
      if (!got) return;
    }
    if (options.wrong?.step === index) {
      options.wrong.mischief(socket, plain);
      return;
    }
    await write(socket, step.say, options.byteByByte === true);
    if (step.upgrade === true) {
      lines.stop();
      socket = secure(socket, options);
      lines = reader(socket, heard);
    }
  }
}

function secure(socket: Socket, options: PeerOptions): TLSSocket {
  const secured = new TLSSocket(socket, { isServer: true, secureContext: secureContext([NAME], options.certificate ?? 'good') });
  secured.on('error', () => {});
  return secured;
}

function reader(socket: Socket, heard: string[]): { until(pattern: RegExp): Promise<boolean>; stop(): void } {
  let text = '';
  let wake = () => {};
  let ended = false;
  const take = (bytes: Buffer) => {
    text += bytes.toString('latin1');
    wake();
  };
  const end = () => {
    ended = true;
    wake();
  };
  socket.on('data', take);
  socket.on('close', end);
  return {
    stop: () => {
      socket.removeListener('data', take);
    },
    until: async pattern => {
      for (;;) {
        const at = text.indexOf('\n');
        if (at >= 0) {
          const line = text.slice(0, at).replace(/\r$/, '');
          text = text.slice(at + 1);
          heard.push(line);
          if (pattern.test(line)) return true;
          continue;
        }
        if (ended) return false;
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      }
    },
  };
}

async function write(socket: Socket, text: string, byteByByte: boolean): Promise<void> {
  if (!byteByByte) {
    socket.write(text, 'latin1');
    return;
  }
  for (const char of text) {
    socket.write(char, 'latin1');
    await new Promise(resolve => setImmediate(resolve));
  }
}

function listen(server: Server, address = '127.0.0.1'): Promise<number> {
  return new Promise(resolve => {
    server.listen(0, address, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

export function endpoint(protocol: Protocol, port: number, security: Security = 'plain', more: Partial<Endpoint> = {}): Endpoint {
  const component =
    ({ smtp: 'mta/peer', lmtp: 'store/peer', pop3: 'mmp/peer', imap: 'mmp/peer' } as const)[protocol as 'smtp'] ?? 'mta/peer';
  return {
    component,
    protocol,
    host: '127.0.0.1',
    port,
    security,
    servername: NAME,
    trust: { verify: true, ca: authorityPem() },
    ...more,
  };
}

export function login(mechanism?: Login['mechanism'], secret = 'geheim-1234'): Login {
  return { user: 'probe', secret: async () => secret, ...(mechanism === undefined ? {} : { mechanism }) };
}

export function terms(deadlineMs = 3000, signal: AbortSignal = new AbortController().signal): Terms {
  const zero = performance.now();
  return { clock: () => performance.now() - zero, deadlineMs, signal };
}
