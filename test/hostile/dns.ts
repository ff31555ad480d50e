// Hostile name servers. @see RFC 1035 section 4

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { type Case, deadlineOf, type HostilePeer, type Wanted } from './case.ts';

const A = 1;
const AAAA = 28;

interface Asked {
  readonly id: number;
  readonly type: number;
  /** The question section, byte for byte. */
  readonly question: Buffer;
}

interface Reply {
  readonly code?: number;
  readonly records?: readonly Buffer[];
  /** More of these than there are. */
  readonly claims?: number;
  readonly truncated?: boolean;
  readonly id?: number;
  readonly question?: Buffer;
}

function reply({ id, question }: Asked, { code = 0, records = [], claims, truncated, ...other }: Reply): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(other.id ?? id, 0);
  head.writeUInt16BE(0x8580 | code | (truncated === true ? 0x0200 : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(claims ?? records.length, 6);
  return Buffer.concat([head, other.question ?? question, ...records]);
}

/** A record for the name that was asked for. */
function record(type: number, data: Buffer, name = Buffer.from([0xc0, 12])): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(1, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, fixed, data]);
}

const four = (n: number) => record(A, Buffer.from([127, 0, n >> 8, n & 255]));
const six = record(AAAA, Buffer.from('00000000000000000000000000000001', 'hex'));
const nothing = (asked: Asked) => reply(asked, {});

type Answer = (asked: Asked) => Buffer | undefined;

const query = (
  kind: 'timeout' | 'rejected' | 'missing' | 'garbled',
  lasting: 'transient' | 'permanent' = 'transient',
): Wanted => ({
  phase: 'query',
  kind,
  lasting,
  ...(kind === 'timeout' ? {} : { atOnce: true }),
});

/** c-ares of one Node takes it for a bad answer, that of another for none. */
const NO_ANSWER: Wanted = { phase: 'query', kind: ['garbled', 'timeout'], lasting: 'transient' };

const WAYS: readonly (readonly [string, Answer, Wanted])[] = [
  ['answers', asked => (asked.type === A ? reply(asked, { records: [four(1)] }) : nothing(asked)), 'answered'],
  ['knows an IPv6 address only', asked => (asked.type === AAAA ? reply(asked, { records: [six] }) : nothing(asked)), 'answered'],
  ['stalls', () => undefined, query('timeout')],
  [
    'answers for IPv6 only, that there is none, and stalls for IPv4',
    asked => (asked.type === AAAA ? nothing(asked) : undefined),
    query('timeout'),
  ],
  [
    'answers for IPv4 only, that there is none, and stalls for IPv6',
    asked => (asked.type === A ? nothing(asked) : undefined),
    query('timeout'),
  ],
  [
    'knows the IPv4 address and stalls for IPv6',
    asked => (asked.type === A ? reply(asked, { records: [four(1)] }) : undefined),
    'answered',
  ],
  ['says NXDOMAIN', asked => reply(asked, { code: 3 }), query('missing', 'permanent')],
  ['says that there is no address', nothing, query('missing', 'permanent')],
  ['says SERVFAIL', asked => reply(asked, { code: 2 }), query('rejected')],
  [
    'says SERVFAIL for IPv6 and nothing for IPv4',
    asked => (asked.type === A ? nothing(asked) : reply(asked, { code: 2 })),
    query('rejected'),
  ],
  ['says REFUSED', asked => reply(asked, { code: 5 }), query('rejected')],
  ['says FORMERR', asked => reply(asked, { code: 1 }), query('rejected')],
  ['says NOTIMP', asked => reply(asked, { code: 4 }), query('rejected')],
  ['says 15, which is no code', asked => reply(asked, { code: 15 }), query('rejected')],
  ['answers with another id', asked => reply(asked, { id: asked.id ^ 0xffff, records: [four(1)] }), query('timeout')],
  [
    'answers another question',
    asked => reply(asked, { question: Buffer.from('\x04evil\x04test\0\0\x01\0\x01', 'latin1'), records: [four(1)] }),
    query('timeout'),
  ],
  ['sends 11 bytes', asked => reply(asked, {}).subarray(0, 11), NO_ANSWER],
  ['sends an empty packet', () => Buffer.alloc(0), NO_ANSWER],
  ['sends zeros', () => Buffer.alloc(512), NO_ANSWER],
  ['claims 65,535 records and sends none', asked => reply(asked, { claims: 65_535 }), query('garbled')],
  [
    'sends a name that points to itself',
    asked => reply(asked, { records: [record(A, Buffer.from([127, 0, 0, 1]), Buffer.from([0xc0, 12 + asked.question.length]))] }),
    query('garbled'),
  ],
  [
    'sends an address of three bytes',
    asked => reply(asked, { records: [record(asked.type, Buffer.from([127, 0, 0]))] }),
    query('garbled'),
  ],
  [
    'sends a record that is longer than its packet',
    asked => reply(asked, { records: [four(1).subarray(0, 13)] }),
    query('garbled'),
  ],
  [
    'sends 500 addresses',
    asked => (asked.type === A ? reply(asked, { records: Array.from({ length: 500 }, (_, n) => four(n)) }) : nothing(asked)),
    'answered',
  ],
  [
    'sends 65,000 bytes of addresses',
    asked => (asked.type === A ? reply(asked, { records: Array.from({ length: 4000 }, (_, n) => four(n)) }) : nothing(asked)),
    'answered',
  ],
  [
    'says that its answer is cut, and has nothing more by TCP',
    asked => reply(asked, { truncated: true, records: [four(1)] }),
    { phase: 'query', kind: ['timeout', 'refused-connection', 'rejected', 'garbled'] },
  ],
];

