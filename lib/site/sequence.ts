// sequence.cfg: which path is walked in which minute of the hour. The seed's grammar, one entry a line:
//
//     <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]
//
// "#" begins a remark, at the beginning of a line or after a blank. Here the lines are read one by one; whether what they name
// exists is judged in sequence-check.ts.

import { printable } from '../model/printable.ts';
import type { Sequence, SequenceEntry } from '../model/sequence.ts';
import type { Path } from '../model/trip.ts';
import { byteLines, isUtf16, utf8 } from './encoding.ts';
import type { Place, Reporter } from './problem.ts';
import { UTF16_REMEDY } from './read-text.ts';
import { NAME, NAME_RULE } from './table/name.ts';
import { didYouMean } from './table/nearest.ts';

const GRAMMAR = '<minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]';

/** The one action there is: deliver a message. */
const ACTION = 'DMSG';

const OPTIONS = { '-u': 'account', '-s': 'MTA', '-p': 'MMP', '-m': 'protocol' } as const;
type Option = keyof typeof OPTIONS;
const REQUIRED: readonly Option[] = ['-u', '-s', '-p'];
const MAILBOXES: readonly Path['mailbox'][] = ['pop3', 'imap'];

/** Where a word of a line stands; the places of an entry's words are needed by the checks that follow. */
interface Word {
  readonly text: string;
  readonly place: Place;
}

export interface PlacedEntry extends SequenceEntry {
  /** Where each of its words stands. */
  readonly places: { readonly minute: Place } & Readonly<Partial<Record<Option, Place>>>;
}

/**
 * The entries of a file, in its order; a line with a problem gives none.
 *
 * Takes LF and CRLF, tabs, blanks at the end, and a byte order mark. A remark may be in any encoding; the rest is UTF-8.
 */
export function parseSequence(bytes: Buffer, report: Reporter): PlacedEntry[] {
  if (isUtf16(bytes)) {
    report.error({ line: 1, column: 1 }, 'expected UTF-8: found UTF-16', UTF16_REMEDY);
    return [];
  }
  return byteLines(bytes).flatMap((line, i) => parseLine(withoutRemark(line, i === 0), i + 1, report) ?? []);
}

/** The lines of entries, as `parseSequence` reads them. */
export function formatSequence(sequence: Sequence): string {
  return sequence
    .map(({ minute, account, mta, mmp, mailbox }) => {
      const end = mailbox === undefined ? '' : ` -m ${mailbox}`;
      return `${String(minute).padStart(2, '0')} ${ACTION} -u ${account} -s ${mta} -p ${mmp}${end}\n`;
    })
    .join('');
}

/** Cuts the remark off while the line is still bytes, so that its encoding does not matter. */
function withoutRemark(line: Buffer, isFirst: boolean): Buffer {
  const begin = isFirst && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? 3 : 0;
  for (let i = begin; i < line.length; i++) {
    const before = line[i - 1];
    if (line[i] === 0x23 && (i === begin || before === 0x20 || before === 0x09)) return line.subarray(begin, i);
  }
  return line.at(-1) === 0x0d ? line.subarray(begin, -1) : line.subarray(begin);
}

function parseLine(bytes: Buffer, line: number, report: Reporter): PlacedEntry | undefined {
  const text = utf8(bytes);
  if (text === undefined) {
    report.error(
      { line, column: 1 },
      'expected UTF-8 outside of remarks: found bytes in another encoding',
      'if it is Latin-1: iconv -f latin1 -t utf-8',
    );
    return undefined;
  }
  const words = [...text.matchAll(/[^ \t]+/g)].map(match => ({ text: match[0], place: { line, column: match.index + 1 } }));
  const [minute, second, ...others] = words;
  if (minute === undefined) return undefined;
  const blank = words.find(word => /[\s\u{200b}\u{feff}]/u.test(word.text));
  if (blank !== undefined) {
    report.error(
      blank.place,
      `expected blanks and tabs between words: found '${printable(blank.text, 60).replaceAll('\u{a0}', '\\u{a0}')}'`,
      'a no-break space or the like, as copied text has: type it again',
    );
    return undefined;
  }
  // Where the action was left out, the options are still worth reading.
  const action = second?.text.startsWith('-') === true ? undefined : second;
  const rest = action === second ? others : words.slice(1);
  const sound = {
    minute: minuteOf(minute, report),
    hasAction: checkAction(action, second ?? minute, report),
    options: optionsOf(rest, report),
  };
  return entryOf(sound, { minute, line, report });
}

function minuteOf(word: Word, report: Reporter): number | undefined {
  const shown = printable(word.text, 60);
  if (/^\d{1,2}$/.test(word.text) && Number(word.text) < 60) {
    if (word.text.length === 1) report.warning(word.place, `the minute has two digits: found ${shown}`, `write 0${shown}`);
    return Number(word.text);
  }
  const isCron = /^[\d*,/-]+$/.test(word.text) && /[*,/-]/.test(word.text);
  const remedy = isCron ? "cron's lists and steps are not read here: write a line for each minute" : `a line reads: ${GRAMMAR}`;
  report.error(word.place, `expected a minute from 00 to 59: found '${shown}'`, remedy);
  return undefined;
}

