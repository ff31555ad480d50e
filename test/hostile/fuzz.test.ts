// Whatever is in a file or a reply: no parser throws but as it is documented, and what it gives for people is clean.
//
// HEALTHMON_FUZZ_RUNS sets how many inputs each gets; 200 when absent. A failure prints its seed and its path.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inputs } from './inputs.ts';
import { PARSERS } from './parsers.ts';
import { isFoul } from './runner.ts';

const RUNS = Number(process.env.HEALTHMON_FUZZ_RUNS ?? 200);

test.for(PARSERS.map(parser => [parser.name, parser] as const))(
  '%s: no input makes it throw, and what it tells is clean',
  { timeout: 120_000 },
  async ([, parser]) => {
    await fc.assert(
      fc.asyncProperty(inputs(parser), async bytes => {
        try {
          const foul = (await parser.parse(bytes)).filter(isFoul);
          expect(foul).toEqual([]);
        } catch (error) {
          if (parser.mayThrow?.(error) !== true) throw error;
        }
      }),
      { numRuns: RUNS },
    );
  },
);
