// What mail logs held, for people: a row for each interval, then directions, delays, sizes and names. Names are printable already.

import { countText, numberText, sizeText, spanText } from '../../host/words.ts';
import { type CounterName, type Counters, MEANINGS } from '../../maillog/counters.ts';
import type { Class, Summary, Top } from '../../maillog/summary.ts';
import type { Step } from '../../maillog/totals.ts';
import { printable } from '../../model/printable.ts';
import { localDay, localTime } from '../../record/day.ts';
import type { Terminal } from '../terminal.ts';

const COLUMNS: readonly (readonly [title: string, value: (counters: Counters) => string])[] = [
  ['in', ({ received }) => String(received)],
  ['bytes', ({ bytesReceived }) => sizeText(bytesReceived)],
  ['out', ({ delivered }) => String(delivered)],
  ['bytes', ({ bytesDelivered }) => sizeText(bytesDelivered)],
  ['deferred', ({ deferrals }) => String(deferrals)],
  ['bounced', ({ bounced }) => String(bounced)],
  ['rejected', ({ rejected }) => String(rejected)],
];
const WIDTH = 10;
const LABEL = 20;
const MINUTE_MS = 60_000;

export function summaryText(summary: Summary, colours: Terminal['colours']): string {
  const { totals, intervals, unstamped } = summary;
  const row = (label: string, cells: readonly string[]) =>
    `${label.padEnd(LABEL)}${cells.map(cell => cell.padStart(WIDTH)).join('')}`;
  const valuesOf = (counters: Counters) => COLUMNS.map(([, value]) => value(counters));
  const titles = COLUMNS.map(([title]) => title);
  const table = [
    '',
    colours.bold(row('from', titles)),
    ...intervals.map(({ from, counters }) => row(from, valuesOf(counters))),
    ...(intervals.length > 1 ? [colours.bold(row('in all', valuesOf(totals)))] : []),
    '',
    ...facts([...directions(totals), ...shapes(summary)]),
    ...tops(summary),
  ];
  return [
    understoodText(summary),
    ...(unstamped === 0 ? [] : [`${countText(unstamped, 'line')} without a time stamp that is known left out`]),
    ...(intervals.length === 0 ? [] : table),
  ].join('\n');
}

function understoodText({ totals, families }: Summary): string {
  const parts = Object.entries(families).map(
    ([family, { lines, understood }]) => `${family} ${lines} (${shareText(understood, lines)} understood)`,
  );
  const foreign = totals.foreignLines === 0 ? [] : [`other programs ${totals.foreignLines}`];
  return `${countText(totals.lines, 'line')}: ${[...parts, ...foreign].join(', ') || 'none of a mail server'}`;
}

type Fact = readonly [label: string, text: string];

function facts(all: readonly Fact[]): readonly string[] {
  return all.filter(([, text]) => text !== '').map(([label, text]) => `${label.padEnd(LABEL)}${text}`);
}

/** `12 deferred, 3 bounced`: what there was none of is left out. */
function counted(counters: Counters, parts: readonly (readonly [name: CounterName, words: string, one?: string])[]): string {
  return parts
    .flatMap(([name, words, one]) =>
      counters[name] === 0 ? [] : [`${counters[name]} ${counters[name] === 1 ? (one ?? words) : words}`],
    )
    .join(', ');
}

function directions(totals: Counters): readonly Fact[] {
  return [
    [
      'in',
      counted(totals, [
        ['receivedFromNet', 'from other hosts'],
        ['receivedByLogin', 'by log-in'],
        ['receivedLocal', 'from programs here'],
        ['receivedAgain', 'back from a filter'],
        ['connections', 'connections', 'connection'],
      ]),
    ],
    [
      'out',
      counted(totals, [
        ['deliveredToNet', 'to other hosts'],
        ['deliveredToMailboxes', 'to mailboxes'],
        ['forwarded', 'forwarded'],
      ]),
    ],
    [
      'trouble',
      counted(totals, [
        ['deferred', 'messages deferred', 'message deferred'],
        ['deferrals', 'deferrals', 'deferral'],
        ['bounced', 'bounced'],
        ['expired', 'expired'],
        ['rejected', 'rejected'],
        ['rejectWarnings', 'rejects as warnings only', 'reject as a warning only'],
        ['held', 'held'],
        ['discarded', 'discarded'],
        ['loginsFailed', 'log-ins failed', 'log-in failed'],
        ['warnings', 'warnings', 'warning'],
        ['fatals', 'fatal errors', 'fatal error'],
      ]),
    ],
    [
      'mailboxes',
      counted(totals, [
        ['logins', 'log-ins', 'log-in'],
        ['stored', 'messages stored', 'message stored'],
      ]),
    ],
  ];
}

