// A config file as one table of data: its sections, and for each key the form of its value, whether it must be there, what
// holds when it is absent, what it means and how a sample looks. Reading (read.ts), defaults and the annotated file
// (annotate.ts) all come from this table, so a new key touches one place.

import type { Place, Reporter } from '../problem.ts';
import type { Form, RefusedKeys } from './form.ts';

/** A value as a table's author writes it down; `{ toml }` stands for what JavaScript has no literal for. */
export type Literal =
  | string
  | number
  | boolean
  | readonly Literal[]
  | { readonly toml: string }
  | { readonly [key: string]: Literal };

type Presence = 'required' | 'defaulted' | 'optional';

export interface Field<T = unknown, P extends Presence = Presence> {
  readonly presence: P;
  readonly form: Form<T>;
  /** What the key means, in plain words; full sentences. */
  readonly help: string;
  /** What holds when the key is absent. */
  readonly fallback?: T;
  /** The same in words, where it depends on something else: `NAME`, `none`. */
  readonly otherwise?: string;
  /** How it may look, for the annotated file. */
  readonly sample: Literal;
}

export type Fields = Readonly<Record<string, Field>>;

/** What a section's keys are after reading. */
export type Values<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T, infer P> ? ('optional' extends P ? T | undefined : T) : never;
};

/** The form of a value that is itself a small table of fields. */
export interface TableForm<F extends Fields> extends Form<Values<F>> {
  readonly fields: F;
}

/** The fields of a small table, for a form that has some. */
export function innerFields(form: Form<unknown>): Fields | undefined {
  return isTableForm(form) ? form.fields : undefined;
}

function isTableForm(form: Form<unknown>): form is TableForm<Fields> {
  return 'fields' in form;
}

export function required<T>(form: Form<T>, about: { readonly help: string; readonly sample: Literal }): Field<T, 'required'> {
  return { presence: 'required', form, ...about };
}

export function defaulted<T extends string | number | boolean | readonly string[]>(
  form: Form<T>,
  fallback: T,
  about: { readonly help: string },
): Field<T, 'defaulted'> {
  return { presence: 'defaulted', form, fallback, sample: fallback, ...about };
}

export function optional<T>(
  form: Form<T>,
  about: { readonly help: string; readonly sample: Literal; readonly otherwise: string },
): Field<T, 'optional'> {
  return { presence: 'optional', form, ...about };
}

/** One section as it was read. */
export interface Entry<F extends Fields> {
  /** The part after the dot; empty where the section has none. */
  readonly name: string;
  /** For messages: `[mta.ssmtp01]`. */
  readonly label: string;
  /** Where its header stands. */
  readonly place: Place;
  /** The keys that are written there, right or wrong, with the place of their value. */
  readonly written: ReadonlyMap<string, Place>;
  /** Whether it held a key of a kind that is never allowed: then what is missing may be that. */
  readonly hasRefusedKey: boolean;
  /** What could be read, with defaults; a key that is there and wrong is absent here. */
  readonly draft: Partial<Values<F>>;
  /** The same, when nothing is wrong or missing. */
  readonly values?: Values<F>;
}

/** An uncommented section in the annotated file; the first one of its kind carries the explanations. */
export interface Sample {
  readonly name?: string;
  readonly set: Readonly<Record<string, Literal>>;
}

/**
 * How often and how a section is written: `[site]` once, `[mta.NAME]` once per name, `[[maintenance]]` any number of times.
 */
export type Shape = 'once' | 'named' | 'listed';

export interface Section<F extends Fields = Fields> {
  readonly shape: Shape;
  readonly isRequired?: boolean;
  readonly help: string;
  readonly fields: F;
  /** Shown as comments only, whole: for what no site needs at first. */
  readonly isCommentedOut?: boolean;
  readonly samples: readonly [Sample, ...Sample[]];
  /** What binds several keys of one section together. */
  rules?(entry: Entry<F>, report: Reporter): void;
}

export type Sections = Readonly<Record<string, Section>>;

export interface FileTable<S extends Sections = Sections> {
  /** The annotated file's first lines. */
  readonly intro: string;
  readonly sections: S;
  readonly refused?: RefusedKeys;
  /** The same for sections that people look for here. */
  readonly refusedSections?: RefusedKeys;
}

/** Every section of a file as it was read, under the sections' own names. */
export type Contents<S extends Sections> = {
  readonly [K in keyof S]: S[K] extends Section<infer F> ? readonly Entry<F>[] : never;
};

/** Declares a section; a function only so that its rules see the types of its own keys. */
export function section<const F extends Fields>(about: Section<F>): Section<F> {
  return about;
}

/** How a section's header is written: `[mta.NAME]`. */
export function headerOf(key: string, shape: Shape, name = 'NAME'): string {
  if (shape === 'once') return `[${key}]`;
  if (shape === 'listed') return `[[${key}]]`;
  return `[${key}.${/^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name)}]`;
}
