// The days that a report is about. Days are local ones, so they have 23, 24 or 25 hours; arithmetic is done on calendar dates, and
// instants are taken from the calendar last. Pure: now is an argument, the time zone is the process' own.

import { localDay } from '../record/day.ts';

export interface Period {
  readonly kind: 'day' | 'week' | 'month' | 'range';
  /** First and last local day, `2026-11-21`. */
  readonly from: string;
  readonly to: string;
}

/** `2026-11-21` in form and in the calendar. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && dayAfter(text, 0) === text;
}

/** The day so many days after (or, negative, before) another one. */
export function dayAfter(day: string, days: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(Date.UTC(year, month - 1, date + days)).toISOString().slice(0, 10);
}

/** The days of a period, first to last. */
export function daysOf({ from, to }: Pick<Period, 'from' | 'to'>): string[] {
  const days: string[] = [];
  for (let day = from; day <= to; day = dayAfter(day, 1)) days.push(day);
  return days;
}

/** Local midnight, or the first instant after it where the clocks skip midnight; epoch ms. */
export function startOf(day: string): number {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  // Not the constructor's year: it takes 0 to 99 for 1900 to 1999.
  const local = new Date(2000, month - 1, date);
  local.setFullYear(year, month - 1, date);
  return local.getTime();
}

/** Where a period begins and where the next one does; epoch ms. */
export function spanOf(period: Pick<Period, 'from' | 'to'>): { readonly startAt: number; readonly endAt: number } {
  return { startAt: startOf(period.from), endAt: startOf(dayAfter(period.to, 1)) };
}

/** So long before midnight a report is about the day that is about to end. */
const LAST_MINUTES = 30 * 60_000;

/**
 * The day that a report made now is about: the one before, and in the last half hour of a day that day itself. The seed documents
 * both `4 0 * * *` and `59 23 * * *`.
 */
export function reportedDay(now: number): string {
  return dayAfter(localDay(now + LAST_MINUTES), -1);
}

export function dayPeriod(day: string): Period {
  return { kind: 'day', from: day, to: day };
}

/** The week of a day, Monday to Sunday (ISO 8601). */
export function weekPeriod(day: string): Period {
  const from = dayAfter(day, -((weekdayOf(day) + 6) % 7));
  return { kind: 'week', from, to: dayAfter(from, 6) };
}

/** The month of a day. */
export function monthPeriod(day: string): Period {
  const from = `${day.slice(0, 7)}-01`;
  return { kind: 'month', from, to: dayAfter(`${dayAfter(from, 31).slice(0, 7)}-01`, -1) };
}

/** The last week or month that was over by the end of `day`. */
export function lastOver(of: (day: string) => Period, day: string): Period {
  const period = of(day);
  return period.to === day ? period : of(dayAfter(period.from, -1));
}

/** Sunday is 0. */
function weekdayOf(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay();
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

export function weekdayName(day: string): string {
  return WEEKDAYS[weekdayOf(day)] ?? '';
}

/** `Saturday 21 November 2026`, `Week 47 of 2026, 16 to 22 November`, `November 2026`, `3 to 9 November 2026`. */
export function titleOf({ kind, from, to }: Period): string {
  switch (kind) {
    case 'day':
      return `${weekdayName(from)} ${dateText(from)}`;
    case 'week':
      return `Week ${weekNumber(from)} of ${dayAfter(from, 3).slice(0, 4)}, ${rangeText(from, to)}`;
    case 'month':
      return dateText(from).replace(/^\d+ /, '');
    case 'range':
      return from === to ? dateText(from) : rangeText(from, to);
    default:
      return kind satisfies never;
  }
}

/** `21 November 2026`. */
function dateText(day: string): string {
  return `${Number(day.slice(8))} ${MONTHS[Number(day.slice(5, 7)) - 1]} ${day.slice(0, 4)}`;
}

function rangeText(from: string, to: string): string {
  const first = dateText(from).split(' ');
  const last = dateText(to).split(' ');
  const kept = first[2] !== last[2] ? 3 : first[1] !== last[1] ? 2 : 1;
  return `${first.slice(0, kept).join(' ')} to ${last.join(' ')}`;
}

/** ISO 8601: week 1 is the one with the first Thursday of the year. */
function weekNumber(monday: string): number {
  const thursday = dayAfter(monday, 3);
  const first = `${thursday.slice(0, 4)}-01-01`;
  return 1 + Math.floor((Date.parse(thursday) - Date.parse(first)) / (7 * 86_400_000));
}

/** A name for files and notes: `2026-11-21`, `2026-W47`, `2026-11`, `2026-11-03_2026-11-09`. */
export function periodId({ kind, from, to }: Period): string {
  switch (kind) {
    case 'day':
      return from;
    case 'week':
      return `${dayAfter(from, 3).slice(0, 4)}-W${String(weekNumber(from)).padStart(2, '0')}`;
    case 'month':
      return from.slice(0, 7);
    case 'range':
      return `${from}_${to}`;
    default:
      return kind satisfies never;
  }
}

/** `23 hours: the clocks went forward`; undefined when no clock was changed. */
export function clockChange(period: Period): string | undefined {
  const { startAt, endAt } = spanOf(period);
  const usual = daysOf(period).length * 24 * 60;
  const minutes = Math.round((endAt - startAt) / 60_000);
  if (minutes === usual) return undefined;
  const moved = minutes < usual ? 'the clocks went forward' : 'the clocks went back';
  if (period.kind === 'day' && minutes % 60 === 0) return `${minutes / 60} hours: ${moved}`;
  const by = Math.abs(minutes - usual);
  return `${by % 60 === 0 ? (by === 60 ? 'an hour' : `${by / 60} hours`) : `${by} minutes`} ${minutes < usual ? 'less' : 'more'} than usual: ${moved}`;
}
