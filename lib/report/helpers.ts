// The helpers that templates have: the whole list, with what each takes, so that a template is checked against it before it is
// rendered, and plugins/README.md can be checked against it too. Helpers get finished data and give text; none reads anything else.
//
// No helper bears the name of a field of the report: `{{name}}` must mean one thing only.

import Handlebars from 'handlebars';
import { localDay, localTime } from '../record/day.ts';
import { systestHeader, systestRow } from '../record/systest.ts';
import type { Picture } from './pictures.ts';
import { chartOf, sparklineOf } from './pictures.ts';
import { entries, object } from './untrusted.ts';
import { clockText, momentText, percentText, plural, spanText } from './words.ts';

export type Parameter = 'number' | 'text' | 'any' | 'list' | 'object';

export interface Helper {
  /** Null may stand for any of them, and gives `-` or nothing. */
  readonly takes: readonly Parameter[];
  /** How many of the last ones may be left out. */
  readonly optional: number;
  readonly gives: 'text' | 'truth' | 'number';
  /** In HTML templates only. */
  readonly isHtmlOnly?: boolean;
  readonly about: string;
  readonly work: (args: readonly unknown[], gallery: Gallery) => unknown;
}

/** Where pictures go that a template asks for; gives the address that the HTML shows them by. */
export type Gallery = (picture: Picture) => string;

function helper(
  takes: readonly Parameter[],
  about: string,
  work: Helper['work'],
  more: { readonly optional?: number; readonly gives?: Helper['gives']; readonly isHtmlOnly?: boolean } = {},
): Helper {
  return { takes, about, work, optional: 0, gives: 'text', ...more };
}

const NONE = '-';
const truthMore = { gives: 'truth' } as const;

