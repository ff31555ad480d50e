// The embedded site once more: faults at the places where they can occur, every third one; EVERYWHERE=1 takes all of the 389, in three
// minutes. It has the machine for itself.

import { expect, test } from 'vitest';
import { drillMany, drillPairs, openDrill } from '../../lib/cli/drill/run.ts';
import { keepScores, triedAgain } from '../isolate/scores.ts';

const isWhole = process.env.EVERYWHERE === '1';

test('faults at places of the embedded site', { timeout: 900_000 }, async () => {
  const standin = await openDrill();
  const pairs = drillPairs(standin, true).filter((_, n) => isWhole || n % 3 === 0);
  await standin.stop();
  const drilled = await triedAgain(
    await drillMany(pairs, { sites: 5 }),
    ({ right, stateRight }) => right && stateRight,
    async each => (await drillMany([[each.fault, each.place]], { sites: 1 }))[0] ?? each,
  );
  const scores = drilled.map(({ fault, place, record, right, stateRight, phaseRight, tookMs }) => ({
    fault,
    place,
    state: record.verdict.state,
    suspects: record.verdict.suspects,
    ms: tookMs,
    right: right && stateRight,
    phaseRight: phaseRight && stateRight,
  }));
  if (isWhole) keepScores('everywhere', scores);
  expect(
    drilled
      .filter(({ right, stateRight }) => !right || !stateRight)
      .map(({ fault, place, record }) => `${fault} at ${place}: ${record.verdict.text}`),
  ).toEqual([]);
  expect(drilled.filter(({ phaseRight }) => phaseRight).length / drilled.length).toBeGreaterThanOrEqual(0.95);
});
