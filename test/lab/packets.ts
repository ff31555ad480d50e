// The packet filter's part of the faults: one nftables table of the lab's own, rewritten whole each time, absent when no fault
// needs it. Packets are dropped on their way in: on the way out the sender would be told.

import { type Faults, placeText } from './faults/place.ts';
import type { Peer } from './relays.ts';
import { LabError, run } from './run.ts';
import type { Site } from './site.ts';

function tableName(net: number): string {
  return `healthmon_lab_${net}`;
}

/** Rules for these faults and the bad peers that stand before doors; undefined when there are none. */
export function ruleset(site: Site, faults: Faults, peers: readonly Peer[]): string | undefined {
  const filter = faults.named('blackholed', 'refused').flatMap(fault => {
    const action = fault.name === 'refused' ? 'reject with tcp reset' : 'drop';
    return matches(site, fault).map(match => `${match} ${action}`);
  });
  const nat = peers
    .flatMap(peer => peer.listeners)
    .map(({ address, port, target, from, onlyFrom }) => {
      const who = onlyFrom === undefined ? `ip saddr != ${from}` : `ip saddr ${onlyFrom}`;
      return `${who} ip daddr ${target.host} tcp dport ${target.port} dnat ip to ${address}:${port}`;
    });
  if (filter.length + nat.length === 0) return undefined;
  return `table inet ${tableName(site.net)} {
  chain incoming {
    type filter hook input priority 0; policy accept;
    ${filter.join('\n    ')}
  }
  chain redirected {
    type nat hook output priority -100; policy accept;
    ${nat.join('\n    ')}
  }
}
`;
}

/** Puts exactly these rules in force, in one step. */
export async function applyRules(net: number, rules: string | undefined): Promise<void> {
  const table = tableName(net);
  const ran = await run(['nft', '-f', '-'], {
    input: `table inet ${table}\ndelete table inet ${table}\n${rules ?? ''}`,
    anyStatus: true,
  });
  if (ran.status === 0) return;
  if (rules === undefined && !(await tableExists(net))) return; // no packet filter here, and none wanted
  throw new LabError(
    `Cannot set packet filter rules: ${ran.stderr.trim()} (faults on the network need nftables in the kernel and CAP_NET_ADMIN)`,
  );
}

export async function tableExists(net: number): Promise<boolean> {
  const { status } = await run(['nft', 'list', 'table', 'inet', tableName(net)], { anyStatus: true });
  return status === 0;
}

/** What a place means in packets. */
function matches(site: Site, place: Parameters<typeof placeText>[0]): string[] {
  const { component, protocol } = place;
  const ends = /^link\/([^-]+)-([^-]+)$/.exec(component);
  if (ends !== null) {
    const [from, to] = [ends[1], ends[2]].map(name => site.machines.filter(machine => machine.name === name));
    // `smtp` is a balancer, `ssmtp01` a machine behind it: names are unique.
    const [a, b] = [from?.[0], to?.[0]];
    if (a === undefined || b === undefined) throw new LabError(`No such link in the lab: ${placeText(place)}`);
    return [`ip saddr ${a.address} ip daddr ${b.address} meta l4proto tcp`];
  }
  const machine = site.machine(component);
  const ports = machine.doors.filter(door => protocol === undefined || door.protocol === protocol).map(door => door.port);
  if (machine.component === 'dns/ns1')
    return [`ip daddr ${machine.address} udp dport 53`, `ip daddr ${machine.address} tcp dport 53`];
  return [`ip daddr ${machine.address} tcp dport { ${ports.join(', ')} }`];
}
