// A plan for people: pairs as tables, everything else as lists. Pure but for colours, which are an argument.

import { type Component, kindOf, shortName } from '../../model/component.ts';
import { printable } from '../../model/printable.ts';
import type { Site } from '../../model/site.ts';
import type { Change } from '../../plan/change.ts';
import { tablesOf } from '../../plan/coverage.ts';
import { CERTAINTY, type Detection, isUnseen, longestMs } from '../../plan/detection.ts';
import { FURTHER_MESSAGES, type Load, type LogIns } from '../../plan/load.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Overlap } from '../../plan/timing.ts';
import { entryLines } from '../plan/json.ts';
import type { Terminal } from '../terminal.ts';
import { legendText, pairsText } from './pairs.ts';

type Colours = Terminal['colours'];

/** Of a list that could be long, so many are named; --json has all. */
const NAMED = 4;
const LIKEWISE = 2;
/** So many accounts each have a line of their own. */
const ACCOUNTS = 8;

export function planText(plan: Plan, site: Site, colours: Colours, width: number): string {
  const { coverage, detection, load, overlaps, idle } = plan;
  const tables = tablesOf(coverage);
  const entries = load.messages === 1 ? '1 entry' : `${load.messages} entries`;
  return [
    `${printable(site.name, 60)}: ${entries} in sequence.cfg, started every ${count(site.intervalMinutes, 'minute')}`,
    '',
    colours.bold('Pairs'),
    ...tables.flatMap(table => pairsText(table, colours, width)),
    ...legendText(tables, width).map(line => colours.dim(line)),
    '',
    ...detectionText(detection, site, colours),
    '',
    ...ambiguityText(plan, colours),
    '',
    ...loadText(load, colours),
    ...(overlaps.length + idle.length === 0 ? [] : ['', colours.bold('Limits')]),
    ...overlapText(overlaps, site),
    ...idle.map(({ key, text }) => `  ${key}: ${text}`),
    '',
    summary(plan, colours),
  ].join('\n');
}

/** The last line: what the exit status says. */
function summary({ coverage, detection }: Plan, colours: Colours): string {
  const missing = tablesOf(coverage).reduce((sum, { wanted, covered }) => sum + wanted - covered, 0);
  const unseen = detection.filter(isUnseen).length;
  if (missing === 0 && unseen === 0) return colours.green('All pairs are covered, and every component is visited');
  const pairs =
    missing === 0 ? [] : [`${count(missing, 'pair')} not covered ("healthmon plan --write" makes a sequence for all)`];
  const components = unseen === 0 ? [] : [`${count(unseen, 'component')} never visited`];
  return colours.red([...pairs, ...components].join('; '));
}

function detectionText(detection: readonly Detection[], site: Site, colours: Colours): readonly string[] {
  const alike = new Map<string, Detection[]>();
  for (const each of detection.filter(one => !isToldByStore(one, detection))) {
    const key = JSON.stringify([kindOf(each.component), timeText(each), aboutText(each), each.change]);
    alike.set(key, [...(alike.get(key) ?? []), each]);
  }
  // Of many that are alike the first stands for all; each line keeps the place of its first.
  const rows = [...alike.values()].flatMap(some => (some.length <= NAMED ? some.map(each => [each]) : [some]));
  const names = rows.map(([first, ...others]) =>
    others.length === 0 ? (first?.component ?? '') : `${first?.component} and ${others.length} more`,
  );
  const width = Math.max(...names.map(name => name.length)) + 2;
  const shown = new Set<string>();
  const lines = rows.flatMap(([each], n) => {
    if (each === undefined) return [];
    const key = JSON.stringify(each.change);
    const change = each.change === undefined || shown.has(key) ? [] : changeText(each.change);
    const about = each.change !== undefined && shown.has(key) ? ['a line above would change that'] : [];
    shown.add(key);
    const paint = isUnseen(each) ? colours.red : each.worstMs === undefined ? colours.yellow : (text: string) => text;
    return [
      `  ${(names[n] ?? '').padEnd(width)}${paint(timeText(each).padEnd(17))}${[aboutText(each), ...about].filter(text => text !== '').join('; ')}`.trimEnd(),
      ...change,
    ];
  });
  const limits = span(longestMs(site.limits));
  return [
    colours.bold('A failure is noticed at the latest after'),
    colours.dim(`  the longest pause between two visits, and ${limits} (submit + deliver + fetch + isolate)`),
    ...lines,
  ];
}

