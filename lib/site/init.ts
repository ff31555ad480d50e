// A first set of config files for a site: what the operator answered, as files that work. Pure; writing them is init-write.ts's
// affair, asking is the command's.

import { isIP } from 'node:net';
import type { Security } from '../model/endpoint.ts';
import type { SequenceEntry } from '../model/sequence.ts';
import { SEQUENCE_HELP } from './describe.ts';
import { formatSequence } from './sequence.ts';
import { tomlText } from './table/annotate.ts';
import { headerOf, type Literal } from './table/field.ts';
import { NAME } from './table/name.ts';

export interface InitAnswers {
  readonly name: string;
  readonly domain: string;
  /** Hosts, at least one. */
  readonly mtas: readonly string[];
  /** Whether to log in at the MTAs (port 587), as the first store's account. */
  readonly mtaLogin: boolean;
  /** Hosts; none: the mailboxes are read at the stores themselves. */
  readonly mmps: readonly string[];
  /** Hosts, at least one. */
  readonly stores: readonly string[];
  /** One test account for each store, in the same order. */
  readonly addresses: readonly string[];
  readonly security: Security;
  /** At least one. */
  readonly protocols: readonly ('pop3' | 'imap')[];
}

interface InitSecrets {
  /** The site's signing key: 32 random bytes, made by the caller. */
  readonly key: Uint8Array;
  /** By account, as `accountNames` names them. An account without one gets an empty file to fill in. */
  readonly passwords?: ReadonlyMap<string, string>;
}

export interface InitFile {
  /** Relative to the folder: `secrets/ims1`. */
  readonly path: string;
  readonly text: string;
  readonly isSecret: boolean;
}

/** The names of the accounts, which are those of their stores: what to ask passwords for. */
export function accountNames({ stores }: Pick<InitAnswers, 'stores'>): string[] {
  return namesFor(stores);
}

/**
 * site.cfg, sequence.cfg, site.key, and a file for each password.
 *
 * For answers that `questions.ts` has taken the files load without a problem, save for warnings about `plain` and, with more
 * than 30 machines of one kind, about entries that share a minute; with `secrets: true` once every password is there.
 */
export function init(answers: InitAnswers, secrets: InitSecrets): InitFile[] {
  const { interval, entries } = coveringEntries(answers);
  const accounts = accountNames(answers);
  return [
    { path: 'site.cfg', text: siteText(answers, interval), isSecret: false },
    { path: 'sequence.cfg', text: `${SEQUENCE_HELP}\n${formatSequence(entries)}`, isSecret: false },
    { path: 'site.key', text: `${Buffer.from(secrets.key).toString('base64')}\n`, isSecret: true },
    ...accounts.map(account => {
      const password = secrets.passwords?.get(account);
      return { path: `secrets/${account}`, text: password === undefined ? '' : `${password}\n`, isSecret: true };
    }),
  ];
}

function siteText(answers: InitAnswers, interval: number): string {
  const { security, protocols } = answers;
  const stores = namesFor(answers.stores);
  const doors = Object.fromEntries(protocols.map(protocol => [protocol, { security }]));
  const first = stores[0] ?? '';
  const login = answers.mtaLogin ? { user: answers.addresses[0] ?? '', password_file: `secrets/${first}` } : {};
  const port = answers.mtaLogin && security !== 'tls' ? { port: 587 } : {};
  const hasMmps = answers.mmps.length > 0;
  const sections = [
    sectionText('[site]', { name: answers.name, domain: answers.domain, interval }),
    ...machines('mta', answers.mtas, () => ({ ...port, security, ...login })),
    ...machines('mmp', answers.mmps, () => doors),
    ...machines('store', answers.stores, (name, i) => ({
      address: answers.addresses[i] ?? '',
      password_file: `secrets/${name}`,
      ...(hasMmps ? {} : doors),
    })),
  ];
  return `${SITE_HEAD}\n${sections.join('\n')}`;
}

const SITE_HEAD = `# site.cfg: the mail site that healthmon watches. Written by "healthmon init".
#
# Every key there is, explained: healthmon config describe site.cfg. After a change: healthmon config check.
# More doors (lmtp, pop3, imap of the stores), directories, filters and balancers make verdicts more exact.
`;

function machines(
  kind: string,
  hosts: readonly string[],
  keys: (name: string, index: number) => Readonly<Record<string, Literal>>,
): string[] {
  const names = namesFor(hosts);
  return hosts.map((host, i) => {
    const name = names[i] ?? host;
    return sectionText(headerOf(kind, 'named', name), { host, ...keys(name, i) });
  });
}

function sectionText(header: string, keys: Readonly<Record<string, Literal>>): string {
  return [header, ...Object.entries(keys).map(([key, value]) => `${key} = ${tomlText(value)}`), ''].join('\n');
}

/** What operators call machines: the first part of the host name where that is enough, and never a word with a meaning. */
function namesFor(hosts: readonly string[]): string[] {
  const short = hosts.map(host => (isIP(host) === 0 ? (host.split('.')[0] ?? host) : host));
  return hosts.map((host, i) => {
    const name = short[i] ?? host;
    const isTaken = short.indexOf(name) !== short.lastIndexOf(name) || name === 'direct';
    const plain = (isTaken ? host : name).replace(/[^A-Za-z0-9._-]/g, '-').replace(/\.$/, '');
    return NAME.test(plain) ? plain : `host${i + 1}`;
  });
}

/** Intervals that divide the hour, the usual one first; with two minutes the default limits just fit. */
const INTERVALS = [5, 4, 3, 2] as const;

/**
 * Entries that use every machine at least once an hour and fill every slot of the hour: each kind is gone through in turn,
 * shifted by one each time all have met, so that the same machines do not always go together.
 */
function coveringEntries(answers: InitAnswers): { interval: number; entries: SequenceEntry[] } {
  const stores = namesFor(answers.stores);
  const mtas = namesFor(answers.mtas);
  const mmps = answers.mmps.length === 0 ? ['direct'] : namesFor(answers.mmps);
  const most = Math.max(stores.length, mtas.length, mmps.length);
  const interval = INTERVALS.find(one => 60 / one >= most) ?? 2;
  const slots = 60 / interval;
  const entries = Array.from({ length: Math.max(slots, most) }, (_, i) => ({
    minute: (i % slots) * interval,
    account: at(stores, i),
    mta: at(mtas, i + Math.floor(i / lcm(stores.length, mtas.length))),
    mmp: at(mmps, i + Math.floor(i / lcm(stores.length, mmps.length))),
    line: 0,
  }));
  return { interval, entries: entries.toSorted((a, b) => a.minute - b.minute) };
}

function at(names: readonly string[], i: number): string {
  return names[i % names.length] ?? '';
}

function lcm(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return (a * b) / x;
}