function shapes({ delays, sizes }: Summary): readonly Fact[] {
  const parts = delays.parts.map(({ name, mean, most }) => `${name} ${secondsText(mean)} (${secondsText(most)})`);
  return [
    ['delay, mean (most)', delays.count === 0 ? '' : `${secondsText(delays.mean)} (${secondsText(delays.most)})`],
    ['of it', parts.join(', ')],
    ['delays', classesText(delays.classes, seconds => spanText(seconds * 1000))],
    ['sizes', classesText(sizes, bytes => sizeText(bytes).replace('.0 ', ' '))],
  ];
}

const TITLES: Readonly<Record<Top, string>> = {
  senders: 'senders',
  senderDomains: 'sender domains',
  recipientDomains: 'recipient domains by deliveries',
  troubledDomains: 'recipient domains by deferrals and bounces',
  clients: 'clients',
};

function tops({ top, different }: Summary): readonly string[] {
  return (Object.keys(TITLES) as Top[]).flatMap(name => {
    const ranked = top[name];
    if (ranked.length === 0) return [];
    const title =
      different[name] > ranked.length ? `${TITLES[name]}, the first ${ranked.length} of ${different[name]}` : TITLES[name];
    return ['', title, ...ranked.map(each => `${String(each.count).padStart(WIDTH)}  ${each.name}`)];
  });
}

/** `up to 1 KB 12 %, ...`: classes without any are left out. */
function classesText(classes: readonly Class[], bound: (upTo: number) => string): string {
  const all = classes.reduce((total, { count }) => total + count, 0);
  const texts = classes.flatMap(({ upTo, count }, i) => {
    if (count === 0) return [];
    const lower = classes[i - 1]?.upTo;
    const words = upTo === undefined ? `more than ${bound(lower ?? 0)}` : `up to ${bound(upTo)}`;
    return [`${words} ${shareText(count, all)}`];
  });
  return texts.join(', ');
}

/** `100 %` is said of all of them only, `0 %` of none. */
function shareText(part: number, all: number): string {
  if (all === 0 || part === all) return '100 %';
  const percent = (part / all) * 100;
  if (percent < 0.1 && part > 0) return '< 0.1 %';
  return `${Math.min(99.9, percent) >= 10 ? Math.min(99.9, percent).toFixed(percent > 99 ? 1 : 0) : percent.toFixed(1)} %`;
}

function secondsText(seconds: number): string {
  return seconds < 60 ? `${numberText(seconds)} s` : spanText(seconds * 1000);
}

/** Counters since the first time and since the last; what never was is left out. */
export function stepText({ totals, brought, spanMs, events }: Step): string {
  const { log, sinceAt, counters } = totals;
  const happened = events.filter(event => event !== 'lost');
  const head = `${printable(log)}: counted since ${localDay(sinceAt)} ${localTime(sinceAt)}${happened.length === 0 ? '' : `, ${happened.join(', ')} meanwhile`}`;
  const titles =
    spanMs === undefined ? ['in all'] : ['in all', `last ${spanText(spanMs)}`, ...(spanMs >= MINUTE_MS ? ['per minute'] : [])];
  const wide = 14;
  const row = (label: string, cells: readonly string[], meaning: string) =>
    `${label.padEnd(22)}${cells.map(cell => cell.padStart(wide)).join('')}  ${meaning}`.trimEnd();
  const names = (Object.keys(MEANINGS) as CounterName[]).filter(name => counters[name] > 0);
  const rows = names.map(name => {
    const cells = [String(counters[name])];
    if (spanMs !== undefined) cells.push(String(brought[name]));
    if (spanMs !== undefined && spanMs >= MINUTE_MS) cells.push(numberText((brought[name] / spanMs) * MINUTE_MS));
    return row(name, cells, MEANINGS[name]);
  });
  return [head, row('', titles, ''), ...rows].join('\n');
}
