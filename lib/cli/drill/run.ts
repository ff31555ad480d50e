// One rehearsal: something is broken on the embedded site, a trip meets it, and the verdict is held against the truth, which only the
// embedded site knows.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Component } from '../../model/component.ts';
import type { TripRecord } from '../../model/record.ts';
import type { Path } from '../../model/trip.ts';
import { readJournalTail } from '../../record/journal.ts';
import type { FaultName } from '../../standin/faults/breaking.ts';
import type { Place, Truth } from '../../standin/faults/faults.ts';
import type { StandinOptions } from '../../standin/options.ts';
import { type StandinSite, startSite } from '../../standin/site.ts';
import { makeRound } from '../round/round.ts';

/** Short limits, so that a drill takes seconds; everything else is as it is on a real site. */
const DRILL_SITE: StandinOptions = {
  filter: true,
  balancers: true,
  nameServer: true,
  directories: 2,
  limits: { submitMs: 2000, deliverMs: 800, fetchMs: 2000, isolateMs: 4000, slowMs: 2500 },
};

export interface Drilled {
  readonly fault: FaultName;
  readonly place: Place;
  readonly truth: Truth;
  readonly record: TripRecord;
  /** The verdict names a component that may rightly be named, and none that may not. */
  readonly right: boolean;
  readonly phaseRight: boolean;
  readonly stateRight: boolean;
  /** From the end of the trip to the verdict; ms. */
  readonly tookMs: number;
}

/** The same path once more, now that all is well. */
export async function walkAgain(standin: StandinSite, path: Path): Promise<TripRecord | undefined> {
  const state = mkdtempSync(join(tmpdir(), 'healthmon-drill-'));
  try {
    const signal = new AbortController().signal;
    return (await makeRound([path], { by: 'drill', site: standin.site, state, signal }))[0];
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

/** Breaks, walks, mends, judges. */
export async function drillOne(standin: StandinSite, fault: FaultName, place: Place): Promise<Drilled> {
  const state = mkdtempSync(join(tmpdir(), 'healthmon-drill-'));
  const broken = await standin.breakIt(fault, place);
  const { truth } = broken;
  try {
    const [record] = await makeRound([truth.path], {
      by: 'drill',
      site: standin.site,
      state,
      signal: new AbortController().signal,
    });
    if (record === undefined) throw new Error('no trip was made');
    if (truth.finding === 'duplicate' && record.verdict.state === 'ok' && (await toldLater(standin, truth, state, record))) {
      return { fault, place, truth, record, right: true, phaseRight: true, stateRight: true, tookMs: 0 };
    }
    return { fault, place, truth, record, ...judged(record, truth), tookMs: record.evidence?.tookMs ?? 0 };
  } finally {
    await broken.mend();
    rmSync(state, { recursive: true, force: true });
  }
}

/** A second copy that comes when the trip is over is told by the next one. */
async function toldLater(standin: StandinSite, { path }: Truth, state: string, { trip }: TripRecord): Promise<boolean> {
  await makeRound([{ ...path, mailbox: 'imap' }], {
    by: 'drill',
    site: standin.site,
    state,
    signal: new AbortController().signal,
  });
  return readJournalTail(state, 1_000_000).records.some(
    each => each.type === 'amend' && each.trip === trip.id && each.became === 'duplicate',
  );
}

function judged({ verdict, trip }: TripRecord, truth: Truth): Pick<Drilled, 'right' | 'phaseRight' | 'stateRight'> {
  const stateRight = truth.states.length === 0 || truth.states.includes(verdict.state);
  const named = verdict.suspects.map(({ component }) => component);
  // A site that copes (a balancer that hides a dead member, a filter that may be missing) gives nothing to suspect.
  if (verdict.state === 'ok' && truth.states.includes('ok')) {
    const found = truth.finding === undefined || trip.findings.some(({ what }) => what === truth.finding);
    return { right: found, phaseRight: found, stateRight };
  }
  const right = named.length > 0 && named.every(each => (truth.components as readonly Component[]).includes(each));
  const first = verdict.suspects.find(({ component }) => (truth.components as readonly Component[]).includes(component));
  const protocolRight = first !== undefined && (truth.protocols.length === 0 || truth.protocols.includes(first.protocol));
  const phaseRight = protocolRight && (truth.phases.length === 0 || truth.phases.includes(first.phase));
  return { right, phaseRight: right && phaseRight, stateRight };
}

export function openDrill(options: StandinOptions = {}): Promise<StandinSite> {
  return startSite({ ...DRILL_SITE, ...options });
}

/** Drills on several sites at once: most of the time goes by in waiting for what does not answer. In the order of the pairs. */
export async function drillMany(
  pairs: readonly (readonly [fault: FaultName, place: Place])[],
  options: { readonly sites: number; readonly onDrilled?: (drilled: Drilled) => void },
): Promise<readonly Drilled[]> {
  const results: Drilled[] = [];
  let next = 0;
  const worker = async () => {
    const standin = await openDrill();
    try {
      while (next < pairs.length) {
        const index = next;
        next += 1;
        const [fault, place] = pairs[index] as (typeof pairs)[number];
        const drilled = await drillOne(standin, fault, place);
        results[index] = drilled;
        options.onDrilled?.(drilled);
      }
    } finally {
      await standin.stop();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.sites, pairs.length) }, worker));
  return results;
}

/** Every fault that says enough by its name, with its places: one of each, or all. */
export function drillPairs(standin: StandinSite, everywhere: boolean): readonly (readonly [fault: FaultName, place: Place])[] {
  return standin.faults
    .filter(({ name }) => name !== 'at-phase')
    .flatMap(({ name, places }) => (everywhere ? places : places.slice(0, 1)).map(place => [name, place] as const));
}
