// The checks as a user meets them: options, exit status, what is printed and what is written.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const CHECKS = ['check_queues', 'check_sys', 'check_mconn', 'check_procs', 'check_files', 'check_ldap'];
let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'healthmon-hostcmd-'));
  for (const folder of ['config', 'state', 'q/deferred/A', 'q/active']) mkdirSync(join(place, folder), { recursive: true });
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** host.cfg that keeps what this machine happens to run out of the answers. */
const quiet = (more = '') => `[host]
instance = "mx1"
checks = ["queues", "sys", "mconn", "procs"]
[queues]
flavour = "postfix"
directory = "${place}/q"
[sys]
directories = ["/"]
clock = false
[procs]
learn = false
${['memory', 'memory_pressure', 'load', 'disk_wait', 'disk', 'inodes', 'disk_full', 'swap', 'killed', 'container_memory', 'zombies', 'stuck', 'open_files', 'close_wait', 'connection_limit'].map(name => `[limit.${name}]\noff = true\n`).join('')}${more}`;

function run(command: string, ...args: readonly string[]): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise(resolve => {
    const child = spawn(join(ROOT, 'bin', command), args, {
      env: { PATH: process.env.PATH ?? '', HEALTHMON_CONFIG: join(place, 'config'), HEALTHMON_STATE: join(place, 'state') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', chunk => {
      out += chunk;
    });
    child.stderr.on('data', chunk => {
      err += chunk;
    });
    child.on('close', status => resolve({ status, out, err }));
  });
}

test('every check shows its help, with its exit status, and takes no option that it does not know', async () => {
  for (const check of CHECKS) {
    const help = await run(check, '--help');
    expect([check, help.status, help.err]).toEqual([check, 0, '']);
    expect(help.out).toMatch(new RegExp(`^Usage: ${check} \\[options\\]`));
    expect(help.out).toContain('  3  unknown: could not be measured');
    const wrong = await run(check, '--nagois');
    expect([wrong.status, wrong.out]).toEqual([3, '']);
    expect(wrong.err).toBe(`${check}: Unknown option '--nagois'; "${check} --help" shows what there is\n`);
  }
  expect((await run('check_sys', '--config')).err).toMatch(/^check_sys: Option '--config <value>' argument missing/);
  expect((await run('check_sys', 'now')).status).toBe(3);
  expect((await run('check_sys', '--json', '--nagios')).err).toBe('check_sys: --json and --nagios cannot both be printed\n');
});

test('all is well: nothing is printed without a terminal, and the row and the reading are written', async () => {
  writeFileSync(join(place, 'config/host.cfg'), quiet());
  const { status, out, err } = await run('healthmon', 'hostcheck');
  expect([status, out, err]).toEqual([0, '', '']);
  const table = readFileSync(join(place, 'state/qmonitor.log'), 'utf8').split('\n');
  expect(table[0]).toMatch(/instance name = mx1$/);
  expect(table[7]).toMatch(/^\|\d\d:\d\d\| {5}0 \| {6}0 \| +\d+k \| +\d+ \| +\d+ \| +\d+ \| +\d+ \| +\d+ \|( *\d+\|){5}$/);
  expect(readdirSync(join(place, 'state/host')).sort()).toEqual(['mconn.json', 'procs.json', 'queues.json', 'sys.json']);
});

test('a limit that is passed is told, with status 1 or 2, by each way of telling', async () => {
  for (let n = 0; n < 5; n++) writeFileSync(join(place, 'q/deferred/A', `ABCDEF0${n}`), '');
  writeFileSync(join(place, 'config/host.cfg'), quiet('[limit.queue]\nwarn = 5\ncrit = 50\n'));
  const text = await run('check_queues');
  expect(text).toEqual({ status: 1, err: '', out: 'queues  WARNING  messages in the queue: 5, limit 5\n' });
  const nagios = await run('check_queues', '--nagios', '--no-record');
  expect(nagios.status).toBe(1);
  expect(nagios.out).toMatch(/^QUEUES WARNING - messages in the queue: 5, limit 5 \| 'queues\.total'=5;5;50;0 /);
  expect(nagios.out.trimEnd().split('\n')).toHaveLength(1);
  const json = await run('check_queues', '--json', '--no-record');
  expect(JSON.parse(json.out)).toMatchObject({
    host: 'mx1',
    level: 'warning',
    checks: [{ check: 'queues', figures: { 'queues.deferred': 5 } }],
  });
  writeFileSync(join(place, 'config/host.cfg'), quiet('[limit.queue]\ncrit = 5\n'));
  expect((await run('check_queues', '--no-record')).status).toBe(2);
});

