// What every command says of itself, word for word, and what `crontab` prints: interfaces that people read and copy from. After a
// change that is meant: npx vitest run --config test/vitest.config.ts test/cli/help.test.ts -u, and read the diff.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { siteText } from '../plan/sites.ts';
import { startCommand } from './run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const GOLDEN = join(import.meta.dirname, 'golden');
const COMMANDS = readdirSync(join(ROOT, 'bin'))
  .filter(name => name !== 'package.json')
  .sort();

/** `healthmon plan` is ['healthmon', 'plan']; the sub-commands are those that `healthmon --help` lists. */
async function everyCommand(): Promise<readonly (readonly string[])[]> {
  const { out } = await startCommand('healthmon', ['--help']).ended;
  const list = out.slice(out.indexOf('\nCommands:'));
  const subs = [...list.matchAll(/^ {2}([a-z]+)/gm)].flatMap(([, name]) => (name === undefined || name === 'help' ? [] : [name]));
  return [...COMMANDS.map(name => [name]), ...subs.map(name => ['healthmon', name])];
}

test('--help of every command and sub-command is its golden file, tells the exit status, and goes to stdout', {
  timeout: 90_000,
}, async () => {
  const commands = await everyCommand();
  expect(commands.length).toBeGreaterThan(20);
  const silent: string[] = [];
  for (const words of commands) {
    const [program = '', ...sub] = words;
    const { status, out, err } = await startCommand(program, [...sub, '--help']).ended;
    const name = words.join(' ');
    expect.soft([name, status, err]).toEqual([name, 0, '']);
    if (name !== 'healthmon' && !out.includes('Exit status')) silent.push(name);
    await expect.soft(out).toMatchFileSnapshot(join(GOLDEN, 'help', `${words.join('-')}.txt`));
  }
  expect.soft(silent).toEqual([]);
  const names = new Set(commands.map(words => `${words.join('-')}.txt`));
  expect(readdirSync(join(GOLDEN, 'help')).filter(name => !names.has(name))).toEqual([]);
});

test('every command without a word that it knows says so on stderr, and exits 3', { timeout: 60_000 }, async () => {
  for (const name of COMMANDS) {
    const { status, out, err } = await startCommand(name, ['--no-such-option']).ended;
    expect.soft([name, status, out]).toEqual([name, 3, '']);
    expect.soft(err).toMatch(/unknown option '--no-such-option'/i);
  }
});

test.for([['crontab'], ['crontab', '--systemd'], ['crontab', '--host'], ['crontab', '--host', '--systemd']])(
  'healthmon %j prints its golden lines, from a folder with blanks and % in its name',
  async words => {
    const place = mkdtempSync(join(tmpdir(), 'healthmon-cron-'));
    onTestFinished(() => rmSync(place, { recursive: true, force: true }));
    const config = join(place, "100 % of Ann's config");
    mkdirSync(config);
    writeFileSync(join(config, 'site.cfg'), siteText({ mtas: 1, mmps: ['both'], accounts: [1], interval: 15 }));
    writeFileSync(join(config, 'sequence.cfg'), '15 DMSG -u ims01 -s out01 -p mux01\n');
    const { status, out, err } = await startCommand('healthmon', [...words, '--config', config, '--state', join(place, 'var')])
      .ended;
    expect([status, err]).toEqual([0, '']);
    const text = out
      .replaceAll(process.execPath, '/NODE')
      .replaceAll(place, '/PLACE')
      .replaceAll(ROOT, '/ROOT')
      // this checkout may lie in a folder with blanks itself
      .replace(/(["'])(\/ROOT\/[^"']*)\1/g, '$2');
    await expect(text).toMatchFileSnapshot(join(GOLDEN, `${words.join('').replaceAll('--', '-')}.txt`));
  },
);

test('healthmon crontab for a config with errors says so, and prints lines for every five minutes', async () => {
  const { status, out, err } = await startCommand('healthmon', ['crontab', '--config', '/nowhere', '--state', '/var/x']).ended;
  expect(status).toBe(0);
  expect(err).toBe(
    'The config in /nowhere has errors ("healthmon config check" tells them); these lines are for every five minutes\n',
  );
  expect(out).toContain('\n*/5 * * * *  ');
});
