// check_ldap: each directory of site.cfg as those who ask it see it: connect, TLS, bind, and the entry of each test account; how far
// replicas are behind, and how busy it says it is.

import { CONTEXT_CSN, contextCsn, type Entry, fillFilter, type LdapSession, openLdap } from '../../dialog/ldap.ts';
import type { Terms } from '../../dialog/line.ts';
import type { DialogRecord, Fault, PhaseName } from '../../model/dialog.ts';
import type { HostFinding } from '../../model/reading.ts';
import type { Account, Directory } from '../../model/site.ts';
import { type Check, Gathering, type Look } from '../check.ts';
import { kept, keptNumber } from '../source.ts';
import { countText, numberText } from '../words.ts';
import { type Csns, csnsOf, type Lacked, lagOf, newest } from './lag.ts';

export interface Directories {
  readonly directories: readonly Directory[];
  readonly accounts: readonly Account[];
}

/** What one directory told. */
interface Told {
  readonly directory: Directory;
  readonly phases: Readonly<Partial<Record<PhaseName, number>>>;
  readonly totalMs: number;
  readonly searchMs: number;
  readonly fault?: Fault;
  /** What is wrong with the entries of test accounts. */
  readonly entries: readonly string[];
  /** The suffix that the base lies in, and what it has of it. */
  readonly suffix?: string;
  readonly csns?: Csns;
  readonly connections?: number;
  readonly operations?: number;
  readonly monitorWhy?: string;
}

/** The check for these directories. */
export function ldapCheck({ directories, accounts }: Directories): Check {
  return {
    name: 'ldap',
    async look(look) {
      const gathered = new Gathering();
      const all = await Promise.all(directories.map(directory => ask(directory, accounts, look)));
      for (const told of all) report(told, look, gathered);
      const lacked = lags(all, look, gathered);
      const operations = Object.fromEntries(all.map(({ directory, operations }) => [directory.name, operations]));
      return gathered.sample(summary(all), { at: look.at, lacked, operations });
    },
  };
}

async function ask(directory: Directory, accounts: readonly Account[], { config }: Look): Promise<Told> {
  const zero = performance.now();
  const clock = () => performance.now() - zero;
  const terms = (): Terms => ({ clock, deadlineMs: Math.max(0, config.ldap.deadlineMs - clock()), signal: NEVER });
  const opened = await openLdap(directory.ldap, terms());
  const base = { directory, phases: phasesOf(opened), totalMs: opened.tookMs, searchMs: 0, entries: [] };
  if (opened.outcome !== 'answered') return { ...base, ...(opened.outcome === 'failed' ? { fault: opened.fault } : {}) };
  const session = opened.value;
  try {
    const found = await searchAccounts(session, directory, accounts, terms);
    const told: Told = { ...base, ...found, totalMs: opened.tookMs + found.searchMs };
    if (found.fault !== undefined) return told;
    return { ...told, ...(await askMore(session, directory, config.ldap.monitor, terms)) };
  } finally {
    await session.quit({ ...terms(), deadlineMs: 500 });
  }
}

const NEVER = new AbortController().signal;

/** Each test account must have one entry with the attributes that site.cfg names. */
async function searchAccounts(session: LdapSession, directory: Directory, accounts: readonly Account[], terms: () => Terms) {
  const entries: string[] = [];
  let searchMs = 0;
  for (const account of accounts) {
    const filter = fillFilter(directory.filter, { address: account.address, user: account.login.user });
    const found = await session.search(
      { base: directory.base, filter, attributes: directory.attributes, mostEntries: 2 },
      terms(),
    );
    searchMs = Math.max(searchMs, found.tookMs);
    if (found.outcome === 'failed') return { entries, searchMs, fault: found.fault };
    if (found.outcome !== 'answered') break;
    const wrong = wrongWith(found.value.entries, found.value.isCut, directory.attributes);
    if (wrong !== undefined) entries.push(`${account.name} (${filter}) ${wrong}`);
  }
  return { entries, searchMs };
}

function wrongWith(entries: readonly Entry[], isCut: boolean, attributes: readonly string[]): string | undefined {
  const [entry] = entries;
  if (entry === undefined) return 'is not found';
  if (entries.length > 1 || isCut) return 'has more than one entry';
  const lacking = attributes.filter(
    name => !/^[*+]$/.test(name) && (entry.attributes.get(name.toLowerCase()) ?? []).length === 0,
  );
  return lacking.length === 0 ? undefined : `lacks ${lacking.join(', ')}`;
}

/** The contextCSN of the suffix, and what cn=monitor counts. Neither is a trouble when it is not to be had. */
async function askMore(session: LdapSession, directory: Directory, monitor: boolean, terms: () => Terms): Promise<Partial<Told>> {
  const root = await session.search({ base: '', scope: 'base', attributes: ['namingContexts', 'monitorContext'] }, terms());
  const entry = root.outcome === 'answered' ? root.value.entries[0] : undefined;
  const suffix = suffixOf(directory.base, entry?.attributes.get('namingcontexts') ?? []);
  const more: { suffix?: string; csns?: Csns } = {};
  if (suffix !== undefined) {
    const asked = await session.search(contextCsn(suffix), terms());
    const values = asked.outcome === 'answered' ? asked.value.entries[0]?.attributes.get(CONTEXT_CSN.toLowerCase()) : undefined;
    if (values !== undefined && values.length > 0) {
      more.suffix = suffix.toLowerCase().replace(/\s*([,=])\s*/g, '$1');
      more.csns = csnsOf(values);
    }
  }
  const context = entry?.attributes.get('monitorcontext')?.[0];
  if (!monitor || context === undefined) return more;
  return { ...more, ...(await askMonitor(session, context, terms)) };
}

