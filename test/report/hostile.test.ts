// Names and texts that try to be something else, through every format that ships: columns, tags, template tags, labels, formulas and
// terminals stay what they are. And days that clocks make hard.

import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TripRecord } from '../../lib/model/record.ts';
import { journalFile } from '../../lib/record/journal.ts';
import type { Report } from '../../lib/report/data.ts';
import { dress } from '../../lib/report/dress.ts';
import { type Formats, loadFormats } from '../../lib/report/formats.ts';
import { composeLetter } from '../../lib/report/letter.ts';
import { makeReport } from '../../lib/report/make.ts';
import { namesOf } from '../../lib/report/names.ts';
import { dayPeriod, spanOf } from '../../lib/report/period.ts';
import { recordsFrom } from '../../lib/report/read.ts';
import { renderReport } from '../../lib/report/render.ts';
import { reportOf } from '../../lib/report/report.ts';
import { sampleDay, sampleLines } from '../../lib/report/sample.ts';
import { wrongWith } from './conform.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ZONE = process.env.TZ;
const DAY = '2026-11-21';
const NASTY = [
  'a|b|c',
  '<script>alert(1)</script>',
  '{{7}}{{site.name}}{{> bad}}',
  '\x1b[31mred\x1b[0m\x1b]0;title\x07',
  'x\r\nBcc: victim@example.org',
  '"quoted\\" \'and\' more"',
  '=HYPERLINK("http://x.test","y")',
  '\u202egnirts\u2028end\u0000',
  '}, evil="1',
  'ä€🙂'.repeat(20),
  '__proto__',
  ' ',
];
let formats: Formats;
let report: Report;

beforeAll(async () => {
  process.env.TZ = 'Europe/Berlin';
  formats = await loadFormats({ shipped: join(ROOT, 'reports'), plugins: join(ROOT, 'none') });
  report = nastyReport();
});
afterAll(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

/** A bad day on which every name and every text of a peer is one of the nasty ones. */
function nastyReport(): Report {
  const state = mkdtempSync(join(tmpdir(), 'healthmon-nasty-'));
  mkdirSync(join(state, 'journal'));
  const nasty = (n: number) => NASTY[n % NASTY.length] ?? '';
  const records = sampleDay('bad', DAY).map((record, n) => {
    if (record.type !== 'trip')
      return { ...record, text: nasty(n), by: nasty(n), reason: nasty(n), why: nasty(n), component: nasty(n) };
    const { trip, verdict } = record;
    const path = { ...trip.path, account: nasty(n), mta: nasty(n + 1), mmp: nasty(n + 2) };
    return {
      ...record,
      trip: { ...trip, path, hops: [{ by: nasty(n), delayMs: 7 }] },
      verdict: {
        ...verdict,
        text: nasty(n),
        short: nasty(n + 3),
        suspects: verdict.suspects.map(suspect => ({
          ...suspect,
          component: nasty(n),
          protocol: nasty(n + 1),
          phase: nasty(n + 2),
        })),
      },
    };
  });
  writeFileSync(journalFile(state, DAY), records.map(record => `${JSON.stringify(record)}\n`).join(''));
  const made = makeReport(dayPeriod(DAY), spanOf(dayPeriod(DAY)).endAt + 240_000, {
    state,
    site: undefined,
    sequence: undefined,
    version: '0.1.0',
    outgoing: [],
  });
  rmSync(state, { recursive: true });
  return { ...made, site: { name: '<b>Site|{{x}}"', domain: 'example.com' } };
}

async function rendered(name: string): Promise<{ readonly text: string; readonly html: string }> {
  const format = formats.byName.get(name);
  if (format === undefined) throw new Error(`no format ${name}`);
  const { text = '', html = '' } = await renderReport(format, report, () => 'cid:x');
  return { text, html };
}

test('the data is what the schema says', () => {
  expect(report.whole.trips).toBe(281);
  expect(report.incidents.length).toBeGreaterThan(2);
  expect(wrongWith(JSON.parse(JSON.stringify(report)))).toEqual([]);
});

test.for(['classic', 'daily', 'csv', 'json', 'prometheus', 'openmetrics'])('%s can do nothing to a terminal', async name => {
  const { text, html } = await rendered(name);
  expect(text.length).toBeGreaterThan(1000);
  // Control characters but for the end of a line, and those that turn text around or end lines in secret.
  expect(`${text}${html}`).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/u);
});

test('the table of classic has its columns, and no line that a name made', async () => {
  const { text } = await rendered('classic');
  const rows = text.split('\n').filter(line => /^\| \d\d:\d\d:\d\d /.test(line));
  expect(rows).toHaveLength(281);
  expect(rows.filter(row => row.split('|').length !== 8)).toEqual([]);
  expect(text).not.toMatch(/^Bcc:/m);
});

test('the HTML has no tag and no attribute that a name made', async () => {
  const { html } = await rendered('daily');
  const { html: plain } = await (async () => {
    const format = formats.byName.get('daily');
    if (format === undefined) throw new Error('no format');
    const harmless: Report = JSON.parse(JSON.stringify(report).replace(/<(?=\\?\/?[a-z])/g, '('));
    return renderReport(format, harmless, () => 'cid:x');
  })();
  const tags = (text: string) => [...text.matchAll(/<[^>]*>/g)].length;
  expect(html).not.toMatch(/<script|<b>Site/);
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).toContain('{{7}}{{site.name}}');
  expect(tags(html)).toBe(tags(plain ?? ''));
});

