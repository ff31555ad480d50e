// Looking at a value that somebody else's program, disk or editor has had in its hands. Nothing here throws.

import { printable } from '../model/printable.ts';

export function object(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

/** A text made fit to be shown, and cut to `max`; undefined when it is none. */
export function text(value: unknown, max: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  // Nearly all of them are plain, and a year has millions.
  return value.length <= max && PLAIN.test(value) ? value : printable(value, max);
}

const PLAIN = /^[\x20-\x7e]*$/;

export function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The objects in a list, at most so many; what is no object is left out. */
export function entries(value: unknown, most = 1000): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  if (!Array.isArray(value)) return found;
  // One pass: a year's records ask for two million lists.
  const list: readonly unknown[] = value;
  for (let index = 0; index < list.length && index < most; index += 1) {
    const each = object(list[index]);
    if (each !== undefined) found.push(each);
  }
  return found;
}

/** The texts in a list. */
export function texts(value: unknown, most: number, max: number): string[] {
  const list: unknown[] = Array.isArray(value) ? value.slice(0, most) : [];
  return list.map(each => text(each, max)).filter(each => each !== undefined);
}
