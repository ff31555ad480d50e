// Which paths are due when. Pure.

import type { Sequence, SequenceEntry } from '../model/sequence.ts';
import { type Path, pathKey } from '../model/trip.ts';

/** Trips of one run that are under way at the same time; fewer of them are at work. More, and the times would be those of our own event loop. */
export const AT_ONCE = 8;

/**
 * The paths of a minute of the hour.
 *
 * @param hour any count of hours that goes up by one each hour: entries without `-m` are walked by POP3 in one and by IMAP in the next
 */
export function pathsDue(sequence: Sequence, minute: number, hour: number): readonly Path[] {
  return sequence
    .filter(entry => entry.minute === minute)
    .map(entry => pathOf(entry, entry.mailbox ?? ((hour + entry.minute) % 2 === 0 ? 'pop3' : 'imap')));
}

/** Every path once, in the order of the file; an entry without `-m` stands for two. */
export function allPaths(sequence: Sequence): readonly Path[] {
  const paths = new Map<string, Path>();
  for (const entry of sequence) {
    for (const mailbox of entry.mailbox === undefined ? (['pop3', 'imap'] as const) : [entry.mailbox]) {
      const path = pathOf(entry, mailbox);
      paths.set(pathKey(path), path);
    }
  }
  return [...paths.values()];
}

function pathOf({ account, mta, mmp }: SequenceEntry, mailbox: Path['mailbox']): Path {
  return { account, mta, mmp, mailbox };
}
