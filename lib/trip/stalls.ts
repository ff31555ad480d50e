// Whether this process ran while it measured. One that is stopped (SIGSTOP, a virtual machine that is frozen or moved, a laptop that
// sleeps, a disk that hangs) finds all its deadlines passed when it goes on, and would blame whoever it was talking to.

/** A pause this long is none of the event loop's own, even on a busy machine. ms */
const STALL_MS = 1000;
const TICK_MS = 200;

export class Stalls {
  readonly #timer: NodeJS.Timeout;
  #lastMs = performance.now();
  #longestMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** The longest time for which this process did not run, ms; 0 when it did all the time. */
  longestMs(): number {
    this.#tick();
    return this.#longestMs;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    const awayMs = now - this.#lastMs - TICK_MS;
    this.#lastMs = now;
    if (awayMs >= STALL_MS) this.#longestMs = Math.max(this.#longestMs, awayMs);
  }
}