test('--no-record writes nothing, and needs no state folder', async () => {
  const nowhere = join(place, 'not-there');
  const { status } = await run('check_mconn', '--no-record', '--state', nowhere);
  expect([status, existsSync(nowhere)]).toEqual([0, false]);
});

test('a config that cannot be used, and a state folder that cannot be written, are unknown', async () => {
  writeFileSync(join(place, 'config/host.cfg'), '[limit.x]\nfigure = "queues.totl"\nwarn = 1\n');
  const wrong = await run('check_queues');
  expect([wrong.status, wrong.out]).toEqual([3, '']);
  expect(wrong.err).toContain("host.cfg:2: error: there is no figure 'queues.totl': did you mean 'queues.total'?");
  writeFileSync(join(place, 'config/host.cfg'), quiet());
  const closed = await run('check_queues', '--state', '/proc/nowhere');
  expect([closed.status, closed.out]).toEqual([3, '']);
  expect(closed.err).toMatch(/^Cannot write the state folder \/proc\/nowhere: /);
});

test('what cannot be written is told in one line, and makes it unknown', async () => {
  writeFileSync(join(place, 'config/host.cfg'), quiet());
  const state = join(place, 'blocked');
  mkdirSync(state);
  for (const name of ['host', 'journal']) writeFileSync(join(state, name), 'in the way');
  const { status, err } = await run('healthmon', 'hostcheck', '--state', state);
  expect(status).toBe(3);
  expect(err).toMatch(/^Cannot write \S+queues\.json: .*; nor 4 more files of \S+blocked\n$/);
});

test('config check looks at host.cfg, and config describe prints it', async () => {
  writeFileSync(join(place, 'config/host.cfg'), '[sys]\nclok = true\n');
  const { out } = await run('healthmon', 'config', 'check', join(place, 'config'));
  expect(out).toContain("host.cfg:2: error: unknown key 'clok' in [sys]: did you mean 'clock'?");
  expect((await run('healthmon', 'config', 'describe', 'host.cfg')).out).toBe(readFileSync(join(ROOT, 'etc/host.cfg'), 'utf8'));
});

test('what is critical goes to the people of alarms.cfg, and so does its end; without alarms.cfg nobody is told', async () => {
  writeFileSync(join(place, 'config/host.cfg'), quiet('[limit.disk_free]\nfigure = "sys.disk_used_percent"\ncrit = 0\n'));
  const [log, state] = [join(place, 'alarms.log'), join(place, 'alarmed')];
  expect((await run('check_sys', '--state', state)).status).toBe(2);
  expect(existsSync(join(state, 'alarm'))).toBe(false);
  writeFileSync(join(place, 'config/alarms.cfg'), `[log.file]\nfile = "${log}"\n[notify.me]\nchannels = ["file"]\n`);
  expect((await run('check_sys', '--state', state)).err).toBe('');
  expect(readFileSync(log, 'utf8')).toMatch(
    /^\S+ \S+ CRITICAL host\/mx1 sys: space used \(\/\): .* limit 0 %.*; check_sys on mx1\n$/,
  );
  writeFileSync(join(place, 'config/host.cfg'), quiet());
  await run('check_sys', '--state', state);
  await run('check_sys', '--state', state);
  expect(readFileSync(log, 'utf8').split('\n')[1]).toMatch(/ CLEARED host\/mx1 sys: /);
  // A wrong site.cfg keeps nobody from looking; what was seen waits for the next run.
  writeFileSync(join(place, 'config/site.cfg'), 'nonsense');
  const wrong = await run('check_sys', '--state', state);
  expect([wrong.status, wrong.err]).toEqual([0, expect.stringMatching(/^Alarms: not told now: /)]);
  for (const name of ['alarms.cfg', 'site.cfg']) rmSync(join(place, 'config', name));
});
