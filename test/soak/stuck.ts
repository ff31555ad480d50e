// Runs that hang: peers that never answer, and a run that is stopped (SIGSTOP) at a moment by chance, with whatever locks it holds.
//
// A run ends by its own limits. Beside a stopped one others end as well, and name it; when it is killed the next run is well at once;
// when it goes on it ends, and does not blame the mail site for the time in which it did not run.

import { setTimeout as sleep } from 'node:timers/promises';
import { openShop, type Shop } from '../cli/run.ts';
import { Chance, type Claim, type Order, type Outcome } from './claim.ts';
import { inspect } from './inspect.ts';
import { type Ended, Product } from './product.ts';

const LIMITS = { submitMs: 1500, deliverMs: 1500, fetchMs: 1500, isolateMs: 2000, slowMs: 30_000 };
/** What starting Node and writing takes on a busy machine, beyond the limits. ms */
const START_MS = 4000;
const TRIP_MS = LIMITS.submitMs + LIMITS.deliverMs + 5 * LIMITS.fetchMs + LIMITS.isolateMs + START_MS;

export const stuck: Claim = {
  name: 'stuck',
  promise:
    '6: a run ends by its limits whatever does not answer; a stopped one holds nobody up, and blames nobody when it goes on',
  unit: 'stops',
  short: 2,
  full: 40,
  run: stopRuns,
};

async function stopRuns({ n, seed, say }: Order): Promise<Outcome> {
  using product = new Product();
  const chance = new Chance(seed);
  const shop = await openShop({ mtas: 1, mmps: 1, stores: 1, limits: LIMITS });
  const failures: string[] = [];
  const figures = { 'others ended beside it': 0, 'killed, next run well': 0, 'went on, blamed nobody': 0, 'slowest end, s': 0 };
  const within = (what: string, ended: Ended) => {
    figures['slowest end, s'] = Math.max(figures['slowest end, s'], Math.round(ended.tookMs / 100) / 10);
    if (ended.tookMs > TRIP_MS) failures.push(`${what} took ${Math.round(ended.tookMs)} ms`);
  };
  try {
    const first = await product.run('check_rndtrip', ['--all'], shop);
    if (first.status !== 0) throw new Error(`A first run ended with ${first.status}: ${first.err}${first.out}`);
    // The stories of test/story have these with shorter limits.
    for (const place of n > 2 ? (['mta/ssmtp01', 'mmp/smux01'] as const) : [])
      await neverAnswers(place, { product, shop, failures, within });
    for (let done = 0; done < n; done += 1) {
      const victim = product.launch('check_rndtrip', ['--all', '--json'], shop);
      // From the time when it has begun to measure.
      await sleep(chance.below(first.tookMs));
      victim.child.kill('SIGSTOP');
      const [round, trip] = await Promise.all([
        product.run('check_rndtrip', ['--all'], shop),
        product.run('runmonitor', ['-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01', '-m', 'pop3'], shop),
      ]);
      within('a round beside a stopped one', round);
      within('a trip beside a stopped one', trip);
      // It may have been stopped before it took its locks, or after it gave them back.
      const isNamed = new RegExp(`process ${victim.child.pid}\\)? `).test(round.err);
      if (round.status !== 0 && !isNamed) failures.push(`a round beside a stopped one: ${text(round)}`);
      const isFree = trip.status === 0 || (trip.status === 3 && /in use by/.test(trip.out)) || /IN-USE|in use/i.test(trip.out);
      if (!isFree) failures.push(`a trip beside a stopped one: ${text(trip)}`);
      else figures['others ended beside it'] += 1;
      if (done % 2 === 0) {
        victim.child.kill('SIGKILL');
        await victim.ended;
        const next = await product.run('check_rndtrip', ['--all'], shop);
        if (next.status === 0) figures['killed, next run well'] += 1;
        else failures.push(`after a stopped run was killed: ${text(next)}`);
      } else {
        await sleep(LIMITS.fetchMs + 500);
        victim.child.kill('SIGCONT');
        const ended = await victim.ended;
        if (ended.tookMs > TRIP_MS * 2) failures.push(`a run that went on took ${Math.round(ended.tookMs)} ms`);
        // 0 and 1: it got through all the same; 3: it could not measure.
        if (ended.status === 2 || ended.status === null) failures.push(`a run that was stopped blames: ${verdictsOf(ended)}`);
        else figures['went on, blamed nobody'] += 1;
      }
      const { unreadable, merged, damaged } = inspect(shop.state);
      failures.push(...unreadable, ...merged);
      if (damaged > done + 1) failures.push(`${damaged} damaged lines`);
      say(`${done + 1} of ${n}`);
    }
    return { n, failures, figures };
  } finally {
    await shop.stop();
  }
}

interface Bench {
  readonly product: Product;
  readonly shop: Shop;
  readonly failures: string[];
  readonly within: (what: string, ended: Ended) => void;
}

/** The verdicts come within the limits; the longer look that follows them ends at once when it is told to. */
async function neverAnswers(place: 'mta/ssmtp01' | 'mmp/smux01', { product, shop, failures, within }: Bench): Promise<void> {
  const fault = await shop.standin.breakIt('frozen', place);
  const began = performance.now();
  const run = product.launch('check_rndtrip', ['--all', '--json'], shop);
  const verdicts = () => run.said().split('"verdict":{"state":"failed"').length - 1;
  while (verdicts() < 2 && performance.now() - began < TRIP_MS + 1000) await sleep(50);
  const tookMs = performance.now() - began;
  run.child.kill('SIGTERM');
  const toldAt = performance.now();
  const ended = await run.ended;
  await fault.mend();
  within(`the verdicts on ${place}, which never answers,`, { ...ended, tookMs });
  if (performance.now() - toldAt > START_MS) failures.push(`SIGTERM took ${Math.round(performance.now() - toldAt)} ms`);
  if (ended.status !== 2 || !ended.out.includes(place)) failures.push(`${place} never answers: ${text(ended)}`);
}

function verdictsOf({ out }: Ended): string {
  return [...out.matchAll(/"verdict":\{"state":"failed".*?"text":"([^"]*)"/g)].map(match => match[1]).join('; ');
}

function text({ status, out, err }: Ended): string {
  return `status ${status}: ${(err + out).slice(0, 300).replace(/\s+/g, ' ')}`;
}
