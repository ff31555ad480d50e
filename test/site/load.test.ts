// A config folder without errors, and what the rest of the product gets from it.

import { chmod, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSite } from '../../lib/site/load.ts';
import { formatProblems, summariseProblems } from '../../lib/site/problem.ts';
import { CA } from './certificate.ts';
import { folderWith, SEQUENCE, siteText, temporaryFolder } from './folder.ts';

const AT = Date.UTC(2026, 10, 22, 12);

async function loadText(site: string, sequence: string | Uint8Array = SEQUENCE, more: Record<string, string> = {}) {
  const dir = await folderWith({ 'site.cfg': site, 'sequence.cfg': sequence, ...more });
  const loaded = await loadSite(dir, { secrets: false, at: AT });
  return { ...loaded, told: formatProblems(loaded.problems).replaceAll(`${dir}/`, '') };
}

/** The site, or the problems as an assertion's words. */
async function siteOf(text: string, sequence?: string) {
  const { site, told } = await loadText(text, sequence);
  if (site === undefined) throw new Error(told);
  return site;
}

test('loadSite() fills in every default', async () => {
  const site = await siteOf(siteText());
  const { key: _, mtas, mmps, stores, accounts, ...rest } = site;
  expect(rest).toEqual({
    name: 'Test',
    domain: 'example.com',
    limits: { submitMs: 30_000, deliverMs: 60_000, fetchMs: 30_000, isolateMs: 20_000, slowMs: 10_000 },
    intervalMinutes: 5,
    helo: hostname().includes('.') ? hostname() : 'healthmon.example.com',
    popLogins: 30,
    knocks: 60,
    popWatchesByImap: false,
    sweepCap: 20,
    messageBytes: 0,
    mayAlter: new Set(),
    directories: new Map(),
    filters: new Map(),
    balancers: new Map(),
    nameServers: new Map(),
    maintenance: [],
  });
  const trust = { verify: true };
  const smux01 = { component: 'mmp/smux01', host: 'smux01', security: 'starttls', trust };
  expect(mtas.get('ssmtp01')).toEqual({
    name: 'ssmtp01',
    component: 'mta/ssmtp01',
    needs: [],
    smtp: { component: 'mta/ssmtp01', protocol: 'smtp', host: 'ssmtp01', port: 25, security: 'starttls', trust },
  });
  expect(mmps.get('smux01')).toEqual({
    name: 'smux01',
    component: 'mmp/smux01',
    needs: [],
    pop3: { ...smux01, protocol: 'pop3', port: 110 },
    imap: { ...smux01, protocol: 'imap', port: 143 },
  });
  expect(stores.get('ims1')).toEqual({ name: 'ims1', component: 'store/ims1', needs: [] });
  expect(accounts.get('ims1')).toEqual({
    name: 'ims1',
    component: 'account/ims1',
    needs: [],
    store: 'ims1',
    address: 'ims1@example.com',
    login: { user: 'ims1@example.com', secret: expect.any(Function) },
  });
});

test('loadSite() takes every key of [site] over into the site', async () => {
  const site = await siteOf(
    siteText({
      site: `submit = 1
deliver = 2
fetch = 3
isolate = 4
slow = 5
interval = 10
helo = "[192.0.2.1]"
ip = "6"
sender = "ims1"
pop3_logins = 7
pop3_watch = "imap"
sweep = 8
message_size = 9
may_alter = ["body", "subject"]`,
    }),
  );
  const { limits, intervalMinutes, helo, sender, popLogins, popWatchesByImap, sweepCap, messageBytes, mayAlter } = site;
  expect({ limits, intervalMinutes, helo, sender, popLogins, popWatchesByImap, sweepCap, messageBytes, mayAlter }).toEqual({
    limits: { submitMs: 1000, deliverMs: 2000, fetchMs: 3000, isolateMs: 4000, slowMs: 5 },
    intervalMinutes: 10,
    helo: '[192.0.2.1]',
    sender: 'ims1',
    popLogins: 7,
    popWatchesByImap: true,
    sweepCap: 8,
    messageBytes: 9,
    mayAlter: new Set(['body', 'subject']),
  });
  expect(site.mtas.get('ssmtp01')?.smtp.family).toBe(6);
});

