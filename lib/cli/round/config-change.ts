// Notes in the journal that the config is another one than at the last run, so that a report can say so. What changed is not kept: the
// files are the operator's own, and may be under version control of their own.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotWritten } from '../../record/append.ts';
import { appendJournal } from '../../record/journal.ts';
import { replaceFile } from '../../record/replace.ts';
import type { Places } from '../context.ts';

const FILES = ['site.cfg', 'sequence.cfg', 'alarms.cfg'] as const;

/**
 * Compares the files with what the state folder remembers of them. The first run only remembers.
 *
 * @param say is told what could not be written: measuring goes on all the same
 */
export function noteConfigChange(places: Places, say: (line: string) => void): void {
  try {
    note(places);
  } catch (error) {
    if (!(error instanceof NotWritten)) throw error;
    say(error.message);
  }
}

function note({ config, state }: Places): void {
  const place = join(state, 'config.json');
  const before = remembered(place);
  const now = Object.fromEntries(FILES.map(name => [name, hashOf(join(config, name))]));
  const changed = FILES.filter(name => before?.[name] !== now[name]);
  if (changed.length === 0) return;
  // Of a file that an older version did not watch there is nothing to say yet.
  const known = changed.filter(name => before?.[name] !== undefined);
  if (before !== undefined && known.length > 0) {
    const text = known.map(name => `${name} (sha256 ${short(before[name])} -> ${short(now[name])})`).join(', ');
    appendJournal(state, { type: 'monitor', event: 'config changed', text }, Date.now());
  }
  replaceFile(place, `${JSON.stringify({ v: 1, ...now })}\n`);
}

function hashOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return '';
  }
}

function short(hash: string | undefined): string {
  return hash === undefined || hash === '' ? 'none' : hash.slice(0, 8);
}

function remembered(place: string): Readonly<Record<string, string>> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(place, 'utf8'));
    if (typeof value !== 'object' || value === null || !('v' in value) || value.v !== 1) return undefined;
    return Object.fromEntries(Object.entries(value).map(([name, hash]) => [name, String(hash)]));
  } catch {
    return undefined;
  }
}
