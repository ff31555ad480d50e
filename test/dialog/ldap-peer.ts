// A directory that answers by a script, message by message, and can be told to go wrong at any of them.

import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { BerReader, BerWriter } from 'ldapts';
import { messageLength } from '../../lib/dialog/ldap-wire.ts';
import type { Endpoint, Login, Security } from '../../lib/model/endpoint.ts';
import { secureContext } from '../../lib/standin/network/certificates.ts';
import { endpoint, NAME } from './peer.ts';

/** One request and its answers. */
export interface Turn {
  readonly phase: string;
  /** Tag of the request that is awaited. */
  readonly hear: number;
  readonly say: (id: number) => Buffer;
  readonly upgrade?: boolean;
}

export type Mischief = (socket: Socket, raw: Socket, id: number) => void;

export interface LdapPeer {
  readonly port: number;
  /** Tags of the requests, and the strings in them. */
  readonly heard: readonly string[];
  stop(): Promise<void>;
}

export interface PeerOptions {
  readonly wrong?: { readonly turn: number; readonly mischief: Mischief };
  readonly tlsFirst?: boolean;
  readonly byteByByte?: boolean;
  readonly certificate?: Parameters<typeof secureContext>[1];
}

export async function startLdapPeer(turns: readonly Turn[], options: PeerOptions = {}): Promise<LdapPeer> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.setNoDelay(true);
    // What is no LDAP ends the connection, as a directory would.
    play(options.tlsFirst === true ? secure(socket, options) : socket, turns, options, heard).catch(() => socket.destroy());
  });
  const port = await new Promise<number>(resolve =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    }),
  );
  return {
    port,
    heard,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function play(plain: Socket, turns: readonly Turn[], options: PeerOptions, heard: string[]): Promise<void> {
  let socket = plain;
  let next = packets(socket);
  for (const [index, turn] of turns.entries()) {
    const packet = await next();
    if (packet === undefined) return;
    heard.push(packet.toString('latin1'));
    const reader = new BerReader(packet);
    reader.readSequence();
    const id = reader.readInt() ?? -1;
    if (reader.peek() !== turn.hear) return;
    if (options.wrong?.turn === index) {
      options.wrong.mischief(socket, plain, id);
      return;
    }
    await write(socket, turn.say(id), options.byteByByte === true);
    if (turn.upgrade === true) {
      socket.removeAllListeners('data');
      socket = secure(socket, options);
      next = packets(socket);
    }
  }
}

function secure(socket: Socket, options: PeerOptions): TLSSocket {
  const secured = new TLSSocket(socket, { isServer: true, secureContext: secureContext([NAME], options.certificate ?? 'good') });
  secured.on('error', () => {});
  return secured;
}

function packets(socket: Socket): () => Promise<Buffer | undefined> {
  let bytes = Buffer.alloc(0);
  let wake = () => {};
  let ended = false;
  socket.on('data', (more: Buffer) => {
    bytes = Buffer.concat([bytes, more]);
    wake();
  });
  socket.on('close', () => {
    ended = true;
    wake();
  });
  return async () => {
    for (;;) {
      const length = messageLength(bytes);
      if (length >= 0 && bytes.length >= length) {
        const packet = bytes.subarray(0, length);
        bytes = bytes.subarray(length);
        return packet;
      }
      if (ended) return undefined;
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
  };
}

async function write(socket: Socket, bytes: Buffer, byteByByte: boolean): Promise<void> {
  if (!byteByByte) {
    socket.write(bytes);
    return;
  }
  for (const byte of bytes) {
    socket.write(Buffer.of(byte));
    await new Promise(resolve => setImmediate(resolve));
  }
}

/** An LDAPResult under `tag`. */
export function result(id: number, tag: number, code: number, text = '', more?: (writer: BerWriter) => void): Buffer {
  return message(id, tag, writer => {
    writer.writeEnumeration(code);
    writer.writeString('');
    writer.writeString(text);
    more?.(writer);
  });
}

export function entry(id: number, dn: string, attributes: Readonly<Record<string, readonly string[]>>): Buffer {
  return message(id, 0x64, writer => {
    writer.writeString(dn);
    writer.startSequence();
    for (const [name, values] of Object.entries(attributes)) {
      writer.startSequence();
      writer.writeString(name);
      writer.startSequence(0x31);
      for (const value of values) writer.writeString(value);
      writer.endSequence();
      writer.endSequence();
    }
    writer.endSequence();
  });
}

export function message(id: number, tag: number, body: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  writer.startSequence(tag);
  body(writer);
  writer.endSequence();
  writer.endSequence();
  return writer.buffer;
}

export function directory(port: number, security: Security = 'plain', login?: Login, more: Partial<Endpoint> = {}): Endpoint {
  return endpoint('ldap', port, security, { component: 'directory/peer', ...(login === undefined ? {} : { login }), ...more });
}
