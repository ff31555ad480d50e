// Isolation on real servers: every fault of the lab, the verdict held against the truth. Several labs at once, since most of the time goes
// by in waiting for what does not answer.

import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeRound } from '../../lib/cli/round/round.ts';
import type { Lookup } from '../../lib/dialog/line.ts';
import type { TripRecord } from '../../lib/model/record.ts';
import type { Site } from '../../lib/model/site.ts';
import type { Path } from '../../lib/model/trip.ts';
import { loadSite } from '../../lib/site/load.ts';
import { faultsInTable, keepScores, type Score, triedAgain } from '../isolate/scores.ts';
import { FAULTS } from '../lab/faults/catalogue.ts';
import { placeText } from '../lab/faults/place.ts';
import type { Truth } from '../lab/faults/truth.ts';
import { type Lab, startLab } from '../lab/lab.ts';

const USUAL: Path = { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'imap' };
const LIMITS = { submit: 6, fetch: 6, deliver: 5, isolate: 9, slow: 2500 };
/** EVERYWHERE=1 puts each fault at each place where it can occur: some 320, in a quarter of an hour and more. */
const everywhere = process.env.EVERYWHERE === '1';
/** FAULT='no-name|late store' puts on the faults and places that match, and shows the evidence. */
const wanted = process.env.FAULT === undefined ? undefined : new RegExp(process.env.FAULT);

/** Places whose symptom differs from that of the first one. */
const ALSO: ReadonlySet<string> = new Set(['stopped filter/dkim', 'reset filter/dkim']);

const labs: Lab[] = [];
afterAll(async () => {
  for (const lab of labs) await lab.stop();
});

test('every fault of the real servers: component, state, protocol and phase', { timeout: 3_600_000 }, async () => {
  for (let n = 0; n < (everywhere ? 4 : wanted ? 1 : 2); n++) labs.push(await startLab({ net: 'free' }));
  const [one] = labs;
  if (one === undefined) throw new Error('no lab');
  const pairs = FAULTS.flatMap(({ name, places }) =>
    places(one.site)
      .filter((place, n) =>
        wanted === undefined
          ? everywhere || n === 0 || ALSO.has(`${name} ${placeText(place)}`)
          : wanted.test(`${name} ${placeText(place)}`),
      )
      .map(place => [name, placeText(place)] as const),
  );
  const first: Score[] = [];
  let next = 0;
  const worker = async (lab: Lab) => {
    const site = await sitesOf(lab);
    while (next < pairs.length) {
      const index = next;
      next += 1;
      const [name, place] = pairs[index] as (typeof pairs)[number];
      const score = await drill(lab, site, name, place);
      first[index] = score;
      const named = score.suspects.map(({ component, protocol, phase }) => `${component} ${protocol} ${phase}`).join(', ');
      const word = score.right ? (score.phaseRight ? 'right' : 'PHASE') : 'WRONG';
      if (everywhere || wanted) process.stderr.write(`${word} ${name} ${place}: ${score.state} ${named}\n`);
    }
  };
  await Promise.all(labs.map(worker));
  if (wanted) return expect(first.filter(({ right }) => !right)).toEqual([]);
  const site = await sitesOf(one);
  const scores = await triedAgain(
    first,
    ({ right }) => right,
    ({ fault, place }) => drill(one, site, fault, place),
  );
  keepScores(everywhere ? 'real everywhere' : 'real', scores);
  expect(scores.filter(({ right }) => !right)).toEqual([]);
  expect(scores.filter(({ phaseRight }) => phaseRight).length / scores.length).toBeGreaterThanOrEqual(0.95);
  expect([...new Set(pairs.map(([name]) => name))].filter(name => !faultsInTable('real').has(name))).toEqual([]);
});

async function drill(lab: Lab, sites: Sites, name: string, place: string): Promise<Score> {
  const state = mkdtempSync(join(tmpdir(), 'healthmon-real-'));
  const fault = await lab.fault(name, place, { seconds: 3 });
  try {
    const [record] = await makeRound([{ ...USUAL, ...fault.truth.path }], {
      by: 'drill',
      state,
      signal: new AbortController().signal,
      ...(name === 'no-name' ? { site: sites.withNames, lookup: lookupOf(lab) } : { site: sites.withAddresses }),
    });
    if (record === undefined) throw new Error('no trip was made');
    const { verdict, evidence } = record;
    if (wanted && !everywhere)
      process.stderr.write(`${JSON.stringify({ fault: record.trip.fault, verdict, evidence }, undefined, 1)}\n`);
    return {
      fault: name,
      place,
      state: verdict.state,
      suspects: verdict.suspects,
      ms: evidence?.tookMs ?? 0,
      ...judged(record, fault.truth),
    };
  } finally {
    await fault.off();
    rmSync(state, { recursive: true, force: true });
  }
}

function judged(
  { verdict }: TripRecord,
  { components, fair, protocols, phases, state, saved }: Truth,
): { right: boolean; phaseRight: boolean } {
  const stateRight = verdict.state === state || verdict.state === saved;
  const named = verdict.suspects.map(({ component }) => component);
  // A fault that the site hides (a dead directory with a second one behind it) leaves nothing to suspect.
  if (stateRight && verdict.state === 'ok') return { right: true, phaseRight: true };
  const may = [...components, ...fair];
  const right =
    stateRight && named.length > 0 && named.every(each => may.includes(each)) && named.some(each => components.includes(each));
  // Of a set that cannot be told apart, what is said of the one that is broken.
  const first =
    verdict.suspects.find(({ component }) => components.includes(component)) ??
    verdict.suspects.find(({ component }) => may.includes(component));
  const phaseRight =
    first !== undefined &&
    (phases.length === 0 || phases.includes(first.phase)) &&
    (protocols.length === 0 || protocols.includes(first.protocol));
  return { right, phaseRight: right && phaseRight };
}

interface Sites {
  readonly withAddresses: Site;
  /** As most sites have it: whoever has lost its name cannot be found. */
  readonly withNames: Site;
}

async function sitesOf(lab: Lab): Promise<Sites> {
  return { withAddresses: await siteOf(lab, false), withNames: await siteOf(lab, true) };
}

async function siteOf(lab: Lab, names: boolean): Promise<Site> {
  const dir = mkdtempSync(join(tmpdir(), 'healthmon-real-etc-'));
  lab.etc(dir, { submission: 587, site: LIMITS, names });
  const { site, problems } = await loadSite(dir, { secrets: true });
  if (site === undefined) throw new Error(JSON.stringify(problems));
  return site;
}

/** As the system's resolver does where resolv.conf names the lab's name server. */
function lookupOf(lab: Lab): Lookup {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([lab.site.machine('dns/ns1').address]);
  return async host => (await resolver.resolve4(host)).map(address => ({ address }));
}