test.for([
  ['smtp', 'starttls', 25],
  ['smtp', 'plain', 25],
  ['smtp', 'tls', 465],
  ['pop3', 'starttls', 110],
  ['pop3', 'tls', 995],
  ['imap', 'starttls', 143],
  ['imap', 'tls', 993],
  ['lmtp', 'plain', 24],
] as const)('loadSite() gives %s with security = "%s" port %i', async ([protocol, security, port]) => {
  const below = `[balancer.b]\nsmtp = { security = "${security}" }\nmembers = ["mta/ssmtp01"]`;
  const store = `password_file = "p"\n${protocol === 'smtp' ? '' : `${protocol} = { security = "${security}" }`}`;
  const site = await siteOf(siteText({ mta: `security = "${security}"`, store, below: protocol === 'smtp' ? below : '' }));
  const got = protocol === 'smtp' ? site.mtas.get('ssmtp01')?.smtp : site.stores.get('ims1')?.[protocol];
  expect([got?.port, got?.security]).toEqual([port, security]);
  if (protocol === 'smtp') expect(site.balancers.get('b')?.doors.smtp?.port).toBe(port);
});

test('loadSite() lets a component overrule [site] in ip, tls_verify, ca_file and servername', async () => {
  const below = '[mta.ssmtp02]\nip = "6"\ntls_verify = true\nservername = "mx.example.com"\nhost = "192.0.2.2"';
  const sequence = '00 DMSG -u ims1 -s ssmtp01 -p smux01\n05 DMSG -u ims1 -s ssmtp02 -p smux01\n';
  const site = await siteOf(siteText({ site: 'ip = "4"\ntls_verify = false', below }), sequence);
  const [first, second] = ['ssmtp01', 'ssmtp02'].map(name => site.mtas.get(name)?.smtp);
  expect(first).toMatchObject({ family: 4, trust: { verify: false }, host: 'ssmtp01' });
  expect(second).toMatchObject({ family: 6, trust: { verify: true }, host: '192.0.2.2', servername: 'mx.example.com' });
  expect(first).not.toHaveProperty('servername');
});

test('loadSite() hands on the certificates of a ca_file and nothing else that is in it', async () => {
  const key = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
  const { site, told } = await loadText(siteText({ site: 'ca_file = "ca.pem"' }), SEQUENCE, { 'ca.pem': `# ours\n${key}${CA}` });
  expect(told).toBe('');
  expect(site?.mtas.get('ssmtp01')?.smtp.trust).toEqual({ verify: true, ca: CA });
});

test('loadSite() warns of a certificate in ca_file that has expired, and refuses one that cannot be read', async () => {
  const dir = await folderWith({ 'site.cfg': siteText({ site: 'ca_file = "ca.pem"' }), 'sequence.cfg': SEQUENCE, 'ca.pem': CA });
  const late = await loadSite(dir, { secrets: false, at: Date.UTC(2300, 0) });
  expect(late.site).toBeDefined();
  expect(
    late.problems.map(({ line, severity, text }) => [line, severity, text.replace(/expired on .*:/, 'expired on ...:')]),
  ).toEqual([[4, 'warning', `a certificate in ca_file ${dir}/ca.pem has expired on ...: CN=healthmon test CA`]]);
  await writeFile(join(dir, 'ca.pem'), CA.replace(/MII[A-Za-z0-9]{20}/, 'AAAAAAAA'));
  const broken = await loadSite(dir, { secrets: false, at: AT });
  expect(broken.problems.map(({ text }) => text)).toEqual([
    `cannot use ca_file ${dir}/ca.pem: certificate 1 in it cannot be read`,
  ]);
});

