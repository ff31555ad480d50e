// How far behind a replica is, by contextCSN. Pure. @see RFC 4533, slapo-syncprov(5)
//
// A CSN tells when a change was made, not when its replica should have had it: two CSNs a day apart may be one change of a second
// ago. So the first change that a replica was seen to lack is remembered, and the lag is how long ago that was made.

import { csnTime } from '../../dialog/ldap.ts';

/** Newest CSN by the server that gave it. */
export type Csns = ReadonlyMap<string, string>;

/** A change that a replica was seen to lack, by server id. */
export type Lacked = Readonly<Record<string, string>>;

/** `20261122030444.100726Z#000000#001#000000`: the third part is the server. Values that are none are left out. */
export function csnsOf(values: readonly string[]): Csns {
  const found = new Map<string, string>();
  for (const value of values) {
    const server = value.split('#')[2];
    if (server === undefined || csnTime(value) === undefined) continue;
    if (value > (found.get(server) ?? '')) found.set(server, value);
  }
  return found;
}

/** The newest CSN of each server that any of them has. CSNs of one server sort by time as text. */
export function newest(all: readonly Csns[]): Csns {
  const found = new Map<string, string>();
  for (const csns of all) for (const [server, csn] of csns) if (csn > (found.get(server) ?? '')) found.set(server, csn);
  return found;
}

/**
 * @param lacked what the replica was seen to lack at the last look
 * @returns ms, 0 when it lacks nothing; and what to remember
 */
export function lagOf(mine: Csns, best: Csns, lacked: Lacked, at: number): { readonly lagMs: number; readonly lacked: Lacked } {
  const still: Record<string, string> = {};
  let lagMs = 0;
  for (const [server, csn] of best) {
    const own = mine.get(server) ?? '';
    if (own >= csn) continue;
    const before = lacked[server];
    const first = before !== undefined && before > own && before <= csn ? before : csn;
    still[server] = first;
    lagMs = Math.max(lagMs, at - (csnTime(first) ?? at));
  }
  return { lagMs, lacked: still };
}