function timeText({ worstMs, chance, wanted }: Detection): string {
  if (!wanted) return '-';
  return worstMs === undefined ? (chance === undefined ? 'never' : 'no bound') : span(worstMs);
}

function aboutText(each: Detection): string {
  return [...visitsText(each), ...each.notes].join('; ');
}

/** An account that bears its store's name and is visited as often says nothing new. */
function isToldByStore({ component, worstMs, wanted }: Detection, detection: readonly Detection[]): boolean {
  if (kindOf(component) !== 'account' || !wanted) return false;
  return detection.some(other => other.component === `store/${shortName(component)}` && other.worstMs === worstMs);
}

function visitsText({ visitsAnHour, chance, byProtocol, worstMs }: Detection): readonly string[] {
  const texts = visitsAnHour === 0 ? [] : [`${count(visitsAnHour, 'visit')} an hour`];
  if (chance !== undefined) {
    const odds = `${count(chance.visitsAnHour, 'visit')} an hour through a balancer, with a chance of ${oddsText(chance.odds)}`;
    const likely = `in ${Math.round(CERTAINTY * 100)} of 100 cases after ${span(chance.likelyMs)}`;
    texts.push(worstMs === undefined ? `${odds}: ${likely}` : `and ${odds}`);
  }
  const doors = Object.entries(byProtocol ?? {}).filter(([, ms]) => ms !== worstMs);
  if (doors.length > 0) texts.push(doors.map(([protocol, ms]) => `its ${protocol} door ${span(ms)}`).join(', '));
  return texts;
}

function oddsText(odds: number): string {
  const one = 1 / odds;
  return Math.abs(one - Math.round(one)) < 1e-6 ? `1 in ${Math.round(one)}` : `${Math.round(odds * 100)} in 100`;
}

function ambiguityText({ ambiguities, together, load }: Plan, colours: Colours): readonly string[] {
  const title = colours.bold('After a failure these could not be told apart');
  if (ambiguities.length + together.length === 0) return [title, load.messages === 0 ? '  nothing is tested' : '  none'];
  const lines: string[] = [];
  const shown = new Set<string>();
  let last = '';
  for (const { symptom, cases, unnamed, changes, solves, beyond } of ambiguities) {
    if (symptom !== last) lines.push(`  ${symptom}`);
    last = symptom;
    const unknown = unnamed ? ['a directory or name server that it asks and site.cfg does not name'] : [];
    const [first = [], ...others] = cases;
    lines.push(`    ${colours.bold([...first, ...unknown].join(' or '))}`, ...likewiseText(others, colours));
    if (changes.length === 0) {
      lines.push(colours.dim(`      nothing in the config changes that: ${beyond}`));
      continue;
    }
    const fresh = changes.filter(change => !shown.has(JSON.stringify(change)));
    const above = fresh.length === changes.length ? '' : fresh.length === 0 ? ' the lines above' : ' the lines above, and';
    lines.push(colours.dim(`      ${solves ? 'told apart with' : 'told apart in part with'}${above}`), ...changesText(fresh));
    for (const change of fresh) shown.add(JSON.stringify(change));
  }
  if (together.length > 0) lines.push('  the same tests fail, because each test of one is a test of the other');
  for (const { components, entry } of together.slice(0, NAMED * 2))
    lines.push(
      `    ${colours.bold(components.join(' or '))}`,
      colours.dim('      told apart with'),
      ...changeText({ file: 'sequence.cfg', entries: [entry] }),
    );
  if (together.length > NAMED * 2) lines.push(`    and ${together.length - NAMED * 2} more such pairs (--json has all)`);
  return [title, ...lines];
}

function likewiseText(cases: readonly (readonly Component[])[], colours: Colours): readonly string[] {
  if (cases.length === 0) return [];
  const some = cases.slice(0, LIKEWISE).map(suspects => suspects.join(' or '));
  const more = cases.length > LIKEWISE ? [`${cases.length - LIKEWISE} more`] : [];
  return [colours.dim(`      likewise ${[...some, ...more].join('; ')}`)];
}

