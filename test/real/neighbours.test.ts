// The short form of the soak claims that need real servers. @see test/soak/main.ts for the full form

import { expect, test } from 'vitest';
import { CLAIMS } from '../soak/list.ts';

for (const { name, promise, short, unit, run } of CLAIMS.filter(({ needs }) => needs === 'lab')) {
  test(`${name}, ${short} ${unit}: promise ${promise}`, { timeout: 300_000 }, async context => {
    const { failures, skipped } = await run({ n: short, seed: 20261122, say: () => {} });
    if (skipped !== undefined) context.skip(skipped);
    expect(failures).toEqual([]);
  });
}
