// The processes of this host, from /proc: one short file each, and a process that ends meanwhile is simply not there.
// @see proc(5): /proc/PID/stat

import { join } from 'node:path';
import { namesIn } from '../queues/walk.ts';
import { textOf } from '../source.ts';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** The program's name, at most 15 characters. */
  readonly program: string;
  /** R, S, D, Z, … */
  readonly state: string;
  /** Ticks after boot: with the pid, this names one process for good. */
  readonly startTicks: number;
  readonly residentPages: number;
}

/** The kernel's own upper end of pid_max. */
const MOST_PROCESSES = 4_194_304;

/** All processes that we can see: with hidepid, only our own. */
export function processes(root: string): ReadonlyMap<number, Process> {
  const found = new Map<number, Process>();
  for (const name of namesIn(join(root, 'proc'), MOST_PROCESSES)) {
    const first = name.charCodeAt(0);
    if (first < 0x31 || first > 0x39) continue;
    const one = parseProcess(textOf(join(root, 'proc', name, 'stat')) ?? '');
    if (one !== undefined) found.set(one.pid, one);
  }
  return found;
}

/** The name stands in parentheses and may itself hold blanks and parentheses. */
export function parseProcess(text: string): Process | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const pid = Number(text.slice(0, open));
  const fields = text.slice(close + 2).split(' ');
  const [state = '', parent = ''] = fields;
  const one = {
    pid,
    parent: Number(parent),
    program: text.slice(open + 1, close),
    state,
    startTicks: Number(fields[19]),
    residentPages: Number(fields[21]),
  };
  return Number.isInteger(pid) && pid > 0 && Number.isFinite(one.startTicks) ? one : undefined;
}

/** The command line, its words parted by blanks; empty for a kernel thread or a process that has ended. */
export function commandLine(root: string, pid: number): string {
  return (textOf(join(root, 'proc', String(pid), 'cmdline')) ?? '').replace(/\0+$/, '').replace(/\0/g, ' ');
}

/** A process and all below it. */
export function family(
  main: number,
  all: ReadonlyMap<number, Process>,
  children: ReadonlyMap<number, readonly number[]>,
): readonly Process[] {
  const found: Process[] = [];
  const seen = new Set<number>();
  const next = [main];
  for (let pid = next.pop(); pid !== undefined; pid = next.pop()) {
    const one = all.get(pid);
    if (one === undefined || seen.has(pid)) continue;
    seen.add(pid);
    found.push(one);
    next.push(...(children.get(pid) ?? []));
  }
  return found;
}

export function childrenOf(all: ReadonlyMap<number, Process>): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of all.values()) {
    const list = children.get(parent);
    if (list === undefined) children.set(parent, [pid]);
    else list.push(pid);
  }
  return children;
}

let page = 0;

/** The size of a page on this machine: 4 KiB nearly everywhere, up to 64 KiB on ARM and POWER. Our own process is the measure. */
export function pageBytes(): number {
  if (page > 0) return page;
  const pages = Number((textOf('/proc/self/statm') ?? '').split(' ')[1]);
  const measured = pages > 0 ? process.memoryUsage.rss() / pages : 4096;
  page = 2 ** Math.round(Math.log2(measured));
  return page;
}

/** Open files of a process and how many it may have; undefined when we may not look, or it has ended. */
export function openFiles(root: string, pid: number): { readonly open: number; readonly most: number } | undefined {
  const folder = join(root, 'proc', String(pid));
  const limit = /^Max open files\s+(\d+)/m.exec(textOf(join(folder, 'limits')) ?? '')?.[1];
  const open = namesIn(join(folder, 'fd')).length;
  return limit === undefined || open === 0 ? undefined : { open, most: Number(limit) };
}
