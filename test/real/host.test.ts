// The host checks on real servers: queues made by Postfix, Exim and sendmail, directories by OpenLDAP, and this machine's own /proc beside
// what its tools say in the same second. What was seen is printed as tables.

import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Look, Sample } from '../../lib/host/check.ts';
import { defaultConfig, type HostConfig } from '../../lib/host/config.ts';
import { defaultLimits } from '../../lib/host/default-limits.ts';
import { files } from '../../lib/host/files/files.ts';
import { ldapCheck } from '../../lib/host/ldap/ldap.ts';
import { mconn } from '../../lib/host/mconn/mconn.ts';
import { procs } from '../../lib/host/procs/procs.ts';
import { runProgram } from '../../lib/host/program.ts';
import { queues } from '../../lib/host/queues/queues.ts';
import { sys } from '../../lib/host/sys/sys.ts';
import type { HostReading } from '../../lib/model/reading.ts';
import { loadSite } from '../../lib/site/load.ts';
import { exim, type Given, giveOver, opensmtpd, sendmail } from '../lab/guests.ts';
import { startLab } from '../lab/lab.ts';
import { missingGuests, postfixIsPrivate } from '../lab/packages.ts';
import { run, sleep, until } from '../lab/run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const noGuests = missingGuests().length > 0;
if (noGuests)
  process.stdout.write(`no Exim, sendmail or OpenSMTPD here: npm run lab -- install (${missingGuests().join(' ')})\n`);

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'healthmon-realhost-'));
  // Exim's own user, and nobody, look in here.
  chmodSync(place, 0o755);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

function look(config: Partial<HostConfig> = {}, before?: unknown, at = Date.now()): Look {
  return {
    at,
    root: '/',
    config: { ...defaultConfig(defaultLimits()), ...config },
    deadOn: () => undefined,
    dead: [],
    run: runProgram,
    sleep,
    before,
  };
}

/** A queue's figures without the check's name before each. */
function counts({ figures }: Sample): Record<string, number> {
  const of = (name: string) => figures[`queues.${name}`] ?? Number.NaN;
  return Object.fromEntries(['active', 'incoming', 'deferred', 'hold', 'corrupt'].map(name => [name, of(name)]));
}

function print(title: string, rows: readonly (readonly unknown[])[]): void {
  process.stdout.write(`\n${title}\n${rows.map(row => `  ${row.map(each => String(each).padEnd(28)).join('')}`).join('\n')}\n`);
}

