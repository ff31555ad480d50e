// The words that notices, lists and logs share. Pure.

import { kindOf } from '../../model/component.ts';
import type { CauseKind, Step } from '../../model/record.ts';
import { localDay, localTime } from '../../record/day.ts';
import type { Alarm, Severity } from '../when/alarm.ts';

const KINDS: Readonly<Record<CauseKind, string>> = {
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
  host: 'not as it should be',
};

/** What a kind of fault means in a phase, where the pair has a name of its own. */
function kindText(kind: CauseKind, phase: Step): string {
  if (phase === 'arrival') {
    if (kind === 'missing') return 'accepted mail does not arrive';
    if (kind === 'rejected') return 'accepted mail bounces';
    if (kind === 'slow') return 'mail arrives late';
  }
  if (phase === 'auth' && kind === 'rejected') return 'log-in refused';
  return KINDS[kind];
}

/** `mmp/smux02 pop3+imap connect: connection refused`; of a host, what its check says: `host/mx1 sys: space used (/var): 98 %, limit 97 %`. */
export function titleOf(
  alarm: Pick<Alarm, 'component' | 'protocols' | 'phase' | 'kind' | 'isBlind' | 'touched' | 'words'>,
): string {
  const { component, protocols, phase, kind, isBlind, words } = alarm;
  if (kind === 'host')
    return `${component} ${words === undefined ? `${phase}: ${KINDS.host}` : `${phase.split(' ')[0]}: ${words}`}`;
  if (isBlind === true) return `the monitor is blind: ${phase === 'resolve' ? OURS.resolve : OURS.connect}`;
  if (component === 'monitor') return `the monitor cannot measure: ${OURS[phase] ?? `its own ${phase}`}`;
  return `${component} ${protocols.join('+')} ${phase}: ${kindText(kind, phase)}`;
}

const OURS: Readonly<Record<string, string>> = {
  resolve: 'our own resolver does not answer',
  connect: 'our own network does not reach the site',
  secret: 'a password cannot be read',
};

/** What people call a severity: of a host, in the words of its checks. */
export function severityText({ component, severity }: Pick<Alarm, 'component' | 'severity'>): string {
  if (kindOf(component) !== 'host') return severity;
  return HOST_WORDS[severity];
}

const HOST_WORDS: Readonly<Record<Severity, string>> = { failed: 'critical', slow: 'warning', unknown: 'unknown' };

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
