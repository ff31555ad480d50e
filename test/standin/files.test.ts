// The stand-in as files is a valid configuration, and says the same as the stand-in as a Site.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { loadSite } from '../../lib/site/load.ts';
import type { StandinOptions } from '../../lib/standin/options.ts';
import { startSite } from '../../lib/standin/site.ts';

const dirs: string[] = [];

afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true });
});

const kinds: readonly StandinOptions[] = [
  {},
  { filter: true, balancers: true, nameServer: true, directories: 2 },
  { security: 'tls', auth: false, queueAccess: false },
  { mtas: 5, mmps: 3, stores: 7 },
];

test.each(kinds)('files() of a site with %o load without a problem and name the same doors', async options => {
  const standin = await startSite(options);
  const dir = await mkdtemp(join(tmpdir(), 'standin-'));
  dirs.push(dir);
  for (const { name, text, mode } of standin.files()) {
    await mkdir(dirname(join(dir, name)), { recursive: true, mode: 0o700 });
    await writeFile(join(dir, name), text, { mode });
  }
  const { site, sequence, problems } = await loadSite(dir, { secrets: true });
  await standin.stop();
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  if (site === undefined) throw new Error('no site');
  const doors = (of: typeof site) =>
    [
      ...[...of.mtas.values()].map(({ smtp }) => smtp),
      ...[...of.mmps.values()].flatMap(({ pop3, imap }) => [pop3, imap]),
      ...[...of.stores.values()].flatMap(({ lmtp, pop3, imap }) => [lmtp, pop3, imap]),
      ...[...of.directories.values()].map(({ ldap }) => ldap),
      ...[...of.balancers.values()].flatMap(({ doors: all }) => Object.values(all)),
    ].map(
      door =>
        `${door?.component} ${door?.protocol} ${door?.host}:${door?.port} ${door?.security} ${door?.servername} ${door?.login?.user ?? '-'} ${door?.trust.ca}`,
    );
  expect(doors(site)).toEqual(doors(standin.site));
  expect([...site.accounts.keys()].sort()).toEqual([...standin.site.accounts.keys()].sort());
  for (const [name, account] of site.accounts)
    expect(await account.login.secret()).toBe(await standin.site.accounts.get(name)?.login.secret());
  expect((await site.key()).equals(await standin.site.key())).toBe(true);
  expect(site.limits).toEqual(standin.site.limits);
  expect(sequence?.length).toBe(Math.min(60, standin.paths.length));
});

test('a name that does not resolve is in the files as well', async () => {
  const standin = await startSite();
  const broken = await standin.breakIt('name-does-not-resolve', 'mmp/smux01');
  const text = () => standin.files().find(({ name }) => name === 'site.cfg')?.text ?? '';
  expect(text()).toContain('host = "smux01.standin.test.invalid"');
  expect(standin.site.mmps.get('smux01')?.imap?.host).toBe('smux01.standin.test.invalid');
  await broken.mend();
  expect(text()).not.toContain('.invalid');
  await standin.stop();
});
