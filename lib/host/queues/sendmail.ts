// sendmail's queue: a control file qf (or hf, quarantined) for each message, flat or in sub-folders qf/ df/ xf/, several queues as
// qd*; with MailScanner, mail that waits to be scanned lies in a queue of its own. @see op.me Appendix B; qf file format V8
//
// A message that was never tried (N0) counts as active, one that was tried as deferred. Only what stands before the first header is
// read: headers are copied from strangers, and are bytes of any kind.

import { basename, dirname, join } from 'node:path';
import { headOf } from '../source.ts';
import { denied, HEAD_BYTES, type ReadQueue } from './flavour.ts';
import { sendmailTime, zoneShift } from './ids.ts';
import type { Envelope, QueueName } from './tally.ts';
import { namesIn, type Walked, walk } from './walk.ts';

export const readSendmail: ReadQueue = async ({ root, place, tally, at, goOn }) => {
  const closed: string[] = [];
  const shift = new Shift(at);
  const read = (folder: string, inQueue: QueueName | undefined) => {
    let outcome: Walked = 'absent';
    // Split queues hold their control files in qf/; a flat one has no such folder.
    for (const each of [folder, join(folder, 'qf')]) {
      const walked = walk(
        each,
        name => {
          const kind = name.slice(0, 2);
          if (name.length < 8) return;
          if (kind === 'qf') tally.file(inQueue, each, name, shift.timeOf(name.slice(2), each));
          else if (kind === 'hf') tally.file('hold', each, name, shift.timeOf(name.slice(2), each));
          else if (kind === 'Qf') tally.file('corrupt', each, name, undefined);
        },
        goOn,
      );
      if (walked === 'walked') outcome = walked;
      if (walked === 'denied') closed.push(each);
      if (walked !== 'walked' && each === folder) break;
    }
    return outcome;
  };
  for (const folder of expanded(root, place.directory)) read(folder, undefined);
  if (place.incoming !== undefined) for (const folder of expanded(root, place.incoming)) read(folder, 'incoming');
  tally.openSample(readControlFile, goOn);
  return denied(closed, 'run it as root, or as a member of the group that owns the queue (smmsp, or smmta on Debian)');
};

/** `/var/spool/mqueue/qd*` as the folders that there are. */
function expanded(root: string, directory: string): readonly string[] {
  if (!directory.endsWith('*')) return [join(root, directory)];
  const parent = join(root, dirname(directory));
  const start = basename(directory).slice(0, -1);
  return namesIn(parent)
    .filter(name => name.startsWith(start))
    .map(name => join(parent, name));
}

/** sendmail puts its local time into ids; how far that is from UTC is learned from the first file, which has both. */
class Shift {
  #ms: number | undefined;
  readonly #now: number;

  constructor(now: number) {
    this.#now = now;
  }

  timeOf(id: string, folder: string): number | undefined {
    const byId = sendmailTime(id, this.#now);
    if (byId === undefined) return undefined;
    if (this.#ms === undefined) {
      const contents = readControlFile(join(folder, `qf${id}`)) ?? readControlFile(join(folder, `hf${id}`));
      if (contents?.at === undefined) return undefined;
      this.#ms = zoneShift(byId, contents.at);
    }
    return byId + this.#ms;
  }
}

/** The envelope of a control file; undefined when it has gone, or is still being written. */
function readControlFile(path: string): Envelope | undefined {
  const bytes = headOf(path, HEAD_BYTES);
  if (bytes === undefined) return undefined;
  const isHeld = basename(path).startsWith('hf');
  const envelope = parseControlFile(bytes.toString('latin1'));
  return envelope === undefined || !isHeld ? envelope : { ...envelope, queue: 'hold' };
}

/** Code lines up to the first header. Text that begins no line of a control file ends the reading. Never throws. */
export function parseControlFile(text: string): Envelope | undefined {
  let at: number | undefined;
  let tries = 0;
  let sender: string | undefined;
  let client: string | undefined;
  const recipients: string[] = [];
  if (!/^V\d/.test(text)) return undefined;
  for (const line of text.split('\n')) {
    const rest = line.slice(1);
    const code = line[0];
    if (code === 'H' || code === '.' || code === undefined) break;
    if (code === 'T') at = wholeSeconds(rest);
    else if (code === 'N') tries = Number(/^\d+/.exec(rest)?.[0] ?? 0);
    else if (code === 'S') sender = rest.replace(/^<|>$/g, '');
    else if (code === 'R') recipients.push(rest.slice(rest.indexOf(':') + 1).replace(/^<|>$/g, ''));
    else if (line.startsWith('$_')) client = clientOf(line.slice(2));
  }
  if (at === undefined) return undefined;
  return {
    at,
    recipients,
    queue: tries > 0 ? 'deferred' : 'active',
    ...(sender === undefined ? {} : { sender }),
    ...(client === undefined ? {} : { client }),
  };
}

function wholeSeconds(text: string): number | undefined {
  return /^\d{1,12}$/.test(text.trim()) ? Number(text) * 1000 : undefined;
}

/** The last bracketed address: `spam1.example [127.0.0.5] (may be forged)`. A name alone is a submission on this host. */
function clientOf(macro: string): string | undefined {
  return /^.*\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]/.exec(macro)?.[1];
}
