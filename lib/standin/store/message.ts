// Internet messages as bytes (RFC 5322, RFC 2045): where the header ends, what a field says, which parts a body has. Only reads;
// bytes are never changed here but by `prepend`.

export interface Field {
  readonly name: string;
  /** Unfolded, without leading and trailing blanks. */
  readonly value: string;
  /** The field as it stands, with its line ends. */
  readonly raw: string;
}

/** Header with the empty line that ends it, and body. A message without that line is all header. */
export function split(raw: Buffer): { header: Buffer; body: Buffer } {
  if (raw.subarray(0, 2).equals(Buffer.from('\r\n'))) return { header: raw.subarray(0, 2), body: raw.subarray(2) };
  const at = raw.indexOf('\r\n\r\n');
  return at < 0
    ? { header: raw, body: raw.subarray(raw.length) }
    : { header: raw.subarray(0, at + 4), body: raw.subarray(at + 4) };
}

export function fields(header: Buffer): Field[] {
  const found: Field[] = [];
  for (const raw of header.toString('latin1').split(/\r\n(?![ \t])/)) {
    const colon = raw.indexOf(':');
    if (colon <= 0) continue;
    const value = raw
      .slice(colon + 1)
      .replace(/\r\n(?=[ \t])/g, '')
      .trim();
    found.push({ name: raw.slice(0, colon).trim(), value, raw: `${raw}\r\n` });
  }
  return found;
}

/** The first field of that name. */
export function field(header: readonly Field[], name: string): string | undefined {
  return header.find(candidate => candidate.name.toLowerCase() === name.toLowerCase())?.value;
}

export function prepend(raw: Buffer, ...lines: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from(lines.map(line => `${line}\r\n`).join(''), 'latin1'), raw]);
}

/** A MIME entity. `start` is where its header begins in the message. */
export interface Part {
  readonly header: Buffer;
  readonly body: Buffer;
  readonly type: string;
  readonly subtype: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly fields: readonly Field[];
  /** Of a multipart. */
  readonly parts: readonly Part[];
}

const DEEPEST = 10;

export function parse(raw: Buffer, depth = 0): Part {
  const { header, body } = split(raw);
  const list = fields(header);
  const { type, subtype, parameters } = contentType(field(list, 'content-type'));
  const boundary = parameters.get('boundary');
  const parts =
    type === 'multipart' && boundary !== undefined && depth < DEEPEST
      ? divide(body, boundary).map(part => parse(part, depth + 1))
      : [];
  return { header, body, type, subtype, parameters, fields: list, parts };
}

/** `text/plain; charset=utf-8`; what cannot be read is plain text, as RFC 2045 section 5.2 says. */
export function contentType(value: string | undefined): { type: string; subtype: string; parameters: Map<string, string> } {
  const parameters = new Map<string, string>();
  const match = /^\s*([\w!#$&^.+-]+)\/([\w!#$&^.+-]+)/.exec(value ?? '');
  if (match === null || value === undefined)
    return { type: 'text', subtype: 'plain', parameters: parameters.set('charset', 'us-ascii') };
  for (const [, name = '', quoted, token] of value.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/g)) {
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  }
  return { type: (match[1] ?? 'text').toLowerCase(), subtype: (match[2] ?? 'plain').toLowerCase(), parameters };
}

function divide(body: Buffer, boundary: string): Buffer[] {
  const text = `\r\n${body.toString('latin1')}`;
  const parts: Buffer[] = [];
  const mark = `\r\n--${boundary}`;
  let from = text.indexOf(mark);
  while (from >= 0) {
    const lineEnd = text.indexOf('\r\n', from + mark.length);
    if (text.startsWith('--', from + mark.length) || lineEnd < 0) break;
    const next = text.indexOf(mark, lineEnd);
    parts.push(Buffer.from(text.slice(lineEnd + 2, next < 0 ? text.length : next), 'latin1'));
    from = next;
  }
  return parts;
}

/** Dots at line starts doubled, ending in CRLF, ready for `.` CRLF (RFC 5321 section 4.5.2). */
export function stuff(raw: Buffer): Buffer {
  const text = raw.toString('latin1').replace(/(^|\r\n)\./g, '$1..');
  return Buffer.from(text.endsWith('\r\n') || text === '' ? text : `${text}\r\n`, 'latin1');
}

export function unstuff(raw: Buffer): Buffer {
  return Buffer.from(raw.toString('latin1').replace(/(^|\r\n)\./g, '$1'), 'latin1');
}
