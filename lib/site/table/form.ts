// What a value may look like: one form per kind of value. A form knows the words for what it wants, reads a value that has its
// place, and says itself what is wrong with it. Forms are put together into fields (field.ts).

import * as v from 'valibot';
import { printable } from '../../model/printable.ts';
import type { Place, Reporter } from '../problem.ts';
import { didYouMean } from './nearest.ts';
import type { TomlValue } from './toml.ts';

/** What a form is told about the value that it reads. */
export interface Reading {
  readonly report: Reporter;
  /** The value's name in messages: `'port' in [mta.ssmtp01]`. */
  readonly what: string;
  /** Keys that no table may hold, however deep. */
  readonly refused?: RefusedKeys;
}

/** For a key that must not be in a file, in any section: what to say about it. Undefined for all other keys. */
export type RefusedKeys = (key: string) => { readonly text: string; readonly remedy: string } | undefined;

export interface Form<T> {
  /** Completes "must be": `a whole number from 1 to 65535`. */
  readonly wanted: string;
  /** True where a value could be a secret that was put in the wrong spot: it is then never shown. */
  readonly isHidden: boolean;
  /** The value, or undefined after a problem has been noted. */
  readonly read: (value: TomlValue, reading: Reading) => T | undefined;
}

/** A remedy for a value that is wrong in a well-known way, or undefined. */
type Hint = (found: string) => string | undefined;

interface ScalarOptions {
  readonly isHidden?: boolean;
  readonly hint?: Hint;
}

/** A text, number or truth value that passes `schema`. */
function scalar<T>(wanted: string, schema: v.GenericSchema<unknown, T>, options: ScalarOptions = {}): Form<T> {
  const isHidden = options.isHidden === true;
  return {
    wanted,
    isHidden,
    read(value, { report, what }) {
      const result = v.safeParse(schema, bare(value));
      if (result.success) return result.output;
      const remedy = value.kind === 'text' ? options.hint?.(value.text) : undefined;
      report.error(value.place, `${what} must be ${wanted}: found ${found(value, isHidden)}`, remedy);
      return undefined;
    },
  };
}

/** Text of 1 to `max` characters on one line: no control characters, which have no business in a name, address or header. */
export function text(
  wanted = 'a text in double quotes',
  options: ScalarOptions & { readonly min?: number; readonly max?: number } = {},
): Form<string> {
  const max = options.max ?? 255;
  return scalar(wanted, lineOfText(options.min ?? 1, max), {
    ...options,
    hint: found => options.hint?.(found) ?? unfit(found, max),
  });
}

/** Text that matches `pattern` as a whole; `wanted` says in words what the pattern asks for. */
export function pattern(wanted: string, shape: RegExp | ((text: string) => boolean), options: ScalarOptions = {}): Form<string> {
  const matches = typeof shape === 'function' ? shape : (found: string) => shape.test(found);
  const hint: Hint = found => options.hint?.(found) ?? unfit(found, PATTERN_MAX);
  return scalar(wanted, v.pipe(lineOfText(1, PATTERN_MAX), v.check(matches)), { ...options, hint });
}

/** A whole number within a range, both ends included. */
export function whole(range: { readonly min: number; readonly max: number; readonly unit?: string }): Form<number> {
  const unit = range.unit === undefined ? '' : ` (${range.unit})`;
  const schema = v.pipe(v.number(), v.integer(), v.minValue(range.min), v.maxValue(range.max));
  return scalar(`a whole number from ${range.min} to ${range.max}${unit}`, schema);
}

/** One of a few words or numbers. */
export function oneOf<const T extends string | number>(...choices: readonly [T, ...T[]]): Form<T> {
  const names = choices.map(choice => (typeof choice === 'string' ? `"${choice}"` : String(choice)));
  const wanted = names.length === 1 ? `${names[0]}` : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  return {
    wanted,
    isHidden: false,
    read(value, { report, what }) {
      const choice = choices.find(one => one === bare(value));
      if (choice === undefined) {
        const guess = value.kind === 'text' ? didYouMean(value.text, choices.map(String)) : '';
        report.error(value.place, `${what} must be ${wanted}: found ${found(value)}${guess}`);
      }
      return choice;
    },
  };
}

