// Log files and standard input, handed out in chunks: plain or gzip, told apart by their first bytes and not by their names.

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** 64 KiB fit the processor's cache; larger chunks are slower. */
const CHUNK = 64 * 1024;

export type LogRead =
  | { readonly outcome: 'read' }
  /** What came before counts: a compressed file that is cut off, or still being written. */
  | { readonly outcome: 'cut'; readonly why: string }
  | { readonly outcome: 'unreadable'; readonly why: string };

/** When a log was last written to, epoch ms; undefined for what is no file that can be asked. */
export function writtenAt(file: string): number | undefined {
  const facts = statSync(file, { throwIfNoEntry: false });
  return facts?.isFile() === true ? facts.mtimeMs : undefined;
}

/**
 * Hands out a log's bytes from beginning to end; the buffer is used again.
 *
 * @param file a path, or `-` for standard input
 */
export async function readLog(file: string, take: (chunk: Buffer) => void): Promise<LogRead> {
  if (file === '-') return readStream(process.stdin, take);
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    return { outcome: 'unreadable', why: whyOf(error) };
  }
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    let count = readSync(fd, buffer, 0, CHUNK, null);
    const packer = packerOf(buffer.subarray(0, count));
    if (packer === 'gzip') return await readStream(Readable.from(chunksOf(fd, buffer, count)), take);
    if (packer !== undefined) return { outcome: 'unreadable', why: notUnpacked(packer) };
    for (; count > 0; count = readSync(fd, buffer, 0, CHUNK, null)) take(buffer.subarray(0, count));
    return { outcome: 'read' };
  } catch (error) {
    return { outcome: 'unreadable', why: whyOf(error) };
  } finally {
    closeSync(fd);
  }
}

function* chunksOf(fd: number, buffer: Buffer, first: number): Generator<Buffer> {
  for (let count = first; count > 0; count = readSync(fd, buffer, 0, CHUNK, null)) yield Buffer.from(buffer.subarray(0, count));
}

async function readStream(stream: Readable, take: (chunk: Buffer) => void): Promise<LogRead> {
  const chunks = stream[Symbol.asyncIterator]();
  let isBegun = false;
  try {
    const first: unknown = (await chunks.next()).value;
    if (!Buffer.isBuffer(first)) return { outcome: 'read' };
    const packer = packerOf(first);
    if (packer !== undefined && packer !== 'gzip') return { outcome: 'unreadable', why: notUnpacked(packer) };
    const rest = (async function* () {
      yield first;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    })();
    const source: AsyncIterable<unknown> = packer === 'gzip' ? gunzipped(Readable.from(rest)) : rest;
    for await (const chunk of source) {
      if (!Buffer.isBuffer(chunk)) continue;
      isBegun = true;
      take(chunk);
    }
    return { outcome: 'read' };
  } catch (error) {
    return { outcome: isBegun ? 'cut' : 'unreadable', why: whyOf(error) };
  }
}

function gunzipped(packed: Readable): Readable {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  packed.on('error', error => gunzip.destroy(error));
  return packed.pipe(gunzip);
}

type Packer = 'gzip' | 'xz' | 'bzip2' | 'zstd';

const MAGIC: readonly (readonly [Packer, string])[] = [
  ['gzip', '\x1f\x8b'],
  ['xz', '\xfd7zXZ'],
  ['bzip2', 'BZh'],
  ['zstd', '\x28\xb5\x2f\xfd'],
];

function packerOf(first: Buffer): Packer | undefined {
  const head = first.toString('latin1', 0, 6);
  return MAGIC.find(([, magic]) => head.startsWith(magic))?.[0];
}

function notUnpacked(packer: Exclude<Packer, 'gzip'>): string {
  const cat = { xz: 'xzcat', bzip2: 'bzcat', zstd: 'zstdcat' }[packer];
  return `it is packed by ${packer}, and only gzip is unpacked here; "${cat} LOG | smtpstats -" reads it`;
}

function whyOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this user may not read it; the group that owns it may: adduser USER adm (Debian)';
  if (code === 'EISDIR') return 'it is a directory';
  if (code === 'Z_BUF_ERROR') return 'the packed file ends too early';
  if (code.startsWith('Z_')) return 'the packed file is damaged';
  return code === '' ? String(error) : code;
}
