// Dates as the mail protocols write them, in UTC.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function clock(at: Date): string {
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

/** `Sun, 22 Nov 2026 02:08:13 +0000` (RFC 5322) */
export function mailDate(at: Date): string {
  return `${DAYS[at.getUTCDay()] ?? ''}, ${two(at.getUTCDate())} ${MONTHS[at.getUTCMonth()] ?? ''} ${at.getUTCFullYear()} ${clock(at)} +0000`;
}

/** `22-Nov-2026 02:08:13 +0000`, the day with a leading blank (RFC 3501 date-time) */
export function imapDate(at: Date): string {
  const day = String(at.getUTCDate()).padStart(2, ' ');
  return `${day}-${MONTHS[at.getUTCMonth()] ?? ''}-${at.getUTCFullYear()} ${clock(at)} +0000`;
}

/** `2026-11-22 02:08:13`, as in Dovecot's error texts */
export function plainDate(at: Date): string {
  return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${clock(at)}`;
}

/** `22-Nov-2026`, with or without a time and zone after it. Undefined when it is none. */
export function parseImapDate(text: string): Date | undefined {
  const match = /^\s*(\d{1,2})-([A-Za-z]{3})-(\d{4})(?: (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d))?$/.exec(text);
  if (match === null) return undefined;
  const [, day, name = '', year, hour = '0', minute = '0', second = '0', sign, zoneHours = '0', zoneMinutes = '0'] = match;
  const month = MONTHS.findIndex(known => known.toLowerCase() === name.toLowerCase());
  if (month < 0) return undefined;
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -1 : 1);
  return new Date(Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute) - offset, Number(second)));
}