async function start(answer: Answer): Promise<HostilePeer> {
  const heard: string[] = [];
  const udp = createSocket('udp4');
  udp.on('error', () => {});
  udp.on('message', (bytes: Buffer, from: RemoteInfo) => {
    const asked = read(bytes);
    heard.push(`${asked.type}`);
    const said = answer(asked);
    if (said !== undefined) udp.send(said.length > 1400 ? reply(asked, { truncated: true }) : said, from.port, from.address);
  });
  const port = await new Promise<number>(resolve => udp.bind(0, '127.0.0.1', () => resolve(udp.address().port)));
  const tcp = await overTcp(port, answer);
  if (tcp === undefined) {
    // Somebody else has that port for TCP.
    udp.close();
    return start(answer);
  }
  return { port, heard, stop: () => stop(udp, tcp) };
}

/** Long answers are asked for again by TCP; where the port is taken there, they are not to be had. */
async function overTcp(port: number, answer: Answer): Promise<Server | undefined> {
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', bytes => {
      const said = bytes.length < 14 ? undefined : answer(read(bytes.subarray(2)));
      if (said === undefined || said.length > 65_535 || ((said[2] ?? 0) & 0x02) !== 0) return void socket.end();
      const head = Buffer.alloc(2);
      head.writeUInt16BE(said.length, 0);
      socket.write(Buffer.concat([head, said]));
    });
  });
  return new Promise(resolve => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function stop(udp: Socket, tcp: Server): Promise<void> {
  udp.close();
  tcp.close();
}

function read(bytes: Buffer): Asked {
  const end = bytes.indexOf(0, 12) + 5;
  return { id: bytes.readUInt16BE(0), type: bytes.readUInt16BE(end - 4), question: bytes.subarray(12, end) };
}

export const DNS: readonly Case[] = WAYS.map(
  ([name, answer, wanted]): Case => ({
    name,
    client: { protocol: 'dns', security: 'plain' },
    deadlineMs: wanted === 'answered' ? 500 : deadlineOf(wanted),
    start: () => start(answer),
    wanted,
  }),
);
