// SEARCH (RFC 3501 section 6.4.4): criteria to a predicate. Text is compared byte by byte without regard to case, in headers
// unfolded, in bodies as they were delivered.

import type { StoredMessage } from '../store/mailbox.ts';
import { field, fields, split } from '../store/message.ts';
import { textOf, type Value } from './command.ts';
import { parseImapDate } from './dates.ts';
import { parseSet } from './set.ts';

type Criterion = (message: StoredMessage, number: number) => boolean;

/** What is not a search; the text says why. */
export class BadSearch extends Error {
  override name = 'BadSearch';
}

const DAY = 24 * 3600 * 1000;

const FLAG_KEYS: Readonly<Record<string, string>> = {
  ANSWERED: '\\Answered',
  DELETED: '\\Deleted',
  DRAFT: '\\Draft',
  FLAGGED: '\\Flagged',
  SEEN: '\\Seen',
};

/** @throws BadSearch */
export function parseSearch(args: readonly Value[], messages: readonly StoredMessage[]): Criterion {
  const queue = args.slice();
  if (textOf(queue[0])?.toUpperCase() === 'CHARSET') queue.splice(0, 2);
  if (queue.length === 0) throw new BadSearch('Missing search parameters');
  return all(new Parser(queue, messages).rest());
}

function all(criteria: readonly Criterion[]): Criterion {
  return (message, number) => criteria.every(matches => matches(message, number));
}

class Parser {
  readonly #queue: Value[];
  readonly #messages: readonly StoredMessage[];

  constructor(queue: Value[], messages: readonly StoredMessage[]) {
    this.#queue = queue;
    this.#messages = messages;
  }

  rest(): Criterion[] {
    const criteria: Criterion[] = [];
    while (this.#queue.length > 0) criteria.push(this.#one());
    return criteria;
  }

  #one(): Criterion {
    const value = this.#queue.shift();
    if (value === undefined) throw new BadSearch('Missing search key');
    if (value.kind === 'list') return all(new Parser(value.items.slice(), this.#messages).rest());
    const key = value.text.toUpperCase();
    const flag = FLAG_KEYS[key];
    if (flag !== undefined) return ({ flags }) => flags.has(flag);
    const absent = key.startsWith('UN') ? FLAG_KEYS[key.slice(2)] : undefined;
    if (absent !== undefined) return ({ flags }) => !flags.has(absent);
    return this.#byKey(key);
  }

  #byKey(key: string): Criterion {
    switch (key) {
      case 'ALL':
      case 'OLD':
        return () => true;
      case 'NEW':
      case 'RECENT':
        return () => false;
      case 'NOT': {
        const inner = this.#one();
        return (message, number) => !inner(message, number);
      }
      case 'OR': {
        const [one, other] = [this.#one(), this.#one()];
        return (message, number) => one(message, number) || other(message, number);
      }
      case 'UID': {
        const isIn = this.#set(this.#text(), this.#messages.at(-1)?.uid ?? 0);
        return ({ uid }) => isIn(uid);
      }
      case 'KEYWORD':
      case 'UNKEYWORD': {
        const keyword = this.#text();
        return ({ flags }) => flags.has(keyword) === (key === 'KEYWORD');
      }
      case 'LARGER':
      case 'SMALLER': {
        const bytes = Number(this.#text());
        return ({ raw }) => (key === 'LARGER' ? raw.length > bytes : raw.length < bytes);
      }
      case 'HEADER':
        return this.#header(this.#text());
      case 'SUBJECT':
      case 'FROM':
      case 'TO':
      case 'CC':
      case 'BCC':
        return this.#header(key);
      case 'BODY': {
        const wanted = this.#text().toLowerCase();
        return ({ raw }) => contains(split(raw).body, wanted);
      }
      case 'TEXT': {
        const wanted = this.#text().toLowerCase();
        return ({ raw }) => contains(raw, wanted);
      }
      default:
        return this.#dateOrSet(key);
    }
  }

  #header(name: string): Criterion {
    const wanted = this.#text().toLowerCase();
    return ({ raw }) =>
      fields(split(raw).header).some(
        each => each.name.toLowerCase() === name.toLowerCase() && each.value.toLowerCase().includes(wanted),
      );
  }

  #dateOrSet(key: string): Criterion {
    const match = /^(SENT)?(SINCE|BEFORE|ON)$/.exec(key);
    if (match === null) {
      const isIn = this.#set(key, this.#messages.length);
      return (_message, number) => isIn(number);
    }
    const day = parseImapDate(this.#text())?.getTime();
    if (day === undefined) throw new BadSearch('Invalid search date parameter');
    return message => {
      const at = match[1] === undefined ? message.internalDate.getTime() : sentAt(message);
      if (Number.isNaN(at)) return false;
      if (match[2] === 'SINCE') return at >= day;
      return match[2] === 'BEFORE' ? at < day : at >= day && at < day + DAY;
    };
  }

  #set(text: string, largest: number): (number: number) => boolean {
    const isIn = parseSet(text, largest);
    if (isIn === undefined) throw new BadSearch(`Unknown argument ${text}`);
    return isIn;
  }

  #text(): string {
    const text = textOf(this.#queue.shift());
    if (text === undefined) throw new BadSearch('Missing search argument');
    return text;
  }
}

function sentAt({ raw }: StoredMessage): number {
  return Date.parse(field(fields(split(raw).header), 'date') ?? '');
}

function contains(bytes: Buffer, wanted: string): boolean {
  return bytes.toString('latin1').toLowerCase().includes(wanted);
}
