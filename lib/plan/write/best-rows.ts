// The paths to walk when there is no room for all that a design needs: those that leave the least unseen. Pure.

import { balancerRows, type Factors, type Row } from './design.ts';

/**
 * Chooses one row after the other: first those that lead over components not met yet, then those with most new pairs; among equals
 * those whose components were met least. Ends early when there is nothing left to meet.
 *
 * Takes time in proportion to room times all combinations: 0.2 s for 20 x 20 x 50.
 */
export function bestRows(factors: Factors, room: number): readonly Row[] {
  const tally = new Tally(factors);
  const candidates = [
    ...factors.accounts.flatMap(account => factors.mtas.flatMap(mta => factors.mmps.map((mmp): Row => ({ account, mta, mmp })))),
    ...balancerRows(factors),
  ].map(row => ({ row, levels: tally.levelsOf(row) }));
  const chosen: Row[] = [];
  while (chosen.length < room) {
    let best: (typeof candidates)[number] | undefined;
    let gain = 0;
    let use = 0;
    for (const candidate of candidates) {
      const its = tally.gain(candidate.levels);
      if (its < gain || its === 0) continue;
      const itsUse = tally.use(candidate.levels);
      if (its === gain && itsUse >= use) continue;
      best = candidate;
      gain = its;
      use = itsUse;
    }
    if (best === undefined) break;
    tally.take(best.levels);
    chosen.push(best.row);
  }
  return chosen;
}

/** Numbers of a row's account, of what stands after -s, and of what stands after -p. */
type Levels = readonly [account: number, sender: number, reader: number];

/** Who has been met, and who has been met together. */
class Tally {
  readonly #numbers = new Map<string, number>();
  readonly #met: Uint32Array;
  /** By the numbers of two: 1 when they have met, or need not. */
  readonly #pairs: Uint8Array;
  readonly #size: number;

  constructor({ accounts, mtas, mmps, senders, readers }: Factors) {
    const number = (kind: string, name: string) => this.#numbers.set(`${kind} ${name}`, this.#numbers.size);
    for (const name of accounts) number('-u', name);
    for (const name of mtas) number('-s', name);
    for (const name of mmps) number('-p', name);
    const machines = this.#numbers.size;
    for (const name of senders) number('-s', name);
    for (const name of readers) number('-p', name);
    this.#size = this.#numbers.size;
    this.#met = new Uint32Array(this.#size);
    this.#pairs = new Uint8Array(this.#size * this.#size);
    // No pair with a balancer is wanted.
    for (let one = 0; one < this.#size; one += 1)
      for (let other = 0; other < this.#size; other += 1)
        if (one >= machines || other >= machines) this.#pairs[one * this.#size + other] = 1;
  }

  levelsOf({ account, mta, mmp }: Row): Levels {
    const number = (key: string) => this.#numbers.get(key) ?? 0;
    return [number(`-u ${account}`), number(`-s ${mta}`), number(`-p ${mmp}`)];
  }

  /** A component that is met for the first time counts for more than all three pairs. */
  gain([account, sender, reader]: Levels): number {
    const fresh = Number(this.#met[account] === 0) + Number(this.#met[sender] === 0) + Number(this.#met[reader] === 0);
    return fresh * 4 + this.#isNew(account, sender) + this.#isNew(account, reader) + this.#isNew(sender, reader);
  }

  use([account, sender, reader]: Levels): number {
    return (this.#met[account] ?? 0) + (this.#met[sender] ?? 0) + (this.#met[reader] ?? 0);
  }

  take([account, sender, reader]: Levels): void {
    for (const level of [account, sender, reader]) this.#met[level] = (this.#met[level] ?? 0) + 1;
    for (const pair of [
      [account, sender],
      [account, reader],
      [sender, reader],
    ] as const)
      this.#pairs[pair[0] * this.#size + pair[1]] = 1;
  }

  #isNew(one: number, other: number): number {
    return 1 - (this.#pairs[one * this.#size + other] ?? 1);
  }
}
