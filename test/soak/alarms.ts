// Runs of the alarms that are killed between decision and delivery, against a receiver on loopback (test/alarm/kills.ts).
//
// None may be lost, none told under two ids, and to a person who is served by something that takes each id once none may come twice.
// What the service itself sees twice is a figure, at most one a kill: whoever is killed while the service answers cannot know of it.

import { killTellers } from '../alarm/kills.ts';
import { Chance, type Claim, type Order, type Outcome } from './claim.ts';

export const alarms: Claim = {
  name: 'alarms',
  promise: 'alarms: kill -9 between decision and delivery loses none, and doubles none for whoever takes an id once',
  unit: 'kills between decision and delivery',
  short: 12,
  full: 200,
  run: kill,
};

async function kill({ n, seed, say }: Order): Promise<Outcome> {
  const chance = new Chance(seed);
  const killed = await killTellers(n, () => chance.next(), say);
  const { lost, doubled, shownTwice, repeated, mostOfOneKill } = killed;
  const failures = [
    ...lost.map(name => `the alarm of ${name} was never told`),
    ...doubled.map(name => `the alarm of ${name} was told under two ids`),
    ...(shownTwice > 0 ? [`${shownTwice} came twice to somebody who takes an id once`] : []),
    ...(mostOfOneKill > 1 ? [`one kill made ${mostOfOneKill} come twice`] : []),
  ];
  return {
    n: killed.between,
    failures,
    figures: {
      'kills before the decision was on disk': killed.before,
      'after delivery': killed.after,
      'alarms told': `${killed.alarms - lost.length} of ${killed.alarms}`,
      'seen twice by the service': repeated,
      'shown twice to the person': shownTwice,
    },
  };
}
