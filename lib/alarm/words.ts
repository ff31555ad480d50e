// The words that notices, lists and logs share. Pure.

import type { FaultKind, PhaseName } from '../model/dialog.ts';
import { localDay, localTime } from '../record/day.ts';
import type { Alarm } from './alarm.ts';

const KINDS: Readonly<Record<FaultKind | 'slow', string>> = {
  name: 'its name does not resolve',
  'refused-connection': 'connection refused',
  unreachable: 'cannot be reached',
  timeout: 'no answer in time',
  dropped: 'drops the connection',
  tls: 'TLS or certificate',
  rejected: 'says no',
  garbled: 'answers nonsense',
  missing: 'something is missing',
  altered: 'mail comes back changed',
  local: 'cannot measure',
  slow: 'slow',
};

/** What a kind of fault means in a phase, where the pair has a name of its own. */
function kindText(kind: FaultKind | 'slow', phase: PhaseName): string {
  if (phase === 'arrival') {
    if (kind === 'missing') return 'accepted mail does not arrive';
    if (kind === 'rejected') return 'accepted mail bounces';
    if (kind === 'slow') return 'mail arrives late';
  }
  if (phase === 'auth' && kind === 'rejected') return 'log-in refused';
  return KINDS[kind];
}

/** `mmp/smux02 pop3+imap connect: connection refused` */
export function titleOf(alarm: Pick<Alarm, 'component' | 'protocols' | 'phase' | 'kind' | 'isBlind' | 'touched'>): string {
  const { component, protocols, phase, kind, isBlind } = alarm;
  if (isBlind === true) {
    const why = phase === 'resolve' ? 'our own resolver does not answer' : 'our own network does not reach the site';
    return `the monitor is blind: ${why}`;
  }
  if (component === 'monitor')
    return `the monitor cannot measure: ${phase === 'secret' ? 'a password cannot be read' : `its own ${phase}`}`;
  return `${component} ${protocols.join('+')} ${phase}: ${kindText(kind, phase)}`;
}

/** `45 s`, `11 min`, `3 h 05 min`, `2 d 4 h` */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `02:14`, or `2026-11-21 02:14` when that was not on the day of `now`. Local time. */
export function whenText(at: number, now: number): string {
  const time = localTime(at).slice(0, 5);
  return localDay(at) === localDay(now) ? time : `${localDay(at)} ${time}`;
}

/** `1 path`, `2 paths` */
export function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
