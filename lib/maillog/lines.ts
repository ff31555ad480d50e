// Bytes of a log as lines of text. One conversion a chunk: a line on its own costs five times as much.

/** A line longer than this is cut off: no log has any, an attacker's may. */
const MOST = 64 * 1024;

/** A line is what stands in `text` from `from` up to `to`, its line end not included. */
type TakeSpan = (text: string, from: number, to: number) => void;

/**
 * Puts lines together from chunks and tells of each where it stands, as Latin-1: bytes are never lost or refused. Who does not need the
 * most of them has them cheaper than by `Lines`: nothing is cut out.
 */
export class Spans {
  readonly #take: TakeSpan;
  #rest = '';

  constructor(take: TakeSpan) {
    this.#take = take;
  }

  add(chunk: Buffer): void {
    const text = chunk.toString('latin1');
    let from = 0;
    if (this.#rest !== '') {
      // The line that the last chunk began, by itself: to join the chunks would copy all of them once more.
      const end = text.indexOf('\n');
      const line = this.#rest + (end < 0 ? text : text.slice(0, end)).slice(0, MOST - this.#rest.length);
      if (end < 0) {
        this.#rest = line;
        return;
      }
      this.#take(line, 0, line.length);
      from = end + 1;
    }
    for (let to = text.indexOf('\n', from); to >= 0; to = text.indexOf('\n', from)) {
      this.#take(text, from, to);
      from = to + 1;
    }
    this.#rest = text.length - from > MOST ? text.slice(from, from + MOST) : text.slice(from);
  }

  /** The file is finished: what is left is a line, even without its end. */
  end(): void {
    if (this.#rest !== '') this.#take(this.#rest, 0, this.#rest.length);
    this.#rest = '';
  }
}

/** The same with each line by itself. */
export class Lines {
  readonly #spans: Spans;

  constructor(take: (line: string) => void) {
    this.#spans = new Spans((text, from, to) => take(text.slice(from, to)));
  }

  add(chunk: Buffer): void {
    this.#spans.add(chunk);
  }

  end(): void {
    this.#spans.end();
  }
}
