// Quiet hours, by the clock on the wall: nights and week-ends of this machine's time zone, through daylight saving and all. Pure.

const DAYS: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Days of the week (0 is Sunday), and minutes of the day; `toMinute` below `fromMinute` ends on the next day. */
export interface QuietTime {
  readonly days: ReadonlySet<number>;
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** `22:00-07:00`, `mon-fri 22:00-07:00`, `sat,sun`; undefined for anything else. The days are those on which it begins. */
export function parseQuiet(text: string): QuietTime | undefined {
  const [, dayText, from, to] = /^([a-z,-]+)?(?:(?:^| )(\d\d:\d\d)-(\d\d:\d\d))?$/.exec(text.toLowerCase().trim()) ?? [];
  if (dayText === undefined && from === undefined) return undefined;
  const days = dayText === undefined ? new Set([0, 1, 2, 3, 4, 5, 6]) : parseDays(dayText);
  const fromMinute = from === undefined ? 0 : minuteOf(from);
  const toMinute = to === undefined ? 24 * 60 : minuteOf(to);
  if (days === undefined || fromMinute === undefined || toMinute === undefined || fromMinute === toMinute) return undefined;
  return { days, fromMinute, toMinute };
}

function parseDays(text: string): ReadonlySet<number> | undefined {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first = '', last = first, ...more] = part.split('-');
    const begin = DAYS.indexOf(first);
    const end = DAYS.indexOf(last);
    if (begin < 0 || end < 0 || more.length > 0) return undefined;
    for (let day = begin; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === end) break;
    }
  }
  return days;
}

/** Minute of the day, 24:00 included. */
export function minuteOf(text: string): number | undefined {
  const [, hour = '', minute = ''] = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text) ?? [];
  const minutes = Number(hour) * 60 + Number(minute);
  return hour !== '' && minutes <= 24 * 60 ? minutes : undefined;
}

/** Whether an instant (epoch ms) lies in any of the quiet times. */
export function isQuiet(times: readonly QuietTime[], at: number): boolean {
  const now = new Date(at);
  const day = now.getDay();
  const minute = now.getHours() * 60 + now.getMinutes();
  const before = (day + 6) % 7;
  return times.some(({ days, fromMinute, toMinute }) => {
    if (toMinute > fromMinute) return days.has(day) && minute >= fromMinute && minute < toMinute;
    return (days.has(day) && minute >= fromMinute) || (days.has(before) && minute < toMinute);
  });
}
