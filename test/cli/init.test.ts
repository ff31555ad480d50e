// `healthmon init` at a terminal: it asks, asks again when an answer cannot be read, hides passwords, and never writes over a file.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { atTerminal, noTerminal } from './pty.ts';
import { startCommand } from './run.ts';

const why = noTerminal();
if (why !== undefined) console.warn(`healthmon init at a terminal: not tested, ${why}`);
const testAtTerminal = test.skipIf(why !== undefined);

const DONE = [
  ...['--domain', 'example.com', '--name', 'Example', '--mtas', 'mx1.example.com', '--mta-login', 'no'],
  ...['--stores', 'store1.example.com', '--addresses', 'probe@example.com', '--mmps', 'none'],
  ...['--protocols', 'imap', '--security', 'tls'],
];

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'healthmon-init-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'my config');
}

testAtTerminal('init asks for everything, again where an answer cannot be read, and writes a set that checks clean', async () => {
  const dir = place();
  const { status, screen } = await atTerminal(
    'healthmon',
    ['init', dir],
    [
      ['Mail domain of the site', 'not a domain\r'],
      ["found 'not a domain'", 'example.com\r'],
      ['[example.com] > ', '\r'],
      ['MTAs that take in mail', 'mx1.example.com, mx2.example.com\r'],
      ['Log in at the MTAs', 'perhaps\r'],
      ["expected yes or no: found 'perhaps'", '\r'],
      ['Message stores', 'store1.example.com store2.example.com\r'],
      ['Mail address', 'only-one@example.com\r'],
      ['expected 2 addresses', '\r'],
      ['[none] > ', '\r'],
      ['Protocols', 'imap\r'],
      ['How connections are protected', 'sometimes\r'],
      ['expected starttls, tls or plain', 'tls\r'],
      ['account store1', 'a secret  \r'],
      ['account store2', '\r'],
    ],
  );
  expect([status, screen]).toEqual([0, expect.stringContaining(`Check: healthmon config check ${dir}`)]);
  expect(screen).not.toContain('a secret');
  expect(readFileSync(join(dir, 'secrets', 'store1'), 'utf8').replace(/\n$/, '')).toBe('a secret  ');
  expect(statSync(join(dir, 'secrets', 'store1')).mode & 0o777).toBe(0o600);
  expect(screen).toContain(`Write the passwords, one line each: ${dir}/secrets/store2`);
  writeFileSync(join(dir, 'secrets', 'store2'), 'another\n');
  expect(await startCommand('healthmon', ['config', 'check', dir]).ended).toMatchObject({ status: 0, err: '' });
});

testAtTerminal('init asks only for what the options leave open', async () => {
  const dir = place();
  const { status, screen } = await atTerminal('healthmon', ['init', dir, ...DONE], [['account store1', 'secret\r']]);
  expect(status).toBe(0);
  expect(screen.match(/> /g)).toBeNull();
});

testAtTerminal('init tells wrong options at once, without a question', async () => {
  const dir = place();
  const args = DONE.map(word => (word === 'tls' ? 'perhaps' : word));
  const { status, screen } = await atTerminal('healthmon', ['init', dir, ...args], []);
  expect([status, existsSync(dir)]).toEqual([3, false]);
  expect(screen).toContain('--security: expected starttls, tls or plain');
});

testAtTerminal('init refuses a folder that has a config before it asks anything, and leaves it as it is', async () => {
  const dir = place();
  await atTerminal('healthmon', ['init', dir, ...DONE], [['account store1', 'secret\r']]);
  const before = readFileSync(join(dir, 'site.cfg'), 'utf8');
  const { status, screen } = await atTerminal('healthmon', ['init', dir], []);
  expect([status, screen]).toEqual([3, `Nothing was written, because there is already: ${dir}/site.cfg, ${dir}/sequence.cfg\n`]);
  expect(readFileSync(join(dir, 'site.cfg'), 'utf8')).toBe(before);
});

testAtTerminal.each([
  ['Ctrl-C at a question', '\x03', []],
  ['Ctrl-D at a question', '\x04', []],
  ['Ctrl-C at a password', 'sec\x03', DONE],
  ['Ctrl-D at a password', '\x04', DONE],
])('init writes nothing after %s', async (_, keys, args) => {
  const dir = place();
  const question = args.length === 0 ? '> ' : 'later): ';
  const { status, screen } = await atTerminal('healthmon', ['init', dir, ...args], [[question, keys]]);
  expect([status, existsSync(dir)]).toEqual([3, false]);
  expect(screen.trimEnd().split('\n').at(-1)).toBe('Nothing was written');
  expect(screen).not.toContain('sec\n');
});

test('init without a terminal asks nothing: what is missing is told, all of it', async () => {
  const dir = place();
  const { status, out, err } = await startCommand('healthmon', ['init', dir, '--mtas', '-bad-']).ended;
  expect([status, out, existsSync(dir)]).toEqual([3, '', false]);
  expect(err).toMatch(/^Cannot write a config yet:\n {2}--domain: .*\n {2}--mtas: .*'-bad-'.*\n {2}--stores: .*\n/);
});

test('init without a terminal writes empty password files, and says so', async () => {
  const dir = place();
  const { status, out } = await startCommand('healthmon', ['init', dir, ...DONE]).ended;
  expect(status).toBe(0);
  expect(out).toContain(`1. Write the passwords, one line each: ${dir}/secrets/store1\n`);
  expect(readdirSync(join(dir, 'secrets'))).toEqual(['store1']);
});
