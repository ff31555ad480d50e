// alarms.cfg for `healthmon config`: its sample as a whole, with the report's section; its problems but for that; and the proof that no channel leads
// through the site.

import { join } from 'node:path';
import { proveIndependence, systemNames } from '../../alarm/config/independence.ts';
import { KINDS } from '../../alarm/config/kinds.ts';
import { ALARMS_FILE, loadAlarms } from '../../alarm/config/load.ts';
import type { ReadyChannel } from '../../alarm/config/ready.ts';
import { describeAlarms } from '../../alarm/config/table.ts';
import { whyNotRun } from '../../alarm/send/run.ts';
import { LocalProblem } from '../../model/endpoint.ts';
import type { Site } from '../../model/site.ts';
import { inOrder, type Problem, type Reporter, reporterFor } from '../../site/problem.ts';
import { placesOf } from '../context.ts';
import { alarmOptions, OTHER_SECTIONS } from '../round/tell.ts';

/** The annotated file, which is also etc/alarms.cfg. */
export function alarmSample(): string {
  return describeAlarms(KINDS, OTHER_SECTIONS);
}

/** A program that is not there is found now, and not on the night when it is to ring. */
async function checkPrograms({ leads, place, label }: ReadyChannel, dir: string, report: Reporter): Promise<void> {
  let all: Awaited<ReturnType<ReadyChannel['leads']>>;
  try {
    all = await leads();
  } catch (error) {
    if (error instanceof LocalProblem) return; // a secret, which is told by itself
    throw error;
  }
  for (const lead of all) {
    const why = 'program' in lead ? whyNotRun(lead.program[0] ?? '', dir) : undefined;
    // Whether others could change it depends on who asks; whether it is there does not.
    if (why?.startsWith('there is no') === true) report.error(place, `${label}: ${why}`, 'write its whole path, or install it');
    else if (why !== undefined) report.warning(place, `${label}: as things are it would not be run: ${why}`);
  }
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
  for (const leading of loaded.alarms?.channels.values() ?? []) await checkPrograms(leading, dir, report);
  return inOrder(problems);
}
