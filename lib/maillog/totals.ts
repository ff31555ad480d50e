// Counters that only grow: what a log has brought since it was read for the first time. Each step reads on from where the last one
// ended, whatever rotation did in between.
//
// STATE/maillog/<log>.json holds counters and place together and is replaced as a whole: a step that is killed, or that meets another
// one, has counted everything or nothing.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { putAside, replaceFile } from '../record/replace.ts';
import { type Book, DELAYS, type Message, SIZES } from './book.ts';
import { COUNTERS, type CounterName, type Counters, named } from './counters.ts';
import { Spans } from './lines.ts';
import { Reader } from './reader.ts';
import { type Place, parsePlace, tail } from './tail.ts';

/** So many messages under way are kept between two steps, the newest: of others the bytes delivered are not known. */
const MOST_MESSAGES = 50_000;
const HOUR_MS = 3_600_000;

export interface Totals {
  /** Absolute path of the log. */
  readonly log: string;
  /** When it was first read, epoch ms. */
  readonly sinceAt: number;
  /** The last step, epoch ms. */
  readonly at: number;
  readonly counters: Counters;
  /** Messages by size class, deliveries by delay class: as in the book, the last one without end. */
  readonly sizes: readonly number[];
  readonly delays: readonly number[];
  /** Seconds, of all deliveries together. */
  readonly delaySum: number;
}

export interface Step {
  readonly totals: Totals;
  /** What this step brought, and since when; ms. The first step has no span. */
  readonly brought: Counters;
  readonly spanMs: number | undefined;
  /** What happened to the log: `rotated`, `truncated`, `lost` (lines from before a rotation could not be found). */
  readonly events: readonly ('rotated' | 'truncated' | 'lost')[];
  /** The totals that were there could not be read, were put aside, and counting began anew. */
  readonly isAnew: boolean;
}

interface Kept {
  readonly totals: Totals;
  readonly place: Place | undefined;
  readonly messages: ReadonlyMap<string, Message>;
}

/**
 * Reads on. The first step takes what the log holds now.
 *
 * @returns undefined when there is no such log
 * @throws the system's error when it cannot be read
 * @throws {NotWritten} when the state cannot be kept: then nothing was counted
 */
export async function step(log: string, state: string, at: number): Promise<Step | undefined> {
  const path = resolve(log);
  const file = stateFile(state, path);
  const before = load(file, path);
  const reader = new Reader({ spanMs: HOUR_MS, withNames: false, reference: at });
  const { book } = reader;
  for (const [id, message] of before.kept?.messages ?? []) book.messages.set(id, message);
  const spans = new Spans((text, from, to) => reader.line(text, from, to));
  const { place, events, facts } = await tail(path, before.kept?.place, {
    from: 'start',
    take: chunk => spans.add(chunk),
    finished: () => spans.end(),
  });
  if (facts === undefined && place === undefined) return undefined;
  spans.end();
  const brought = named(book.total());
  const totals = sum(before.kept?.totals ?? nothing(path, at), brought, book, at);
  replaceFile(file, textOf({ totals, place, messages: book.messages }));
  const last = before.kept?.totals.at;
  return { totals, brought, spanMs: last === undefined ? undefined : at - last, events, isAnew: before.isBroken };
}

function nothing(log: string, at: number): Totals {
  const counters = Object.fromEntries(COUNTERS.map(name => [name, 0])) as Record<CounterName, number>;
  return { log, sinceAt: at, at, counters, sizes: zeros(SIZES), delays: zeros(DELAYS), delaySum: 0 };
}

function sum(old: Totals, brought: Counters, book: Book, at: number): Totals {
  const counters = Object.fromEntries(COUNTERS.map(name => [name, (old.counters[name] ?? 0) + brought[name]]));
  return {
    log: old.log,
    sinceAt: old.sinceAt,
    at,
    counters: counters as Record<CounterName, number>,
    sizes: book.sizes.map((count, i) => count + (old.sizes[i] ?? 0)),
    delays: book.delays.map((count, i) => count + (old.delays[i] ?? 0)),
    delaySum: old.delaySum + book.delaySum,
  };
}

/** The log's own name for people, a hash of its path for those that share one. */
function stateFile(state: string, path: string): string {
  const name = basename(path)
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 60);
  return join(state, 'maillog', `${name}-${createHash('sha256').update(path).digest('hex').slice(0, 8)}.json`);
}

/** Ids first, then sizes and flags: a tenth of the text that objects would make. */
function textOf({ totals, place, messages }: Kept): string {
  const newest = [...messages].slice(-MOST_MESSAGES);
  const flags = ({ isReceived, isDeferred }: Message) => (isReceived ? 1 : 0) + (isDeferred ? 2 : 0);
  const underWay = newest.map(([id, message]) => [id, message.size, flags(message)]);
  return `${JSON.stringify({ v: 1, ...totals, place, messages: underWay })}\n`;
}

function load(file: string, log: string): { readonly kept: Kept | undefined; readonly isBroken: boolean } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kept: undefined, isBroken: false };
    throw error;
  }
  const kept = parse(text, log);
  if (kept === undefined) putAside(file);
  return { kept, isBroken: kept === undefined };
}

function parse(text: string, log: string): Kept | undefined {
  let value: Readonly<Record<string, unknown>>;
  try {
    value = (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
  const { sinceAt, at, delaySum, place } = value;
  if (value.v !== 1 || typeof sinceAt !== 'number' || typeof at !== 'number' || typeof delaySum !== 'number') return undefined;
  const given = (value.counters ?? {}) as Readonly<Record<string, unknown>>;
  const counters = Object.fromEntries(COUNTERS.map(name => [name, numberOf(given[name])])) as Record<CounterName, number>;
  const totals = { log, sinceAt, at, counters, sizes: numbersOf(value.sizes), delays: numbersOf(value.delays), delaySum };
  return { totals, place: parsePlace(place), messages: messagesOf(value.messages) };
}

function messagesOf(value: unknown): ReadonlyMap<string, Message> {
  const messages = new Map<string, Message>();
  for (const each of Array.isArray(value) ? value : []) {
    const [id, size, flags] = Array.isArray(each) ? each : [];
    if (typeof id !== 'string' || typeof size !== 'number' || typeof flags !== 'number') continue;
    messages.set(id, { size, isReceived: flags % 2 === 1, isDeferred: flags >= 2 });
  }
  return messages;
}

function numbersOf(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(numberOf) : [];
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function zeros(of: readonly unknown[]): readonly number[] {
  return of.map(() => 0).concat(0);
}
