// How commands start: V8 takes what was compiled when they were built, and whatever else lies in its place changes nothing but the time.
// On copies of bin/ and dist/, which lie elsewhere than where they were built.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const place = mkdtempSync(join(tmpdir(), 'healthmon-load-'));
const compiled = join(place, 'dist', 'runmonitor.compiled');
const entry = join(place, 'dist', 'runmonitor.cjs');
let before: readonly [file: string, bytes: Buffer][];
let help: ReturnType<typeof run>;

beforeAll(() => {
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(ROOT, part), join(place, part), { recursive: true });
  before = [compiled, entry].map(file => [file, readFileSync(file)]);
  help = run('runmonitor');
});
beforeEach(() => {
  for (const [file, bytes] of before) writeFileSync(file, bytes);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

const ENV = { PATH: process.env.PATH };

function run(command: string, ...args: readonly string[]) {
  const argv = [join(place, 'bin', command), ...(args.length > 0 ? args : ['--help'])];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', cwd: place, env: ENV });
  return { status, out: stdout, err: stderr };
}

/** The parts that `--help` loads; whether V8 refused what was kept for them; absent: nothing was. */
function takenBy(command: string): { readonly part: string; readonly refused?: boolean }[] {
  const program = `
    const { parts, start } = require(${JSON.stringify(join(place, 'dist', 'load.cjs'))});
    process.on('exit', () => {
      for (const [part, { script }] of parts) console.error('PART ' + JSON.stringify({ part, refused: script.cachedDataRejected }));
    });
    start(${JSON.stringify(command)});`;
  const { stderr } = spawnSync(process.execPath, ['-e', program, '--', command, '--help'], { encoding: 'utf8', env: ENV });
  return [...stderr.matchAll(/^PART (.*)$/gm)].map(([, text = '']) => JSON.parse(text));
}

test.each(readdirSync(join(ROOT, 'bin')).filter(name => name !== 'package.json'))(
  '%s starts with what was compiled before',
  command => {
    const parts = takenBy(command);
    expect(parts.map(({ part }) => part)).toContain(`./${command}.cjs`);
    expect(parts.filter(({ refused }) => refused !== false)).toEqual([]);
  },
);

test('the build leaves only what commands need', () => {
  expect(readdirSync(join(ROOT, 'dist')).filter(name => /^(keep|rehears)/.test(name))).toEqual([]);
});

test.each<readonly [string, (bytes: Buffer) => Buffer | undefined]>([
  ['nothing', () => undefined],
  ['an empty file', () => Buffer.alloc(0)],
  ['the first bytes of it', bytes => bytes.subarray(0, 5)],
  ['a half of it', bytes => bytes.subarray(0, bytes.length / 2)],
  ['all of it but a byte', bytes => bytes.subarray(0, -1)],
  ['zeros', bytes => Buffer.alloc(bytes.length)],
  ['a line of something else', () => Buffer.from('00000000{}\n')],
  ['what belongs to another command', () => readFileSync(join(place, 'dist', 'smtpstats.compiled'))],
  ['it with a bit flipped', bytes => flipped(bytes, bytes.length - 1000)],
  ['it with a bit of its table flipped', bytes => flipped(bytes, 30)],
])('in place of what was compiled: %s', (_, spoil) => {
  const spoilt = spoil(readFileSync(compiled));
  if (spoilt === undefined) rmSync(compiled);
  else writeFileSync(compiled, spoilt);
  expect(help).toMatchObject({ status: 0, err: '' });
  expect(run('runmonitor')).toEqual(help);
  expect(takenBy('runmonitor').find(({ part }) => part === './runmonitor.cjs')).not.toHaveProperty('refused', false);
});

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

test('a part that somebody has changed is run as it is, even when it is as long as it was', () => {
  const text = readFileSync(entry, 'utf8');
  expect(text).toContain('Sends a test message');
  writeFileSync(entry, text.replace('Sends a test message', 'Takes a test message'));
  expect(run('runmonitor').out).toBe(help.out.replace('Sends a test message', 'Takes a test message'));
});

test('a command that was never built says what to do', () => {
  rmSync(join(place, 'dist', 'load.cjs'));
  expect(run('runmonitor')).toEqual({
    status: 3,
    out: '',
    err: 'runmonitor is not built yet: run "npm run build" in the project folder first\n',
  });
  cpSync(join(ROOT, 'dist', 'load.cjs'), join(place, 'dist', 'load.cjs'));
});
