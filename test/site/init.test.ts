// What `healthmon init` asks and writes.

import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accountNames, type InitAnswers, init } from '../../lib/site/init.ts';
import { writeInit } from '../../lib/site/init-write.ts';
import { loadSite } from '../../lib/site/load.ts';
import { formatProblems } from '../../lib/site/problem.ts';
import { QUESTIONS, readAnswers } from '../../lib/site/questions.ts';
import { temporaryFolder } from './folder.ts';

const KEY = Buffer.alloc(32, 7);

const ANSWERS: InitAnswers = {
  name: 'Ex "Ample"',
  domain: 'example.com',
  mtas: ['ssmtp01.example.com', 'ssmtp02.example.com'],
  mtaLogin: false,
  mmps: ['smux01.example.com', 'smux02.example.com'],
  stores: ['ims1.example.com', 'ims2.example.com', 'ims3.example.com'],
  addresses: ['ims1@example.com', 'ims2@example.com', 'ims3@example.com'],
  security: 'starttls',
  protocols: ['pop3', 'imap'],
};

/** Writes the files for some answers, with a password for every account, and loads them with every check there is. */
async function loadInit(answers: InitAnswers) {
  const dir = await temporaryFolder();
  const passwords = new Map(accountNames(answers).map(account => [account, `pw of ${account}`]));
  expect((await writeInit(dir, init(answers, { key: KEY, passwords }))).outcome).toBe('written');
  const { site, sequence, problems } = await loadSite(dir, { secrets: true });
  return { dir, site, sequence, told: formatProblems(problems).replaceAll(`${dir}/`, '') };
}

