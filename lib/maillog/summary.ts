// What logs held, as finished data: by interval and in all, sizes, delays, and who sends and receives most. Pure.

import { printable } from '../model/printable.ts';
import type { Ranked } from '../model/reading.ts';
import { type Book, DELAYS, SIZES } from './book.ts';
import { addTo, type Counters, named, newRow, type Row } from './counters.ts';
import type { Family, Reader } from './reader.ts';

/** How many were at most so large or late, and larger or later than the class before; `upTo` is absent in the last class. */
export interface Class {
  readonly upTo?: number;
  readonly count: number;
}

/** Parts of a delay as Postfix logs them; seconds. */
export interface DelayPart {
  readonly name: 'before the queue manager' | 'in the queue manager' | 'connecting' | 'sending';
  readonly mean: number;
  readonly most: number;
}

export interface Interval {
  /** Its beginning, epoch ms. */
  readonly fromAt: number;
  /** What the log's own clock shows then: `2026-11-22 08:00`. */
  readonly from: string;
  readonly counters: Counters;
}

export interface Summary {
  readonly v: 1;
  /** Minutes of the first and of the last line, epoch ms; absent when there was none. */
  readonly firstAt?: number;
  readonly lastAt?: number;
  /** Lines that do not begin with a time stamp. */
  readonly unstamped: number;
  readonly families: Readonly<Partial<Record<Family, { readonly lines: number; readonly understood: number }>>>;
  readonly totals: Counters;
  readonly intervals: readonly Interval[];
  /** Messages by size, bytes. */
  readonly sizes: readonly Class[];
  /** Deliveries by the time from arrival; seconds. */
  readonly delays: {
    readonly count: number;
    readonly mean: number;
    readonly most: number;
    readonly classes: readonly Class[];
    readonly parts: readonly DelayPart[];
  };
  readonly top: Readonly<Record<Top, readonly Ranked[]>>;
  /** How many different ones there were. */
  readonly different: Readonly<Record<Top, number>>;
}

const TOPS = ['senders', 'senderDomains', 'recipientDomains', 'troubledDomains', 'clients'] as const;
export type Top = (typeof TOPS)[number];

export interface SummaryOptions {
  /** Length of an interval, ms: a part of an hour, or whole hours that make up a day, or whole days. */
  readonly intervalMs: number;
  /** Names of each kind. */
  readonly top: number;
}

export function summaryOf(reader: Reader, { intervalMs, top }: SummaryOptions): Summary {
  const { book } = reader;
  const ranks = (count: (names: ReadonlyMap<string, number>) => unknown) =>
    Object.fromEntries(TOPS.map(name => [name, count(book[name])]));
  return {
    v: 1,
    ...(Number.isFinite(book.firstAt) ? { firstAt: book.firstAt, lastAt: book.lastAt } : {}),
    unstamped: reader.unstamped,
    families: Object.fromEntries(reader.families()),
    totals: named(book.total()),
    intervals: intervalsOf(book, intervalMs),
    sizes: classesOf(book.sizes, SIZES),
    delays: {
      count: book.delayCount,
      mean: book.delayCount === 0 ? 0 : thousandths(book.delaySum / book.delayCount),
      most: book.delayMost,
      classes: classesOf(book.delays, DELAYS),
      parts: partsOf(book),
    },
    top: ranks(names => largest(names, top)) as Summary['top'],
    different: ranks(names => names.size) as Summary['different'],
  };
}

function intervalsOf(book: Book, intervalMs: number): readonly Interval[] {
  const merged = new Map<number, { row: Row; offsetMs: number }>();
  for (const [at, { row, offsetMs }] of book.rows) {
    const fromAt = Math.floor((at + offsetMs) / intervalMs) * intervalMs - offsetMs;
    const sum = merged.get(fromAt) ?? { row: newRow(), offsetMs };
    addTo(sum.row, row);
    merged.set(fromAt, sum);
  }
  return [...merged]
    .sort(([a], [b]) => a - b)
    .map(([fromAt, { row, offsetMs }]) => ({ fromAt, from: clockText(fromAt + offsetMs), counters: named(row) }));
}

function clockText(localMs: number): string {
  return new Date(localMs).toISOString().slice(0, 16).replace('T', ' ');
}

function classesOf(counts: readonly number[], ends: readonly number[]): readonly Class[] {
  return counts.map((count, i) => {
    const upTo = ends[i];
    return upTo === undefined ? { count } : { upTo, count };
  });
}

const PARTS = ['before the queue manager', 'in the queue manager', 'connecting', 'sending'] as const;

function partsOf({ parts: { count, sums, most } }: Book): readonly DelayPart[] {
  if (count === 0) return [];
  return PARTS.map((name, i) => ({ name, mean: thousandths((sums[i] ?? 0) / count), most: most[i] ?? 0 }));
}

function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** The most frequent, then by name. They come from strangers: made printable here, so that no reader of the summary need do it. */
function largest(names: ReadonlyMap<string, number>, most: number): readonly Ranked[] {
  return [...names]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([name, count]) => ({ name: printable(decoded(name), 120), count }));
}

/** Logs are read byte by byte; an address may be UTF-8 (RFC 6531). */
function decoded(name: string): string {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? name : text;
}
