// From a site.cfg without errors to the Site that all other rooms work with: endpoints, log-ins, references by name, times in ms.

import { hostname } from 'node:os';
import type { Component, Kind } from '../model/component.ts';
import type { Endpoint, Login, Mechanism, Protocol, Security, Trust } from '../model/endpoint.ts';
import type { Account, Balancer, Directory, Filter, Maintenance, Mmp, Mta, NameServer, Site, Store } from '../model/site.ts';
import type { Inventory } from './inventory.ts';
import { readKey, readSecret, type SecretContext } from './secret.ts';
import { keySource, passwordSource } from './secret-source.ts';
import { parseDirectoryUrl, parseMilterSocket } from './site-forms.ts';
import { PORTS } from './site-keys.ts';
import type { SiteContents } from './site-table.ts';
import type { Placed } from './table/form.ts';

interface Materials {
  readonly inventory: Inventory;
  /** PEM by the path as written. */
  readonly authorities: ReadonlyMap<string, string>;
  readonly secrets: SecretContext;
}

type Read<K extends keyof SiteContents> = NonNullable<SiteContents[K][number]['values']>;
type SiteValues = Read<'site'>;

/** A machine's keys that say how to reach it. */
interface Reach {
  readonly host?: string | undefined;
  readonly servername: string | undefined;
  readonly ip: '4' | '6' | undefined;
  readonly tls_verify: boolean | undefined;
  readonly ca_file: string | undefined;
}

interface Door {
  readonly port: number | undefined;
  readonly security: Security;
  readonly auth?: Mechanism | undefined;
}

/** The login's keys: a name, and where the password is. */
type LoginKeys = Parameters<typeof passwordSource>[0];

/**
 * The site, of contents in which no error was found.
 *
 * @returns undefined when [site] itself is missing or wrong, which has then been told.
 */
export function buildSite(contents: SiteContents, materials: Materials): Site | undefined {
  const site = contents.site[0]?.values;
  if (site === undefined) return undefined;
  const make = maker(site, materials);
  return {
    name: site.name,
    domain: site.domain,
    limits: {
      submitMs: site.submit * 1000,
      deliverMs: site.deliver * 1000,
      fetchMs: site.fetch * 1000,
      isolateMs: site.isolate * 1000,
      slowMs: site.slow,
    },
    intervalMinutes: site.interval,
    helo: site.helo ?? ownName(site.domain),
    ...given({ sender: site.sender }),
    popLogins: site.pop3_logins,
    popWatchesByImap: site.pop3_watch === 'imap',
    knocks: site.knocks,
    sweepCap: site.sweep,
    messageBytes: site.message_size,
    mayAlter: new Set(site.may_alter),
    key: () => readKey(keySource(site), materials.secrets),
    mtas: byName(contents.mta, make.mta),
    mmps: byName(contents.mmp, make.mmp),
    stores: byName(contents.store, make.store),
    accounts: new Map([...byName(contents.store, make.ownAccount), ...byName(contents.account, make.account)]),
    directories: byName(contents.directory, make.directory),
    filters: byName(contents.filter, make.filter),
    balancers: byName(contents.balancer, make.balancer),
    nameServers: byName(contents.dns, make.nameServer),
    maintenance: contents.maintenance.flatMap(({ values }) => make.maintenance(values) ?? []),
  };
}

