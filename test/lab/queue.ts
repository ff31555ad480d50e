// An MTA's queue: what is in it, and getting it to move again after a fault.

import { postfixTool } from './daemons/postfix.ts';
import { membersOf, type Processes, signal } from './processes.ts';
import { run, sleep } from './run.ts';
import type { Site } from './site.ts';

/** One line of `postqueue -j`. */
export interface QueuedMessage {
  readonly queue_name: string;
  readonly queue_id: string;
  readonly arrival_time: number;
  readonly message_size: number;
  readonly sender: string;
  readonly recipients: readonly { readonly address: string; readonly delay_reason?: string }[];
}

export async function queueOf(site: Site, mta: string): Promise<QueuedMessage[]> {
  const { stdout } = await run(postfixTool(site, mta, 'postqueue', '-j'), { limitMs: 10_000 });
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as QueuedMessage);
}

/**
 * Delivers what waits. Held mail is released; a delivery process that still waits for a store that was unreachable (its
 * connect has no limit of its own) is ended, which puts its message back into the queue.
 *
 * @returns how many messages are left after `limitMs`.
 */
export async function flush(site: Site, processes: Processes, mta: string, limitMs: number): Promise<number> {
  const end = Date.now() + limitMs;
  for (let round = 0; ; round++) {
    const left = await queueOf(site, mta);
    if (left.length === 0 || Date.now() > end) return left.length;
    if (left.some(message => message.queue_name === 'hold')) await run(postfixTool(site, mta, 'postsuper', '-H', 'ALL'));
    const master = processes.find(`${mta}/postfix`);
    if (round === 3 && master !== undefined) {
      for (const { pid, program } of membersOf(master)) if (program === 'lmtp') signal(pid, 'SIGTERM');
    }
    if (round % 4 === 0) await run(postfixTool(site, mta, 'postqueue', '-f'), { limitMs: 10_000, anyStatus: true });
    await sleep(60);
  }
}
