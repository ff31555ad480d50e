// What would make a plan better, as the very lines to add: in site.cfg below a section, or as entries of sequence.cfg. Pure.

import type { Sequence, SequenceEntry } from '../model/sequence.ts';
import type { Site } from '../model/site.ts';
import { doorsOf, wantedNames } from './inventory.ts';

export type Change =
  | {
      readonly file: 'site.cfg';
      /** `[store.ims1]`; a section that is not there yet is to be added. */
      readonly section: string;
      readonly lines: readonly string[];
    }
  | { readonly file: 'sequence.cfg'; readonly entries: Sequence };

/** A door of a store or MMP as it is written, with its usual port. */
export const DOOR_LINES = {
  pop3: 'pop3 = { port = 110, security = "starttls" }',
  imap: 'imap = { port = 143, security = "starttls" }',
  lmtp: 'lmtp = { port = 24, security = "plain" }',
} as const;

/**
 * An entry over the given components, the rest chosen from what is there, in a minute that is free or has the fewest entries.
 *
 * @returns undefined when there is no way: no MTA, no account, or no door by which to read
 */
export function entryOver(
  site: Site,
  sequence: Sequence,
  { account, mta, mmp }: { readonly account?: string; readonly mta?: string; readonly mmp?: string },
): SequenceEntry | undefined {
  const wanted = wantedNames(site);
  const sender = mta ?? leastUsed(wanted.mtas, sequence, 'mta');
  if (sender === undefined) return undefined;
  const accounts = account === undefined ? byUse(wanted.accounts, sequence, 'account') : [account];
  const mmps = mmp === undefined ? byUse(wanted.mmps, sequence, 'mmp') : [mmp];
  for (const reader of mmps) {
    for (const user of accounts) {
      const [only, second] = doorsOf(site, reader, user);
      if (only === undefined) continue;
      const mailbox = second === undefined ? { mailbox: only } : {};
      return { minute: freeMinute(site, sequence, user), account: user, mta: sender, mmp: reader, ...mailbox, line: 0 };
    }
  }
  return undefined;
}

/** The minute with the fewest entries; of several the one that is furthest from the others' entries for the same account. */
function freeMinute(site: Site, sequence: Sequence, account: string): number {
  const slots = Array.from({ length: 60 / site.intervalMinutes }, (_, n) => n * site.intervalMinutes);
  const rank = (minute: number) => {
    const here = sequence.filter(entry => entry.minute === minute);
    return here.length * 2 + (here.some(entry => entry.account === account) ? 1 : 0);
  };
  return slots.reduce((best, minute) => (rank(minute) < rank(best) ? minute : best), slots[0] ?? 0);
}

type Word = 'account' | 'mta' | 'mmp';

function leastUsed(names: readonly string[], sequence: Sequence, word: Word): string | undefined {
  return byUse(names, sequence, word)[0];
}

/** The least used first; the order of site.cfg among equals. */
function byUse(names: readonly string[], sequence: Sequence, word: Word): readonly string[] {
  const uses = new Map<string, number>();
  for (const entry of sequence) uses.set(entry[word], (uses.get(entry[word]) ?? 0) + 1);
  return [...names].sort((a, b) => (uses.get(a) ?? 0) - (uses.get(b) ?? 0));
}
