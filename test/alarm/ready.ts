// A channel out of an alarms.cfg, as a run gets it, for the tests of what it sends.

import { join } from 'node:path';
import type { Outcome, Parcel } from '../../lib/alarm/channel.ts';
import { type Alarms, readAlarms } from '../../lib/alarm/config/load.ts';
import type { ReadyChannel } from '../../lib/alarm/config/ready.ts';
import type { Telling } from '../../lib/alarm/words/wording.ts';
import { formatProblems, type Problem, reporterFor } from '../../lib/site/problem.ts';
import { folderWith } from '../site/folder.ts';

export interface Loaded {
  readonly dir: string;
  readonly alarms: Alarms;
  readonly channel: ReadyChannel;
}

/**
 * @param text sections of alarms.cfg; `{dir}` in it is the folder
 * @param files beside it: secrets by their path
 */
export async function loaded(
  text: string,
  files: Readonly<Record<string, string>> = {},
  env: Record<string, string> = {},
): Promise<Loaded> {
  const dir = await folderWith({ ...files });
  const problems: Problem[] = [];
  const read = await readAlarms(
    text.replaceAll('{dir}', dir),
    dir,
    { plugins: join(dir, 'plugins'), state: dir, env, resolve: async () => [{ address: '127.0.0.1', family: 4 }] },
    { report: reporterFor('alarms.cfg', problems), problems },
  );
  const channel = [...(read.alarms?.channels.values() ?? [])][0];
  if (read.alarms === undefined || channel === undefined) throw new Error(formatProblems(problems));
  return { dir, alarms: read.alarms, channel };
}

let serial = 0;

export function bring(
  channel: ReadyChannel,
  telling: Telling,
  open: Parcel['open'] = [],
  more: { readonly id?: string; readonly onTaken?: (text: string) => void } = {},
): Promise<Outcome> {
  serial += 1;
  const now = Date.now();
  // As if it were decided now, so that time stamps are what a service expects.
  const parcel: Parcel = { ...telling, at: now, decidedAt: now, id: more.id ?? `a1b2c3d4-${serial}`, open };
  return channel.bring(parcel, new AbortController().signal, more.onTaken);
}
