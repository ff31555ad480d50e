// A balancer: passes TCP on to its members in turn, checks each by a bare connect once a second, and comes to them from an
// address of its own.

import type { Faults } from '../faults/place.ts';
import { inside } from '../namespace.ts';
import type { Machine, Site } from '../site.ts';
import { type Daemon, makeFolder } from './daemon.ts';

/** The balancer's members, by kind. */
export function membersOf(site: Site, balancer: Machine): readonly Machine[] {
  return site.of(balancer.name === 'smtp' ? 'mta' : 'mmp');
}

export function haproxy(machine: Machine): Daemon {
  const { name, component } = machine;
  return {
    id: `${name}/haproxy`,
    component,
    program: 'HAProxy',
    log: `${name}/haproxy.log`,
    takes: 'restart',
    prepare: async site => makeFolder(site.path(name)),
    command: site => inside(site, ['haproxy', '-db', '-f', site.path(name, 'haproxy.cfg')]),
    files: (site, faults) => [{ path: `${name}/haproxy.cfg`, text: haproxyCfg(site, faults, machine) }],
  };
}

/** Where its members' states are asked for. */
export function statsSocket(site: Site, balancer: Machine): string {
  return site.path(balancer.name, 'stats.sock');
}

function haproxyCfg(site: Site, faults: Faults, machine: Machine): string {
  const frontends = machine.doors.map(({ port }) => {
    const servers = membersOf(site, machine).map(
      member => `  server ${member.name} ${member.address}:${port} check inter 1s fall 3 rise 1 source ${machine.address}`,
    );
    const limit = faults.on('connection-limit', machine.component) ? ['  maxconn 1'] : [];
    return [`listen port${port}`, `  bind ${machine.address}:${port}`, ...limit, ...servers].join('\n');
  });
  return `global
  stats socket ${statsSocket(site, machine)} mode 600 level admin
  log stdout format raw daemon info
  maxconn 400
defaults
  mode tcp
  log global
  option tcplog
  option redispatch 1
  retries 3
  balance roundrobin
  timeout connect 5s
  timeout client 5m
  timeout server 5m
${frontends.join('\n')}
`;
}
