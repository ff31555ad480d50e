// The MTA's and Dovecot's configuration: whether it can still be read, map files older than their sources, certificates named in it.
//
// Their own commands are asked only when a file of the configuration has changed since they were last asked (or an hour after they
// complained): `postfix check` walks the whole queue.

import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../../model/printable.ts';
import type { HostFinding } from '../../model/reading.ts';
import type { Gathering, Look } from '../check.ts';
import { parameter } from '../queues/places.ts';
import { namesIn } from '../queues/walk.ts';
import { kept, keptNumber, textOf } from '../source.ts';

const HOUR_MS = 3_600_000;
const DEADLINE_MS = 30_000;

/** What a command said last, and of which state of the files. */
interface Answer {
  readonly stamp: string;
  readonly at: number;
  /** What is wrong in its own words; empty when nothing is. */
  readonly trouble: string;
  /** The configuration cannot be used; absent: it can, and that is worth a warning. */
  readonly isFatal?: true;
  /** Dovecot: the certificates that its configuration names. */
  readonly certificates: readonly string[];
}

export interface Settings {
  readonly answers: Readonly<Record<string, Answer>>;
  /** Certificates that the configuration names. */
  readonly certificates: readonly string[];
}

export async function lookAtSettings(look: Look, gathered: Gathering): Promise<Settings> {
  const postfixFolder = look.config.queues.config ?? '/etc/postfix';
  const main = textOf(join(look.root, postfixFolder, 'main.cf'));
  const answers: Record<string, Answer> = {};
  const ask = async (name: string, folder: string, command: readonly string[]) => {
    const answer = await askAbout(look, name, folder, command, gathered);
    if (answer !== undefined) answers[name] = answer;
    return answer;
  };
  if (look.config.files.parse) {
    if (main !== undefined) {
      const config = look.config.queues.config === undefined ? [] : ['-c', postfixFolder];
      await ask('postfix', postfixFolder, ['postfix', ...config, 'check']);
    }
    if (textOf(join(look.root, 'etc/dovecot/dovecot.conf')) !== undefined)
      await ask('dovecot', '/etc/dovecot', ['doveconf', '-n']);
  }
  if (main !== undefined) lookAtMaps(look, main, postfixFolder, gathered);
  sendmailMaps(look, gathered);
  const certificates = new Set(main === undefined ? [] : postfixCertificates(main));
  for (const each of answers.dovecot?.certificates ?? []) certificates.add(each);
  return { answers, certificates: [...certificates] };
}

async function askAbout(
  look: Look,
  name: string,
  folder: string,
  command: readonly string[],
  gathered: Gathering,
): Promise<Answer | undefined> {
  const before = answerOf(kept(kept(look.before, 'answers'), name));
  const stamp = stampOf(join(look.root, folder));
  const isStale =
    before === undefined ||
    before.stamp !== stamp ||
    (before.trouble !== '' && look.at - before.at > HOUR_MS) ||
    look.at < before.at;
  const answer = isStale ? await fresh(look, name, command, stamp, gathered) : before;
  if (answer !== undefined && answer.trouble !== '')
    gathered.findings.push({
      level: answer.isFatal === true ? 'critical' : 'warning',
      subject: `config:${name}`,
      text: `${command.join(' ')} complains: ${answer.trouble}`,
      remedy: `${command.join(' ')} tells all${answer.isFatal === true ? '; a daemon that is restarted now may not start' : ''}`,
    });
  return answer;
}

async function fresh(
  look: Look,
  name: string,
  command: readonly string[],
  stamp: string,
  gathered: Gathering,
): Promise<Answer | undefined> {
  const asked = await look.run(command, { deadlineMs: DEADLINE_MS });
  const missing = (why: string, remedy?: string) =>
    void gathered.missing.push({
      what: `whether the configuration of ${name} can be read`,
      why,
      ...(remedy === undefined ? {} : { remedy }),
    });
  if (asked.ended === 'absent') {
    missing(asked.why);
    return undefined;
  }
  if (asked.ended !== 'done') {
    missing(`${command.join(' ')} did not end in ${DEADLINE_MS / 1000} s`);
    return undefined;
  }
  const words = asked.status !== 0 && asked.stderr.trim() === '' ? await onTerminal(look, command) : asked.stderr;
  const said = words.split(/\r?\n/).filter(line => /\b(?:fatal|error|warning)\b/i.test(line));
  if (/superuser|must be root|Permission denied/i.test(words)) {
    missing(`${command.join(' ')} needs root`, 'run check_files as root, or set parse = false in [files] of host.cfg');
    return undefined;
  }
  const worst = said.find(line => /\b(?:fatal|error)\b/i.test(line));
  const isFatal = asked.status !== 0 || worst !== undefined;
  const first = worst ?? said[0] ?? words.trim().split(/\r?\n/)[0] ?? '';
  const isBad = isFatal || (name === 'postfix' && said.length > 0);
  const text = first === '' ? `it ended with status ${asked.status} and said nothing` : first.trim();
  const trouble = isBad ? printable(text, 300) : '';
  return {
    stamp,
    at: look.at,
    trouble,
    ...(isFatal ? { isFatal } : {}),
    certificates: name === 'dovecot' ? dovecotCertificates(asked.stdout) : [],
  };
}

