// LDAP messages as bytes. @see RFC 4511 section 5.1 and appendix B; ITU-T X.690 for BER.
//
// Requests are written by ldapts. Answers are read here: ldapts 8.2 goes round without end on an entry whose inner length points
// past its message or is negative, so a broken or hostile directory would hold the whole process. This reader takes each length
// at its word only inside the element that holds it, and refuses everything else.

/** What is no BER, or not the element that belongs there. */
export class NotBer extends Error {
  override name = 'NotBer';
}

/** One element: its tag byte and its contents. */
export interface Element {
  readonly tag: number;
  readonly contents: Buffer;
}

export const TAG = {
  integer: 0x02,
  octets: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
  bindResponse: 0x61,
  searchEntry: 0x64,
  searchDone: 0x65,
  searchReference: 0x73,
  extendedResponse: 0x78,
  referral: 0xa3,
  responseName: 0x8a,
} as const;

/** LDAPResult, section 4.1.9. */
export interface Result {
  readonly code: number;
  readonly matchedDn: string;
  readonly text: string;
  readonly referrals: readonly string[];
  /** Of an extended response: its OID. */
  readonly oid?: string;
}

export interface Entry {
  readonly dn: string;
  /** By name in lower case. A value that is not UTF-8 is given as Latin-1. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

export interface Message {
  readonly id: number;
  readonly operation: Element;
}

/**
 * The whole length of the message that begins with these bytes; -1 while its length is not all there.
 *
 * @throws {NotBer} when it begins with something else than a SEQUENCE, or its length is indefinite or has more than four digits
 */
export function messageLength(head: Buffer): number {
  if (head.length < 2) return head.length === 1 && head[0] !== TAG.sequence ? notBer('it begins otherwise') : -1;
  if (head[0] !== TAG.sequence) return notBer('it begins otherwise');
  const read = lengthAt(head, 1);
  return read === undefined ? -1 : read.after + read.length;
}

/** @throws {NotBer} */
export function readMessage(bytes: Buffer): Message {
  const [whole] = elements(bytes);
  if (whole?.tag !== TAG.sequence) return notBer('no message');
  const [id, operation] = elements(whole.contents);
  if (id?.tag !== TAG.integer || operation === undefined) return notBer('no message id and operation');
  return { id: integer(id.contents), operation };
}

/** @throws {NotBer} */
export function readResult(operation: Element): Result {
  const [code, matchedDn, text, ...rest] = elements(operation.contents);
  if (code?.tag !== TAG.enumerated || matchedDn?.tag !== TAG.octets || text?.tag !== TAG.octets) return notBer('no result');
  const referral = rest.find(({ tag }) => tag === TAG.referral);
  const oid = rest.find(({ tag }) => tag === TAG.responseName);
  return {
    code: integer(code.contents),
    matchedDn: words(matchedDn.contents),
    text: words(text.contents),
    referrals: referral === undefined ? [] : readUris(referral),
    ...(oid === undefined ? {} : { oid: words(oid.contents) }),
  };
}

/** SearchResultEntry, section 4.5.2. @throws {NotBer} */
export function readEntry(operation: Element): Entry {
  const [dn, list] = elements(operation.contents);
  if (dn?.tag !== TAG.octets || list?.tag !== TAG.sequence) return notBer('no entry');
  const attributes = new Map<string, readonly string[]>();
  for (const attribute of elements(list.contents)) {
    const [type, values] = elements(attribute.contents);
    if (type?.tag !== TAG.octets || values?.tag !== TAG.set) return notBer('no attribute');
    attributes.set(
      words(type.contents).toLowerCase(),
      elements(values.contents).map(({ contents }) => words(contents)),
    );
  }
  return { dn: words(dn.contents), attributes };
}

/** The URIs of a SearchResultReference, or of a referral. @throws {NotBer} */
export function readUris({ contents }: Element): readonly string[] {
  return elements(contents).map(uri => words(uri.contents));
}

/** A group may have thousands of members; nothing that a probe asks for comes near. */
const MOST_ELEMENTS = 5000;

/** The elements that stand one after another in `bytes`, which they fill. */
function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (found.length >= MOST_ELEMENTS) return notBer(`more than ${MOST_ELEMENTS} elements in one`);
    const read = lengthAt(bytes, at + 1);
    if (read === undefined || read.after + read.length > bytes.length) return notBer('an element is longer than what holds it');
    found.push({ tag: bytes[at] ?? 0, contents: bytes.subarray(read.after, read.after + read.length) });
    at = read.after + read.length;
  }
  return found;
}

/** A length and where its element's contents begin; undefined when its bytes are not all there. */
function lengthAt(bytes: Buffer, at: number): { readonly length: number; readonly after: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < 0x80) return { length: first, after: at + 1 };
  const digits = first & 0x7f;
  if (digits === 0 || digits > 4) return notBer(digits === 0 ? 'an indefinite length' : 'a length of more than four bytes');
  if (bytes.length < at + 1 + digits) return undefined;
  return { length: bytes.readUIntBE(at + 1, digits), after: at + 1 + digits };
}

function integer(contents: Buffer): number {
  return contents.length >= 1 && contents.length <= 4 ? contents.readIntBE(0, contents.length) : notBer('no whole number');
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function words(contents: Buffer): string {
  try {
    return UTF8.decode(contents);
  } catch {
    return contents.toString('latin1');
  }
}

function notBer(why: string): never {
  throw new NotBer(why);
}
