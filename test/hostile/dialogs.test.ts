// Every hostile peer, by table: the dialog ends by its deadline, names component, protocol, phase and kind, and lets nothing foul through.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { secureContext } from '../../lib/standin/network/certificates.ts';
import { NAME } from '../dialog/peer.ts';
import { check, Metronome, pooled } from './runner.ts';
import { TABLES } from './tables.ts';

/** Many at once, so that waiting costs little; few enough that one event loop serves both ends of each in time. */
const AT_ONCE = 10;

const NOT_RUN = Promise.resolve(['was not run']);
const CERTIFICATES = [
  'good',
  'expired',
  'not yet valid',
  'other name',
  'self-signed',
  'unknown authority',
  'weak key',
  'escapes',
] as const;

const cases = Object.values(TABLES).flat();
let metronome: Metronome;
let results: ReadonlyMap<(typeof cases)[number], Promise<readonly string[]>>;

beforeAll(() => {
  metronome = new Metronome();
  // Made once, which takes a moment: no case shall wait for it.
  for (const variant of CERTIFICATES) secureContext([NAME], variant);
  const light = cases.filter(each => each.heavy !== true);
  const heavy = cases.filter(each => each.heavy === true);
  const lights = pooled(light, AT_ONCE, each => check(each, metronome));
  // What floods keeps both ends busy: it runs by itself, when nobody else's time is taken.
  const heavies = pooled(heavy, 2, async each => {
    await Promise.allSettled(lights);
    return check(each, metronome);
  });
  results = new Map([
    ...light.map((each, index) => [each, lights[index] ?? NOT_RUN] as const),
    ...heavy.map((each, index) => [each, heavies[index] ?? NOT_RUN] as const),
  ]);
});
afterAll(() => metronome.stop());

for (const [protocol, table] of Object.entries(TABLES)) {
  for (const each of table) {
    test(`${protocol}: a peer that ${each.name}`, async () => {
      expect(await results.get(each)).toEqual([]);
    });
  }
}

test.for(Object.entries(TABLES))('%s: the table is as large as was promised, and its names are unique', ([protocol, table]) => {
  const least = ['smtp', 'pop3', 'imap'].includes(protocol) ? 40 : 10;
  expect(table.length).toBeGreaterThanOrEqual(least);
  expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
});
