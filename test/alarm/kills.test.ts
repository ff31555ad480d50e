// The durable outbox under kill -9. KILLS=200 is the full form.

import { expect, test } from 'vitest';
import { killTellers } from './kills.ts';

const KILLS = Number(process.env.KILLS ?? 40);

test(`${KILLS} kills between decision and delivery: nothing is lost, and what came twice came under the same id`, {
  timeout: 30_000 + KILLS * 2000,
}, async () => {
  let seed = 20261122;
  const chance = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const { lost, doubled, mostOfOneKill, repeated, ...struck } = await killTellers(KILLS, chance);
  console.log(
    `      ${struck.kills} kills: ${struck.before} before the decision was on disk, ${struck.between} between it and delivery, ${struck.after} after; ${struck.alarms} alarms told in ${struck.told} messages, ${repeated} came twice`,
  );
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  expect(mostOfOneKill).toBeLessThanOrEqual(1);
  expect(struck.between).toBeGreaterThan(KILLS / 5);
});
