// The lines with which anybody can see a fault for himself, for each kind of suspect of the sample site.

import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { commandsFor } from '../../lib/cli/view/commands.ts';
import type { Component } from '../../lib/model/component.ts';
import type { Protocol } from '../../lib/model/endpoint.ts';
import type { Account, Site } from '../../lib/model/site.ts';
import { loadSite } from '../../lib/site/load.ts';

let site: Site;
let account: Account | undefined;
beforeAll(async () => {
  const loaded = await loadSite(join(import.meta.dirname, '..', '..', 'etc'), { secrets: false });
  if (loaded.site === undefined) throw new Error(JSON.stringify(loaded.problems));
  site = loaded.site;
  account = site.accounts.get('ims1');
});

const linesFor = (component: Component, protocol: Protocol) =>
  commandsFor(site, { component, protocol, phase: 'connect', kind: 'timeout', confidence: 'sure', why: [] }, account);

test.each([
  ['mta/ssmtp01', 'smtp', /^swaks --server ssmtp01\.\S+ --port 587 --tls .*--quit-after RCPT$/],
  ['mmp/smux01', 'imap', /^openssl s_client -connect smux01\.\S+:143 -starttls imap .*# then: a LOGIN \S+ PASSWORD$/],
  ['store/ims1', 'lmtp', /^swaks --protocol LMTP --server ims1\.\S+ --port 24 /],
  ['directory/ldap1', 'ldap', /^ldapsearch -x .*-H ldaps?:\/\/ldap1\./],
  ['dns/ns1', 'dns', /^dig @\S+ -p 53 \S+ SOA$/],
  ['link/smux01-ldap1', 'ldap', /^ssh smux01\.\S+ nc -vz -w 5 ldap1\.\S+ \d+ /],
  ['link/ssmtp01-ims1', 'lmtp', /^ssh ssmtp01\.\S+ nc -vz -w 5 ims1\.\S+ 24 /],
  ['link/smux01-ims2', 'imap', /^ssh smux01\.\S+ nc -vz -w 5 ims2\.\S+ (?:143|993) /],
  ['link/smtp-ssmtp02', 'smtp', /^ssh smtp\.\S+ nc -vz -w 5 ssmtp02\.\S+ 587 /],
] as const)('%s: %s', (component, protocol, line) => {
  expect(linesFor(component, protocol)[0]).toMatch(line);
});

test('a link between machines that site.cfg does not have gives no line', () => {
  expect(linesFor('link/nowhere-ims1', 'lmtp')).toEqual([]);
});
