// Reads alarms.cfg: policy, recipients, channels that are ready to bring messages, heartbeats. All problems at once, as for site.cfg.

import { join, resolve } from 'node:path';
import { LocalProblem } from '../../model/endpoint.ts';
import { printable } from '../../model/printable.ts';
import { readAuthorities } from '../../site/authorities.ts';
import { inOrder, type Place, type Problem, type Reporter, reporterFor } from '../../site/problem.ts';
import { decodeUtf8, readConfigFile } from '../../site/read-text.ts';
import type { SecretContext } from '../../site/secret.ts';
import { SecretProblem } from '../../site/secret-problem.ts';
import type { Entry, Fields, Sections, Values } from '../../site/table/field.ts';
import { didYouMean } from '../../site/table/nearest.ts';
import { readTable } from '../../site/table/read.ts';
import { readToml, type TomlTable } from '../../site/table/toml.ts';
import type { Channel } from '../channel.ts';
import type { HttpTerms } from '../send/http.ts';
import type { Recipient, Spacing } from '../when/address.ts';
import type { Policy, Threshold } from '../when/policy.ts';
import { minuteOf, parseQuiet } from '../when/quiet.ts';
import { type Keys, settle } from './keys.ts';
import { KINDS } from './kinds.ts';
import { loadPlugin } from './plugins.ts';
import { type ReadyChannel, type ReadyHeartbeat, readyChannel, readyHeartbeat, type Surroundings } from './ready.ts';
import { alarmsTable, type FixedSections, HEARTBEAT_KEYS, parseThreshold, RESERVED } from './table.ts';

export interface Alarms {
  readonly policy: Policy;
  readonly spacing: Spacing;
  readonly recipients: readonly Recipient[];
  readonly channels: ReadonlyMap<string, ReadyChannel>;
  readonly heartbeats: readonly ReadyHeartbeat[];
  /** So long a check waits for its messages; ms. */
  readonly waitMs: number;
  /** So long a message that no channel takes is tried again; ms. */
  readonly keepMs: number;
  /** Minute of the day, local time; absent: no canary. */
  readonly canaryMinute?: number;
}

export interface AlarmOptions {
  /** The folder of channels of the operator's own: plugins/alarm_channels. */
  readonly plugins: string;
  /** The state folder: for files whose path is not absolute. */
  readonly state: string;
  /** Where variables, credentials and proxies come from; the process' own when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sections of other rooms in the same file. */
  readonly others?: Sections;
  /** Whether to read every secret now, to see that it can be had. */
  readonly secrets?: boolean;
  /** For tests: where names lead. */
  readonly resolve?: HttpTerms['resolve'];
}

export interface LoadedAlarms {
  /** There when no problem is an error. */
  readonly alarms?: Alarms;
  readonly problems: readonly Problem[];
}

export const ALARMS_FILE = 'alarms.cfg';
const TOP: Place = { line: 1, column: 1 };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Loads alarms.cfg of a config folder. Never throws for what is in it.
 *
 * @returns undefined when there is no such file: then nobody is told, by the operator's choice
 */
export async function loadAlarms(dir: string, options: AlarmOptions): Promise<LoadedAlarms | undefined> {
  const problems: Problem[] = [];
  const path = join(dir, ALARMS_FILE);
  const report = reporterFor(path, problems);
  const file = readConfigFile(path, report, MISSING);
  if (file === undefined) return problems.some(({ remedy }) => remedy === MISSING) ? undefined : { problems };
  if (file.isOpenToAll)
    report.warning(
      TOP,
      'anybody on this machine can change this file, and it names the programs that are run',
      `chmod o-w '${path}'`,
    );
  const text = decodeUtf8(file.bytes, report);
  return text === undefined ? { problems } : readAlarms(text, dir, options, { report, problems });
}

