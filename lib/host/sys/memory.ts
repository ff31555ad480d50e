// Memory, swap and the hunt for free pages. @see proc(5): /proc/meminfo, /proc/vmstat

import { counters } from '../source.ts';

export interface Memory {
  readonly totalBytes: number;
  /** What could be used without swapping: MemAvailable, or on old kernels free, buffers and cache. */
  readonly availableBytes: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
}

/** @returns undefined for what is no meminfo */
export function parseMeminfo(text: string): Memory | undefined {
  const kb = new Map<string, number>();
  for (const match of text.matchAll(/^(\w+(?:\(\w+\))?):\s+(\d+) kB$/gm)) kb.set(match[1] ?? '', Number(match[2]));
  const total = kb.get('MemTotal');
  if (total === undefined) return undefined;
  const of = (name: string) => kb.get(name) ?? 0;
  return {
    totalBytes: total * 1024,
    availableBytes: (kb.get('MemAvailable') ?? of('MemFree') + of('Buffers') + of('Cached')) * 1024,
    swapTotalBytes: of('SwapTotal') * 1024,
    swapFreeBytes: of('SwapFree') * 1024,
  };
}

export interface Paging {
  /** Pages looked at for reclaim since boot, by the daemon and by processes that had to wait. */
  readonly scanned: number;
  readonly swappedIn: number;
  readonly swappedOut: number;
  /** Processes killed for want of memory since boot; absent on kernels before 4.13. */
  readonly killed?: number;
}

export function parseVmstat(text: string): Paging {
  const found = counters(text);
  // Kernels before 4.8 count per zone: pgscan_kswapd_normal, pgscan_direct_dma, …
  let scanned = 0;
  for (const [name, value] of found) if (/^pgscan_(?:kswapd|direct)(?!_throttle)/.test(name)) scanned += value;
  const killed = found.get('oom_kill');
  return {
    scanned,
    swappedIn: found.get('pswpin') ?? 0,
    swappedOut: found.get('pswpout') ?? 0,
    ...(killed === undefined ? {} : { killed }),
  };
}
