// Exim's spool: input/ID-H is a message's header file, flat or in sub-folders of one character (split_spool_directory).
// @see spec.txt chapter "Format of spool files"
//
// Frozen messages count as held; one whose first delivery has not been tried yet (-deliver_firsttime) as active, the rest as deferred.

import { basename, join } from 'node:path';
import { headOf } from '../source.ts';
import { denied, HEAD_BYTES, type ReadQueue } from './flavour.ts';
import { eximTime } from './ids.ts';
import type { Envelope } from './tally.ts';
import { walk } from './walk.ts';

export const readExim: ReadQueue = async ({ root, place, tally, goOn }) => {
  const input = join(root, place.directory, 'input');
  const folders = [input];
  const closed: string[] = [];
  for (let i = 0; i < folders.length && i < 100; i++) {
    const folder = folders[i] ?? input;
    const walked = walk(
      folder,
      name => {
        if (name.endsWith('-H')) tally.file(undefined, folder, name, eximTime(name));
        else if (name.length === 1 && folder === input) folders.push(join(folder, name));
      },
      goOn,
    );
    if (walked === 'denied') closed.push(folder);
  }
  tally.openSample(readHeaderFile, goOn);
  return denied(closed, 'run it as root, or as a member of the group that owns the spool (Debian: adduser USER Debian-exim)');
};

function readHeaderFile(path: string): Envelope | undefined {
  const bytes = headOf(path, HEAD_BYTES);
  return bytes === undefined ? undefined : parseHeaderFile(bytes.toString('latin1'), basename(path));
}

/**
 * Name, user, sender in angles, time and warnings, options that begin with a dash, the tree of recipients already done, the number of
 * recipients, and each on a line. What is cut off or makes no sense ends the reading. Never throws.
 */
export function parseHeaderFile(text: string, name: string): Envelope | undefined {
  const lines = text.split('\n');
  const seconds = /^(\d{1,12}) \d+$/.exec(lines[3] ?? '')?.[1];
  const sender = /^<(.*)>$/.exec(lines[2] ?? '')?.[1];
  if (lines[0] !== name || seconds === undefined || sender === undefined) return undefined;
  let client: string | undefined;
  let isFrozen = false;
  let isFirst = false;
  let i = 4;
  for (; /^--?/.test(lines[i] ?? ''); i++) {
    // Values that came from outside are marked by a second dash since 4.94.
    const option = (lines[i] ?? '').replace(/^--/, '-').replace(/^-\([^)]*\)/, '-');
    const host = /^-host_address (?:\[)?([0-9A-Fa-f.:]+?)(?:\])?[.:]\d+$/.exec(option)?.[1];
    if (host !== undefined) client = host;
    if (option.startsWith('-frozen')) isFrozen = true;
    if (option === '-deliver_firsttime') isFirst = true;
  }
  return {
    at: Number(seconds) * 1000,
    sender,
    recipients: recipientsFrom(lines, i),
    queue: isFrozen ? 'hold' : isFirst ? 'active' : 'deferred',
    ...(client === undefined ? {} : { client }),
  };
}

/** Behind the tree of those that are done (`XX`, or lines of two flags and an address) stands their number, then they do. */
function recipientsFrom(lines: readonly string[], from: number): readonly string[] {
  let i = from;
  while (/^(?:XX$|[YN][YN] )/.test(lines[i] ?? '')) i += 1;
  const count = Number(/^\d{1,7}$/.exec(lines[i] ?? '')?.[0] ?? 0);
  // Further facts may follow an address, behind a blank.
  return lines
    .slice(i + 1, i + 1 + count)
    .map(line => line.split(' ')[0] ?? '')
    .filter(address => address !== '');
}
