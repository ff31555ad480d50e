// Components that somebody has taken out for a while: one small file each under drain/, which the command writes and every run reads.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Component } from '../model/component.ts';
import type { Absence } from '../model/evidence.ts';
import { replaceFile } from './replace.ts';

export interface Drain {
  readonly component: Component;
  /** Epoch ms. */
  readonly since: number;
  /** Epoch ms; absent: until it is taken back. */
  readonly until?: number;
  readonly reason: string;
}

/** @throws {NotWritten} */
export function putDrain(state: string, drain: Drain): void {
  replaceFile(fileOf(state, drain.component), `${JSON.stringify(drain)}\n`);
}

/** @returns whether there was one */
export function endDrain(state: string, component: Component): boolean {
  const there = read(fileOf(state, component)) !== undefined;
  rmSync(fileOf(state, component), { force: true });
  return there;
}

/** Those that are in force at an instant; one that is over stays on disk until it is replaced, and counts no more. */
export function drainsAt(state: string, at: number): readonly Drain[] {
  return names(join(state, 'drain'))
    .map(name => read(join(state, 'drain', name)))
    .filter(drain => drain !== undefined)
    .filter(({ since, until }) => since <= at && (until === undefined || at < until));
}

/** A drain as what isolation and alarms are told. */
export function absenceOf({ component, until, reason }: Drain): Absence {
  return { component, reason, ...(until === undefined ? {} : { until }) };
}

function fileOf(state: string, component: Component): string {
  return join(state, 'drain', `${component.replace(/[^A-Za-z0-9._-]/g, '_')}.json`);
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter(name => name.endsWith('.json'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function read(file: string): Drain | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Drain;
    return typeof value.component === 'string' && typeof value.since === 'number' && typeof value.reason === 'string'
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}
