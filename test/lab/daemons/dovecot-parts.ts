// Pieces of Dovecot's configuration that its three roles share: the POP3 and IMAP doors, and the tables that ask the directory.

import { kindOf } from '../../../lib/model/component.ts';
import type { Faults } from '../faults/place.ts';
import { type Machine, type Site, SUFFIX, VMAIL } from '../site.ts';
import type { ConfigFile } from './daemon.ts';

const PORTS = { pop3: [110, 995], imap: [143, 993] } as const;

/** The listeners of a protocol. `closed`: nothing listens; `single`: one log-in process with one place. */
export function mailPort(protocol: 'pop3' | 'imap', closed: boolean, single = false): string {
  const [plain, wrapped] = PORTS[protocol];
  return [
    `service ${protocol}-login {`,
    `  inet_listener ${protocol} {\n    port = ${closed ? 0 : plain}\n  }`,
    `  inet_listener ${protocol}s {\n    port = ${closed ? 0 : wrapped}\n    ssl = yes\n  }`,
    ...(single ? ['  process_limit = 1', '  client_limit = 1', '  service_count = 0'] : []),
    '}',
  ].join('\n');
}

/** `ldap.conf`, and the list of those who are refused, for a store, an MMP or an MTA's password check. */
export function passwordTables(site: Site, faults: Faults, machine: Machine, folder = machine.name): ConfigFile[] {
  return [{ path: `${folder}/ldap.conf`, text: ldapConf(site, faults, machine), group: 'root' }, ldapSource(machine)];
}

/** Settings for the LDAP library: connections come from the machine's own address. */
function ldapSource(machine: Machine): ConfigFile {
  return { path: `${machine.name}/ldaprc`, text: `SOCKET_BIND_ADDRESSES ${machine.address}\n` };
}

function ldapConf(site: Site, faults: Faults, machine: Machine): string {
  const { component } = machine;
  const uris = machine.directories.map(name => `ldap://${site.machine(`directory/${name}`).address}:389`);
  const stale = faults.on('stale-bind', component);
  const lines = [
    `uris = ${uris.join(' ')}`,
    `dn = cn=reader,${SUFFIX}`,
    `dnpass = ${stale ? 'the password before the last change' : site.password('reader')}`,
    `base = ou=people,${SUFFIX}`,
    'scope = onelevel',
    `pass_filter = ${passFilter(site, faults, machine)}`,
    `pass_attrs = ${passAttributes(faults, machine)}`,
    ...(kindOf(component) === 'store'
      ? [
          `user_filter = ${userFilter(faults, machine, `(mailHost=${site.hostOf(machine.name)})`)}`,
          `user_attrs = uid=user, =uid=${VMAIL}, =gid=${VMAIL}, =home=${site.path('mail', machine.name)}/%n`,
        ]
      : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** The entry whose password counts: by uid or by address, and for a store only those who live there. */
function passFilter(site: Site, faults: Faults, machine: Machine): string {
  const services = [
    ...(faults.on('auth-refused', machine.component) ? ['smtp'] : []),
    ...(['pop3', 'imap'] as const).filter(protocol => faults.on('login-refused', machine.component, protocol)),
  ];
  const ownOnly = kindOf(machine.component) === 'store' ? `(mailHost=${site.hostOf(machine.name)})` : '';
  return `(&(objectClass=labAccount)(uid=%n)${ownOnly}${services.map(refused).join('')})`;
}

function userFilter(faults: Faults, machine: Machine, ownOnly: string): string {
  return `(&(objectClass=labAccount)(uid=%n)${ownOnly}${faults.on('lmtp-5xx', machine.component) ? refused('lmtp') : ''})`;
}

function passAttributes(faults: Faults, machine: Machine): string {
  if (kindOf(machine.component) !== 'mmp') return 'uid=user, userPassword=password';
  const host = faults.on('wrong-store', machine.component) ? 'labOtherHost' : 'mailHost';
  return `uid=user, userPassword=password, ${host}=host, =proxy=y`;
}

/**
 * Every entry bears `refused-pop3:pop3`, `refused-imap:imap` and so on in `description`: a filter that leaves out
 * `refused-pop3:%Ls` finds nobody when the service is POP3, and everybody otherwise.
 */
function refused(service: string): string {
  return `(!(description=refused-${service}:%Ls))`;
}

/** The values of `description` that make those filters work. */
export const DESCRIPTIONS: readonly string[] = ['lmtp', 'smtp', 'pop3', 'imap'].map(service => `refused-${service}:${service}`);