/** The makers of each kind of component, all of which need the same surroundings. */
function maker(site: SiteValues, { inventory, authorities, secrets }: Materials) {
  const components = (placed: readonly Placed<string>[] | undefined): Component[] =>
    (placed ?? []).flatMap(({ value }) => inventory.get(value)?.component ?? []);

  const named = <K extends Kind>(kind: K, name: string, needs?: readonly Placed<string>[]) => ({
    name,
    component: `${kind}/${name}` as const,
    needs: components(needs),
  });

  const trust = (reach: Reach): Trust => {
    const path = reach.ca_file ?? site.ca_file;
    return {
      verify: reach.tls_verify ?? site.tls_verify,
      ...given({ ca: path === undefined ? undefined : authorities.get(path) }),
    };
  };

  const endpoint = (
    component: Component,
    reach: Reach,
    to: { protocol: Protocol; port: number; security: Security; host?: string },
  ): Endpoint => {
    const ip = reach.ip ?? site.ip;
    return {
      component,
      protocol: to.protocol,
      host: to.host ?? reach.host ?? component.slice(component.indexOf('/') + 1),
      port: to.port,
      security: to.security,
      trust: trust(reach),
      ...given({ servername: reach.servername, family: ip === undefined ? undefined : ip === '4' ? (4 as const) : (6 as const) }),
    };
  };

  const door = (component: Component, reach: Reach, protocol: keyof typeof PORTS, at: Door | undefined): Endpoint | undefined => {
    if (at === undefined) return undefined;
    const ports = PORTS[protocol];
    const port = at.port ?? (at.security === 'tls' ? ports.tls : ports.clear);
    // Which way to log in at this door; the name and the password are the account's.
    const mechanism = protocol === 'smtp' ? undefined : at.auth;
    return { ...endpoint(component, reach, { protocol, port, security: at.security }), ...given({ mechanism }) };
  };

  const login = (user: string, keys: LoginKeys, mechanism: Mechanism | undefined): Login | undefined => {
    const source = passwordSource(keys);
    return source === undefined ? undefined : { user, ...given({ mechanism }), secret: () => readSecret(source, secrets) };
  };

  return {
    mta(values: Read<'mta'>, name: string): Mta | undefined {
      const own = named('mta', name, values.needs);
      const smtp = door(own.component, values, 'smtp', values);
      if (smtp === undefined) return undefined;
      return {
        ...own,
        smtp: { ...smtp, ...given({ login: values.user === undefined ? undefined : login(values.user, values, values.auth) }) },
        ...given({ queue: values.queue }),
      };
    },
    mmp(values: Read<'mmp'>, name: string): Mmp {
      const own = named('mmp', name, values.needs);
      return {
        ...own,
        ...given({
          pop3: door(own.component, values, 'pop3', values.pop3),
          imap: door(own.component, values, 'imap', values.imap),
        }),
      };
    },
    store(values: Read<'store'>, name: string): Store {
      const own = named('store', name, values.needs);
      return {
        ...own,
        ...given({
          lmtp: door(own.component, values, 'lmtp', values.lmtp),
          pop3: door(own.component, values, 'pop3', values.pop3),
          imap: door(own.component, values, 'imap', values.imap),
          junk: values.junk,
        }),
      };
    },
    ownAccount(values: Read<'store'>, name: string): Account | undefined {
      if (values.address === undefined) return undefined;
      const own = login(values.user ?? values.address, values, values.auth);
      return own === undefined ? undefined : { ...named('account', name), store: name, address: values.address, login: own };
    },
    account(values: Read<'account'>, name: string): Account | undefined {
      const own = login(values.user ?? values.address, values, values.auth);
      return own === undefined
        ? undefined
        : { ...named('account', name), store: values.store, address: values.address, login: own };
    },
    balancer(values: Read<'balancer'>, name: string): Balancer {
      const own = named('balancer', name, values.needs);
      const smtp = door(own.component, values, 'smtp', values.smtp);
      const smtpLogin = values.user === undefined ? undefined : login(values.user, values, values.smtp?.auth);
      return {
        ...own,
        doors: given({
          smtp: smtp === undefined ? undefined : { ...smtp, ...given({ login: smtpLogin }) },
          pop3: door(own.component, values, 'pop3', values.pop3),
          imap: door(own.component, values, 'imap', values.imap),
        }),
        members: components(values.members),
      };
    },
    directory(values: Read<'directory'>, name: string): Directory | undefined {
      const url = parseDirectoryUrl(values.url);
      if (url === undefined) return undefined;
      const own = named('directory', name, values.needs);
      const security = url.isTls ? 'tls' : values.starttls === false ? 'plain' : 'starttls';
      const bind = values.bind_dn === undefined ? undefined : login(values.bind_dn, values, undefined);
      return {
        ...own,
        ldap: {
          ...endpoint(own.component, values, { protocol: 'ldap', host: url.host, port: url.port, security }),
          ...given({ login: bind }),
        },
        base: values.base,
        filter: values.filter,
        attributes: values.attributes,
      };
    },
    filter(values: Read<'filter'>, name: string): Filter | undefined {
      const socket = parseMilterSocket(values.socket);
      return socket === undefined
        ? undefined
        : { ...named('filter', name, values.needs), socket, usedBy: values.used_by.map(({ value }) => value) };
    },
    nameServer(values: Read<'dns'>, name: string): NameServer {
      return { ...named('dns', name), address: values.address, port: values.port };
    },
    maintenance(values: Read<'maintenance'> | undefined): Maintenance | undefined {
      const component = values === undefined ? undefined : inventory.get(values.component)?.component;
      return values === undefined || component === undefined
        ? undefined
        : { component, from: values.from, until: values.until, reason: values.reason };
    },
  };
}

/** Every section that has values, by name. */
function byName<V, T>(
  entries: readonly { readonly name: string; readonly values?: V }[],
  make: (values: V, name: string) => T | undefined,
): Map<string, T> {
  const made = new Map<string, T>();
  for (const { name, values } of entries) {
    const one = values === undefined ? undefined : make(values, name);
    if (one !== undefined) made.set(name, one);
  }
  return made;
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that are undefined: in the model, what is absent is not there. */
function given<T extends object>(parts: T): Given<T> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as Given<T>;
}

/** @see RFC 5321 section 4.1.4: a name in EHLO is one that stands for the sending machine. */
function ownName(domain: string): string {
  const name = hostname();
  return name.includes('.') ? name : `healthmon.${domain}`;
}
