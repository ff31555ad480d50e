// The table of drills in lib/isolate/README.md: written by the test runs when UPDATE_SCORES=1, and otherwise held against what has
// just been seen, so that it cannot grow old.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Suspect } from '../../lib/model/verdict.ts';

const FILE = join(import.meta.dirname, '..', '..', 'lib', 'isolate', 'README.md');

export interface Score {
  readonly fault: string;
  readonly place: string;
  readonly state: string;
  readonly suspects: readonly Suspect[];
  readonly ms: number;
  readonly right: boolean;
  readonly phaseRight: boolean;
}

/** Puts the table between its marks; a no-op but for UPDATE_SCORES=1. */
export function keepScores(name: 'embedded' | 'everywhere' | 'real' | 'real everywhere', scores: readonly Score[]): void {
  if (process.env.UPDATE_SCORES !== '1') return;
  const text = readFileSync(FILE, 'utf8');
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`lib/isolate/README.md has no place for the table "${name}"`);
  writeFileSync(
    FILE,
    `${text.slice(0, from + begin.length)}\n${summary(scores)}\n${name.endsWith('everywhere') ? '' : `\n${table(scores)}\n`}${text.slice(to)}`,
  );
}

function summary(scores: readonly Score[]): string {
  const right = scores.filter(each => each.right).length;
  const phase = scores.filter(each => each.phaseRight).length;
  const times = scores
    .filter(each => each.ms > 0)
    .map(each => each.ms)
    .sort((a, b) => a - b);
  const median = Math.round(times[Math.floor(times.length / 2)] ?? 0);
  return `${scores.length} drills: component right in ${right}, protocol and phase in ${phase}; from the failing leg to the verdict ${median} ms at the median, ${Math.round(times.at(-1) ?? 0)} ms at the most.`;
}

function table(scores: readonly Score[]): string {
  const rows = scores.map(({ fault, place, state, suspects, ms, right, phaseRight }) => {
    const named = suspects.length === 0 ? '' : suspects.map(({ component }) => component).join(', ');
    const first = suspects[0];
    const phase = first === undefined ? '' : `${first.protocol} ${first.phase}`;
    return `| ${fault} | ${place} | ${state}${named === '' ? '' : `: ${named}`}${suspects.length > 1 && first?.confidence === 'cannot tell apart' ? ' (cannot tell apart)' : ''} | ${phase} | ${ms > 0 ? Math.round(ms) : ''} | ${right ? (phaseRight ? 'yes' : 'component') : '**no**'} |`;
  });
  return ['| fault | place | verdict | phase | ms | right |', '|---|---|---|---|---|---|', ...rows].join('\n');
}

/** Names of the faults in the table, to see that none is missing. */
export function faultsInTable(name: 'embedded' | 'real'): ReadonlySet<string> {
  const text = readFileSync(FILE, 'utf8');
  const part = text.slice(text.indexOf(`<!-- ${name}: begin -->`), text.indexOf(`<!-- ${name}: end -->`));
  return new Set([...part.matchAll(/^\| ([\w-]+) \|/gm)].map(match => match[1] as string).filter(fault => fault !== 'fault'));
}

/**
 * What was wrong while several sites and other tests shared this machine is tried once more by itself: a fault of ours is wrong again,
 * a time-out that was the machine's is not. More than one in ten that needs this is a fault of ours too.
 */
export async function triedAgain<T>(
  all: readonly T[],
  isRight: (each: T) => boolean,
  again: (each: T) => Promise<T>,
): Promise<readonly T[]> {
  const wrong = all.filter(each => !isRight(each));
  if (wrong.length > Math.max(2, all.length / 10)) return all;
  const seconds = new Map<T, T>();
  for (const each of wrong) seconds.set(each, await again(each));
  return all.map(each => seconds.get(each) ?? each);
}