/** @see slapd-monitor(5): cn=Current,cn=Connections and cn=Operations */
async function askMonitor(session: LdapSession, context: string, terms: () => Terms): Promise<Partial<Told>> {
  const counter = async (base: string, attribute: string) => {
    const asked = await session.search({ base: `${base},${context}`, scope: 'base', attributes: [attribute] }, terms());
    const value = asked.outcome === 'answered' ? asked.value.entries[0]?.attributes.get(attribute.toLowerCase())?.[0] : undefined;
    return value === undefined ? undefined : Number(value);
  };
  const connections = await counter('cn=Current,cn=Connections', 'monitorCounter');
  const operations = await counter('cn=Operations', 'monitorOpCompleted');
  if (connections === undefined && operations === undefined) return { monitorWhy: `${context} may not be read by this bind_dn` };
  return { ...(connections === undefined ? {} : { connections }), ...(operations === undefined ? {} : { operations }) };
}

/** The longest naming context that the base lies in. */
function suffixOf(base: string, contexts: readonly string[]): string | undefined {
  const plain = (dn: string) => dn.toLowerCase().replace(/\s*([,=])\s*/g, '$1');
  const mine = plain(base);
  return contexts
    .filter(each => each !== '' && (mine === plain(each) || mine.endsWith(`,${plain(each)}`)))
    .sort((a, b) => b.length - a.length)[0];
}

function phasesOf(dialog: DialogRecord): Told['phases'] {
  return Object.fromEntries(dialog.phases.map(({ name, tookMs }) => [name, tookMs]));
}

function report(told: Told, look: Look, gathered: Gathering): void {
  const { directory, phases, fault, entries, totalMs, searchMs, connections, operations, monitorWhy } = told;
  const { name } = directory;
  const finding = (level: HostFinding['level'], text: string): void =>
    void gathered.findings.push({ level, subject: `directory:${name}`, text });
  if (fault !== undefined) {
    const seconds = numberText(totalMs / 1000);
    finding(fault.kind === 'local' ? 'unknown' : 'critical', `${name} ${fault.phase}: ${fault.text} (after ${seconds} s)`);
    return;
  }
  const sum = (...names: readonly PhaseName[]) => names.reduce((total, each) => total + (phases[each] ?? 0), 0);
  const then = keptNumber(look.before, 'at');
  const before = keptNumber(kept(look.before, 'operations'), name);
  const minutes = then === undefined ? 0 : (look.at - then) / 60_000;
  gathered.add({
    [`ldap.total_ms:${name}`]: totalMs,
    [`ldap.connect_ms:${name}`]: sum('resolve', 'connect'),
    [`ldap.tls_ms:${name}`]: directory.ldap.security === 'plain' ? undefined : sum('starttls', 'tls'),
    [`ldap.bind_ms:${name}`]: sum('bind'),
    [`ldap.search_ms:${name}`]: searchMs,
    [`ldap.missing:${name}`]: entries.length,
    [`ldap.connections:${name}`]: connections,
    // A server that was restarted counts from the beginning.
    [`ldap.operations_per_min:${name}`]:
      operations !== undefined && before !== undefined && operations >= before && minutes > 0
        ? (operations - before) / minutes
        : undefined,
  });
  if (entries.length > 0) {
    const more = entries.length > 3 ? ` and ${entries.length - 3} more` : '';
    finding('critical', `${name}: test account ${entries.slice(0, 3).join('; ')}${more}`);
  }
  if (monitorWhy !== undefined)
    gathered.missing.push({
      what: `connections and operations of ${name}`,
      why: monitorWhy,
      remedy: 'give it read access to cn=monitor, or set monitor = false in [ldap] of host.cfg',
    });
}

/** Lag among the directories that hold the same suffix. @returns what each was seen to lack */
function lags(all: readonly Told[], { at, before }: Look, gathered: Gathering): Readonly<Record<string, Lacked>> {
  const lacked: Record<string, Lacked> = {};
  const bySuffix = new Map<string, Told[]>();
  for (const told of all) {
    if (told.suffix === undefined || told.csns === undefined) continue;
    bySuffix.set(told.suffix, [...(bySuffix.get(told.suffix) ?? []), told]);
  }
  for (const members of bySuffix.values()) {
    if (members.length < 2) continue;
    const best = newest(members.flatMap(({ csns }) => csns ?? []));
    for (const { directory, csns } of members) {
      const earlier = lackedOf(kept(kept(before, 'lacked'), directory.name));
      const lag = lagOf(csns ?? new Map(), best, earlier, at);
      lacked[directory.name] = lag.lacked;
      gathered.add({ [`ldap.lag_s:${directory.name}`]: lag.lagMs / 1000 });
    }
  }
  return lacked;
}

function lackedOf(value: unknown): Lacked {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function summary(all: readonly Told[]): string {
  if (all.length === 0) return 'no directory to ask: there is no site.cfg of this site with one';
  const fast = all.filter(({ fault }) => fault === undefined);
  const slowest = Math.max(0, ...fast.map(({ totalMs }) => totalMs));
  return `${countText(fast.length, 'directory', 'directories')} of ${all.length} answer${fast.length === 1 ? 's' : ''}, the slowest in ${numberText(slowest)} ms`;
}
