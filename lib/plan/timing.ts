// Entries that get into each other's way, and limits that never come into play. Pure.
//
// check_rndtrip skips a start while another is under way, and what it skips is not measured: a slow trip must be over before the next
// entry is due.

import type { Sequence } from '../model/sequence.ts';
import type { Site } from '../model/site.ts';
import { AT_ONCE } from './due.ts';
import { doorsOf, settled } from './inventory.ts';
import type { Load } from './load.ts';

/** An entry whose run can last until the next one is due. */
export interface Overlap {
  readonly minute: number;
  /** Of the hour; the minute whose entries are then skipped. */
  readonly next: number;
  readonly gapMs: number;
  /** That run, when its trips use up their limits; ms. */
  readonly tripsMs: number;
  /** The same with isolation; ms. */
  readonly longestMs: number;
  /** Entries of that minute. */
  readonly entries: number;
}

export function overlapsOf(site: Site, sequence: Sequence): readonly Overlap[] {
  const entries = settled(site, sequence);
  const minutes = [...new Set(entries.map(({ minute }) => minute))].sort((a, b) => a - b);
  const { submitMs, deliverMs, fetchMs, isolateMs } = site.limits;
  // As `healthmon config check` reckons it: hardly a trip uses up more than one of them.
  const oneMs = submitMs + deliverMs + fetchMs;
  return minutes.flatMap((minute, n) => {
    const next = minutes[n + 1] ?? (minutes[0] ?? minute) + 60;
    const here = entries.filter(entry => entry.minute === minute);
    const turns = turnsOf(here);
    const overlap: Overlap = {
      minute,
      next: next % 60,
      gapMs: (next - minute) * 60_000,
      tripsMs: turns * oneMs,
      longestMs: turns * (oneMs + isolateMs),
      entries: here.length,
    };
    return overlap.longestMs > overlap.gapMs ? [overlap] : [];
  });
}

/** How many trips of one run come after each other: more than are walked at once, or by POP3 into one mailbox, which it locks. */
function turnsOf(entries: Sequence): number {
  const inBox = new Map<string, number>();
  for (const { account, mailbox } of entries) if (mailbox !== 'imap') inBox.set(account, (inBox.get(account) ?? 0) + 1);
  return Math.max(1, Math.ceil(entries.length / AT_ONCE), ...inBox.values());
}

export interface Idle {
  /** The key in site.cfg. */
  readonly key: 'slow' | 'knocks' | 'pop3_logins';
  readonly text: string;
}

/** A limit in site.cfg that can never be reached, a key that has no meaning, and a cap on knocks that is always reached. */
export function idleLimits(site: Site, sequence: Sequence, knocks: Load['knocks']): readonly Idle[] {
  const found: Idle[] = [];
  const { slowMs, submitMs, deliverMs, fetchMs } = site.limits;
  // `fetch` is a limit for opening the mailbox, and again for reading the message back.
  const sumMs = submitMs + deliverMs + 2 * fetchMs;
  if (slowMs >= sumMs)
    found.push({
      key: 'slow',
      text: `no trip is ever called slow: what takes ${seconds(slowMs)} has failed before, at submit, deliver or fetch (${seconds(sumMs)} together)`,
    });
  if (knocks.cap < knocks.most)
    found.push({
      key: 'knocks',
      text: `${knocks.cap} is too few for the ${knocks.most} doors behind one path: some are not asked, and suspects stay together`,
    });
  const byPop3 = settled(site, sequence).filter(({ mailbox }) => mailbox !== 'imap');
  const watches = byPop3.filter(({ mmp, account }) => !site.popWatchesByImap || !doorsOf(site, mmp, account).includes('imap'));
  if (sequence.length > 0 && watches.length === 0)
    found.push({
      key: 'pop3_logins',
      text: byPop3.length === 0 ? 'it has no meaning: no entry goes by POP3' : 'it has no meaning: IMAP watches at every MMP',
    });
  return found;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
