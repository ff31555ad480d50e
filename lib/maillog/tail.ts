// Reads a log from where the last reading ended, through rotation: nothing twice, and nothing lost that is still on disk.
//
// What was read is known by device, inode, offset and a hash of the file's first bytes. When the file is another one now, the old one
// is looked for beside it (renamed, copied, compressed), read to its end, then those that came in between, then the new one.
// copytruncate loses what was written between its copy and its truncation: the system lost that, not we; it is told as truncated.
//
// A last line without its line end is left for the next time, unless its file is finished.

import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, readdirSync, readSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';

/** How far a log has been read. JSON. */
export interface Place {
  readonly dev: number;
  readonly ino: number;
  /** Bytes read, up to the end of a line. */
  readonly offset: number;
  /** SHA-256 of the first `headBytes`, hex. */
  readonly head: string;
  readonly headBytes: number;
  /** When the file had last been written to by then, epoch ms: what is newer among the old files has not been read. */
  readonly mtimeMs: number;
}

/** A place as it comes back from JSON; undefined for what is none. */
export function parsePlace(value: unknown): Place | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { dev, ino, offset, head, headBytes, mtimeMs } = value as Readonly<Record<string, unknown>>;
  const numbers = [dev, ino, offset, headBytes, mtimeMs];
  const isPlace = typeof head === 'string' && numbers.every(each => typeof each === 'number' && Number.isFinite(each));
  return isPlace ? (value as Place) : undefined;
}

export interface TailOptions {
  /** Where a log that was never read is begun. */
  readonly from: 'start' | 'end';
  /** Takes the log's bytes as they come; the buffer is used again. */
  readonly take: (chunk: Buffer) => void;
  /** Called when a file that is finished has been read to its end. */
  readonly finished: () => void;
}

export interface Tailed {
  /** Undefined: there is no such file, and never was. */
  readonly place: Place | undefined;
  readonly bytes: number;
  /** Of the file itself, when it is there. */
  readonly facts: { readonly size: number; readonly mtimeMs: number } | undefined;
  /** What happened to the file since the last reading: `rotated`, `truncated`, `lost` (the old file could not be found). */
  readonly events: readonly ('rotated' | 'truncated' | 'lost')[];
}

/** 64 KiB fit the processor's cache; larger chunks are slower. */
const CHUNK = 64 * 1024;
const HEAD_BYTES = 256;
/** What goes on so long without a line end is no log; it is handed out in pieces. */
const ENDLESS = 1024 * 1024;
const NEWLINE = 0x0a;

/** @throws the system's error when the file is there and cannot be read */
export async function tail(file: string, place: Place | undefined, options: TailOptions): Promise<Tailed> {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    // Between the renaming and the making of the new file there is none.
    if (codeOf(error) === 'ENOENT') return { place, bytes: 0, facts: undefined, events: [] };
    throw error;
  }
  try {
    const facts = fstatSync(fd);
    if (place === undefined) return begin(fd, facts, options);
    const isSame = facts.dev === place.dev && facts.ino === place.ino;
    // Of an empty file nothing is known by which it could be told from the next empty one.
    const isKnown = place.headBytes > 0 || newerThan(place, file, facts).length === 0;
    if (isSame && isKnown && facts.size >= place.offset && headOf(fd, place.headBytes) === place.head) {
      const read = readFrom(fd, place.offset, options.take);
      return tailed(fd, facts, place.offset + read, read, []);
    }
    const before = await readOld(file, facts, place, options);
    const read = readFrom(fd, 0, options.take);
    const event = isSame ? 'truncated' : 'rotated';
    return tailed(fd, facts, read, before.bytes + read, before.isFound ? [event] : [event, 'lost']);
  } finally {
    closeSync(fd);
  }
}

function begin(fd: number, facts: Stats, { from, take }: TailOptions): Tailed {
  if (from === 'end') return tailed(fd, facts, endOfLines(fd, facts.size), 0, []);
  const read = readFrom(fd, 0, take);
  return tailed(fd, facts, read, read, []);
}

function tailed(fd: number, { dev, ino, size, mtimeMs }: Stats, offset: number, bytes: number, events: Tailed['events']): Tailed {
  const headBytes = Math.min(HEAD_BYTES, offset);
  return {
    place: { dev, ino, offset, head: headOf(fd, headBytes) ?? '', headBytes, mtimeMs },
    bytes,
    facts: { size, mtimeMs },
    events,
  };
}

/** Hands out whole lines from `offset` on. @returns how many bytes that were */
function readFrom(fd: number, offset: number, take: (chunk: Buffer) => void): number {
  const buffer = Buffer.allocUnsafe(CHUNK);
  let rest = Buffer.alloc(0);
  let at = offset;
  let given = 0;
  for (;;) {
    const count = readSync(fd, buffer, 0, CHUNK, at);
    if (count === 0) return given;
    at += count;
    const end = buffer.subarray(0, count).lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      rest = Buffer.concat([rest, buffer.subarray(0, count)]);
      if (rest.length < ENDLESS) continue;
      take(rest);
      given += rest.length;
      rest = Buffer.alloc(0);
      continue;
    }
    if (rest.length > 0) take(rest);
    take(buffer.subarray(0, end));
    given += rest.length + end;
    rest = Buffer.from(buffer.subarray(end, count));
  }
}

