// Instants and spans as people write them behind --since, --until and --interval. Pure: now is an argument.

const SPANS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const DAY_MS = 86_400_000;

/** What `instantOf` understands, for messages. */
export const INSTANTS = '"2h", "today", "yesterday", "08:30", "2026-11-22", "2026-11-22 08:30"';

/**
 * `2h` (so long ago), `today`, `yesterday` (their midnight), `08:30` (the last one), `2026-11-22`, `2026-11-22 08:30`, `...T08:30:00+01:00`;
 * local time where no offset is written. Epoch ms, undefined for what is none of these.
 */
export function instantOf(text: string, now: number): number | undefined {
  const span = spanOf(text);
  if (span !== undefined) return now - span;
  const day = new Date(now);
  if (text === 'today') return day.setHours(0, 0, 0, 0);
  if (text === 'yesterday') {
    day.setDate(day.getDate() - 1);
    return day.setHours(0, 0, 0, 0);
  }
  const clock = /^(\d{1,2}):(\d\d)$/.exec(text);
  if (clock !== null) {
    const [hour, minute] = [Number(clock[1]), Number(clock[2])];
    if (hour > 23 || minute > 59) return undefined;
    const at = day.setHours(hour, minute, 0, 0);
    if (at <= now) return at;
    day.setDate(day.getDate() - 1);
    return day.getTime();
  }
  const parts = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (parts === null) return undefined;
  const [, date = '', time = '00:00', zone = ''] = parts;
  // A day that there is not (30 February) would be taken for another.
  if (new Date(`${date}T00:00Z`).toString() === 'Invalid Date' || !new Date(`${date}T00:00Z`).toISOString().startsWith(date))
    return undefined;
  const at = Date.parse(`${date}T${time}${zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(at) ? undefined : at;
}

/** `5m`, `2h`, `1d`: ms. */
function spanOf(text: string): number | undefined {
  const parts = /^(\d+) ?([mhd])$/.exec(text);
  return parts === null ? undefined : Number(parts[1]) * (SPANS[parts[2] ?? ''] ?? Number.NaN);
}

/** A span that divides days evenly: a part of an hour in whole minutes, whole hours that make up a day, whole days. Else undefined. */
export function intervalOf(text: string): number | undefined {
  const span = spanOf(text);
  if (span === undefined || span <= 0) return undefined;
  const fits = span >= DAY_MS ? span % DAY_MS === 0 : span >= 3_600_000 ? DAY_MS % span === 0 : 3_600_000 % span === 0;
  return fits ? span : undefined;
}
