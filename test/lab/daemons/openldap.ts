// A directory server: ldap1 is the provider, ldap2 its replica. They hold the accounts (with the store of each) and the site's
// own identities. Loaded by slapadd from one LDIF, so that the replica is in step from its first moment.

import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Faults } from '../faults/place.ts';
import { inside } from '../namespace.ts';
import { run } from '../run.ts';
import { type Machine, type Site, SUFFIX } from '../site.ts';
import { certificateFiles } from '../tls.ts';
import { blemishOf, type Daemon, groupId, makeFolder, tlsFolder, userId } from './daemon.ts';
import { entries } from './openldap-entries.ts';

const SCHEMA = `attributetype ( 1.3.6.1.4.1.4203.666.1.901 NAME 'mailHost' DESC 'host name of the store' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.1.902 NAME 'labOtherHost' DESC 'the store where the account does not live' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.3.901 NAME 'labAccount' SUP top AUXILIARY MUST ( mailHost $ labOtherHost ) )
`;

/** Contents of a directory server: all, nothing below the suffix, or what there was before ims1 was added. */
type Contents = 'all' | 'empty' | 'behind';

export function openldap(machine: Machine): Daemon {
  const { name, component } = machine;
  return {
    id: `${name}/slapd`,
    component,
    program: 'OpenLDAP',
    log: `${name}/slapd.log`,
    takes: 'restart',
    files: (site, faults) => [
      { path: `${name}/lab.schema`, text: SCHEMA },
      { path: 'admin.secret', text: site.password('admin'), group: 'root' },
      { path: `${name}/slapd.conf`, text: slapdConf(site, faults, machine), group: 'openldap' },
    ],
    prepare: async site => {
      makeFolder(site.path(name), 0o755, 'openldap', 'openldap');
      await load(site, machine, 'all');
    },
    remake: async (site, faults) => {
      const wanted = contentsOf(faults, machine);
      if (readFileSync(site.path(name, 'contents'), 'utf8') !== wanted) await load(site, machine, wanted);
    },
    command: site => {
      const urls = `ldap://${machine.address}:389/ ldaps://${machine.address}:636/`;
      const slapd = confined() ? site.path(name, 'slapd') : '/usr/sbin/slapd';
      return inside(site, [
        slapd,
        '-d',
        'stats',
        '-u',
        'openldap',
        '-g',
        'openldap',
        '-f',
        site.path(name, 'slapd.conf'),
        '-h',
        urls,
      ]);
    },
  };
}

function contentsOf(faults: Faults, machine: Machine): Contents {
  if (faults.on('replica-empty', machine.component)) return 'empty';
  return faults.on('replica-behind', machine.component) ? 'behind' : 'all';
}

/** Fills the database anew; the server must not be running. */
async function load(site: Site, machine: Machine, contents: Contents): Promise<void> {
  const { name } = machine;
  const data = site.path(name, 'db');
  rmSync(data, { recursive: true, force: true });
  makeFolder(data, 0o700, 'openldap', 'openldap');
  if (confined() && !existsSync(site.path(name, 'slapd'))) copyFileSync('/usr/sbin/slapd', site.path(name, 'slapd'));
  const file = site.path(name, 'load.ldif');
  writeFileSync(file, entries(site, contents), { mode: 0o600 });
  const { uid, gid } = { uid: userId('openldap'), gid: groupId('openldap') };
  await run(['slapadd', '-q', '-w', '-b', SUFFIX, '-f', site.path(name, 'slapd.conf'), '-l', file]);
  await run(['chown', '-R', `${uid}:${gid}`, data]);
  rmSync(file);
  writeFileSync(site.path(name, 'contents'), contents);
}

function slapdConf(site: Site, faults: Faults, machine: Machine): string {
  const { name, component } = machine;
  const { cert, key } = certificateFiles(tlsFolder(site), machine, blemishOf(faults, component));
  const provider = site.machine('directory/ldap1');
  const isProvider = component === provider.component;
  const cutOff = faults.named('replica-empty', 'replica-behind').some(fault => fault.component === component);
  const reads = [`by dn.exact="cn=replicator,${SUFFIX}" read`, `by dn.exact="cn=reader,${SUFFIX}" read`];
  const people = faults.on('no-entry', component)
    ? `access to dn.children="ou=people,${SUFFIX}" by dn.exact="cn=replicator,${SUFFIX}" read by * none`
    : `access to dn.subtree="ou=people,${SUFFIX}" ${reads.join(' ')} by dn.exact="cn=monitor,${SUFFIX}" read by * none`;
  const lines = [
    ...['core', 'cosine', 'inetorgperson'].map(schema => `include /etc/ldap/schema/${schema}.schema`),
    `include ${site.path(name, 'lab.schema')}`,
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    'moduleload syncprov',
    `pidfile ${site.path(name, 'slapd.pid')}`,
    `argsfile ${site.path(name, 'slapd.args')}`,
    'threads 4',
    'idletimeout 0',
    ...(faults.on('no-starttls', component)
      ? []
      : [`TLSCACertificateFile ${tlsFolder(site)}/ca.pem`, `TLSCertificateFile ${cert}`, `TLSCertificateKeyFile ${key}`]),
    'database mdb',
    `suffix "${SUFFIX}"`,
    `rootdn "cn=admin,${SUFFIX}"`,
    `rootpw ${site.password('admin')}`,
    `directory ${site.path(name, 'db')}`,
    'maxsize 16777216',
    'dbnosync',
    'index objectClass,entryUUID,entryCSN eq',
    'index uid,mail eq',
    `access to attrs=userPassword ${reads.join(' ')} by * auth`,
    people,
    'access to * by * read',
    ...(isProvider ? ['overlay syncprov'] : []),
    ...(isProvider || cutOff ? [] : [syncrepl(site, provider)]),
    // What it counts: healthmon may read it at one of them.
    'database monitor',
    `access to * ${isProvider ? `by dn.exact="cn=monitor,${SUFFIX}" read ` : ''}by * none`,
  ];
  return `${lines.join('\n')}\n`;
}

function syncrepl(site: Site, provider: Machine): string {
  const bind = `bindmethod=simple binddn="cn=replicator,${SUFFIX}" credentials=${site.password('replicator')}`;
  const from = `provider=ldap://${provider.address}:389 type=refreshAndPersist searchbase="${SUFFIX}"`;
  return `syncrepl rid=1 ${from} ${bind} retry="1 +" keepalive=5:2:1\nupdateref ldap://${provider.address}:389`;
}

/** Ubuntu's AppArmor profile of slapd forbids files outside /var/lib/ldap; it goes by the program's path, so a copy is free. */
function confined(): boolean {
  return existsSync('/etc/apparmor.d/usr.sbin.slapd') && existsSync('/sys/kernel/security/apparmor');
}
