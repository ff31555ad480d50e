// The site's name server. It knows the lab's machines and nothing else; `lab.test` beyond them does not exist.

import type { Faults } from '../faults/place.ts';
import { inside } from '../namespace.ts';
import { DOMAIN, type Machine, type Site } from '../site.ts';
import { type Daemon, makeFolder } from './daemon.ts';

export function dnsmasq(machine: Machine): Daemon {
  const { name } = machine;
  return {
    id: `${name}/dnsmasq`,
    component: machine.component,
    program: 'dnsmasq',
    log: `${name}/dnsmasq.log`,
    takes: 'restart',
    prepare: async site => makeFolder(site.path(name)),
    command: site => inside(site, ['dnsmasq', '-k', '-C', site.path(name, 'dnsmasq.conf')]),
    files: (site, faults) => [
      { path: 'resolv.conf', text: `nameserver ${machine.address}\noptions timeout:5 attempts:2\n` },
      { path: `${name}/hosts`, text: hosts(site, faults) },
      { path: `${name}/dnsmasq.conf`, text: dnsmasqConf(site, faults, machine) },
    ],
  };
}

function hosts(site: Site, faults: Faults): string {
  return site.machines
    .filter(machine => !faults.on('no-name', machine.component))
    .map(machine => `${machine.address} ${machine.host}\n`)
    .join('');
}

function dnsmasqConf(site: Site, faults: Faults, machine: Machine): string {
  const { name, address, component } = machine;
  const lines = [
    'port=53',
    `listen-address=${address}`,
    'bind-interfaces',
    'user=root',
    `pid-file=${site.path(name, 'dnsmasq.pid')}`,
    'log-facility=-',
    'log-queries',
    'cache-size=0',
    'no-resolv',
    'no-hosts',
    // Without its data it refuses every question, as a server does that lost its zone.
    ...(faults.on('dns-refuses', component)
      ? []
      : [`addn-hosts=${site.path(name, 'hosts')}`, `local=/${DOMAIN}/`, 'local=/in-addr.arpa/']),
  ];
  return `${lines.join('\n')}\n`;
}
