// The shape of every file in this folder: one claim of the promises table, counted. The short form runs in `npm test`, the full form
// in `npm run soak`. A run is repeatable by its seed, as far as processors and clocks allow.

export interface Claim {
  /** A word for the command line. */
  readonly name: string;
  /** The number in the table of test/README.md, and what is promised. */
  readonly promise: string;
  /** What N counts: `kills`. */
  readonly unit: string;
  readonly short: number;
  readonly full: number;
  /** `lab`: the real servers of test/lab; its short form is in test/real. Absent: Node alone. */
  readonly needs?: 'lab';
  run(order: Order): Promise<Outcome>;
}

export interface Order {
  readonly n: number;
  readonly seed: number;
  /** How far it has come; replaced by the next line. */
  readonly say: (line: string) => void;
}

export interface Outcome {
  /** How many were made in fact. */
  readonly n: number;
  /** What was seen against the promise, a line each; empty when it holds. */
  readonly failures: readonly string[];
  /** Measured on the way: `left-overs cleaned` → `212 of 212`. */
  readonly figures: Readonly<Record<string, string | number>>;
  /** Why it could not be tried here, in one line, with the remedy. */
  readonly skipped?: string;
}

/** Numbers by chance from a seed (mulberry32): the same seed gives the same numbers. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, but not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 up to, but not including, `below`. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}
