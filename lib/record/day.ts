// Days as people on the site count them: local time of this process. One place, so that tables, journal and reports agree.

/** `2026-11-22`, the local day of an instant (epoch ms). */
export function localDay(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `00:05:04`, local time of an instant. */
export function localTime(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `10 Jan 2001`, as the tables of the seed write a day. */
export function tableDay(day: string): string {
  const [year, month, date] = day.split('-').map(Number);
  return `${date} ${MONTHS[(month ?? 1) - 1]} ${year}`;
}

/** The day that a table's header names, as `2001-01-10`; undefined when it names none. */
export function dayOfTable(text: string): string | undefined {
  const parts = /^(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})$/.exec(text.trim());
  const month = MONTHS.indexOf(parts?.[2] ?? '');
  if (parts === null || month < 0) return undefined;
  return `${parts[3]}-${two(month + 1)}-${two(Number(parts[1]))}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function two(n: number): string {
  return String(n).padStart(2, '0');
}
