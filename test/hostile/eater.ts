// Our side of a hostile case in a process of its own, so that its memory can be weighed. The peers stay in the process that starts
// this one: what they send is not counted twice.
//
// One request a line on stdin, one answer a line on stdout. The weight is the process's high-water mark (VmHWM), which Linux sets
// back to what is in use when 5 is written to clear_refs, after a full garbage collection: no peak between two samples is missed.

import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Terms } from '../../lib/dialog/line.ts';
import type { Client } from './case.ts';
import { speak } from './client.ts';

export interface Request {
  readonly client: Client;
  readonly port: number;
  readonly ca: string;
  readonly deadlineMs: number;
}

export interface Weighed {
  readonly outcome: string;
  readonly phase?: string;
  readonly kind?: string;
  readonly tookMs: number;
  readonly extraBytes: number;
}

function kilobytes(name: 'VmHWM' | 'VmRSS'): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

async function weigh({ client, port, ca, deadlineMs }: Request): Promise<Weighed> {
  global.gc?.();
  await new Promise(resolve => setImmediate(resolve));
  global.gc?.();
  writeFileSync('/proc/self/clear_refs', '5');
  const before = kilobytes('VmRSS');
  const zero = performance.now();
  const terms: Terms = { clock: () => performance.now() - zero, deadlineMs, signal: new AbortController().signal };
  const ended = await speak(client, port, ca, terms);
  const extraBytes = (kilobytes('VmHWM') - before) * 1024;
  return {
    outcome: ended.outcome,
    tookMs: ended.tookMs,
    extraBytes,
    ...(ended.outcome === 'failed' ? { phase: ended.fault.phase, kind: ended.fault.kind } : {}),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await weigh(JSON.parse(line) as Request))}\n`);
}
