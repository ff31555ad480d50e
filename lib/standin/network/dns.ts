// A name server for the site's own names, over UDP and TCP (RFC 1035): A, AAAA, MX, TXT. It can be made to answer wrongly or not
// at all; what is not the site's own is refused.

import { createSocket, type Socket } from 'node:dgram';
import type { Component } from '../../model/component.ts';
import type { World } from '../world.ts';
import { Door } from './door.ts';
import type { Visit } from './visit.ts';

export type DnsTrouble = 'stopped' | 'silent' | 'SERVFAIL' | 'NXDOMAIN' | 'REFUSED';

const TYPE = { A: 1, NS: 2, SOA: 6, MX: 15, TXT: 16, AAAA: 28 } as const;
const CODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
const TTL = 1;

interface Records {
  /** Names that are 127.0.0.1, in small letters. */
  readonly hosts: ReadonlySet<string>;
  readonly mx: readonly string[];
}

export class NameServer {
  readonly door: Door;
  /** Of several, the last one counts. */
  readonly troubles: DnsTrouble[] = [];
  /** Names that do not exist for the time being. */
  readonly gone = new Set<string>();
  readonly #world: World;
  readonly #records: Records;
  #udp: Socket | undefined;

  constructor(world: World, component: Component, records: Records) {
    this.#world = world;
    this.#records = records;
    this.door = new Door({
      world,
      component,
      protocol: 'dns',
      security: 'plain',
      names: [],
      serve: visit => this.#serveTcp(visit),
    });
  }

  /** The same port for UDP and TCP. */
  async open(): Promise<void> {
    for (;;) {
      await this.door.open();
      if (await this.#openUdp()) return;
      await this.door.stop();
    }
  }

  async stop(): Promise<void> {
    await this.door.stop();
    await this.#closeUdp();
  }

  /** Brings the UDP socket in line with `troubles`. */
  async settle(): Promise<void> {
    const stopped = this.troubles.at(-1) === 'stopped';
    if (stopped) await this.#closeUdp();
    else if (this.#udp === undefined) await this.#openUdp();
  }

  #openUdp(): Promise<boolean> {
    return new Promise(resolve => {
      const socket = createSocket('udp4');
      socket.once('error', () => {
        socket.close();
        resolve(false);
      });
      socket.bind({ port: this.door.port, address: '127.0.0.1', exclusive: true }, () => {
        socket.removeAllListeners('error').on('error', () => {});
        socket.unref();
        socket.on('message', (question, peer) => {
          const answer = this.#answer(question);
          if (answer !== undefined) socket.send(answer, peer.port, peer.address);
        });
        this.#udp = socket;
        resolve(true);
      });
    });
  }

  async #closeUdp(): Promise<void> {
    const socket = this.#udp;
    this.#udp = undefined;
    if (socket !== undefined) await new Promise<void>(resolve => socket.close(() => resolve()));
  }

  async #serveTcp(visit: Visit): Promise<void> {
    for (;;) {
      const length = (await visit.read(2)).readUInt16BE(0);
      const answer = this.#answer(await visit.read(length));
      if (answer === undefined) continue;
      const head = Buffer.alloc(2);
      head.writeUInt16BE(answer.length);
      await visit.say(Buffer.concat([head, answer]));
    }
  }

  #answer(question: Buffer): Buffer | undefined {
    const trouble = this.troubles.at(-1);
    if (trouble === 'silent' || trouble === 'stopped' || question.length < 17) return undefined;
    const { name, type, end } = readQuestion(question);
    this.#world.log.add({
      component: this.door.component,
      protocol: 'dns',
      connection: 0,
      from: '<',
      secure: false,
      text: `${name} ${type}`,
    });
    const echoed = question.subarray(12, end);
    if (trouble !== undefined) return response(question, CODE[trouble], echoed, []);
    const known = this.#records.hosts.has(name) || name === this.#world.domain;
    if (!name.endsWith(this.#world.domain)) return response(question, CODE.REFUSED, echoed, []);
    if (!known || this.gone.has(name)) return response(question, CODE.NXDOMAIN, echoed, []);
    return response(question, CODE.NOERROR, echoed, this.#recordsOf(name, type));
  }

  /** Data of the matching records; the name is that of the question. */
  #recordsOf(name: string, type: number): { type: number; data: Buffer }[] {
    if (type === TYPE.A && this.#records.hosts.has(name)) return [{ type, data: Buffer.from([127, 0, 0, 1]) }];
    if (name !== this.#world.domain) return [];
    if (type === TYPE.MX)
      return this.#records.mx.map((host, i) => ({ type, data: Buffer.concat([Buffer.from([0, 10 + i]), writeName(host)]) }));
    if (type === TYPE.TXT) return [{ type, data: text('v=spf1 -all') }];
    return [];
  }
}

function readQuestion(question: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] ?? 0; length > 0 && length < 64 && at < question.length; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = at + 5 <= question.length ? question.readUInt16BE(at + 1) : 0;
  return { name: labels.join('.').toLowerCase(), type, end: Math.min(at + 5, question.length) };
}

function response(question: Buffer, code: number, echoed: Buffer, records: readonly { type: number; data: Buffer }[]): Buffer {
  const head = Buffer.alloc(12);
  question.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8580 | code, 2); // an answer, authoritative, recursion offered
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  const parts = records.map(({ type, data }) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0); // the name of the question
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(TTL, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, echoed, ...parts]);
}

function writeName(name: string): Buffer {
  return Buffer.concat([...name.split('.').map(text), Buffer.from([0])]);
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
}
