// The checks of a mail host as commands: options, config, one look, and how it is told. Each check's own command calls this with its
// name; `healthmon hostcheck` with all of them.

import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Check } from '../../host/check.ts';
import { defaultConfig, type HostConfig } from '../../host/config.ts';
import { defaultLimits } from '../../host/default-limits.ts';
import { lookAtHost } from '../../host/look.ts';
import { runProgram } from '../../host/program.ts';
import { type CheckName, LEVEL_EXIT, type Level, worseLevel } from '../../model/reading.ts';
import { openState, placesOf, projectRoot, Stop } from '../context.ts';
import { end } from '../end.ts';
import { type Flag, helpText, parseFlags, type Usage } from '../flags.ts';
import { processTerminal, type Terminal } from '../terminal.ts';
import { hostNagios, hostText } from '../view/host.ts';
import { tellOfReading } from './tell.ts';

export interface HostOptions {
  readonly config?: string;
  readonly state?: string;
  readonly json?: boolean;
  readonly nagios?: boolean;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
  /** False: nothing is remembered or recorded. */
  readonly record?: boolean;
}

const FLAGS: readonly Flag[] = [
  { name: 'config', value: 'dir', help: 'folder with host.cfg (default: $HEALTHMON_CONFIG, else etc/)' },
  { name: 'state', value: 'dir', help: 'folder for tables, journal and counters (default: $HEALTHMON_STATE, else var/)' },
  { name: 'verbose', short: 'v', help: 'every figure, the largest of many, and what could not be read' },
  { name: 'json', help: 'print the reading as one JSON object' },
  { name: 'nagios', help: 'print one status line with perfdata' },
  { name: 'quiet', short: 'q', help: 'print nothing when all is well (as it is without a terminal)' },
  { name: 'no-record', help: 'look only: remember and record nothing, so that rates are of this moment' },
];

export const EXIT_HOST = `
Exit status:
  0  ok
  1  warning: beyond a limit
  2  critical
  3  unknown: could not be measured (usage, config, rights, disk)`;

/** How each check is loaded: only when it is asked for. */
async function loadCheck(name: CheckName, config: string): Promise<Check> {
  switch (name) {
    case 'queues':
      return (await import('../../host/queues/queues.ts')).queues;
    case 'sys':
      return (await import('../../host/sys/sys.ts')).sys;
    case 'mconn':
      return (await import('../../host/mconn/mconn.ts')).mconn;
    case 'procs':
      return (await import('../../host/procs/procs.ts')).procs;
    case 'files':
      return (await import('../../host/files/files.ts')).files;
    case 'ldap':
      return (await import('./ldap.ts')).ldapOfSite(config);
    default:
      return name satisfies never;
  }
}

/** One of the checks as a command of its own: reads the arguments, looks, prints, and ends the process. */
export async function runCheck(name: CheckName, about: string, after: string): Promise<never> {
  const usage: Usage = { command: `check_${name}`, about, flags: FLAGS, after: `${after}\n${EXIT_HOST}` };
  const terminal = processTerminal();
  return end(terminal, async () => {
    const { given } = parseFlags(usage, process.argv.slice(2));
    if (given.help === true) {
      terminal.out(helpText(usage));
      return 0;
    }
    const text = (key: string) => (typeof given[key] === 'string' ? { [key]: given[key] } : {});
    const options: HostOptions = {
      ...text('config'),
      ...text('state'),
      json: given.json === true,
      nagios: given.nagios === true,
      verbose: given.verbose === true,
      quiet: given.quiet === true,
      record: given['no-record'] !== true,
    };
    return runHost([name], usage.command, options, terminal);
  });
}

/** @returns the exit status */
export async function runHost(
  checks: readonly CheckName[] | undefined,
  by: string,
  options: HostOptions,
  terminal: Terminal,
): Promise<number> {
  if (options.json === true && options.nagios === true) throw new Stop(`${by}: --json and --nagios cannot both be printed`);
  const places = placesOf(options);
  const config = await hostConfig(places.config);
  const isRecorded = options.record !== false;
  if (isRecorded) openState(places.state);
  const at = Date.now();
  const asked = checks ?? config.checks;
  const { reading, record, notWritten } = await lookAtHost({
    config,
    checks: asked,
    by,
    state: isRecorded ? places.state : undefined,
    load: name => loadCheck(name, places.config),
    root: '/',
    run: runProgram,
    at,
    sleep: ms => new Promise(resolve => setTimeout(resolve, ms)),
    who: { user: userName(), folder: projectRoot() },
    // As in the seed, the row is made by whoever looks at the queues.
    ...(isRecorded && asked.includes('queues')
      ? { row: { alsoLookAt: (['sys', 'mconn'] as const).filter(each => !asked.includes(each)) } }
      : {}),
  });
  // A full disk has one reason for all of them.
  const [first, ...others] = notWritten;
  if (first !== undefined)
    terminal.say(others.length === 0 ? first : `${first}; nor ${others.length} more files of ${places.state}`);
  if (options.json === true) terminal.out(JSON.stringify(reading));
  else if (options.nagios === true) terminal.out(hostNagios(reading, config.limits, at));
  else if (reading.level !== 'ok' || (options.quiet !== true && (process.stdout.isTTY === true || options.verbose === true)))
    terminal.out(hostText(reading, terminal.colours, { verbose: options.verbose === true }));
  if (isRecorded) await tellOfReading(record, places, terminal.say);
  const level: Level = notWritten.length > 0 ? worseLevel(reading.level, 'unknown') : reading.level;
  return LEVEL_EXIT[level];
}

/** The number where the system knows no name for it. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'USER');
  }
}

/** host.cfg, or what holds without one. @throws {Stop} with every problem when there is an error among them */
export async function hostConfig(folder: string): Promise<HostConfig> {
  const file = join(folder, 'host.cfg');
  if (!existsSync(file) || saysNothing(file)) return defaultConfig(defaultLimits());
  const [{ loadHost }, { formatProblems }] = await Promise.all([
    import('../../host/config-load.ts'),
    import('../../site/problem.ts'),
  ]);
  const loaded = await loadHost(folder);
  if (loaded?.config !== undefined) return loaded.config;
  throw new Stop(`${formatProblems(loaded?.problems ?? [])}\nCannot use ${file}`);
}

/** Whether a file has nothing but remarks and the sample's own headers: the reader of TOML takes longer than some of the checks. */
function saysNothing(file: string): boolean {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.every(line => /^\s*(?:#|$)/.test(line) || /^\[(?:host|queues|sys|mconn|procs|files|ldap)\]$/.test(line));
  } catch {
    return false;
  }
}
