// The proof that no alarm goes through the site: every way in which it could.

import { expect, test } from 'vitest';
import type { Lead } from '../../lib/alarm/channel.ts';
import { type Names, proveIndependence } from '../../lib/alarm/config/independence.ts';
import type { Leading } from '../../lib/alarm/config/ready.ts';
import { LocalProblem } from '../../lib/model/endpoint.ts';
import { loadSite } from '../../lib/site/load.ts';
import { type Problem, reporterFor } from '../../lib/site/problem.ts';
import { folderWith, KEY, SEQUENCE } from '../site/folder.ts';

const SITE = `[site]
name = "Example"
domain = "example.com"
[mta.ssmtp01]
host = "mx1.example.org"
[mmp.smux01]
host = "192.0.2.20"
pop3 = {}
[store.ims1]
host = "store1.inside.test"
address = "ims1@example.com"
password_file = "secrets/x"
imap = {}
[directory.ldap1]
url = "ldap://ldap1.inside.test"
base = "dc=x"
[filter.dkim]
socket = "inet:8891@filter.inside.test"
used_by = ["ssmtp01"]
[dns.ns1]
address = "192.0.2.53"
[dns.ns2]
address = "192.0.2.54"
`;

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'mx1.example.org': ['192.0.2.10', '2001:db8::10'],
  'store1.inside.test': ['192.0.2.30'],
  'ldap1.inside.test': ['192.0.2.40'],
  'filter.inside.test': ['192.0.2.50'],
  'hooks.slack.test': ['198.51.100.1'],
  'alias.test': ['198.51.100.9', '192.0.2.10'],
  'v6.test': ['2001:db8::10'],
  'own-dns.test': ['198.51.100.2'],
  'ns.own-dns.test': ['192.0.2.53'],
  'ns.far.test': ['198.51.100.53'],
  'mixed-dns.test': ['198.51.100.3'],
  'proxy.inside.test': ['192.0.2.30'],
};

const NAMES: Names = {
  addresses: async host => {
    const found = ADDRESSES[host];
    if (found === undefined) throw Object.assign(new Error(), { code: 'ENOTFOUND' });
    return found;
  },
  nameServers: async host =>
    host === 'own-dns.test'
      ? ['ns.own-dns.test']
      : host === 'mixed-dns.test'
        ? ['ns.own-dns.test', 'ns.far.test']
        : ['ns.far.test'],
  asked: ['198.51.100.99'],
  known: new Set(['in-hosts.test']),
};

async function judged(
  lead: Lead | (() => Promise<readonly Lead[]>),
  options: { readonly names?: Partial<Names>; readonly accept?: string; readonly env?: Record<string, string> } = {},
): Promise<string[]> {
  const folder = await folderWith({ 'site.cfg': SITE, 'sequence.cfg': SEQUENCE, 'site.key': KEY });
  const { site, problems: ofSite } = await loadSite(folder, { secrets: false });
  if (site === undefined) throw new Error(ofSite.map(({ text }) => text).join('\n'));
  const problems: Problem[] = [];
  const leading: Leading = {
    name: 'x',
    label: '[webhook.x]',
    place: { line: 7, column: 1 },
    leads: typeof lead === 'function' ? lead : async () => [lead],
    ...(options.accept === undefined ? {} : { acceptDependence: options.accept }),
  };
  await proveIndependence(
    [leading],
    site,
    { ...NAMES, ...options.names },
    options.env ?? {},
    reporterFor('alarms.cfg', problems),
  );
  return problems.map(({ severity, line, text }) => `${line} ${severity}: ${text.replace('[webhook.x] ', '')}`);
}

