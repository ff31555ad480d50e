// The milter protocol on the wire (version 6): length, command, data. Shared by the filter and by the MTA that asks it.

interface Source {
  read(bytes: number): Promise<Buffer>;
}

interface Packet {
  /** One character; commands in capitals, replies in small letters and signs. */
  readonly command: string;
  readonly data: Buffer;
}

const LONGEST = 1 << 20;

/** What is not the milter protocol. */
export class NotMilter extends Error {
  override name = 'NotMilter';
}

export async function readPacket(source: Source): Promise<Packet> {
  const length = (await source.read(4)).readUInt32BE(0);
  if (length === 0 || length > LONGEST) throw new NotMilter(`a packet of ${length} bytes`);
  const packet = await source.read(length);
  return { command: packet.toString('latin1', 0, 1), data: packet.subarray(1) };
}

export function packet(command: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat([
    Buffer.from(command, 'latin1'),
    ...parts.map(part => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  ]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

/** Strings, each ended by NUL. */
export function strings(...values: readonly string[]): Buffer {
  return Buffer.from(values.map(value => `${value}\0`).join(''), 'latin1');
}

export function readStrings(data: Buffer): string[] {
  const values = data.toString('latin1').split('\0');
  values.pop();
  return values;
}

/** Version, actions and steps of the option negotiation. */
export function options(version: number, actions: number, steps: number): Buffer {
  const data = Buffer.alloc(12);
  data.writeUInt32BE(version, 0);
  data.writeUInt32BE(actions, 4);
  data.writeUInt32BE(steps, 8);
  return data;
}
