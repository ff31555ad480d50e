// A message in words: the plain text that a person can act on at night, in one screen, and its head line. Pure.
//
// Nothing here is markup. A channel whose target reads markup escapes what it is given.

import { localDay, localTime } from '../../record/day.ts';
import type { Notice } from './notice.ts';
import { durationText, many, severityText, whenText } from './words.ts';

const WIDTH = 78;
const LISTED = 3;
const STORES = 8;
/** Of several alarms in one message, so many are told in full. */
const IN_FULL = 3;

/** What a message says, whoever brings it. */
export interface Telling {
  readonly notices: readonly Notice[];
  /** Now, epoch ms: a message that could not go out for a while says so. */
  readonly at: number;
  /** When it was decided. */
  readonly decidedAt: number;
  /** Earlier notices to the same people that a cap or a dead channel held back, and that this message stands for. */
  readonly heldBack: number;
  /** The last message that the cap of this channel lets through for now; until when, epoch ms. */
  readonly lastUntil?: number;
  /** An earlier try may have arrived: no answer came, or we were killed before it did. */
  readonly mayBeRepeat?: true;
}

/** `FAILED mmp/smux02 pop3 connect: connection refused`: one line, for titles and subjects. */
export function headline({ notices }: Pick<Telling, 'notices'>): string {
  const [first, ...others] = notices;
  if (first === undefined) return 'nothing to tell';
  if (others.length === 0) return `${headWord(first)} ${first.title}`;
  const counts = new Map<string, number>();
  for (const notice of notices) counts.set(stateWord(notice), (counts.get(stateWord(notice)) ?? 0) + 1);
  return `${notices.length} alarms: ${[...counts].map(([word, count]) => `${count} ${word}`).join(', ')}`;
}

/** The whole message as plain text, lines of at most 78 characters where the words allow it; no line end after the last. */
export function plainText(telling: Telling): string {
  const { notices } = telling;
  const [first] = notices;
  if (first === undefined) return '';
  const body =
    notices.length === 1
      ? noticeLines(first, telling.at)
      : [
          headline(telling),
          '',
          ...notices.slice(0, IN_FULL).flatMap(notice => [...noticeLines(notice, telling.at), '']),
          ...notices.slice(IN_FULL).map(notice => shortLine(notice, telling.at)),
        ];
  const rest = remarks(telling).flatMap(line => wrapped(line, ''));
  return [...trimmed(body), ...(rest.length === 0 ? [] : ['', ...rest]), '', `${first.site}, ${stamp(telling.at)}`].join('\n');
}

/** What is to be known about the message itself: late, maybe a repeat, held back, the last one for now. */
export function remarks({ at, decidedAt, heldBack, lastUntil, mayBeRepeat, notices }: Telling): string[] {
  const lines: string[] = [];
  if (at - decidedAt > 90_000) lines.push(`This message was decided at ${whenText(decidedAt, at)} and could not go out before.`);
  if (mayBeRepeat === true) lines.push('It may have come before: whether the first try arrived is not known.');
  if (heldBack > 0) lines.push(`${many(heldBack, 'earlier notice')} held back; what is open now: healthmon alarm list`);
  if (lastUntil !== undefined)
    lines.push(
      `The cap on messages is reached: what follows is held back until ${whenText(lastUntil, at)} (healthmon alarm list)`,
    );
  if (notices.some(({ untold }) => untold === true)) lines.push('That it was raised could not be told in time.');
  return lines;
}

/** `FAILED`, `CHANGED`, `STILL FAILED`, `CLEARED`, ...; `DRILL FAILED` in a drill */
export function headWord(notice: Notice): string {
  return notice.isDrill === true ? `DRILL ${plainHeadWord(notice)}` : plainHeadWord(notice);
}

function plainHeadWord(notice: Notice): string {
  const { what, times, flapping } = notice;
  const state = severityText(notice).toUpperCase();
  switch (what) {
    case 'raised':
      if (flapping) return 'FLAPPING';
      return times > 1 ? `${state} AGAIN (${ordinal(times)} time)` : state;
    case 'changed':
      return `CHANGED, ${state}`;
    case 'reminder':
      return flapping ? 'STILL FLAPPING' : `STILL ${state}`;
    case 'flapping':
      return 'FLAPPING';
    case 'cleared':
      return 'CLEARED';
    case 'test':
      return 'TEST';
    case 'canary':
      return 'CANARY';
    case 'held':
      return 'HELD BACK';
    default:
      return what satisfies never;
  }
}

