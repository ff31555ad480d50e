// Reads mail logs line by line: whose line it is, when it was written, and into the book with it. Never throws for what a line holds.

import { Book } from './book.ts';
import { AT } from './counters.ts';
import { isDovecot, readDovecot } from './dovecot.ts';
import { readExim } from './exim.ts';
import { postfixReader, type Skim } from './postfix.ts';
import { codesOf, hasAt } from './scan.ts';
import { isSendmail, readSendmail } from './sendmail.ts';
import { Stamps } from './stamp.ts';

export const FAMILIES = ['postfix', 'exim', 'sendmail', 'dovecot'] as const;
export type Family = (typeof FAMILIES)[number];

export interface ReaderOptions {
  /** Span of a row; ms. */
  readonly spanMs: number;
  readonly withNames: boolean;
  /** When the log was last written to, epoch ms: for stamps without a year. */
  readonly reference: number;
  /** Lines before this are not counted, nor are lines from `until` on; epoch ms. */
  readonly since?: number;
  readonly until?: number;
}

type Read = (line: string, from: number, book: Book) => boolean;

/** A program that writes to the log, and how many of its lines there were. */
interface Program {
  readonly name: string;
  readonly codes: Uint16Array;
  readonly family: Family | undefined;
  /** Undefined: its lines are not read. */
  readonly read?: Read;
  readonly skim?: Skim;
  lines: number;
  understood: number;
}

/** More programs than any log has; names may be a stranger's doing where anybody can write to syslog. */
const MOST_PROGRAMS = 500;

export class Reader {
  readonly book: Book;
  /** Lines without a stamp that can be read. */
  unstamped = 0;
  #stamps: Stamps;
  readonly #since: number;
  readonly #until: number;
  readonly #programs = new Map<string, Program>();
  readonly #others = newProgram('(others)');
  readonly #exim = newProgram('exim');
  readonly #dovecot = newProgram('dovecot');
  /** Postfix' busiest daemons by two letters of their names: most lines of most logs are theirs. */
  readonly #busy: (Program | undefined)[] = new Array<Program | undefined>(KEYS).fill(undefined);
  /** Other programs by the first letter of their names: the one that wrote last. */
  readonly #recent: (Program | undefined)[] = new Array<Program | undefined>(32).fill(undefined);

  constructor(options: ReaderOptions) {
    this.book = new Book(options);
    this.#stamps = new Stamps(options.reference);
    this.#since = options.since ?? Number.NEGATIVE_INFINITY;
    this.#until = options.until ?? Number.POSITIVE_INFINITY;
    for (const name of BUSY.map(each => `postfix/${each}`))
      this.#busy[keyAt(`${name}[`, 0)] = { ...newProgram(name), codes: codesOf(name.slice(POSTFIX)) };
  }

  /** Reads a line, which stands in the text from `from` up to `to`, without its line end. */
  line(text: string, from: number, to: number): void {
    if (from === to) return;
    const stamps = this.#stamps;
    if (!stamps.read(text, from, to)) {
      this.unstamped += 1;
      return;
    }
    if ((stamps.minuteAt < this.#since || stamps.minuteAt + 60_000 > this.#until) && !this.#isAskedFor(text, from)) return;
    const { book } = this;
    book.at(stamps.minuteAt, stamps.offsetMs);
    book.count(AT.lines);
    const head = stamps.rest;
    const program = this.#busy[keyAt(text, head)];
    // `postfix` itself is not compared: another instance's name of as many letters is as good.
    if (program !== undefined && hasAt(text, program.codes, head + POSTFIX)) {
      const body = behindPid(text, head + POSTFIX + program.codes.length);
      if (body >= 0) {
        this.#read(program, text, from, to, body);
        return;
      }
    }
    this.#general(text, from, to, head);
  }

  /** Another file of the log begins, or goes on; `reference` as in the options. */
  begin(reference: number): void {
    this.#stamps = new Stamps(reference);
  }

  #isAskedFor(text: string, from: number): boolean {
    const at = this.#stamps.minuteAt + this.#stamps.seconds(text, from) * 1000;
    return at >= this.#since && at < this.#until;
  }

  /** Lines of each family, and of these the ones that are understood. */
  families(): ReadonlyMap<Family, { readonly lines: number; readonly understood: number }> {
    const found = new Map<Family, { lines: number; understood: number }>();
    for (const { family, lines, understood } of this.#all()) {
      if (family === undefined || lines === 0) continue;
      const sum = found.get(family) ?? { lines: 0, understood: 0 };
      found.set(family, { lines: sum.lines + lines, understood: sum.understood + understood });
    }
    return found;
  }

  /** Programs whose lines are not read, and how many there were. */
  foreign(): ReadonlyMap<string, number> {
    return new Map(
      this.#all().flatMap(({ name, family, lines }) => (family === undefined && lines > 0 ? [[name, lines] as const] : [])),
    );
  }

  #all(): readonly Program[] {
    return [
      ...this.#programs.values(),
      ...this.#busy.filter(each => each !== undefined),
      this.#others,
      this.#exim,
      this.#dovecot,
    ];
  }

