// `healthmon plan` as a user meets it: what it prints for the shipped samples and for a big site, --json, --write, exit status.

import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startCommand } from '../cli/run.ts';
import { folderWith, KEY, temporaryFolder } from '../site/folder.ts';
import { numbered, type Shape, siteText } from './sites.ts';

const ETC = join(import.meta.dirname, '..', '..', 'etc');
const GOLDEN = join(import.meta.dirname, 'golden');

const plan = (config: string, ...args: string[]) => startCommand('healthmon', ['plan', '--config', config, ...args]).ended;
const SMALL: Shape = { mtas: 1, mmps: ['both'], accounts: [1] };
const COVERED = '00 DMSG -u ims01 -s out01 -p mux01\n';

function configOf(shape: Shape, sequence?: string): Promise<string> {
  const files = { 'site.cfg': siteText(shape), 'site.key': KEY, 'secrets/x': 'x\n' };
  return folderWith(sequence === undefined ? files : { ...files, 'sequence.cfg': sequence });
}

test('plan on the shipped samples reads as its golden file says, and exits 1 for the pairs that they leave out', async () => {
  const { status, out, err } = await plan(ETC);
  expect([status, err]).toEqual([1, '']);
  await expect(out).toMatchFileSnapshot(join(GOLDEN, 'etc.txt'));
});

test('plan --write on the shipped samples makes the golden sequence.cfg', async () => {
  const { status, out, err } = await plan(ETC, '--write', '--interval', '3');
  expect(status).toBe(0);
  expect(err).toBe('It needs interval = 3 in [site] of site.cfg, and cron to start check_rndtrip as often\n');
  await expect(out).toMatchFileSnapshot(join(GOLDEN, 'etc.sequence.cfg'));
});

test('plan --write without room for all says what is left out and what would make room, in the file and on stderr', async () => {
  const { status, out, err } = await plan(ETC, '--write');
  expect(status).toBe(1);
  await expect(err).toMatchFileSnapshot(join(GOLDEN, 'etc-no-room.err.txt'));
  for (const line of err.trimEnd().split('\n')) expect(out).toContain(`# ${line}`);
});

test('plan of 20 MTAs, 20 MMPs and 50 stores fits two screens', { timeout: 60_000 }, async () => {
  const shape = { mtas: 20, mmps: numbered('', 20).map(() => 'both' as const), accounts: numbered('', 50).map(() => 1) };
  const config = await configOf({ ...shape, interval: 1 });
  const written = await plan(config, '--write', join(config, 'sequence.cfg'), '--per-minute', '17');
  expect([written.status, written.out]).toEqual([0, `wrote ${join(config, 'sequence.cfg')}\n`]);
  const { status, out } = await plan(config);
  expect(status).toBe(0);
  expect(out.split('\n').length).toBeLessThan(100);
  await expect(out).toMatchFileSnapshot(join(GOLDEN, 'big.txt'));
});

test('plan exits 0 when every pair is covered and every component is visited', async () => {
  const { status, out, err } = await plan(await configOf(SMALL, COVERED));
  expect([status, err]).toEqual([0, '']);
  expect(out.trimEnd().split('\n').at(-1)).toBe('All pairs are covered, and every component is visited');
});

test('plan exits 1 when all pairs are covered and something is never visited', async () => {
  const below = '[directory.ldap1]\nurl = "ldap://ldap1.example.com"\nbase = "dc=x"\n';
  const { status, out } = await plan(await configOf({ ...SMALL, more: { below } }, COVERED));
  expect(status).toBe(1);
  expect(out).toMatch(/directory\/ldap1 +never\n.*\n +needs = \["directory\/ldap1"\]/);
  expect(out.trimEnd().split('\n').at(-1)).toBe('1 component never visited');
});

test('plan --json prints one object that says the same', async () => {
  const { status, out, err } = await plan(await configOf({ ...SMALL, mtas: 2 }, COVERED), '--json');
  expect([status, err]).toEqual([1, '']);
  expect(out.trimEnd().split('\n')).toHaveLength(1);
  const said = JSON.parse(out);
  expect(Object.keys(said)).toEqual([
    'v',
    'site',
    'intervalMinutes',
    'entries',
    'whole',
    'pairs',
    'detection',
    'ambiguities',
    'together',
    'load',
    'overlaps',
    'idle',
  ]);
  expect(said).toMatchObject({
    v: 1,
    site: 'Test',
    intervalMinutes: 5,
    entries: 1,
    whole: false,
    pairs: {
      mtaAccount: {
        wanted: 2,
        covered: 1,
        gaps: [{ mta: 'out02', account: 'ims01', state: 'never', missing: ['pop3', 'imap'] }],
      },
      mmpAccount: { wanted: 1, covered: 1, gaps: [] },
      mtaMmp: { wanted: 2, covered: 1, gaps: [{ mta: 'out02', mmp: 'mux01', state: 'never', missing: ['pop3', 'imap'] }] },
    },
    detection: [
      { component: 'mta/out01', wanted: true, visitsAnHour: 1, worstMs: 3_740_000 },
      {
        component: 'mta/out02',
        wanted: true,
        visitsAnHour: 0,
        change: { file: 'sequence.cfg', lines: ['05 DMSG -u ims01 -s out02 -p mux01'] },
      },
      { component: 'mmp/mux01' },
      { component: 'store/ims01' },
      { component: 'account/ims01' },
    ],
    load: { messages: 1 },
  });
  expect(said.ambiguities[0]).toMatchObject({
    symptom: expect.any(String),
    cases: expect.any(Array),
    solves: expect.any(Boolean),
  });
});

