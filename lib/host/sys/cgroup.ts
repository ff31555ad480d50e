// The limits that a container puts on us: memory and processor time of the control group we run in, or of one above it.
// @see cgroups(7); admin-guide/cgroup-v2.rst

import { join } from 'node:path';
import { counters, textOf } from '../source.ts';

export interface Cgroup {
  /** Memory used, of the tightest limit; absent when there is none. */
  readonly memoryUsedPercent?: number;
  readonly memoryLimitBytes?: number;
  /** Processors' worth of time that we may use. */
  readonly processors?: number;
  /** Periods so far, and those in which we were held back. */
  readonly periods?: number;
  readonly throttled?: number;
}

/** Beyond any real memory: v1 says "no limit" by a number near 2^63. */
const NO_LIMIT = 2 ** 55;

export function readCgroup(root: string): Cgroup {
  const groups = parseCgroups(textOf(join(root, 'proc/self/cgroup')) ?? '');
  const mounted = join(root, 'sys/fs/cgroup');
  const isV2 = textOf(join(mounted, 'cgroup.controllers')) !== undefined;
  const unified = groups.get('');
  if (isV2 && unified !== undefined) {
    const cpu = firstOf(mounted, unified, folder => quotaV2(folder));
    return { ...tightest(mounted, unified, 'memory.max', 'memory.current'), ...cpu };
  }
  const memory = groups.get('memory');
  const cpu = groups.get('cpu');
  return {
    ...(memory === undefined ? {} : tightest(join(mounted, 'memory'), memory, 'memory.limit_in_bytes', 'memory.usage_in_bytes')),
    ...(cpu === undefined ? {} : firstOf(join(mounted, 'cpu'), cpu, folder => quotaV1(folder))),
  };
}

/** Path by controller; v2's has the empty name. */
export function parseCgroups(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const match of text.matchAll(/^\d+:([^:]*):(.*)$/gm)) {
    for (const controller of (match[1] ?? '').split(',')) found.set(controller, match[2] ?? '/');
  }
  return found;
}

/** The group's folder and those above it, up to the mount point. */
function folders(mounted: string, path: string): string[] {
  const parts = path.split('/').filter(part => part !== '' && part !== '..');
  return parts.map((_, i) => join(mounted, ...parts.slice(0, parts.length - i))).concat(mounted);
}

function tightest(mounted: string, path: string, limitFile: string, usageFile: string): Cgroup {
  let best: Cgroup = {};
  for (const folder of folders(mounted, path)) {
    const limit = Number(textOf(join(folder, limitFile)));
    const usage = Number(textOf(join(folder, usageFile)));
    if (!(limit > 0 && limit < NO_LIMIT) || Number.isNaN(usage)) continue;
    const memoryUsedPercent = (usage / limit) * 100;
    if (memoryUsedPercent > (best.memoryUsedPercent ?? -1)) best = { memoryUsedPercent, memoryLimitBytes: limit };
  }
  return best;
}

function firstOf(mounted: string, path: string, read: (folder: string) => Cgroup | undefined): Cgroup {
  for (const folder of folders(mounted, path)) {
    const found = read(folder);
    if (found !== undefined) return found;
  }
  return {};
}

function quotaV2(folder: string): Cgroup | undefined {
  const parts = /^(\d+) (\d+)/.exec(textOf(join(folder, 'cpu.max')) ?? '');
  return parts === null ? undefined : { processors: Number(parts[1]) / Number(parts[2]), ...throttling(folder) };
}

function quotaV1(folder: string): Cgroup | undefined {
  const quota = Number(textOf(join(folder, 'cpu.cfs_quota_us')));
  const period = Number(textOf(join(folder, 'cpu.cfs_period_us')));
  return quota > 0 && period > 0 ? { processors: quota / period, ...throttling(folder) } : undefined;
}

function throttling(folder: string): Cgroup {
  const found = counters(textOf(join(folder, 'cpu.stat')) ?? '');
  const periods = found.get('nr_periods');
  const throttled = found.get('nr_throttled');
  return periods === undefined || throttled === undefined ? {} : { periods, throttled };
}
