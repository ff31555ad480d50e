// alarms.cfg for `healthmon config`: its sample as a whole, with the report's section; its problems but for that; and the proof that no channel leads
// through the site.

import { join } from 'node:path';
import { proveIndependence, systemNames } from '../../alarm/independence.ts';
import { KINDS } from '../../alarm/kinds.ts';
import { ALARMS_FILE, loadAlarms } from '../../alarm/load.ts';
import { describeAlarms } from '../../alarm/table.ts';
import type { Site } from '../../model/site.ts';
import { inOrder, type Problem, reporterFor } from '../../site/problem.ts';
import { placesOf } from '../context.ts';
import { alarmOptions, OTHER_SECTIONS } from '../round/tell.ts';

/** The annotated file, which is also etc/alarms.cfg. */
export function alarmSample(): string {
  return describeAlarms(KINDS, OTHER_SECTIONS);
}

/**
 * Everything that is wrong with alarms.cfg, its [report] aside; nothing when there is none.
 *
 * @param secrets whether to read every secret now; without them, addresses that are secrets cannot be judged
 */
export async function alarmProblems(dir: string, site: Site | undefined, secrets: boolean): Promise<readonly Problem[]> {
  const loaded = await loadAlarms(dir, { ...alarmOptions(placesOf({})), secrets });
  if (loaded === undefined) return [];
  const problems: Problem[] = [...loaded.problems];
  const report = reporterFor(join(dir, ALARMS_FILE), problems);
  if (loaded.alarms !== undefined && site !== undefined) {
    const leadings = [...loaded.alarms.channels.values(), ...loaded.alarms.heartbeats];
    await proveIndependence(leadings, site, systemNames(), process.env, report);
  }
  return inOrder(problems);
}
