// What a run knows of the past: before a trip over one path it reads only that path's, and must know no less when it asks for more.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Past } from '../../lib/cli/round/past.ts';
import type { TripRecord } from '../../lib/model/record.ts';
import { type Path, pathKey } from '../../lib/model/trip.ts';
import { journalFile, readJournal, readJournalTail } from '../../lib/record/journal.ts';
import { sampleLines } from '../../lib/report/sample.ts';

const DAY = '2026-11-22';
let state: string;
let trips: readonly TripRecord[];
let paths: readonly Path[];

beforeAll(() => {
  state = mkdtempSync(join(tmpdir(), 'healthmon-past-'));
  const file = journalFile(state, DAY);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${sampleLines('bad', DAY).join('\n')}\n`);
  trips = readJournalTail(state, 1024 * 1024).records.filter(record => record.type === 'trip');
  paths = [...new Map(trips.map(({ trip }) => [pathKey(trip.path), trip.path])).values()];
});
afterAll(() => rmSync(state, { recursive: true, force: true }));

function knownOf(past: Past, path: Path, at: number) {
  return { arrivals: past.arrivals(path), phases: past.phases(path), siblings: past.siblings(path, at) };
}

test('a round over one path knows the same of it and of its neighbours as a round over all', () => {
  expect(paths.length).toBeGreaterThan(3);
  let known = 0;
  for (const path of paths) {
    const at = trips.at(-1)?.at ?? 0;
    const of = (path_: Path) => knownOf(Past.read(state, [path]), path_, at);
    expect(of(path)).toEqual(knownOf(Past.read(state, paths), path, at));
    const other = paths.find(each => each !== path) as Path;
    expect(of(other)).toEqual(knownOf(Past.read(state, paths), other, at));
    known += of(path).siblings.length + (of(path).arrivals === undefined ? 0 : 1);
  }
  expect(known).toBeGreaterThan(paths.length);
});

test('a trip of this round that is in the journal already counts once', () => {
  const [path] = paths as [Path];
  const mine = trips.filter(({ trip }) => pathKey(trip.path) === pathKey(path)).at(-1) as TripRecord;
  const file = journalFile(state, DAY);
  const whole = readFileSync(file, 'utf8');
  const without = whole.split('\n').filter(line => !line.includes(JSON.stringify(mine.trip.id)));
  writeFileSync(file, without.join('\n'));
  const past = Past.read(state, [path]);
  writeFileSync(file, whole);
  past.add(mine);
  expect(knownOf(past, path, mine.at)).toEqual(knownOf(Past.read(state, paths), path, mine.at));
  expect(past.phases(path)).toEqual(Past.read(state, paths).phases(path));
});

test('a path whose names need escapes in JSON is found', () => {
  const [record] = trips as [TripRecord];
  const path: Path = { account: 'a"b\\c', mta: 'mx\u00e4', mmp: 'direct', mailbox: 'imap' };
  writeFileSync(journalFile(state, '2026-11-23'), `${JSON.stringify({ ...record, trip: { ...record.trip, path } })}\n`);
  const words = [path.account, path.mta].map(word => JSON.stringify(word));
  expect(readJournalTail(state, 1024 * 1024, words).records).toEqual(readJournal(state, '2026-11-23').records);
  rmSync(journalFile(state, '2026-11-23'));
});
