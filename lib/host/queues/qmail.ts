// qmail's queue: mess/N/ID is a message, info/N/ID its sender, local/ and remote/ its recipients not yet done, todo/ what qmail-send
// has not looked at yet. @see INTERNALS of qmail and notqmail
//
// A message that was tried and waits cannot be told from one that is under way without qmail-send's own memory: whatever has been
// taken up counts as active while it is younger than a quarter of an hour, then as deferred. Nothing is ever held.

import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { headOf } from '../source.ts';
import { denied, HEAD_BYTES, type ReadQueue } from './flavour.ts';
import type { Envelope } from './tally.ts';
import { namesIn, walk } from './walk.ts';

/** qmail-send's first retry comes after 400 s and more. */
const YOUNG_MS = 15 * 60_000;

export const readQmail: ReadQueue = async ({ root, place, tally, at, goOn }) => {
  const queue = join(root, place.directory);
  const closed: string[] = [];
  const todo = new Set<string>();
  // netqmail and notqmail may split todo as well.
  const take = (folder: string) =>
    walk(
      folder,
      name => {
        if (/^\d+$/.test(name)) todo.add(name);
      },
      goOn,
    );
  if (take(join(queue, 'todo')) === 'denied') closed.push('todo');
  for (const split of namesIn(join(queue, 'mess'))) {
    const folder = join(queue, 'mess', split);
    const walked = walk(
      folder,
      name => {
        if (/^\d+$/.test(name)) tally.file(todo.has(name) ? 'incoming' : undefined, folder, name, undefined);
      },
      goOn,
    );
    if (walked === 'denied') closed.push(`mess/${split}`);
  }
  tally.openSample(path => readMessage(queue, path, at), goOn);
  return denied(closed, 'run it as root, or as a member of the group qmail');
};

function readMessage(queue: string, path: string, now: number): Envelope | undefined {
  const where = join(basename(dirname(path)), basename(path));
  let at: number;
  try {
    at = statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
  const sender = headOf(join(queue, 'info', where), HEAD_BYTES);
  const recipients = ['local', 'remote'].flatMap(kind => pending(headOf(join(queue, kind, where), HEAD_BYTES)));
  return {
    at,
    recipients,
    queue: now - at < YOUNG_MS ? 'active' : 'deferred',
    ...(sender === undefined ? {} : { sender: sender.toString('latin1').replace(/^F/, '').replace(/\0.*$/s, '') }),
  };
}

/** `T` stands before an address that is still to be done, `D` before one that is; NUL ends each. */
function pending(bytes: Buffer | undefined): readonly string[] {
  if (bytes === undefined) return [];
  return bytes
    .toString('latin1')
    .split('\0')
    .filter(entry => entry.startsWith('T'))
    .map(entry => entry.slice(1));
}