test('loadSite() resolves balancers, directories, filters, name servers, accounts, queues and maintenance', async () => {
  const site = await siteOf(
    siteText({
      mta: 'user = "u"\npassword_file = "p"\nauth = "xoauth2"\nqueue = { flavour = "exim", command = ["exim", "-bp"] }\nneeds = ["directory/ldap1"]',
      mmp: 'pop3 = { auth = "login" }\nimap = {}',
      below: `
[account.a]
store = "ims1"
address = "a@example.com"
user = "a"
password_env = "A"
auth = "plain"
[balancer.b]
smtp = { port = 587, auth = "login" }
imap = {}
user = "bu"
password_file = "p"
members = ["mta/ssmtp01", "mmp/smux01"]
[directory.ldap1]
url = "ldaps://[2001:db8::1]:1636/"
base = "dc=x"
bind_dn = "cn=y"
password_file = "p"
attributes = ["mail", "uid"]
needs = ["dns/ns1"]
[directory.ldap2]
url = "ldap://ldap2"
base = ""
[directory.ldap3]
url = "ldap://ldap3"
starttls = false
base = ""
[filter.f]
socket = "inet:8891@localhost"
used_by = ["ssmtp01"]
[filter.g]
socket = "unix:/run/g.sock"
used_by = ["ssmtp01"]
[dns.ns1]
address = "2001:db8::53"
[[maintenance]]
component = "store/ims1"
from = 2026-11-22T22:00:00+01:00
until = 2026-11-23T02:00:00+01:00
reason = "kernel"`,
    }),
    `${SEQUENCE}05 DMSG -u a -s b -p b\n`,
  );
  expect(site.mtas.get('ssmtp01')).toMatchObject({
    needs: ['directory/ldap1'],
    queue: { flavour: 'exim', command: ['exim', '-bp'] },
    smtp: { login: { user: 'u', mechanism: 'xoauth2' } },
  });
  expect(site.mmps.get('smux01')?.pop3).toMatchObject({ mechanism: 'login' });
  expect(site.mmps.get('smux01')?.imap).not.toHaveProperty('mechanism');
  expect(site.accounts.get('a')).toMatchObject({
    store: 'ims1',
    address: 'a@example.com',
    login: { user: 'a', mechanism: 'plain' },
  });
  expect(site.balancers.get('b')).toMatchObject({
    members: ['mta/ssmtp01', 'mmp/smux01'],
    doors: { smtp: { component: 'balancer/b', port: 587, login: { user: 'bu', mechanism: 'login' } }, imap: { port: 143 } },
  });
  expect(site.balancers.get('b')?.doors.imap).not.toHaveProperty('login');
  expect(site.directories.get('ldap1')).toMatchObject({
    base: 'dc=x',
    filter: '(mail=%s)',
    attributes: ['mail', 'uid'],
    needs: ['dns/ns1'],
    ldap: { protocol: 'ldap', host: '2001:db8::1', port: 1636, security: 'tls', login: { user: 'cn=y' } },
  });
  expect(site.directories.get('ldap2')?.ldap).toMatchObject({ host: 'ldap2', port: 389, security: 'starttls' });
  expect(site.directories.get('ldap3')?.ldap.security).toBe('plain');
  expect(site.filters.get('f')).toMatchObject({ socket: { host: 'localhost', port: 8891 }, usedBy: ['ssmtp01'] });
  expect(site.filters.get('g')?.socket).toEqual({ path: '/run/g.sock' });
  expect(site.nameServers.get('ns1')).toMatchObject({ address: '2001:db8::53', port: 53 });
  expect(site.maintenance).toEqual([
    { component: 'store/ims1', from: Date.UTC(2026, 10, 22, 21), until: Date.UTC(2026, 10, 23, 1), reason: 'kernel' },
  ]);
});

test("loadSite() takes a date without an offset as this machine's own time", async () => {
  const below =
    '[[maintenance]]\ncomponent = "mta/ssmtp01"\nfrom = 2027-07-01 22:00:00\nuntil = 2027-07-01T23:30:00.5\nreason = "x"';
  const site = await siteOf(siteText({ below }));
  expect(site.maintenance[0]).toMatchObject({
    from: new Date(2027, 6, 1, 22).getTime(),
    until: new Date(2027, 6, 1, 23, 30, 0, 500).getTime(),
  });
});