function checkAction(action: Word | undefined, near: Word, report: Reporter): boolean {
  if (action?.text === ACTION) return true;
  const guess = action === undefined ? '' : didYouMean(action.text, [ACTION]);
  if (action === undefined) report.error(near.place, `expected ${ACTION} after the minute`, `a line reads: ${GRAMMAR}`);
  else report.error(action.place, `unknown word '${printable(action.text, 60)}'${guess === '' ? `: expected ${ACTION}` : guess}`);
  return false;
}

type Options = ReadonlyMap<Option, Word>;

/** The options in any order; undefined when one of them is wrong. */
function optionsOf(words: readonly Word[], report: Reporter): Options | undefined {
  const options = new Map<Option, Word>();
  let isSound = true;
  const wrong = (place: Place, text: string, remedy?: string): void => {
    isSound = false;
    report.error(place, text, remedy);
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === undefined) break;
    const name = word.text;
    if (!isOption(name)) {
      wrong(word.place, `unknown word '${printable(name, 60)}'${guessOption(name)}`, `a line reads: ${GRAMMAR}`);
      // What follows an unknown option is most likely its value.
      if (name.startsWith('-') && name.length <= 2 && words[i + 1]?.text.startsWith('-') === false) i++;
      continue;
    }
    const value = words[i + 1];
    if (value === undefined || isOption(value.text)) {
      wrong(
        word.place,
        `expected ${article(OPTIONS[name])} after ${name}: found ${value === undefined ? 'the end of the line' : value.text}`,
        `a line reads: ${GRAMMAR}`,
      );
      continue;
    }
    i++;
    const first = options.get(name);
    if (first !== undefined)
      wrong(
        word.place,
        `option ${name} stands twice in one line: '${printable(first.text, 60)}' and '${printable(value.text, 60)}'`,
      );
    else options.set(name, value);
    if (name === '-m' ? !isMailbox(value.text) : !NAME.test(value.text)) {
      const found = printable(value.text, 60);
      if (name === '-m')
        wrong(value.place, `expected pop3 or imap after -m: found '${found}'${didYouMean(value.text, MAILBOXES)}`);
      else
        wrong(
          value.place,
          `expected the name of ${article(OPTIONS[name])} after ${name}: found '${found}'`,
          `a name has ${NAME_RULE}`,
        );
    }
  }
  return isSound ? options : undefined;
}

function entryOf(
  sound: { readonly minute: number | undefined; readonly hasAction: boolean; readonly options: Options | undefined },
  where: { readonly minute: Word; readonly line: number; readonly report: Reporter },
): PlacedEntry | undefined {
  const { minute, hasAction, options } = sound;
  if (options === undefined) return undefined;
  const missing = REQUIRED.filter(option => !options.has(option));
  if (hasAction && missing.length > 0) {
    const names = missing.map(option => `${option} <${OPTIONS[option].toLowerCase()}>`).join(', ');
    where.report.error(where.minute.place, `the entry has no ${names}`, `a line reads: ${GRAMMAR}`);
  }
  const account = options.get('-u');
  const mta = options.get('-s');
  const mmp = options.get('-p');
  const mailbox = options.get('-m');
  if (minute === undefined || !hasAction || account === undefined || mta === undefined || mmp === undefined) return undefined;
  return {
    minute,
    account: account.text,
    mta: mta.text,
    mmp: mmp.text,
    ...(mailbox !== undefined && isMailbox(mailbox.text) ? { mailbox: mailbox.text } : {}),
    line: where.line,
    places: {
      minute: where.minute.place,
      '-u': account.place,
      '-s': mta.place,
      '-p': mmp.place,
      ...(mailbox === undefined ? {} : { '-m': mailbox.place }),
    },
  };
}

function isOption(word: string): word is Option {
  return Object.hasOwn(OPTIONS, word);
}

function isMailbox(word: string): word is Path['mailbox'] {
  return MAILBOXES.some(mailbox => mailbox === word);
}

/** `-uims1` is a common way to write `-u ims1`; `-U` is a slip of the hand. */
function guessOption(word: string): string {
  const names = Object.keys(OPTIONS);
  const glued = names.find(name => word.startsWith(name) && word.length > 2);
  if (glued !== undefined) return `: did you mean '${glued} ${printable(word.slice(2).replace(/^=/, ''), 60)}'?`;
  const lower = names.find(name => name === word.toLowerCase());
  return lower === undefined ? '' : `: did you mean '${lower}'?`;
}

function article(noun: string): string {
  return /^[aeiouM]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}
