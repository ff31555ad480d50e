// Builds the machines of a stand-in site and ties them together: who asks which directory, who stands behind which balancer.
// Nothing listens yet when this returns.

import { randomBytes } from 'node:crypto';
import type { Component } from '../model/component.ts';
import { Accounts } from './accounts.ts';
import { type Service, suffixOf, type Tree } from './ldap/directory.ts';
import { DirectoryServer } from './ldap/ldap.ts';
import type { BalancerSet, Machinery, Resident } from './machinery.ts';
import { Filter } from './milter/milter.ts';
import { Mmp } from './mmp/mmp.ts';
import { Mta } from './mta/mta.ts';
import { BalancerDoor } from './network/balancer.ts';
import { NameServer } from './network/dns.ts';
import type { Settings } from './options.ts';
import { Store } from './store/store.ts';
import { World } from './world.ts';

/** The account that bounces go to; it lives on the last store. */
export const SENDER = 'sender';

export function build(settings: Settings): Machinery {
  const { domain, security, auth, uidplus } = settings;
  const world = new World(domain, settings.waits);
  const storeNames = names('ims', settings.stores, 1);
  const residents = new Map(storeNames.map(name => [name, resident(name, name, domain)]));
  residents.set(SENDER, resident(SENDER, storeNames.at(-1) ?? '', domain));

  const monitor: Service = { name: 'monitor', secret: secret() };
  const servers: Service = { name: 'mailservers', secret: secret() };
  const tree: Tree = {
    suffix: suffixOf(domain),
    services: [monitor, servers],
    people: [...residents.values()].map(({ name, address, store, password, token }) => ({
      uid: name,
      address,
      mailHost: world.hostName(`store/${store}`),
      secrets: [password, token],
    })),
  };
  const changedAt = new Date();
  const directories = byName(names('ldap', settings.directories, 1), name => {
    // The machines inside speak plain LDAP to it, as most sites do; StartTLS is there for those who ask.
    return new DirectoryServer({
      world,
      component: `directory/${name}`,
      security: security === 'plain' ? 'plain' : 'starttls',
      tree,
      changedAt,
    });
  });

  const directoryOrder = new Map<Component, readonly Component[]>();
  const accountsFor = (owner: Component, index: number): Accounts => {
    const all = [...directories.values()];
    const first = index % all.length;
    const order = [...all.slice(first), ...all.slice(0, first)];
    directoryOrder.set(
      owner,
      order.map(directory => directory.door.component),
    );
    return new Accounts(world, owner, order, servers);
  };

  const stores = byName(storeNames, (name, i) => {
    const component: Component = `store/${name}`;
    return new Store({ world, component, security, uidplus, accounts: accountsFor(component, i) });
  });
  const filters = new Map(settings.filter ? [['dkim', new Filter(world, 'filter/dkim')] as const] : []);
  const filter = filters.get('dkim');
  const mtas = byName(names('ssmtp', settings.mtas, 2), (name, i) => {
    const component: Component = `mta/${name}`;
    const uses =
      filter !== undefined && i === settings.mtas - 1 ? { filter: { filter, defaultAction: 'tempfail' as const } } : {};
    return new Mta({
      world,
      component,
      security,
      auth,
      accounts: accountsFor(component, i),
      stores: [...stores.values()],
      ...uses,
    });
  });
  const mmps = byName(names('smux', settings.mmps, 2), (name, i) => {
    const component: Component = `mmp/${name}`;
    return new Mmp({ world, component, security, accounts: accountsFor(component, i), stores: [...stores.values()] });
  });

  const balancers = new Map<string, BalancerSet>();
  if (settings.balancers) {
    const mtaDoors = [...mtas.values()].map(({ door }) => door);
    const all = [...mmps.values()];
    balancers.set('smtp', balancerSet(world, 'balancer/smtp', [['smtp', mtaDoors]]));
    balancers.set(
      'pop',
      balancerSet(world, 'balancer/pop', [
        ['pop3', all.map(({ pop3 }) => pop3)],
        ['imap', all.map(({ imap }) => imap)],
      ]),
    );
  }
  const nameServers = new Map<string, NameServer>();
  if (settings.nameServer) nameServers.set('ns1', nameServer(world, [stores, mtas, mmps, directories, filters, balancers]));
  const monitorView = { hosts: new Map(), secrets: new Map() };
  return {
    world,
    settings,
    mtas,
    mmps,
    stores,
    directories,
    filters,
    balancers,
    nameServers,
    residents,
    monitor,
    directoryOrder,
    monitorView,
  };
}

function names(stem: string, count: number, digits: number): string[] {
  return Array.from({ length: count }, (_, i) => `${stem}${String(i + 1).padStart(digits, '0')}`);
}

function byName<T>(list: readonly string[], make: (name: string, index: number) => T): Map<string, T> {
  return new Map(list.map((name, i) => [name, make(name, i)]));
}

function resident(name: string, store: string, domain: string): Resident {
  return { name, store, address: `${name}@${domain}`, password: secret(), token: secret() };
}

function secret(): string {
  return randomBytes(12).toString('base64url');
}

function balancerSet(
  world: World,
  component: Component,
  doors: readonly (readonly ['smtp' | 'pop3' | 'imap', readonly Mta['door'][]])[],
): BalancerSet {
  const members = doors[0]?.[1].map(door => door.component) ?? [];
  return { component, members, doors: doors.map(([protocol, targets]) => new BalancerDoor(world, component, protocol, targets)) };
}

function nameServer(world: World, maps: readonly ReadonlyMap<string, unknown>[]): NameServer {
  const hosts = new Set(maps.flatMap(map => [...map.keys()]).map(name => `${name}.${world.domain}`));
  const mx = [...(maps[1]?.keys() ?? [])].map(name => `${name}.${world.domain}`);
  return new NameServer(world, 'dns/ns1', { hosts, mx });
}