/** The end of the last whole line. */
function endOfLines(fd: number, size: number): number {
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - CHUNK);
    const count = readSync(fd, buffer, 0, end - from, from);
    const newline = buffer.subarray(0, count).lastIndexOf(NEWLINE);
    if (newline >= 0) return from + newline + 1;
    end = from;
  }
  return 0;
}

function headOf(fd: number, bytes: number): string | undefined {
  const buffer = Buffer.alloc(bytes);
  return readSync(fd, buffer, 0, bytes, 0) < bytes ? undefined : hashOf(buffer);
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

interface Sibling {
  readonly path: string;
  readonly facts: Stats;
  readonly isCompressed: boolean;
}

/** The rest of the file that was read last, and whole the ones that came after it and are finished. */
async function readOld(
  file: string,
  now: Stats,
  place: Place,
  options: TailOptions,
): Promise<{ readonly isFound: boolean; readonly bytes: number }> {
  const siblings = siblingsOf(file, now);
  const old = await findOld(siblings, place);
  let bytes = old === undefined ? 0 : await readWhole(old, place.offset, options);
  // In the order of their last lines: a file's time stays as it was when it was renamed or compressed.
  const since = old?.facts.mtimeMs ?? place.mtimeMs;
  for (const each of siblings) {
    if (each !== old && each.facts.mtimeMs > since && !(old !== undefined && isCopyOf(each, old)))
      bytes += await readWhole(each, 0, options);
  }
  return { isFound: old !== undefined || place.offset === 0, bytes };
}

function newerThan(place: Place, file: string, now: Stats): readonly Sibling[] {
  return siblingsOf(file, now).filter(({ facts }) => facts.mtimeMs > place.mtimeMs);
}

/** Files whose name begins with the log's: `mail.log.1`, `mail.log-20261122.gz`; oldest first. */
function siblingsOf(file: string, now: Stats): readonly Sibling[] {
  const folder = dirname(file);
  const name = basename(file);
  return readdirSync(folder)
    .filter(each => each.startsWith(name) && /^[.-](?:\d[\d.T:-]*|old|prev)(?:\.gz)?$/.test(each.slice(name.length)))
    .flatMap(each => {
      const path = join(folder, each);
      const facts = statSync(path, { throwIfNoEntry: false });
      return facts?.isFile() === true && facts.ino !== now.ino ? [{ path, facts, isCompressed: each.endsWith('.gz') }] : [];
    })
    .sort((a, b) => a.facts.mtimeMs - b.facts.mtimeMs);
}

/** By its first bytes, the one of the same inode first: an inode may have been given to another file meanwhile. */
async function findOld(siblings: readonly Sibling[], place: Place): Promise<Sibling | undefined> {
  // An empty file cannot be told from another; all that is newer is read from its beginning anyway.
  if (place.headBytes === 0) return undefined;
  const isRenamed = ({ facts }: Sibling) => facts.dev === place.dev && facts.ino === place.ino;
  for (const each of [...siblings.filter(isRenamed), ...[...siblings].reverse()]) {
    if (!each.isCompressed && each.facts.size < place.offset) continue;
    const head = await firstBytes(each, place.headBytes);
    if (head !== undefined && hashOf(head) === place.head) return each;
  }
  return undefined;
}

/** The same file once more, as it is while it is being compressed. */
function isCopyOf(one: Sibling, other: Sibling): boolean {
  const plain = (path: string) => path.replace(/\.gz$/, '');
  return one.isCompressed !== other.isCompressed && plain(one.path) === plain(other.path);
}

async function firstBytes(sibling: Sibling, bytes: number): Promise<Buffer | undefined> {
  try {
    const parts: Buffer[] = [];
    let have = 0;
    for await (const chunk of streamOf(sibling, bytes)) {
      parts.push(chunk);
      have += chunk.length;
      if (have >= bytes) break;
    }
    return have < bytes ? undefined : Buffer.concat(parts).subarray(0, bytes);
  } catch {
    return undefined;
  }
}

async function readWhole(sibling: Sibling, offset: number, { take, finished }: TailOptions): Promise<number> {
  let skip = offset;
  let bytes = 0;
  try {
    for await (const chunk of streamOf(sibling)) {
      const part = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - part.length;
      if (part.length === 0) continue;
      take(part);
      bytes += part.length;
    }
  } catch {
    // A compressed file that is cut off: what came before counts.
  }
  finished();
  return bytes;
}

async function* streamOf({ path, isCompressed }: Sibling, least = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  const stream = createReadStream(path, { highWaterMark: Math.min(CHUNK, Math.max(1024, least)) });
  const source: AsyncIterable<unknown> = isCompressed ? stream.pipe(createGunzip()) : stream;
  try {
    for await (const chunk of source) if (Buffer.isBuffer(chunk)) yield chunk;
  } finally {
    stream.destroy();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
