// LDAP messages on the wire (RFC 4511 section 5.1): one BER element after another. Shared by the directory server and by the
// look-ups that the other servers make.

import { BerReader, BerWriter } from 'ldapts';

/** [APPLICATION n] tags of the operations that we speak. */
export const OP = {
  bindRequest: 0x60,
  bindResponse: 0x61,
  unbindRequest: 0x42,
  searchRequest: 0x63,
  searchEntry: 0x64,
  searchDone: 0x65,
  abandonRequest: 0x50,
  extendedRequest: 0x77,
  extendedResponse: 0x78,
} as const;

export const STARTTLS_OID = '1.3.6.1.4.1.1466.20037';

/** Anything that gives the next n bytes. */
interface Source {
  read(bytes: number): Promise<Buffer>;
}

/** A message whose announced length is beyond reason, or that is not BER at all. */
export class NotLdap extends Error {
  override name = 'NotLdap';
}

/** Reads one whole message. @throws NotLdap, and whatever the source throws at the end of input. */
export async function readMessage(source: Source, longest: number): Promise<BerReader> {
  const head = await source.read(2);
  if (head[0] !== 0x30) throw new NotLdap('not an LDAP message');
  const first = head[1] ?? 0;
  let length = first;
  let more: Buffer = Buffer.alloc(0);
  if (first & 0x80) {
    const digits = first & 0x7f;
    if (digits === 0 || digits > 4) throw new NotLdap('not an LDAP message');
    more = await source.read(digits);
    length = more.reduce((sum, byte) => sum * 256 + byte, 0);
  }
  if (length > longest) throw new NotLdap(`a message of ${length} bytes is longer than ${longest}`);
  return new BerReader(Buffer.concat([head, more, length === 0 ? Buffer.alloc(0) : await source.read(length)]));
}

/** One message: its id, then what `body` writes. */
export function message(id: number, body: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  body(writer);
  writer.endSequence();
  return writer.buffer;
}

/** An LDAPResult (section 4.1.9) under the given tag. */
export function result(id: number, tag: number, code: number, text: string): Buffer {
  return message(id, writer => {
    writer.startSequence(tag);
    writer.writeEnumeration(code);
    writer.writeString('');
    writer.writeString(text);
    writer.endSequence();
  });
}
