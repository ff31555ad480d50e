// Which process has a message in its hands, and whether that process still runs.

import { readFileSync } from 'node:fs';
import { isAlive } from '../../record/lock.ts';

/** A process, as no other one ever was. */
export interface Sender {
  readonly pid: number;
  /** When that process began, in the kernel's own count: process ids are used again. */
  readonly born: string;
}

export interface Claim extends Sender {
  /** Epoch ms. */
  readonly at: number;
  /** Set once an attempt has begun whose end is not known. */
  readonly isBegun?: true;
}

/** A claim this old is void, whatever process holds it: containers that share a folder do not see each other's processes. ms */
const CLAIM_MS = 180_000;

/** This process, as claims name it; `pid` for tests. */
export function ourselves(at: number, pid = process.pid): Claim {
  return { pid, born: bornOf(pid), at };
}

/** Whether the process that claimed a message still runs, and has not had it for too long. */
export function isHeld(claim: Claim, now: number): boolean {
  return now - claim.at < CLAIM_MS && runs(claim);
}

function runs({ pid, born }: Sender): boolean {
  return isAlive({ pid }) && bornOf(pid) === born;
}

/** Field 22 of /proc/PID/stat, after the name in brackets; empty where there is none. @see proc(5) */
function bornOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
