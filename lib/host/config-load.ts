// Reads and checks host.cfg: every problem at once, and what the checks work with.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKS } from '../model/reading.ts';
import { inOrder, type Problem, type Reporter, reporterFor } from '../site/problem.ts';
import { decodeUtf8, readConfigFile } from '../site/read-text.ts';
import type { Entry, Fields, Values } from '../site/table/field.ts';
import { didYouMean } from '../site/table/nearest.ts';
import { readTable } from '../site/table/read.ts';
import { readToml } from '../site/table/toml.ts';
import type { DaemonWanted, FileWanted, HostConfig, LogWanted } from './config.ts';
import { HOST_TABLE, type HostContents } from './config-table.ts';
import { defaultLimits } from './default-limits.ts';
import { baseName, FIGURES, instanceOf, unitOf } from './figures.ts';
import type { Limit } from './limits.ts';
import { isKnownDaemon } from './procs/daemons.ts';
import { parseQuantity, quantitySample } from './quantities.ts';

export interface LoadedHost {
  /** There when no problem is an error. */
  readonly config?: HostConfig;
  readonly problems: readonly Problem[];
}

const HOST_FILE = 'host.cfg';

/** Loads host.cfg of a config folder; undefined when there is none, which is no problem. Never throws for what is in it. */
export async function loadHost(dir: string): Promise<LoadedHost | undefined> {
  const path = join(dir, HOST_FILE);
  if (!existsSync(path)) return undefined;
  const problems: Problem[] = [];
  const report = reporterFor(path, problems);
  const contents = readContents(path, report);
  const config = contents === undefined ? undefined : build(contents, report);
  const ordered = inOrder(problems);
  const hasError = ordered.some(({ severity }) => severity === 'error');
  return { problems: ordered, ...(config === undefined || hasError ? {} : { config }) };
}

function readContents(path: string, report: Reporter): HostContents | undefined {
  const file = readConfigFile(path, report, 'healthmon config describe host.cfg prints one to begin with');
  if (file === undefined) return undefined;
  if (file.isOpenToAll)
    report.warning({ line: 1, column: 1 }, 'anybody on this machine can change this file', `chmod o-w '${path}'`);
  const text = decodeUtf8(file.bytes, report);
  if (text === undefined) return undefined;
  const toml = readToml(text);
  if ('root' in toml) return readTable(HOST_TABLE, toml.root, report);
  report.error(toml.fault.place, toml.fault.text, toml.fault.remedy);
  return undefined;
}

function build(contents: HostContents, report: Reporter): HostConfig {
  const host = contents.host[0]?.values;
  const queues = contents.queues[0]?.values;
  return {
    checks: host?.checks ?? CHECKS,
    everyMinutes: host?.every ?? 0,
    ...given({ instance: host?.instance }),
    queues: {
      sample: queues?.sample ?? 2000,
      ...given({
        flavour: queues?.flavour,
        directory: queues?.directory,
        config: queues?.config,
        incoming: queues?.incoming,
      }),
    },
    sys: { directories: contents.sys[0]?.values?.directories ?? [], clock: contents.sys[0]?.values?.clock ?? true },
    mconn: {
      listen: contents.mconn[0]?.values?.listen ?? [],
      services: sound(contents.service).map(({ name, values }) => ({ name, ports: values.ports })),
    },
    procs: {
      learn: contents.procs[0]?.values?.learn ?? true,
      daemons: contents.daemon.flatMap(entry => daemon(entry, report) ?? []),
    },
    files: {
      files: sound(contents.file).flatMap(({ name, values, written, place }) =>
        file(name, values, key => written.get(key) ?? place, report),
      ),
      logs: sound(contents.log).map(({ name, values }) => log(name, values)),
      certificates: sound(contents.certificate).map(({ name, values }) => ({ name, path: values.path })),
      cores: contents.files[0]?.values?.cores ?? [],
      parse: contents.files[0]?.values?.parse ?? true,
    },
    ldap: { deadlineMs: (contents.ldap[0]?.values?.deadline ?? 10) * 1000, monitor: contents.ldap[0]?.values?.monitor ?? true },
    limits: limits(contents, report),
  };
}

function daemon({ name, label, place, values }: HostContents['daemon'][number], report: Reporter): DaemonWanted | undefined {
  if (values === undefined) return undefined;
  const { program, pid_file, unit, port } = values;
  if (program === undefined && pid_file === undefined && unit === undefined && port === undefined && !isKnownDaemon(name)) {
    report.error(
      place,
      `${label} must say how the daemon is found: program, pid_file, unit or port; '${name}' is none that is known`,
    );
    return undefined;
  }
  return {
    name,
    programs: program ?? [],
    min: values.min,
    ...given({ arguments: values.arguments, pidFile: pid_file, unit, port, max: values.max }),
  };
}

