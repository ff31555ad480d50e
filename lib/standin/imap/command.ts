// IMAP commands on the wire (RFC 3501 sections 4 and 9, RFC 7888): one command with its literals becomes a tag, a name and a list
// of values.

import type { Visit } from '../network/visit.ts';

export type Value =
  | { readonly kind: 'atom'; readonly text: string }
  /** Quoted or literal; Latin-1, so that bytes survive. */
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Value[] };

export interface Command {
  readonly tag: string;
  /** In capitals; `UID FETCH` for commands with UID in front. */
  readonly name: string;
  readonly args: readonly Value[];
}

/** What is not a command; the text says why. `tag` is what could be made out of it. */
export class BadCommand extends Error {
  override name = 'BadCommand';
  readonly tag: string;

  constructor(tag: string, text: string) {
    super(text);
    this.tag = tag;
  }
}

const LARGEST_LITERAL = 64 * 1024 * 1024;

/** @throws BadCommand; Gone at the end of input */
export async function readCommand(visit: Visit): Promise<Command> {
  const pieces: Piece[] = [];
  for (;;) {
    const line = await visit.readLine();
    const literal = /\{(\d+)(\+?)\}$/.exec(line);
    if (literal === null) {
      pieces.push({ text: line, literal: undefined });
      return parseCommand(pieces);
    }
    const length = Number(literal[1]);
    if (length > LARGEST_LITERAL) throw new BadCommand(line.split(' ')[0] ?? '*', 'Literal too large');
    if (literal[2] === '') await visit.say('+ OK\r\n');
    pieces.push({ text: line.slice(0, literal.index), literal: (await visit.read(length)).toString('latin1') });
  }
}

/** A stretch of text with the literal that ends it. */
interface Piece {
  readonly text: string;
  readonly literal: string | undefined;
}

function parseCommand(pieces: readonly Piece[]): Command {
  const [first] = pieces;
  const tag = first?.text.split(' ', 1)[0] ?? '';
  if (!/^[^\s(){%*"\\+]+$/.test(tag)) throw new BadCommand('*', 'Invalid tag');
  const args = new Reader(tag, pieces).values();
  // the tag itself is the first of them
  const [, verb, ...rest] = args;
  if (verb?.kind !== 'atom') throw new BadCommand(tag, 'Missing command');
  const name = verb.text.toUpperCase();
  const [next, ...others] = rest;
  if (name === 'UID' && next?.kind === 'atom') return { tag, name: `UID ${next.text.toUpperCase()}`, args: others };
  return { tag, name, args: rest };
}

class Reader {
  readonly #tag: string;
  readonly #pieces: readonly Piece[];
  #piece = 0;
  #at = 0;

  constructor(tag: string, pieces: readonly Piece[]) {
    this.#tag = tag;
    this.#pieces = pieces;
  }

  values(): Value[] {
    const values: Value[] = [];
    for (let depth = 0; ; ) {
      const value = this.#next(depth);
      if (value === undefined) return values;
      values.push(value);
      depth = 0;
    }
  }

  /** Undefined at the end of the command, and at the end of a list when `depth` is more than 0. */
  #next(depth: number): Value | undefined {
    if (depth > 20) throw new BadCommand(this.#tag, 'Too many nested lists');
    const piece = this.#pieces[this.#piece];
    if (piece === undefined) return undefined;
    while (piece.text[this.#at] === ' ') this.#at += 1;
    const char = piece.text[this.#at];
    if (char === undefined) {
      this.#piece += 1;
      this.#at = 0;
      if (piece.literal !== undefined) return { kind: 'string', text: piece.literal };
      if (depth > 0) throw new BadCommand(this.#tag, 'Missing ")"');
      return undefined;
    }
    if (char === '(') return this.#list(depth);
    if (char === ')') {
      if (depth === 0) throw new BadCommand(this.#tag, 'Unexpected ")"');
      this.#at += 1;
      return undefined;
    }
    return char === '"' ? this.#quoted(piece.text) : this.#atom(piece.text);
  }

  #list(depth: number): Value {
    this.#at += 1;
    const items: Value[] = [];
    for (;;) {
      const value = this.#next(depth + 1);
      if (value === undefined) return { kind: 'list', items };
      items.push(value);
    }
  }

  #quoted(text: string): Value {
    const match = /^"((?:[^"\\]|\\["\\])*)"/.exec(text.slice(this.#at));
    if (match === null) throw new BadCommand(this.#tag, 'Missing """');
    this.#at += match[0].length;
    return { kind: 'string', text: (match[1] ?? '').replace(/\\(.)/g, '$1') };
  }

  /** `BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.100>` is one. */
  #atom(text: string): Value {
    const match = /^(?:\[[^\]]*\]|[^\s()"[])+/.exec(text.slice(this.#at));
    if (match === null) throw new BadCommand(this.#tag, 'Invalid characters in atom');
    this.#at += match[0].length;
    return { kind: 'atom', text: match[0] };
  }
}

export function textOf(value: Value | undefined): string | undefined {
  return value === undefined || value.kind === 'list' ? undefined : value.text;
}

/** A string as the server sends it: quoted when it can be, else a literal. */
export function quote(text: string): string {
  return /[\u0000\r\n\u0080-\u00ff]/.test(text) ? `{${text.length}}\r\n${text}` : `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