test('loadSite() fills in the one protocol that an MMP has', async () => {
  const { sequence, told } = await loadText(siteText({ mmp: 'imap = {}' }));
  expect(told).toBe('');
  expect(sequence).toEqual([{ minute: 0, account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'imap', line: 1 }]);
});

test('loadSite() leaves the protocol open where there are both', async () => {
  const { sequence } = await loadText(siteText());
  expect(sequence).toEqual([{ minute: 0, account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', line: 1 }]);
});

test('loadSite() refuses -m with a protocol that the MMP has no door for', async () => {
  const { told } = await loadText(siteText({ mmp: 'imap = {}' }), '00 DMSG -u ims1 -s ssmtp01 -p smux01 -m pop3\n');
  expect(told).toBe(
    'sequence.cfg:1: error: the entry can never run: mmp/smux01 has no pop3 door\n    write -m imap, or add pop3 to [mmp.smux01]',
  );
});

test("loadSite() takes -p direct as the store's own doors", async () => {
  const { told, sequence } = await loadText(
    siteText({ store: 'password_file = "p"\npop3 = {}' }),
    `${SEQUENCE}05 DMSG -u ims1 -s ssmtp01 -p direct\n`,
  );
  expect(told).toBe('');
  expect(sequence?.[1]).toMatchObject({ mmp: 'direct', mailbox: 'pop3' });
});

test('loadSite() counts the members of a balancer and the sender as used', async () => {
  const below = `[mta.ssmtp02]
[balancer.lb]
smtp = {}
members = ["mta/ssmtp01", "mta/ssmtp02"]
[account.bounce]
store = "ims1"
address = "b@example.com"
password_file = "p"`;
  const { told } = await loadText(siteText({ site: 'sender = "bounce"', below }), '00 DMSG -u ims1 -s lb -p smux01\n');
  expect(told).toBe('');
});

test('loadSite() tells once how many entries a slow run would make be skipped', async () => {
  const lines = ['00', '05', '10', '30'].map(minute => `${minute} DMSG -u ims1 -s ssmtp01 -p smux01\n`).join('');
  const { told, site } = await loadText(siteText({ site: 'deliver = 241' }), lines);
  expect(site).toBeDefined();
  expect(told.split('\n')[0]).toBe(
    'sequence.cfg:1: warning: a slow run can take 301 seconds (submit + deliver + fetch) and the next entry, at minute 05, is due ' +
      'after 300: it would be skipped (1 more entry has the same problem)',
  );
  expect((await loadText(siteText({ site: 'deliver = 240' }), lines)).told).toBe('');
});

test('loadSite() tells once how many entries share a minute', async () => {
  const below =
    '[store.ims2]\naddress = "ims2@example.com"\npassword_file = "p"\n[store.ims3]\naddress = "ims3@example.com"\npassword_file = "p"\n';
  const lines = ['ims1', 'ims2', 'ims3'].map(name => `00 DMSG -u ${name} -s ssmtp01 -p smux01\n`).join('');
  const { told } = await loadText(siteText({ below }), lines);
  expect(told).toBe(
    'sequence.cfg:2: warning: minute 00 is in line 1 already: the two run at the same time (1 more entry does so)\n' +
      '    if that is not meant, give one of them another minute',
  );
});

test('loadSite() says nothing of unused components while lines of the sequence are wrong', async () => {
  const { told } = await loadText(siteText({ below: '[mta.ssmtp02]' }), '00 DMSG -u ims1 -s ssmtp03 -p smux01\n');
  expect(told).toBe("sequence.cfg:1: error: unknown MTA 'ssmtp03' after -s: did you mean 'ssmtp01'?");
});

test('loadSite() tells the problems of both files at once, in the order of files and lines', async () => {
  const { problems } = await loadText(
    siteText({ mta: 'port = 0', mmp: 'imap = {}\nhots = "x"' }),
    '99 DMSG\n07 DMSG -u ims1 -s ssmtp01 -p smux01\n',
  );
  expect(problems.map(({ file, line }) => `${file.replace(/.*\//, '')}:${line}`)).toEqual([
    'site.cfg:6',
    'site.cfg:9',
    'sequence.cfg:1',
    'sequence.cfg:1',
    'sequence.cfg:2',
  ]);
});

test('loadSite() reads a site.cfg with a byte order mark, CRLF and blanks at the ends of lines', async () => {
  const text = `\u{feff}${siteText().replaceAll('\n', '  \r\n')}`;
  expect((await loadText(text)).told).toBe('');
});

test('loadSite() says which file is missing, and what makes one', async () => {
  const dir = await temporaryFolder();
  const { site, sequence, problems } = await loadSite(dir, { secrets: true, at: AT });
  expect({ site, sequence, told: formatProblems(problems).replaceAll(`${dir}/`, '') }).toEqual({
    told: [
      'site.cfg:1: error: there is no such file',
      '    healthmon init DIR writes a working set of files',
      'sequence.cfg:1: error: there is no such file',
      '    healthmon config describe sequence.cfg prints one to begin with',
    ].join('\n'),
  });
});

test('loadSite() refuses a folder and a giant in the place of a file', async () => {
  const dir = await folderWith({ 'site.cfg/x': '', 'sequence.cfg': '#'.repeat(1024 * 1024 + 1) });
  const { problems } = await loadSite(dir, { secrets: false });
  expect(problems.map(({ text }) => text)).toEqual([
    'cannot read the file: it is not a regular file',
    'cannot read the file: it has 1048577 bytes, more than the 1048576 that a config file may have',
  ]);
});

test('loadSite() warns of a site.cfg that anybody can change', async () => {
  const dir = await folderWith({ 'site.cfg': siteText(), 'sequence.cfg': SEQUENCE });
  await chmod(join(dir, 'site.cfg'), 0o666);
  const { site, problems } = await loadSite(dir, { secrets: false });
  expect(site).toBeDefined();
  expect(problems.map(({ severity, remedy }) => [severity, remedy])).toEqual([['warning', `chmod o-w '${dir}/site.cfg'`]]);
});

test('loadSite() survives lists that are nested without end', async () => {
  for (const depth of [1000, 8000, 100_000]) {
    const { problems } = await loadText(siteText({ mta: `needs = ${'['.repeat(depth)}${']'.repeat(depth)}` }));
    expect(problems.filter(({ severity }) => severity === 'error').length).toBeGreaterThan(0);
  }
});

test('loadSite() does not follow a ring of needs for ever, nor a chain of thousands', async () => {
  const chain = Array.from(
    { length: 3000 },
    (_, i) => `[filter.f${i}]\nsocket = "unix:/x"\nused_by = ["ssmtp01"]\nneeds = ["filter/f${i + 1}"]\n`,
  );
  const below = `${chain.join('')}[filter.f3000]\nsocket = "unix:/x"\nused_by = ["ssmtp01"]\n`;
  expect((await loadText(siteText({ below }))).told).toBe('');
  const closed = await loadText(siteText({ below: `${below}needs = ["filter/f2990"]\n` }));
  expect(closed.problems.length).toBe(1);
  expect(closed.told).toContain("'needs' go round in a ring: filter/f2990 needs filter/f2991");
});

test('summariseProblems() counts by severity and can be written as JSON', async () => {
  const { problems } = await loadText(siteText({ mmp: 'pop3 = { security = "plain" }', mta: 'port = 0' }));
  const summary = summariseProblems(problems);
  expect(JSON.parse(JSON.stringify(summary))).toEqual({ errors: 1, warnings: 1, problems: [...problems] });
});

test('the folder can go away after loading: only secrets are read later', async () => {
  const dir = await folderWith({ 'site.cfg': siteText(), 'sequence.cfg': SEQUENCE });
  const { site } = await loadSite(dir, { secrets: false });
  await rm(dir, { recursive: true });
  await expect(site?.accounts.get('ims1')?.login.secret()).rejects.toThrow(
    /^Cannot read secret file .*secrets\/ims1: no such file$/,
  );
});
