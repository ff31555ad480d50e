// Bytes of a log as lines of text. One conversion a chunk: a line on its own costs five times as much.

/** A line longer than this is cut off: no log has any, an attacker's may. */
const MOST = 64 * 1024;

/** Puts lines together from chunks and hands each to `take`, without its line end, as Latin-1: bytes are never lost or refused. */
export class Lines {
  readonly #take: (line: string) => void;
  #rest = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  add(chunk: Buffer): void {
    const text = this.#rest === '' ? chunk.toString('latin1') : this.#rest + chunk.toString('latin1');
    let from = 0;
    for (let to = text.indexOf('\n', from); to >= 0; to = text.indexOf('\n', from)) {
      this.#take(text.slice(from, to));
      from = to + 1;
    }
    this.#rest = text.length - from > MOST ? text.slice(from, from + MOST) : text.slice(from);
  }

  /** The file is finished: what is left is a line, even without its end. */
  end(): void {
    if (this.#rest !== '') this.#take(this.#rest);
    this.#rest = '';
  }
}
