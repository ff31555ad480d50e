// Writes the `etc/` with which healthmon watches the lab: site.cfg, sequence.cfg, the signing key, the authority's certificate and
// the secrets, readable by their owner only.

import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { postfixTool } from './daemons/postfix.ts';
import { LabError } from './run.ts';
import { DOMAIN, FILTERED_MTAS, type Machine, type Site, SUFFIX } from './site.ts';

export interface EtcOptions {
  /** Host names in place of addresses: for programs that run with the lab's name server (`lab exec`, Lab.inside). */
  readonly names?: boolean;
  /** How mail is handed in: 587 with STARTTLS and AUTH (the usual), 465 with TLS and AUTH, 25 with STARTTLS. */
  readonly submission?: 25 | 465 | 587;
  /** Keys of [site] besides those that every lab has, as TOML values: `{ deliver: 20 }`. */
  readonly site?: Readonly<Record<string, string | number | boolean>>;
}

const MARK = '# Written by the test lab (npm run lab -- config); its addresses and passwords are those of the lab in';
/** Minutes between two starts; sixteen paths need sixteen of the twenty slots. */
const INTERVAL = 3;

/** @throws {LabError} when the folder holds a site.cfg that is not from a lab. */
export function writeEtc(site: Site, dir: string, options: EtcOptions = {}): void {
  const file = join(dir, 'site.cfg');
  if (existsSync(file) && !readFileSync(file, 'utf8').startsWith(MARK))
    throw new LabError(`${file} is there and was not written by the lab: choose another folder`);
  const secrets = join(dir, 'secrets');
  mkdirSync(secrets, { recursive: true });
  chmodSync(secrets, 0o700);
  for (const name of [...site.accounts.map(account => account.name), 'monitor'])
    writeSecret(join(secrets, name), site.password(name));
  if (!existsSync(join(dir, 'site.key'))) writeSecret(join(dir, 'site.key'), randomBytes(32).toString('base64'));
  copyFileSync(site.path('ca.pem'), join(dir, 'ca.pem'));
  writeFileSync(file, siteCfg(site, options));
  writeFileSync(join(dir, 'sequence.cfg'), sequenceCfg(site));
}

function writeSecret(file: string, secret: string): void {
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
}

function siteCfg(site: Site, options: EtcOptions): string {
  const port = options.submission ?? 587;
  const security = port === 465 ? 'tls' : 'starttls';
  const login =
    port === 25
      ? []
      : ([
          ['user', 'sender'],
          ['password_file', 'secrets/sender'],
        ] as const);
  const where = (machine: Machine) =>
    options.names === true
      ? [['host', machine.host]]
      : [
          ['host', machine.address],
          ['servername', machine.host],
        ];
  const needs = (machine: Machine) => ['needs', [...machine.directories.map(name => `directory/${name}`), 'dns/ns1']];
  const mailbox = [
    ['pop3', { port: 110, security: 'starttls' }],
    ['imap', { port: 143, security: 'starttls' }],
  ];
  const sections: [string, readonly (readonly [string, unknown])[]][] = [
    [
      'site',
      Object.entries({
        name: 'healthmon lab',
        domain: DOMAIN,
        ca_file: 'ca.pem',
        sender: 'sender',
        interval: INTERVAL,
        ...options.site,
      }),
    ],
    ...section(site.of('mta'), mta => [
      ...where(mta),
      ['port', port],
      ['security', security],
      ...login,
      ['queue', { flavour: 'postfix', command: postfixTool(site, mta.name, 'postqueue', '-j') }],
      needs(mta),
    ]),
    ...section(site.of('mmp'), mmp => [...where(mmp), ...mailbox, needs(mmp)]),
    ...section(site.of('store'), store => [
      ...where(store),
      ['lmtp', { port: 24, security: 'plain' }],
      ...mailbox,
      ['junk', 'Junk'],
      needs(store),
    ]),
    ...site.accounts.map(({ name, store, address, user }): [string, [string, unknown][]] => [
      `account.${name}`,
      [
        ['store', store],
        ['address', address],
        ['user', user],
        ['password_file', `secrets/${name}`],
      ],
    ]),
    ...section(site.of('balancer'), balancer => [
      ...where(balancer),
      ...(balancer.name === 'smtp' ? [['smtp', { port, security }], ...login] : mailbox),
      ['members', site.of(balancer.name === 'smtp' ? 'mta' : 'mmp').map(member => member.component)],
    ]),
    ...section(site.of('dns'), dns => [['address', dns.address]]),
    ...section(site.of('directory'), directory => [
      ['url', `ldap://${options.names === true ? directory.host : directory.address}:389`],
      ...(options.names === true ? [] : [['servername', directory.host]]),
      ['base', `ou=people,${SUFFIX}`],
      ['attributes', ['mail', 'mailHost']],
      ['bind_dn', `cn=monitor,${SUFFIX}`],
      ['password_file', 'secrets/monitor'],
    ]),
    ...section(site.of('filter'), filter => [
      ['socket', `inet:8891@${options.names === true ? filter.host : filter.address}`],
      ['used_by', FILTERED_MTAS],
    ]),
  ];
  const text = sections.map(([name, keys]) => [`[${name}]`, ...keys.map(([key, value]) => `${key} = ${toml(value)}`)].join('\n'));
  return `${MARK} ${site.dir}.\n\n${text.join('\n\n')}\n`;
}

/** One section for each machine. */
function section(machines: readonly Machine[], keys: (machine: Machine) => readonly unknown[]): [string, [string, unknown][]][] {
  return machines.map(machine => [machine.component.replace('/', '.'), keys(machine) as [string, unknown][]]);
}

function toml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toml).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, each]) => `${key} = ${toml(each)}`)
      .join(', ')} }`;
  }
  return JSON.stringify(value);
}

/** Every account that is named after its store, through every MTA and MMP, by both protocols, spread over the hour. */
function sequenceCfg(site: Site): string {
  const paths = site
    .of('store')
    .flatMap(store =>
      site
        .of('mta')
        .flatMap(mta => site.of('mmp').flatMap(mmp => ['pop3', 'imap'].map(mailbox => ({ store, mta, mmp, mailbox })))),
    );
  const slots = 60 / INTERVAL;
  const lines = paths.map(({ store, mta, mmp, mailbox }, index) => {
    const minute = Math.floor((index * slots) / paths.length) * INTERVAL;
    return `${String(minute).padStart(2, '0')} DMSG -u ${store.name} -s ${mta.name} -p ${mmp.name} -m ${mailbox}`;
  });
  return `# Every path of the lab once an hour.\n${lines.join('\n')}\n`;
}