export const HELPERS: Readonly<Record<string, Helper>> = {
  span: helper(['number'], 'A span of milliseconds in few digits: `576 ms`, `2.08 s`, `3 h 20 min`.', ([ms]) =>
    isNumber(ms) ? spanText(ms) : NONE,
  ),
  millis: helper(['number'], 'Milliseconds as a whole number; nothing for null.', ([ms]) =>
    isNumber(ms) ? String(Math.round(ms)) : '',
  ),
  seconds: helper(['number'], 'Milliseconds as seconds for programs: `2.083`; `NaN` for null.', ([ms]) =>
    isNumber(ms) ? String(Math.round(ms) / 1000) : 'NaN',
  ),
  percent: helper(
    ['number', 'number'],
    'A share from 0 to 1 as percent, with so many digits (2).',
    ([ratio, digits]) => (isNumber(ratio) ? percentText(ratio, isNumber(digits) ? digits : 2) : NONE),
    { optional: 1 },
  ),
  percentRange: helper(
    ['number', 'number', 'number'],
    'Two shares as one range, with so many digits (1): `94.5 to 98.5 %`.',
    ([low, high, digits]) =>
      isNumber(low) && isNumber(high)
        ? `${percentText(low, isNumber(digits) ? digits : 1).slice(0, -2)} to ${percentText(high, isNumber(digits) ? digits : 1)}`
        : NONE,
    { optional: 1 },
  ),
  fixed: helper(
    ['number', 'number'],
    'A number with so many digits after the point (0).',
    ([n, digits]) => (isNumber(n) ? n.toFixed(isNumber(digits) ? bounded(digits, 20) : 0) : NONE),
    { optional: 1 },
  ),
  clock: helper(['number'], 'The time of day of an instant: `14:05`.', ([at]) => (isNumber(at) ? clockText(at) : NONE)),
  moment: helper(['number'], 'An instant: `21 Nov 14:05`.', ([at]) => (isNumber(at) ? momentText(at) : NONE)),
  date: helper(['number'], 'The local day of an instant: `2026-11-21`.', ([at]) => (isNumber(at) ? localDay(at) : NONE)),
  iso: helper(['number'], 'An instant for programs, in UTC: `2026-11-21T13:05:00.000Z`.', ([at]) =>
    isNumber(at) ? new Date(at).toISOString() : '',
  ),
  plural: helper(
    ['number', 'text', 'text'],
    'A number with a word: `1 trip`, `2 trips`; the third is the plural where it is irregular.',
    ([n, one, many]) => (isNumber(n) ? plural(n, String(one), typeof many === 'string' ? many : undefined) : NONE),
    { optional: 1 },
  ),
  change: helper(['number', 'number'], 'The first beside the second: `+12 %`, `-3 %`, `the same`.', ([now, then]) =>
    changeText(now, then),
  ),
  left: helper(['any', 'number'], 'A text in so many columns, filled up on the right, cut with `~`.', ([value, width]) =>
    column(value, width, 'left'),
  ),
  right: helper(['any', 'number'], 'The same, filled up on the left.', ([value, width]) => column(value, width, 'right')),
  repeat: helper(['text', 'number'], 'A text so many times over.', ([text, n]) =>
    String(text).repeat(isNumber(n) ? bounded(n, 500) : 0),
  ),
  wrap: helper(
    ['text', 'number', 'number'],
    'A text in lines of so many columns; all but the first are indented by the third (0).',
    ([text, width, indent]) => wrapped(String(text ?? ''), isNumber(width) ? width : 76, isNumber(indent) ? indent : 0),
    { optional: 1 },
  ),
  upper: helper(['text'], 'In capital letters.', ([text]) => String(text ?? '').toUpperCase()),
  systestHead: helper(['text'], "The header of systest.log for a day, as the seed's table has it.", ([day]) =>
    systestHeader(String(day)).trimEnd(),
  ),
  systestLine: helper(['object'], 'A row of `rows` as a line of systest.log.', ([row]) => tableLine(row)),
  csv: helper(['any'], 'A cell of a CSV file, quoted where it has to be (RFC 4180), made harmless for spreadsheets.', ([value]) =>
    csvCell(value),
  ),
  metricLabel: helper(
    ['any'],
    'The value of a label in the formats of Prometheus and OpenMetrics, without its quotation marks.',
    ([value]) =>
      String(value ?? '')
        .replace(/\\/g, '\\\\')
        .replace(/"/g, '\\"')
        .replace(/\n/g, '\\n'),
  ),
  json: helper(
    ['any', 'number'],
    'A value as JSON, indented by so many blanks (0).',
    ([value, indent]) => JSON.stringify(value, null, isNumber(indent) ? bounded(indent, 8) : 0),
    {
      optional: 1,
    },
  ),
  eq: helper(['any', 'any'], 'Whether two values are the same.', ([a, b]) => a === b, truthMore),
  gt: helper(
    ['number', 'number'],
    'Whether the first number is larger.',
    ([a, b]) => isNumber(a) && isNumber(b) && a > b,
    truthMore,
  ),
  not: helper(['any'], 'The opposite.', ([value]) => !isFull(value), truthMore),
  and: helper(['any', 'any'], 'Whether both hold.', ([a, b]) => isFull(a) && isFull(b), truthMore),
  or: helper(['any', 'any'], 'Whether one of them holds.', ([a, b]) => isFull(a) || isFull(b), truthMore),
  between: helper(
    ['number', 'number', 'number'],
    'The number that lies so far (0 to 1) between two others.',
    ([from, to, share]) => (isNumber(from) && isNumber(to) && isNumber(share) ? from + (to - from) * share : 0),
    { gives: 'number' },
  ),
  strip: helper(
    ['list'],
    'The `stretches` as one letter each: `.` ok, `s` slow, `X` failed, `?` not measured, `_` nothing tested.',
    ([stretches]) =>
      entries(stretches)
        .map(({ state }) => LETTERS[String(state)] ?? '_')
        .join(''),
  ),
  bars: helper(
    ['list', 'number'],
    'A `trend` as one small bar each, for times up to so many ms; `X` where trips failed.',
    ([trend, most]) =>
      entries(trend)
        .map(point => barOf(point, most))
        .join('')
        .trimEnd(),
  ),
  add: helper(['number', 'number'], 'The sum.', ([a, b]) => (isNumber(a) ? a : 0) + (isNumber(b) ? b : 0), { gives: 'number' }),
  part: helper(
    ['number', 'number'],
    'A share from 0 to 1 of so many pixels or columns, as a whole number; something small is never nothing.',
    ([ratio, of]) => (isNumber(ratio) && isNumber(of) ? (ratio > 0 ? Math.max(1, Math.round(ratio * of)) : 0) : 0),
    { gives: 'number' },
  ),
  heatColour: helper(['number'], 'A colour for a heat from 0 to 1: `#dff0e4` to `#f4b8a0`.', ([heat]) => heatColour(heat), {
    isHtmlOnly: true,
  }),
  sparkline: helper(
    ['list', 'number', 'text'],
    'A small picture of a `trend`: lines for times up to so many ms, red where trips failed; the text is shown in its place.',
    ([trend, most, alt], gallery) => pictureTag(sparklineOf(trend, most), alt, gallery),
    { isHtmlOnly: true },
  ),
  chart: helper(
    ['object', 'text'],
    'A picture of all trips of the report (`@root`) over time, the slower the higher; the text is shown in its place.',
    ([report, alt], gallery) => pictureTag(chartOf(report), alt, gallery),
    { isHtmlOnly: true },
  ),
};

/** Blocks of Handlebars itself that templates may use. */
export const BLOCKS: ReadonlySet<string> = new Set(['each', 'if', 'unless', 'with']);

const LETTERS: Readonly<Record<string, string>> = { ok: '.', slow: 's', failed: 'X', unknown: '?', none: '_' };
const BARS = '▁▂▃▄▅▆▇█';

function barOf({ state, worst }: Record<string, unknown>, most: unknown): string {
  if (state === 'failed') return 'X';
  if (!isNumber(worst)) return ' ';
  const share = isNumber(most) && most > 0 ? Math.min(1, worst / most) : 0;
  return BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))] ?? ' ';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** What `#if` takes for true. */
