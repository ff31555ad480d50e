// Every fault of the embedded site, at one place each: the verdict names the truth, which only the site knows. Every fault at every
// place, and the real servers, are in test/real.

import { expect, test } from 'vitest';
import { drillMany, drillPairs, openDrill } from '../../lib/cli/drill/run.ts';
import { faultsInTable, keepScores, triedAgain } from './scores.ts';

test('every fault, at one place each: component, state, protocol and phase', { timeout: 240_000 }, async () => {
  const standin = await openDrill();
  const pairs = drillPairs(standin, false);
  const { isolateMs } = standin.site.limits;
  await standin.stop();
  expect(pairs.length).toBeGreaterThan(75);
  const drilled = await triedAgain(
    await drillMany(pairs, { sites: 6 }),
    ({ right, stateRight }) => right && stateRight,
    async each => (await drillMany([[each.fault, each.place]], { sites: 1 }))[0] ?? each,
  );
  keepScores(
    'embedded',
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
  const told = drilled.map(each => ({ ...each, named: each.record.verdict.suspects.map(({ component }) => component) }));
  expect(
    told
      .filter(({ right, stateRight }) => !right || !stateRight)
      .map(({ fault, place, named, record }) => ({ fault, place, named, text: record.verdict.text })),
  ).toEqual([]);
  expect(told.filter(({ phaseRight }) => phaseRight).length / told.length).toBeGreaterThanOrEqual(0.95);
  expect(pairs.map(([fault]) => fault).filter(fault => !faultsInTable('embedded').has(fault))).toEqual([]);
  // The limit, and what a busy machine takes to notice that it has passed.
  expect(Math.max(...told.map(({ tookMs }) => tookMs))).toBeLessThan(isolateMs + 1500);
});
