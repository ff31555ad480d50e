// The embedded site once more: every fault at every place where it can occur. Takes some minutes, so it runs with the real servers.

import { expect, test } from 'vitest';
import { drillMany, drillPairs, openDrill } from '../../lib/cli/drill/run.ts';
import { keepScores } from '../isolate/scores.ts';

test('every fault at every place of the embedded site', { timeout: 900_000 }, async () => {
  const standin = await openDrill();
  const pairs = drillPairs(standin, true);
  await standin.stop();
  const drilled = await drillMany(pairs, { sites: 5 });
  keepScores(
    'everywhere',
    drilled.map(({ fault, place, record, right, stateRight, phaseRight, tookMs }) => ({
      fault,
      place,
      state: record.verdict.state,
      suspects: record.verdict.suspects,
      ms: tookMs,
      right: right && stateRight,
      phaseRight: phaseRight && stateRight,
    })),
  );
  expect(
    drilled
      .filter(({ right, stateRight }) => !right || !stateRight)
      .map(({ fault, place, record }) => `${fault} at ${place}: ${record.verdict.text}`),
  ).toEqual([]);
  expect(drilled.filter(({ phaseRight }) => phaseRight).length / drilled.length).toBeGreaterThanOrEqual(0.95);
});
