// Reading records as disks, kills, clocks and other programs leave them.

import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JournalRecord, TripRecord } from '../../lib/model/record.ts';
import { journalFile } from '../../lib/record/journal.ts';
import { systestHeader, systestRow } from '../../lib/record/systest.ts';
import { linesOf } from '../../lib/report/lines.ts';
import { makeReport } from '../../lib/report/make.ts';
import { dayPeriod, startOf } from '../../lib/report/period.ts';
import { readRecords } from '../../lib/report/read.ts';
import { instantOf } from '../../lib/report/read-table.ts';
import { sampleDay } from '../../lib/report/sample.ts';

const ZONE = process.env.TZ;
const DAY = '2026-11-21';
let state: string;

beforeEach(() => {
  process.env.TZ = 'Europe/Berlin';
  state = mkdtempSync(join(tmpdir(), 'healthmon-report-'));
  mkdirSync(join(state, 'journal'));
});
afterEach(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

function trips(name: 'quiet' | 'bad' = 'quiet'): TripRecord[] {
  return sampleDay(name, DAY).filter(record => record.type === 'trip');
}

function write(day: string, records: readonly (JournalRecord | object)[]): void {
  writeFileSync(journalFile(state, day), records.map(record => `${JSON.stringify(record)}\n`).join(''));
}

const read = (day = DAY, until = Number.POSITIVE_INFINITY) => readRecords({ state, period: dayPeriod(day), until });
const first = (): TripRecord => trips()[0] as TripRecord;

test('a day without any file has no records, and says that it has no journal', () => {
  expect(read()).toMatchObject({ trips: [], before: [], amends: [], doubts: { withoutJournal: 1, damaged: [], onlyInTable: 0 } });
});

test('what a fact is made of', () => {
  write(DAY, [first()]);
  const [fact] = read().trips;
  expect(fact).toMatchObject({
    path: { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'pop3' },
    isScheduled: true,
    state: 'ok',
    outcome: 'seen',
    isLate: false,
    isExcused: false,
  });
  expect(Object.keys(fact?.legs ?? {})).toEqual(['open', 'submit', 'transit', 'fetch', 'sweep']);
  expect(read().phaseNames).toContainEqual({ component: 'mta/ssmtp01', protocol: 'smtp', phase: 'banner' });
  expect(read().certificates.map(({ component }) => component)).toEqual(['mmp/smux01', 'mta/ssmtp01']);
});

test('a brief reading has the same results and total times, and nothing that is not compared', () => {
  write(DAY, sampleDay('bad', DAY));
  const options = { state, period: dayPeriod(DAY), until: Number.POSITIVE_INFINITY };
  const [whole, brief] = [readRecords(options), readRecords({ ...options, isBrief: true })];
  expect(brief.trips).toEqual(whole.trips.map(trip => ({ ...trip, legs: {}, phases: [], hops: [] })));
  expect(brief.amends).toEqual(whole.amends);
  expect([brief.certificates, brief.phaseNames]).toEqual([[], []]);
});

test('a trip belongs to the day on which it began, wherever its record stands', () => {
  const late = startOf('2026-11-22') - 2000;
  const trip = first();
  const overMidnight = { ...trip, at: late + 5000, trip: { ...trip.trip, id: 'over', startedAt: late } };
  write(DAY, [trip]);
  write('2026-11-22', [
    overMidnight,
    { ...trip, at: late + 300_000, trip: { ...trip.trip, id: 'next', startedAt: late + 299_000 } },
  ]);
  expect(read().trips.map(({ id }) => id)).toEqual([trip.trip.id, 'over']);
  expect(read('2026-11-22').trips.map(({ id }) => id)).toEqual(['next']);
  expect(read('2026-11-22').before.map(({ id }) => id)).toEqual(['over']);
  // A report made before the trip ended does not know it.
  expect(read(DAY, late + 1000).trips.map(({ id }) => id)).toEqual([trip.trip.id]);
});

test('a torn line is counted, and the rest is read', () => {
  write(DAY, trips().slice(0, 3));
  appendFileSync(journalFile(state, DAY), '{"v":1,"at":1795215903900,"type":"trip","by":"daemon","tri');
  expect(read().trips).toHaveLength(3);
  expect(read().doubts.damaged).toEqual([{ file: `${DAY}.jsonl`, lines: 1 }]);
});

test('a file that cannot be read is told, and keeps nothing else back', () => {
  write(DAY, trips().slice(0, 3));
  mkdirSync(journalFile(state, '2026-11-22'));
  mkdirSync(join(state, `systest.log.${DAY}`));
  mkdirSync(join(state, `qmonitor.log.${DAY}`));
  const report = makeReport(dayPeriod(DAY), startOf('2026-11-22') + 240_000, {
    state,
    site: undefined,
    sequence: undefined,
    version: '',
    outgoing: [],
  });
  expect(report.whole.trips).toBe(3);
  expect(report.honest.find(({ what }) => what === 'records')?.details).toEqual([
    '2026-11-22.jsonl could not be read: EISDIR',
    `systest.log.${DAY} could not be read: EISDIR`,
    `qmonitor.log.${DAY} could not be read: EISDIR`,
  ]);
});

test.for([
  ['no object', 'null'],
  ['another version', JSON.stringify({ v: 2, at: 1, type: 'trip' })],
  ['no time', JSON.stringify({ v: 1, type: 'skip', why: '' })],
  ['a trip without a path', JSON.stringify({ v: 1, at: 1, type: 'trip', trip: { startedAt: 1 }, verdict: { state: 'ok' } })],
  [
    'a trip without a verdict',
    JSON.stringify({ v: 1, at: 1, type: 'trip', trip: { startedAt: 1, path: { account: 'a', mta: 'b', mmp: 'c' } } }),
  ],
  ['legs that are none', JSON.stringify({ v: 1, at: 1, type: 'amend', trip: 7, path: [] })],
  ['NUL bytes', '\0\0\0\0'],
])('a record with %s is a damaged one', ([, line]) => {
  writeFileSync(journalFile(state, DAY), `${line}\n`);
  expect(read().trips).toEqual([]);
  expect(read().doubts.damaged).toEqual([{ file: `${DAY}.jsonl`, lines: 1 }]);
});

test('parts of a trip that are not what they should be are left out, and the trip stays', () => {
  const trip = first();
  const odd = {
    ...trip,
    trip: {
      ...trip.trip,
      legs: [null, 7, { name: 'open', tookMs: 'long', dialogs: { a: 1 } }],
      hops: 'none',
      findings: [{ what: 3 }],
      totalMs: Number.NaN,
    },
  };
  write(DAY, [odd]);
  expect(read().trips).toMatchObject([{ state: 'ok', legs: {}, phases: [], hops: [], found: [] }]);
  expect(read().trips[0]?.totalMs).toBeUndefined();
});

test('records of types to come are counted and do no harm', () => {
  write(DAY, [{ v: 1, at: startOf(DAY), type: 'horoscope' }, first()]);
  expect(read().trips).toHaveLength(1);
  expect([...read().doubts.unknownTypes]).toEqual([['horoscope', 1]]);
});

test('trips of drills and demos are no results', () => {
  write(DAY, [first(), { ...first(), by: 'drill' }, { ...first(), by: 'demo' }]);
  expect(read().trips).toHaveLength(1);
  expect(read().doubts.drills).toBe(2);
});

test('a clock that went back is told, two processes that wrote at once are not', () => {
  const [a, b] = trips();
  if (a === undefined || b === undefined) throw new Error('no sample');
  write(DAY, [b, { ...a, at: b.at - 1500 }, { ...a, at: a.at - 3000 }]);
  expect(read().doubts.clockBacks).toEqual([{ from: b.at - 1500, to: a.at - 3000 }]);
  expect(read().trips).toHaveLength(3);
});

test('what later runs found out changes the result, also when they ran days later', () => {
  const [a, b] = trips('bad').filter(({ verdict }) => verdict.state === 'failed');
  if (a === undefined || b === undefined) throw new Error('no sample');
  write(DAY, [a, b]);
  const later = startOf('2026-11-25');
  write('2026-11-25', [
    { v: 1, at: later, type: 'amend', trip: a.trip.id, path: a.trip.path, became: 'late', afterMs: 5, text: '' },
    {
      v: 1,
      at: later,
      type: 'verdict',
      trip: b.trip.id,
      path: b.trip.path,
      verdict: { state: 'failed', suspects: [{ component: 'store/ims2' }], text: 'weighed again', short: 'ims2' },
      evidence: {},
      text: '',
    },
    first(),
  ]);
  const records = read();
  expect(records.amends.map(({ trip, became }) => [trip, became])).toEqual([[a.trip.id, 'late']]);
  expect(records.trips.find(({ id }) => id === b.trip.id)).toMatchObject({
    text: 'weighed again',
    suspects: [{ component: 'store/ims2' }],
  });
  expect(records.trips).toHaveLength(2);
});

test('text from elsewhere cannot reach a terminal as it is', () => {
  const trip = first();
  const path = { account: 'a|<b>{{c}}', mta: '\x1b[31m', mmp: 'x\r\nBcc: y', mailbox: 'imap' } as const;
  write(DAY, [
    { ...trip, trip: { ...trip.trip, path, hops: [{ by: '\x1b]0;x\x07' }] }, verdict: { ...trip.verdict, text: 'a\u202eb' } },
  ]);
  const [fact] = read().trips;
  expect(fact?.path).toEqual({ account: 'a|<b>{{c}}', mta: '\\x1b[31m', mmp: 'x\\x0d\\x0aBcc: y', mailbox: 'imap' });
  expect(fact?.text).toBe('a\\u{202e}b');
  expect(fact?.hops).toEqual([{ by: '\\x1b]0;x\\x07' }]);
});

test('rows of a table stand for trips that the journal does not have, and for no others', () => {
  const records = trips().slice(0, 3);
  write(DAY, records.slice(0, 2));
  const rows = records.map(({ trip: { path, startedAt, totalMs } }) => {
    const time = new Date(startedAt).toTimeString().slice(0, 8);
    return systestRow({
      time,
      account: path.account,
      mta: path.mta,
      mmp: path.mmp,
      ...(totalMs === undefined ? {} : { totalMs }),
      error: '',
    });
  });
  writeFileSync(join(state, `systest.log.${DAY}`), `${systestHeader(DAY)}${rows.join('\n')}\n`);
  const read3 = read();
  expect(read3.trips.map(({ id }) => id === '')).toEqual([false, false, true]);
  expect(read3.doubts).toMatchObject({ onlyInTable: 1, withoutJournal: 0, damaged: [] });
});

test('names too long for the table are still recognised in it', () => {
  const trip = first();
  const path = { account: 'an-account-of-some-length', mta: 'mta|with|bars', mmp: 'mmp.example.com', mailbox: 'pop3' } as const;
  write(DAY, [{ ...trip, trip: { ...trip.trip, path } }]);
  const row = systestRow({ time: '00:00:03', ...path, totalMs: 1, error: '' });
  writeFileSync(join(state, `systest.log.${DAY}`), `${systestHeader(DAY)}${row}\n`);
  expect(read().trips).toHaveLength(1);
  expect(read().doubts.onlyInTable).toBe(0);
});

test('a table with several days and a torn last line is read for the day that is asked for', () => {
  const row = (time: string, error = '') =>
    `${systestRow({ time, account: 'ims1', mta: 'a', mmp: 'b', ...(error === '' ? { totalMs: 7 } : {}), error })}\n`;
  writeFileSync(
    join(state, 'systest.log'),
    `${systestHeader('2026-11-20')}${row('01:00:00')}${systestHeader(DAY)}${row('02:00:00')}${systestHeader(DAY)}${row('03:00:00', 'smux02 pop auth')}${row('04:00:00', 'slow submit')}${row('05:00:00', 'monitor secret')}| 06:00:0`,
  );
  expect(read().trips.map(({ state: result, short }) => [result, short])).toEqual([
    ['ok', ''],
    ['failed', 'smux02 pop auth'],
    ['slow', 'slow submit'],
    ['unknown', 'monitor secret'],
  ]);
  expect(read().doubts).toMatchObject({ damaged: [{ file: 'systest.log', lines: 1 }], withoutJournal: 1, onlyInTable: 0 });
  expect(read('2026-11-20').trips).toHaveLength(1);
});

test('the hour that a clock repeats has its rows twice', () => {
  const row = (time: string) => `${systestRow({ time, account: 'ims1', mta: 'a', mmp: 'b', totalMs: 7, error: '' })}\n`;
  const day = '2026-10-25';
  writeFileSync(
    join(state, `systest.log.${day}`),
    `${systestHeader(day)}${['02:05:03', '02:50:03', '02:05:04', '02:50:04', '03:05:03'].map(row).join('')}`,
  );
  const minutes = read(day).trips.map(({ startedAt }) => Math.round((startedAt - startOf(day)) / 60_000));
  expect(minutes).toEqual([125, 170, 185, 230, 245]);
});

test('instantOf() takes a row that was written late for what it says', () => {
  expect(instantOf(DAY, '02:00:00', startOf(DAY) + 2 * 3_600_000 + 60_000) - startOf(DAY)).toBe(2 * 3_600_000);
  expect(instantOf('2026-03-29', '03:30:00', startOf('2026-03-29')) - startOf('2026-03-29')).toBe(2.5 * 3_600_000);
});

test('linesOf() gives whole lines however they fall into its chunks', () => {
  const file = join(state, 'lines');
  const lines = ['', 'ä', 'x'.repeat(1024 * 1024 - 3), 'y'.repeat(3 * 1024 * 1024), 'last without end'];
  writeFileSync(file, lines.join('\n'));
  expect([...linesOf(file)]).toEqual(lines);
  writeFileSync(file, `${'z'.repeat(9 * 1024 * 1024)}\nnext\n`);
  expect([...linesOf(file)]).toEqual(['z', 'next']);
  expect([...linesOf(join(state, 'none'))]).toEqual([]);
});
