// Reading a log from where the last reading ended: every line once, whatever rotation does in between.

import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Lines } from '../../lib/maillog/lines.ts';
import { type Place, tail } from '../../lib/maillog/tail.ts';

let folder: string;
let log: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'healthmon-tail-'));
  log = join(folder, 'mail.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

class Reader {
  readonly seen: string[] = [];
  readonly events: string[] = [];
  place: Place | undefined;

  async read(from: 'start' | 'end' = 'start'): Promise<void> {
    const lines = new Lines(line => this.seen.push(line));
    const { place, events } = await tail(log, this.place, { from, take: chunk => lines.add(chunk), finished: () => lines.end() });
    lines.end();
    // As it would be on disk between two runs.
    this.place = place === undefined ? undefined : JSON.parse(JSON.stringify(place));
    this.events.push(...events);
  }
}

let clock = 1_800_000_000;
/** Files get times apart, as rotations of real logs have. */
function tick(file: string): void {
  clock += 60;
  utimesSync(file, clock, clock);
}
let written = 0;
function write(lines = 1): string[] {
  const made = Array.from({ length: lines }, () => {
    written += 1;
    return `line ${written} ${'x'.repeat(written % 90)}`;
  });
  appendFileSync(log, made.map(line => `${line}\n`).join(''));
  tick(log);
  return made;
}

function renamed(gzip = false): void {
  const old = readdirSync(folder)
    .filter(name => name !== 'mail.log')
    .sort()
    .reverse();
  for (const name of old) {
    const n = Number(/\d+/.exec(name)?.[0]);
    renameSync(join(folder, name), join(folder, name.replace(String(n), String(n + 1))));
  }
  renameSync(log, join(folder, 'mail.log.1'));
  if (gzip) compress('mail.log.1');
  writeFileSync(log, '');
  tick(log);
}

function inTurn(...steps: readonly (() => unknown)[]): void {
  for (const step of steps) step();
}

function compress(name: string): void {
  const path = join(folder, name);
  const { atime, mtime } = statSync(path);
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
  utimesSync(`${path}.gz`, atime, mtime);
  unlinkSync(path);
}

function copytruncated(): void {
  const name = `mail.log-${String(clock)}`;
  copyFileSync(log, join(folder, name));
  tick(join(folder, name));
  truncateSync(log, 0);
  tick(log);
}

test('a log is read on from where it ended; a line without its end waits', async () => {
  const reader = new Reader();
  await reader.read();
  expect(reader.place).toBeUndefined();
  write(3);
  await reader.read();
  appendFileSync(log, 'half a li');
  await reader.read();
  expect(reader.seen).toHaveLength(3);
  appendFileSync(log, 'ne\n');
  await reader.read();
  await reader.read();
  expect(reader.seen.slice(3)).toEqual(['half a line']);
  expect(reader.events).toEqual([]);
});

test('a log that is begun at its end gives nothing of what was there', async () => {
  write(100);
  appendFileSync(log, 'half');
  const reader = new Reader();
  await reader.read('end');
  appendFileSync(log, ' and half\n');
  const more = write(2);
  await reader.read('end');
  expect(reader.seen).toEqual(['half and half', ...more]);
});

test.for([
  ['renamed', () => renamed()],
  ['renamed and compressed', () => renamed(true)],
  ['copied and truncated', () => copytruncated()],
  ['renamed twice', () => inTurn(renamed, () => write(4), renamed)],
  [
    'renamed, compressed and renamed again',
    () =>
      inTurn(
        renamed,
        () => compress('mail.log.1'),
        () => write(4),
        renamed,
      ),
  ],
  ['renamed with late lines', () => inTurn(renamed, () => appendFileSync(join(folder, 'mail.log.1'), 'late\n'))],
] as const)('nothing is lost or read twice when the log is %s', async ([, rotate]) => {
  const reader = new Reader();
  write(10);
  await reader.read();
  write(5);
  rotate();
  write(3);
  await reader.read();
  write(2);
  await reader.read();
  const all = readdirSync(folder);
  expect(all.length).toBeGreaterThan(1);
  expect(new Set(reader.seen).size).toBe(reader.seen.length);
  const lines = reader.seen.filter(line => line !== 'late').map(line => Number(line.split(' ')[1]));
  expect(lines).toEqual(lines.map((_, i) => (lines[0] ?? 0) + i));
  expect(lines).toHaveLength(20 + (lines.length > 20 ? 4 : 0));
  expect(reader.events.every(event => event === 'rotated' || event === 'truncated')).toBe(true);
});

test('a log that was deleted and made anew is told as lost, and read from its beginning', async () => {
  const reader = new Reader();
  write(5);
  await reader.read();
  write(5);
  unlinkSync(log);
  await reader.read();
  const fresh = write(3);
  await reader.read();
  expect(reader.seen.slice(5)).toEqual(fresh);
  expect(reader.events.at(-1)).toBe('lost');
});

test('the same inode with other contents is another file', async () => {
  const reader = new Reader();
  write(5);
  await reader.read();
  writeFileSync(log, 'x\n'.repeat(2000)); // longer than before, so its size tells nothing
  await reader.read();
  expect(reader.seen.slice(5)).toHaveLength(2000);
  expect(reader.events).toEqual(['truncated', 'lost']);
});

test('a line that never ends does not hold the memory', async () => {
  writeFileSync(log, 'x'.repeat(5_000_000));
  const reader = new Reader();
  await reader.read();
  expect(reader.seen.length).toBeGreaterThan(0);
  expect(Math.max(...reader.seen.map(line => line.length))).toBeLessThan(200_000);
});

/** Lines that are in one only, in which. */
function difference(seen: readonly string[], wanted: readonly string[]): string[] {
  const [a, b] = [new Set(seen), new Set(wanted)];
  const twice = seen.filter((line, i) => seen.indexOf(line) !== i);
  return [
    ...wanted.filter(line => !a.has(line)).map(line => `missing ${line}`),
    ...seen.filter(line => !b.has(line)).map(line => `extra ${line}`),
    ...twice.map(line => `twice ${line}`),
  ].map(text => text.slice(0, 20));
}

test('after 300 random schedules of writing, rotating and reading, no line is missing and none is there twice', async () => {
  let seed = 7;
  const random = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * n);
  };
  for (let schedule = 0; schedule < 300; schedule++) {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    const reader = new Reader();
    const wanted: string[] = [];
    write(1);
    await reader.read('end');
    const steps: number[] = [];
    for (let step = 0; step < 10; step++) {
      const what = random(6);
      steps.push(what);
      if (what <= 2) wanted.push(...write(1 + random(200)));
      else if (what === 3) renamed(random(2) === 0);
      else if (what === 4 && existsSync(log) && statSync(log).size > 600) copytruncated();
      else await reader.read();
    }
    await reader.read();
    expect([schedule, steps.join(), difference(reader.seen, wanted).slice(0, 5)]).toEqual([schedule, steps.join(), []]);
  }
}, 60_000);
