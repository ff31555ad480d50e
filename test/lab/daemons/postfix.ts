// An MTA: one Postfix instance of its own, without /etc/postfix and without postmulti. Port 25 takes mail for lab.test from
// anyone and offers STARTTLS; 587 demands STARTTLS and AUTH, 465 TLS and AUTH; mailboxes and routes come from the directory.

import { existsSync, mkdirSync } from 'node:fs';
import type { Faults } from '../faults/place.ts';
import { inside } from '../namespace.ts';
import { postfixProgram } from '../packages.ts';
import { DOMAIN, FILTERED_MTAS, type Machine, type Site, SUFFIX } from '../site.ts';
import { certificateFiles } from '../tls.ts';
import { blemishOf, type ConfigFile, type Daemon, makeFolder, tlsFolder } from './daemon.ts';
import { checks, restrictions } from './postfix-faults.ts';
import { masterCf } from './postfix-services.ts';

export function postfix(machine: Machine): Daemon {
  const { name, component } = machine;
  return {
    id: `${name}/postfix`,
    component,
    program: 'Postfix',
    log: `${name}/log/maillog`,
    output: `${name}/postfix.out`,
    takes: 'hup',
    command: site => inside(site, [postfixProgram('/usr/lib/postfix/sbin/master'), '-c', site.path(name, 'etc')], name),
    prepare: async site => makeQueue(site, name),
    files: (site, faults) => [
      config(name, 'main.cf', mainCf(site, faults, machine)),
      config(name, 'master.cf', masterCf(machine, faults)),
      config(name, 'dynamicmaps.cf', 'ldap /usr/lib/postfix/postfix-ldap.so dict_ldap_open\n'),
      { ...config(name, 'users.cf', ldapTable(site, machine, 'uid')), group: 'postfix' },
      {
        ...config(name, 'routes.cf', ldapTable(site, machine, routeAttribute(faults, machine), 'lmtp:inet:%s:24')),
        group: 'postfix',
      },
      ...checks(faults, component).map(each => config(name, each.name, each.text)),
      { path: `${name}/ldaprc`, text: `SOCKET_BIND_ADDRESSES ${machine.address}\n` },
    ],
  };
}

/** The command line of one of Postfix' own tools for this instance: `postqueue`, `postsuper`, `postconf`. */
export function postfixTool(site: Site, name: string, tool: string, ...args: readonly string[]): string[] {
  const command = [postfixProgram(`/usr/sbin/${tool}`), '-c', site.path(name, 'etc'), ...args];
  // Unpacked beside another MTA, the tools need their libraries bound in place.
  return command[0]?.startsWith('/usr/sbin/') === true ? command : inside(site, command);
}

function config(name: string, file: string, text: string): ConfigFile {
  return { path: `${name}/etc/${file}`, text };
}

/** The queue directory that the postfix command would make, and places for logs and data. */
export function makeQueue(site: Site, name: string): void {
  const queue = site.path(name, 'q');
  makeFolder(site.path(name, 'log'), 0o755, 'postfix', 'postfix');
  makeFolder(site.path(name, 'data'), 0o755, 'postfix', 'postfix');
  if (existsSync(`${queue}/pid`)) return;
  mkdirSync(queue, { recursive: true });
  for (const each of [
    'active',
    'bounce',
    'corrupt',
    'defer',
    'deferred',
    'flush',
    'hold',
    'incoming',
    'private',
    'saved',
    'trace',
  ]) {
    makeFolder(`${queue}/${each}`, 0o700, 'postfix', 0);
  }
  makeFolder(`${queue}/maildrop`, 0o1730, 'postfix', 'postdrop');
  makeFolder(`${queue}/public`, 0o2710, 'postfix', 'postdrop');
  makeFolder(`${queue}/pid`, 0o755, 0, 0);
}

function mainCf(site: Site, faults: Faults, machine: Machine): string {
  const { name, component, address, host } = machine;
  const { cert, key } = certificateFiles(tlsFolder(site), machine, blemishOf(faults, component));
  const etc = site.path(name, 'etc');
  const settings: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: site.path(name, 'q'),
    data_directory: site.path(name, 'data'),
    daemon_directory: '/usr/lib/postfix/sbin',
    command_directory: '/usr/sbin',
    meta_directory: etc,
    maillog_file: site.path(name, 'log', 'maillog'),
    maillog_file_prefixes: site.path(name, 'log'),
    syslog_name: `postfix-${name}`,
    myhostname: host,
    mydomain: DOMAIN,
    myorigin: DOMAIN,
    mydestination: '',
    alias_maps: '',
    alias_database: '',
    local_recipient_maps: '',
    // One address of its own cannot be said here, because no interface bears it: it stands before each port in master.cf.
    inet_interfaces: 'loopback-only',
    inet_protocols: 'ipv4',
    smtp_bind_address: address,
    lmtp_bind_address: address,
    // Nobody is trusted for coming from loopback: the monitor is a client as any other.
    mynetworks: `${address}/32`,
    virtual_mailbox_domains: DOMAIN,
    virtual_mailbox_maps: `ldap:${etc}/users.cf`,
    virtual_transport: `lmtp:inet:${site.hostOf('ims2')}:24`,
    transport_maps: `ldap:${etc}/routes.cf`,
    recipient_delimiter: '+',
    default_transport: 'error:5.7.1 this lab sends no mail outside',
    relay_transport: 'error:5.7.1 this lab sends no mail outside',
    smtpd_tls_cert_file: cert,
    smtpd_tls_key_file: key,
    smtpd_tls_security_level: faults.on('no-starttls', component) ? 'none' : 'may',
    smtpd_tls_auth_only: 'yes',
    smtpd_tls_loglevel: '1',
    smtpd_sasl_type: 'dovecot',
    smtpd_sasl_path: 'private/auth',
    smtpd_relay_restrictions: 'permit_sasl_authenticated, reject_unauth_destination',
    // Recovery within seconds, where a site would take minutes.
    queue_run_delay: '5s',
    minimal_backoff_time: '5s',
    maximal_backoff_time: '10s',
    transport_retry_time: '5s',
    service_throttle_time: '2s',
    notify_classes: '',
    ...(FILTERED_MTAS.includes(name) ? { smtpd_milters: `inet:${site.machine('filter/dkim').address}:8891` } : {}),
    milter_default_action: faults.named('filter-stopped-accept', 'filter-frozen-accept').length > 0 ? 'accept' : 'tempfail',
    ...restrictions(faults, component, etc),
  };
  return `${Object.entries(settings)
    .map(([parameter, value]) => `${parameter} = ${value}`.trimEnd())
    .join('\n')}\n`;
}

/** Which attribute tells the store of an account: the right one, or the one with the wrong answer. */
function routeAttribute(faults: Faults, machine: Machine): string {
  return faults.on('misrouted', machine.component) ? 'labOtherHost' : 'mailHost';
}

function ldapTable(site: Site, machine: Machine, attribute: string, format?: string): string {
  const servers = machine.directories.map(name => `ldap://${site.machine(`directory/${name}`).address}:389`);
  const lines = [
    `server_host = ${servers.join(' ')}`,
    'version = 3',
    'bind = yes',
    `bind_dn = cn=reader,${SUFFIX}`,
    `bind_pw = ${site.password('reader')}`,
    `search_base = ou=people,${SUFFIX}`,
    `domain = ${DOMAIN}`,
    'query_filter = (mail=%s)',
    `result_attribute = ${attribute}`,
    ...(format === undefined ? [] : [`result_format = ${format}`]),
  ];
  return `${lines.join('\n')}\n`;
}