function isFull(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function bounded(n: number, most: number): number {
  return Math.min(most, Math.max(0, Math.floor(n)));
}

function changeText(now: unknown, then: unknown): string {
  if (!isNumber(now) || !isNumber(then)) return NONE;
  if (then === 0) return now === 0 ? 'the same' : 'from none';
  const percent = Math.round(((now - then) / then) * 100);
  return percent === 0 ? 'the same' : `${percent > 0 ? '+' : ''}${percent} %`;
}

function column(value: unknown, width: unknown, side: 'left' | 'right'): string {
  const columns = isNumber(width) ? bounded(width, 500) : 0;
  const text = value === null || value === undefined ? '' : String(value);
  // By whole characters: half of one is none, and no mail program would get it back.
  const characters = [...text];
  const cut = characters.length > columns ? `${characters.slice(0, Math.max(0, columns - 1)).join('')}~` : text;
  const blanks = ' '.repeat(Math.max(0, columns - Math.min(columns, characters.length)));
  return side === 'left' ? cut + blanks : blanks + cut;
}

/** Words longer than a line stay whole: a line that is too long says more than a word that is cut. */
function wrapped(text: string, width: number, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const room = width - (lines.length === 0 ? 0 : indent);
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.join(`\n${' '.repeat(bounded(indent, 60))}`);
}

/** A row of the report as a line of systest.log. */
export function tableLine(value: unknown): string {
  const row = object(value);
  const text = (name: string) => String(row?.[name] ?? '');
  const totalMs = row?.totalMs;
  return systestRow({
    time: isNumber(row?.at) ? localTime(row.at) : text('time'),
    account: text('account'),
    mta: text('mta'),
    mmp: text('mmp'),
    ...(isNumber(totalMs) ? { totalMs } : {}),
    error: text('error'),
  });
}

/** A cell that begins like a formula gets an apostrophe before it, or a spreadsheet would run it. */
function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = String(value);
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replace(/"/g, '""')}"` : harmless;
}

/** From a pale green over a pale yellow to a pale red, all of which black text can be read on. */
function heatColour(heat: unknown): string {
  const at = isNumber(heat) ? Math.min(1, Math.max(0, heat)) : 0;
  const stops = [
    [223, 240, 228],
    [252, 239, 201],
    [244, 184, 160],
  ] as const;
  const [from, to] = at < 0.5 ? [stops[0], stops[1]] : [stops[1], stops[2]];
  const share = at < 0.5 ? at * 2 : at * 2 - 1;
  return `#${[0, 1, 2]
    .map(i =>
      Math.round((from[i] ?? 0) + ((to[i] ?? 0) - (from[i] ?? 0)) * share)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

/** Sizes and address are our own; the text is escaped here, since the tag as a whole is not. */
function pictureTag(picture: Picture, alt: unknown, gallery: Gallery): Handlebars.SafeString {
  const text = Handlebars.escapeExpression(String(alt ?? ''));
  return new Handlebars.SafeString(
    `<img src="${gallery(picture)}" width="${picture.width}" height="${picture.height}" alt="${text}" style="display:block;border:0">`,
  );
}
