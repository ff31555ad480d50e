// IMAP's grammar on a line: commands with tags, and responses with literals in them. @see RFC 3501 sections 2.2, 4, 7 and 9
//
// Promises: a literal is no larger than the caller asked for, nesting is bounded, a response that belongs to no command is a fault.

import type { Fault, Reply } from '../model/dialog.ts';
import { printable } from '../model/printable.ts';
import { LINE_BYTES, type Line } from './line.ts';

/** An atom or number as text, a quoted string or literal as bytes, NIL as null, a parenthesised list. */
export type Token = string | Buffer | null | readonly Token[];

/** `* 3 EXISTS`, `* SEARCH 1 2`, `* 12 FETCH (...)`, `* OK [UIDNEXT 7] ...`. */
export interface Untagged {
  /** The word that says what it is, upper case: `EXISTS`, `FETCH`, `OK`. */
  readonly name: string;
  /** The number before it, where there is one. */
  readonly number?: number;
  readonly tokens: readonly Token[];
  /** OK, NO, BAD, BYE, PREAUTH: the response code, and the text after it. */
  readonly code?: string;
  readonly codeArgument?: string;
  readonly text: string;
}

/** The tagged reply of a command and what came before it. */
export interface Completed {
  readonly code?: string;
  readonly codeArgument?: string;
  readonly text: string;
  readonly untagged: readonly Untagged[];
}

export interface CommandOptions {
  /** Replaces the command in the transcript where it bears a secret. */
  readonly shown?: string;
  /** The largest literal we take in an answer; bytes. */
  readonly literal?: number;
  /** The longest line we take in an answer; bytes. */
  readonly line?: number;
  /** What to say to a continuation request; a second one gets an empty line, as XOAUTH2 wants it. */
  readonly answer?: { readonly line: string; readonly shown: string };
}

interface Part {
  readonly text: string;
  readonly literal?: Buffer;
}

/** Untagged responses to one command; a mailbox of 100,000 messages answers SEARCH in one. */
const MOST_RESPONSES = 1000;
/** And of those that tell what others do to messages: somebody may empty or mark a whole mailbox meanwhile. */
const MOST_CHANGES = 15_000;
const MOST_DEPTH = 30;
/** Literals in one response; we never ask for more than one or two. */
const MOST_LITERALS = 50;
const CODE_LENGTH = 40;

export class ImapWire {
  readonly line: Line;
  #tags = 0;

  constructor(line: Line) {
    this.line = line;
  }

  /** The greeting. @throws {Broken} `rejected` for BYE, `garbled` for what is none and for PREAUTH: nobody has logged in yet */
  async greeting(): Promise<Untagged> {
    const first = await this.#response(0);
    if (first.tag !== '*') throw this.line.broken('garbled', `sent what is no IMAP greeting: "${printable(first.raw, 100)}"`);
    const greeting = this.#untagged(first.parts);
    if (greeting.name === 'BYE') throw this.#bye(greeting);
    if (greeting.name === 'PREAUTH')
      throw this.line.broken('garbled', 'says PREAUTH: logged in before we said who we are, and perhaps by an attacker');
    if (greeting.name !== 'OK')
      throw this.line.broken('garbled', `sent what is no IMAP greeting: "${printable(first.raw, 100)}"`);
    return greeting;
  }

  /**
   * Sends a command and reads until its tagged reply.
   *
   * @throws {Broken} `rejected` for NO, BAD and BYE
   */
  async command(text: string, options: CommandOptions = {}): Promise<Completed> {
    const tag = await this.start(text, options.shown);
    return this.finish(tag, options);
  }

  /** Sends a command without waiting. */
  async start(text: string, shown?: string): Promise<string> {
    this.#tags += 1;
    const tag = `h${this.#tags}`;
    await this.line.sendLine(`${tag} ${text}`, shown === undefined ? undefined : `${tag} ${shown}`);
    return tag;
  }

