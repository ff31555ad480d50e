// The filter: a milter that signs what passes through it with a test key. Its own log goes nowhere, because it writes to syslog
// only; Postfix' log says what it did.

import { existsSync } from 'node:fs';
import { inside } from '../namespace.ts';
import { run } from '../run.ts';
import { DOMAIN, type Machine, type Site } from '../site.ts';
import { type Daemon, makeFolder } from './daemon.ts';

export function opendkim(machine: Machine): Daemon {
  const { name } = machine;
  return {
    id: `${name}/opendkim`,
    component: machine.component,
    program: 'OpenDKIM',
    log: `${name}/opendkim.log`,
    takes: 'restart',
    stateless: true,
    prepare: async site => {
      makeFolder(site.path(name), 0o755, 'opendkim', 'opendkim');
      const key = site.path(name, 'dkim.key');
      if (existsSync(key)) return;
      await run(['openssl', 'genrsa', '-traditional', '-out', key, '1024']);
      await run(['chown', 'opendkim:opendkim', key]);
    },
    command: site => inside(site, ['opendkim', '-f', '-x', site.path(name, 'opendkim.conf')]),
    files: site => [{ path: `${name}/opendkim.conf`, text: opendkimConf(site, machine) }],
  };
}

function opendkimConf(site: Site, machine: Machine): string {
  const { name, address } = machine;
  const lines = [
    'Syslog no',
    'Background no',
    'UserID opendkim:opendkim',
    'Mode s',
    `Domain ${DOMAIN}`,
    'Selector lab',
    `KeyFile ${site.path(name, 'dkim.key')}`,
    'RequireSafeKeys no',
    'MinimumKeyBits 1024',
    'InternalHosts 127.0.0.0/8',
    `Socket inet:8891@${address}`,
  ];
  return `${lines.join('\n')}\n`;
}