/** The same of a text; `dir` is what paths in it are relative to. */
export async function readAlarms(
  text: string,
  dir: string,
  options: AlarmOptions,
  { report, problems }: { readonly report: Reporter; readonly problems: readonly Problem[] },
): Promise<LoadedAlarms> {
  const toml = readToml(text);
  if (!('root' in toml)) {
    report.error(toml.fault.place, toml.fault.text, toml.fault.remedy);
    return { problems };
  }
  const alarms = await build(toml.root, resolve(dir), options, report);
  const isSound = alarms !== undefined && !problems.some(({ severity }) => severity === 'error');
  return { ...(isSound ? { alarms } : {}), problems: inOrder(problems) };
}

const MISSING = 'healthmon config describe alarms.cfg prints one to begin with';

async function build(root: TomlTable, dir: string, options: AlarmOptions, report: Reporter): Promise<Alarms | undefined> {
  const kinds = [...KINDS, ...(await pluginsOf(root, options, report))];
  const contents = readTable<FixedSections>(alarmsTable(kinds, options.others), withAlarmsSection(root), report);
  const sections: Readonly<Record<string, readonly Entry<Fields>[]>> = contents;
  const uses: Use[] = [
    ...kinds.flatMap(kind => (sections[kind.kind] ?? []).map(entry => ({ entry, keys: kind.keys, kind }))),
    ...contents.heartbeat.map(entry => ({ entry, keys: HEARTBEAT_KEYS })),
  ];
  const secrets: SecretContext = { dir, env: options.env ?? process.env };
  const authorities = readAuthorities(dir, uses.flatMap(authorityOf), Date.now(), report);
  const around: Surroundings = {
    dir,
    state: options.state,
    secrets,
    authorities,
    ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
  };
  const values = contents.alarms[0]?.values;
  const channels = namedChannels(uses, values?.cap ?? 20, around, report);
  checkReferences(contents.notify, channels, report);
  if (options.secrets === true) await checkSecrets(uses, secrets, report);
  if (values === undefined) return undefined;
  const canaryMinute = values.canary === undefined ? undefined : minuteOf(values.canary);
  return {
    policy: policyOf(values),
    spacing: {
      remindMs: Math.max(1, values.remind) * MINUTE_MS,
      remindMostMs: values.remind_most * MINUTE_MS,
      togetherMs: values.together * MINUTE_MS,
    },
    recipients: contents.notify.flatMap(({ name, values: one }) =>
      one === undefined ? [] : [recipientOf(name, one, values.remind > 0)],
    ),
    channels,
    heartbeats: contents.heartbeat.map(entry => readyHeartbeat(entry, around)),
    waitMs: values.wait * 1000,
    keepMs: values.keep * HOUR_MS,
    ...(canaryMinute === undefined ? {} : { canaryMinute }),
  };
}

/** A section whose keys may hold secrets. */
interface Use {
  readonly entry: Entry<Fields>;
  readonly keys: Keys;
  /** Absent for a heartbeat. */
  readonly kind?: Channel;
}

/** A file without [alarms] has its defaults. */
function withAlarmsSection(root: TomlTable): TomlTable {
  if (root.entries.has('alarms')) return root;
  const empty = { place: TOP, value: { kind: 'table' as const, entries: new Map(), place: TOP } };
  return { ...root, entries: new Map([...root.entries, ['alarms', empty]]) };
}

/** Channels of the operator's own, as far as the file has sections of that kind. */
async function pluginsOf(root: TomlTable, { plugins, others }: AlarmOptions, report: Reporter): Promise<Channel[]> {
  const known = new Set([...KINDS.map(({ kind }) => kind), ...RESERVED, ...Object.keys(others ?? {})]);
  const found: Channel[] = [];
  for (const [kind, { place }] of root.entries) {
    if (known.has(kind)) continue;
    const loaded = await loadPlugin(plugins, kind);
    if (loaded === undefined) continue; // told as an unknown section
    if ('problem' in loaded) report.error(place, `cannot use the channel [${kind}]: ${loaded.problem}`);
    else found.push(loaded.channel);
  }
  return found;
}

function authorityOf({ entry: { draft, written, place } }: Use): { readonly path: string; readonly place: Place }[] {
  const path = draft.ca_file;
  return typeof path === 'string' ? [{ path, place: written.get('ca_file') ?? place }] : [];
}

