// Shapes: what a value looks like, written down once. From a shape come the TypeScript type of the value (`Infer`), its JSON Schema
// (json-schema.ts) and the check of a template against it (template-check.ts), so that the three cannot differ.

/** `about` says what the value means, with its unit. */
export interface Scalar<T = unknown> {
  readonly kind: 'text' | 'number' | 'truth';
  readonly about: string;
  /** The only texts that there are. */
  readonly among?: readonly string[];
  /** Never there: it only carries the type. */
  readonly type?: T;
}

interface AnyList {
  readonly kind: 'list';
  readonly about: string;
  readonly of: Shape;
}

interface AnyThing {
  readonly kind: 'object';
  readonly about: string;
  readonly fields: Fields;
}

interface AnyMaybe {
  readonly kind: 'maybe';
  readonly about: string;
  readonly of: Shape;
}

export type Shape = Scalar | AnyList | AnyThing | AnyMaybe;
type Fields = { readonly [name: string]: Shape };

interface List<S extends Shape> extends AnyList {
  readonly of: S;
}
export interface Thing<F extends Fields = Fields> extends AnyThing {
  readonly fields: F;
}
interface Maybe<S extends Shape> extends AnyMaybe {
  readonly of: S;
}

/** The type of the values that have a shape. */
export type Infer<S> =
  S extends Maybe<infer T>
    ? Infer<T> | null
    : S extends List<infer T>
      ? readonly Infer<T>[]
      : S extends Thing<infer F>
        ? { readonly [K in keyof F]: Infer<F[K]> }
        : S extends Scalar<infer T>
          ? T
          : never;

export function text(about: string): Scalar<string> {
  return { kind: 'text', about };
}

/** One of a few words. */
export function word<const W extends string>(among: readonly W[], about: string): Scalar<W> {
  return { kind: 'text', among, about };
}

export function number(about: string): Scalar<number> {
  return { kind: 'number', about };
}

export function truth(about: string): Scalar<boolean> {
  return { kind: 'truth', about };
}

export function list<S extends Shape>(of: S, about: string): List<S> {
  return { kind: 'list', of, about };
}

export function object<const F extends Fields>(fields: F, about = ''): Thing<F> {
  return { kind: 'object', fields, about };
}

/** A value that may be null; `about` says when. */
export function maybe<S extends Shape>(of: S, about: string): Maybe<S> {
  return { kind: 'maybe', of, about };
}
