// Figures as people read them. Pure; the same words in every format, in templates by the helpers of the same names.

import { localDay, localTime } from '../record/day.ts';

/** `1 trip`, `2 trips`, `0 trips`. */
export function plural(n: number, one: string, many = /[^aeiou]y$/.test(one) ? `${one.slice(0, -1)}ies` : `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** `0.4 ms`, `576 ms`, `2.08 s`, `61.3 s`, `4 min`, `3 h 20 min`, `2 d 4 h`: three digits say enough. */
export function spanText(ms: number): string {
  const at = Math.abs(ms);
  const sign = ms < 0 ? '-' : '';
  if (at < 9.95) return `${sign}${at.toFixed(1)} ms`;
  if (at < 999.5) return `${sign}${at.toFixed(0)} ms`;
  if (at < 9995) return `${sign}${(at / 1000).toFixed(2)} s`;
  if (at < 99_950) return `${sign}${(at / 1000).toFixed(1)} s`;
  const minutes = Math.round(at / 60_000);
  if (minutes < 60) return `${sign}${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${sign}${hours} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`;
  return `${sign}${Math.floor(hours / 24)} d${hours % 24 === 0 ? '' : ` ${hours % 24} h`}`;
}

/** `99.31 %`; a share that is not whole is never shown as 100 %, nor one that is not nothing as 0 %. */
export function percentText(ratio: number, digits = 2): string {
  const text = (ratio * 100).toFixed(digits);
  if (ratio < 1 && Number(text) === 100) return `${(100 - 10 ** -digits).toFixed(digits)} %`;
  if (ratio > 0 && Number(text) === 0) return `${(10 ** -digits).toFixed(digits)} %`;
  return `${text.replace(/^100\.0+$/, '100')} %`;
}

/** `14:05`. */
export function clockText(at: number): string {
  return localTime(at).slice(0, 5);
}

/** `21 Nov 14:05`. */
export function momentText(at: number): string {
  const [, month = '', date = ''] = localDay(at).split('-');
  return `${Number(date)} ${MONTHS[Number(month) - 1]} ${clockText(at)}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
