// Postfix' queue: a folder for each queue, hashed into sub-folders of one character, a file for each message.
// @see QSHAPE_README; src/global/rec_type.h for the records of a file, src/global/mail_queue.h for its name
//
// The folders belong to the user postfix, and nobody else may look into them. An ordinary user gets the same from postqueue(1), which
// costs more and knows neither corrupt files nor client hosts.

import { join } from 'node:path';
import type { Missing } from '../../model/reading.ts';
import { headOf } from '../source.ts';
import { denied, HEAD_BYTES, type Reading, type ReadQueue } from './flavour.ts';
import { postfixTime } from './ids.ts';
import { readPostqueue } from './postqueue.ts';
import type { Envelope, QueueName } from './tally.ts';
import { type Walked, walk } from './walk.ts';

/** Folder -> the queue that it counts for. */
const FOLDERS: Readonly<Record<string, QueueName>> = {
  maildrop: 'incoming',
  incoming: 'incoming',
  active: 'active',
  deferred: 'deferred',
  hold: 'hold',
  corrupt: 'corrupt',
};

/** hash_queue_depth is at most so much in sense. */
const DEEPEST = 4;

export const readPostfix: ReadQueue = async reading => {
  const { root, place, tally, goOn } = reading;
  const outcomes = Object.entries(FOLDERS).map(([folder, queue]) => ({
    folder,
    outcome: walkHashed(join(root, place.directory, folder), queue, reading, 0),
  }));
  const closed = outcomes.filter(({ outcome }) => outcome === 'denied').map(({ folder }) => folder);
  if (closed.includes('deferred')) return readPostqueue(reading);
  tally.openSample(readPostfixFile, goOn);
  const troubles: Missing[] = outcomes.flatMap(({ folder, outcome }) =>
    typeof outcome === 'object' ? [{ what: `messages in ${folder}`, why: `it cannot be read: ${outcome.why}` }] : [],
  );
  return [...troubles, ...denied(closed, 'run it as root or as the user postfix')];
};

function walkHashed(folder: string, queue: QueueName, reading: Reading, depth: number): Walked {
  const { tally, goOn } = reading;
  const below: string[] = [];
  const outcome = walk(
    folder,
    name => {
      // A hash folder has one character, a queue file six at the least.
      if (name.length > 2) tally.file(queue, folder, name, postfixTime(name));
      else below.push(name);
    },
    goOn,
  );
  let worst = outcome;
  for (const name of below) {
    if (depth >= DEEPEST || !goOn()) break;
    const inner = walkHashed(join(folder, name), queue, reading, depth + 1);
    if (inner === 'denied') worst = inner;
  }
  return worst;
}

let page: Buffer | undefined;

/** The envelope of a queue file; undefined when it has gone, or is still being written. */
export function readPostfixFile(path: string): Envelope | undefined {
  // Nothing of it is kept: a buffer for each of many files costs a tenth of the time.
  page ??= Buffer.allocUnsafe(HEAD_BYTES);
  const bytes = headOf(path, HEAD_BYTES, page);
  return bytes === undefined ? undefined : parsePostfixFile(bytes);
}

/**
 * Reads records up to the message's contents. Each is a type, a length in groups of seven bits (low ones first), and that many bytes.
 *
 * Never throws: what is cut off or makes no sense ends the reading, and what was understood before it counts.
 */
export function parsePostfixFile(bytes: Buffer): Envelope | undefined {
  let at: number | undefined;
  let sender: string | undefined;
  let client: string | undefined;
  const recipients: string[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const type = bytes[offset];
    let length = 0;
    let shift = 0;
    offset += 1;
    for (;;) {
      const byte = bytes[offset];
      if (byte === undefined || shift > 28) return finished();
      offset += 1;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
      shift += 7;
    }
    const end = offset + length;
    // M begins the message, X what was taken from its header, E ends the file.
    if (type === 0x4d || type === 0x45 || end > bytes.length) break;
    if (type === 0x54) at ??= seconds(bytes.toString('latin1', offset, end));
    else if (type === 0x53) sender = bytes.toString('latin1', offset, end);
    else if (type === 0x52) recipients.push(bytes.toString('latin1', offset, end));
    else if (type === 0x41) client ??= clientOf(bytes.toString('latin1', offset, end));
    offset = end;
  }
  return finished();

  function finished(): Envelope | undefined {
    if (at === undefined && sender === undefined) return undefined;
    return {
      recipients,
      ...(at === undefined ? {} : { at }),
      ...(sender === undefined ? {} : { sender }),
      ...(client === undefined ? {} : { client }),
    };
  }
}

/** `1795287219 123456` */
function seconds(text: string): number | undefined {
  const value = /^\d{1,12}/.exec(text)?.[0];
  return value === undefined ? undefined : Number(value) * 1000;
}

function clientOf(attribute: string): string | undefined {
  const address = /^(?:log_)?client_address=(.*)$/.exec(attribute)?.[1];
  return address === undefined || address === '' || address === 'unknown' ? undefined : address;
}
