// Four times the input takes about four times the work: no parser is worse than linear, for any of the pieces that it knows.
//
// Work is counted as processor time of this process, which a busy neighbour does not change, and as a ratio within one run. Of each
// size the best of two is taken. Quadratic work would be sixteen times as much, and more than the allowance from a few milliseconds on.

import { expect, test } from 'vitest';
import { PARSERS, type Parser } from './parsers.ts';

const TIMES = 4;
const ALLOWED = 9;
/** Below this the clock's grain and the garbage collector are all that is seen; ms. */
const FREE_MS = 25;
const SIZE = 16 * 1024;

async function work({ parse, mayThrow }: Parser, bytes: Buffer): Promise<number> {
  const before = process.cpuUsage();
  try {
    await parse(bytes);
  } catch (error) {
    if (mayThrow?.(error) !== true) throw error;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function best(parser: Parser, bytes: Buffer): Promise<number> {
  const first = await work(parser, bytes);
  return first < FREE_MS ? first : Math.min(first, await work(parser, bytes));
}

/** A piece alone, behind the beginning of good input, within it, and in front of its end. */
function* shapes({ good, pieces, leads = [] }: Parser): Generator<readonly [string, (size: number) => Buffer]> {
  const whole = good[0] ?? Buffer.alloc(0);
  const half = Math.floor(whole.length / 2);
  for (const piece of pieces) {
    const filled = (size: number) => Buffer.from(piece.repeat(Math.ceil(size / piece.length)));
    yield [`${JSON.stringify(piece)} alone`, filled];
    yield [
      `${JSON.stringify(piece)} within`,
      size => Buffer.concat([whole.subarray(0, half), filled(size), whole.subarray(half)]),
    ];
    for (const lead of leads)
      yield [`${JSON.stringify(piece)} behind ${JSON.stringify(lead)}`, size => Buffer.concat([Buffer.from(lead), filled(size)])];
    yield [`${JSON.stringify(piece)} between "x"`, size => Buffer.from(`${piece}x`.repeat(Math.ceil(size / (piece.length + 1))))];
  }
}

test.for(PARSERS.map(parser => [parser.name, parser] as const))(
  '%s: four times the input is no more than about four times the work',
  { timeout: 120_000 },
  async ([, parser]) => {
    const crawling: string[] = [];
    for (const [shape, input] of shapes(parser)) {
      const size = parser.size ?? SIZE;
      const little = await best(parser, input(size));
      const much = await best(parser, input(size * TIMES));
      if (much > FREE_MS + little * ALLOWED) crawling.push(`${shape}: ${little.toFixed(1)} ms, then ${much.toFixed(1)} ms`);
    }
    expect(crawling).toEqual([]);
  },
);