/** The same lines for several sections are written once. */
function changesText(changes: readonly Change[]): readonly string[] {
  const merged = new Map<string, { readonly sections: string[]; readonly lines: readonly string[] }>();
  const entries: string[] = [];
  for (const change of changes) {
    if (change.file === 'sequence.cfg') {
      entries.push(...changeText(change));
      continue;
    }
    const key = change.lines.join('\n');
    const known = merged.get(key) ?? { sections: [], lines: change.lines };
    known.sections.push(change.section);
    merged.set(key, known);
  }
  const all = [...merged.values()];
  const shown = all.slice(0, NAMED).flatMap(({ sections, lines }) => siteLines(sections, lines));
  const more = all.length > NAMED ? [`        and ${all.length - NAMED} more like these (--json has all)`] : [];
  return [...shown, ...more, ...entries];
}

function changeText(change: Change): readonly string[] {
  if (change.file === 'site.cfg') return siteLines([change.section], change.lines);
  const [first = '', ...others] = entryLines(change.entries);
  return [`        sequence.cfg  ${first}`, ...others.map(line => `                      ${line}`)];
}

function siteLines(sections: readonly string[], lines: readonly string[]): readonly string[] {
  const named = sections.slice(0, NAMED).join(' ');
  const more = sections.length > NAMED ? ` and ${sections.length - NAMED} more` : '';
  return [`        site.cfg  ${named}${more}`, ...lines.map(line => `                  ${line}`)];
}

function loadText({ messages, pop3, imap, smtp, accounts, knocks }: Load, colours: Colours): readonly string[] {
  const busiest =
    accounts.length <= ACCOUNTS ? accounts : accounts.toSorted((a, b) => b.logIns.most - a.logIns.most).slice(0, NAMED);
  const others = accounts.length - busiest.length;
  const width = Math.max(0, ...busiest.map(({ account }) => printable(account, 24).length)) + 2;
  return [
    colours.bold('What it costs in an hour'),
    `  ${count(messages, 'test message')}; a trip that fails sends at most ${FURTHER_MESSAGES} more, to tell suspects apart`,
    `  log-ins: ${[`POP3 ${logIns(pop3)}`, `IMAP ${logIns(imap)}`, `SMTP ${logIns(smtp)}`].join(', ')} (the most when every message is missed)`,
    ...busiest.map(
      ({ account, messages: sent, logIns: some }) =>
        `    ${printable(account, 24).padEnd(width)}${count(sent, 'message')}, ${logIns(some)} log-ins`,
    ),
    ...(others === 0 ? [] : [`    and ${others} accounts that cost no more (--json has all)`]),
    `  knocks: after a failure at most ${knocks.most} doors behind one path, and in no run more than ${knocks.cap} (knocks in site.cfg)`,
  ];
}

function logIns({ least, most }: LogIns): string {
  return least === most ? String(most) : `${least} to ${most}`;
}

function overlapText(overlaps: readonly Overlap[], { limits }: Site): readonly string[] {
  const worst = overlaps.filter(({ tripsMs, gapMs }) => tripsMs > gapMs);
  const some = worst.length > 0 ? worst : overlaps;
  const first = some[0];
  if (first === undefined) return [];
  const minute = String(first.minute).padStart(2, '0');
  const next = String(first.next).padStart(2, '0');
  const what =
    worst.length > 0
      ? `when its trips use up their limits, the run of minute ${minute} takes ${span(first.tripsMs)}`
      : `when its trips use up their limits and isolation its ${span(limits.isolateMs)}, the run of minute ${minute} takes ${span(first.longestMs)}`;
  const others = some.length === 1 ? '' : `; so it is with ${some.length - 1} more of the minutes`;
  return [
    `  overlap: ${what}, and minute ${next} is due after ${span(first.gapMs)}: its entries are then skipped${others}`,
    '    lower submit, deliver, fetch or isolate in [site], or put the entries further apart',
  ];
}

/** `42 min 20 s`, `2 h 5 min`. */
export function span(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const shown = parts.filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount} ${unit}`);
  return shown.length === 0 ? '0 s' : shown.join(' ');
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}
