// Which packages the lab needs, which of them are there, and where their programs lie. Looks only; changes nothing.

import { existsSync, readFileSync } from 'node:fs';
import { run } from './run.ts';

/** Package by package: the program that proves that it is there. */
export const PACKAGES: Readonly<Record<string, string>> = {
  postfix: '/usr/lib/postfix/sbin/master',
  'postfix-ldap': '/usr/lib/postfix/postfix-ldap.so',
  'dovecot-core': '/usr/sbin/dovecot',
  'dovecot-imapd': '/usr/lib/dovecot/imap',
  'dovecot-pop3d': '/usr/lib/dovecot/pop3',
  'dovecot-lmtpd': '/usr/lib/dovecot/lmtp',
  'dovecot-ldap': '/usr/lib/dovecot/modules/auth/libauthdb_ldap.so',
  'dovecot-sieve': '/usr/bin/sievec',
  slapd: '/usr/sbin/slapd',
  'ldap-utils': '/usr/bin/ldapmodify',
  'libldap-common': '/etc/ldap/ldap.conf',
  haproxy: '/usr/sbin/haproxy',
  'dnsmasq-base': '/usr/sbin/dnsmasq',
  opendkim: '/usr/sbin/opendkim',
  nftables: '/usr/sbin/nft',
  iproute2: '/bin/ss',
  openssl: '/usr/bin/openssl',
  'util-linux': '/usr/bin/unshare',
  mount: '/usr/bin/mount',
  procps: '/usr/bin/vmstat',
};

/** Where Postfix' files go when another MTA is installed, so that it can stay. */
export const PRIVATE_POSTFIX = '/var/lib/healthmon-lab/postfix';

/**
 * MTAs that exclude Postfix as packages: they are unpacked beside it and never installed, for their queues alone. Package by package,
 * the program that proves that it is there, below GUESTS_FOLDER.
 */
export const GUESTS: Readonly<Record<string, string>> = {
  'exim4-daemon-light': '/usr/sbin/exim4',
  opensmtpd: '/usr/sbin/smtpd',
  'sendmail-bin': '/usr/libexec/sendmail/sendmail',
  'sendmail-cf': '/usr/share/sendmail/cf/m4/cf.m4',
  m4: '/usr/bin/m4',
  // What the alarms are tried on; one file.
  'prometheus-alertmanager': '/usr/bin/prometheus-alertmanager',
};
export const GUESTS_FOLDER = '/var/lib/healthmon-lab/guests';

/** Where a guest's file lies. */
export function guestFile(name: keyof typeof GUESTS): string {
  return GUESTS_FOLDER + GUESTS[name];
}

export function missingGuests(): string[] {
  return Object.keys(GUESTS).filter(name => !existsSync(guestFile(name)));
}

/** True when Postfix is not installed as a package, but unpacked by `lab install` beside another MTA. */
export function postfixIsPrivate(): boolean {
  return !existsSync('/usr/lib/postfix/sbin/master') && existsSync(`${PRIVATE_POSTFIX}/usr/lib/postfix/sbin/master`);
}

/** `/usr/sbin/postqueue`, or the same below PRIVATE_POSTFIX. */
export function postfixProgram(path: string): string {
  return postfixIsPrivate() ? PRIVATE_POSTFIX + path : path;
}

/** Packages whose program is missing; empty when the lab can run. */
export function missingPackages(): string[] {
  return Object.entries(PACKAGES)
    .filter(([name, file]) => !existsSync(file) && !(name.startsWith('postfix') && existsSync(PRIVATE_POSTFIX + file)))
    .map(([name]) => name);
}

/** Why no lab can be brought up here, in one line; undefined when it can. */
export function whyNoLab(): string | undefined {
  if (process.platform !== 'linux') return `the lab needs Linux (this is ${process.platform})`;
  const missing = missingPackages();
  if (missing.length > 0) return `not installed: ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) return 'the lab runs as root only, as Postfix does';
  const dovecot = readVersion('/var/lib/dpkg/info/dovecot-core.list', 'dovecot-core');
  if (dovecot !== undefined && !/^(\d+:)?2\.3\./.test(dovecot))
    return `Dovecot ${dovecot} is installed; the lab writes configuration for 2.3`;
  return undefined;
}

/** The same for people, with the remedy where there is one. */
export function noLabText(why: string): string {
  const remedy = missingPackages().length > 0 ? ' (sudo npm run lab -- install)' : '';
  return `Cannot bring up a lab: ${why}${remedy}`;
}

export interface Installed {
  readonly name: string;
  readonly version: string;
  readonly provides: string;
}

/** What dpkg has installed. */
export async function installedPackages(): Promise<Map<string, Installed>> {
  const fields = ['db:Status-Status', 'Package', 'Version', 'Provides'].map(field => `\${${field}}`);
  const { stdout } = await run(['dpkg-query', '-W', '-f', `${fields.join('\\t')}\\n`]);
  const found = new Map<string, Installed>();
  for (const line of stdout.split('\n')) {
    const [status, name = '', version = '', provides = ''] = line.split('\t');
    if (status === 'installed') found.set(name, { name, version, provides });
  }
  return found;
}

function readVersion(listFile: string, name: string): string | undefined {
  if (!existsSync(listFile)) return undefined;
  const status = readFileSync('/var/lib/dpkg/status', 'utf8');
  return new RegExp(`^Package: ${name}\n(?:[^\n]+\n)*?Version: (\\S+)`, 'm').exec(status)?.[1];
}
