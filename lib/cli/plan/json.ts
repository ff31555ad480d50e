// A plan for programs: the shape that `healthmon plan --json` promises. What is to be added to the config stands as the lines to write.

import type { Sequence } from '../../model/sequence.ts';
import type { Site } from '../../model/site.ts';
import type { Change } from '../../plan/change.ts';
import { type Coverage, gapsOf, type PairTable } from '../../plan/coverage.ts';
import { isWhole, type Plan } from '../../plan/plan.ts';
import { formatSequence } from '../../site/sequence.ts';

export function planForMachines(plan: Plan, site: Site, sequence: Sequence) {
  const { coverage, detection, ambiguities, together, load, overlaps, idle } = plan;
  return {
    v: 1,
    site: site.name,
    intervalMinutes: site.intervalMinutes,
    entries: sequence.length,
    whole: isWhole(plan),
    pairs: pairsForMachines(coverage),
    detection: detection.map(({ change, ...each }) =>
      change === undefined ? each : { ...each, change: changeForMachines(change) },
    ),
    ambiguities: ambiguities.map(({ changes, ...each }) => ({ ...each, changes: changes.map(changeForMachines) })),
    together: together.map(({ components, entry }) => ({ components, lines: entryLines([entry]) })),
    load,
    overlaps,
    idle,
  };
}

/** Of each kind of pair how many there are, and each that is not covered. */
export function pairsForMachines({ mtaAccount, mmpAccount, mtaMmp }: Coverage) {
  const table = (pairs: PairTable) => ({
    wanted: pairs.wanted,
    covered: pairs.covered,
    gaps: gapsOf(pairs).map(({ row, column, state, missing }) => ({
      [pairs.rows.role]: row,
      [pairs.columns.role]: column,
      state,
      missing,
    })),
  });
  return { mtaAccount: table(mtaAccount), mmpAccount: table(mmpAccount), mtaMmp: table(mtaMmp) };
}

/** Entries as they stand in sequence.cfg. */
export function entryLines(entries: Sequence): readonly string[] {
  return formatSequence(entries).split('\n').slice(0, -1);
}

function changeForMachines(change: Change) {
  return change.file === 'site.cfg' ? change : { file: change.file, lines: entryLines(change.entries) };
}
