// The running parts of a stand-in site, by name, and the people whose mail it handles. What `site.ts` builds, the fault switches
// turn, and `sitemodel.ts` describes to the product.

import type { Component } from '../model/component.ts';
import { kindOf } from '../model/component.ts';
import type { Protocol } from '../model/endpoint.ts';
import type { Service } from './ldap/directory.ts';
import type { DirectoryServer } from './ldap/ldap.ts';
import type { Filter } from './milter/milter.ts';
import type { Mmp } from './mmp/mmp.ts';
import type { Mta } from './mta/mta.ts';
import type { BalancerDoor } from './network/balancer.ts';
import type { NameServer } from './network/dns.ts';
import type { Door } from './network/door.ts';
import type { Settings } from './options.ts';
import type { Store } from './store/store.ts';
import type { World } from './world.ts';

/** An account with what the monitor needs to use it. */
export interface Resident {
  readonly name: string;
  readonly store: string;
  readonly address: string;
  readonly password: string;
  /** Works in place of the password with XOAUTH2. */
  readonly token: string;
}

export interface BalancerSet {
  readonly component: Component;
  readonly members: readonly Component[];
  readonly doors: readonly BalancerDoor[];
}

export interface Machinery {
  readonly world: World;
  readonly settings: Settings;
  readonly mtas: ReadonlyMap<string, Mta>;
  readonly mmps: ReadonlyMap<string, Mmp>;
  readonly stores: ReadonlyMap<string, Store>;
  readonly directories: ReadonlyMap<string, DirectoryServer>;
  readonly filters: ReadonlyMap<string, Filter>;
  readonly balancers: ReadonlyMap<string, BalancerSet>;
  readonly nameServers: ReadonlyMap<string, NameServer>;
  readonly residents: ReadonlyMap<string, Resident>;
  /** The monitor's own log-in to the directories. */
  readonly monitor: Service;
  /** Each machine's order of asking the directories. */
  readonly directoryOrder: ReadonlyMap<Component, readonly Component[]>;
  /** Fault switches for what the monitor itself is told: names in place of addresses, and secrets that cannot be had. */
  readonly monitorView: MonitorView;
}

interface MonitorView {
  readonly hosts: Map<Component, string>;
  /** Names of accounts whose secret cannot be read, with the reason. */
  readonly secrets: Map<string, string>;
}

/** The doors of a component, or the one that speaks `protocol`. */
export function doorsOf(machinery: Machinery, component: Component, protocol?: Protocol): readonly Door[] {
  const all = allDoors(machinery, component);
  return protocol === undefined ? all : all.filter(door => door.protocol === protocol);
}

function allDoors(machinery: Machinery, component: Component): readonly Door[] {
  const name = component.slice(component.indexOf('/') + 1);
  switch (kindOf(component)) {
    case 'mta':
      return present(machinery.mtas.get(name)?.door);
    case 'mmp':
      return machinery.mmps.get(name)?.doors ?? [];
    case 'store':
      return machinery.stores.get(name)?.doors ?? [];
    case 'directory':
      return present(machinery.directories.get(name)?.door);
    case 'filter':
      return present(machinery.filters.get(name)?.door);
    case 'balancer':
      return machinery.balancers.get(name)?.doors.map(({ door }) => door) ?? [];
    case 'dns':
      return present(machinery.nameServers.get(name)?.door);
    default:
      return [];
  }
}

function present(door: Door | undefined): readonly Door[] {
  return door === undefined ? [] : [door];
}
