// Limits from what was measured: high enough for every day, low enough for an incident, and ready to be pasted into host.cfg.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runHostWord } from '../../lib/cli/host/suggest.ts';
import { loadHost } from '../../lib/host/config-load.ts';
import { defaultLimits } from '../../lib/host/default-limits.ts';
import { type Looked, suggest, suggestionText } from '../../lib/host/suggest.ts';
import type { HostReading } from '../../lib/model/reading.ts';
import { appendJournal } from '../../lib/record/journal.ts';

const STEP_MS = 300_000;
const AT = Date.UTC(2026, 10, 15);

/** A week of looks, by the number of each. */
function week(figures: (n: number) => Readonly<Record<string, number>>): readonly Looked[] {
  return Array.from({ length: 2016 }, (_, n) => ({ at: AT + n * STEP_MS, figures: figures(n) }));
}

const one = (looks: readonly Looked[], figure = 'queues.total') =>
  suggest(looks, defaultLimits()).find(each => each.figure === figure);

describe('suggest()', () => {
  test('lies above what is usual, and finds the incident that it was not made from', () => {
    // 100 to 200 messages, and once 40 minutes with 2000.
    const looks = week(n => ({ 'queues.total': n >= 1000 && n < 1008 ? 2000 : 100 + (n % 101) }));
    expect(one(looks)).toEqual({
      name: 'queue',
      figure: 'queues.total',
      warn: 400,
      crit: 2000,
      forMs: 600_000,
      seen: { looks: 2016, median: 150, usual: 200, most: 2000 },
      now: { warn: 500, crit: 3000 },
      times: { proposed: 1, now: 1 },
    });
  });

  test('a host with much traffic gets limits above the defaults, which would have spoken all day', () => {
    const looks = week(n => ({ 'queues.total': n % 288 < 100 ? 4000 : 100 }));
    expect(one(looks)).toMatchObject({ warn: 8000, crit: 40_000, times: { proposed: 0, now: 7 } });
  });

  test('a quiet host is not woken for a handful', () => {
    expect(one(week(n => ({ 'queues.total': n % 3 })))).toMatchObject({ warn: 50, crit: 200 });
    expect(one(week(() => ({ 'queues.total': 0 })))).toMatchObject({ warn: 50, crit: 200 });
  });

  test('shares and what must never happen keep their limits', () => {
    const looks = week(() => ({
      'sys.disk_used_percent:/': 99,
      'sys.killed': 3,
      'queues.corrupt': 2,
      'sys.swap_used_percent': 95,
    }));
    expect(suggest(looks, defaultLimits())).toEqual([]);
  });

  test('a figure that is seldom there is left alone', () => {
    expect(
      one(
        week(n => (n % 200 === 0 ? { 'queues.delay_s': 5 } : {})),
        'queues.delay_s',
      ),
    ).toBeUndefined();
  });

  test('one of several gets a section of its own name, unless its limit is its very own', () => {
    const looks = week(() => ({ 'mconn.established:smtp': 900, 'mconn.established:imap': 300 }));
    expect(suggest(looks, defaultLimits()).map(({ name, figure }) => [name, figure])).toEqual([
      ['smtp_connections', 'mconn.established:smtp'],
      ['mconn_established_imap', 'mconn.established:imap'],
    ]);
  });
});

describe('healthmon host suggest', () => {
  let place: string;
  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), 'healthmon-suggest-'));
    mkdirSync(join(place, 'etc'));
  });
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  const figures = (n: number) => ({
    'queues.total': 100 + (n % 50),
    'queues.delay_s': 12,
    'sys.load_per_processor': 0.4,
    'mconn.established:smtp': 40,
    'ldap.total_ms:ldap1': 31.5,
  });

  async function ran(state: string, options: { json?: boolean; figures?: boolean } = {}): Promise<string> {
    const out: string[] = [];
    const terminal = { out: (line: string) => out.push(line) } as unknown as Parameters<typeof runHostWord>[2];
    await runHostWord(['suggest'], { config: join(place, 'etc'), state, days: 7, ...options }, terminal);
    return out.join('\n');
  }

  function keep(state: string, count: number, host = 'mx1'): void {
    const now = Date.now();
    for (let n = 0; n < count; n += 1) {
      const at = now - (count - n) * 900_000;
      const check = {
        check: 'queues',
        level: 'ok',
        text: '',
        figures: figures(n),
        findings: [],
        missing: [],
        tops: {},
        tookMs: 1,
      } as const;
      const reading: HostReading = { host, startedAt: at, level: 'ok', checks: [check] };
      appendJournal(state, { type: 'reading', by: 'hostcheck', reading }, at);
    }
  }

  test('what it prints is a host.cfg that can be used', async () => {
    writeFileSync(join(place, 'etc', 'host.cfg'), '[host]\ninstance = "mx1"\n');
    const state = join(place, 'var');
    keep(state, 120);
    keep(state, 60, 'another');
    const text = await ran(state);
    expect(text).toMatch(/^# Proposed by "healthmon host suggest" for mx1 from 120 readings, /);
    const etc = mkdtempSync(join(place, 'etc-'));
    writeFileSync(join(etc, 'host.cfg'), text);
    const loaded = await loadHost(etc);
    expect(loaded?.problems).toEqual([]);
    const own = loaded?.config?.limits.filter(({ isOwn }) => isOwn) ?? [];
    expect(own.map(({ name, figure, warn, crit, forMs }) => [name, figure, warn, crit, forMs])).toEqual([
      ['queue', 'queues.total', 300, 1200, 600_000],
      ['delay', 'queues.delay_s', 300, 1200, 600_000],
      ['load', 'sys.load_per_processor', 1.5, 6, 900_000],
      ['smtp_connections', 'mconn.established:smtp', 80, 400, 600_000],
      ['ldap_total_ldap1', 'ldap.total_ms:ldap1', 500, 2000, 600_000],
    ]);
    expect(JSON.parse(await ran(state, { json: true }))).toMatchObject({ v: 1, host: 'mx1', looks: 120 });
  });

  test('too few readings are told, with what is missing', async () => {
    const state = join(place, 'young');
    keep(state, 30);
    await expect(ran(state)).rejects.toThrow(
      /^Cannot suggest limits for mx1 from 30 readings over 7 hours: at least 50 over 20 hours are needed/,
    );
    await expect(ran(join(place, 'none'))).rejects.toThrow(/^Cannot suggest limits for mx1 from 0 readings: /);
  });

  test('--figures lists every figure that a limit may name', async () => {
    const text = await ran(join(place, 'none'), { figures: true });
    expect(text).toContain('sys.disk_used_percent:DIRECTORY');
    expect(text.split('\n').length).toBeGreaterThan(60);
  });

  test('suggestionText() says how often each would have been reached', () => {
    const looks = week(n => ({ 'queues.total': n >= 1000 && n < 1008 ? 2000 : 100 + (n % 101) }));
    const [first] = suggest(looks, defaultLimits());
    expect(
      first === undefined ? '' : suggestionText(first),
    ).toBe(`# queues.total: median 150, 99 of 100 looks up to 200, the most 2000; now 500 and 3000, reached once
# what follows would have been reached once
[limit.queue]
figure = "queues.total"
warn = 400
crit = 2000
for = "10m"`);
  });
});
