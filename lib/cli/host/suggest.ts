// `healthmon host suggest`: limits for host.cfg from the readings of the last days, or the list of all figures.

import { hostname } from 'node:os';
import { FIGURES, unitOf } from '../../host/figures.ts';
import { type Looked, suggest, suggestionText } from '../../host/suggest.ts';
import { printable } from '../../model/printable.ts';
import { localDay, localTime } from '../../record/day.ts';
import { journalDays, readJournal } from '../../record/journal.ts';
import { placesOf, Stop } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { hostConfig } from './host.ts';

export interface SuggestOptions {
  readonly config?: string;
  readonly state?: string;
  readonly days: number;
  readonly figures?: boolean;
  readonly json?: boolean;
}

const DAY_MS = 86_400_000;
/** Less than a day knows nothing of the night. */
const LEAST_MS = 20 * 3_600_000;
const LEAST_LOOKS = 50;

/** @returns the exit status */
export async function runHostWord(args: readonly string[], options: SuggestOptions, terminal: Terminal): Promise<number> {
  if (args[0] !== 'suggest') throw new Stop(`healthmon host: expected "suggest", not "${printable(args[0] ?? '')}"`);
  if (options.figures === true) {
    printFigures(options, terminal);
    return 0;
  }
  const { config: folder, state } = placesOf(options);
  const config = await hostConfig(folder);
  const host = config.instance ?? hostname();
  const looks = looksOf(state, host, Date.now() - options.days * DAY_MS);
  const [first, last] = [looks[0], looks.at(-1)];
  if (first === undefined || last === undefined || looks.length < LEAST_LOOKS || last.at - first.at < LEAST_MS)
    throw new Stop(
      `Cannot suggest limits for ${printable(host)} from ${looks.length} readings${first === undefined || last === undefined ? '' : ` over ${Math.round((last.at - first.at) / 3_600_000)} hours`}: at least ${LEAST_LOOKS} over ${LEAST_MS / 3_600_000} hours are needed; let "healthmon hostcheck" run from crontab for a day`,
    );
  const proposals = suggest(looks, config.limits);
  if (options.json === true) {
    terminal.out(JSON.stringify({ v: 1, host, fromAt: first.at, untilAt: last.at, looks: looks.length, limits: proposals }));
    return 0;
  }
  const day = (at: number) => `${localDay(at)} ${localTime(at).slice(0, 5)}`;
  terminal.out(
    `# Proposed by "healthmon host suggest" for ${printable(host)} from ${looks.length} readings, ${day(first.at)} to ${day(last.at)}.\n# Take over what makes sense; shares of disks, memory and the like keep their limits.\n`,
  );
  terminal.out(proposals.map(suggestionText).join('\n\n'));
  return 0;
}

/** Figures of one run of all checks stand in one record; those of single checks in records of their own. */
function looksOf(state: string, host: string, since: number): readonly Looked[] {
  const looks: Looked[] = [];
  for (const day of journalDays(state).filter(each => each >= localDay(since))) {
    for (const record of readJournal(state, day).records) {
      if (record.type !== 'reading' || record.at < since || record.reading.host !== host) continue;
      looks.push({ at: record.at, figures: Object.assign({}, ...record.reading.checks.map(({ figures }) => figures)) });
    }
  }
  return looks.sort((a, b) => a.at - b.at);
}

function printFigures({ json }: SuggestOptions, terminal: Terminal): void {
  const all = [...FIGURES.values()];
  if (json === true) {
    terminal.out(JSON.stringify(all.map(each => ({ ...each, unit: unitOf(each.name) }))));
    return;
  }
  for (const { name, help, of } of all)
    terminal.out(`${`${name}${of === undefined ? '' : `:${of.toUpperCase()}`}`.padEnd(38)} ${help}`);
}