/** Postfix' commands tell a terminal what is wrong, and without one only the mail log. @see postlog(1), script(1) */
async function onTerminal({ run }: Look, command: readonly string[]): Promise<string> {
  const line = command.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const asked = await run(['script', '-q', '-e', '-c', line, '/dev/null'], { deadlineMs: DEADLINE_MS });
  return asked.ended === 'done' ? asked.stdout : '';
}

/**
 * Names, sizes and times of the files of a configuration, two folders deep: when they are the same, so is the configuration. Every file
 * counts, not the newest: one that is put back from a backup is older than its neighbours.
 */
function stampOf(folder: string): string {
  const hash = createHash('sha256');
  const visit = (within: string, depth: number) => {
    for (const name of [...namesIn(join(folder, within))].sort()) {
      const path = join(within, name);
      const facts = statSync(join(folder, path), { throwIfNoEntry: false });
      if (facts === undefined || /\.(?:db|lmdb|cdb|swp)$|~$/.test(name)) continue;
      if (!facts.isDirectory()) hash.update(`${JSON.stringify(path)} ${facts.size} ${facts.mtimeMs}\n`);
      else if (depth < 2) visit(path, depth + 1);
    }
  };
  visit('', 0);
  return hash.digest('base64url');
}

/** The last of each: `smtpd_tls_cert_file`, or the first file of `smtpd_tls_chain_files`. */
export function postfixCertificates(main: string): readonly string[] {
  const named = [
    parameter(main, 'smtpd_tls_cert_file'),
    parameter(main, 'smtpd_tls_eccert_file'),
    parameter(main, 'smtpd_tls_chain_files'),
    parameter(main, 'lmtpd_tls_cert_file'),
  ];
  return named.flatMap(each => (each ?? '').split(/[\s,]+/)).filter(each => each.startsWith('/'));
}

export function dovecotCertificates(doveconf: string): readonly string[] {
  return [
    ...new Set(
      [...doveconf.matchAll(/^\s*(?:ssl_cert|ssl_server_cert_file|ssl_alt_cert) = <?\s*(\/\S+)/gm)].map(match => match[1] ?? ''),
    ),
  ];
}

const DATABASES: Readonly<Record<string, string>> = {
  hash: '.db',
  btree: '.db',
  lmdb: '.lmdb',
  cdb: '.cdb',
  dbm: '.pag',
  sdbm: '.pag',
};

/** Maps that main.cf names as `hash:/path`, whose source has changed since they were made. */
function lookAtMaps(look: Look, main: string, folder: string, gathered: Gathering): void {
  const seen = new Set<string>();
  const text = main.replace(/^\s*#.*$/gm, '').replace(/\$\{?config_directory\}?/g, folder);
  for (const match of text.matchAll(/\b(hash|btree|lmdb|cdb|dbm|sdbm):(\/[^\s,;{}]+)/g)) {
    const [whole, type = '', source = ''] = match;
    if (seen.has(whole)) continue;
    seen.add(whole);
    const isAliases = new RegExp(`^alias_(?:maps|database)\\s*=[^\\n]*${escapeRegex(whole)}`, 'm').test(text);
    const remedy = isAliases ? `postalias ${whole}` : `postmap ${whole}`;
    compare(look, source, `${source}${DATABASES[type] ?? '.db'}`, remedy, gathered);
  }
}

/** sendmail's maps lie beside their sources in /etc/mail; aliases where they always were. */
function sendmailMaps(look: Look, gathered: Gathering): void {
  const { root } = look;
  if (textOf(join(root, 'etc/mail/sendmail.cf')) === undefined) return;
  for (const name of namesIn(join(root, 'etc/mail'))) {
    if (!name.endsWith('.db')) continue;
    const source = `/etc/mail/${name.slice(0, -3)}`;
    compare(
      look,
      source,
      `/etc/mail/${name}`,
      name === 'aliases.db' ? 'newaliases' : `makemap hash ${source} < ${source}`,
      gathered,
    );
  }
}

function compare({ root, deadOn }: Look, source: string, database: string, remedy: string, gathered: Gathering): void {
  if (deadOn(source) !== undefined || deadOn(database) !== undefined) return; // told by check_sys
  const ofSource = statSync(join(root, source), { throwIfNoEntry: false });
  if (ofSource === undefined) return; // made elsewhere
  const ofDatabase = statSync(join(root, database), { throwIfNoEntry: false });
  const finding = (text: string): HostFinding => ({ level: 'warning', subject: `map:${database}`, text, remedy });
  if (ofDatabase === undefined) gathered.findings.push(finding(`map ${database} is missing: ${source} is not in use`));
  else if (ofDatabase.mtimeMs < ofSource.mtimeMs)
    gathered.findings.push(finding(`map ${database} is older than ${source}: what was changed there is not in use`));
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function answerOf(value: unknown): Answer | undefined {
  const [stamp, trouble, certificates] = [kept(value, 'stamp'), kept(value, 'trouble'), kept(value, 'certificates')];
  const at = keptNumber(value, 'at');
  if (typeof stamp !== 'string' || typeof trouble !== 'string' || at === undefined || !Array.isArray(certificates))
    return undefined;
  return {
    stamp,
    trouble,
    at,
    ...(kept(value, 'isFatal') === true ? { isFatal: true } : {}),
    certificates: certificates.filter(each => typeof each === 'string'),
  };
}
