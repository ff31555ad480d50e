// Questions to a person at a terminal, on stderr. What is secret is not shown, and nothing is remembered for the arrow keys.
//
// One reader for all questions: a second one would get nothing of what the first has taken in already.

import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Stop } from './context.ts';

export interface Prompt extends Disposable {
  /** @returns what was typed, without blanks around it @throws {Stop} at Ctrl-C, Ctrl-D, or when the terminal is gone */
  ask(question: string): Promise<string>;
  /** The same, and nothing of it is shown; blanks count. */
  askSecret(question: string): Promise<string>;
}

/** @param ended what to say when the person wants no more: `Nothing was written` */
export function openPrompt(ended: string): Prompt {
  let isHidden = false;
  const shown = new Writable({
    write: (chunk, _encoding, done) => {
      if (!isHidden) process.stderr.write(chunk);
      done();
    },
  });
  // readline asks its output how wide it is, to draw long lines anew.
  Object.defineProperty(shown, 'columns', { get: () => process.stderr.columns });
  const lines = createInterface({ input: process.stdin, output: shown, terminal: true, historySize: 0 });
  const closed = new Promise<never>((_, reject) => lines.once('close', () => reject(new Stop(ended))));
  // Whoever asks nothing more does not wait for it.
  closed.catch(() => {});
  const line = async (question: string, hide: boolean): Promise<string> => {
    const answer = lines.question(question);
    isHidden = hide;
    try {
      return await Promise.race([answer, closed]);
    } catch {
      isHidden = true;
      throw new Stop(ended);
    } finally {
      // Neither an answer that is not shown nor the end of all ends the line.
      if (isHidden) process.stderr.write('\n');
      isHidden = false;
    }
  };
  return {
    ask: async question => (await line(question, false)).trim(),
    askSecret: question => line(question, true),
    [Symbol.dispose]: () => lines.close(),
  };
}
