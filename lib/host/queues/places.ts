// Whose queue is on this host, and where: by host.cfg, else by the configuration and the spool folders that there are, and where
// several MTAs have left some, by the one that runs.

import { join } from 'node:path';
import type { Look } from '../check.ts';
import type { Flavour } from '../config.ts';
import { isThere } from '../reach.ts';
import { textOf } from '../source.ts';
import { namesIn } from './walk.ts';

/** A queue: paths as they are on the host, without the root that they are read below. */
export interface QueuePlace {
  readonly flavour: Flavour;
  /** For sendmail it may end in `*`. */
  readonly directory: string;
  /** sendmail with MailScanner: mail that waits to be scanned. */
  readonly incoming?: string;
  /** Postfix: its configuration folder, where that is not the usual one. */
  readonly config?: string;
}

/** All queues of the MTA of this host; none when there is no MTA. */
export function queuePlaces(look: Pick<Look, 'root' | 'config' | 'deadOn'>): readonly QueuePlace[] {
  const { root } = look;
  const { flavour, directory, config, incoming } = look.config.queues;
  if (directory !== undefined)
    return [{ flavour: flavour ?? flavourOf(look, directory), directory, ...(incoming === undefined ? {} : { incoming }) }];
  const found = (Object.keys(FINDERS) as Flavour[])
    .filter(name => flavour === undefined || flavour === name)
    .map(name => ({ name, places: FINDERS[name](look, config) }))
    .filter(({ places }) => places.length > 0);
  if (found.length <= 1) return withIncoming(found[0]?.places ?? [], look, incoming);
  const running = runningPrograms(root);
  const alive = found.find(({ name }) => PROGRAMS[name].some(program => running.has(program)));
  return withIncoming((alive ?? found.at(-1))?.places ?? [], look, incoming);
}

/** Names of the daemons, as /proc/PID/comm has them. Postfix' `master` is a name that others use as well: it comes last. */
const PROGRAMS: Readonly<Record<Flavour, readonly string[]>> = {
  exim: ['exim4', 'exim'],
  sendmail: ['sendmail', 'sendmail-mta'],
  qmail: ['qmail-send'],
  opensmtpd: ['smtpd'],
  postfix: ['master', 'qmgr'],
};

/** What is needed to find a queue. */
type Host = Pick<Look, 'root' | 'deadOn'>;

const FINDERS: Readonly<Record<Flavour, (host: Host, config: string | undefined) => readonly QueuePlace[]>> = {
  exim: host => spools(host, 'exim', '/var/spool/exim4', '/var/spool/exim'),
  sendmail: (host, config = '/etc/mail') => sendmailPlaces(host, config),
  qmail: host => spools(host, 'qmail', '/var/qmail/queue', '/var/spool/qmail'),
  opensmtpd: host => (isThere(host, '/var/spool/smtpd/queue') ? [{ flavour: 'opensmtpd', directory: '/var/spool/smtpd' }] : []),
  postfix: (host, config) => postfixPlaces(host, config ?? '/etc/postfix', config !== undefined),
};

function spools(host: Host, flavour: Flavour, ...directories: readonly string[]): QueuePlace[] {
  const directory = directories.find(each => isThere(host, each));
  return directory === undefined ? [] : [{ flavour, directory }];
}

function postfixPlaces(host: Host, config: string, isOwn: boolean): readonly QueuePlace[] {
  const main = textOf(join(host.root, config, 'main.cf'));
  const fallback = '/var/spool/postfix';
  if (main === undefined)
    return !isOwn && isThere(host, join(fallback, 'deferred')) ? [{ flavour: 'postfix', directory: fallback }] : [];
  const of = (name: string) => parameter(main, name);
  const first: QueuePlace = { flavour: 'postfix', directory: of('queue_directory') ?? fallback, ...(isOwn ? { config } : {}) };
  const others = (of('multi_instance_directories') ?? '').split(/[\s,]+/).filter(each => each.startsWith('/') && each !== config);
  return [first, ...others.flatMap(each => postfixPlaces(host, each, true))];
}

/** A parameter of main.cf as it is written: the last one counts, lines that begin with a blank go on. @see postconf(5) */
export function parameter(main: string, name: string): string | undefined {
  let value: string | undefined;
  let inside = false;
  for (const line of main.split('\n')) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    if (/^\s/.test(line)) {
      if (inside) value = `${value} ${line.trim()}`.trim();
      continue;
    }
    const parts = /^([A-Za-z0-9_]+)\s*=\s*(.*)$/.exec(line);
    inside = parts?.[1] === name;
    if (inside) value = parts?.[2]?.trim();
  }
  return value === '' ? undefined : value;
}

function sendmailPlaces(host: Host, config: string): readonly QueuePlace[] {
  const directories = ['sendmail.cf', 'submit.cf'].flatMap(file => {
    const written = /^O QueueDirectory=(\S+)/m.exec(textOf(join(host.root, config, file)) ?? '')?.[1];
    return written === undefined ? [] : [written];
  });
  const usual =
    directories.length > 0 ? directories : ['/var/spool/mqueue', '/var/spool/mqueue-client', '/var/spool/clientmqueue'];
  return usual
    .filter(directory => isThere(host, directory.replace(/\/[^/]*\*$/, '')))
    .map(directory => ({ flavour: 'sendmail' as const, directory }));
}

function withIncoming(places: readonly QueuePlace[], host: Host, incoming: string | undefined): readonly QueuePlace[] {
  const [first, ...rest] = places;
  if (first?.flavour !== 'sendmail') return places;
  const scanned = incoming ?? (isThere(host, '/var/spool/mqueue.in') ? '/var/spool/mqueue.in' : undefined);
  return scanned === undefined ? places : [{ ...first, incoming: scanned }, ...rest];
}

/** What lies in a folder tells whose queue it is. */
function flavourOf(host: Host, directory: string): Flavour {
  if (host.deadOn(directory) !== undefined) return 'postfix';
  const has = (name: string) => isThere(host, join(directory, name));
  if (has('deferred') || has('maildrop')) return 'postfix';
  if (has('mess') && has('info')) return 'qmail';
  if (has('input')) return 'exim';
  return has('queue') && has('incoming') ? 'opensmtpd' : 'sendmail';
}

function runningPrograms(root: string): ReadonlySet<string> {
  const programs = new Set<string>();
  for (const name of namesIn(join(root, 'proc'), 4_194_304)) {
    if (!/^\d+$/.test(name)) continue;
    const comm = textOf(join(root, 'proc', name, 'comm'));
    if (comm !== undefined) programs.add(comm.trim());
  }
  return programs;
}
