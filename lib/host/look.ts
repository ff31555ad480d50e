// One look at this host: the checks that are asked for, each judged by the limits, put together, remembered and recorded.
//
// A check that fails by a fault of its own is `unknown`, and the others go on. What cannot be written is told by the caller; the
// reading itself does not depend on the disk.

import { hostname } from 'node:os';
import { printable } from '../model/printable.ts';
import type { CheckName, CheckReading, Figures, HostFinding, HostReading, Level, Missing } from '../model/reading.ts';
import { worseLevel } from '../model/reading.ts';
import { JOURNAL_VERSION, type ReadingRecord } from '../model/record.ts';
import { NotWritten } from '../record/append.ts';
import { appendJournal } from '../record/journal.ts';
import { appendQmonitor, type QmonitorRow } from '../record/qmonitor.ts';
import type { Check, Sample } from './check.ts';
import type { HostConfig } from './config.ts';
import { checkOf } from './figures.ts';
import { judge } from './judge.ts';
import { type Kept, loadKept, remembered, saveKept } from './keep.ts';
import type { Run } from './program.ts';
import { type Reach, reachOf } from './reach.ts';

export interface LookOptions {
  readonly config: HostConfig;
  readonly checks: readonly CheckName[];
  /** The command that looks, for the journal. */
  readonly by: string;
  /** Undefined: nothing is remembered or recorded. */
  readonly state: string | undefined;
  /** How each check is had; they are loaded only when they are asked for. */
  readonly load: (name: CheckName) => Promise<Check>;
  readonly root: string;
  readonly run: Run;
  /** Now, epoch ms. */
  readonly at: number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Who looks, and the folder with bin/: what stands for USER and /PATH in remedies. */
  readonly who?: { readonly user: string; readonly folder: string };
  /** Whether a row of qmonitor.log is written, and which further checks are looked at for its columns only: not judged, not recorded. */
  readonly row?: { readonly alsoLookAt: readonly CheckName[] };
}

export interface Looked {
  readonly reading: HostReading;
  /** As it stands in the journal, or should: what could not be written counts for the alarms all the same. */
  readonly record: ReadingRecord;
  /** What could not be recorded, in words. */
  readonly notWritten: readonly string[];
}

/** No check takes longer, whatever it waits for. */
const DEADLINE_MS = 120_000;

/**
 * What measures times comes first, and what keeps the processor busy last: while a queue of a million files is counted, no answer would
 * be taken in its time, and a program that had long ended would be late.
 */
const PASSES: readonly (readonly CheckName[])[] = [['ldap'], ['sys', 'mconn', 'procs', 'files'], ['queues']];

/** Never throws for what the host, a peer or the disk did. */
export async function lookAtHost(options: LookOptions): Promise<Looked> {
  const { config, checks, state, at, by } = options;
  const reach = await reachOf(options.root, options.run);
  const found = new Map<CheckName, Done>();
  for (const pass of PASSES) {
    const now = checks.filter(name => pass.includes(name));
    for (const done of await Promise.all(now.map(name => lookOnce(name, options, reach)))) found.set(done.reading.check, done);
  }
  const done = checks.flatMap(name => found.get(name) ?? []);
  const readings = done.map(({ reading }) => reading);
  const reading: HostReading = {
    host: config.instance ?? printable(hostname(), 60),
    startedAt: at,
    level: readings.reduce<Level>((level, each) => worseLevel(level, each.level), 'ok'),
    checks: readings,
  };
  const record: ReadingRecord = { v: JOURNAL_VERSION, at, type: 'reading', by, reading };
  const notWritten: string[] = [];
  if (state === undefined) return { reading, record, notWritten };
  const written = (write: () => void) => {
    try {
      write();
    } catch (error) {
      if (!(error instanceof NotWritten)) throw error;
      notWritten.push(error.message);
    }
  };
  for (const { reading, kept } of done) if (kept !== undefined) written(() => saveKept(state, reading.check, kept));
  written(() => appendJournal(state, { type: 'reading', by, reading }, at));
  if (options.row !== undefined) {
    const others = await Promise.all(options.row.alsoLookAt.map(name => lookOnce(name, options, reach)));
    const row = rowOf([...readings, ...others.map(each => each.reading)]);
    written(() => appendQmonitor(state, reading.host, at, row));
  }
  return { reading, record, notWritten };
}

