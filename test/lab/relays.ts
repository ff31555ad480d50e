// Bad peers that faults put in front of doors (see relay.mjs), worked out from the list of faults, one process per fault.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kindOf } from '../../lib/model/component.ts';
import { blemishOf, tlsFolder } from './daemons/daemon.ts';
import { type ActiveFault, type Faults, faultText } from './faults/place.ts';
import { LabError } from './run.ts';
import type { Door, Machine, Site } from './site.ts';
import { certificateFiles } from './tls.ts';

/** Listens before a door. `say` greets with `text` and hangs up; `reset` answers with RST; `drip` and `late` pass on, badly. */
interface Listener {
  readonly address: string;
  readonly port: number;
  readonly mode: 'reset' | 'say' | 'drip' | 'late';
  readonly text?: string;
  readonly seconds?: number;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly target: { readonly host: string; readonly port: number };
  /** Its own source address, which the packet filter does not redirect. */
  readonly from: string;
  /** Only connections from this address are led here; absent: all. */
  readonly onlyFrom?: string;
}

/** Takes a place and keeps it. */
interface Holder {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly lines: readonly string[];
  readonly keep: string;
}

export interface Peer {
  /** The process' name in the lab's records. */
  readonly id: string;
  readonly listeners: readonly Listener[];
  readonly holders: readonly Holder[];
}

const GREETINGS: Readonly<Record<string, string>> = {
  smtp: '421 4.3.2 Service not available, closing transmission channel',
  lmtp: '421 4.3.2 Service not available, closing transmission channel',
  pop3: '-ERR [SYS/TEMP] Service not available',
  imap: '* BYE [UNAVAILABLE] Service not available',
};

/** All bad peers that these faults need. */
export function peersFor(site: Site, faults: Faults): readonly Peer[] {
  return faults.list
    .map(fault => ({
      id: `peer ${faultText(fault)}`,
      listeners: listenersFor(site, faults, fault),
      holders: holdersFor(site, fault),
    }))
    .filter(peer => peer.listeners.length + peer.holders.length > 0);
}

/** The command that runs a peer from its file. */
export function peerCommand(file: string): string[] {
  return [process.execPath, relayProgram(), file];
}

function listenersFor(site: Site, faults: Faults, fault: ActiveFault): Listener[] {
  const machine = site.machines.find(each => each.component === fault.component);
  const doors = machine?.doors.filter(door => fault.protocol === undefined || door.protocol === fault.protocol) ?? [];
  switch (fault.name) {
    case 'reset':
    case 'drip':
      return doors
        .filter(door => door.protocol !== 'dns')
        .map(door => before(site, machine, door, fault.name === 'drip' ? 'drip' : 'reset'));
    case 'unwelcome': {
      if (machine === undefined || kindOf(machine.component) === 'mta') return []; // Postfix does it by itself
      const files = certificateFiles(tlsFolder(site), certificateOwner(site, machine), blemishOf(faults, machine.component));
      return doors.map(door => ({
        ...before(site, machine, door, 'say'),
        text: GREETINGS[door.protocol] ?? '',
        ...(door.wrapped ? { tls: files } : {}),
      }));
    }
    case 'late': {
      const stores = machine !== undefined && kindOf(machine.component) === 'store' ? [machine] : site.of('store');
      const onlyFrom = machine !== undefined && kindOf(machine.component) === 'mta' ? { onlyFrom: machine.address } : {};
      return stores.flatMap(store =>
        store.doors
          .filter(door => door.protocol === 'lmtp')
          .map(door => ({ ...before(site, store, door, 'late', machine), seconds: fault.seconds, ...onlyFrom })),
      );
    }
    default:
      return [];
  }
}

/** A port of our own for each mode and door. */
function before(site: Site, machine: Machine | undefined, door: Door, mode: Listener['mode'], placed = machine): Listener {
  if (machine === undefined) throw new LabError('A bad peer needs a machine to stand before');
  const modes: readonly Listener['mode'][] = ['reset', 'say', 'drip', 'late'];
  const of = (each: Machine) => site.machines.indexOf(each);
  const port = 20_000 + modes.indexOf(mode) * 4000 + of(placed ?? machine) * 200 + of(machine) * 10 + machine.doors.indexOf(door);
  return { address: site.ip(90, 1), port, mode, target: { host: machine.address, port: door.port }, from: site.ip(90, 2) };
}

/** A balancer shows its members' certificates. */
function certificateOwner(site: Site, machine: Machine): Machine {
  if (kindOf(machine.component) !== 'balancer') return machine;
  return site.machine(machine.name === 'smtp' ? 'mta/ssmtp01' : 'mmp/smux01');
}

function holdersFor(site: Site, fault: ActiveFault): Holder[] {
  if (fault.name !== 'connection-limit') return [];
  const { address: host, component, name, doors } = site.machine(fault.component);
  const wanted = doors.filter(door => fault.protocol === undefined || door.protocol === fault.protocol);
  switch (kindOf(component)) {
    case 'mta':
    case 'balancer':
      return wanted.map(({ protocol, port, wrapped }) => ({
        ...{ host, port, tls: wrapped, keep: 'NOOP' },
        lines: protocol === 'smtp' ? ['EHLO holder.lab.test'] : [],
      }));
    case 'mmp':
      return wanted.filter(door => door.wrapped).map(({ protocol, port }) => loggedIn(site, host, port, protocol, 'sender'));
    case 'store':
      return wanted
        .filter(door => door.wrapped)
        .flatMap(({ protocol, port }) =>
          site.accounts
            .filter(account => account.store === name)
            .map(account => loggedIn(site, host, port, protocol, account.name)),
        );
    default:
      return [];
  }
}

/** A log-in process keeps those who are logged in and throws out those who are not: the holder must be in. */
function loggedIn(site: Site, host: string, port: number, protocol: string, account: string): Holder {
  const { user, password } = site.account(account);
  const lines = protocol === 'pop3' ? [`USER ${user}`, `PASS ${password}`] : [`1 LOGIN ${user} ${password}`];
  return { host, port, tls: true, lines, keep: protocol === 'pop3' ? 'NOOP' : '2 NOOP' };
}

/** relay.mjs lies beside this file, or, when this file is part of dist/, in the project that dist/ belongs to. */
function relayProgram(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    for (const file of [join(folder, 'relay.mjs'), join(folder, 'test', 'lab', 'relay.mjs')]) if (existsSync(file)) return file;
    if (folder === dirname(folder)) throw new LabError('Cannot find test/lab/relay.mjs');
  }
}
