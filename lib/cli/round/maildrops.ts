// A maildrop is locked while a POP3 session is open: whatever logs in to the same account by POP3 takes turns, in this process and
// with the other processes that use this state folder.

import { NotWritten } from '../../record/append.ts';
import { takeLock } from '../../record/lock.ts';

export interface Held {
  release(): void;
}

export class Maildrops {
  readonly #state: string;
  readonly #signal: AbortSignal;
  readonly #onNotWritten: (message: string) => void;
  readonly #queue = new Map<string, Promise<void>>();
  /** How many have the turn or wait for it. */
  readonly #waiting = new Map<string, number>();

  constructor(state: string, signal: AbortSignal, onNotWritten: (message: string) => void) {
    this.#state = state;
    this.#signal = signal;
    this.#onNotWritten = onNotWritten;
  }

  /**
   * The turn, if nobody has it at this moment.
   *
   * For knocks: who holds a maildrop waits for knocks, so a knock must not wait for a maildrop.
   */
  async tryEnter(account: string): Promise<Held | { readonly usedBy: string }> {
    if ((this.#waiting.get(account) ?? 0) > 0) return { usedBy: 'another trip of this run' };
    return this.enter(account, 0);
  }

  /**
   * Waits for our turn, at most so many ms for another process.
   *
   * @returns the turn, or who has it
   */
  async enter(account: string, withinMs: number): Promise<Held | { readonly usedBy: string }> {
    const before = this.#queue.get(account) ?? Promise.resolve();
    const count = (by: 1 | -1) => this.#waiting.set(account, (this.#waiting.get(account) ?? 0) + by);
    let leave = () => {};
    const turn = new Promise<void>(resolve => {
      leave = () => {
        count(-1);
        resolve();
      };
    });
    count(1);
    this.#queue.set(
      account,
      before.then(() => turn),
    );
    await before;
    const lock = await this.#lock(account, withinMs);
    if ('usedBy' in lock) {
      leave();
      return lock;
    }
    return {
      release: () => {
        lock.release();
        leave();
      },
    };
  }

  async #lock(account: string, withinMs: number): Promise<Held | { readonly usedBy: string }> {
    const until = performance.now() + withinMs;
    for (;;) {
      try {
        const taken = await takeLock(this.#state, `maildrop-${account}`, `a session in the maildrop of ${account}`);
        if (taken.held) return taken;
        if (performance.now() > until || this.#signal.aborted)
          return { usedBy: taken.holder === undefined ? 'another run' : `process ${taken.holder.pid}` };
      } catch (error) {
        // Without a state folder there is no lock; the failure is told, and measuring goes on.
        if (!(error instanceof NotWritten)) throw error;
        this.#onNotWritten(error.message);
        return { release: () => {} };
      }
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}
