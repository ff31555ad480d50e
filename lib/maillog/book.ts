// The book that log readers write into: counters by time, who sends and receives most, sizes, delays, and what is known of messages that
// are under way. Memory is bounded whatever the log holds.

import { addTo, newRow, type Row } from './counters.ts';

/** What is known of a message until its log says that it has left. */
export interface Message {
  /** Bytes; -1 until it is known. */
  size: number;
  /** It came in here, and was not made by a forward. */
  isReceived: boolean;
  isDeferred: boolean;
}

/** Upper ends of size classes, bytes. */
export const SIZES = [1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216] as const;
/** Upper ends of delay classes, seconds. */
export const DELAYS = [1, 10, 60, 600, 3600, 21_600, 86_400] as const;

/** Parts of a delay as Postfix logs them: before the queue manager, in it, connecting, sending. @see postconf(5), delay_logging_resolution_limit */
export interface DelayParts {
  count: number;
  readonly sums: [number, number, number, number];
  readonly most: [number, number, number, number];
}

const HOUR_MS = 3_600_000;
const MOST_MESSAGES = 200_000;
const MOST_NAMES = 100_000;
/** Two years of quarter hours. A log that names more is no log; the rest is counted into the last of them. */
const MOST_ROWS = 70_000;

export interface BookOptions {
  /** Span of a row, at most an hour; ms. */
  readonly spanMs: number;
  /** Whether names are counted; without, only numbers are. */
  readonly withNames: boolean;
}

export class Book {
  /** Counters of the span that the line under way belongs to. */
  row: Row = newRow();
  /** By the beginning of the span, epoch ms. */
  readonly rows = new Map<number, { readonly row: Row; readonly offsetMs: number }>();
  readonly withNames: boolean;
  readonly senders = new Map<string, number>();
  readonly senderDomains = new Map<string, number>();
  /** By deliveries. */
  readonly recipientDomains = new Map<string, number>();
  /** Recipients' domains by tries that ended with "later", and recipients given up. */
  readonly troubledDomains = new Map<string, number>();
  readonly clients = new Map<string, number>();
  readonly sizes: number[] = SIZES.map(() => 0).concat(0);
  readonly delays: number[] = DELAYS.map(() => 0).concat(0);
  readonly parts: DelayParts = { count: 0, sums: [0, 0, 0, 0], most: [0, 0, 0, 0] };
  delayMost = 0;
  delaySum = 0;
  delayCount = 0;
  readonly messages = new Map<string, Message>();
  /** First and last minute that was seen, epoch ms. */
  firstAt = Number.POSITIVE_INFINITY;
  lastAt = Number.NEGATIVE_INFINITY;
  readonly #spanMs: number;
  #from = Number.NaN;
  #to = Number.NaN;

  constructor({ spanMs, withNames }: BookOptions) {
    this.#spanMs = Math.min(spanMs, HOUR_MS);
    this.withNames = withNames;
  }

  /** Opens the row of an instant; spans begin with the log's own clock. */
  at(minuteAt: number, offsetMs: number): void {
    if (minuteAt < this.firstAt) this.firstAt = minuteAt;
    if (minuteAt > this.lastAt) this.lastAt = minuteAt;
    if (minuteAt >= this.#from && minuteAt < this.#to) return;
    const from = Math.floor((minuteAt + offsetMs) / this.#spanMs) * this.#spanMs - offsetMs;
    this.#from = from;
    this.#to = from + this.#spanMs;
    let known = this.rows.get(from);
    if (known === undefined) {
      if (this.rows.size >= MOST_ROWS) return;
      known = { row: newRow(), offsetMs };
      this.rows.set(from, known);
    }
    this.row = known.row;
  }

  count(counter: number, n = 1): void {
    this.row[counter] = (this.row[counter] ?? 0) + n;
  }

  /** A message by its id, made when it is not known yet. */
  message(id: string): Message {
    const known = this.messages.get(id);
    if (known !== undefined) return known;
    if (this.messages.size >= MOST_MESSAGES) this.#forget();
    const message: Message = { size: -1, isReceived: false, isDeferred: false };
    this.messages.set(own(id), message);
    return message;
  }

  /** The oldest have had their day: their lines of leaving were lost, or are in another file. Many at once: a Map finds its first slowly. */
  #forget(): void {
    let left = MOST_MESSAGES / 10;
    for (const id of this.messages.keys()) {
      this.messages.delete(id);
      left -= 1;
      if (left <= 0) return;
    }
  }

  sized(size: number): void {
    const sizes = this.sizes;
    let group = 0;
    while (group < SIZES.length && size > (SIZES[group] ?? 0)) group += 1;
    sizes[group] = (sizes[group] ?? 0) + 1;
  }

  /** Seconds from arrival to delivery. */
  delayed(seconds: number): void {
    let group = 0;
    while (group < DELAYS.length && seconds > (DELAYS[group] ?? 0)) group += 1;
    this.delays[group] = (this.delays[group] ?? 0) + 1;
    this.delayCount += 1;
    this.delaySum += seconds;
    if (seconds > this.delayMost) this.delayMost = seconds;
  }

  total(): Row {
    const sum = newRow();
    for (const { row } of this.rows.values()) addTo(sum, row);
    return sum;
  }
}

/** Counts a name. It may be a part of a chunk of the log, which it would hold in memory: a new one is copied. */
export function countName(names: Map<string, number>, name: string, n = 1): void {
  const known = names.get(name);
  if (known !== undefined) names.set(name, known + n);
  else if (names.size < MOST_NAMES) names.set(own(name), n);
  else names.set('(others)', (names.get('(others)') ?? 0) + n);
}

/** A string of its own. In V8 a slice of 13 characters or more is a window on the text that it was cut from; a sum is a text of its own. */
function own(text: string): string {
  return text.length < 13 ? text : ` ${text}`.slice(1);
}
