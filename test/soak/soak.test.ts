// The short form of every claim that needs nothing but Node. @see main.ts for the full form

import { expect, test } from 'vitest';
import { CLAIMS } from './list.ts';

const SEED = 20261122;

for (const { name, promise, short, unit, run } of CLAIMS.filter(({ needs }) => needs === undefined)) {
  test(`${name}, ${short} ${unit}: promise ${promise}`, { timeout: 120_000 }, async context => {
    const { failures, skipped } = await run({ n: short, seed: SEED, say: () => {} });
    if (skipped !== undefined) context.skip(skipped);
    expect(failures).toEqual([]);
  });
}
