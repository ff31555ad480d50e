// Which file system a path lies on, and how full that is. @see proc(5): /proc/PID/mountinfo; statfs(2); df(1)
//
// A dead network mount holds whoever asks it, and in Node a thread that hangs keeps the process from ending. File systems of a kind
// that can hang are therefore asked by stat(1) in a process of its own, which is left behind at the deadline.

import { statfsSync } from 'node:fs';
import type { Run } from '../program.ts';
import { codeOf } from '../source.ts';

export interface Mount {
  readonly at: string;
  readonly type: string;
  /** `8:1`; the same for two mounts of one file system. */
  readonly device: string;
  readonly isReadOnly: boolean;
}

export function parseMounts(text: string): readonly Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const parts = /^\d+ \d+ (\d+:\d+) \S+ (\S+) (\S+) .*?- (\S+) \S+ (\S+)/.exec(line);
    if (parts === null) continue;
    const [, device = '', at = '', options = '', type = '', superOptions = ''] = parts;
    const isReadOnly = [options, superOptions].some(list => list.split(',').includes('ro'));
    mounts.push({
      at: at.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
      type,
      device,
      isReadOnly,
    });
  }
  return mounts;
}

/** The mount that a path lies on: the longest that it begins with, of two at one place the later. The path is taken as written. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const holds = mount.at === '/' || path === mount.at || path.startsWith(`${mount.at}/`);
    if (holds && (best === undefined || mount.at.length >= best.at.length)) best = mount;
  }
  return best;
}

/** Whether asking such a file system may take for ever. */
export function mayHang(type: string): boolean {
  return /^(?:nfs|cifs|smb|fuse|gluster|ceph|lustre|afs|9p|ocfs|gfs|beegfs|coda|ncp|autofs|virtiofs|gpfs|pvfs|orangefs)/.test(
    type,
  );
}

interface Space {
  readonly totalBytes: number;
  /** Free for us; root may have more. */
  readonly freeBytes: number;
  /** As df(1) gives it: of what we may use. Percent. */
  readonly usedPercent: number;
  /** Absent where the file system has no fixed number of inodes. */
  readonly inodesUsedPercent?: number;
}

interface Blocks {
  readonly size: number;
  readonly all: number;
  readonly free: number;
  readonly available: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

export type Asked = { readonly space: Space } | { readonly why: string; readonly isHung: boolean };

/** How full the file system below `path` is. Never throws, never hangs where it can be helped. */
export async function askSpace(path: string, mount: Mount | undefined, run: Run, deadlineMs: number): Promise<Asked> {
  if (mount !== undefined && mayHang(mount.type)) return askBeside(path, mount, run, deadlineMs);
  try {
    const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(path);
    return { space: spaceOf({ size: bsize, all: blocks, free: bfree, available: bavail, inodes: files, inodesFree: ffree }) };
  } catch (error) {
    return { why: codeOf(error), isHung: false };
  }
}

async function askBeside(path: string, mount: Mount, run: Run, deadlineMs: number): Promise<Asked> {
  const asked = await run(['stat', '-f', '-c', '%S %b %f %a %c %d', '--', path], { deadlineMs });
  if (asked.ended === 'late')
    return { why: `${mount.at} (${mount.type}) does not answer in ${deadlineMs / 1000} s`, isHung: true };
  const numbers = asked.ended === 'done' && asked.status === 0 ? asked.stdout.trim().split(' ').map(Number) : [];
  const [size, all, free, available, inodes, inodesFree] = numbers;
  if (numbers.length !== 6 || numbers.some(n => !Number.isFinite(n))) {
    return { why: asked.ended === 'done' ? asked.stderr.trim().slice(0, 200) : 'stat cannot be run', isHung: false };
  }
  return {
    space: spaceOf({
      size: size ?? 0,
      all: all ?? 0,
      free: free ?? 0,
      available: available ?? 0,
      inodes: inodes ?? 0,
      inodesFree: inodesFree ?? 0,
    }),
  };
}

function spaceOf({ size, all, free, available, inodes, inodesFree }: Blocks): Space {
  const used = all - free;
  return {
    totalBytes: all * size,
    freeBytes: available * size,
    usedPercent: used + available === 0 ? 0 : (used / (used + available)) * 100,
    ...(inodes > 0 ? { inodesUsedPercent: ((inodes - inodesFree) / inodes) * 100 } : {}),
  };
}