function namedChannels(
  uses: readonly Use[],
  cap: number,
  around: Surroundings,
  report: Reporter,
): ReadonlyMap<string, ReadyChannel> {
  const channels = new Map<string, ReadyChannel>();
  for (const { entry, kind } of uses) {
    if (kind === undefined) continue;
    const rival = channels.get(entry.name);
    if (rival !== undefined)
      report.error(
        entry.place,
        `${entry.label} has the name of another channel, ${rival.label} in line ${rival.place.line}`,
        'rename one of them',
      );
    else channels.set(entry.name, readyChannel(kind, entry, cap, around));
  }
  return channels;
}

type NotifyEntries = readonly Entry<FixedSections['notify']['fields']>[];

function checkReferences(notify: NotifyEntries, channels: ReadonlyMap<string, ReadyChannel>, report: Reporter): void {
  const used = new Set<string>();
  for (const { draft, label } of notify) {
    for (const { value, place } of draft.channels ?? []) {
      used.add(value);
      if (channels.has(value)) continue;
      const guess = didYouMean(value, channels.keys());
      const known = channels.size === 0 ? 'there are no channels yet' : `known channels: ${[...channels.keys()].join(', ')}`;
      report.error(
        place,
        `'channels' in ${label} names unknown channel '${printable(value, 80)}'${guess}`,
        guess === '' ? known : undefined,
      );
    }
  }
  for (const { name, label, place } of channels.values())
    if (!used.has(name)) report.warning(place, `${label} is used by nobody: no [notify.NAME] has it among its channels`);
  if (notify.length === 0) report.warning(TOP, 'there is no [notify.NAME]: nobody is told anything');
  else if (notify.every(({ draft }) => (draft.after ?? 0) > 0))
    report.warning(notify[0]?.place ?? TOP, "every [notify.NAME] has 'after': nobody is told at once");
  const isLoneLog = [...channels.values()].every(({ kind }) => kind === 'log' || kind === 'syslog');
  if (notify.length > 0 && channels.size > 0 && isLoneLog)
    report.warning(
      notify[0]?.place ?? TOP,
      'all channels write to a log: nobody is woken',
      'name a channel that rings somewhere: SMS, push, chat',
    );
}

async function checkSecrets(uses: readonly Use[], secrets: SecretContext, report: Reporter): Promise<void> {
  for (const { entry, keys } of uses) {
    if (entry.values === undefined) continue;
    try {
      await settle(keys, entry.draft, secrets);
    } catch (error) {
      if (!(error instanceof LocalProblem)) throw error;
      report.error(entry.place, `${entry.label}: ${error.message}`, error instanceof SecretProblem ? error.remedy : undefined);
    }
  }
}

function policyOf(values: Values<FixedSections['alarms']['fields']>): Policy {
  const threshold = (words: string, afterMinutes: number): Threshold => ({
    ...(parseThreshold(words) ?? { n: 2, m: 3 }),
    ...(afterMinutes === 0 ? {} : { afterMs: afterMinutes * MINUTE_MS }),
  });
  return {
    raise: {
      failed: threshold(values.failed, values.failed_after),
      slow: threshold(values.slow, values.slow_after),
      unknown: threshold(values.unknown, values.unknown_after),
    },
    sureAtOnce: values.sure_at_once,
    clear: values.clear,
    flapTimes: values.flaps,
    flapWindowMs: 6 * HOUR_MS,
    steadyMs: values.steady * MINUTE_MS,
    blindShare: values.blind / 100,
  };
}

function recipientOf(name: string, values: Values<FixedSections['notify']['fields']>, isReminded: boolean): Recipient {
  return {
    name,
    channels: values.channels.map(({ value }) => value),
    severities: new Set(values.states),
    components: values.components,
    afterMs: values.after * MINUTE_MS,
    quiet: values.quiet.flatMap(words => parseQuiet(words) ?? []),
    loud: new Set(values.loud),
    isReminded: isReminded && values.reminders,
    isToldOfEnd: values.cleared,
  };
}