  /** Reads until the tagged reply of a command that was started. */
  async finish(tag: string, options: CommandOptions = {}): Promise<Completed> {
    const untagged: Untagged[] = [];
    let answers = 0;
    for (;;) {
      const response = await this.#response(options.literal ?? LINE_BYTES, options.line);
      if (response.tag === '+') {
        const answer = answers === 0 ? options.answer : { line: '', shown: '' };
        if (options.answer === undefined || answer === undefined || answers > 1)
          throw this.line.broken('garbled', 'asks for more when nothing more is due');
        answers += 1;
        await this.line.sendLine(answer.line, answer.shown);
        continue;
      }
      if (response.tag === '*') {
        const each = this.#untagged(response.parts);
        if (each.name === 'BYE') throw this.#bye(each);
        untagged.push(each);
        this.#limit(untagged, each);
        continue;
      }
      if (response.tag !== tag)
        throw this.line.broken('garbled', `answered a command that we did not send: "${printable(response.raw, 100)}"`);
      return { ...this.#status(response.raw), untagged };
    }
  }

  /** Waits for a continuation request; a tagged reply in its place is the command's refusal. Untagged responses are handed on. */
  async continuation(tag: string): Promise<readonly Untagged[]> {
    const untagged: Untagged[] = [];
    for (;;) {
      const response = await this.#response(LINE_BYTES);
      if (response.tag === '+') return untagged;
      if (response.tag === '*') {
        const each = this.#untagged(response.parts);
        if (each.name === 'BYE') throw this.#bye(each);
        untagged.push(each);
        this.#limit(untagged, each);
        continue;
      }
      if (response.tag === tag) this.#status(response.raw);
      throw this.line.broken('garbled', `answered out of turn: "${printable(response.raw, 100)}"`);
    }
  }

  #limit(untagged: readonly Untagged[], last: Untagged): void {
    const most = last.name === 'EXPUNGE' || last.name === 'FETCH' ? MOST_CHANGES : MOST_RESPONSES;
    if (untagged.length > most) throw this.line.broken('garbled', `sent more than ${most} responses to one command`);
  }

  /** One response that comes unasked, as during IDLE. */
  async unsolicited(): Promise<Untagged> {
    const response = await this.#response(LINE_BYTES);
    if (response.tag !== '*') throw this.line.broken('garbled', `answered out of turn: "${printable(response.raw, 100)}"`);
    const each = this.#untagged(response.parts);
    if (each.name === 'BYE') throw this.#bye(each);
    return each;
  }

