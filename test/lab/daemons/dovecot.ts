// The three roles of Dovecot here: a store (LMTP, POP3, IMAP), an MMP (POP3 and IMAP by proxy to the store that the directory
// names), and a password check for an MTA's AUTH. Each is an instance of its own; a change restarts it, which is quicker and
// more certain than HUP.

import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Faults } from '../faults/place.ts';
import { inside } from '../namespace.ts';
import { run } from '../run.ts';
import { type Machine, type Site, VMAIL } from '../site.ts';
import { certificateFiles } from '../tls.ts';
import { blemishOf, type Daemon, makeFolder, tlsFolder } from './daemon.ts';
import { mailPort, passwordTables } from './dovecot-parts.ts';
import { makeQueue } from './postfix.ts';

export function dovecotStore(machine: Machine): Daemon {
  const { name } = machine;
  return {
    ...instance(machine, name),
    prepare: async site => {
      makeFolder(site.path(name));
      makeFolder(site.path('mail'));
      makeFolder(site.path('mail', name), 0o755, VMAIL, VMAIL);
      await prepareSieve(site, name);
    },
    files: (site, faults) => [
      { path: `${name}/dovecot.conf`, text: storeConf(site, faults, machine) },
      ...passwordTables(site, faults, machine),
    ],
  };
}

export function dovecotMmp(machine: Machine): Daemon {
  const { name } = machine;
  return {
    ...instance(machine, name),
    prepare: async site => makeFolder(site.path(name)),
    files: (site, faults) => [
      { path: `${name}/dovecot.conf`, text: mmpConf(site, faults, machine) },
      ...passwordTables(site, faults, machine),
    ],
  };
}

/** Checks passwords for an MTA, through a socket in Postfix' queue directory. */
export function dovecotAuth(mta: Machine): Daemon {
  const folder = `${mta.name}/sasl`;
  return {
    ...instance(mta, folder),
    isReady: site => isTaken(site.path(mta.name, 'q', 'private', 'auth')),
    prepare: async site => {
      makeQueue(site, mta.name);
      makeFolder(site.path(folder));
    },
    files: (site, faults) => [
      { path: `${folder}/dovecot.conf`, text: authConf(site, mta, folder) },
      ...passwordTables(site, faults, mta, folder),
    ],
  };
}

function instance(
  machine: Machine,
  folder: string,
): Pick<Daemon, 'id' | 'component' | 'program' | 'log' | 'takes' | 'command' | 'leftovers'> {
  return {
    id: folder === machine.name ? `${machine.name}/dovecot` : `${machine.name}/sasl`,
    component: machine.component,
    program: 'Dovecot',
    log: `${folder}/dovecot.log`,
    takes: 'restart',
    // The pid in it may by now be somebody else's.
    leftovers: [`${folder}/run/master.pid`],
    command: site => inside(site, ['dovecot', '-F', '-c', site.path(folder, 'dovecot.conf')], machine.name),
  };
}

function common(site: Site, folder: string, protocols: string): string[] {
  return [
    `protocols = ${protocols}`,
    `base_dir = ${site.path(folder, 'run')}`,
    `state_dir = ${site.path(folder, 'state')}`,
    `instance_name = ${folder.replace('/', '-')}`,
    // What Received: lines say.
    `hostname = ${site.hostOf(folder.split('/')[0] ?? folder)}`,
    `log_path = ${site.path(folder, 'dovecot.log')}`,
    'default_client_limit = 200',
    'default_process_limit = 50',
    'auth_cache_size = 0',
    'auth_failure_delay = 1 secs',
    // Else the next attempts from our one address are held back for seconds after each refusal.
    'service anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}',
    'service stats {\n  process_min_avail = 0\n}',
  ];
}

function withTls(site: Site, faults: Faults, machine: Machine): string[] {
  const { cert, key } = certificateFiles(tlsFolder(site), machine, blemishOf(faults, machine.component));
  return [
    `listen = ${machine.address}`,
    'disable_plaintext_auth = yes',
    `ssl = ${faults.on('no-starttls', machine.component) ? 'no' : 'yes'}`,
    `ssl_cert = <${cert}`,
    `ssl_key = <${key}`,
    `login_greeting = ${machine.name} ready.`,
  ];
}

