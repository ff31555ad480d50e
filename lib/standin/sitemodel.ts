// The stand-in as the product sees it: a Site, as if read from etc/site.cfg. Hosts and secrets are looked up at each use, so that a
// fault switch can make a name not resolve, or a password file not be there.

import type { Component } from '../model/component.ts';
import { type Endpoint, LocalProblem, type Login, type Protocol, type Security, type Trust } from '../model/endpoint.ts';
import type { Account, Balancer, Directory, Filter, Mmp, Mta, NameServer, Site, Store } from '../model/site.ts';
import { SENDER } from './build.ts';
import { peopleBase, serviceDn } from './ldap/directory.ts';
import type { Machinery, Resident } from './machinery.ts';
import type { QueueDoor } from './mta/queuedoor.ts';
import { authorityPem } from './network/certificates.ts';
import type { Door } from './network/door.ts';
import { intervalOf } from './sitefiles.ts';

export function describe(machinery: Machinery, key: Buffer, queueDoor: QueueDoor | undefined): Site {
  const { settings } = machinery;
  const sender = machinery.residents.get(SENDER);
  return {
    name: 'stand-in',
    domain: settings.domain,
    limits: settings.limits,
    intervalMinutes: intervalOf(machinery),
    helo: `healthmon.${settings.domain}`,
    sender: SENDER,
    popLogins: 60,
    popWatchesByImap: false,
    sweepCap: 20,
    messageBytes: 0,
    mayAlter: new Set(),
    knocks: 200,
    key: async () => key,
    mtas: mapped(machinery.mtas, (name, { component, door, auth }): Mta => {
      const login = auth && sender !== undefined ? loginOf(machinery, sender) : undefined;
      const queue = queueDoor === undefined ? {} : { queue: { flavour: 'postfix' as const, command: queueDoor.command(name) } };
      return { name, component, needs: needs(machinery, component), smtp: endpoint(machinery, door, login), ...queue };
    }),
    mmps: mapped(machinery.mmps, (name, { component, pop3, imap }): Mmp => {
      return {
        name,
        component,
        needs: needs(machinery, component),
        pop3: endpoint(machinery, pop3),
        imap: endpoint(machinery, imap),
      };
    }),
    stores: mapped(machinery.stores, (name, { component, lmtp, pop3, imap }): Store => {
      const doors = { lmtp: endpoint(machinery, lmtp), pop3: endpoint(machinery, pop3), imap: endpoint(machinery, imap) };
      return { name, component, needs: needs(machinery, component), ...doors, junk: 'Junk' };
    }),
    accounts: mapped(machinery.residents, (name, person): Account => {
      const { store, address } = person;
      return { name, component: `account/${name}`, needs: [], store, address, login: loginOf(machinery, person) };
    }),
    directories: mapped(machinery.directories, (name, { door, tree }): Directory => {
      const { monitor } = machinery;
      const login: Login = { user: serviceDn(monitor.name, tree.suffix), secret: async () => monitor.secret };
      const ldap = endpoint(machinery, door, login);
      return {
        name,
        component: door.component,
        needs: [],
        ldap,
        base: peopleBase(tree.suffix),
        filter: '(mail=%s)',
        attributes: ['mail', 'mailHost'],
      };
    }),
    filters: mapped(machinery.filters, (name, { door }): Filter => {
      const usedBy = [...machinery.mtas].filter(([, mta]) => mta.filter?.filter.door === door).map(([mta]) => mta);
      return { name, component: door.component, needs: [], socket: { host: '127.0.0.1', port: door.port }, usedBy };
    }),
    balancers: mapped(machinery.balancers, (name, { component, members, doors }): Balancer => {
      const login = name === 'smtp' && settings.auth && sender !== undefined ? loginOf(machinery, sender) : undefined;
      const list: [Protocol, Endpoint][] = doors.map(({ door }) => [
        door.protocol,
        endpoint(machinery, door, login, settings.security),
      ]);
      return { name, component, needs: [], members, doors: Object.fromEntries(list) };
    }),
    nameServers: mapped(machinery.nameServers, (name, { door }): NameServer => {
      return { name, component: door.component, needs: [], address: '127.0.0.1', port: door.port };
    }),
    maintenance: [],
  };
}

/** The name that certificates of a door bear. */
function servername(machinery: Machinery, door: Door): string {
  return machinery.world.hostName(door.component);
}

function needs(machinery: Machinery, component: Component): readonly Component[] {
  return machinery.directoryOrder.get(component) ?? [];
}

function endpoint(machinery: Machinery, door: Door, login?: Login, security: Security = door.security): Endpoint {
  const trust: Trust = { verify: true, ca: authorityPem() };
  return {
    component: door.component,
    protocol: door.protocol,
    get host() {
      return machinery.monitorView.hosts.get(door.component) ?? '127.0.0.1';
    },
    port: door.port,
    security,
    servername: servername(machinery, door),
    trust,
    ...(login === undefined ? {} : { login }),
  };
}

function loginOf({ monitorView }: Machinery, { name, password }: Resident): Login {
  return {
    user: name,
    secret: async () => {
      const trouble = monitorView.secrets.get(name);
      if (trouble !== undefined) throw new LocalProblem(trouble);
      return password;
    },
  };
}

function mapped<From, To>(from: ReadonlyMap<string, From>, make: (name: string, value: From) => To): ReadonlyMap<string, To> {
  return new Map([...from].map(([name, value]) => [name, make(name, value)]));
}
