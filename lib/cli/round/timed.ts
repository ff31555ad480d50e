// What is being timed in this process, so that work which takes the processor for long can wait until nothing is.

export class Timed {
  #underWay = 0;
  #waiting: (() => void)[] = [];

  /** @returns what is to be called at its end; more than once does no harm */
  begin(): () => void {
    let isOver = false;
    this.#underWay += 1;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const wake of this.#waiting.splice(0)) wake();
    };
  }

  /** Resolves at once, or when the last of what is under way has ended. */
  async over(): Promise<void> {
    while (this.#underWay > 0) await new Promise<void>(wake => this.#waiting.push(wake));
  }
}
