// ENVELOPE and BODYSTRUCTURE (RFC 3501 section 7.4.2): a message's header and its parts, in IMAP's parentheses.

import { contentType, type Field, field, type Part, parse } from '../store/message.ts';
import { quote } from './command.ts';

export function envelope(header: readonly Field[]): string {
  const from = addresses(field(header, 'from'));
  const parts = [
    nstring(field(header, 'date')),
    nstring(field(header, 'subject')),
    from,
    addresses(field(header, 'sender'), from),
    addresses(field(header, 'reply-to'), from),
    addresses(field(header, 'to')),
    addresses(field(header, 'cc')),
    addresses(field(header, 'bcc')),
    nstring(field(header, 'in-reply-to')),
    nstring(field(header, 'message-id')),
  ];
  return `(${parts.join(' ')})`;
}

/** `extended` is BODYSTRUCTURE, else BODY. */
export function structure(part: Part, extended: boolean): string {
  if (part.parts.length > 0) {
    const inner = part.parts.map(each => structure(each, extended)).join('');
    const extension = extended ? ` ${parameters(part.parameters)} NIL NIL NIL` : '';
    return `(${inner} ${quote(part.subtype)}${extension})`;
  }
  const basic = [
    quote(part.type),
    quote(part.subtype),
    parameters(part.parameters),
    nstring(field(part.fields, 'content-id')),
    nstring(field(part.fields, 'content-description')),
    quote(field(part.fields, 'content-transfer-encoding') ?? '7bit'),
    String(part.body.length),
  ];
  if (part.type === 'text') basic.push(String(lines(part.body)));
  else if (part.type === 'message' && part.subtype === 'rfc822') {
    const inside = parse(part.body);
    basic.push(envelope(inside.fields), structure(inside, extended), String(lines(part.body)));
  }
  if (extended) basic.push('NIL', disposition(field(part.fields, 'content-disposition')), 'NIL', 'NIL');
  return `(${basic.join(' ')})`;
}

function lines(body: Buffer): number {
  let count = 0;
  for (const byte of body) if (byte === 0x0a) count += 1;
  return count;
}

function parameters(values: ReadonlyMap<string, string>): string {
  return values.size === 0 ? 'NIL' : `(${[...values].map(([name, value]) => `${quote(name)} ${quote(value)}`).join(' ')})`;
}

function disposition(value: string | undefined): string {
  if (value === undefined) return 'NIL';
  const kind = value.split(';', 1)[0]?.trim() ?? '';
  // the parameters have the same grammar as those of a content type
  const { parameters: found } = contentType(`x/x${value.slice(kind.length)}`);
  return `(${quote(kind)} ${parameters(found)})`;
}

function nstring(value: string | undefined): string {
  return value === undefined ? 'NIL' : quote(value);
}

/** Enough of RFC 5322 for what mail programs write: `Name <local@domain>`, `local@domain`, parted by commas. */
function addresses(value: string | undefined, otherwise = 'NIL'): string {
  if (value === undefined) return otherwise;
  const list = value.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  const shown = list.map(each => {
    const match = /^(.*?)<([^>]*)>\s*$/.exec(each);
    const name = (match?.[1] ?? '').trim().replace(/^"(.*)"$/, '$1');
    const address = (match?.[2] ?? each).trim();
    const at = address.lastIndexOf('@');
    return `(${[nstring(name === '' ? undefined : name), 'NIL', quote(address.slice(0, at)), quote(address.slice(at + 1))].join(' ')})`;
  });
  return shown.length === 0 ? 'NIL' : `(${shown.join('')})`;
}