export function truth(): Form<boolean> {
  return scalar('true or false', v.boolean());
}

/** A day with a time of day, as epoch ms. Without an offset it means this machine's own time zone. */
export function instant(): Form<number> {
  const wanted = 'a date with a time and without quotes, as in 2026-11-22T22:00:00+01:00';
  return {
    wanted,
    isHidden: false,
    read(value, { report, what }) {
      if (value.kind === 'instant') return value.at;
      report.error(value.place, `${what} must be ${wanted}: found ${found(value)}`);
      return undefined;
    },
  };
}

/** A list of one form; every wrong item is told, each at its own place. */
export function list<T>(item: Form<T>, options: { readonly min?: number; readonly of: string }): Form<readonly T[]> {
  const wanted = `a list of ${options.of}`;
  return {
    wanted,
    isHidden: item.isHidden,
    read(value, { what, ...reading }) {
      const { report } = reading;
      if (value.kind !== 'list') {
        const remedy =
          value.kind === 'table' ? undefined : 'a list stands in brackets, with commas between its items: ["first", "second"]';
        report.error(value.place, `${what} must be ${wanted}: found ${found(value, item.isHidden)}`, remedy);
        return undefined;
      }
      const min = options.min ?? 0;
      if (value.items.length < min) {
        report.error(value.place, `${what} must be ${wanted}, at least ${min}: found ${value.items.length}`);
        return undefined;
      }
      const items = value.items.map((one, i) => item.read(one, { ...reading, what: `item ${i + 1} of ${what}` }));
      const sound = items.filter(one => one !== undefined);
      return sound.length === items.length ? sound : undefined;
    },
  };
}

/** A value that remembers where it stands, for what can only be judged once the whole file is known. */
export interface Placed<T> {
  readonly value: T;
  readonly place: Place;
}

export function placed<T>(form: Form<T>): Form<Placed<T>> {
  return {
    wanted: form.wanted,
    isHidden: form.isHidden,
    read(value, reading) {
      const result = form.read(value, reading);
      return result === undefined ? undefined : { value: result, place: value.place };
    },
  };
}

/** What stands there, in words that fit a message; a hidden value is named by its kind only. */
export function found(value: TomlValue, isHidden = false): string {
  switch (value.kind) {
    case 'text':
      if (value.text === '') return 'an empty text';
      return isHidden ? 'a text (not shown)' : `"${printable(value.text, 60)}"`;
    case 'truth':
      return isHidden ? 'true or false' : String(value.truth);
    case 'whole number':
    case 'fraction':
    case 'instant':
    case 'day or time':
      return isHidden ? `a ${value.kind} (not shown)` : printable(value.raw, 60);
    case 'list':
      return value.items.length === 0 ? 'an empty list' : 'a list';
    case 'table':
      return 'a table';
    default:
      return value satisfies never;
  }
}

/** The plain value of a scalar; what is none becomes undefined, which no scalar form takes. */
function bare(value: TomlValue): string | number | boolean | undefined {
  switch (value.kind) {
    case 'text':
      return value.text;
    case 'whole number':
      return value.number;
    case 'truth':
      return value.truth;
    default:
      return undefined;
  }
}

const LINE = /^[^\p{Cc}\p{Surrogate}\u{2028}\u{2029}]*$/u;
const PATTERN_MAX = 1000;

function lineOfText(min: number, max: number): v.GenericSchema<unknown, string> {
  return v.pipe(v.string(), v.minLength(min), v.maxLength(max), v.regex(LINE));
}

/** What makes a text unfit whatever it is meant to say. */
function unfit(found: string, max: number): string | undefined {
  if (!LINE.test(found)) return 'line ends and control characters are not taken';
  return found.length > max ? `at most ${max} characters are taken` : undefined;
}