interface Done {
  readonly reading: CheckReading;
  /** Absent when the check broke down: what was known before stays. */
  readonly kept?: Kept;
}

async function lookOnce(name: CheckName, options: LookOptions, reach: Reach): Promise<Done> {
  const { config, at, root, run, sleep, state } = options;
  const kept: Kept = state === undefined ? { at: undefined, before: undefined, beyond: {}, history: {} } : loadKept(state, name);
  const began = performance.now();
  const took = () => Math.round(performance.now() - began);
  let sample: Sample;
  try {
    const check = await options.load(name);
    sample = await withDeadline(check.look({ at, root, config, ...reach, run, sleep, before: kept.before }), name);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const finding: HostFinding = { level: 'unknown', subject: name, text: `the check itself failed: ${printable(text, 300)}` };
    return {
      reading: {
        check: name,
        level: 'unknown',
        text: finding.text,
        figures: {},
        findings: [finding],
        missing: [],
        tops: {},
        tookMs: took(),
      },
    };
  }
  const limits = config.limits.filter(({ figure }) => checkOf(figure) === name);
  const figures = rounded(sample.figures);
  const judged = judge({ figures, limits, at, lastAt: kept.at, beyond: kept.beyond, history: kept.history });
  const findings = [...sample.findings, ...judged.findings]
    .map(clean)
    .sort((a, b) => RANK.indexOf(a.level) - RANK.indexOf(b.level));
  const level = findings.reduce<Level>((worst, each) => worseLevel(worst, each.level), levelOf(sample));
  return {
    reading: {
      check: name,
      level,
      text: findings[0] !== undefined && findings[0].level !== 'ok' ? findings[0].text : sample.text,
      figures,
      findings,
      missing: sample.missing.map(each => readyToPaste(each, options.who)),
      tops: sample.tops,
      tookMs: took(),
    },
    kept: { at, before: sample.keep, beyond: judged.beyond, history: remembered(kept.history, figures, limits, at) },
  };
}

function readyToPaste(missing: Missing, who: LookOptions['who']): Missing {
  if (missing.remedy === undefined || who === undefined) return missing;
  return { ...missing, remedy: missing.remedy.replaceAll('USER', () => who.user).replaceAll('/PATH', () => who.folder) };
}

const RANK: readonly Level[] = ['critical', 'unknown', 'warning', 'ok'];

/** A check that has read nothing at all cannot say that all is well. */
function levelOf({ figures, findings, missing }: Sample): Level {
  return Object.keys(figures).length === 0 && findings.length === 0 && missing.length > 0 ? 'unknown' : 'ok';
}

/** Findings quote names of files, programs and clients: nothing in them reaches a terminal as it is. */
function clean(finding: HostFinding): HostFinding {
  return { ...finding, subject: printable(finding.subject, 200), text: printable(finding.text, 500) };
}

/** Six digits are more than any figure is worth, and keep the journal readable. */
function rounded(figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [
      printable(name, 200),
      Number.isInteger(value) ? value : Number(value.toPrecision(6)),
    ]),
  );
}

function withDeadline<T>(work: Promise<T>, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} did not end in ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The row of qmonitor.log. Column act has all messages that wait and are not held, as in the seed's MTA, which knows no other kinds. */
function rowOf(readings: readonly CheckReading[]): Omit<QmonitorRow, 'time'> {
  const figures: Figures = Object.assign({}, ...readings.map(reading => reading.figures));
  const available = figures['sys.available_bytes'];
  const columns = {
    active: figures['queues.total'],
    held: figures['queues.hold'],
    swapKb: available === undefined ? undefined : available / 1024,
    scanRate: figures['sys.scan_per_s'],
    user: figures['sys.cpu_user_percent'],
    system: figures['sys.cpu_system_percent'],
    wait: figures['sys.cpu_wait_percent'],
    idle: figures['sys.cpu_idle_percent'],
    smtp: figures['mconn.column:smtp'],
    imap: figures['mconn.column:imap'],
    pop3: figures['mconn.column:pop3'],
    ldap: figures['mconn.column:ldap'],
    http: figures['mconn.column:http'],
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}