test.for([
  ['hooks.slack.test', []],
  ['198.51.100.7', []],
  ['mx1.example.org', ['7 error: leads to mx1.example.org, which is mta/ssmtp01']],
  ['MX1.Example.ORG.', ['7 error: leads to mx1.example.org, which is mta/ssmtp01']],
  ['192.0.2.20', ['7 error: leads to 192.0.2.20, which is mmp/smux01']],
  ['192.0.2.30', ['7 error: leads to 192.0.2.30, the address of store/ims1']],
  ['alias.test', ['7 error: leads to alias.test (192.0.2.10), the address of mta/ssmtp01']],
  ['v6.test', ['7 error: leads to v6.test (2001:db8::10), the address of mta/ssmtp01']],
  ['192.0.2.40', ['7 error: leads to 192.0.2.40, the address of directory/ldap1']],
  ['filter.inside.test', ['7 error: leads to filter.inside.test, which is filter/dkim']],
  ['example.com', ["7 error: leads to example.com, in the site's own mail domain example.com"]],
  ['chat.example.com', ["7 error: leads to chat.example.com, in the site's own mail domain example.com"]],
  ['notexample.com', ['7 warning: leads to notexample.com, whose name does not resolve now (ENOTFOUND): nothing is proven']],
  ['vtext.com', ['7 error: leads to vtext.com, which takes text messages by mail']],
  ['own-dns.test', ['7 error: needs the name own-dns.test, whose name servers are all part of the site: dns/ns1']],
  ['mixed-dns.test', []],
] as const)('a channel to %s', async ([host, wanted]) => {
  expect(await judged({ host })).toEqual(wanted);
});

test('a machine that asks only the site for names', async () => {
  const names = { asked: ['192.0.2.53', '192.0.2.54'] };
  expect(await judged({ host: 'hooks.slack.test' }, { names })).toEqual([
    '7 error: needs the name hooks.slack.test, and all name servers that this machine asks are part of the site: dns/ns1, dns/ns2',
  ]);
  expect(await judged({ host: '198.51.100.7' }, { names })).toEqual([]);
  expect(await judged({ host: 'hooks.slack.test' }, { names: { asked: ['192.0.2.53', '198.51.100.99'] } })).toEqual([]);
  const known = { ...names, known: new Set(['hooks.slack.test']) };
  expect(await judged({ host: 'hooks.slack.test' }, { names: known })).toEqual([]);
});

test('a proxy that is part of the site, and a proxy that is none', async () => {
  expect(await judged({ host: 'hooks.slack.test' }, { env: { https_proxy: 'http://proxy.inside.test:3128' } })).toEqual([
    '7 error: goes over the proxy proxy.inside.test, and that leads to proxy.inside.test (192.0.2.30), the address of store/ims1',
  ]);
  const far = { https_proxy: 'http://198.51.100.77:3128' };
  expect(await judged({ host: 'hooks.slack.test' }, { env: far })).toEqual([]);
  // Behind a proxy we need not be able to resolve it.
  expect(await judged({ host: 'only-the-proxy-knows.test' }, { env: far })).toEqual([]);
  expect(await judged({ host: 'chat.example.com' }, { env: far })).toHaveLength(1);
});

test.for([
  [['/usr/bin/mail', '-s', 'alarm', 'x@example.net'], ['7 error: runs mail, which sends mail']],
  [['/usr/sbin/sendmail', '-t'], ['7 error: runs sendmail, which sends mail']],
  [['apprise', 'mailto://user:pass@gmail.com'], ['7 error: runs apprise with an argument that means mail']],
  [['/opt/page', '5551234567@txt.att.net'], ['7 error: runs page with an argument that means mail']],
  [
    ['/usr/bin/sendxmpp', 'me@jabber.example.net'],
    ['7 warning: runs sendxmpp: where that leads cannot be told from here; see to it that it is not through the site'],
  ],
] as const)('a program %j', async ([program, wanted]) => {
  expect(await judged({ program })).toEqual(wanted);
});

test('what somebody has accepted is a warning with their reason, and what is local leads nowhere', async () => {
  expect(await judged({ host: 'mx1.example.org' }, { accept: 'second channel only' })).toEqual([
    '7 warning: leads to mx1.example.org, which is mta/ssmtp01 (accepted: second channel only)',
  ]);
  expect(await judged({ program: ['/opt/page'] }, { accept: 'it dials by itself' })).toEqual([]);
  expect(await judged({ local: '/var/log/x' })).toEqual([]);
  expect(await judged(() => Promise.reject(new LocalProblem('no secret')))).toEqual([]);
});
