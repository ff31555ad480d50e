// A sequence made for a site: every pair in the fewest entries, evenly over the hour, and nothing dropped in silence.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Sequence } from '../../lib/model/sequence.ts';
import type { Site } from '../../lib/model/site.ts';
import { coverageOf, gapsOf, tablesOf } from '../../lib/plan/coverage.ts';
import { detectionOf, isUnseen } from '../../lib/plan/detection.ts';
import { type DraftTerms, draftFor, INTERVALS } from '../../lib/plan/write/draft.ts';
import { formatSequence } from '../../lib/site/sequence.ts';
import { type Doors, load, loadShape, numbered, type Shape } from './sites.ts';

/** HEALTHMON_PLAN_RUNS=1000 looks longer. */
const RUNS = Number(process.env.HEALTHMON_PLAN_RUNS ?? 8);
const PLENTY: DraftTerms = { intervalMinutes: 1, perMinute: 1000 };
const seed = (interval: number): Shape => ({ mtas: 4, mmps: ['both', 'both'], accounts: [1, 1, 1, 1], interval });
const big = (interval: number): Shape => ({
  mtas: 20,
  mmps: numbered('', 20).map(() => 'both' as const),
  accounts: numbered('', 50).map(() => 1),
  interval,
});

/** What a made sequence leaves out. */
function left(site: Site, sequence: Sequence): { readonly gaps: number; readonly unseen: number } {
  const gaps = tablesOf(coverageOf(site, sequence)).reduce((sum, table) => sum + gapsOf(table).length, 0);
  return { gaps, unseen: detectionOf(site, sequence).filter(isUnseen).length };
}

/** Pairs without an entry, and doors that no entry of a pair goes by; counted without coverage.ts. */
function unmet(site: Site, entries: Sequence): readonly string[] {
  const accounts = [...site.accounts.keys()].filter(name => name !== 'bounce');
  const mmps = site.mmps.size === 0 ? ['direct'] : [...site.mmps.keys()];
  const missing: string[] = [];
  const meets = (found: Sequence, what: string) => {
    if (found.length === 0) missing.push(what);
  };
  for (const mta of site.mtas.keys())
    for (const account of accounts)
      meets(
        entries.filter(each => each.mta === mta && each.account === account),
        `${mta} ${account}`,
      );
  for (const mmp of mmps) {
    const { pop3, imap } = site.mmps.get(mmp) ?? { pop3: true, imap: true };
    const only = pop3 === undefined ? 'imap' : imap === undefined ? 'pop3' : undefined;
    const here = entries.filter(each => each.mmp === mmp && each.mailbox === only);
    for (const account of accounts)
      meets(
        here.filter(each => each.account === account),
        `${mmp} ${account}`,
      );
    for (const mta of site.mtas.keys())
      meets(
        here.filter(each => each.mta === mta),
        `${mta} ${mmp}`,
      );
  }
  return missing;
}

/** The longest pause between two visits, against what it would be if they were even. */
function unevenness(sequence: Sequence, word: 'account' | 'mta' | 'mmp'): number {
  const names = [...new Set(sequence.map(entry => entry[word]))];
  return Math.max(
    ...names.map(name => {
      const minutes = sequence.filter(entry => entry[word] === name).map(({ minute }) => minute);
      const pauses = minutes.map((minute, n) => (minutes[n + 1] ?? (minutes[0] ?? 0) + 60) - minute);
      return (Math.max(...pauses) * minutes.length) / 60;
    }),
  );
}

test('the seed’s site takes 16 entries, which is the least there can be', async () => {
  const site = await loadShape(seed(3));
  const { entries, needed, lowerBound } = draftFor(site, { intervalMinutes: 3, perMinute: 1 });
  expect([entries.length, needed, lowerBound]).toEqual([16, 16, 16]);
  expect(left(site, entries)).toEqual({ gaps: 0, unseen: 0 });
});

test('the seed’s components are visited evenly, and no MTA twice in a row', async () => {
  const { entries } = draftFor(await loadShape(seed(3)), { intervalMinutes: 3, perMinute: 1 });
  for (const [n, entry] of entries.entries()) expect(entries[(n + 1) % entries.length]?.mta).not.toBe(entry.mta);
  for (const word of ['account', 'mta', 'mmp'] as const) expect(unevenness(entries, word)).toBeLessThan(1.8);
});

test('20 MTAs, 20 MMPs and 50 stores take 1000 entries, the least there can be, in less than 2 s of one processor', async () => {
  const site = await loadShape(big(1));
  const before = process.cpuUsage();
  const { entries, lowerBound } = draftFor(site, { intervalMinutes: 1, perMinute: 17 });
  const { user, system } = process.cpuUsage(before);
  expect([entries.length, lowerBound]).toEqual([1000, 1000]);
  expect(left(site, entries)).toEqual({ gaps: 0, unseen: 0 });
  expect((user + system) / 1000).toBeLessThan(2000);
  expect(unevenness(entries, 'mta')).toBeLessThan(3.5);
});

