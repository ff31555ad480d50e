// Every fault of the catalogue on real daemons: it goes on, a client sees what mail-lab.md section 4 says, it goes off, and mail
// flows. Waits are short here: what takes 8 s and more to show is told by that document and not by each run.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAULTS } from './faults/catalogue.ts';
import { placeText } from './faults/place.ts';
import { type Lab, startLab } from './lab.ts';
import { balancedMta, box, doors, type Look, lookup, mta, through } from './looks.ts';
import { whyNoLab } from './packages.ts';

type Seen = readonly [Look, RegExp];

const TAKEN = /^250/;
const READ = /^read/;
const ARRIVED = /^arrived/;
const REFUSED = /^connect: ECONNREFUSED/;
const SILENT = /^(banner: timeout after ""|tls: timeout)/;
const UNAVAILABLE = /^auth: .*(SYS\/TEMP|UNAVAILABLE)/;
const POP_REFUSED = /^auth: -ERR \[AUTH\]/;
const IMAP_REFUSED = /^auth: .*AUTHENTICATIONFAILED/;

/** fault, place, and what is seen where. */
const ROWS = [
  row('stopped', 'mta/ssmtp01', mta('ssmtp01'), REFUSED, balancedMta(), TAKEN),
  row('stopped', 'mmp/smux01', box('mmp/smux01', 'pop3'), REFUSED, box('balancer/pop', 'imap'), READ),
  row('stopped', 'store/ims1', box('mmp/smux01', 'pop3', 'ims1', 5000), UNAVAILABLE, box('mmp/smux01', 'imap', 'ims2'), READ),
  row(
    'stopped',
    'directory/ldap1',
    box('mmp/smux01', 'imap', 'ims1', 3000),
    UNAVAILABLE,
    box('mmp/smux02', 'imap'),
    READ,
    through('ssmtp01'),
    ARRIVED,
  ),
  row('stopped', 'filter/dkim', mta('ssmtp02', 25), /^mail: 451 4\.7\.1/, mta('ssmtp02'), /^starttls: 454 4\.3\.0/),
  row('stopped', 'balancer/smtp', balancedMta(), REFUSED),
  row('stopped', 'dns/ns1', through('ssmtp01'), /Name service error for name=ims1\.lab\.test/),
  row('frozen', 'mta/ssmtp02', mta('ssmtp02'), SILENT),
  row('frozen', 'mmp/smux02', box('mmp/smux02', 'pop3'), SILENT),
  row('frozen', 'store/ims2', box('mmp/smux01', 'imap', 'ims2'), /^auth: timeout/, box('mmp/smux01', 'imap', 'ims1'), READ),
  row('frozen', 'directory/ldap1', box('mmp/smux01', 'pop3'), /^auth: timeout/, box('mmp/smux02', 'pop3', 'ims2'), READ),
  row('frozen', 'filter/dkim', mta('ssmtp02'), SILENT),
  row('frozen', 'balancer/pop', box('balancer/pop', 'imap'), SILENT),
  row('refused', 'mmp/smux01:imap', box('mmp/smux01', 'imap'), REFUSED, box('mmp/smux01', 'pop3'), READ),
  row('refused', 'link/ssmtp01-ims1', through('ssmtp01'), /Connection refused/, through('ssmtp02'), ARRIVED),
  row('blackholed', 'mta/ssmtp01', mta('ssmtp01'), /^connect: timeout/),
  row('blackholed', 'mmp/smux02:pop3', box('mmp/smux02', 'pop3'), /^connect: timeout/, box('mmp/smux02', 'imap'), READ),
  row('blackholed', 'link/smux01-ims1', box('mmp/smux01', 'pop3'), /^auth: timeout/, box('mmp/smux02', 'pop3'), READ),
  row('blackholed', 'link/ssmtp01-ims1', through('ssmtp01'), /^waits in active/, through('ssmtp02'), ARRIVED),
  row('blackholed', 'link/smux01-ldap1', box('mmp/smux01', 'imap'), /^auth: timeout/, box('mmp/smux02', 'imap'), READ),
  row('reset', 'mta/ssmtp01', mta('ssmtp01'), /ECONNRESET/),
  row('reset', 'mmp/smux01:pop3', box('mmp/smux01', 'pop3'), /ECONNRESET/, box('mmp/smux01', 'imap'), READ),
  row('unwelcome', 'mta/ssmtp02', mta('ssmtp02'), /^banner: 421 4\.3\.2/),
  row(
    'unwelcome',
    'mmp/smux02',
    box('mmp/smux02', 'pop3'),
    /^banner: -ERR \[SYS\/TEMP\]/,
    box('mmp/smux02', 'imap'),
    /^banner: \* BYE/,
  ),
  row('unwelcome', 'store/ims1:lmtp', through('ssmtp01'), /421 4\.3\.2/),
  row('drip', 'mta/ssmtp01', mta('ssmtp01'), /^banner: timeout after "2/),
  row('drip', 'mmp/smux01:imap', box('mmp/smux01', 'imap'), /^banner: timeout after "\*/, box('mmp/smux01', 'pop3'), READ),
  row('connection-limit', 'mta/ssmtp01', mta('ssmtp01'), /^banner: 421 4\.7\.0 .*too many connections/),
  row(
    'connection-limit',
    'mmp/smux01:imap',
    box('mmp/smux01', 'imap'),
    /^banner: (timeout|end)/,
    box('mmp/smux01', 'pop3'),
    READ,
  ),
  row('connection-limit', 'store/ims1', box('mmp/smux02', 'pop3'), /IN-USE/, box('mmp/smux02', 'imap'), /\[LIMIT\]/),
  row('connection-limit', 'balancer/smtp', balancedMta(700), SILENT),
  row('door-closed', 'mmp/smux02:pop3', box('mmp/smux02', 'pop3'), REFUSED, box('mmp/smux02', 'imap'), READ),
  row(
    'door-closed',
    'store/ims1:lmtp',
    through('ssmtp01'),
    /\[127\.\d+\.20\.1\]:24: Connection refused/,
    box('mmp/smux01', 'pop3'),
    READ,
  ),
  row('no-name', 'store/ims1', through('ssmtp01'), /^bounced .*5\.4\.4/s),
  row('no-name', 'mta/ssmtp01', lookup('ssmtp01'), /^$/, lookup('ssmtp02'), /127\.\d+\.10\.2/),
  row('dns-refuses', 'dns/ns1', through('ssmtp01'), /Name service error for name=ims1\.lab\.test/),
  row('cert-expired', 'mta/ssmtp01', mta('ssmtp01'), /tls: CERT_HAS_EXPIRED/),
  row('cert-expired', 'mmp/smux01', box('mmp/smux01', 'imap'), /tls: CERT_HAS_EXPIRED/),
  row('cert-wrong-name', 'mmp/smux01', box('mmp/smux01', 'pop3'), /tls: ERR_TLS_CERT_ALTNAME_INVALID/),
  row('cert-unknown-ca', 'store/ims2', box('store/ims2', 'pop3', 'ims2'), /tls: (UNABLE_TO|SELF_SIGNED)/),
  row('cert-expired', 'directory/ldap2', doors('directory/ldap2'), /636: tls: CERT_HAS_EXPIRED/),
  row('no-starttls', 'mta/ssmtp02', mta('ssmtp02'), /^ehlo: no STARTTLS/, mta('ssmtp02', 465), REFUSED),
  row(
    'no-starttls',
    'mmp/smux02',
    box('mmp/smux02', 'pop3'),
    /^capability: no STLS/,
    box('mmp/smux02', 'imap'),
    /^capability: no STARTTLS/,
  ),
  row('auth-refused', 'mta/ssmtp01', mta('ssmtp01', 587, 2500), /^auth: 535 5\.7\.8/, mta('ssmtp01', 25), TAKEN),
  row(
    'sasl-stopped',
    'mta/ssmtp01',
    mta('ssmtp01'),
    /^(ehlo: (end|ECONNRESET|timeout)|auth: 454 4\.7\.0)/,
    mta('ssmtp01', 25),
    TAKEN,
  ),
  row('sasl-frozen', 'mta/ssmtp02', mta('ssmtp02'), /^(ehlo|auth): timeout/, mta('ssmtp02', 25), TAKEN),
  row('login-refused', 'mmp/smux01', box('mmp/smux01', 'pop3', 'ims1', 2500), POP_REFUSED, box('mmp/smux02', 'pop3'), READ),
  row('login-refused', 'mmp/smux02:imap', box('mmp/smux02', 'imap', 'ims1', 2500), IMAP_REFUSED, box('mmp/smux02', 'pop3'), READ),
  row(
    'login-refused',
    'store/ims1',
    box('mmp/smux02', 'pop3', 'ims1', 2500),
    POP_REFUSED,
    box('mmp/smux02', 'pop3', 'ims2'),
    READ,
  ),
  row('wrong-store', 'mmp/smux01', box('mmp/smux01', 'imap', 'ims1', 2500), IMAP_REFUSED, box('mmp/smux02', 'imap'), READ),
  row('filter-stopped-accept', 'filter/dkim', through('ssmtp02'), ARRIVED),
  row('filter-frozen-accept', 'filter/dkim', mta('ssmtp02'), SILENT),
  row(
    'no-entry',
    'directory/ldap1',
    box('mmp/smux01', 'imap', 'ims1', 2500),
    IMAP_REFUSED,
    mta('ssmtp01', 25),
    /^rcpt: 550 5\.1\.1/,
  ),
  row(
    'replica-empty',
    'directory/ldap2',
    box('mmp/smux02', 'pop3', 'ims1', 2500),
    POP_REFUSED,
    mta('ssmtp02', 25),
    /^rcpt: 550 5\.1\.1/,
  ),
  row(
    'replica-behind',
    'directory/ldap2',
    box('mmp/smux02', 'pop3', 'ims1', 2500),
    POP_REFUSED,
    box('mmp/smux02', 'pop3', 'ims2'),
    READ,
  ),
  row('stale-bind', 'mmp/smux01', box('mmp/smux01', 'pop3'), /^auth: (timeout|.*SYS\/TEMP)/, box('mmp/smux02', 'pop3'), READ),
  row(
    'account-refused',
    'account/ims1',
    box('mmp/smux02', 'imap', 'ims1', 2500),
    IMAP_REFUSED,
    box('store/ims1', 'imap', 'ims1', 2500),
    IMAP_REFUSED,
  ),
  row('account-refused', 'account/sender', mta('ssmtp01', 587, 2500), /^auth: 535/, mta('ssmtp02', 465, 2500), /^auth: 535/),
  row(
    'account-gone',
    'account/ims1',
    mta('ssmtp01'),
    /^rcpt: 550 5\.1\.1/,
    mta('ssmtp02', 25),
    /^rcpt: 550 5\.1\.1/,
    box('mmp/smux02', 'imap', 'ims1', 2500),
    IMAP_REFUSED,
  ),
  row('mail-4xx', 'mta/ssmtp01', mta('ssmtp01'), /^mail: 451 4\.3\.0/, mta('ssmtp02'), TAKEN),
  row('mail-5xx', 'mta/ssmtp02', mta('ssmtp02', 25), /^mail: 550 5\.7\.1/),
  row('rcpt-4xx', 'mta/ssmtp01', mta('ssmtp01'), /^rcpt: 450 4\.2\.0 .*Greylisted/),
  row('rcpt-5xx', 'mta/ssmtp01', mta('ssmtp01'), /^rcpt: 550 5\.7\.1/),
  row('data-4xx', 'mta/ssmtp01', mta('ssmtp01'), /^data: 451 4\.7\.1/),
  row('data-5xx', 'mta/ssmtp01', mta('ssmtp01'), /^data: 554 5\.7\.1/),
  row('final-4xx', 'mta/ssmtp01', mta('ssmtp01'), /^final: 451 4\.7\.1/),
  row('final-5xx', 'mta/ssmtp01', mta('ssmtp01'), /^final: 554 5\.7\.1/),
  row('lost', 'mta/ssmtp01', through('ssmtp01'), /^nowhere/),
  row('held', 'mta/ssmtp02', through('ssmtp02'), /^waits in hold/),
  row('deferred', 'mta/ssmtp01', through('ssmtp01'), /^waits in \w+.*deferred transport/),
  row('bounced', 'mta/ssmtp01', through('ssmtp01'), /^bounced .*5\.7\.1/s),
  row('misrouted', 'mta/ssmtp01', through('ssmtp01'), /^bounced .*5\.1\.1/s, through('ssmtp02'), ARRIVED),
  row('late', 'mta/ssmtp01', through('ssmtp01', 'ims1', 4000), /^arrived after 2\d\d\d ms/, through('ssmtp02'), ARRIVED),
  row(
    'late',
    'store/ims1',
    through('ssmtp02', 'ims1', 4000),
    /^arrived after 2\d\d\d ms/,
    through('ssmtp02', 'ims2', 4000),
    /^arrived after \d{1,3} ms/,
  ),
  row('twice', 'mta/ssmtp02', through('ssmtp02'), /^arrived .*\(2 of them\)/),
  row('altered-header', 'mta/ssmtp01', through('ssmtp01'), /Subject: \[EXTERNAL\] /),
  row('altered-body', 'mta/ssmtp01', through('ssmtp01'), /second line \[scanned\]/),
  row('junk', 'store/ims1', through('ssmtp01'), /^junked/),
  row('full', 'store/ims1', through('ssmtp01'), /^waits in \w+.*452 4\.2\.2 .*Quota exceeded/),
  row('unwritable', 'store/ims1', through('ssmtp01'), /^waits in \w+.*451 4\.[23]\.0/),
  row('lmtp-5xx', 'store/ims1', through('ssmtp01'), /^bounced .*5\.1\.1/s, box('mmp/smux01', 'pop3'), READ),
];

function row(name: string, place: string, look: Look, wanted: RegExp, ...more: readonly (Look | RegExp)[]) {
  const looks: Seen[] = [[look, wanted]];
  for (let index = 0; index + 1 < more.length; index += 2) looks.push([more[index] as Look, more[index + 1] as RegExp]);
  return { name, place, looks };
}

const why = whyNoLab();
let lab: Lab;

describe.skipIf(why !== undefined)(`faults of the lab${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  beforeAll(async () => {
    lab = await startLab();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  test('each fault of the catalogue has a row here', () => {
    expect(FAULTS.map(({ name }) => name).filter(name => !ROWS.some(each => each.name === name))).toEqual([]);
  });

  test('each place has a truth', () => {
    for (const { places, truth } of FAULTS) {
      for (const place of places(lab.site)) expect(truth(place).phases.length, placeText(place)).toBeGreaterThan(0);
    }
  });

  test.each(ROWS.map(each => [`${each.name} ${each.place}`, each] as const))('%s', async (_, { name, place, looks }) => {
    const fault = await lab.fault(name, place, { seconds: 2 });
    const seen: string[] = [];
    for (const [look] of looks) seen.push(await look(lab));
    await fault.off();
    for (const [index, [, wanted]] of looks.entries()) expect(seen[index]).toMatch(wanted);
    expect(await through('ssmtp01', 'ims1', 2000)(lab)).toMatch(ARRIVED);
  });

  test('two faults at once both show, and each goes by itself', async () => {
    const first = await lab.fault('rcpt-4xx', 'mta/ssmtp01');
    const second = await lab.fault('login-refused', 'mmp/smux02:imap');
    expect(await mta('ssmtp01')(lab)).toMatch(/^rcpt: 450 4\.2\.0/);
    expect(await box('mmp/smux02', 'imap', 'ims1', 2500)(lab)).toMatch(IMAP_REFUSED);
    await first.off();
    expect(await mta('ssmtp01')(lab)).toMatch(TAKEN);
    expect(await box('mmp/smux02', 'imap', 'ims1', 2500)(lab)).toMatch(IMAP_REFUSED);
    await second.off();
    expect(await box('mmp/smux02', 'imap')(lab)).toMatch(READ);
  });
});