function file(
  name: string,
  values: FileValues,
  placeOf: (key: string) => Entry<Fields>['place'],
  report: Reporter,
): FileWanted[] {
  const bytes = (key: 'min_size' | 'max_size') => {
    const value = values[key];
    const parsed = value === undefined ? undefined : parseQuantity(value, 'bytes');
    if (value !== undefined && parsed === undefined)
      report.error(placeOf(key), `'${key}' in [file.${name}] must be ${quantitySample('bytes')}: found "${value}"`);
    return parsed;
  };
  return [
    {
      name,
      path: values.path,
      mayBeMissing: values.may_be_missing,
      ...given({
        maxAgeMs: values.max_age,
        minBytes: bytes('min_size'),
        maxBytes: bytes('max_size'),
        owner: values.owner,
        group: values.group,
        mode: values.mode === undefined ? undefined : Number.parseInt(values.mode, 8),
      }),
    },
  ];
}

type FileValues = Values<(typeof HOST_TABLE)['sections']['file']['fields']>;
type LogValues = Values<(typeof HOST_TABLE)['sections']['log']['fields']>;

function log(name: string, values: LogValues): LogWanted {
  return {
    name,
    path: values.path,
    patterns: values.patterns ?? [],
    ignore: values.ignore ?? [],
    warn: values.warn,
    ...given({ quietMs: values.quiet_after, crit: values.crit }),
  };
}

/** The defaults, those that the file replaces or ends left out, and its own behind them. */
function limits(contents: HostContents, report: Reporter): readonly Limit[] {
  const known = new Map(defaultLimits().map(limit => [limit.name, limit]));
  const named = new Set(contents.limit.map(({ name }) => name));
  const own = contents.limit.flatMap(entry => limit(entry, known.get(entry.name), report) ?? []);
  return [...[...known.values()].filter(({ name }) => !named.has(name)), ...own];
}

function limit(entry: HostContents['limit'][number], known: Limit | undefined, report: Reporter): Limit | undefined {
  const { name, label, values, place, written } = entry;
  if (values === undefined) return undefined;
  if (values.off) {
    if (known === undefined) report.warning(place, `${label} ends a limit that there is not: '${name}'`);
    return undefined;
  }
  const figure = values.figure?.value ?? known?.figure;
  if (figure === undefined) {
    report.error(place, `'figure' is missing in ${label}`);
    return undefined;
  }
  const at = values.figure?.place ?? place;
  const about = FIGURES.get(baseName(figure));
  if (about === undefined) {
    report.error(
      at,
      `there is no figure '${figure}'${didYouMean(baseName(figure), [...FIGURES.keys()])}`,
      'healthmon host suggest --figures lists them',
    );
    return undefined;
  }
  if (about.of === undefined && instanceOf(figure) !== undefined)
    report.error(at, `there is only one '${about.name}': nothing can stand behind a colon`);
  const is = values.is ?? (about.isLowBad === true ? 'below' : 'above');
  const [warn, crit] = [quantity('warn'), quantity('crit')];
  if (values.warn === undefined && values.crit === undefined) report.error(place, `${label} must have warn, crit or both`);
  if (warn !== undefined && crit !== undefined && (is === 'above' ? crit < warn : crit > warn))
    report.error(written.get('crit') ?? place, `'crit' in ${label} must lie ${is} warn (${warn}): found ${crit}`);
  return {
    name,
    figure,
    is,
    forMs: values.for ?? 0,
    isOwn: true,
    ...given({ warn, crit, overMs: values.over, hours: values.hours }),
  };

  function quantity(key: 'warn' | 'crit'): number | undefined {
    const written = values?.[key];
    if (written === undefined || figure === undefined) return undefined;
    const unit = unitOf(figure);
    const parsed = parseQuantity(written.value, unit);
    if (parsed === undefined)
      report.error(
        written.place,
        `'${key}' in ${label} must be ${quantitySample(unit)}, since ${baseName(figure)} is in ${unit}: found "${written.value}"`,
      );
    return parsed;
  }
}

function sound<F extends Fields>(entries: readonly Entry<F>[]): (Entry<F> & { readonly values: Values<F> })[] {
  return entries.flatMap(entry => (entry.values === undefined ? [] : [{ ...entry, values: entry.values }]));
}

/** Without the keys that are undefined. */
function given<T extends Readonly<Record<string, unknown>>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
