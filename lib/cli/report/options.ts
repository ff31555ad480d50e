// The options of `-r`, the same for check_rndtrip and runmonitor, and the period that they ask for.

import type { Command } from 'commander';
import { localDay } from '../../record/day.ts';
import { dayAfter, dayPeriod, isDay, lastOver, monthPeriod, type Period, reportedDay, weekPeriod } from '../../report/period.ts';
import { Stop } from '../context.ts';

export interface ReportOptions {
  readonly r?: boolean;
  /** True when it stands alone. */
  readonly day?: string | true;
  readonly week?: string | true;
  readonly month?: string | true;
  readonly from?: string;
  readonly to?: string;
  readonly print?: boolean;
  readonly out?: string;
  readonly format?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function withReport(command: Command): Command {
  return command
    .option('-r', 'make the report of the day and deliver it to the addresses in alarms.cfg')
    .option('--day [YYYY-MM-DD]', '-r: of that day; also "today" and "yesterday"')
    .option('--week [YYYY-MM-DD]', '-r: of the week of that day (Monday to Sunday); alone: of the last whole one')
    .option('--month [YYYY-MM]', '-r: of that month; alone: of the last whole one')
    .option('--from <YYYY-MM-DD>', '-r: from that day on')
    .option('--to <YYYY-MM-DD>', '-r: up to and with that day')
    .option('--print', '-r: print it here, and do nothing else')
    .option('--out <file>', '-r: write it to a file, and do nothing else')
    .option('--format <name>', '-r: in this format ("healthmon report formats" lists them)');
}

export const REPORT_HELP = `
Report (-r): just after midnight it is about yesterday, in the last half hour of a day about that day.
  check_rndtrip -r                          make it, keep it, mail it; also those of days that have none
  check_rndtrip -r --print                  yesterday, here
  check_rndtrip -r --day today --print
  check_rndtrip -r --month --format csv --out month.csv
Exit status of -r: 0 made, and delivered to everybody; 1 made, and somebody still waits for it; 3 not made.`;

/** Whether a certain period was asked for; otherwise it is the day that is due. */
export function asksForPeriod({ day, week, month, from, to }: ReportOptions): boolean {
  return [day, week, month, from, to].some(each => each !== undefined);
}

/**
 * The period that the options ask for.
 *
 * @param now epoch ms
 * @throws {Stop} for what is no day, and for two periods at once
 */
export function periodOf({ day, week, month, from, to }: ReportOptions, now: number): Period {
  const asked = [day, week, month, from ?? to].filter(each => each !== undefined).length;
  if (asked > 1) throw new Stop('expected one of --day, --week, --month, --from with --to');
  if (day !== undefined) return dayPeriod(day === true ? reportedDay(now) : dayOf('--day', day, now));
  if (week !== undefined) return week === true ? lastOver(weekPeriod, reportedDay(now)) : weekPeriod(dayOf('--week', week, now));
  if (month !== undefined) return month === true ? lastOver(monthPeriod, reportedDay(now)) : monthPeriod(monthOf(month));
  if (from === undefined && to === undefined) return dayPeriod(reportedDay(now));
  if (from === undefined) throw new Stop('expected --from with --to');
  const range = { from: dayOf('--from', from, now), to: to === undefined ? localDay(now) : dayOf('--to', to, now) };
  if (range.from > range.to) throw new Stop(`expected --from before --to: found ${range.from} and ${range.to}`);
  return range.from === range.to ? dayPeriod(range.from) : { kind: 'range', ...range };
}

function dayOf(option: string, text: string, now: number): string {
  if (text === 'today') return localDay(now);
  if (text === 'yesterday') return dayAfter(localDay(now), -1);
  if (isDay(text)) return text;
  throw new Stop(`expected ${option} YYYY-MM-DD, not "${text}"`);
}

function monthOf(text: string): string {
  const day = /^\d{4}-\d{2}$/.test(text) ? `${text}-01` : text;
  if (isDay(day)) return day;
  throw new Stop(`expected --month YYYY-MM, not "${text}"`);
}
