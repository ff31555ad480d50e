// A journal that another hand, another program or a bad disk has written to: lines that are JSON and no records are counted as
// damaged, and everything that reads the journal goes on with the others.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import pc from 'picocolors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resultsOfReading } from '../../lib/alarm/when/reading.ts';
import { needsOf, resultOf } from '../../lib/alarm/when/result.ts';
import { explainText, findTrip } from '../../lib/cli/explain.ts';
import { Past } from '../../lib/cli/round/past.ts';
import { nagiosLine } from '../../lib/cli/view/nagios.ts';
import { roundTable } from '../../lib/cli/view/table.ts';
import type { TripRecord } from '../../lib/model/record.ts';
import { journalFile, readJournal } from '../../lib/record/journal.ts';
import { readRecords } from '../../lib/report/read.ts';
import { sampleLines } from '../../lib/report/sample.ts';
import { openWorld, type World } from '../story/world.ts';

const RUNS = Number(process.env.HEALTHMON_FUZZ_RUNS ?? 60);
const DAY = '2026-11-22';
const COLOURLESS = pc.createColors(false);

let state: string;
let lines: readonly string[];
let world: World;

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'healthmon-journal-'));
  world = await openWorld();
  // One of each kind from a bad day, and a real trip that failed, with all that was looked at.
  await world.standin.breakIt('stopped', 'mmp/smux01');
  const real = JSON.stringify(await world.one({}));
  const types = new Map(
    sampleLines('bad', DAY).map(line => [`${JSON.parse(line).type} ${JSON.parse(line).trip?.arrival?.outcome}`, line]),
  );
  lines = [...types.values(), real];
});
afterAll(async () => {
  rmSync(state, { recursive: true, force: true });
  await world.stop();
});

/** All that reads a journal, over this one. */
function readAll(text: string): number {
  const file = journalFile(state, DAY);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  const { records, damaged } = readJournal(state, DAY);
  const { site } = world.standin;
  const path = { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'imap' } as const;
  for (const paths of [[path], []]) {
    const past = Past.read(state, paths);
    past.arrivals(path);
    past.phases(path);
    past.siblings(path, Date.now());
  }
  for (const record of records) {
    if (record.type === 'reading') resultsOfReading(record, new Set());
    else resultOf(record, site, needsOf(site));
    if (record.type === 'trip') shown(record);
  }
  readRecords({ state, period: { from: DAY, to: DAY }, until: Number.POSITIVE_INFINITY });
  return damaged;
}

function shown(record: TripRecord): void {
  const found = findTrip(state, record.trip.id.slice(0, 5));
  if (found !== undefined) explainText(found, COLOURLESS, world.standin.site);
  nagiosLine(record, world.standin.site.limits);
  roundTable([record]);
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every place in a value: names and numbers on the way there. */
function places(value: Json, above: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [above];
  const inner = Array.isArray(value) ? value.map((each, at) => [at, each] as const) : Object.entries(value);
  return [above, ...inner.flatMap(([name, each]) => places(each, [...above, name]))];
}

/** The value with another thing, or nothing, at a place. */
function put(value: Json, place: readonly (string | number)[], other: Json | undefined): Json {
  const copy = structuredClone(value);
  let at: Json = copy;
  for (const name of place.slice(0, -1)) at = (at as Record<string, Json>)[name] as Json;
  const last = place.at(-1);
  if (last === undefined) return other ?? null;
  if (other === undefined) delete (at as Record<string, Json>)[last];
  else (at as Record<string, Json>)[last] = other;
  return copy;
}

test('a journal that is whole has no damaged line, of any kind of record', () => {
  expect(lines.length).toBeGreaterThan(8);
  expect(readAll(`${lines.join('\n')}\n`)).toBe(0);
});

test('whatever stands in place of a field, or is missing, no reader throws', () => {
  let damaged = 0;
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(),
      fc.constantFrom<Json | undefined>(undefined, null, true, -1, 1e300, '', '\x1b[2J', [], {}, [null], { a: 1 }),
      (which, where, other) => {
        const line = lines[which % lines.length] as string;
        const value = JSON.parse(line) as Json;
        const all = places(value);
        const changed = put(value, all[where % all.length] ?? [], other);
        damaged += readAll(`${JSON.stringify(changed)}\n${line}\n`);
      },
    ),
    { numRuns: RUNS },
  );
  expect(damaged).toBeGreaterThan(RUNS / 10);
}, 120_000);