/** RFC 4180. */
function csvRows(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? bare ?? '');
    if (end !== ',') rows.push([]);
    if (end === '') break;
  }
  return rows.filter(row => row.length > 1);
}

test('the CSV has as many cells in each line, and none that a spreadsheet takes for a formula', async () => {
  const { text } = await rendered('csv');
  const rows = csvRows(text);
  expect(rows).toHaveLength(282);
  expect(rows.filter(row => row.length !== rows[0]?.length)).toEqual([]);
  expect(rows.flat().filter(cell => /^[=+@\t\r-]/.test(cell))).toEqual([]);
  expect(rows.flat()).toContain('a|b|c');
});

test.for(['prometheus', 'openmetrics'])('each line of %s is by its grammar', async name => {
  const { text } = await rendered(name);
  const sample = /^[a-z_]+(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.e+-]+|NaN)( [0-9.]+)?$/;
  expect(text.split('\n').filter(line => line !== '' && !line.startsWith('# ') && !sample.test(line))).toEqual([]);
  if (name === 'openmetrics') expect(text.endsWith('# EOF\n')).toBe(true);
});

test('JSON gives every name back as it was recorded', async () => {
  const { rows }: Report = JSON.parse((await rendered('json')).text);
  expect(new Set(rows.map(({ account }) => account)).has('<script>alert(1)</script>')).toBe(true);
  expect(rows).toHaveLength(281);
});

test('the letter of such a day has the headers that it should have, and opens', async () => {
  const dressed = await dress(report, 'daily', ['csv'], formats);
  expect(dressed.problems).toEqual([]);
  const letter = await composeLetter({
    from: 'healthmon@example.com',
    to: ['a@example.com'],
    messageId: '<1@example.com>',
    at: report.made.at,
    report,
    text: dressed.text,
    html: dressed.html ?? '',
    pictures: dressed.pictures,
    files: dressed.files,
  });
  const opened = await PostalMime.parse(letter);
  expect(opened.headers.map(({ key }) => key).sort()).toEqual([
    'auto-submitted',
    'content-type',
    'date',
    'from',
    'list-id',
    'message-id',
    'mime-version',
    'subject',
    'to',
    'x-auto-response-suppress',
  ]);
  expect(opened.subject).toBe('<b>Site|{{x}}", Saturday 21 November 2026: 8 of 281 trips failed');
  expect(opened.text?.replaceAll('\r\n', '\n').trimEnd()).toBe(dressed.text.trimEnd());
});

test.for([
  { day: '2026-03-29', hours: 23 },
  { day: '2026-10-25', hours: 25 },
])('the day $day of $hours hours is reported whole, without a gap and in its order', async ({ day, hours }) => {
  const lines = sampleLines('quiet', day);
  const period = dayPeriod(day);
  const sequence = Array.from({ length: 12 }, (_, n) => ({ minute: n * 5, account: 'a', mta: 'b', mmp: 'c', line: n }));
  const made = reportOf(recordsFrom(lines, period), {
    period,
    at: spanOf(period).endAt + 240_000,
    version: '0.1.0',
    names: namesOf(undefined),
    sequence,
    paths: [],
    hostDays: [],
    damagedHosts: [],
    waiting: [],
    earlier: undefined,
    readEarlier: () => ({ trips: [], amends: [] }),
  });
  expect([made.whole.trips, made.stretches.length, made.period.minutes]).toEqual([hours * 12, hours, hours * 60]);
  expect(made.honest.find(({ what }) => what === 'not running')?.text).toBe(
    `The monitor ran at each of the ${hours * 12} times of sequence.cfg`,
  );
  expect(made.honest.find(({ what }) => what === 'clock')?.isGood).toBe(true);
  const format = formats.byName.get('classic');
  if (format === undefined) throw new Error('no format');
  const { text = '' } = await renderReport(format, made, () => '');
  expect(text).toContain(`(${hours} hours: the clocks went ${hours === 23 ? 'forward' : 'back'})`);
  expect(text.match(/^\| 02:/gm)?.length ?? 0).toBe(hours === 23 ? 0 : 24);
});

test('a torn line, a clock that went back and records out of order are told, and the rest is counted', () => {
  const state = mkdtempSync(join(tmpdir(), 'healthmon-torn-'));
  mkdirSync(join(state, 'journal'));
  const trips = sampleDay('quiet', DAY).filter((record): record is TripRecord => record.type === 'trip');
  const back = trips.map((record, n) =>
    n < 100
      ? record
      : { ...record, at: record.at - 3_600_000, trip: { ...record.trip, startedAt: record.trip.startedAt - 3_600_000 } },
  );
  writeFileSync(journalFile(state, DAY), back.map(record => `${JSON.stringify(record)}\n`).join(''));
  appendFileSync(journalFile(state, DAY), '{"v":1,"at":17952159');
  const made = makeReport(dayPeriod(DAY), spanOf(dayPeriod(DAY)).endAt + 240_000, {
    state,
    site: undefined,
    sequence: undefined,
    version: '0.1.0',
    outgoing: [],
  });
  rmSync(state, { recursive: true });
  expect(made.whole.trips).toBe(288);
  expect(made.rows.map(({ at }) => at)).toEqual(made.rows.map(({ at }) => at).sort((a, b) => a - b));
  const said = made.honest.filter(({ isGood }) => !isGood).map(({ text, details }) => [text, ...details].join(' / '));
  expect(said).toContain('The records are not whole / 1 line of 2026-11-21.jsonl could not be read');
  expect(said.find(text => text.startsWith("This machine's clock went back once"))).toContain('by 55 min');
});
