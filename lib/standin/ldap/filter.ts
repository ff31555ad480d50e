// Search filters (RFC 4511 section 4.5.1.7) against one entry: and, or, not, equality, substrings, presence. Values are compared
// without regard to case, as mail addresses and names are.

import type { BerReader } from 'ldapts';
import type { Entry } from './directory.ts';

export type Filter =
  | { readonly is: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly is: 'not'; readonly of: Filter }
  | { readonly is: 'present'; readonly attribute: string }
  | { readonly is: 'equal'; readonly attribute: string; readonly value: string }
  | { readonly is: 'like'; readonly attribute: string; readonly pattern: RegExp }
  /** Known to the protocol but not to us: matches nothing, as an attribute that is not in the schema. */
  | { readonly is: 'undefined' };

const DEEPEST = 20;

/** @throws when the filter is not what RFC 4511 says, or nested beyond reason. */
export function readFilter(reader: BerReader, depth = 0): Filter {
  if (depth > DEEPEST) throw new Error('filter is nested too deeply');
  const tag = reader.peek();
  switch (tag) {
    case 0xa0:
    case 0xa1: {
      const end = enter(reader, tag);
      const of: Filter[] = [];
      while (reader.offset < end) of.push(readFilter(reader, depth + 1));
      return { is: tag === 0xa0 ? 'and' : 'or', of };
    }
    case 0xa2:
      enter(reader, tag);
      return { is: 'not', of: readFilter(reader, depth + 1) };
    case 0xa3:
    case 0xa8: // approximately: we are exact
      enter(reader, tag);
      return { is: 'equal', attribute: text(reader).toLowerCase(), value: text(reader).toLowerCase() };
    case 0xa4:
      return readSubstrings(reader);
    case 0x87:
      return { is: 'present', attribute: (reader.readString(0x87) ?? '').toLowerCase() };
    case null:
      throw new Error('filter is missing');
    default:
      reader.offset = enter(reader, tag);
      return { is: 'undefined' };
  }
}

export function matchesFilter(filter: Filter, entry: Entry): boolean {
  switch (filter.is) {
    case 'and':
      return filter.of.every(part => matchesFilter(part, entry));
    case 'or':
      return filter.of.some(part => matchesFilter(part, entry));
    case 'not':
      return !matchesFilter(filter.of, entry);
    case 'present':
      return entry.attributes.has(filter.attribute);
    case 'equal':
      return (entry.attributes.get(filter.attribute) ?? []).some(value => value.toLowerCase() === filter.value);
    case 'like':
      return (entry.attributes.get(filter.attribute) ?? []).some(value => filter.pattern.test(value));
    case 'undefined':
      return false;
    default:
      return filter satisfies never;
  }
}

function readSubstrings(reader: BerReader): Filter {
  enter(reader, 0xa4);
  const attribute = text(reader).toLowerCase();
  const end = enter(reader, 0x30);
  let pattern = '^';
  let last = 0x80;
  while (reader.offset < end) {
    last = reader.peek() ?? 0;
    const part = (reader.readString(last) ?? '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    pattern += last === 0x80 ? part : `.*${part}`;
  }
  return { is: 'like', attribute, pattern: new RegExp(last === 0x82 ? `${pattern}$` : pattern, 'is') };
}

/** Steps into a constructed value; returns where it ends. */
function enter(reader: BerReader, tag: number): number {
  reader.readSequence(tag);
  return reader.offset + reader.length;
}

function text(reader: BerReader): string {
  const value = reader.readString();
  if (value === null) throw new Error('filter ends too early');
  return value;
}
