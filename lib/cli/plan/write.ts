// `healthmon plan --write`: a sequence.cfg that covers every pair, to stdout or into a file. What it does not cover for want of room
// is listed, in the file and on stderr.

import { chmodSync, chownSync, existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { printable } from '../../model/printable.ts';
import type { Sequence } from '../../model/sequence.ts';
import type { Site } from '../../model/site.ts';
import { type Coverage, coverageOf, gapsOf, tablesOf } from '../../plan/coverage.ts';
import { type Detection, detectionOf, isUnseen } from '../../plan/detection.ts';
import { isWhole } from '../../plan/plan.ts';
import { overlapsOf } from '../../plan/timing.ts';
import { type Draft, draftFor, INTERVALS } from '../../plan/write/draft.ts';
import { replaceFile } from '../../record/replace.ts';
import { SEQUENCE_HELP } from '../../site/describe.ts';
import { writeInit } from '../../site/init-write.ts';
import { loadSite } from '../../site/load.ts';
import { formatProblems } from '../../site/problem.ts';
import { formatSequence } from '../../site/sequence.ts';
import { Stop } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { entryLines, pairsForMachines } from './json.ts';
import { span } from './words.ts';

const WIDTH = 118;

export interface WriteOptions {
  readonly interval?: number;
  readonly perMinute?: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** @param into the file to write; undefined for stdout */
export async function runWrite(
  config: string,
  into: string | undefined,
  options: WriteOptions,
  terminal: Terminal,
): Promise<number> {
  const site = await siteAlone(config);
  const intervalMinutes = options.interval ?? site.intervalMinutes;
  if (!INTERVALS.includes(intervalMinutes))
    throw new Stop(`expected --interval ${INTERVALS.slice(0, -1).join(', ')} or ${INTERVALS.at(-1)}, not ${intervalMinutes}`);
  const asked: Site = { ...site, intervalMinutes };
  const draft = draftFor(asked, { intervalMinutes, perMinute: options.perMinute ?? 1 });
  if (draft.entries.length === 0)
    throw new Stop(`Cannot make a sequence from ${config}/site.cfg: it has no MTA, no test account, or no door to read mail by`);
  const made: Made = {
    site,
    draft,
    intervalMinutes,
    coverage: coverageOf(asked, draft.entries),
    detection: detectionOf(asked, draft.entries),
  };
  const remarks = remarksOn(made);
  const text = `${SEQUENCE_HELP}#\n${remarks.map(line => `# ${line}\n`).join('')}\n${formatSequence(draft.entries)}`;
  const file = into === undefined ? undefined : resolve(into);
  if (file !== undefined) await put(file, text, options.force === true);
  if (options.json === true) terminal.out(JSON.stringify({ ...forMachines(made), ...(file === undefined ? {} : { file }) }));
  else if (file === undefined) terminal.out(text.trimEnd());
  else terminal.out(`wrote ${file}`);
  // On stdout the sequence says it all by itself; where it goes into a file, what is left to do is not to be missed.
  for (const line of file === undefined && options.json !== true ? remarks.slice(1) : remarks) terminal.say(line);
  return isWhole(made) ? 0 : 1;
}

/** A sequence, and what can be said of it. */
interface Made {
  readonly site: Site;
  readonly draft: Draft;
  readonly intervalMinutes: number;
  readonly coverage: Coverage;
  readonly detection: readonly Detection[];
}

function forMachines({ draft: { entries, ...numbers }, intervalMinutes, coverage, detection }: Made) {
  const unseen = detection.filter(isUnseen).map(({ component }) => component);
  return { v: 1, ...numbers, intervalMinutes, lines: entryLines(entries), pairs: pairsForMachines(coverage), unseen };
}

/** site.cfg without sequence.cfg, which may not be there yet. */
async function siteAlone(config: string): Promise<Site> {
  const { site, problems } = await loadSite(config, { secrets: false, withoutSequence: true });
  if (site !== undefined) return site;
  throw new Stop(`${formatProblems(problems)}\nCannot use the config in ${config}`);
}

/** A new file, or with `force` in the place of an old one, whose owner and mode it gets. */
async function put(file: string, text: string, force: boolean): Promise<void> {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there !== undefined && force) {
    if (!there.isFile()) throw new Stop(`Cannot write ${file}: it is not a file`);
    const target = realpathSync(file);
    replaceFile(target, text);
    chmodSync(target, there.mode & 0o777);
    if (process.getuid?.() === 0) chownSync(target, there.uid, there.gid);
    return;
  }
  const folder = dirname(file);
  if (!existsSync(folder)) throw new Stop(`Cannot write ${file}: there is no folder ${folder}`);
  const written = await writeInit(folder, [{ path: basename(file), text, isSecret: false }]);
  if (written.outcome === 'exists') throw new Stop(`${file} is there already: nothing was written (--force replaces it)`);
}

/** What the sequence is, what it needs, and what it leaves out, for people; a line each. */
function remarksOn({ site, draft, intervalMinutes, coverage, detection }: Made): readonly string[] {
  const { entries, forBalancers, lowerBound, unreadable } = draft;
  const size = entries.length === 1 ? '1 entry' : `${entries.length} entries`;
  const balancers = forBalancers === 0 ? '' : `, and ${forBalancers} more for balancers`;
  const remarks = [
    `Made by "healthmon plan --write" for ${printable(site.name, 40)}: ${size}; all pairs of MTAs, MMPs and accounts take ${lowerBound}${balancers}`,
  ];
  if (intervalMinutes !== site.intervalMinutes)
    remarks.push(`It needs interval = ${intervalMinutes} in [site] of site.cfg, and cron to start check_rndtrip as often`);
  remarks.push(...roomText(draft), ...overlapText({ ...site, intervalMinutes }, entries));
  const unseen = detection.filter(isUnseen).map(({ component }) => component);
  if (unreadable.length > 0) remarks.push(...listed('No door leads to the mailboxes of', unreadable));
  if (unseen.length > 0) remarks.push(...listed('Never visited:', unseen));
  for (const table of tablesOf(coverage)) {
    const gaps = gapsOf(table);
    if (gaps.length === 0) continue;
    remarks.push(
      `Not covered are ${gaps.length} of ${table.wanted} pairs of ${ROLE_WORDS[table.rows.role]} and ${ROLE_WORDS[table.columns.role]}:`,
    );
    for (const { name } of table.rows.levels) {
      const missing = gaps.filter(({ row }) => row === name).map(({ column }) => column);
      if (missing.length > 0) remarks.push(...listed(`  ${name}:`, missing));
    }
  }
  return remarks;
}

const ROLE_WORDS = { mta: 'MTA', mmp: 'MMP', account: 'account' } as const;

function roomText({ needed, room, instead }: Draft): readonly string[] {
  if (instead === undefined) return [];
  const { intervalMinutes, perMinute, perMinuteAtMost } = instead;
  const how =
    intervalMinutes === undefined
      ? `--interval 1 --per-minute ${perMinuteAtMost}, or with --per-minute ${perMinute}`
      : `--interval ${intervalMinutes}, or with --per-minute ${perMinute}`;
  return [`There is room for ${room} of the ${needed} entries in an hour; there is for all with ${how}`];
}

function overlapText(site: Site, entries: Sequence): readonly string[] {
  const [first] = overlapsOf(site, entries);
  if (first === undefined) return [];
  const { longestMs, gapMs } = first;
  return [
    `A run whose trips use up their limits, and isolation, can take ${span(longestMs)}; the next is due after ${span(gapMs)}, and is then skipped`,
  ];
}

/** `before` and names, in lines that are not too long. */
function listed(before: string, names: readonly string[]): readonly string[] {
  const lines = [before];
  for (const name of names) {
    const last = lines.at(-1) ?? '';
    if (`${last} ${name}`.length > WIDTH) lines.push(`    ${name}`);
    else lines[lines.length - 1] = `${last} ${name}`;
  }
  return lines;
}
