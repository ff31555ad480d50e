// How far this host's clock is off, as whoever keeps it says: chrony, ntpd or systemd-timesyncd; the first that answers.
// Received stamps and log times are worth no more than this clock.

import { join } from 'node:path';
import type { Run } from '../program.ts';
import { textOf } from '../source.ts';

export type Clock =
  | { readonly keeper: string; readonly offsetMs?: number; readonly isSynchronised: boolean }
  | { readonly why: string };

/** Asks nothing when none of the keepers is installed. */
export async function askClock(root: string, run: Run): Promise<Clock> {
  const deadlineMs = 2000;
  const chrony = await run(['chronyc', '-n', '-c', 'tracking'], { deadlineMs });
  if (chrony.ended === 'done' && chrony.status === 0)
    return parseChrony(chrony.stdout) ?? { why: 'chronyc answers otherwise than expected' };
  const ntp = await run(['ntpq', '-n', '-c', 'rv 0 offset,leap,stratum'], { deadlineMs });
  if (ntp.ended === 'done' && ntp.status === 0 && /offset=/.test(ntp.stdout)) return parseNtpq(ntp.stdout);
  const timesync = await run(['timedatectl', 'timesync-status'], { deadlineMs });
  if (timesync.ended === 'done' && timesync.status === 0) return parseTimesync(timesync.stdout);
  if (textOf(join(root, 'run/systemd/timesync/synchronized')) !== undefined)
    return { keeper: 'systemd-timesyncd', isSynchronised: true };
  const asked = [chrony, ntp, timesync].filter(({ ended }) => ended !== 'absent');
  return { why: asked.length === 0 ? 'none of chronyc, ntpq and timedatectl is installed' : 'nobody who keeps it answers' };
}

/** One CSV line: reference id, name, stratum, reference time, system time offset in seconds, …, leap status last. @see chronyc(1) */
export function parseChrony(text: string): Clock | undefined {
  const parts = text.trim().split('\n')[0]?.split(',') ?? [];
  const offset = Number(parts[4]);
  if (parts.length < 14 || parts[4] === '' || !Number.isFinite(offset)) return undefined;
  return { keeper: 'chrony', offsetMs: offset * 1000, isSynchronised: !/^not sync/i.test(parts[13] ?? '') };
}

/** `offset=-0.123, leap=00, stratum=3`: milliseconds; leap 11 is "not synchronised". @see ntpq(8), RFC 5905 section 7.3 */
export function parseNtpq(text: string): Clock {
  const offset = Number(/\boffset=\s*([-+\d.]+)/.exec(text)?.[1]);
  const leap = /\bleap=(\w+)/.exec(text)?.[1];
  const isSynchronised = leap !== '11' && leap !== '3' && !/\bstratum=16\b/.test(text);
  return { keeper: 'ntpd', isSynchronised, ...(Number.isFinite(offset) ? { offsetMs: offset } : {}) };
}

/** `Offset: -1.234ms`, with units from ns to h; no such line before the first answer of a server. @see timedatectl(1) */
export function parseTimesync(text: string): Clock {
  const offset = spanOf(/^\s*Offset:\s*(\S.*)$/m.exec(text)?.[1] ?? '');
  const packets = Number(/^\s*Packet count:\s*(\d+)/m.exec(text)?.[1] ?? 0);
  return { keeper: 'systemd-timesyncd', isSynchronised: packets > 0, ...(offset === undefined ? {} : { offsetMs: offset }) };
}

const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

/** systemd's spans: `+1min 2.5s`, `-123us`; ms. */
function spanOf(text: string): number | undefined {
  let sum = 0;
  let some = false;
  for (const match of text.matchAll(/([\d.]+)\s*(ns|us|µs|ms|min|s|h)\b/g)) {
    sum += Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0);
    some = true;
  }
  return some ? (text.trim().startsWith('-') ? -sum : sum) : undefined;
}
