// Kinds of value that only host.cfg has: quantities with a unit, spans of time, hours of the day.

import type { Form } from '../site/table/form.ts';
import { found } from '../site/table/form.ts';
import type { Hours } from './limits.ts';
import { parseHours, parseSpan } from './quantities.ts';

/** A number, or a text with a unit; what unit fits is judged when the figure is known. */
export const quantity: Form<number | string> = {
  wanted: 'a number, or a text with a unit such as "90%", "2 GB" or "15m"',
  isHidden: false,
  read(value, { report, what }) {
    if (value.kind === 'whole number' || value.kind === 'fraction') return value.number;
    if (value.kind === 'text' && /^-?\d+(?:\.\d+)? ?(?:%|[kKMGT](?:i?[Bb])?|ms|s|m|h|d)?$/.test(value.text.trim()))
      return value.text;
    report.error(value.place, `${what} must be ${this.wanted}: found ${found(value)}`);
    return undefined;
  },
};

/** A span of time; ms. */
export const span: Form<number> = {
  wanted: 'a span of time such as "90s", "10m", "2h" or "1d"',
  isHidden: false,
  read(value, { report, what }) {
    const ms = value.kind === 'text' ? parseSpan(value.text) : undefined;
    if (ms !== undefined && ms >= 0 && ms <= 400 * 86_400_000) return ms;
    report.error(value.place, `${what} must be ${this.wanted}: found ${found(value)}`);
    return undefined;
  },
};

export const hours: Form<Hours> = {
  wanted: 'hours such as "08:00-18:00", "22:00-06:00" or "mon-fri 08:00-18:00"',
  isHidden: false,
  read(value, { report, what }) {
    const parsed = value.kind === 'text' ? parseHours(value.text) : undefined;
    if (parsed === undefined) report.error(value.place, `${what} must be ${this.wanted}: found ${found(value)}`);
    return parsed;
  },
};
