// A maildrop is locked while a POP3 session is open: whatever logs in to the same account by POP3 takes turns, in this process and
// with the other processes that use this state folder.

import { NotWritten } from '../record/append.ts';
import { takeLock } from '../record/lock.ts';

export interface Held {
  release(): void;
}

export class Maildrops {
  readonly #state: string;
  readonly #signal: AbortSignal;
  readonly #onNotWritten: (message: string) => void;
  readonly #queue = new Map<string, Promise<void>>();

  constructor(state: string, signal: AbortSignal, onNotWritten: (message: string) => void) {
    this.#state = state;
    this.#signal = signal;
    this.#onNotWritten = onNotWritten;
  }

  /**
   * Waits for our turn, at most so many ms for another process.
   *
   * @returns the turn, or who has it
   */
  async enter(account: string, withinMs: number): Promise<Held | { readonly usedBy: string }> {
    const before = this.#queue.get(account) ?? Promise.resolve();
    let leave = () => {};
    const turn = new Promise<void>(resolve => {
      leave = resolve;
    });
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
