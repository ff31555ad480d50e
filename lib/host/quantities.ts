// Quantities with a unit, spans of time and hours of the day, as people write them.

import type { Unit } from './figures.ts';
import type { Hours } from './limits.ts';

const SPANS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZES: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** `10m`: ms. Undefined for what is no span. */
export function parseSpan(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/.exec(text.trim());
  return parts === null ? undefined : Number(parts[1]) * (SPANS[parts[2] ?? ''] ?? Number.NaN);
}

/** `500`, `90%`, `2 GB`, `15m`: a number in the given unit. Undefined when it is none, or of another unit. */
export function parseQuantity(given: number | string, unit: Unit): number | undefined {
  if (typeof given === 'number') return given;
  const text = given.trim();
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text);
  const span = parseSpan(text);
  if (unit === 's' || unit === 'ms') return span === undefined ? undefined : unit === 's' ? span / 1000 : span;
  if (unit === 'percent') return /^\d+(?:\.\d+)? ?%$/.test(text) ? Number.parseFloat(text) : undefined;
  if (unit === 'bytes') {
    const parts = /^(\d+(?:\.\d+)?) ?([kKMGT])(?:i?[Bb])?$/.exec(text);
    return parts === null ? undefined : Number(parts[1]) * (SIZES[parts[2]?.toUpperCase() ?? ''] ?? Number.NaN);
  }
  return undefined;
}

/** What a unit's quantities look like, for messages. */
export function quantitySample(unit: Unit): string {
  if (unit === 's' || unit === 'ms') return 'a number, or a span such as "15m" (ms, s, m, h, d)';
  if (unit === 'bytes') return 'a number of bytes, or a size such as "2 GB" (KB, MB, GB, TB)';
  return unit === 'percent' ? 'a number, or a share such as "90%"' : 'a number';
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** `08:00-18:00`, `22:00-06:00`, `mon-fri 08:00-18:00`, `sat,sun`. Undefined for what is none of these. */
export function parseHours(text: string): Hours | undefined {
  const parts = /^(?:([a-z,-]+)(?:\s+|$))?(?:(\d\d):(\d\d)-(\d\d):(\d\d))?$/.exec(text.trim().toLowerCase());
  if (parts === null || text.trim() === '') return undefined;
  const [, dayText, fromHour, fromMinute, untilHour, untilMinute] = parts;
  const days = dayText === undefined ? undefined : parseDays(dayText);
  if (dayText !== undefined && days === undefined) return undefined;
  const from = fromHour === undefined ? 0 : Number(fromHour) * 60 + Number(fromMinute);
  const until = untilHour === undefined ? 1440 : Number(untilHour) * 60 + Number(untilMinute);
  if (from >= 1440 || until > 1440 || from === until || Number(fromMinute ?? 0) > 59 || Number(untilMinute ?? 0) > 59)
    return undefined;
  return { from, until, ...(days === undefined ? {} : { days }) };
}

function parseDays(text: string): number[] | undefined {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first = '', last = first, ...rest] = part.split('-');
    const [from, to] = [DAYS.indexOf(first), DAYS.indexOf(last)];
    if (from < 0 || to < 0 || rest.length > 0) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === to) break;
    }
  }
  return [...days].sort();
}
