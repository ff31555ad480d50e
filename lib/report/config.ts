// [report] of alarms.cfg: who gets the daily report, in which format, over which relay. The rest of that file belongs to the alarms; each
// reads its own sections, and this one is handed to them so that the file is checked and described as a whole.

import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Component } from '../model/component.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Site } from '../model/site.ts';
import { readAuthorities } from '../site/authorities.ts';
import { inOrder, type Place, type Problem, type Reporter, reporterFor } from '../site/problem.ts';
import { decodeUtf8, readConfigFile } from '../site/read-text.ts';
import { readSecret } from '../site/secret.ts';
import { passwordSource } from '../site/secret-source.ts';
import { PORTS } from '../site/site-keys.ts';
import type { Entry, Values } from '../site/table/field.ts';
import { didYouMean } from '../site/table/nearest.ts';
import { readTable } from '../site/table/read.ts';
import { readToml, type TomlTable } from '../site/table/toml.ts';
import { REPORT_SECTION } from './config-table.ts';

export interface ReportConfig {
  readonly to: readonly string[];
  readonly format: string;
  /** Formats that go along as attachments. */
  readonly attach: readonly string[];
  readonly from: string;
  /** Where letters are handed in; absent when nobody gets any. */
  readonly relay?: Relay;
  /** Minute of the day at which the daemon makes the report, local time. */
  readonly minute: number;
  readonly keepDays: number;
  /** Name of a channel of alarms.cfg. */
  readonly fallback?: string;
}

export interface Relay {
  readonly endpoint: Endpoint;
  readonly helo: string;
  /** It is one of the machines that are watched: when it is down, so is the report's way out. */
  readonly isWatched: boolean;
}

export interface LoadedReport {
  /** There when no problem is an error; without a file, or a section in it, what holds then. */
  readonly config?: ReportConfig;
  readonly problems: readonly Problem[];
  /** What the section calls by name and this room does not know: also where there are errors. */
  readonly mentions: readonly Mention[];
}

export interface Mention {
  readonly what: 'format' | 'channel';
  readonly name: string;
  readonly place: Place;
}

const FILE = 'alarms.cfg';

/**
 * Reads [report] of the alarms.cfg in `dir`. Never throws for what is in it.
 *
 * @param site undefined when site.cfg cannot be read: then only a relay with a host of its own can be used
 */
export async function loadReportConfig(dir: string, site: Site | undefined): Promise<LoadedReport> {
  const problems: Problem[] = [];
  const report = reporterFor(join(dir, FILE), problems);
  const isMissing: Problem[] = [];
  const file = readConfigFile(join(dir, FILE), reporterFor(FILE, isMissing), MISSING);
  if (file === undefined && isMissing.every(({ remedy }) => remedy !== MISSING))
    return { problems: isMissing.map(problem => ({ ...problem, file: join(dir, FILE) })), mentions: [] };
  const text = file === undefined ? '' : decodeUtf8(file.bytes, report);
  if (text === undefined) return { problems, mentions: [] };
  const toml = readToml(text);
  if ('fault' in toml) {
    report.error(toml.fault.place, toml.fault.text, toml.fault.remedy);
    return { problems, mentions: [] };
  }
  const [entry] = readTable({ intro: '', sections: { report: REPORT_SECTION } }, onlyReport(toml.root), report).report;
  const config = entry === undefined ? undefined : await build(entry, resolve(dir), site, report);
  const isSound = config !== undefined && problems.every(({ severity }) => severity !== 'error');
  return { ...(isSound ? { config } : {}), problems: inOrder(problems), mentions: entry === undefined ? [] : mentionsOf(entry) };
}

const MISSING = 'no alarms.cfg';
const TOP = { line: 1, column: 1 };

type Fields = (typeof REPORT_SECTION)['fields'];
type Keys = Values<Fields>;

function mentionsOf({ draft, written, place }: Entry<Fields>): Mention[] {
  const at = (key: string) => written.get(key) ?? place;
  return [
    ...(draft.format === undefined ? [] : [{ what: 'format' as const, name: draft.format, place: at('format') }]),
    ...(draft.attach ?? []).map(name => ({ what: 'format' as const, name, place: at('attach') })),
    ...(draft.fallback === undefined ? [] : [{ what: 'channel' as const, name: draft.fallback, place: at('fallback') }]),
  ];
}

