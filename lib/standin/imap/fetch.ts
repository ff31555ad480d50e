// FETCH (RFC 3501 section 6.4.5): items to text, byte for byte (Latin-1 carries the bytes).

import type { StoredMessage } from '../store/mailbox.ts';
import { type Part, parse, split } from '../store/message.ts';
import { quote, type Value } from './command.ts';
import { imapDate } from './dates.ts';
import { envelope, structure } from './structure.ts';

export interface Item {
  /** In capitals, without PEEK: `FLAGS`, `BODY[HEADER.FIELDS (SUBJECT)]`. */
  readonly name: string;
  /** For BODY[…]: what is between the brackets. */
  readonly section?: string;
  readonly partial?: { readonly from: number; readonly length: number };
  /** Reading it makes the message seen. */
  readonly sees: boolean;
}

/** What is no item; the text says why. */
export class BadFetch extends Error {
  override name = 'BadFetch';
}

const MACROS: Readonly<Record<string, readonly string[]>> = {
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
};
const PLAIN = new Set(['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY', 'BODYSTRUCTURE']);

/** @throws BadFetch */
export function parseItems(value: Value | undefined): Item[] {
  if (value === undefined) throw new BadFetch('Missing parameters');
  const names =
    value.kind === 'list' ? value.items.map(textOfAtom) : (MACROS[textOfAtom(value).toUpperCase()] ?? [textOfAtom(value)]);
  return names.map(parseItem);
}

function textOfAtom(value: Value): string {
  if (value.kind !== 'atom') throw new BadFetch('Invalid parameters');
  return value.text;
}

function parseItem(text: string): Item {
  const name = text.toUpperCase();
  if (PLAIN.has(name)) return { name, sees: false };
  if (name === 'RFC822') return { name, section: '', sees: true };
  if (name === 'RFC822.HEADER') return { name, section: 'HEADER', sees: false };
  if (name === 'RFC822.TEXT') return { name, section: 'TEXT', sees: true };
  const match = /^BODY(\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?$/.exec(name);
  if (match === null) throw new BadFetch(`Unknown parameter ${text}`);
  const [, peek, section = '', from, length] = match;
  const partial = from === undefined ? {} : { partial: { from: Number(from), length: Number(length) } };
  return { name: `BODY[${section}]${from === undefined ? '' : `<${from}>`}`, section, sees: peek === undefined, ...partial };
}

/** `* 3 FETCH (…)` with its line end. */
export function fetchReply(number: number, message: StoredMessage, items: readonly Item[]): string {
  let parsed: Part | undefined;
  const whole = () => {
    parsed ??= parse(message.raw);
    return parsed;
  };
  const shown = items.map(item => `${item.name} ${show(item, message, whole)}`);
  return `* ${number} FETCH (${shown.join(' ')})\r\n`;
}

function show(item: Item, message: StoredMessage, whole: () => Part): string {
  switch (item.name) {
    case 'UID':
      return String(message.uid);
    case 'FLAGS':
      return `(${[...message.flags].join(' ')})`;
    case 'INTERNALDATE':
      return `"${imapDate(message.internalDate)}"`;
    case 'RFC822.SIZE':
      return String(message.raw.length);
    case 'ENVELOPE':
      return envelope(whole().fields);
    case 'BODY':
    case 'BODYSTRUCTURE':
      return structure(whole(), item.name === 'BODYSTRUCTURE');
    default: {
      const bytes = section(item.section ?? '', message, whole);
      if (bytes === undefined) return 'NIL';
      return literal(
        item.partial === undefined ? bytes : bytes.subarray(item.partial.from, item.partial.from + item.partial.length),
      );
    }
  }
}

function literal(bytes: Buffer): string {
  return bytes.length === 0 ? quote('') : `{${bytes.length}}\r\n${bytes.toString('latin1')}`;
}

/** Undefined when there is no such part. */
function section(text: string, message: StoredMessage, whole: () => Part): Buffer | undefined {
  const match = /^([\d.]*?)\.?(HEADER\.FIELDS(?:\.NOT)? \(.*\)|HEADER|TEXT|MIME)?$/.exec(text);
  if (match === null) return undefined;
  const [, path = '', what] = match;
  if (path === '') return wholeSection(what, message.raw);
  const part = descend(whole(), path.split('.').map(Number));
  if (part === undefined) return undefined;
  if (what === undefined) return part.body;
  if (what === 'MIME') return part.header;
  return part.type === 'message' ? wholeSection(what, part.body) : undefined;
}

function wholeSection(what: string | undefined, raw: Buffer): Buffer | undefined {
  if (what === undefined) return raw;
  const { header, body } = split(raw);
  if (what === 'HEADER') return header;
  if (what === 'TEXT') return body;
  return what.startsWith('HEADER.FIELDS') ? someFields(what, header) : undefined;
}

/** `HEADER.FIELDS (SUBJECT FROM)`: those fields as they stand, and the empty line. */
function someFields(what: string, header: Buffer): Buffer {
  const wanted = new Set((/\((.*)\)/.exec(what)?.[1] ?? '').replaceAll('"', '').split(' '));
  const inverse = what.startsWith('HEADER.FIELDS.NOT');
  const raws = header
    .toString('latin1')
    .split(/\r\n(?![ \t])/)
    .filter(raw => raw.includes(':') && wanted.has(raw.slice(0, raw.indexOf(':')).trim().toUpperCase()) !== inverse);
  return Buffer.from(`${raws.map(raw => `${raw}\r\n`).join('')}\r\n`, 'latin1');
}

function descend(part: Part, path: readonly number[]): Part | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return part;
  if (part.parts.length > 0) {
    const next = part.parts[first - 1];
    return next === undefined ? undefined : descend(next, rest);
  }
  if (part.type === 'message' && part.subtype === 'rfc822') return descend(parse(part.body), path);
  // A message of one part: that part is number 1.
  return first === 1 ? descend(part, rest) : undefined;
}
