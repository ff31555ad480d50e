// One whole round trip as cron or Nagios starts it: our runmonitor beside Debian's check_email_delivery with its two plugins, which
// looks for the message once a second. Same MTA, same MMP, same mailbox of the lab's real servers, TLS with certificates checked
// on both sides. Ours does more (ledger, journal, comparing, sweeping); that is in its figures.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lab, startLab } from '../lab/lab.ts';
import { whyNoLab } from '../lab/packages.ts';
import { against, type Bench } from './bench.ts';
import { unpacked } from './peers.ts';
import { type Command, interleaved, type Run, whyNoCosts } from './process.ts';

const ROUNDS = 9;
const PACKAGES = [
  'monitoring-plugins-contrib',
  'libmail-imapclient-perl',
  'libparse-recdescent-perl',
  'libio-socket-ssl-perl',
  'libnet-ssleay-perl',
  'libnet-smtp-ssl-perl',
  'libauthen-sasl-perl',
  'libemail-simple-perl',
  'libemail-date-format-perl',
] as const;

export const roundtrip: Bench = {
  name: 'roundtrip',
  about: 'one runmonitor against one check_email_delivery (real Postfix and Dovecot)',
  run: async say => {
    const cannot = whyNoCosts() ?? whyNoLab();
    if (cannot !== undefined) return { cannot };
    const peer = unpacked('check_email_delivery', PACKAGES);
    if ('cannot' in peer) return peer;
    const folder = mkdtempSync(join(tmpdir(), 'healthmon-bench-roundtrip-'));
    await using lab = await startLab();
    try {
      say(`roundtrip: ${ROUNDS} rounds of one trip each ...`);
      lab.etc(join(folder, 'etc'), { submission: 465 });
      const { runmonitor, delivery } = await interleaved(
        { runmonitor: ours(folder), delivery: theirs(peer.root, lab) },
        ROUNDS,
        (name, run) => {
          checkRun(name, run);
          if (lettersOf(lab).length > 0) throw new Error(`${name} left its message in the mailbox`);
        },
      );
      const what = `check_email_delivery, ${peer.version.split(' ')[1] ?? ''}`;
      return [
        against('one round trip, wall', { ours: runmonitor.wallMs, theirs: delivery.wallMs, unit: 'ms', what, most: 0.3 }),
        against('one round trip, CPU', { ours: runmonitor.cpuMs, theirs: delivery.cpuMs, unit: 'ms', what, most: 1 }),
        against('one round trip, largest process', {
          ours: runmonitor.peakMb,
          theirs: delivery.peakMb,
          unit: 'MB',
          what,
        }),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function ours(folder: string): Command {
  const where = ['--config', join(folder, 'etc'), '--state', join(folder, 'state')];
  const path = ['-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01', '-m', 'imap'];
  return { argv: [process.execPath, join(process.cwd(), 'bin', 'runmonitor'), ...where, ...path, '--json'] };
}

function theirs(root: string, lab: Lab): Command {
  const plugins = join(root, 'usr/lib/nagios/plugins');
  const { site } = lab;
  const account = site.account('ims1');
  const sender = site.account('sender');
  const send = [
    join(plugins, 'check_smtp_send'),
    '--ssl',
    ...['-H', lab.address('mta/ssmtp01'), '-p', '465', '-U', sender.user, '-P', sender.password],
    ...['--mailfrom', sender.address, '--mailto', account.address],
    ...['--header', 'Subject: check %TOKEN1%.', '--body', 'a test'],
  ];
  const receive = [
    join(plugins, 'check_imap_receive'),
    '--ssl',
    ...['--ssl-ca-file', lab.ca, '-H', lab.address('mmp/smux01'), '-p', '993', '-U', account.user, '-P', account.password],
    ...['-s', 'SUBJECT', '-s', 'check %TOKEN1%.', '--imap-check-interval', '1', '--imap-retries', '10', '--delete'],
  ];
  const delivery = join(plugins, 'check_email_delivery');
  const libraries = ['usr/share/perl5', `usr/lib/${triplet(root)}/perl5/${perlOf(root)}`].map(path => join(root, path));
  return {
    argv: ['perl', delivery, '-p', quoted(send), '-p', quoted(receive), '--wait', '1', '-w', '30', '-c', '60'],
    env: { PERL5LIB: libraries.join(':'), SSL_CERT_FILE: lab.ca },
  };
}

function checkRun(name: 'runmonitor' | 'delivery', { status, stdout, stderr }: Run): void {
  const right = name === 'runmonitor' ? stdout.includes('"state":"ok"') : stdout.includes('EMAIL DELIVERY OK');
  if (status !== 0 || !right) throw new Error(`${name} ended with ${status}: ${stdout}${stderr}`);
}

function lettersOf(lab: Lab): string[] {
  return ['new', 'cur'].flatMap(part => readdirSync(join(lab.maildir('ims1'), part)));
}

/** The folders of compiled modules, as this Debian calls them. */
function triplet(root: string): string {
  return readdirSync(join(root, 'usr/lib')).find(name => name.includes('-linux-')) ?? '';
}

function perlOf(root: string): string {
  return readdirSync(join(root, 'usr/lib', triplet(root), 'perl5'))[0] ?? '';
}

/** For the shell, through which check_email_delivery starts its plugins. */
function quoted(words: readonly string[]): string {
  return words.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}
