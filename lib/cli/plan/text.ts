// A plan for people: pairs as tables, everything else as lists. Pure but for colours, which are an argument.

import { printable } from '../../model/printable.ts';
import type { Site } from '../../model/site.ts';
import { tablesOf } from '../../plan/coverage.ts';
import { isUnseen } from '../../plan/detection.ts';
import { FURTHER_MESSAGES, type Load, type LogIns } from '../../plan/load.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Overlap } from '../../plan/timing.ts';
import type { Terminal } from '../terminal.ts';
import { ambiguityText } from './apart.ts';
import { NAMED } from './changes.ts';
import { detectionText } from './detection.ts';
import { legendText, pairsText } from './pairs.ts';
import { count, span } from './words.ts';

type Colours = Terminal['colours'];

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
