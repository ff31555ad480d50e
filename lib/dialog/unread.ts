// Bytes that have come over a connection and are not read yet.
//
// Promises: every byte is copied once and looked at once for a line end, however small the pieces are that it comes in: a peer that
// sends a byte at a time costs no more than its bytes. What is taken out is a copy, so that a line that is kept holds nothing else.

const LEAST_BYTES = 4 * 1024;
const KEPT_BYTES = 256 * 1024;

export class Unread {
  #store = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  /** Up to here there is no LF. */
  #searched = 0;

  get length(): number {
    return this.#to - this.#from;
  }

  add(bytes: Uint8Array): void {
    if (this.#to + bytes.length > this.#store.length) this.#makeRoom(bytes.length);
    this.#store.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** How many bytes the next line has with its LF; -1 when it is not all there. */
  lineLength(): number {
    const at = this.#lineEnd();
    return at < 0 ? -1 : at + 1 - this.#from;
  }

  take(count: number): Buffer {
    const taken = Buffer.from(this.#store.subarray(this.#from, this.#from + count));
    this.#drop(taken.length);
    return taken;
  }

  /** A look at the first bytes, at most so many; good until the next change. */
  head(most: number): Buffer {
    return this.#store.subarray(this.#from, Math.min(this.#to, this.#from + most));
  }

  /**
   * Hands on whole lines one after another, as places in a buffer that are good during the call, and drops them.
   *
   * @param line says whether to go on; the LF is before `to`
   * @returns how many bytes were dropped
   */
  eachLine(line: (bytes: Buffer, from: number, to: number) => boolean): number {
    const before = this.length;
    for (let goOn = true; goOn; ) {
      const at = this.#lineEnd();
      if (at < 0) break;
      goOn = line(this.#store, this.#from, at + 1);
      this.#from = at + 1;
    }
    const dropped = before - this.length;
    this.#drop(0);
    return dropped;
  }

  clear(): void {
    this.#store = Buffer.alloc(0);
    this.#from = this.#to = this.#searched = 0;
  }

  #lineEnd(): number {
    const begin = Math.max(this.#searched, this.#from);
    const at = this.#store.subarray(begin, this.#to).indexOf(0x0a);
    this.#searched = at < 0 ? this.#to : begin + at;
    return at < 0 ? -1 : begin + at;
  }

  #drop(count: number): void {
    this.#from += count;
    if (this.#from < this.#to) return;
    this.#from = this.#to = this.#searched = 0;
    if (this.#store.length > KEPT_BYTES) this.#store = Buffer.alloc(0);
  }

  /** Moves what is there to the front, of a larger buffer where more than half would be full. */
  #makeRoom(count: number): void {
    const wanted = this.length + count;
    const old = this.#store;
    if (wanted > old.length / 2) this.#store = Buffer.allocUnsafe(Math.max(LEAST_BYTES, wanted * 2));
    old.copy(this.#store, 0, this.#from, this.#to);
    this.#searched = Math.max(0, this.#searched - this.#from);
    this.#to -= this.#from;
    this.#from = 0;
  }
}
