// What every server of the stand-in heard and said, in a ring of bounded length. Tests use it to prove what did *not* happen:
// no password in clear, no message sent, no more log-ins than allowed. It keeps the bytes as they were, passwords included
// (they are the stand-in's own), and says of each line whether it travelled under TLS. In memory only; never printed by itself.

import type { Component } from '../model/component.ts';
import type { Protocol } from '../model/endpoint.ts';

interface LogLine {
  /** Milliseconds on the process's monotonic clock. */
  readonly atMs: number;
  readonly component: Component;
  readonly protocol: Protocol;
  /** Counts the connections of the whole site, from 1; 0 for what belongs to none. */
  readonly connection: number;
  /** `<` the server heard it, `>` the server said it, `*` a remark. */
  readonly from: '<' | '>' | '*';
  /** Whether it crossed the wire under TLS. */
  readonly secure: boolean;
  readonly text: string;
}

const LONGEST = 400;

export class SiteLog {
  readonly #lines: LogLine[] = [];
  readonly #capacity: number;
  #connections = 0;

  constructor(capacity = 5000) {
    this.#capacity = capacity;
  }

  nextConnection(): number {
    this.#connections += 1;
    return this.#connections;
  }

  add(line: Omit<LogLine, 'atMs'>): void {
    const text = line.text.length > LONGEST ? `${line.text.slice(0, LONGEST)}... (${line.text.length} characters)` : line.text;
    this.#lines.push({ ...line, text, atMs: performance.now() });
    // Dropping a batch at a time keeps this cheap however long the site runs.
    if (this.#lines.length > this.#capacity * 1.25) this.#lines.splice(0, this.#lines.length - this.#capacity);
  }

  /** Oldest first; all of them, or those of one component (`mta/ssmtp01`). */
  lines(component?: Component): readonly LogLine[] {
    return component === undefined ? this.#lines.slice() : this.#lines.filter(line => line.component === component);
  }

  clear(): void {
    this.#lines.length = 0;
  }
}
