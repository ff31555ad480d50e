// How many trips of a round are at work at the same moment. They share one thread: what one of them computes stands in the times of the
// others. A trip that lasts computes nothing, it waits for somebody; it makes room for another, and dead servers do not hold up a round.

/** Twice as many were measured to double the error of the times, for a fifth less of wall time (npm run bench -- round). */
export const AT_WORK = 4;
/** After so long a trip is one that waits, ms. */
const WAITS_MS = 1000;

export class AtWork {
  #free: number;
  readonly #queue: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** Waits for room. @returns to be called when the trip is over; after a second the room is given away in any case */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>(resolve => this.#queue.push(resolve));
    const timer = setTimeout(() => leave(), WAITS_MS);
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      clearTimeout(timer);
      const next = this.#queue.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
    return leave;
  }
}
