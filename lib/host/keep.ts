// What a check carries from one look to the next: counters to take differences of, since when a limit is passed, values whose change
// is judged. One file for each check in STATE/host, replaced as a whole; one that cannot be read is as if there were none.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckName, Figures } from '../model/reading.ts';
import { replaceFile } from '../record/replace.ts';
import { baseName } from './figures.ts';
import type { Beyond } from './judge.ts';
import type { Limit } from './limits.ts';
import { kept, keptNumber } from './source.ts';
import { extended, type Point, pointsOf } from './trend.ts';

export interface Kept {
  /** The last look, epoch ms. */
  readonly at: number | undefined;
  readonly before: unknown;
  readonly beyond: Beyond;
  readonly history: Readonly<Record<string, readonly Point[]>>;
}

const NOTHING: Kept = { at: undefined, before: undefined, beyond: {}, history: {} };

export function loadKept(state: string, check: CheckName): Kept {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(fileOf(state, check), 'utf8'));
  } catch {
    return NOTHING;
  }
  if (keptNumber(value, 'v') !== 1) return NOTHING;
  return {
    at: keptNumber(value, 'at'),
    before: kept(value, 'before'),
    beyond: mapped(kept(value, 'beyond'), each => (typeof each === 'number' ? each : undefined)),
    history: mapped(kept(value, 'history'), pointsOf),
  };
}

/** Names of files are kept as they are, and written so that whoever prints this file sees them and no more. @throws {NotWritten} */
export function saveKept(state: string, check: CheckName, kept: Kept): void {
  const text = JSON.stringify({ v: 1, ...kept });
  const plain = text.replace(/[\x7f-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  replaceFile(fileOf(state, check), `${plain}\n`);
}

function fileOf(state: string, check: CheckName): string {
  return join(state, 'host', `${check}.json`);
}

/** The history with this look's values: of figures whose change some limit judges, for as long as it needs. */
export function remembered(history: Kept['history'], figures: Figures, limits: readonly Limit[], at: number): Kept['history'] {
  const longest = new Map<string, number>();
  for (const { figure, overMs } of limits) {
    if (overMs !== undefined) longest.set(figure, Math.max(longest.get(figure) ?? 0, overMs));
  }
  const next: Record<string, readonly Point[]> = {};
  for (const [figure, value] of Object.entries(figures)) {
    const overMs = longest.get(figure) ?? longest.get(baseName(figure));
    if (overMs !== undefined) next[figure] = extended(history[figure] ?? [], [at, value], { ms: overMs * 1.5, most: 500 });
  }
  return next;
}

function mapped<T>(value: unknown, read: (each: unknown) => T | undefined): Readonly<Record<string, T>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const result: Record<string, T> = {};
  for (const [key, each] of Object.entries(value)) {
    const one = read(each);
    if (one !== undefined && key !== '__proto__') result[key] = one;
  }
  return result;
}
