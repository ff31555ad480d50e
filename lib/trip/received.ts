// The Received: stamps of a message as hops with their delays, and what they say about other people's clocks.
//
// A stamp has whole seconds of that host's clock. We know between which instants of our clock the message was under way, so a stamp
// outside that window is the host's clock being off by at least the distance: skew, never a delay. Delays are given only between
// stamps that can be true, and never negative. @see RFC 5321 section 4.4

import { printable } from '../model/printable.ts';
import type { Finding, Hop } from '../model/trip.ts';
import { type HeaderLine, valuesOf } from './headers.ts';

/** Stamps are cut to whole seconds, and clocks kept by NTP differ by less than this. */
const GRAIN_MS = 1500;
const MOST_HOPS = 50;
/** Honest stamps have a few hundred characters, and their dates some thirty. */
const STAMP_LENGTH = 8 * 1024;
const DATE_LENGTH = 100;

/**
 * @param departedAt wall clock when submission began, epoch ms
 * @param seenAt wall clock when the message was seen, epoch ms
 */
export function hopsOf(headers: readonly HeaderLine[], departedAt: number, seenAt: number): readonly Hop[] {
  const stamps = [...valuesOf(headers, 'Received')].slice(0, MOST_HOPS).reverse().map(parseStamp);
  const hops: Hop[] = [];
  let before: number | undefined = departedAt;
  for (const stamp of stamps) {
    const skewMs = stamp.at === undefined ? undefined : skewOf(stamp.at, departedAt, seenAt);
    const trusted = skewMs === undefined ? stamp.at : undefined;
    const delayMs: number | undefined = trusted === undefined || before === undefined ? undefined : Math.max(0, trusted - before);
    hops.push({ ...stamp, ...(skewMs === undefined ? {} : { skewMs }), ...(delayMs === undefined ? {} : { delayMs }) });
    before = trusted;
  }
  return hops;
}

/** One finding per host whose clock is off. When all are, in the same way, the odd clock may be ours. */
export function skewFindings(hops: readonly Hop[]): readonly Finding[] {
  const skewed = hops.filter(hop => hop.skewMs !== undefined);
  const ours = skewed.length > 1 && skewed.length === hops.filter(hop => hop.at !== undefined).length;
  return skewed.map(hop => {
    const seconds = (Math.abs(hop.skewMs ?? 0) / 1000).toFixed(0);
    const way = (hop.skewMs ?? 0) > 0 ? 'ahead' : 'behind';
    return {
      what: 'skew',
      text: `the clock of ${hop.by} is at least ${seconds} s ${way}${ours ? ', as all others are: perhaps it is ours that is off' : ''}`,
    };
  });
}

function skewOf(at: number, departedAt: number, seenAt: number): number | undefined {
  if (at > seenAt + GRAIN_MS) return at - seenAt;
  if (at < departedAt - GRAIN_MS) return at - departedAt;
  return undefined;
}

function parseStamp(value: string): Hop {
  const told = value.length > STAMP_LENGTH ? value.slice(0, STAMP_LENGTH) : value;
  const semicolon = told.lastIndexOf(';');
  const clauses = semicolon < 0 ? told : told.slice(0, semicolon);
  const at = Date.parse(
    withoutComments(told.slice(semicolon + 1))
      .slice(0, DATE_LENGTH)
      .trim(),
  );
  const bare = withoutComments(clauses);
  const word = (name: string) => new RegExp(`(?:^|\\s)${name}\\s+([^\\s;]{1,255})`, 'i').exec(bare)?.[1];
  const from = word('from');
  const protocol = word('with');
  const queueId = word('id');
  return {
    by: printable(word('by') ?? '(unknown)', 100),
    ...(from === undefined ? {} : { from: printable(from, 100) }),
    ...(protocol === undefined ? {} : { protocol: printable(protocol, 40) }),
    ...(queueId === undefined ? {} : { queueId: printable(queueId, 80) }),
    ...(semicolon < 0 || Number.isNaN(at) ? {} : { at }),
  };
}

/** Comments nest; what they hold is free text that may look like a clause. */
function withoutComments(text: string): string {
  let depth = 0;
  let out = '';
  for (const char of text) {
    if (char === '(') depth += 1;
    else if (char === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0) out += char;
  }
  return out;
}
