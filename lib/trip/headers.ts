// Header lines of a message, taken apart as RFC 5322 section 2.2 says, whatever they hold.

export interface HeaderLine {
  /** As it stands. */
  readonly name: string;
  /** Unfolded, without surrounding blanks; Latin-1. */
  readonly value: string;
}

/** More than any honest message has; the rest is not looked at. */
const MOST_LINES = 2000;

/** The header lines of a message or of its header alone, in order. Never throws; what is no header line is left out. */
export function parseHeaders(bytes: Buffer): readonly HeaderLine[] {
  const end = headerEnd(bytes);
  const lines: { name: string; pieces: string[] }[] = [];
  // Line by line, so that a million of them cost no more than those that are kept.
  for (let from = 0, at = 0; from < end; from = at + 1) {
    at = bytes.indexOf(0x0a, from);
    if (at < 0 || at > end) at = end;
    const line = bytes.toString('latin1', from, at > from && bytes[at - 1] === 0x0d ? at - 1 : at);
    if (line === '') continue;
    if (line.startsWith(' ') || line.startsWith('\t')) {
      lines.at(-1)?.pieces.push(line.trimStart());
      continue;
    }
    if (lines.length >= MOST_LINES) break;
    const colon = line.indexOf(':');
    const name = colon > 0 ? line.slice(0, colon).trimEnd() : '';
    if (/^[\x21-\x39\x3b-\x7e]+$/.test(name)) lines.push({ name, pieces: [line.slice(colon + 1)] });
  }
  return lines.map(({ name, pieces }) => ({ name, value: pieces.join(' ').trim() }));
}

/** Values of a header, in order; names compare without case. */
export function valuesOf(headers: readonly HeaderLine[], name: string): readonly string[] {
  const wanted = name.toLowerCase();
  return headers.filter(header => header.name.toLowerCase() === wanted).map(header => header.value);
}

/** What follows the empty line. */
export function bodyOf(bytes: Buffer): Buffer {
  const end = headerEnd(bytes);
  return bytes.subarray(bytes[end] === 0x0d ? end + 2 : end + 1);
}

/** Where the empty line begins that ends the header; the length when there is none. */
function headerEnd(bytes: Buffer): number {
  if (bytes[0] === 0x0a || (bytes[0] === 0x0d && bytes[1] === 0x0a)) return 0;
  const crlf = bytes.indexOf('\r\n\r\n');
  const lf = bytes.indexOf('\n\n');
  const ends = [crlf < 0 ? bytes.length : crlf + 2, lf < 0 ? bytes.length : lf + 1];
  return Math.min(...ends);
}
