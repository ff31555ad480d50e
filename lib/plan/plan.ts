// Everything that can be said of a sequence before it has run. Pure.

import type { Sequence } from '../model/sequence.ts';
import type { Site } from '../model/site.ts';
import { type Ambiguity, ambiguitiesOf } from './apart/ambiguity.ts';
import { type Together, togetherIn } from './apart/together.ts';
import { type Coverage, coverageOf } from './coverage.ts';
import { type Detection, detectionOf, isUnseen } from './detection.ts';
import { type Load, loadOf } from './load.ts';
import { type Idle, idleLimits, type Overlap, overlapsOf } from './timing.ts';

export interface Plan {
  readonly coverage: Coverage;
  readonly detection: readonly Detection[];
  readonly ambiguities: readonly Ambiguity[];
  readonly together: readonly Together[];
  readonly load: Load;
  readonly overlaps: readonly Overlap[];
  readonly idle: readonly Idle[];
}

export function planOf(site: Site, sequence: Sequence): Plan {
  const load = loadOf(site, sequence);
  return {
    coverage: coverageOf(site, sequence),
    detection: detectionOf(site, sequence),
    ambiguities: ambiguitiesOf(site, sequence),
    together: togetherIn(site, sequence),
    load,
    overlaps: overlapsOf(site, sequence),
    idle: idleLimits(site, sequence, load.knocks),
  };
}

/** Every pair is covered, and every component is visited. */
export function isWhole({ coverage, detection }: Pick<Plan, 'coverage' | 'detection'>): boolean {
  return coverage.complete && !detection.some(isUnseen);
}
