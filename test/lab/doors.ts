// Whether a door answers as its protocol says: a banner, an LDAP result, a DNS answer, a milter's first packet.

import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { join } from 'node:path';
import { leavesDoorsOpen } from './faults/catalogue.ts';
import type { Faults } from './faults/place.ts';
import type { Door, Machine, Site } from './site.ts';
import { Wire } from './wire.ts';

const BANNERS: Readonly<Record<string, RegExp>> = { smtp: /^220[ -]/, lmtp: /^220[ -]/, pop3: /^\+OK/, imap: /^\* OK/ };

/** An anonymous LDAP bind, and the first packet of a milter conversation (version 6, all actions, all steps). */
const LDAP_BIND = Buffer.from('300c020101600702010304008000', 'hex');
const MILTER_HELLO = Buffer.from('0000000d4f00000006000001ff001fffff', 'hex');

/** Undefined when the door answers; else what came instead. TLS doors are judged with the lab's authority. */
async function whyShut(site: Site, machine: Machine, door: Door, limitMs: number): Promise<string | undefined> {
  try {
    await knock(site, machine, door, limitMs);
    return undefined;
  } catch (error) {
    return `${machine.component} ${door.protocol} ${machine.address}:${door.port}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function knock(site: Site, machine: Machine, door: Door, limitMs: number): Promise<void> {
  if (door.protocol === 'dns') return askName(machine, door, limitMs);
  if (door.protocol === 'milter') return exchange(machine, door, MILTER_HELLO, limitMs);
  if (door.protocol === 'ldap' && !door.wrapped) return exchange(machine, door, LDAP_BIND, limitMs);
  const target = {
    host: machine.address,
    port: door.port,
    servername: machine.host,
    ca: join(site.dir, 'tls', 'ca.pem'),
    limitMs,
  };
  // A balancer's certificate is that of the member it happens to choose, under the name of the service.
  const servername = machine.component.startsWith('balancer/') ? site.hostOf(machine.name) : machine.host;
  await using wire = await Wire.open({ ...target, servername }, door.wrapped);
  if (door.protocol === 'ldap') return;
  const banner = await wire.line();
  if (BANNERS[door.protocol]?.test(banner) !== true) throw new Error(`said ${banner.trim()}`);
  wire.send('QUIT');
}

/** Sends bytes; any answer will do. */
function exchange(machine: Machine, door: Door, bytes: Buffer, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: machine.address, port: door.port });
    const over = (why: string | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      if (why === undefined) resolve();
      else reject(new Error(why));
    };
    const timer = setTimeout(() => over('timeout'), limitMs);
    socket.once('connect', () => socket.write(bytes));
    socket.once('data', () => over(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => over(error.code ?? error.message));
    socket.once('close', () => over('end'));
  });
}

/** Asks for the name server's own name. */
function askName(machine: Machine, door: Door, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const over = (why: string | undefined) => {
      clearTimeout(timer);
      socket.close();
      if (why === undefined) resolve();
      else reject(new Error(why));
    };
    const timer = setTimeout(() => over('timeout'), limitMs);
    socket.once('error', (error: NodeJS.ErrnoException) => over(error.code ?? error.message));
    socket.once('message', answer => over(((answer[3] ?? 0) & 15) === 0 ? undefined : `answer code ${(answer[3] ?? 0) & 15}`));
    socket.connect(door.port, machine.address, () => socket.send(question(machine.host)));
  });
}

/** A DNS query for an A record. @see RFC 1035 section 4.1 */
function question(name: string): Buffer {
  const labels = name.split('.').flatMap(label => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([Buffer.from('002a01000001000000000000', 'hex'), ...labels, Buffer.from('0000010001', 'hex')]);
}

/** The doors that should answer in spite of these faults: those of machines that no fault touches at the door itself. */
export function doorsToAnswer(site: Site, faults: Faults): readonly { readonly machine: Machine; readonly door: Door }[] {
  return site.machines.flatMap(machine =>
    machine.doors.filter(door => !mayBeShut(faults, machine, door)).map(door => ({ machine, door })),
  );
}

function mayBeShut(faults: Faults, machine: Machine, door: Door): boolean {
  return faults.list.some(fault => {
    if (leavesDoorsOpen(fault)) return false;
    const { component } = fault;
    if (component === machine.component) return fault.protocol === undefined || fault.protocol === door.protocol;
    // What an MTA's or an MMP's door waits for: the filter and the names of clients; and a balancer's doors are its members'.
    if (component.startsWith('filter/') || component.startsWith('dns/')) return /^(mta|balancer)\//.test(machine.component);
    if (component.startsWith('mta/')) return machine.component === 'balancer/smtp';
    if (component.startsWith('mmp/')) return machine.component === 'balancer/pop';
    return component.startsWith('link/') && machine.component.startsWith('balancer/');
  });
}

/** @returns the sentences of those that do not answer. */
export async function shutDoors(
  site: Site,
  doors: readonly { machine: Machine; door: Door }[],
  limitMs: number,
): Promise<string[]> {
  const answers = await Promise.all(doors.map(({ machine, door }) => whyShut(site, machine, door, limitMs)));
  return answers.filter(answer => answer !== undefined);
}