  async #response(mostLiteral: number, mostLine = LINE_BYTES): Promise<{ tag: string; raw: string; parts: readonly Part[] }> {
    const parts: Part[] = [];
    let raw = '';
    for (;;) {
      const text = await this.line.readLine(mostLine);
      if (parts.length === 0) raw = text;
      const literal = /\{(\d{1,20})\+?\}$/.exec(text);
      if (literal === null) {
        parts.push({ text });
        break;
      }
      const size = Number(literal[1]);
      if (size > mostLiteral)
        throw this.line.broken('garbled', `announces ${size} bytes where at most ${mostLiteral} were asked for`);
      if (parts.length >= MOST_LITERALS)
        throw this.line.broken('garbled', `sent more than ${MOST_LITERALS} literals in one response`);
      parts.push({ text: text.slice(0, literal.index), literal: await this.line.readBytes(size) });
    }
    const tag = /^(\*|\+|[A-Za-z0-9.]{1,40})(?: |$)/.exec(raw)?.[1];
    if (tag === undefined) throw this.line.broken('garbled', `sent what is no IMAP response: "${printable(raw, 100)}"`);
    return { tag, raw, parts };
  }

  #untagged(parts: readonly Part[]): Untagged {
    const raw = (parts[0]?.text ?? '').slice(2);
    const status = /^(OK|NO|BAD|BYE|PREAUTH)(?: |$)(.*)$/is.exec(raw);
    if (status !== null) return { name: (status[1] as string).toUpperCase(), tokens: [], ...responseCode(status[2] ?? '') };
    const numbered = /^(\d{1,10}) ([A-Z]+)(.*)$/is.exec(raw);
    if (numbered !== null) {
      const rest: Part[] = [{ ...parts[0], text: numbered[3] ?? '' }, ...parts.slice(1)];
      const name = (numbered[2] as string).toUpperCase();
      const tokens = this.#tokens(rest);
      const items = tokens[0];
      if (name === 'FETCH' && !(Array.isArray(items) && items.length % 2 === 0))
        throw this.line.broken('garbled', 'sent a FETCH response that is no list of names and values');
      return { name, number: Number(numbered[1]), tokens, text: '' };
    }
    const named = /^([A-Z][A-Z0-9-]*)(.*)$/is.exec(raw);
    if (named === null) throw this.line.broken('garbled', `sent what is no IMAP response: "${printable(raw, 100)}"`);
    const rest: Part[] = [{ ...parts[0], text: named[2] ?? '' }, ...parts.slice(1)];
    return { name: (named[1] as string).toUpperCase(), tokens: this.#tokens(rest), text: '' };
  }

  #tokens(parts: readonly Part[]): readonly Token[] {
    const [only] = parts;
    // An answer to SEARCH has tens of thousands of words and nothing else.
    if (parts.length === 1 && only !== undefined && !/[()"[\]]/.test(only.text)) return words(only.text);
    const stack: Token[][] = [[]];
    const top = () => stack[stack.length - 1] as Token[];
    for (const part of parts) {
      const pattern = /\s+|(\()|(\))|"((?:[^"\\]|\\.)*)"|((?:[^\s()"[\]]|\[[^\]]*\])+)|(.)/gs;
      for (const found of part.text.matchAll(pattern)) {
        if (found[1] !== undefined) {
          if (stack.length > MOST_DEPTH) throw this.line.broken('garbled', `nests lists more than ${MOST_DEPTH} deep`);
          stack.push([]);
        } else if (found[2] !== undefined) {
          const list = stack.pop();
          if (list === undefined || stack.length === 0) throw this.line.broken('garbled', 'closes a list that it did not open');
          top().push(list);
        } else if (found[3] !== undefined) top().push(Buffer.from(found[3].replace(/\\(.)/gs, '$1'), 'latin1'));
        else if (found[4] !== undefined) top().push(found[4].toUpperCase() === 'NIL' ? null : found[4]);
        else if (found[5] !== undefined) throw this.line.broken('garbled', `sent an unbalanced ${printable(found[5], 10)}`);
      }
      if (part.literal !== undefined) top().push(part.literal);
    }
    if (stack.length !== 1) throw this.line.broken('garbled', 'opens a list that it does not close');
    return top();
  }

  #status(raw: string): Omit<Completed, 'untagged'> {
    const parts = /^\S+ (OK|NO|BAD)(?: |$)(.*)$/is.exec(raw);
    if (parts === null) throw this.line.broken('garbled', `sent what is no IMAP reply: "${printable(raw, 100)}"`);
    const word = (parts[1] as string).toUpperCase();
    const rest = responseCode(parts[2] ?? '');
    if (word === 'OK') return rest;
    const reply: Reply = {
      code: word,
      ...(rest.code === undefined ? {} : { enhanced: rest.code }),
      lines: [printable(parts[2] ?? '', 300)],
    };
    throw this.line.broken(
      'rejected',
      `refused: ${printable(`${word} ${parts[2] ?? ''}`.trim(), 300)}`,
      reply,
      lasting(word, rest.code),
    );
  }

  #bye(bye: Untagged) {
    const words = `BYE ${bye.code === undefined ? '' : `[${bye.code}] `}${bye.text}`.trim();
    const reply: Reply = {
      code: 'BYE',
      ...(bye.code === undefined ? {} : { enhanced: bye.code }),
      lines: [printable(bye.text, 300)],
    };
    return this.line.broken('rejected', `says ${printable(words, 300)}`, reply, 'transient');
  }
}

const NO_TOKENS: readonly Token[] = [];

/** Atoms and NIL, parted by blanks. */
function words(text: string): readonly Token[] {
  if (text === '') return NO_TOKENS;
  const found: Token[] = [];
  for (const word of text.split(/\s+/)) if (word !== '') found.push(word.toUpperCase() === 'NIL' ? null : word);
  return found;
}

/** A quoted string; text that needs one is never sent as a literal, and a line end is refused by the line itself. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function responseCode(rest: string): { code?: string; codeArgument?: string; text: string } {
  const parts = /^\[([A-Z0-9-]+(?:\/[A-Z]+)?)(?: ([^\]]*))?\] ?(.*)$/is.exec(rest);
  if (parts === null) return { text: rest };
  return {
    code: (parts[1] as string).toUpperCase().slice(0, CODE_LENGTH),
    ...(parts[2] === undefined ? {} : { codeArgument: parts[2] }),
    text: parts[3] ?? '',
  };
}

/** @see RFC 5530 */
function lasting(word: string, code: string | undefined): Fault['lasting'] {
  if (code === 'UNAVAILABLE' || code === 'INUSE' || code === 'LIMIT' || code === 'SERVERBUG' || code === 'CONTACTADMIN')
    return 'transient';
  if (
    code === 'AUTHENTICATIONFAILED' ||
    code === 'AUTHORIZATIONFAILED' ||
    code === 'EXPIRED' ||
    code === 'NONEXISTENT' ||
    word === 'BAD'
  )
    return 'permanent';
  return 'unknown';
}
