// The stand-in as files for etc/, so that commands can be run against it as against any site. Keys are those of site.cfg.

import type { Component } from '../model/component.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Site } from '../model/site.ts';
import type { Path } from '../model/trip.ts';
import { SENDER } from './build.ts';
import type { Machinery } from './machinery.ts';
import { authorityPem } from './network/certificates.ts';

export interface TextFile {
  /** Relative to the folder of site.cfg. */
  readonly name: string;
  readonly text: string;
  /** Secrets must not be readable by others. */
  readonly mode: number;
}

const INTERVALS = [60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1] as const;

export function pathsOf({ residents, mtas, mmps }: Machinery): Path[] {
  const accounts = [...residents.keys()].filter(name => name !== SENDER);
  const mailboxes: readonly Path['mailbox'][] = ['pop3', 'imap'];
  return accounts.flatMap(account =>
    [...mtas.keys()].flatMap(mta => [...mmps.keys()].flatMap(mmp => mailboxes.map(mailbox => ({ account, mta, mmp, mailbox })))),
  );
}

/** The longest interval at which the whole sequence still fits into an hour. */
export function intervalOf(machinery: Machinery): number {
  const entries = choose(pathsOf(machinery)).length;
  return INTERVALS.find(minutes => 60 / minutes >= entries) ?? 1;
}

export function siteFiles(machinery: Machinery, site: Site, key: Buffer): TextFile[] {
  const { residents, monitor } = machinery;
  const sequence = choose(pathsOf(machinery));
  const interval = site.intervalMinutes;
  return [
    { name: 'site.cfg', text: siteCfg(machinery, site), mode: 0o640 },
    { name: 'sequence.cfg', text: sequenceCfg(sequence, interval), mode: 0o640 },
    { name: 'ca.pem', text: authorityPem(), mode: 0o640 },
    { name: 'site.key', text: `${key.toString('base64')}\n`, mode: 0o600 },
    { name: 'secrets/directory', text: `${monitor.secret}\n`, mode: 0o600 },
    ...[...residents.values()].map(({ name, password }) => ({ name: `secrets/${name}`, text: `${password}\n`, mode: 0o600 })),
  ];
}

/** At most one path a minute; of more, a choice in which every machine and every account comes up. */
function choose(paths: readonly Path[]): Path[] {
  if (paths.length <= 60) return paths.slice();
  const all = <K extends keyof Path>(key: K) => [...new Set(paths.map(path => path[key]))];
  const [accounts, mtas, mmps] = [all('account'), all('mta'), all('mmp')];
  return Array.from({ length: 60 }, (_, i) => ({
    account: pick(accounts, i),
    mta: pick(mtas, i + Math.floor(i / accounts.length)),
    mmp: pick(mmps, i + Math.floor(i / mtas.length)),
    mailbox: i % 2 === 0 ? 'pop3' : 'imap',
  }));
}

function pick(list: readonly string[], i: number): string {
  return list[i % list.length] ?? '';
}

function sequenceCfg(paths: readonly Path[], interval: number): string {
  const lines = paths.map(({ account, mta, mmp, mailbox }, i) => {
    const minute = String((i * interval) % 60).padStart(2, '0');
    return `${minute} DMSG -u ${account} -s ${mta} -p ${mmp} -m ${mailbox}`;
  });
  return `# <minute> DMSG -u <account> -s <MTA> -p <MMP> -m <protocol>\n${lines.join('\n')}\n`;
}

