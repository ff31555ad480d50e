// Who holds a socket in the abstract name space, by the kernel's own tables: for a process that was stopped, or is only about to write
// down who it is. Linux; only our own processes can be seen, and those of anybody when we are root.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Who has a lock. */
export interface Holder {
  readonly pid: number;
  /** Epoch ms. */
  readonly since: number;
  readonly what: string;
}

/** Ticks of a second in /proc/PID/stat; the same on every Linux that Node runs on. @see proc(5) */
const TICKS = 100;

/** @param name as /proc/net/unix writes it, with `@` first (and behind, for the rest of an address); undefined when nobody is found */
export function ownerOf(name: string): Holder | undefined {
  try {
    const line = readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .find(each => each.replace(/@+$/, '').endsWith(` ${name}`));
    const inode = line?.trim().split(/\s+/)[6];
    if (inode === undefined) return undefined;
    const pid = readdirSync('/proc').find(each => /^\d+$/.test(each) && holds(each, `socket:[${inode}]`));
    return pid === undefined ? undefined : described(pid);
  } catch {
    return undefined;
  }
}

function holds(pid: string, socket: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some(fd => linkOf(`/proc/${pid}/fd/${fd}`) === socket);
  } catch {
    return false; // somebody else's, or gone
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function described(pid: string): Holder {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const started = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) / TICKS;
  const up = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return { pid: Number(pid), since: Math.round(Date.now() - (up - started) * 1000), what: basename(words[1] ?? words[0] ?? '') };
}