  #general(text: string, from: number, to: number, head: number): void {
    if (text.charCodeAt(from + 10) === 0x20 && text.charCodeAt(from + 4) === 0x2d) {
      this.#read(this.#exim, text, from, to, head);
      return;
    }
    const recent = this.#recent[text.charCodeAt(head) & 0x1f];
    if (recent !== undefined && hasAt(text, recent.codes, head)) {
      const body = behindName(text, head + recent.codes.length);
      if (body >= 0) {
        this.#read(recent, text, from, to, body);
        return;
      }
    }
    this.#unfamiliar(text.slice(from, to), head - from);
  }

  /** A program that was not met before, or whose lines are not like most. */
  #unfamiliar(line: string, head: number): void {
    const read = (program: Program, body: number) => this.#read(program, line, 0, line.length, body);
    const colon = line.indexOf(': ', head);
    // Dovecot's own log has no host name: what was taken for one is its service.
    const service = line.lastIndexOf(' ', head - 2) + 1;
    if (colon < 0 || colon > head + 100) {
      read(isDovecot(line, service) ? this.#dovecot : this.#others, service);
      return;
    }
    const end = line.charCodeAt(colon - 1) === 0x5d ? line.lastIndexOf('[', colon) : colon;
    const program = this.#programOf(line.slice(head, end));
    if (program.read === undefined && isDovecot(line, service)) {
      read(this.#dovecot, service);
      return;
    }
    // A level of Dovecot's own log is no program, even when the line before it is cut off.
    if (!/^(?:Info|Debug|Warning|Error|Fatal|Panic)$/.test(program.name)) this.#recent[line.charCodeAt(head) & 0x1f] = program;
    read(program, colon + 2);
  }

  #read(program: Program, text: string, from: number, to: number, body: number): void {
    program.lines += 1;
    if (program.read === undefined) this.book.count(AT.foreignLines);
    else if (program.skim?.(text, body, this.book) === true || program.read(text.slice(from, to), body - from, this.book))
      program.understood += 1;
    else this.book.count(AT.unknownLines);
  }

  #programOf(name: string): Program {
    const known = this.#programs.get(name);
    if (known !== undefined) return known;
    if (this.#programs.size >= MOST_PROGRAMS) return this.#others;
    // The name may be a window on the whole chunk.
    const program = newProgram(Buffer.from(name, 'latin1').toString('latin1'));
    this.#programs.set(program.name, program);
    return program;
  }
}

/** `[123]: `: where the text begins behind it; -1 when it is not so. */
function behindPid(text: string, from: number): number {
  if (text.charCodeAt(from) !== 0x5b) return -1;
  for (let i = from + 1; ; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x30 && code <= 0x39) continue;
    return code === 0x5d && text.charCodeAt(i + 1) === 0x3a && text.charCodeAt(i + 2) === 0x20 ? i + 3 : -1;
  }
}

/** `[123]: `, or `: `. */
function behindName(text: string, from: number): number {
  if (text.charCodeAt(from) === 0x3a && text.charCodeAt(from + 1) === 0x20) return from + 2;
  return behindPid(text, from);
}

const POSTFIX = 'postfix'.length;

/** So many keys there may be. An array with gaps would be a hash table. */
const KEYS = 32 * 128;

/** Two letters of a name behind `postfix/`, as one number: no two of the busiest have both in common. */
function keyAt(line: string, from: number): number {
  return (line.charCodeAt(from + 8) & 0x1f) * 128 + (line.charCodeAt(from + 12) & 0x7f);
}

const BUSY = [
  'smtpd',
  'smtp',
  'submission/smtpd',
  'smtps/smtpd',
  'cleanup',
  'qmgr',
  'lmtp',
  'local',
  'pipe',
  'postscreen',
  'virtual',
];

function newProgram(name: string): Program {
  return { name, codes: codesOf(name), ...manners(name), lines: 0, understood: 0 };
}

/** How a program's lines are read. */
function manners(name: string): Pick<Program, 'family' | 'read' | 'skim'> {
  const postfix = postfixReader(name);
  if (postfix !== undefined) return { family: 'postfix', ...postfix };
  if (/^exim4?$/.test(name)) return { family: 'exim', read: readEximBySyslog };
  if (isSendmail(name)) return { family: 'sendmail', read: readSendmail };
  return name === 'dovecot' ? { family: 'dovecot', read: readDovecot } : { family: undefined };
}

/** Unless syslog_timestamp is off, Exim's own stamp follows syslog's. */
function readEximBySyslog(line: string, from: number, book: Book): boolean {
  const own = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})? /.exec(line.slice(from, from + 40))?.[0];
  return readExim(line, from + (own?.length ?? 0), book);
}
