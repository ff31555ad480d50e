// smtpstats as a user meets it: what it prints, where, and with which status.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const fixture = join(import.meta.dirname, 'fixtures', 'postfix.log');
let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'healthmon-smtpstats-'));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function smtpstats(args: readonly string[], input: Buffer | string = ''): Promise<Ended> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, [join(ROOT, 'bin', 'smtpstats'), ...args], {
      env: { PATH: '/usr/bin:/bin', TZ: 'UTC', HEALTHMON_STATE: join(place, 'var') },
      cwd: place,
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', chunk => {
      out += chunk;
    });
    child.stderr.on('data', chunk => {
      err += chunk;
    });
    child.on('close', status => resolve({ status, out, err }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

test('smtpstats prints the report of the golden file', async () => {
  const { status, out, err } = await smtpstats(['--top', '2', fixture]);
  expect([status, err]).toEqual([0, '']);
  await expect(out).toMatchFileSnapshot('golden/report.txt');
});

test('the same log as a file, packed, by standard input, packed by standard input', async () => {
  const text = readFileSync(fixture);
  const packed = join(place, 'mail.log.2');
  writeFileSync(packed, gzipSync(text));
  const all = [
    await smtpstats(['--json', fixture]),
    await smtpstats(['--json', packed]),
    await smtpstats(['--json', '-'], text),
    await smtpstats(['--json', '-'], gzipSync(text)),
  ];
  expect(all.map(({ status, err }) => [status, err])).toEqual(all.map(() => [0, '']));
  expect(new Set(all.map(({ out }) => out)).size).toBe(1);
  expect(JSON.parse(all[0]?.out ?? '')).toMatchObject({ v: 1, totals: { received: 3, delivered: 5 } });
});

test('rotated logs are read oldest first, in whatever order they are named', async () => {
  const lines = readFileSync(fixture, 'latin1').split(/(?<=\n)/);
  const [older, newer] = [join(place, 'm.log.1'), join(place, 'm.log')];
  writeFileSync(older, lines.slice(0, 10).join(''));
  writeFileSync(newer, lines.slice(10).join(''));
  utimesSync(older, 1_790_000_000, 1_790_000_000);
  const { out } = await smtpstats(['--json', newer, older]);
  expect(JSON.parse(out).totals.bytesDelivered).toBe(9050);
});

test('a packed log that is cut off counts as far as it goes, and the status says so', async () => {
  const { status, out, err } = await smtpstats(['--json', '-'], gzipSync(readFileSync(fixture)).subarray(0, 900));
  expect([status, err]).toEqual([3, 'Cannot read - to its end: the packed file ends too early\n']);
  expect(JSON.parse(out).totals.lines).toBeGreaterThan(0);
});

test.each([
  [['/nowhere/mail.log'], 'Cannot read /nowhere/mail.log: there is no such file'],
  [['--top', 'many', fixture], 'smtpstats: --top expects a whole number from 0 to 1000, not "many"'],
  [
    ['--interval', '7m', fixture],
    'smtpstats: --interval expects a span that divides days evenly (5m, 15m, 1h, 6h, 1d), not "7m"',
  ],
  [['--since', 'soon', fixture], 'smtpstats: --since expects "2h", "today"'],
  [['--counters', '--since', '2h', fixture], 'smtpstats: --since has no meaning for counters, which go on from the last time'],
  [['--counters', '-'], 'smtpstats: counters go on where a file was read to; standard input has no such place'],
  [['--counters', '/nowhere/mail.log'], 'Cannot count /nowhere/mail.log: there is no such file, and never was'],
  [['--json', '--prometheus', fixture], 'smtpstats: --json and --prometheus cannot both be printed'],
  [['--nonsense'], "smtpstats: Unknown option '--nonsense'"],
  [['/etc/hostname'], 'No line begins with a time stamp that is known (1 read)'],
])('%j ends with 3 and the reason', async (args, words) => {
  const { status, err } = await smtpstats(args);
  expect(status).toBe(3);
  expect(err).toContain(words);
});

test('what another packer made is named with what reads it', async () => {
  const { status, err } = await smtpstats(['-'], Buffer.from('\xfd7zXZ\0rest', 'latin1'));
  expect([status, err]).toEqual([
    3,
    'Cannot read -: it is packed by xz, and only gzip is unpacked here; "xzcat LOG | smtpstats -" reads it\n',
  ]);
});

test('counters go on from the last time, and are written whole for the textfile collector', async () => {
  const log = join(place, 'counted.log');
  const file = join(place, 'mail.prom');
  const lines = readFileSync(fixture, 'latin1').split(/(?<=\n)/);
  writeFileSync(log, lines.slice(0, 10).join(''));
  await smtpstats(['--counters', log]);
  writeFileSync(log, lines.join(''));
  const { status, out, err } = await smtpstats(['--prometheus', '--write', file, log]);
  expect([status, out, err]).toEqual([0, '', '']);
  expect(readFileSync(file, 'utf8')).toContain(`healthmon_mail_delivered_total{log="${log}"} 5\n`);
  expect(statSync(file).mode & 0o777).toBe(0o644);
  const { out: text } = await smtpstats(['--counters', log]);
  expect(text).toMatch(/^delivered +5 +0 {2}deliveries, one for each recipient$/m);
});

test('a state folder that cannot be written is told, and nothing is counted', async () => {
  writeFileSync(join(place, 'file'), '');
  const { status, err } = await smtpstats(['--counters', '--state', join(place, 'file', 'var'), fixture]);
  expect(status).toBe(3);
  expect(err).toContain('Cannot write the state folder');
  expect(existsSync(join(place, 'file', 'var'))).toBe(false);
});