test('plan --write --json prints the lines, and what they leave out', async () => {
  const { status, out } = await plan(await configOf({ ...SMALL, mtas: 2, interval: 60 }), '--write', '--json');
  expect(status).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    v: 1,
    needed: 2,
    lowerBound: 2,
    room: 1,
    instead: { intervalMinutes: 30, perMinute: 2 },
    lines: ['00 DMSG -u ims01 -s out01 -p mux01'],
    pairs: { mtaMmp: { gaps: [{ mta: 'out02', mmp: 'mux01' }] } },
    unseen: ['mta/out02'],
  });
});

test('plan --write FILE needs no sequence.cfg, makes one that config check has nothing against, and leaves it alone after', async () => {
  const config = await configOf({ ...SMALL, mtas: 3, mmps: ['both', 'imap'] });
  const file = join(config, 'sequence.cfg');
  const first = await plan(config, '--write', file);
  expect(first).toMatchObject({ status: 0, out: `wrote ${file}\n` });
  expect(statSync(file).mode & 0o777).toBe(0o640);
  const check = await startCommand('healthmon', ['config', 'check', config]).ended;
  expect(check).toMatchObject({ status: 0, err: '' });

  writeFileSync(file, '# by hand\n');
  const second = await plan(config, '--write', file);
  expect(second).toEqual({ status: 3, out: '', err: `${file} is there already: nothing was written (--force replaces it)\n` });
  expect(readFileSync(file, 'utf8')).toBe('# by hand\n');
});

test('plan --write FILE --force keeps the mode of the file, and the link that leads to it', async () => {
  const config = await configOf(SMALL, COVERED);
  const folder = await temporaryFolder();
  const file = join(folder, 'kept.cfg');
  writeFileSync(file, 'old\n');
  chmodSync(file, 0o604);
  symlinkSync(file, join(folder, 'link.cfg'));
  expect(await plan(config, '--write', join(folder, 'link.cfg'), '--force')).toMatchObject({ status: 0 });
  expect(readFileSync(file, 'utf8')).toContain('\n00 DMSG -u ims01 -s out01 -p mux01\n');
  expect(statSync(file).mode & 0o777).toBe(0o604);
});

test.each([
  [['--write', '--interval', '7'], 'expected --interval 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60, not 7'],
  [['--write', '--interval', 'often'], 'expected a whole number from 1 to 60, not "often"'],
  [['--write', '--per-minute', '0'], 'expected a whole number from 1 to 1000, not "0"'],
  [['--interval', '3'], '--interval says how to make a sequence: it needs --write'],
  [['--per-minute', '3'], '--per-minute says how to make a sequence: it needs --write'],
  [['--force'], '--force says how to make a sequence: it needs --write'],
  [['--write', '/no/such/folder/sequence.cfg'], 'Cannot write /no/such/folder/sequence.cfg: there is no folder /no/such/folder'],
  [['--write', '/proc', '--force'], 'Cannot write /proc: it is not a file'],
  [['--frobnicate'], "unknown option '--frobnicate'"],
  [['word'], 'too many arguments'],
])('plan %j is wrong usage: words on stderr, nothing on stdout, status 3', async (args, words) => {
  const { status, out, err } = await plan(await configOf(SMALL, COVERED), ...args);
  expect([status, out]).toEqual([3, '']);
  expect(err).toContain(words);
});

test('plan with a config that has problems tells all of them and exits 3; so does --write, but for those of sequence.cfg', async () => {
  const config = await configOf(SMALL, '00 DMSG -u ims01 -s out99 -p mux01\n');
  const read = await plan(config);
  expect([read.status, read.out]).toEqual([3, '']);
  expect(read.err).toContain('sequence.cfg:1:');
  expect(read.err).toContain('out99');
  expect(await plan(config, '--write')).toMatchObject({ status: 0, err: '' });

  writeFileSync(join(config, 'site.cfg'), '[site]\nname = "x"\n');
  const broken = await plan(config, '--write');
  expect([broken.status, broken.out]).toEqual([3, '']);
  expect(broken.err).toContain('site.cfg:1:');
});

test('plan --write for a site whose mail nobody can read says so, and makes nothing', async () => {
  const config = await configOf({ mtas: 1, mmps: [], accounts: [1], storeDoors: false });
  mkdirSync(join(config, 'new'));
  const file = join(config, 'new', 'sequence.cfg');
  const { status, out, err } = await plan(config, '--write', file);
  expect([status, out]).toEqual([3, '']);
  expect(err).not.toBe('');
  expect(() => statSync(file)).toThrow();
});