test('20 MTAs, 20 MMPs and 50 stores in 12 entries: the best of them in less than 2 s, and what would make room', async () => {
  const site = await loadShape(big(5));
  const before = process.cpuUsage();
  const { entries, room, instead } = draftFor(site, { intervalMinutes: 5, perMinute: 1 });
  const { user, system } = process.cpuUsage(before);
  expect([entries.length, room, instead]).toEqual([12, 12, { perMinute: 84, perMinuteAtMost: 17 }]);
  expect((user + system) / 1000).toBeLessThan(2000);
});

const doors = fc.constantFrom<Doors>('both', 'both', 'pop3', 'imap');
const shape: fc.Arbitrary<Shape> = fc.record({
  mtas: fc.integer({ min: 1, max: 6 }),
  mmps: fc.array(doors, { maxLength: 4 }),
  accounts: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 4 }),
  smtpBalancer: fc.boolean(),
  bounce: fc.boolean(),
  storeDoors: fc.constant(true),
});

test('whatever the site, a made sequence covers every pair, is no longer than 15 % above the bound, and checks clean', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(shape, fc.boolean(), async (random, popBalancer) => {
      const some: Shape = {
        ...random,
        more: { site: 'submit = 5\ndeliver = 30\nfetch = 5\n' },
        popBalancer: popBalancer && random.mmps.length > 0 && random.mmps.every(each => each === 'both'),
        interval: 1,
      };
      const site = await loadShape(some);
      const draft = draftFor(site, PLENTY);
      expect(left(site, draft.entries)).toEqual({ gaps: 0, unseen: 0 });
      expect(unmet(site, draft.entries)).toEqual([]);
      expect(draft.entries.length).toBeLessThanOrEqual(draft.lowerBound * 1.15 + 2);
      expect(draft).toEqual(draftFor(site, PLENTY));
      const read = await load(some, formatSequence(draft.entries));
      expect(read.warnings).toEqual([]);
      expect(read.sequence.map(({ line: _, ...entry }) => entry)).toEqual(draft.entries.map(({ line: _, ...entry }) => entry));
    }),
    { numRuns: RUNS },
  );
});

test('whatever the room, a made sequence keeps to it, covers what it can, and says truly what would make room for all', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      shape,
      fc.constantFrom(...INTERVALS),
      fc.integer({ min: 1, max: 3 }),
      async (random, intervalMinutes, perMinute) => {
        const some: Shape = { ...random, interval: intervalMinutes };
        const site = await loadShape(some);
        const draft = draftFor(site, { intervalMinutes, perMinute });
        const { entries, needed, room, instead } = draft;
        expect(entries.length).toBeLessThanOrEqual(Math.min(needed, room));
        for (const minute of new Set(entries.map(entry => entry.minute))) {
          expect(minute % intervalMinutes).toBe(0);
          expect(entries.filter(entry => entry.minute === minute).length).toBeLessThanOrEqual(perMinute);
        }
        expect(instead === undefined).toBe(needed <= room);
        if (instead === undefined) {
          expect(left(site, entries)).toEqual({ gaps: 0, unseen: 0 });
          return;
        }
        expect(entries.length).toBe(room);
        const ways: readonly DraftTerms[] = [
          { intervalMinutes, perMinute: instead.perMinute },
          { intervalMinutes: 1, perMinute: instead.perMinuteAtMost },
          ...(instead.intervalMinutes === undefined ? [] : [{ intervalMinutes: instead.intervalMinutes, perMinute: 1 }]),
        ];
        for (const way of ways) expect(left(site, draftFor(site, way).entries)).toEqual({ gaps: 0, unseen: 0 });
      },
    ),
    { numRuns: RUNS },
  );
});

test('with too little room every component is visited, balancers too, before more pairs are met', async () => {
  const site = await loadShape({ ...seed(5), smtpBalancer: true, popBalancer: true });
  expect(left(site, draftFor(site, { intervalMinutes: 10, perMinute: 1 }).entries).unseen).toBe(0);
  // One entry leads over both balancers, and the eleven others over eleven of the sixteen pairs.
  expect(left(site, draftFor(site, { intervalMinutes: 5, perMinute: 1 }).entries)).toEqual({ gaps: 5, unseen: 0 });
});

test('each door of an MMP is visited as evenly as its turns by the hour allow', async () => {
  const site = await loadShape(seed(3));
  const { entries } = draftFor(site, { intervalMinutes: 3, perMinute: 1 });
  const times = detectionOf(site, entries).flatMap(({ byProtocol }) => Object.values(byProtocol ?? {}));
  expect(times).toHaveLength(4);
  // 16 visits of each in two hours, half of them by each protocol: every 15 minutes if they were even.
  expect(Math.max(...times) / 60_000).toBeLessThan(30);
});
