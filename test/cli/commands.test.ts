// The commands as a user meets them: exit status, stdout, stderr, files.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { localDay } from '../../lib/record/day.ts';
import { readJournal } from '../../lib/record/journal.ts';
import { parseSystest } from '../../lib/record/systest.ts';
import type { Broken } from '../../lib/standin/faults/breaking.ts';
import { openShop, type Shop, startCommand } from './run.ts';

let shop: Shop;
const broken: Broken[] = [];
beforeAll(async () => {
  shop = await openShop();
});
afterEach(async () => {
  for (const each of broken.splice(0)) await each.mend();
});
afterAll(() => shop.stop());

const ONE = ['-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01'];
// A minute of the hour so many from now, as sequence.cfg and --at write it.
const minute = (fromNow: number) => String((new Date().getMinutes() + fromNow) % 60).padStart(2, '0');
const today = () => readJournal(shop.state, localDay(Date.now())).records;
const table = () => parseSystest(readFileSync(join(shop.state, 'systest.log'), 'utf8'));

test('runmonitor walks one path, prints it taken apart, and exits 0', async () => {
  const { status, out, err } = await shop.run('runmonitor', ...ONE);
  expect([status, err]).toEqual([0, '']);
  expect(out).toMatch(/^OK {7}ims1 via ssmtp01, smux01 pop3/);
  for (const word of ['open', 'submit', 'transit', 'fetch', 'sweep', 'starttls', 'queued as', 'arrival', 'hop 1'])
    expect(out).toContain(word);
  expect(out).not.toContain('\x1b');
  expect(table().days.at(-1)?.rows.at(-1)).toMatchObject({ account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', error: '' });
});

test('runmonitor --json prints one record and nothing else', async () => {
  const { status, out } = await shop.run('runmonitor', ...ONE, '-m', 'imap', '--json');
  const record = JSON.parse(out);
  expect(status).toBe(0);
  expect(record).toMatchObject({
    v: 1,
    type: 'trip',
    by: 'runmonitor',
    verdict: { state: 'ok' },
    trip: { path: { account: 'ims1', mailbox: 'imap' } },
  });
  expect(out.trimEnd().split('\n')).toHaveLength(1);
});

test('runmonitor --nagios prints one status line with performance data', async () => {
  const { status, out } = await shop.run('runmonitor', ...ONE, '--nagios');
  expect(status).toBe(0);
  expect(out).toMatch(
    /^OK - ims1 via ssmtp01, smux01 pop3: ok, \d+ ms \| total=\d+\.\d{6}s;2;;0 open=\S+ submit=\S+ transit=\S+ fetch=\S+ sweep=\S+\n$/,
  );
});

test('runmonitor says which machine and which step broke, and exits 2', async () => {
  broken.push(await shop.standin.breakIt('login-refused-at-mmp', 'mmp/smux01 pop3'));
  const { status, out } = await shop.run('runmonitor', ...ONE);
  expect(status).toBe(2);
  expect(out).toMatch(/^FAILED {3}ims1 via ssmtp01, smux01 pop3/);
  expect(out).toContain('mmp/smux01 pop3 auth: refused: -ERR [AUTH]');
  expect(table().days.at(-1)?.rows.at(-1)?.error).toBe('smux01 pop auth');
});

test('runmonitor --verbose shows the dialogs, and no secret', async () => {
  const { out } = await shop.run('runmonitor', ...ONE, '--verbose');
  expect(out).toContain('> MAIL FROM:');
  expect(out).toContain('AUTH PLAIN ***');
  for (const file of readdirSync(join(shop.config, 'secrets'))) {
    const secret = readFileSync(join(shop.config, 'secrets', file), 'utf8').trim();
    expect(out).not.toContain(secret);
    expect(out).not.toContain(Buffer.from(secret).toString('base64').slice(0, -2));
  }
});

test.each([
  [[], /required option '-u <account>'/],
  [['-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01', '-m', 'smtp'], /expected -m pop3 or -m imap, not "smtp"/],
  [[...ONE, '--timeout', 'soon'], /expected a whole number from 1 to 3600, not "soon"/],
  [[...ONE, '--frobnicate'], /unknown option '--frobnicate'/],
  [[...ONE, '--config', '/nowhere'], /\/nowhere\/site\.cfg/],
  [[...ONE, '--state', '/proc/nowhere'], /Cannot write the state folder \/proc\/nowhere/],
])('runmonitor %j is wrong usage: words on stderr, nothing on stdout, status 3', async (args, words) => {
  const { status, out, err } = await shop.run('runmonitor', ...args);
  expect([status, out]).toEqual([3, '']);
  expect(err).toMatch(words);
});

test('runmonitor with a name that site.cfg does not have is unknown, and says which', async () => {
  const { status, out } = await shop.run('runmonitor', '-u', 'ims1', '-s', 'ssmtp99', '-p', 'smux01');
  expect(status).toBe(3);
  expect(out).toContain('no MTA (or balancer with an smtp door) "ssmtp99" in site.cfg');
});

test('check_rndtrip in a minute without an entry is quiet and exits 0', async () => {
  shop.write('sequence.cfg', `${minute(30)} DMSG -u ims1 -s ssmtp01 -p smux01\n`);
  shop.write('site.cfg', readFileSync(join(shop.config, 'site.cfg'), 'utf8').replace(/^interval = .*$/m, 'interval = 1'));
  expect(await shop.run('check_rndtrip')).toEqual({ status: 0, out: '', err: '' });
});

test('check_rndtrip walks the paths of this minute, quietly when all is well', async () => {
  const minutes = [minute(0), minute(1)];
  shop.write(
    'sequence.cfg',
    minutes.flatMap(m => [`${m} DMSG -u ims1 -s ssmtp01 -p smux01`, `${m} DMSG -u ims2 -s ssmtp02 -p smux02 -m imap`]).join('\n'),
  );
  const before = today().length;
  expect(await shop.run('check_rndtrip')).toEqual({ status: 0, out: '', err: '' });
  expect(
    today()
      .slice(before)
      .map(record => record.type),
  ).toEqual(['trip', 'trip']);
});

test('check_rndtrip prints the row and the reason of what failed, and exits 2', async () => {
  broken.push(await shop.standin.breakIt('stopped', 'mta/ssmtp02'));
  const { status, out } = await shop.run('check_rndtrip', '--at', `07:${minute(30)}`, '--quiet');
  expect([status, out]).toEqual([0, '']);
  const all = await shop.run('check_rndtrip', '--all');
  expect(all.status).toBe(2);
  expect(all.out).toContain('DATE COLLECTED');
  expect(all.out).toMatch(/\| ims2 {6}\| ssmtp02 {4}\| smux02 {5}\| {7}\| ssmtp02 connect \|/);
  expect(all.out).toContain('mta/ssmtp02 smtp connect: refused the connection');
  expect(all.out).toMatch(/OK 2 {3}FAILED 1|FAILED 1 {3}OK 2/);
});

test('check_rndtrip --json prints a record a line', async () => {
  const { out } = await shop.run('check_rndtrip', '--all', '--json');
  const records = out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(records.map(({ type }) => type)).toEqual(['trip', 'trip', 'trip']);
});

test('a second check_rndtrip says that one is under way, measures nothing, and is recorded', async () => {
  broken.push(await shop.standin.breakIt('late', 'mta/ssmtp01', { ms: 1500 }));
  const first = shop.start('check_rndtrip', '--all');
  await expect.poll(() => existsSync(join(shop.state, 'lock', 'run.json')), { timeout: 5000 }).toBe(true);
  const second = await shop.run('check_rndtrip', '--all');
  expect(second.status).toBe(3);
  expect(second.err).toMatch(
    new RegExp(`Another check_rndtrip \\(process ${first.child.pid}\\) is under way since .*; this start measures nothing`),
  );
  expect(today().filter(({ type }) => type === 'skip')).toHaveLength(1);
  await first.ended;
  expect((await shop.run('check_rndtrip', '--all')).status).not.toBe(3);
});

test('SIGTERM ends a round at once, with its trips recorded as unknown', async () => {
  broken.push(await shop.standin.breakIt('late', 'mta/ssmtp01', { ms: 5000 }));
  const underWay = () => readdirSync(join(shop.state, 'ledger')).filter(name => name.endsWith('.json'));
  const before = new Set(underWay());
  const run = shop.start('runmonitor', ...ONE, '--timeout', '60');
  await expect.poll(() => underWay().filter(name => !before.has(name)).length, { timeout: 5000 }).toBeGreaterThan(0);
  run.child.kill('SIGTERM');
  const { status, out } = await run.ended;
  expect(status).toBe(3);
  expect(out).toContain('told to stop');
});

test('what a kill -9 leaves is taken up by the next run', async () => {
  broken.push(await shop.standin.breakIt('late', 'mta/ssmtp02', { ms: 300 }));
  shop.standin.log.clear();
  const run = shop.start('runmonitor', '-u', 'ims2', '-s', 'ssmtp02', '-p', 'smux02');
  await expect
    .poll(() => shop.standin.log.lines('mta/ssmtp02').some(({ text }) => text.startsWith('250 2.0.0 Ok: queued')), {
      timeout: 5000,
    })
    .toBe(true);
  run.child.kill('SIGKILL');
  await run.ended;
  await broken.pop()?.mend();
  const box = shop.standin.stores.get('ims2')?.mailbox('ims2');
  await expect.poll(() => box?.messages.length, { timeout: 5000 }).toBeGreaterThan(0);
  const next = await shop.run('runmonitor', '-u', 'ims2', '-s', 'ssmtp02', '-p', 'smux02', '-m', 'imap');
  expect(next.status).toBe(0);
});

test('healthmon explain tells the last trip that went wrong, with its dialog, and finds others by id', async () => {
  broken.push(await shop.standin.breakIt('rcpt-refused-5xx', 'mta/ssmtp01'));
  await shop.run('runmonitor', ...ONE);
  const { status, out } = await shop.run('healthmon', 'explain');
  expect(status).toBe(0);
  expect(out).toContain('mta/ssmtp01 smtp rcpt: refused: 554');
  expect(out).toContain('> RCPT TO:<ims1@standin.test>');
  const id = /trip ([0-9a-z]{20})/.exec(out)?.[1] ?? '';
  const json = await shop.run('healthmon', 'explain', id.slice(0, 14), '--json');
  expect(JSON.parse(json.out).record.trip.id.startsWith(id.slice(0, 14))).toBe(true);
  const none = await shop.run('healthmon', 'explain', 'zzz');
  expect([none.status, none.out]).toEqual([3, '']);
  expect(none.err).toContain('No trip zzz is recorded');
});

test('healthmon config check: status 0 and a count when all is well, 3 and every problem when not', async () => {
  const good = await shop.run('healthmon', 'config', 'check');
  expect(good.status).toBe(0);
  expect(good.out).toMatch(/0 errors/);
  const text = readFileSync(join(shop.config, 'site.cfg'), 'utf8');
  shop.write('site.cfg', `${text.replace(/^host = /m, 'hots = ')}\n[mta.x]\nprot = 25\n`);
  const bad = await shop.run('healthmon', 'config', 'check');
  expect(bad.status).toBe(3);
  expect(bad.out).toMatch(/site\.cfg:\d+: error: unknown key 'hots' in \[/);
  expect(bad.out).toMatch(/unknown key 'prot' in \[mta\.x\]: did you mean 'port'\?/);
  const json = JSON.parse((await shop.run('healthmon', 'config', 'check', '--json')).out);
  expect(json.errors).toBeGreaterThanOrEqual(2);
  const walk = await shop.run('runmonitor', ...ONE);
  expect(walk.status).toBe(3);
  expect(walk.err).toContain("unknown key 'hots'");
  shop.write('site.cfg', text);
});

test('healthmon crontab gives absolute paths, the node that runs, and quotes what has blanks', async () => {
  const { status, out } = await shop.run('healthmon', 'crontab');
  expect(status).toBe(0);
  const line = out.split('\n').find(each => each.includes('check_rndtrip')) ?? '';
  expect(line).toMatch(/^\S+ \* \* \* \* {2}\//);
  expect(line).toContain(process.execPath);
  expect(line).toContain(`'${shop.config}'`);
  const units = await shop.run('healthmon', 'crontab', '--systemd');
  expect(units.out).toMatch(/ExecStart=\S+ .+bin\/check_rndtrip"? --daemon --config "/);
  const host = await shop.run('healthmon', 'crontab', '--host');
  expect([host.status, host.err]).toEqual([0, '']);
  expect(host.out.split('\n').filter(each => /^[^#M]/.test(each))).toEqual([
    expect.stringMatching(/^\*\/5 \* \* \* \* {2}\/\S+ \/\S+bin\/healthmon hostcheck --quiet --config '/),
  ]);
  const timer = await shop.run('healthmon', 'crontab', '--host', '--systemd');
  expect(timer.out).toMatch(/ExecStart=\S+ .+bin\/healthmon"? hostcheck --quiet --config "[\s\S]*OnCalendar=\*:0\/5/);
});

test('healthmon init writes a set that checks clean once the passwords are there, and never writes over one', async () => {
  const dir = join(shop.state, '..', 'fresh');
  const args = [
    'init',
    dir,
    '--domain',
    'example.com',
    '--mtas',
    'mx1.example.com,mx2.example.com',
    '--stores',
    'store1.example.com',
    '--mmps',
    'imap1.example.com',
  ];
  const first = await shop.run('healthmon', ...args);
  expect(first.status).toBe(0);
  expect(statSync(join(dir, 'site.key')).mode & 0o777).toBe(0o600);
  expect(first.out).toContain('Write the passwords');
  const unfilled = await shop.run('healthmon', 'config', 'check', dir);
  expect(unfilled.status).toBe(3);
  expect((await shop.run('healthmon', 'config', 'check', dir, '--no-secrets')).status).toBe(0);
  const again = await shop.run('healthmon', ...args);
  expect([again.status, again.out]).toEqual([3, '']);
  expect(again.err).toContain('Nothing was written');
  const bad = await shop.run('healthmon', 'init', join(dir, 'x'), '--domain', 'not a domain');
  expect(bad.status).toBe(3);
  expect(bad.err).toMatch(/--domain: expected a domain[\s\S]*--mtas: no answer/);
});

test('the daemon starts, keeps the old config when the new one is broken, and ends at SIGTERM', async () => {
  const text = readFileSync(join(shop.config, 'site.cfg'), 'utf8');
  const daemon = shop.start('check_rndtrip', '--daemon');
  await expect.poll(daemon.said, { timeout: 5000 }).toContain('"msg":"started"');
  shop.write('site.cfg', 'nonsense = [');
  daemon.child.kill('SIGHUP');
  await expect.poll(daemon.said, { timeout: 5000 }).toContain('keeping the old config');
  shop.write('site.cfg', text);
  daemon.child.kill('SIGHUP');
  await expect.poll(daemon.said, { timeout: 5000 }).toContain('config read again');
  const other = await shop.run('check_rndtrip', '--daemon');
  expect([other.status, other.err.includes('is under way since')]).toEqual([3, true]);
  daemon.child.kill('SIGTERM');
  expect((await daemon.ended).status).toBe(0);
  const events = today().flatMap(record => (record.type === 'monitor' ? [record.event] : []));
  expect(events).toEqual(expect.arrayContaining(['started', 'kept old config', 'reloaded', 'stopped']));
});

test('a reader that goes away ends a command quietly', async () => {
  const { child, ended } = startCommand('healthmon', ['config', 'describe'], {});
  child.stdout?.destroy();
  const { err } = await ended;
  expect(err).not.toContain('EPIPE');
});

test('every command has --help with examples, on stdout, status 0', async () => {
  for (const [command, ...args] of [
    ['runmonitor'],
    ['check_rndtrip'],
    ['healthmon'],
    ['healthmon', 'config'],
    ['healthmon', 'init'],
    ['healthmon', 'crontab'],
    ['healthmon', 'explain'],
    ['healthmon', 'demo'],
  ] as const) {
    const { status, out, err } = await startCommand(command, [...args, '--help']).ended;
    expect([command, status, err]).toEqual([command, 0, '']);
    expect(out).toMatch(/^Usage: /);
  }
});

test('a reader that is slow gets the whole of a long output', async () => {
  const started = startCommand('healthmon', ['report', 'preview', 'json', '--sample', 'quiet']);
  // More than a pipe takes at once, and nobody reads before the command has had the time to end.
  started.child.stdout?.pause();
  await new Promise(resolve => setTimeout(resolve, 1500));
  started.child.stdout?.resume();
  const { status, out } = await started.ended;
  expect(status).toBe(0);
  expect(out.length).toBeGreaterThan(150_000);
  expect(JSON.parse(out)).toMatchObject({ whole: { trips: 288 } });
});
