// The lab's site, in one description: who is there, at which loopback address, with which doors. Every daemon's configuration,
// every fault and the `etc/` to watch the lab with are made from this. Names are those of the seed.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Component, kindOf, shortName } from '../../lib/model/component.ts';
import type { Protocol } from '../../lib/model/endpoint.ts';

export const DOMAIN = 'lab.test';
export const SUFFIX = 'dc=lab,dc=test';
/** Uid and gid of the mailboxes' files; no such user needs to exist. */
export const VMAIL = 5000;

/** A port where a component can be spoken to. `wrapped`: TLS from the first byte. */
export interface Door {
  readonly protocol: Protocol;
  readonly port: number;
  readonly wrapped: boolean;
}

export interface Machine {
  readonly component: Component;
  readonly name: string;
  /** `ssmtp01.lab.test` */
  readonly host: string;
  readonly address: string;
  readonly doors: readonly Door[];
  /** Other names by which clients come to it, through a balancer that passes TLS on. */
  readonly aliases: readonly string[];
  /** The directories it asks, first one first. */
  readonly directories: readonly string[];
}

export interface Account {
  readonly name: string;
  readonly address: string;
  readonly user: string;
  readonly password: string;
  readonly store: string;
}

export interface SiteOptions {
  readonly dir: string;
  /** Second byte of all addresses: 127.NET.x.y. */
  readonly net: number;
  readonly passwords: Readonly<Record<string, string>>;
  /** When it was set up, epoch ms: the directories' entries date from then. */
  readonly madeAt: number;
}

const SMTP: readonly Door[] = [door('smtp', 25), door('smtp', 587), door('smtp', 465, true)];
const POP_IMAP: readonly Door[] = [door('pop3', 110), door('pop3', 995, true), door('imap', 143), door('imap', 993, true)];
const STORE: readonly Door[] = [door('lmtp', 24), ...POP_IMAP];
const LDAP: readonly Door[] = [door('ldap', 389), door('ldap', 636, true)];

/** Names whose passwords `newPasswords` makes: accounts, and the site's own identities in the directory. */
const SECRETS = ['ims1', 'ims2', 'sender', 'reader', 'monitor', 'replicator', 'admin'];

export function newPasswords(): Record<string, string> {
  return Object.fromEntries(SECRETS.map(name => [name, randomBytes(12).toString('base64url')]));
}

/** The whole site below one directory and in one 127.NET.0.0/16. */
export class Site {
  readonly dir: string;
  readonly net: number;
  readonly madeAt: number;
  readonly machines: readonly Machine[];
  readonly accounts: readonly Account[];
  readonly #passwords: Readonly<Record<string, string>>;

  constructor(options: SiteOptions) {
    this.dir = options.dir;
    this.net = options.net;
    this.madeAt = options.madeAt;
    this.#passwords = options.passwords;
    this.machines = [
      this.#machine('dns/ns1', 60, 1, [door('dns', 53)]),
      this.#machine('directory/ldap1', 40, 1, LDAP),
      this.#machine('directory/ldap2', 40, 2, LDAP),
      this.#machine('store/ims1', 20, 1, STORE, [], ['ldap1', 'ldap2']),
      this.#machine('store/ims2', 20, 2, STORE, [], ['ldap2', 'ldap1']),
      this.#machine('filter/dkim', 70, 1, [door('milter', 8891)]),
      this.#machine('mta/ssmtp01', 10, 1, SMTP, ['smtp'], ['ldap1', 'ldap2']),
      this.#machine('mta/ssmtp02', 10, 2, SMTP, ['smtp'], ['ldap2', 'ldap1']),
      this.#machine('mmp/smux01', 30, 1, POP_IMAP, ['pop'], ['ldap1']),
      this.#machine('mmp/smux02', 30, 2, POP_IMAP, ['pop'], ['ldap2']),
      this.#machine('balancer/smtp', 50, 1, SMTP),
      this.#machine('balancer/pop', 50, 2, POP_IMAP),
    ];
    this.accounts = [
      { name: 'ims1', store: 'ims1' },
      { name: 'ims2', store: 'ims2' },
      { name: 'sender', store: 'ims2' },
    ].map(each => ({ ...each, address: `${each.name}@${DOMAIN}`, user: each.name, password: this.password(each.name) }));
  }

  /** `127.NET.third.fourth` */
  ip(third: number, fourth: number): string {
    return `127.${this.net}.${third}.${fourth}`;
  }

  /** @throws when there is no such component: a mistake in the lab itself. */
  machine(component: Component): Machine {
    const found = this.machines.find(each => each.component === component);
    if (found === undefined) throw new Error(`No such machine in the lab: ${component}`);
    return found;
  }

  of(kind: ReturnType<typeof kindOf>): readonly Machine[] {
    return this.machines.filter(machine => kindOf(machine.component) === kind);
  }

  account(name: string): Account {
    const found = this.accounts.find(each => each.name === name);
    if (found === undefined) throw new Error(`No such account in the lab: ${name}`);
    return found;
  }

  password(name: string): string {
    const password = this.#passwords[name];
    if (password === undefined) throw new Error(`No password was made for ${name}`);
    return password;
  }

  /** A path below the lab's directory. */
  path(...parts: readonly string[]): string {
    return join(this.dir, ...parts);
  }

  /** The store that an account does not live on: where wrong routing sends it. */
  otherStore(name: string): string {
    return name === 'ims1' ? 'ims2' : 'ims1';
  }

  /** The DNS name under which mail clients reach a machine, or the other way round. */
  hostOf(name: string): string {
    return `${name}.${DOMAIN}`;
  }

  #machine(
    component: Component,
    third: number,
    fourth: number,
    doors: readonly Door[],
    aliases: readonly string[] = [],
    directories: readonly string[] = [],
  ): Machine {
    const name = shortName(component);
    return {
      component,
      name,
      host: this.hostOf(name),
      address: this.ip(third, fourth),
      doors,
      aliases: aliases.map(alias => this.hostOf(alias)),
      directories,
    };
  }
}

/** Which MTAs hand their mail to the filter. */
export const FILTERED_MTAS: readonly string[] = ['ssmtp02'];

function door(protocol: Protocol, port: number, wrapped = false): Door {
  return { protocol, port, wrapped };
}
