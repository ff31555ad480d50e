// The Postfix queue by way of `postqueue -j`: one JSON object a message, for anybody who may list the queue. @see postqueue(1)

import type { Missing } from '../../model/reading.ts';
import { kept, keptNumber } from '../source.ts';
import { denied, type Reading } from './flavour.ts';
import type { QueueName, Tally } from './tally.ts';

const DEADLINE_MS = 60_000;
/** One message's line: a message to thousands of recipients, each with the reason why it waits. */
const LINE_BYTES = 16 * 1024 * 1024;

const RIGHTS =
  'run it as root, or as the user postfix by sudo: USER ALL=(postfix) NOPASSWD: /PATH/bin/check_queues; `postqueue -p` needs authorized_mailq_users of main.cf';

export async function readPostqueue({ place, tally, run, goOn }: Reading): Promise<readonly Missing[]> {
  const lines = new Lines(tally);
  const command = ['postqueue', ...(place.config === undefined ? [] : ['-c', place.config]), '-j'];
  const ended = await run(command, {
    deadlineMs: DEADLINE_MS,
    onStdout: chunk => {
      lines.add(chunk);
      return goOn() && lines.pending < LINE_BYTES;
    },
  });
  const missing: Missing[] = [
    {
      what: 'client hosts and damaged files of the queue',
      why: 'this user may not read its folders; the rest is from postqueue -j',
      remedy: RIGHTS,
    },
  ];
  if (ended.ended === 'absent') return denied([place.directory], `${RIGHTS} (${ended.why})`);
  if (ended.ended === 'late')
    missing.push({ what: 'the whole queue', why: `postqueue -j did not end in ${DEADLINE_MS / 1000} s` });
  if (ended.ended === 'done' && ended.status !== 0)
    return [{ what: 'the queue', why: `postqueue -j failed: ${ended.stderr.trim().slice(0, 300)}`, remedy: RIGHTS }];
  if (lines.damaged > 0)
    missing.push({ what: `${lines.damaged} messages of the queue`, why: 'postqueue -j printed lines that are no JSON' });
  return missing;
}

/** Cuts a stream into lines and counts each message. */
class Lines {
  damaged = 0;
  #rest = '';
  readonly #tally: Tally;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  get pending(): number {
    return this.#rest.length;
  }

  add(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('utf8')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '' && !countQueued(line, this.#tally)) this.damaged += 1;
  }
}

const NAMES: Readonly<Record<string, QueueName>> = {
  maildrop: 'incoming',
  incoming: 'incoming',
  active: 'active',
  deferred: 'deferred',
  hold: 'hold',
  corrupt: 'corrupt',
};

/** @returns whether the line was one of `postqueue -j` */
export function countQueued(line: string, tally: Tally): boolean {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return false;
  }
  const name = kept(value, 'queue_name');
  const queue = typeof name === 'string' && Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  const seconds = keptNumber(value, 'arrival_time');
  if (queue === undefined || seconds === undefined) return false;
  const sender = kept(value, 'sender');
  const recipients = kept(value, 'recipients');
  tally.message(queue, {
    at: seconds * 1000,
    // An empty reverse-path is printed as a name that no mailbox has.
    ...(typeof sender === 'string' ? { sender: sender === 'MAILER-DAEMON' ? '' : sender } : {}),
    recipients: Array.isArray(recipients) ? recipients.flatMap(each => addressOf(each) ?? []) : [],
  });
  return true;
}

function addressOf(recipient: unknown): string | undefined {
  const address = kept(recipient, 'address');
  return typeof address === 'string' ? address : undefined;
}
