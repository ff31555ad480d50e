// The short form: one text message of 160 characters, in the alphabet that phones count as one each. Pure.
//
// Kept whole, in this order: what broke, the alarm's number, since when, how many paths. The peer's words get what is left.
// Letters beyond the alphabet would cut the message to 70 characters or split it in two; they are written in ASCII instead.

import { localDay } from '../../record/day.ts';
import type { Notice } from './notice.ts';
import { headWord, type Telling } from './wording.ts';
import { durationText, many, whenText } from './words.ts';

export const SMS_LENGTH = 160;

/** 3GPP TS 23.038 section 6.2.1: the default alphabet, as far as it is ASCII; and the characters that count twice. */
const SINGLE = /^[A-Za-z0-9 @$!"#%&'()*+,\-./:;<=>?_\n]$/;
const DOUBLE = new Set(['^', '{', '}', '\\', '[', '~', ']', '|']);
/** What stands for letters that have a plain form. */
const PLAIN: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  ø: 'o',
  Ø: 'O',
  '`': "'",
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
  '…': '...',
  '€': 'EUR',
};

/** The message in at most `max` characters of the alphabet; what does not fit ends in `...`. */
export function smsText({ notices, at, heldBack, lastUntil, mayBeRepeat }: Telling, max = SMS_LENGTH): string {
  const [first, ...others] = notices;
  if (first === undefined) return '';
  const site = plain(first.site, 20);
  const rest = [
    ...(mayBeRepeat === true ? ['maybe a repeat'] : []),
    ...(heldBack > 0 ? [`${heldBack} held back`] : []),
    ...(lastUntil === undefined ? [] : [`cap: silent to ${whenText(lastUntil, at)}`]),
  ].join(', ');
  const tail = rest === '' ? '' : `; ${rest}`;
  if (others.length > 0) return severalText(notices, { site, tail, max });
  if (first.alarm === 0) return cut(plain(`${headWord(first)} ${site}: ${first.title}`), max);
  const facts = [
    factText(first, at),
    many(first.touched.count, 'path'),
    ...(first.isDrill === true ? ['a rehearsal'] : first.what === 'cleared' ? [] : [`ack ${first.alarm}`]),
  ];
  const fixed = `, ${facts.join(', ')}`;
  const head = cut(plain(`${headWord(first)} ${site}: ${first.title}`), max - sizeOf(fixed) - sizeOf(tail));
  const left = max - sizeOf(head) - sizeOf(fixed) - sizeOf(tail);
  const words = first.what === 'cleared' || first.words === undefined ? '' : plain(first.words);
  // Less than this says nothing.
  const said = words === '' || left < 16 ? '' : `: ${cut(words, left - 2)}`;
  return `${head}${fixed}${said}${tail}`;
}

function severalText(
  notices: readonly Notice[],
  { site, tail, max }: { readonly site: string; readonly tail: string; readonly max: number },
): string {
  const head = `${site}: ${notices.length} alarms`;
  let text = head;
  for (const [index, notice] of notices.entries()) {
    const more = notices.length - index;
    const part = `; ${plain(`${shortHead(notice)} ${notice.title.split(': ')[0] ?? ''}`)}`;
    const room = max - sizeOf(tail) - (more > 1 ? sizeOf(`; +${more}`) : 0);
    if (sizeOf(text) + sizeOf(part) > room) return `${text}; +${more}${tail}`;
    text += part;
  }
  return text + tail;
}

function shortHead({ what, severity, flapping }: Notice): string {
  if (what === 'cleared') return 'ok';
  return flapping ? 'FLAPS' : severity.toUpperCase();
}

function factText({ what, since, until }: Notice, at: number): string {
  if (what === 'cleared' && until !== undefined) return `lasted ${durationText(until - since)}`;
  return localDay(since) === localDay(at) ? `since ${whenText(since, at)}` : `for ${durationText(at - since)}`;
}

/** Text in the alphabet, blanks joined, at most so many characters where `max` is given. */
export function plain(text: string, max = Number.POSITIVE_INFINITY): string {
  let out = '';
  for (const letter of text.normalize('NFC').replace(/\s+/g, ' ')) {
    if (SINGLE.test(letter) || DOUBLE.has(letter)) out += letter;
    else out += PLAIN[letter] ?? ascii(letter);
  }
  return cut(out.trim(), max);
}

/** `ä` without its dots; `?` for what has no such form. */
function ascii(letter: string): string {
  const [base = ''] = letter.normalize('NFD');
  return SINGLE.test(base) ? base : '?';
}

/** How many characters a phone counts. */
export function sizeOf(text: string): number {
  let size = 0;
  for (const letter of text) size += DOUBLE.has(letter) ? 2 : 1;
  return size;
}

function cut(text: string, max: number): string {
  if (sizeOf(text) <= max) return text;
  const letters = [...text];
  while (letters.length > 0 && sizeOf(letters.join('')) + 3 > max) letters.pop();
  return `${letters.join('').trimEnd()}...`;
}
