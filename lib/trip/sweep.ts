// What to do with messages of ours that lie in the box from before. Pure: letters and ledger in, decisions out.
//
// A message is removed only when its token verifies for this account, its id is in our ledger, and its Message-ID is the one we gave
// it. Everything else stays, whatever it says of itself.

import { printable } from '../model/printable.ts';
import type { Finding, Hop } from '../model/trip.ts';
import { isWatched, type LedgerEntry } from '../record/ledger.ts';
import type { Letter } from './box.ts';
import { valuesOf } from './headers.ts';
import { hopsOf } from './received.ts';
import { TOKEN_HEADER, verifyToken } from './token.ts';

/** A message that a later run found. */
export interface Amendment {
  readonly entry: LedgerEntry;
  readonly became: 'late' | 'duplicate' | 'swept';
  readonly letter: Letter;
  /** From the start of its trip until it was filed (by the store's clock, where that can be) or found. */
  readonly afterMs: number;
  /** A message that came late: where its stamps say that it waited. */
  readonly waited?: string;
}

export interface SweepPlan {
  readonly remove: readonly Letter[];
  readonly amendments: readonly Amendment[];
  readonly findings: readonly Finding[];
}

export interface SweepQuestion {
  readonly letters: readonly Letter[];
  readonly key: Buffer;
  readonly address: string;
  /** The message of the trip under way: dealt with by the trip itself. */
  readonly currentId: string;
  readonly entryOf: (id: string) => LedgerEntry | undefined;
  /** When the trip under way began; epoch ms. */
  readonly since: number;
  /** Wall clock, epoch ms. */
  readonly at: number;
  readonly cap: number;
}

export function planSweep({ letters, key, address, currentId, entryOf, since, at, cap }: SweepQuestion): SweepPlan {
  const remove: Letter[] = [];
  const amendments: Amendment[] = [];
  let strangers = 0;
  for (const letter of letters) {
    // One that has been removed by another session meanwhile comes without its header.
    if (valuesOf(letter.headers, TOKEN_HEADER).length === 0) continue;
    const id = verifyToken(key, letter.headers, address);
    if (id === currentId) continue;
    const entry = id === undefined ? undefined : entryOf(id);
    if (entry === undefined || valuesOf(letter.headers, 'Message-ID')[0] !== entry.message.messageId) {
      strangers += 1;
      continue;
    }
    // Another run is looking for it right now, or the user asked to keep it.
    if (isWatched(entry, at) || entry.state === 'kept') continue;
    // Removed by another trip while this one was under way: a maildrop shows what it held at log-in. A second copy is still there later.
    if (entry.state === 'gone' && (entry.seenAt ?? 0) >= since) continue;
    if (remove.length >= cap) continue;
    remove.push(letter);
    const became = becameOf(entry);
    const waited = became === 'late' ? waitedAt(hopsOf(letter.headers, entry.startedAt, at)) : undefined;
    const afterMs = Math.max(0, filedAt(letter, entry, at) - entry.startedAt);
    amendments.push({ entry, letter, became, afterMs, ...(waited === undefined ? {} : { waited }) });
  }
  return { remove, amendments, findings: strangers === 0 ? [] : [strangerFinding(strangers)] };
}

/** The longest pause between two stamps, when it is one. */
function waitedAt(hops: readonly Hop[]): string | undefined {
  const longest = [...hops].sort((a, b) => (b.delayMs ?? 0) - (a.delayMs ?? 0))[0];
  if (longest?.delayMs === undefined || longest.delayMs < 2000) return undefined;
  const before = hops[hops.indexOf(longest) - 1];
  return `its stamps show ${Math.round(longest.delayMs / 1000)} s ${before === undefined ? `before ${longest.by}` : `between ${before.by} and ${longest.by}`}`;
}

function becameOf(entry: LedgerEntry): Amendment['became'] {
  if (entry.state === 'gone') return 'duplicate';
  return entry.state === 'seen' ? 'swept' : 'late';
}

/** The store's own date, unless it cannot be true; it has whole seconds, so the end of that second is meant. */
function filedAt(letter: Letter, entry: LedgerEntry, at: number): number {
  if (letter.internalDate === undefined) return at;
  const filed = letter.internalDate + 999;
  return filed < entry.startedAt || filed > at ? at : filed;
}

function strangerFinding(count: number): Finding {
  const text = `left alone ${count} ${count === 1 ? 'message that bears' : 'messages that bear'} our header but ${count === 1 ? 'is' : 'are'} not in our ledger, or not as we sent ${count === 1 ? 'it' : 'them'}`;
  return { what: 'foreign', text: printable(text, 200) };
}