function ldap(site: Site, folder: string, which: 'passdb' | 'userdb'): string {
  return `${which} {\n  driver = ldap\n  args = ${site.path(folder, 'ldap.conf')}\n}`;
}

function storeConf(site: Site, faults: Faults, machine: Machine): string {
  const { name, component, address } = machine;
  const full = faults.on('full', component);
  const closed = (protocol: 'lmtp' | 'pop3' | 'imap') => faults.on('door-closed', component, protocol);
  const oneEach = faults.on('connection-limit', component);
  const plugins = ['sieve', ...(full ? ['quota'] : [])].join(' ');
  const lines = [
    ...common(site, name, 'lmtp pop3 imap'),
    ...withTls(site, faults, machine),
    `mail_location = maildir:${site.path('mail', name)}/%n`,
    'first_valid_uid = 1',
    // The MMPs pass the client's own address on, and speak plainly inside the site.
    `login_trusted_networks = ${site.ip(30, 0)}/24 ${site.ip(90, 0)}/24`,
    'recipient_delimiter = +',
    ldap(site, name, 'passdb'),
    ldap(site, name, 'userdb'),
    'namespace inbox {\n  inbox = yes\n  mailbox Junk {\n    auto = subscribe\n    special_use = \\Junk\n  }\n}',
    `service lmtp {\n  inet_listener lmtp {\n    address = ${address}\n    port = ${closed('lmtp') ? 0 : 24}\n  }\n}`,
    mailPort('pop3', closed('pop3')),
    mailPort('imap', closed('imap')),
    `protocol lmtp {\n  mail_plugins = ${plugins}\n}`,
    ...(oneEach ? ['mail_max_userip_connections = 1'] : []),
    'plugin {',
    ...(faults.on('junk', component) ? [`  sieve_before = ${site.path(name, 'junk.sieve')}`] : []),
    `  sieve = file:${site.path('mail', name)}/%n/sieve;active=${site.path('mail', name)}/%n/active.sieve`,
    ...(full ? ['  quota = maildir:User quota', '  quota_rule = *:bytes=1'] : []),
    '}',
    ...(full ? ['quota_full_tempfail = yes'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function mmpConf(site: Site, faults: Faults, machine: Machine): string {
  const { name, component, address } = machine;
  const closed = (protocol: 'pop3' | 'imap') => faults.on('door-closed', component, protocol);
  const taken = (protocol: 'pop3' | 'imap') => faults.on('connection-limit', component, protocol);
  const lines = [
    ...common(site, name, 'pop3 imap'),
    ...withTls(site, faults, machine),
    `login_source_ips = ${address}`,
    'first_valid_uid = 1',
    ldap(site, name, 'passdb'),
    `userdb {\n  driver = static\n  args = uid=${VMAIL} gid=${VMAIL} home=/nonexistent\n}`,
    mailPort('pop3', closed('pop3'), taken('pop3')),
    mailPort('imap', closed('imap'), taken('imap')),
  ];
  return `${lines.join('\n')}\n`;
}

function authConf(site: Site, mta: Machine, folder: string): string {
  const socket = site.path(mta.name, 'q', 'private', 'auth');
  const lines = [
    ...common(site, folder, ''),
    'ssl = no',
    'first_valid_uid = 1',
    'auth_mechanisms = plain login',
    ldap(site, folder, 'passdb'),
    `userdb {\n  driver = static\n  args = uid=${VMAIL} gid=${VMAIL} home=/nonexistent\n}`,
    `service auth {\n  unix_listener ${socket} {\n    mode = 0660\n    user = postfix\n    group = postfix\n  }\n}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The script that files everything into Junk, compiled beforehand because the mail user may not write there. */
async function prepareSieve(site: Site, name: string): Promise<void> {
  const script = site.path(name, 'junk.sieve');
  if (existsSync(`${script.slice(0, -6)}.svbin`)) return;
  writeFileSync(script, 'require ["fileinto"];\nfileinto "Junk";\nstop;\n');
  await run(['sievec', '-c', '/dev/null', script]);
}

/** Whether somebody listens on a unix socket. */
function isTaken(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('connect', () => socket.destroy()).once('close', failed => resolve(!failed));
    socket.once('error', () => {});
  });
}
