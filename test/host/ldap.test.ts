// check_ldap against the embedded site's directories: what each is asked, and what each fault looks like.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { ldapCheck } from '../../lib/host/ldap/ldap.ts';
import type { Site } from '../../lib/model/site.ts';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';
import { lookAt, makeTree } from './tree.ts';

let standin: StandinSite;
beforeEach(async () => {
  standin = await startSite({ directories: 2 });
});
afterEach(() => standin.stop());

const root = makeTree({});
async function look(more: { site?: Partial<Site>; before?: unknown; deadlineMs?: number } = {}) {
  const { directories, accounts } = { ...standin.site, ...more.site };
  const check = ldapCheck({ directories: [...directories.values()], accounts: [...accounts.values()] });
  const sample = await check.look(
    lookAt(root, { before: more.before, config: { ldap: { deadlineMs: more.deadlineMs ?? 2000, monitor: true } } }),
  );
  return { ...sample, texts: sample.findings.map(({ level, text }) => `${level}: ${text}`) };
}

test('each directory is asked for each test account, and each phase has its time', async () => {
  const { figures, texts, text } = await look();
  expect(texts).toEqual([]);
  for (const name of ['ldap1', 'ldap2']) {
    for (const figure of ['total_ms', 'connect_ms', 'bind_ms', 'search_ms', 'missing'])
      expect(figures[`ldap.${figure}:${name}`]).toBeGreaterThanOrEqual(0);
    expect(figures[`ldap.missing:${name}`]).toBe(0);
  }
  expect(text).toMatch(/^2 directories of 2 answer, the slowest in [\d.]+ ms$/);
});

test('a directory that is down, and one that hangs, are named with phase and time, and the others go on', async () => {
  await standin.breakIt('stopped', 'directory/ldap1');
  const { texts, figures } = await look();
  expect(texts).toEqual([expect.stringMatching(/^critical: ldap1 connect: .*refused the connection.* \(after 0\.0\d s\)$/)]);
  expect(figures['ldap.total_ms:ldap2']).toBeGreaterThan(0);
});

test('a directory without the entry of a test account is named with account and filter', async () => {
  await standin.breakIt('directory-no-entry', 'directory/ldap2');
  const { texts, figures } = await look();
  expect(texts.join()).toMatch(/critical: ldap2: test account .* is not found/);
  expect(figures['ldap.missing:ldap2']).toBeGreaterThan(0);
});

test('an attribute that site.cfg names and the entry has not is told', async () => {
  const directories = new Map(
    [...standin.site.directories].slice(0, 1).map(([name, each]) => [name, { ...each, attributes: ['mail', 'shoeSize'] }]),
  );
  expect((await look({ site: { directories } })).texts.join()).toMatch(/lacks shoeSize/);
});

test('a base that is not there, a wrong password and a secret that cannot be read are three things', async () => {
  const [first] = standin.site.directories.values();
  if (first === undefined) throw new Error('no directory');
  const asked = async (more: Partial<typeof first>) =>
    (await look({ site: { directories: new Map([['ldap1', { ...first, ...more }]]) } })).texts.join();
  expect(await asked({ base: 'dc=elsewhere' })).toMatch(/^critical: ldap1 search: refused: 32 noSuchObject/);
  const login = (secret: () => Promise<string>) => ({ ldap: { ...first.ldap, login: { user: 'cn=nobody,dc=x', secret } } });
  expect(await asked(login(async () => 'wrong-password'))).toMatch(/^critical: ldap1 bind: refused: 49 invalidCredentials/);
  const { LocalProblem } = await import('../../lib/model/endpoint.ts');
  expect(await asked(login(() => Promise.reject(new LocalProblem('Cannot read secret file /x: permission denied'))))).toMatch(
    /^unknown: ldap1 secret: /,
  );
});

test('a site without directories has nothing to say', async () => {
  const { figures, text } = await look({ site: { directories: new Map() } });
  expect([figures, text]).toEqual([{}, 'no directory to ask: there is no site.cfg of this site with one']);
});