function siteCfg(machinery: Machinery, site: Site): string {
  const { residents } = machinery;
  const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));
  const { limits } = site;
  const blocks: string[][] = [
    [
      '[site]',
      `name = ${quoted(site.name)}`,
      `domain = ${quoted(site.domain)}`,
      'key_file = "site.key"',
      'ca_file = "ca.pem"',
      `helo = ${quoted(site.helo)}`,
      ...(site.sender === undefined ? [] : [`sender = ${quoted(site.sender)}`]),
      `submit = ${seconds(limits.submitMs)}`,
      `deliver = ${seconds(limits.deliverMs)}`,
      `fetch = ${seconds(limits.fetchMs)}`,
      `isolate = ${seconds(limits.isolateMs)}`,
      `slow = ${limits.slowMs}`,
      `interval = ${site.intervalMinutes}`,
      `pop3_logins = ${site.popLogins}`,
    ],
  ];
  for (const { name, smtp, needs, queue } of site.mtas.values()) {
    const asks = queue === undefined ? [] : [`queue = { flavour = "${queue.flavour}", command = ${list(queue.command)} }`];
    blocks.push([
      `[mta.${name}]`,
      ...place(smtp),
      `port = ${smtp.port}`,
      `security = ${quoted(smtp.security)}`,
      ...login(smtp),
      ...asks,
      ...needed(needs),
    ]);
  }
  for (const { name, pop3, imap, needs } of site.mmps.values()) {
    blocks.push([`[mmp.${name}]`, ...place(pop3), ...door('pop3', pop3), ...door('imap', imap), ...needed(needs)]);
  }
  for (const { name, lmtp, pop3, imap, needs } of site.stores.values()) {
    const own = residents.get(name);
    const account =
      own === undefined
        ? []
        : [`address = ${quoted(own.address)}`, `user = ${quoted(own.name)}`, `password_file = ${quoted(`secrets/${own.name}`)}`];
    blocks.push([
      `[store.${name}]`,
      ...place(lmtp),
      ...door('lmtp', lmtp),
      ...door('pop3', pop3),
      ...door('imap', imap),
      ...account,
      ...needed(needs),
    ]);
  }
  for (const { name, store, address } of [...residents.values()].filter(each => each.name !== each.store)) {
    blocks.push([
      `[account.${name}]`,
      `store = ${quoted(store)}`,
      `address = ${quoted(address)}`,
      `user = ${quoted(name)}`,
      `password_file = ${quoted(`secrets/${name}`)}`,
    ]);
  }
  for (const { name, doors, members } of site.balancers.values()) {
    const shown = Object.entries(doors).flatMap(([protocol, endpoint]) =>
      endpoint === undefined ? [] : door(protocol, endpoint),
    );
    blocks.push([
      `[balancer.${name}]`,
      ...place(Object.values(doors)[0]),
      ...shown,
      ...login(doors.smtp),
      `members = ${list(members)}`,
    ]);
  }
  for (const { name, address, port } of site.nameServers.values())
    blocks.push([`[dns.${name}]`, `address = ${quoted(address)}`, `port = ${port}`]);
  for (const { name, ldap, base, filter, attributes } of site.directories.values()) {
    blocks.push([
      `[directory.${name}]`,
      `url = ${quoted(`ldap://${ldap.host}:${ldap.port}`)}`,
      `starttls = ${ldap.security === 'starttls'}`,
      `servername = ${quoted(ldap.servername ?? '')}`,
      `base = ${quoted(base)}`,
      `filter = ${quoted(filter)}`,
      `attributes = ${list(attributes)}`,
      `bind_dn = ${quoted(ldap.login?.user ?? '')}`,
      'password_file = "secrets/directory"',
    ]);
  }
  for (const { name, socket, usedBy } of site.filters.values()) {
    const where = 'path' in socket ? `unix:${socket.path}` : `inet:${socket.port}@${socket.host}`;
    blocks.push([`[filter.${name}]`, `socket = ${quoted(where)}`, `used_by = ${list(usedBy)}`]);
  }
  return blocks.map(lines => `${lines.join('\n')}\n`).join('\n');
}

function place(endpoint: Endpoint | undefined): string[] {
  return endpoint === undefined ? [] : [`host = ${quoted(endpoint.host)}`, `servername = ${quoted(endpoint.servername ?? '')}`];
}

function door(key: string, endpoint: Endpoint | undefined): string[] {
  return endpoint === undefined ? [] : [`${key} = { port = ${endpoint.port}, security = ${quoted(endpoint.security)} }`];
}

function login(endpoint: Endpoint | undefined): string[] {
  const user = endpoint?.login?.user;
  return user === undefined ? [] : [`user = ${quoted(user)}`, `password_file = ${quoted(`secrets/${user}`)}`];
}

function needed(needs: readonly Component[]): string[] {
  return needs.length === 0 ? [] : [`needs = ${list(needs)}`];
}

function list(values: readonly string[]): string {
  return `[${values.map(quoted).join(', ')}]`;
}

/** A TOML basic string. */
function quoted(value: string): string {
  return JSON.stringify(value);
}
