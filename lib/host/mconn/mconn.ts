// check_mconn: TCP connections of each service by state, who has most, listeners that are gone, and how near the servers' own limits
// are. Of this network name space: what runs in a container of its own is not seen from outside.

import { endianness } from 'node:os';
import { join } from 'node:path';
import { type Check, Gathering, type Look } from '../check.ts';
import { top } from '../queues/tally.ts';
import { kept, keptNumber, textOf } from '../source.ts';
import { countText, numberText } from '../words.ts';
import { connectionLimits } from './limits.ts';
import { type Column, type Service, servicesOf } from './services.ts';
import { addressText, eachSocket, type SocketState } from './sockets.ts';

/** A listener that was seen is missed for so long. */
const REMEMBER_MS = 7 * 86_400_000;
const TOPS = 10;
const COLUMNS: readonly Column[] = ['smtp', 'imap', 'pop3', 'ldap', 'http'];

interface Counted {
  established: number;
  opening: number;
  closing: number;
  closeWait: number;
  backlog: number;
  outgoing: number;
  listens: boolean;
}

export const mconn: Check = {
  name: 'mconn',
  async look(look) {
    const gathered = new Gathering();
    const services = servicesOf(look.root, look.config.mconn.services, look.config.queues.config);
    const seen = count(look.root, services);
    if (seen === undefined) {
      gathered.missing.push({ what: 'connections', why: 'there is no /proc/net/tcp: only Linux has one' });
      return gathered.sample('nothing could be read', undefined);
    }
    const { byService, clients } = seen;
    let all = 0;
    for (const [name, counted] of byService) {
      all += counted.established;
      if (!isSeen(counted)) continue;
      gathered.add({
        [`mconn.established:${name}`]: counted.established,
        [`mconn.opening:${name}`]: counted.opening,
        [`mconn.closing:${name}`]: counted.closing,
        [`mconn.close_wait:${name}`]: counted.closeWait,
        [`mconn.backlog:${name}`]: counted.listens ? counted.backlog : undefined,
        [`mconn.outgoing:${name}`]: counted.outgoing,
      });
    }
    gathered.add({ 'mconn.established_total': all });
    for (const column of COLUMNS) addColumn(gathered, column, services, byService);
    const ranked = top(clients, TOPS).map(({ name, count }) => ({ name: addressText(name, endianness() === 'LE'), count }));
    if (ranked.length > 0) gathered.tops['client addresses'] = ranked;
    gathered.add({ 'mconn.top_client': ranked[0]?.count ?? 0 });

    const listening = new Set([...byService].filter(([, { listens }]) => listens).map(([name]) => name));
    const limits = await connectionLimits(look.root, look.config.queues.config, look.run, listening);
    for (const { services: names, most } of limits) {
      const used = names.reduce((sum, name) => sum + (byService.get(name)?.established ?? 0), 0);
      const listens = names.find(name => listening.has(name));
      if (listens !== undefined) gathered.add({ [`mconn.limit_percent:${listens}`]: (used / most) * 100 });
    }
    const remembered = missed(look, services, listening, gathered);
    return gathered.sample(summary(byService, all), { listening: remembered });
  },
};

function isSeen({ listens, ...counts }: Counted): boolean {
  return listens || Object.values(counts).some(n => n > 0);
}

/** One pass over both files; the second holds IPv6, and IPv4 of sockets that take both. */
function count(root: string, services: readonly Service[]) {
  const files = ['tcp', 'tcp6'].map(name => textOf(join(root, 'proc/net', name)));
  if (files.every(text => text === undefined)) return undefined;
  const byPort = new Map<number, Counted>();
  const byService = new Map<string, Counted>();
  for (const { name, ports } of services) {
    const counted = { established: 0, opening: 0, closing: 0, closeWait: 0, backlog: 0, outgoing: 0, listens: false };
    byService.set(name, counted);
    for (const port of ports) byPort.set(port, counted);
  }
  const clients = new Map<string, number>();
  for (const text of files) {
    eachSocket(text ?? '', ({ localPort, remotePort, remoteHex, state, received }) => {
      const here = byPort.get(localPort);
      if (here === undefined) {
        const there = byPort.get(remotePort);
        if (there !== undefined && state === 'ESTABLISHED') there.outgoing += 1;
        return;
      }
      if (state === 'LISTEN') {
        here.listens = true;
        here.backlog += received;
        return;
      }
      here[KIND[state]] += 1;
      if (state === 'ESTABLISHED') clients.set(remoteHex, (clients.get(remoteHex) ?? 0) + 1);
    });
  }
  return { byService, clients };
}

const KIND = {
  NONE: 'closing',
  ESTABLISHED: 'established',
  SYN_SENT: 'opening',
  SYN_RECV: 'opening',
  NEW_SYN_RECV: 'opening',
  FIN_WAIT1: 'closing',
  FIN_WAIT2: 'closing',
  TIME_WAIT: 'closing',
  CLOSE: 'closing',
  CLOSE_WAIT: 'closeWait',
  LAST_ACK: 'closing',
  CLOSING: 'closing',
  LISTEN: 'closing',
} as const satisfies Record<SocketState, Exclude<keyof Counted, 'listens'>>;

/** The table's columns: a protocol with and without TLS is one. */
function addColumn(
  gathered: Gathering,
  column: Column,
  services: readonly Service[],
  byService: ReadonlyMap<string, Counted>,
): void {
  const members = services.filter(service => service.column === column);
  const sum = members.reduce((total, { name }) => total + (byService.get(name)?.established ?? 0), 0);
  gathered.add({ [`mconn.column:${column}`]: sum });
}

/** Findings for listeners that are gone. @returns when each listener was last seen, to be carried over */
function missed(
  look: Look,
  services: readonly Service[],
  listening: ReadonlySet<string>,
  gathered: Gathering,
): Readonly<Record<string, number>> {
  const wanted = look.config.mconn.listen;
  const before = kept(look.before, 'listening');
  const seenAt: Record<string, number> = {};
  for (const { name, ports } of services) {
    const at = listening.has(name) ? look.at : keptNumber(before, name);
    if (at === undefined || look.at - at > REMEMBER_MS) continue;
    if (name !== 'milter' || listening.has(name)) seenAt[name] = at;
    if (listening.has(name) || wanted.length > 0) continue;
    gathered.findings.push({
      level: 'critical',
      subject: `listener:${name}`,
      text: `nothing listens on port ${ports.join(' or ')} (${name}) any more`,
      since: at,
      remedy: `check_procs tells whether its daemon runs; if it is gone for good, name what must listen: listen = [...] in [mconn] of host.cfg`,
    });
  }
  for (const name of wanted) {
    if (listening.has(name)) continue;
    const service = services.find(each => each.name === name);
    const text =
      service === undefined
        ? `host.cfg wants '${name}' to listen, which is no service that is known`
        : `nothing listens on port ${service.ports.join(' or ')} (${name})`;
    gathered.findings.push({ level: service === undefined ? 'unknown' : 'critical', subject: `listener:${name}`, text });
  }
  return seenAt;
}

function summary(byService: ReadonlyMap<string, Counted>, all: number): string {
  const busy = [...byService]
    .filter(([, { established }]) => established > 0)
    .sort((a, b) => b[1].established - a[1].established);
  const parts = busy.slice(0, 6).map(([name, { established }]) => `${name} ${numberText(established)}`);
  const listening = [...byService.values()].filter(({ listens }) => listens).length;
  return `${countText(all, 'established connection')}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}, ${countText(listening, 'service')} listening`;
}