function letter(n: number, client: string, ...recipients: readonly string[]): Given {
  return { sender: `sender${n}@away.test`, recipients, client };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('Postfix: messages under way, deferred and held, as postqueue counts them, with who sent them and where to', async () => {
  await using lab = await startLab();
  const door = { host: lab.address('mta/ssmtp01'), port: 25 };
  const [to1, to2] = ['ims1', 'ims2'].map(name => lab.site.account(name).address) as [string, string];
  const settings = {
    flavour: 'postfix',
    directory: lab.site.path('ssmtp01', 'q'),
    config: lab.site.path('ssmtp01', 'etc'),
    sample: 2000,
  } as const;
  const began = Date.now();
  await lab.fault('stopped', 'store/ims1');
  await lab.fault('frozen', 'store/ims2');
  for (const n of [1, 2, 3, 4]) await giveOver(door, letter(n, '127.0.0.5', to1));
  for (const n of [5, 6]) await giveOver(door, letter(n, '127.0.0.6', to2));
  const first = await until('four deferred and two under way', 15_000, async () => {
    const seen = await queues.look(look({ queues: settings }));
    return seen.figures['queues.deferred'] === 4 && seen.figures['queues.active'] === 2 ? seen : undefined;
  });
  await lab.fault('held', 'mta/ssmtp01');
  for (const n of [7, 8, 9]) await giveOver(door, letter(n, '127.0.0.7', to1, to2));
  const at = Date.now() + 60_000;
  const { seen, said } = await until('check_queues and postqueue agree', 10_000, async () => {
    const seen = await queues.look(look({ queues: settings }, first.keep, at));
    const said = await lab.mtaQueue('ssmtp01');
    const bySaid = (name: string) => said.filter(({ queue_name }) => queue_name === name).length;
    const agrees = ['active', 'deferred', 'hold'].every(name => seen.figures[`queues.${name}`] === bySaid(name));
    return agrees && bySaid('hold') === 3 ? { seen, said } : undefined;
  });
  print('Postfix', [
    ['', 'check_queues', 'postqueue -j'],
    ...['incoming', 'active', 'deferred', 'hold'].map(name => [
      name,
      seen.figures[`queues.${name}`],
      said.filter(({ queue_name }) => queue_name === name).length,
    ]),
    ['text', seen.text],
    ['tops', JSON.stringify(seen.tops)],
  ]);
  expect([seen.figures['queues.total'], seen.figures['queues.corrupt'], seen.missing]).toEqual([6, 0, []]);
  expect(seen.tops['client hosts']).toEqual([
    { name: '127.0.0.5', count: 4 },
    { name: '127.0.0.7', count: 3 },
    { name: '127.0.0.6', count: 2 },
  ]);
  expect(seen.tops['destination domains']).toEqual([{ name: 'lab.test', count: 9 }]);
  // Short ids have no time in them: ages are from the files, and a deferred file's own time is of its next try.
  const oldest = Math.min(
    ...said.filter(({ queue_name }) => queue_name !== 'hold').map(({ arrival_time }) => arrival_time * 1000),
  );
  expect(oldest).toBeGreaterThanOrEqual(Math.floor(began / 1000) * 1000);
  expect(seen.figures['queues.oldest_s']).toBe((at - oldest) / 1000);
  // Nothing has left since the first look, and nothing that is held counts.
  expect([seen.figures['queues.drain_per_min'], seen.figures['queues.growth_per_min']]).toEqual([0, 0]);
  const qshape = await run(['qshape', '-c', settings.config, 'incoming', 'active', 'deferred'], { anyStatus: true });
  if (qshape.status === 0) expect(Number(/TOTAL +(\d+)/.exec(qshape.stdout)?.[1])).toBe(6);

  // Somebody who may not look into the folders has the same from postqueue, and is told what is missing. The instance takes the place of
  // the usual one: postqueue, which has rights of its own, knows no other.
  const config = mkdtempSync(join(place, 'nobody-'));
  chmodSync(config, 0o755);
  writeFileSync(join(config, 'host.cfg'), `[queues]\nflavour = "postfix"\ndirectory = "${settings.directory}"\n`);
  const asNobody = ['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups'];
  const may = await run([...asNobody, process.execPath, '--check', join(ROOT, 'dist/check_queues.cjs')], { anyStatus: true });
  if (may.status !== 0) {
    process.stdout.write(`nobody may not read ${ROOT}: check_queues is not tried as nobody\n`);
    return;
  }
  const command = [...asNobody, process.execPath, join(ROOT, 'bin/check_queues'), '--json', '--no-record', '--config', config];
  const inPlace = ['unshare', '-m', 'sh', '-c', 'mount --bind "$1" /etc/postfix && shift && exec "$@"', 'sh', settings.config];
  const { reading, listed } = await until('check_queues as nobody and postqueue agree', 20_000, async () => {
    const { stdout } = await run([...inPlace, ...command], { anyStatus: true });
    const listed = await lab.mtaQueue('ssmtp01');
    const reading = (JSON.parse(stdout) as HostReading).checks[0];
    const bySaid = (name: string) => listed.filter(({ queue_name }) => queue_name === name).length;
    const agrees = ['incoming', 'active', 'deferred', 'hold'].every(name => reading?.figures[`queues.${name}`] === bySaid(name));
    return reading !== undefined && agrees ? { reading, listed } : undefined;
  });
  print('check_queues as nobody', [
    [reading.text],
    ...reading.missing.map(({ what, why, remedy }) => [`${what}: ${why} -> ${remedy}`]),
  ]);
  expect([reading.level, listed.length]).toEqual(['ok', 9]);
  expect(reading.tops['destination domains']).toEqual([{ name: 'lab.test', count: 9 }]);
  expect(reading.missing.map(({ what }) => what)).toEqual(['client hosts and damaged files of the queue']);
  expect(reading.missing[0]?.remedy).toContain(`nobody ALL=(postfix) NOPASSWD: ${ROOT}/bin/check_queues`);
});

for (const isSplit of [false, true]) {
  test.skipIf(noGuests)(
    `Exim, ${isSplit ? 'split' : 'flat'} spool: not tried yet, deferred and frozen, as exim -bp says`,
    async () => {
      const mta = await exim(join(place, `exim-${isSplit}`), { isSplit });
      for (const n of [1, 2, 3, 4, 5, 6]) await mta.give(letter(n, `192.0.2.${n % 2}`, 'a@one.test', `b@d${n}.test`));
      const ids = [...(await mta.tool('-bp')).stdout.matchAll(/^ *\d+\w +\S+ (\S+) </gm)].map(match => match[1] ?? '');
      await mta.tool('-Mf', ids[0] ?? '');
      for (const id of ids.slice(1, 4)) await mta.tool('-M', id);
      const seen = await queues.look(look({ queues: { flavour: 'exim', directory: mta.spool, sample: 2000 } }));
      const listed = (await mta.tool('-bp')).stdout;
      const frozen = listed.match(/\*\*\* frozen \*\*\*/g)?.length;
      print(`Exim ${(await mta.tool('-bV')).stdout.split('\n')[0]}, split ${isSplit}`, [
        ['', 'check_queues', 'exim -bpc, -bp'],
        ['all', (seen.figures['queues.total'] ?? 0) + (seen.figures['queues.hold'] ?? 0), (await mta.tool('-bpc')).stdout.trim()],
        ['frozen', seen.figures['queues.hold'], frozen],
        ['text', seen.text],
      ]);
      expect(ids).toHaveLength(6);
      expect(counts(seen)).toEqual({ active: 2, incoming: 0, deferred: 3, hold: 1, corrupt: 0 });
      expect([(await mta.tool('-bpc')).stdout.trim(), frozen]).toEqual(['6', 1]);
      expect(seen.tops['client hosts']).toEqual([
        { name: '192.0.2.0', count: 3 },
        { name: '192.0.2.1', count: 3 },
      ]);
      expect(seen.tops['destination domains']?.[0]).toEqual({ name: 'one.test', count: 6 });
      expect(seen.figures['queues.oldest_s']).toBeLessThan(60);
      expect(seen.missing).toEqual([]);
    },
  );
}

test.skipIf(noGuests)(
  'sendmail: several queues, one of them split, quarantined mail, and MailScanner’s own, in another zone',
  async () => {
    const dir = join(place, 'sendmail');
    for (const each of ['mqueue/qd1', 'mqueue/qd2/qf', 'mqueue/qd2/df', 'mqueue/qd2/xf', 'mqueue.in'])
      mkdirSync(join(dir, each), { recursive: true, mode: 0o700 });
    const zone = 'America/New_York';
    const mta = await sendmail(join(dir, 'out'), { queue: join(dir, 'mqueue/qd*'), port: await freePort(), zone });
    const scanner = await sendmail(join(dir, 'in'), { queue: join(dir, 'mqueue.in'), port: await freePort(), zone });
    try {
      for (let n = 1; n <= 12; n++) await mta.give(letter(n, `127.0.0.${10 + (n % 2)}`, 'a@one.test', `b@d${n}.test`));
      for (const n of [13, 14]) await scanner.give(letter(n, '127.0.0.12', 'a@one.test'));
      const listed = async (...args: readonly string[]) => (await mta.tool('-bp', ...args)).stdout;
      const ids = [...(await listed()).matchAll(/^([0-9A-Za-z]{14})[*X-]? /gm)].map(match => match[1] ?? '');
      await mta.tool('-Qspam', `-qI${ids[0]}`);
      // Without -v it goes on by itself after the program has ended.
      for (const id of ids.slice(1, 6)) await mta.tool('-v', `-qI${id}`);
      const settings = {
        flavour: 'sendmail',
        directory: join(dir, 'mqueue/qd*'),
        incoming: join(dir, 'mqueue.in'),
        sample: 2000,
      } as const;
      const seen = await queues.look(look({ queues: settings }));
      const requests = /Total requests: (\d+)/.exec(await listed())?.[1];
      const deferred = (await listed()).match(/\(Deferred: /g)?.length;
      const quarantined = (await listed('-qQ')).match(/QUARANTINE: spam/g)?.length;
      print('sendmail', [
        ['', 'check_queues', 'sendmail -bp, -bp -qQ'],
        ['all but held', (seen.figures['queues.total'] ?? 0) - 2, requests],
        ['deferred', seen.figures['queues.deferred'], deferred],
        ['quarantined', seen.figures['queues.hold'], quarantined],
        ['text', seen.text],
      ]);
      expect(ids).toHaveLength(12);
      expect(counts(seen)).toEqual({ active: 6, incoming: 2, deferred: 5, hold: 1, corrupt: 0 });
      expect([requests, deferred, quarantined]).toEqual(['11', 5, 1]);
      expect(seen.tops['client hosts']).toEqual([
        { name: '127.0.0.10', count: 6 },
        { name: '127.0.0.11', count: 6 },
        { name: '127.0.0.12', count: 2 },
      ]);
      // Ids have the local time of the MTA in them, which is hours away from ours.
      expect(seen.figures['queues.oldest_s']).toBeLessThan(60);
      expect(seen.missing).toEqual([]);
    } finally {
      await Promise.all([mta.stop(), scanner.stop()]);
    }
  },
);

test.skipIf(noGuests)('OpenSMTPD: messages, not envelopes, before and after their first try', async () => {
  const mta = await opensmtpd(join(place, 'opensmtpd'), { port: await freePort() });
  try {
    for (const n of [1, 2, 3]) await mta.give(letter(n, `127.0.0.${10 + (n % 2)}`, 'a@one.test', `b@d${n}.test`));
    const settings = { flavour: 'opensmtpd', directory: mta.spool, sample: 2000 } as const;
    const seen = await queues.look(look({ queues: settings }));
    print('OpenSMTPD', [[seen.text], [JSON.stringify(seen.tops)]]);
    expect([seen.figures['queues.total'], seen.figures['queues.hold'], seen.missing]).toEqual([3, 0, []]);
    expect((seen.figures['queues.active'] ?? 0) + (seen.figures['queues.deferred'] ?? 0)).toBe(3);
    expect(seen.tops['client hosts']).toEqual([
      { name: '127.0.0.11', count: 2 },
      { name: '127.0.0.10', count: 1 },
    ]);
    expect(seen.tops['destination domains']?.[0]).toEqual({ name: 'one.test', count: 3 });
    expect(seen.figures['queues.oldest_s']).toBeLessThan(60);
  } finally {
    await mta.stop();
  }
});

test.skipIf(postfixIsPrivate())('Postfix configuration that no longer parses, a real mail log, and a certificate', async () => {
  await using lab = await startLab({ only: ['mta', 'directory', 'dns'] });
  const etc = mkdtempSync(join(place, 'postfix-'));
  // A copy, to be broken.
  for (const name of ['main.cf', 'master.cf', 'dynamicmaps.cf'])
    copyFileSync(join(lab.site.path('ssmtp01', 'etc'), name), join(etc, name));
  for (const name of ['postfix-script', 'post-install', 'postfix-files'])
    copyFileSync(join('/etc/postfix', name), join(etc, name));
  const main = readFileSync(join(etc, 'main.cf'), 'utf8').replace(/^meta_directory = .*$/m, `meta_directory = ${etc}`);
  const write = (name: string, text: string) => {
    writeFileSync(join(etc, name), text);
    // The same second is the same state.
    const later = new Date(Date.now() + 5000 * Math.random());
    utimesSync(join(etc, name), later, later);
  };
  write('main.cf', main);
  const log = lab.site.path('ssmtp01', 'log', 'maillog');
  const config = (patterns: readonly string[]) => ({
    queues: { flavour: 'postfix' as const, directory: lab.site.path('ssmtp01', 'q'), config: etc, sample: 2000 },
    files: {
      files: [],
      logs: [{ name: 'mail', path: log, patterns, ignore: [], warn: 2 }],
      certificates: [{ name: 'ca', path: lab.ca }],
      cores: [],
      parse: true,
    },
  });
  const connects = config(['smtpd\\[\\d+\\]: connect from ']);
  const see = async (before?: unknown) => {
    const { findings, ...rest } = await files.look(look(connects, before));
    const ours = findings.filter(
      ({ subject }) => !subject.startsWith('config:dovecot') && !subject.startsWith('certificate:/etc'),
    );
    return { ...rest, texts: ours.map(({ level, text }) => `${level}: ${text}`) };
  };
  const well = await see();
  expect(well.texts).toEqual([]);
  expect(well.figures['files.certificate_days:ca']).toBeGreaterThanOrEqual(0);

  for (const n of [1, 2, 3])
    await giveOver({ host: lab.address('mta/ssmtp01'), port: 25 }, letter(n, '127.0.0.8', lab.site.account('ims1').address));
  const logged = await see(well.keep);
  expect(logged.figures['files.matches:mail']).toBe(3);
  expect(logged.texts[0]).toMatch(/^warning: 3 lines of \S+maillog since the last look match: .*connect from /);

  write('main.cf', main.replace(/^inet_protocols = .*$/m, 'inet_protocols = nonsense'));
  const broken = await see(logged.keep);
  write('main.cf', `${main}nonsense = 1\n`);
  const unused = await see(broken.keep);
  write('main.cf', main);
  write('master.cf', `${readFileSync(join(etc, 'master.cf'), 'utf8')}smtp inot n - n - - smtpd\n`);
  const service = await see(unused.keep);
  print(
    'check_files',
    [...logged.texts, ...broken.texts, ...unused.texts, ...service.texts].map(text => [text]),
  );
  expect(broken.texts[0]).toMatch(/^critical: postfix -c \S+ check complains: .*fatal: .*inet_protocols/);
  expect(unused.texts).toEqual([
    expect.stringMatching(/^warning: postfix -c \S+ check complains: .*unused parameter: nonsense=1$/),
  ]);
  expect(service.texts).toEqual([
    expect.stringMatching(/^critical: postfix -c \S+ check complains: .*fatal: invalid type field/),
  ]);
});

test('OpenLDAP: phases, entries and counts of each directory; a replica that has stopped following, and one that is dead', async () => {
  await using lab = await startLab();
  const etc = mkdtempSync(join(place, 'etc-'));
  lab.etc(etc);
  const { site, problems } = await loadSite(etc, { secrets: true });
  if (site === undefined) throw new Error(JSON.stringify(problems));
  const check = ldapCheck({ directories: [...site.directories.values()], accounts: [...site.accounts.values()] });
  const well = await check.look(look());
  print('OpenLDAP, all well', [
    ['text', well.text],
    ...Object.entries(well.figures).map(([name, value]) => [name, value.toFixed(1)]),
  ]);
  expect(well.figures['ldap.connections:ldap1']).toBeGreaterThanOrEqual(1);
  expect(well.missing.map(({ what, why }) => `${what}: ${why}`)).toEqual([
    'connections and operations of ldap2: cn=Monitor may not be read by this bind_dn',
  ]);
  expect([well.findings, well.figures['ldap.lag_s:ldap1'], well.figures['ldap.lag_s:ldap2']]).toEqual([[], 0, 0]);
  expect([well.figures['ldap.missing:ldap1'], well.figures['ldap.missing:ldap2']]).toEqual([0, 0]);

  const behind = await lab.fault('replica-behind', 'directory/ldap2');
  const changed = Date.now();
  await lab.fault('account-refused', 'account/ims2');
  const lagging = await check.look(look({}, well.keep));
  expect(lagging.figures['ldap.operations_per_min:ldap1']).toBeGreaterThan(0);
  const lag = lagging.figures['ldap.lag_s:ldap2'] ?? Number.NaN;
  print('OpenLDAP, the replica follows no more', [
    ['lag by contextCSN', `${lag} s`],
    ['the change was', `${(Date.now() - changed) / 1000} s ago at most`],
    ['findings', lagging.findings.map(({ text }) => text).join(' / ')],
  ]);
  expect([lagging.figures['ldap.lag_s:ldap1'], lagging.figures['ldap.missing:ldap2']]).toEqual([0, 1]);
  expect(lagging.findings.map(({ level, subject }) => `${level} ${subject}`)).toEqual(['critical directory:ldap2']);
  await sleep(1500);
  const later = await check.look(look({}, lagging.keep));
  // The same change is lacked: its age grows with the clock.
  expect((later.figures['ldap.lag_s:ldap2'] ?? 0) - lag).toBeGreaterThanOrEqual(1.4);
  await behind.off();
  const again = await until('the replica has caught up', 10_000, async () => {
    const seen = await check.look(look({}, later.keep));
    return seen.figures['ldap.lag_s:ldap2'] === 0 ? seen : undefined;
  });
  expect(again.findings).toEqual([]);

  await lab.fault('stopped', 'directory/ldap2');
  const dead = await check.look(look({}, again.keep));
  print('OpenLDAP, the replica is dead', [[dead.findings.map(({ level, text }) => `${level}: ${text}`).join(' / ')]]);
  expect(dead.findings.map(({ level, subject }) => `${level} ${subject}`)).toEqual(['critical directory:ldap2']);
  expect(dead.findings[0]?.text).toMatch(/^ldap2 connect: .*refused/);

  // The same daemon, by its pid file.
  const daemon = (name: string) => ({ name, programs: [], pidFile: lab.site.path(name, 'slapd.pid'), min: 1 });
  const seen = await procs.look(look({ procs: { learn: false, daemons: [daemon('ldap1'), daemon('ldap2')] } }));
  expect(seen.findings.map(({ level, text }) => `${level}: ${text}`)).toEqual(['critical: ldap2 does not run']);
  expect(seen.figures['procs.count:ldap1']).toBe(1);
});

/** Both within this share of each other, or this far apart: they are not read in the same instant. */
function near(ours: number | undefined, theirs: number, share: number, apart: number): boolean {
  return ours !== undefined && Math.abs(ours - theirs) <= Math.max(apart, share * Math.abs(theirs));
}

async function linesOf(...command: readonly string[]): Promise<string[]> {
  const { stdout } = await run(command);
  return stdout.trimEnd().split('\n');
}

test('memory, disks, processors, processes and connections are what free, df, vmstat, ps and ss say in the same second', async () => {
  await using lab = await startLab({ only: ['store', 'directory', 'dns'] });
  const open = [1, 2, 3].map(() => connect({ host: lab.address('store/ims1'), port: 143 }));
  await Promise.all(open.map(socket => new Promise(resolve => socket.once('data', resolve))));
  try {
    const settings = { sys: { directories: ['/', tmpdir()], clock: false }, procs: { learn: false, daemons: [] } };
    const first = await sys.look(look(settings));
    const vmstat = linesOf('vmstat', '-n', '2', '2');
    await sleep(1900);
    const [system, free, df, inodes, seen, ss, table, ps] = await Promise.all([
      sys.look(look(settings, first.keep)),
      linesOf('free', '-b'),
      linesOf('df', '-B1', '--output=size,used,avail', '/'),
      linesOf('df', '--output=itotal,iused', '/'),
      mconn.look(look()),
      linesOf('ss', '-Htan'),
      procs.look(look(settings)),
      linesOf('ps', '-eo', 'pid=,stat='),
    ]);
    const cpu = ((await vmstat).at(-1) ?? '').trim().split(/\s+/).slice(12, 17).map(Number);
    const [user = 0, kernel = 0, idle = 0, wait = 0, steal = 0] = cpu;
    const [, , , , , , available = 0] = (free[1] ?? '').split(/\s+/).map(Number);
    const [, used = 0, left = 0] = (df[1] ?? '').trim().split(/\s+/).map(Number);
    const [itotal = 0, iused = 0] = (inodes[1] ?? '').trim().split(/\s+/).map(Number);
    const established = (port: string) => ss.filter(line => new RegExp(`^ESTAB .*?:${port} +\\S+:\\d+`).test(line)).length;
    const of = (sample: Sample, name: string) => sample.figures[name];
    const rows: (readonly [string, number | undefined, number, number, number])[] = [
      ['memory available, bytes (free)', of(system, 'sys.memory_available_bytes'), available, 0.02, 0],
      ['/ used, percent (df)', of(system, 'sys.disk_used_percent:/'), (used / (used + left)) * 100, 0, 0.5],
      ['/ free, bytes (df)', of(system, 'sys.disk_free_bytes:/'), left, 0.01, 0],
      ['/ inodes used, percent (df -i)', of(system, 'sys.inodes_used_percent:/'), (iused / itotal) * 100, 0, 0.5],
      ['CPU user, percent (vmstat)', of(system, 'sys.cpu_user_percent'), user, 0, 15],
      ['CPU system, percent (vmstat)', of(system, 'sys.cpu_system_percent'), kernel, 0, 10],
      ['CPU idle, percent (vmstat)', of(system, 'sys.cpu_idle_percent'), idle, 0, 20],
      ['CPU wait and steal (vmstat)', of(system, 'sys.cpu_wait_percent'), wait + steal, 0, 10],
      ['imap established (ss)', of(seen, 'mconn.established:imap'), established('143'), 0, 1],
      ['ldap established (ss)', of(seen, 'mconn.established:ldap'), established('389'), 0, 2],
      ['processes (ps)', of(table, 'procs.total'), ps.length, 0, 8],
      ['zombies (ps)', of(table, 'procs.zombies'), ps.filter(line => / Z/.test(line)).length, 0, 2],
    ];
    print('/proc', [['', 'ours', 'theirs'], ...rows.map(([name, ours, theirs]) => [name, ours, theirs])]);
    expect(rows.filter(([, ours, theirs, share, apart]) => !near(ours, theirs, share, apart))).toEqual([]);
    expect(of(seen, 'mconn.established:imap')).toBeGreaterThanOrEqual(3);
  } finally {
    for (const socket of open) socket.destroy();
  }
});

/** Processor time of what this process has started and waited for, ms. */
function childrenCpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

test('one run of everything takes less than 300 ms of processor time and 80 MB', async () => {
  await using _lab = await startLab();
  const dir = mkdtempSync(join(place, 'run-'));
  let best = { cpuMs: Number.POSITIVE_INFINITY, kilobytes: 0, status: -1 };
  for (let n = 0; n < 3; n++) {
    const before = childrenCpuMs();
    const child = spawn(
      process.execPath,
      [join(ROOT, 'bin/healthmon'), 'hostcheck', '--config', dir, '--state', join(dir, 'var'), '--nagios'],
      {
        stdio: 'ignore',
      },
    );
    let kilobytes = 0;
    const watch = setInterval(() => {
      try {
        const text = readFileSync(`/proc/${child.pid}/status`, 'latin1');
        kilobytes = Math.max(kilobytes, Number(/^VmHWM:\s+(\d+)/m.exec(text)?.[1] ?? 0));
      } catch {
        // it has ended
      }
    }, 5);
    const status = await new Promise<number>(resolve => child.on('close', code => resolve(code ?? -1)));
    clearInterval(watch);
    const cpuMs = childrenCpuMs() - before;
    if (cpuMs < best.cpuMs) best = { cpuMs, kilobytes, status };
  }
  print('one run of everything', [[`${best.cpuMs} ms of processor time`, `${(best.kilobytes / 1024).toFixed(0)} MB`]]);
  expect(best.status).toBeLessThanOrEqual(2);
  expect(best.cpuMs).toBeLessThan(300);
  expect(best.kilobytes).toBeLessThan(80 * 1024);
});

test('a mount that never answers holds nothing: queue, log and file on it are told, the rest is looked at', async ({ skip }) => {
  if (!existsSync('/dev/fuse')) skip('no /dev/fuse');
  const dir = mkdtempSync(join(place, 'hang-'));
  const [mount, config] = ['mnt', 'etc'].map(name => join(dir, name)) as [string, string];
  for (const folder of [mount, config]) mkdirSync(folder);
  writeFileSync(
    join(config, 'host.cfg'),
    `[queues]\nflavour = "postfix"\ndirectory = "${mount}/q"\n[log.mail]\npath = "${mount}/log"\n[file.x]\npath = "${mount}/x"\n`,
  );
  // A file system in user space whose server does not serve; it goes with its name space.
  const script = `exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 hang "$1" || exit 77
exec "$2" "$3" hostcheck --json --config "$4" --state "$5"`;
  const began = performance.now();
  const ran = await run(
    [
      'unshare',
      '-m',
      'bash',
      '-c',
      script,
      'bash',
      mount,
      process.execPath,
      join(ROOT, 'bin/healthmon'),
      config,
      join(dir, 'var'),
    ],
    { anyStatus: true, limitMs: 60_000 },
  );
  if (ran.status === 77) skip(`no such mount can be made here: ${ran.stderr}`);
  expect(performance.now() - began).toBeLessThan(30_000);
  const reading = JSON.parse(ran.stdout) as HostReading;
  const told = reading.checks.flatMap(({ findings }) => findings).filter(({ text }) => text.includes('does not answer in 5 s'));
  print(
    'a mount that hangs',
    told.map(({ level, text }) => [`${level}: ${text}`]),
  );
  expect(told.map(({ level, subject }) => `${level} ${subject}`).sort()).toEqual([
    `critical disk:${mount}`,
    `critical queue:${mount}/q`,
    'unknown file:x',
    'unknown log:mail',
  ]);
  expect(reading.checks.map(({ check }) => check)).toEqual(['queues', 'sys', 'mconn', 'procs', 'files', 'ldap']);
});