function stateWord(notice: Notice): string {
  if (notice.what === 'cleared') return 'cleared';
  return notice.flapping ? 'flapping' : severityText(notice);
}

function ordinal(n: number): string {
  const tail = n % 100 > 10 && n % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${tail}`;
}

function noticeLines(notice: Notice, at: number): string[] {
  const lines = [...wrapped(`${headWord(notice)}  ${notice.title}`, '')];
  const row = (name: string, text: string) => lines.push(...wrapped(text, name.padEnd(9)));
  if (notice.alarm === 0) {
    row('next', notice.next);
    return lines;
  }
  if (notice.was !== undefined && notice.what === 'changed') row('was', notice.was);
  row('since', sinceText(notice, at));
  row('touched', touchedText(notice));
  if (notice.words !== undefined) row('said', notice.words);
  if (notice.what === 'cleared') row('seen', seenText(notice));
  else if (notice.confidence === 'cannot tell apart')
    row('but', 'it cannot be told apart from its neighbours on the path; see the trip');
  if (notice.flapping) row('flaps', 'it comes and goes; this is said once, until it has come to rest');
  if (notice.explains.length > 0) row('explains', notice.explains.slice(0, LISTED).join(', '));
  if (notice.unackedMs !== undefined) row('to you', `because nobody has acknowledged it for ${durationText(notice.unackedMs)}`);
  if (notice.ackBy !== undefined) row('taken on', `by ${notice.ackBy}`);
  // To be copied: never broken in two.
  if (notice.what !== 'cleared') lines.push(`${'next'.padEnd(9)}${notice.next}`);
  if (notice.isDrill === true) {
    row('drill', 'a rehearsal on the embedded site: nothing of yours is broken');
    return lines;
  }
  if (notice.trip !== undefined) row('trip', `${notice.trip}  (healthmon explain ${notice.trip})`);
  row(
    'alarm',
    notice.what === 'cleared' || notice.ackBy !== undefined
      ? `${notice.alarm}`
      : `${notice.alarm}  (to take it on: healthmon ack ${notice.alarm})`,
  );
  return lines;
}

/** One alarm on one line, for messages of many. */
function shortLine(notice: Notice, at: number): string {
  const touched = notice.kind === 'host' ? touchedText(notice) : many(notice.touched.count, 'path');
  const facts = `since ${whenText(notice.since, at)}, ${touched}, alarm ${notice.alarm}`;
  return `${headWord(notice)}  ${notice.title} (${facts})`;
}

function sinceText({ since, until, what }: Notice, at: number): string {
  if (what === 'cleared' && until !== undefined)
    return `${whenText(since, at)} to ${whenText(until, at)}: it lasted ${durationText(until - since)}`;
  return at - since < 1000 ? `${whenText(since, at)}, just now` : `${whenText(since, at)}, ${durationText(at - since)} ago`;
}

export function touchedText({ touched, kind }: Pick<Notice, 'touched' | 'kind'>): string {
  const { labels, count, stores } = touched;
  if (kind === 'host') return labels.join('; ');
  if (count === 0) return 'nothing that is measured';
  const shown = labels.slice(0, LISTED);
  const more = count > shown.length ? `; and ${count - shown.length} more` : '';
  const others = stores.length > STORES ? ` and ${stores.length - STORES} more` : '';
  const of =
    stores.length === 0 ? '' : ` (${stores.length === 1 ? 'store' : 'stores'} ${stores.slice(0, STORES).join(', ')}${others})`;
  return `${many(count, 'path')}${of}: ${shown.join('; ')}${more}`;
}

function seenText({ results, bad, because }: Notice): string {
  return because ?? `${bad} of ${results} results were bad; the last ones are good`;
}

function stamp(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset();
  const zone = `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
  return `${localDay(at)} ${localTime(at)} ${zone}`;
}

function two(n: number): string {
  return String(Math.floor(n)).padStart(2, '0');
}

/** Text with a name before its first line, and its further lines indented to match. A word that is too long stays whole. */
function wrapped(text: string, name: string): string[] {
  const lines: string[] = [];
  let line = name;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(name.length);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].map(each => each.trimEnd());
}

function trimmed(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex(line => line !== '') + 1);
}
