// The project in a folder with blanks in its name, for a user whose HOME cannot be written: the demo, the commands, and a second
// build, which finds everything done. With CI=true the packages are installed anew there, else those of this checkout are lent.

import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const installs = process.env.CI === 'true';
const place = mkdtempSync(join(tmpdir(), 'healthmon-anywhere-'));
const folder = join(place, 'my  mail monitor');
const left = new Set(['.git', 'node_modules', 'dist', 'test', 'var']);

let demo: ReturnType<typeof run>;
beforeAll(() => {
  chmodSync(place, 0o755);
  mkdirSync(folder);
  for (const name of readdirSync(ROOT))
    if (!left.has(name)) cpSync(join(ROOT, name), join(folder, name), { recursive: true, preserveTimestamps: true });
  if (!installs) symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  demo = run('npm', ['run', '--silent', 'demo'], folder);
}, 180_000);
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Nothing of this process but what npm needs to find its registry. */
function homeless(): NodeJS.ProcessEnv {
  const npm = Object.entries(process.env).filter(([name]) =>
    /^(npm_config_registry|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name),
  );
  const settings = join(homedir(), '.npmrc');
  const user = existsSync(settings) ? { NPM_CONFIG_USERCONFIG: settings } : {};
  return { PATH: process.env.PATH, HOME: '/dev/null/nobody', ...Object.fromEntries(npm), ...user };
}

function run(command: string, args: readonly string[], cwd = '/') {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: homeless(), encoding: 'utf8', timeout: 170_000 });
  return { status, out: stdout, err: stderr };
}

test('npm run demo installs, builds and runs', () => {
  const { status, out, err } = demo;
  expect([status, err.replaceAll(/^npm warn .*\n/gm, '').trim()]).toEqual([
    0,
    installs ? expect.stringMatching(/^Installing packages/) : '',
  ]);
  expect(out).toContain('All 16 paths were good, and of the second round exactly the 8 over smux02 failed.');
  expect(readdirSync(folder).filter(name => name.startsWith('node_modules'))).toEqual(['node_modules']);
});

test('a second build installs nothing, builds nothing and says nothing', () => {
  const stamps = [
    join(folder, 'dist', '.built'),
    join(folder, 'dist', 'healthmon.cjs'),
    join(folder, 'node_modules', '.healthmon-installed'),
  ];
  const before = stamps.map(file => statSync(file).mtimeMs);
  const { status, out, err } = run(process.execPath, [join(folder, 'lib', 'build.mjs')]);
  expect([status, out, err]).toEqual([0, '', '']);
  expect(stamps.map(file => statSync(file).mtimeMs)).toEqual(before);
});

test('the commands run from any folder, by their path and by a link, and use the etc/ beside them', () => {
  const link = join(place, 'hm');
  symlinkSync(join(folder, 'bin', 'healthmon'), link);
  for (const command of [join(folder, 'bin', 'healthmon'), link]) {
    const { status, out, err } = run(command, ['config', 'check', '--no-secrets']);
    expect([status, err]).toEqual([0, '']);
    expect(out).toContain(join(folder, 'etc'));
  }
  const cron = run(link, ['crontab']);
  expect(cron.out).toContain(`'${join(folder, 'bin', 'check_rndtrip')}'`);
});

const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
/** Only root can become somebody else, and only if that one may run this node. */
const canBeNobody = process.getuid?.() === 0 && run('setpriv', [...nobody, process.execPath, '--version']).status === 0;

test.skipIf(!canBeNobody)('a user who owns nothing of it can run the commands, which leave nothing behind', () => {
  const before = readdirSync(folder);
  const check = run('setpriv', [...nobody, join(folder, 'bin', 'healthmon'), 'config', 'check', '--no-secrets']);
  expect([check.status, check.err]).toEqual([0, '']);
  const trip = run('setpriv', [...nobody, join(folder, 'bin', 'runmonitor'), '-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01']);
  expect(trip.status).toBe(3);
  expect(trip.err).toContain(`Cannot write the state folder ${join(folder, 'var')}`);
  expect(readdirSync(folder)).toEqual(before);
  expect(readFileSync(join(folder, 'etc', 'site.cfg'), 'utf8')).toBe(readFileSync(join(ROOT, 'etc', 'site.cfg'), 'utf8'));
});

test('while it is built anew every file that a command may ask for stays', async () => {
  const dist = join(folder, 'dist');
  const files = readFileSync(join(dist, '.files'), 'utf8')
    .split('\n')
    .filter(name => name.endsWith('.cjs'));
  expect(files.length).toBeGreaterThan(50);
  // A part of another name takes the place of one that was there.
  appendFileSync(join(folder, 'lib', 'cli', 'config', 'config.ts'), '\nconsole.error("built anew");\n');
  const build = spawn(process.execPath, [join(folder, 'lib', 'build.mjs')], { env: homeless(), stdio: 'ignore' });
  const ended = new Promise(resolve => build.on('close', resolve));
  const gone = new Set<string>();
  while (build.exitCode === null) {
    for (const name of files) if (!existsSync(join(dist, name))) gone.add(name);
    await new Promise(resolve => setImmediate(resolve));
  }
  expect([await ended, ...gone]).toEqual([0]);
  expect(run(join(folder, 'bin', 'healthmon'), ['config', 'check', '--no-secrets']).err).toBe('built anew\n');
});