function manyHosts(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${kind}${i + 1}.example.com`);
}

function answersFor(mtas: number, mmps: number, stores: number): InitAnswers {
  const addresses = Array.from({ length: stores }, (_, i) => `a${i}@example.com`);
  return { ...ANSWERS, mtas: manyHosts('mta', mtas), mmps: manyHosts('mmp', mmps), stores: manyHosts('ims', stores), addresses };
}

test('init() writes a set of files that loads without a problem, secrets and all', async () => {
  const { site, sequence, told } = await loadInit(ANSWERS);
  expect(told).toBe('');
  expect(site?.name).toBe('Ex "Ample"');
  expect([...(site?.accounts.values() ?? [])].map(({ name, address }) => [name, address])).toEqual([
    ['ims1', 'ims1@example.com'],
    ['ims2', 'ims2@example.com'],
    ['ims3', 'ims3@example.com'],
  ]);
  expect(await site?.accounts.get('ims2')?.login.secret()).toBe('pw of ims2');
  expect(await site?.key()).toEqual(KEY);
  expect(sequence?.length).toBe(12);
});

test.for([
  ['one of each', answersFor(1, 1, 1)],
  ['no MMP', answersFor(2, 0, 2)],
  ['the seed', answersFor(4, 2, 4)],
  ['thirteen stores', answersFor(2, 3, 13)],
  ['thirty MTAs', answersFor(30, 2, 4)],
  ['one protocol', { ...ANSWERS, protocols: ['imap'] as const }],
  ['TLS', { ...ANSWERS, security: 'tls' as const, mtaLogin: true }],
  ['log-in at the MTAs', { ...ANSWERS, mtaLogin: true }],
  ['addresses for hosts', { ...ANSWERS, mtas: ['192.0.2.1', '2001:db8::1'] }],
  ['hosts that begin alike', { ...ANSWERS, mtas: ['mx.a.example.com', 'mx.b.example.com'], mmps: ['direct.example.com'] }],
] as const)('init() writes files without a problem for %s', async ([, answers]) => {
  const { told, site } = await loadInit(answers);
  expect(told).toBe('');
  expect([site?.mtas.size, site?.mmps.size, site?.stores.size]).toEqual([
    answers.mtas.length,
    answers.mmps.length,
    answers.stores.length,
  ]);
});

test('init() says by a warning of its own making what plain means', async () => {
  const { told, site } = await loadInit({ ...ANSWERS, security: 'plain' });
  expect(site).toBeDefined();
  expect(told.split('\n').every(line => /warning: .* the password travels unencrypted/.test(line))).toBe(true);
});

test('init() names the port of submission where it logs in', async () => {
  const { site } = await loadInit({ ...ANSWERS, mtaLogin: true });
  expect(site?.mtas.get('ssmtp02')?.smtp).toMatchObject({ port: 587, security: 'starttls', login: { user: 'ims1@example.com' } });
  expect(await site?.mtas.get('ssmtp02')?.smtp.login?.secret()).toBe('pw of ims1');
});

test('init() leaves an empty file for a password that it was not given, which is then told', async () => {
  const dir = await temporaryFolder();
  await writeInit(dir, init(ANSWERS, { key: KEY, passwords: new Map([['ims1', 'x']]) }));
  expect((await loadSite(dir, { secrets: false })).problems).toEqual([]);
  const { problems } = await loadSite(dir, { secrets: true });
  expect(problems.map(({ text }) => text.replaceAll(dir, 'DIR'))).toEqual([
    'Cannot use secret file DIR/secrets/ims2: its first line is empty',
    'Cannot use secret file DIR/secrets/ims3: its first line is empty',
  ]);
});

test('init() uses every pair of store and MTA before one comes again', () => {
  const sequence = init(answersFor(3, 2, 4), { key: KEY }).find(({ path }) => path === 'sequence.cfg')?.text ?? '';
  const pairs = [...sequence.matchAll(/^\d\d DMSG -u (\S+) -s (\S+)/gm)].map(([, store, mta]) => `${store} ${mta}`);
  expect(pairs.length).toBe(12);
  expect(new Set(pairs).size).toBe(12);
});

test('writeInit() keeps secrets to their owner', async () => {
  const { dir } = await loadInit(ANSWERS);
  const mode = async (path: string) => ((await stat(join(dir, path))).mode & 0o777).toString(8);
  const umask = process.umask();
  expect(await Promise.all(['site.cfg', 'sequence.cfg', 'site.key', 'secrets', 'secrets/ims1'].map(mode))).toEqual([
    (0o640 & ~umask).toString(8),
    (0o640 & ~umask).toString(8),
    '600',
    '700',
    '600',
  ]);
});

test('writeInit() makes the folder where it is missing', async () => {
  const dir = join(await temporaryFolder(), 'a', 'etc');
  expect((await writeInit(dir, init(ANSWERS, { key: KEY }))).outcome).toBe('written');
  expect((await readdir(dir)).toSorted()).toEqual(['secrets', 'sequence.cfg', 'site.cfg', 'site.key']);
});

test('writeInit() touches nothing when one of the files is there, and says which', async () => {
  const dir = await temporaryFolder();
  await writeFile(join(dir, 'sequence.cfg'), 'mine');
  await mkdir(join(dir, 'secrets'));
  await symlink('/nowhere', join(dir, 'secrets', 'ims2'));
  expect(await writeInit(dir, init(ANSWERS, { key: KEY }))).toEqual({
    outcome: 'exists',
    files: [join(dir, 'sequence.cfg'), join(dir, 'secrets', 'ims2')],
  });
  expect((await readdir(dir)).toSorted()).toEqual(['secrets', 'sequence.cfg']);
  expect(await readFile(join(dir, 'sequence.cfg'), 'utf8')).toBe('mine');
});

test('writeInit() takes away what it wrote when it cannot write the rest', async () => {
  const dir = await temporaryFolder();
  await writeFile(join(dir, 'secrets'), 'a file in the place of the folder');
  await expect(writeInit(dir, init(ANSWERS, { key: KEY }))).rejects.toThrow(/^Cannot write .*secrets\/ims1: /);
  expect(await readdir(dir)).toEqual(['secrets']);
});

test('readAnswers() takes defaults for what is not given', () => {
  expect(readAnswers({ domain: 'example.com', mtas: 'mx1, mx2', stores: 'ims1.example.com ims2.example.com' })).toEqual({
    answers: {
      domain: 'example.com',
      name: 'example.com',
      mtas: ['mx1', 'mx2'],
      mtaLogin: false,
      stores: ['ims1.example.com', 'ims2.example.com'],
      addresses: ['ims1@example.com', 'ims2@example.com'],
      mmps: [],
      protocols: ['pop3', 'imap'],
      security: 'starttls',
    },
  });
});

test.for([
  ['both', ['pop3', 'imap']],
  ['imap, pop3', ['pop3', 'imap']],
  ['IMAP', ['imap']],
] as const)('readAnswers() takes the protocols %j', ([protocols, wanted]) => {
  const result = readAnswers({ domain: 'example.com', mtas: 'mx1', stores: 'ims1', protocols });
  expect('answers' in result && result.answers.protocols).toEqual(wanted);
});

test('readAnswers() tells every wrong answer at once', () => {
  const result = readAnswers({
    domain: 'a b',
    mtas: 'mx1:25',
    stores: 'ims1',
    addresses: 'a@b.c d@e.f',
    security: 'ssl',
    protocols: 'imp',
    mtaLogin: 'ja',
  });
  expect(result).toEqual({
    problems: [
      { key: 'domain', problem: "expected a domain such as example.com: found 'a b'" },
      { key: 'mtas', problem: "expected host names: found 'mx1:25' (the port is a key of its own)" },
      { key: 'mtaLogin', problem: "expected yes or no: found 'ja'" },
      { key: 'addresses', problem: "expected 1 address: found '2'" },
      { key: 'protocols', problem: "expected pop3, imap or both: found 'imp': did you mean 'imap'?" },
      { key: 'security', problem: "expected starttls, tls or plain: found 'ssl'" },
    ],
  });
});

test('readAnswers() says which answers are needed', () => {
  const result = readAnswers({});
  expect('problems' in result && result.problems.map(({ key }) => key)).toEqual(
    expect.arrayContaining(['domain', 'mtas', 'stores']),
  );
});

test('the default of every question is an answer that its own parse takes', () => {
  for (const question of QUESTIONS) {
    const text = question.default?.(ANSWERS);
    if (text !== undefined)
      expect([question.key, question.parse(text, ANSWERS)]).toEqual([question.key, { answers: expect.anything() }]);
  }
});