async function build(
  entry: Entry<Fields>,
  dir: string,
  site: Site | undefined,
  report: Reporter,
): Promise<ReportConfig | undefined> {
  const { values } = entry;
  if (values === undefined) return undefined;
  const place = (key: string) => entry.written.get(key) ?? entry.place;
  const use = values.ca_file === undefined ? [] : [{ path: values.ca_file, place: place('ca_file') }];
  const authorities = readAuthorities(dir, use, Date.now(), report);
  const relay =
    values.to.length === 0 ? undefined : relayOf(values, { dir, site, authorities }, text => report.error(place('relay'), text));
  return {
    to: values.to,
    format: values.format,
    attach: values.attach,
    from: values.from ?? `healthmon@${site?.domain ?? hostname()}`,
    ...(relay === undefined ? {} : { relay }),
    minute: minuteOf(values.at) ?? 4,
    keepDays: values.keep_days,
    ...(values.fallback === undefined ? {} : { fallback: values.fallback }),
  };
}

/** The other sections are the alarms' own; a file without this one has its defaults. */
function onlyReport(root: TomlTable): TomlTable {
  const own = root.entries.get('report') ?? { place: TOP, value: { kind: 'table' as const, entries: new Map(), place: TOP } };
  return { ...root, entries: new Map([['report', own]]) };
}

function relayOf(
  values: Keys,
  {
    dir,
    site,
    authorities,
  }: { readonly dir: string; readonly site: Site | undefined; readonly authorities: ReadonlyMap<string, string> },
  error: (text: string) => void,
): Relay | undefined {
  const helo = site?.helo ?? (hostname().includes('.') ? hostname() : 'localhost.localdomain');
  if (values.relay !== undefined) {
    const endpoint = site === undefined ? undefined : doorOf(site, values.relay);
    if (endpoint !== undefined) return { endpoint, helo, isWatched: true };
    const known = [...(site?.mtas.values() ?? []), ...(site?.balancers.values() ?? [])].map(({ component }) => component);
    error(
      site === undefined
        ? `'relay' in [report] names ${values.relay}, and site.cfg cannot be read`
        : `'relay' in [report] names ${values.relay}, which is no MTA of site.cfg nor a balancer with an smtp door${didYouMean(values.relay, known)}`,
    );
    return undefined;
  }
  if (values.host === undefined) return undefined;
  const { host, security } = values;
  const source = passwordSource(values);
  const ca = values.ca_file === undefined ? undefined : authorities.get(values.ca_file);
  const component: Component = `mta/${host}`;
  const login =
    values.user === undefined || source === undefined
      ? undefined
      : {
          user: values.user,
          secret: () => readSecret(source, { dir, env: process.env }),
          ...(values.auth === undefined ? {} : { mechanism: values.auth }),
        };
  const endpoint: Endpoint = {
    component,
    protocol: 'smtp',
    host,
    port: values.port ?? (security === 'tls' ? PORTS.smtp.tls : PORTS.smtp.clear),
    security,
    trust: { verify: values.tls_verify, ...(ca === undefined ? {} : { ca }) },
    ...(values.servername === undefined ? {} : { servername: values.servername }),
    ...(login === undefined ? {} : { login }),
  };
  const isWatched = [...(site?.mtas.values() ?? [])].some(({ smtp }) => smtp.host.toLowerCase() === host.toLowerCase());
  return { endpoint, helo, isWatched };
}

/** `mta/ssmtp01`, `balancer/smtp`. */
function doorOf(site: Site, component: string): Endpoint | undefined {
  const name = component.slice(component.indexOf('/') + 1);
  if (component.startsWith('mta/')) return site.mtas.get(name)?.smtp;
  return component.startsWith('balancer/') ? site.balancers.get(name)?.doors.smtp : undefined;
}

/** `00:04` as minutes since midnight; undefined when it is no time of day. */
function minuteOf(text: string): number | undefined {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  return parts === null ? undefined : Number(parts[1]) * 60 + Number(parts[2]);
}
