// Reading a template, and saying in words and by line and column where it cannot be read.

import Handlebars from 'handlebars';
import type { Place, Reporter } from '../site/problem.ts';

export type Tree = hbs.AST.Program;

/** The parsed text, or undefined after its first fault has been noted. */
export function parsedTemplate(source: string, report: Reporter): Tree | undefined {
  try {
    return Handlebars.parse(source);
  } catch (error) {
    const { place, words } = syntaxFault(error, source);
    report.error(place, words);
    return undefined;
  }
}

/** The parser tells the line in words, and the column by a caret below a piece of it; or both, at the end. */
function syntaxFault(error: unknown, source: string): { place: Place; words: string } {
  const message = error instanceof Error ? error.message : String(error);
  const after = / - (\d+):(\d+)$/.exec(message);
  if (after !== null)
    return { place: { line: Number(after[1]), column: Number(after[2]) + 1 }, words: message.slice(0, after.index) };
  const [first = '', shown = '', caret = '', reason = ''] = message.split('\n');
  const line = Number(/line (\d+)/.exec(first)?.[1] ?? 1);
  const piece = shown.slice(0, caret.indexOf('^')).replace(/^\.\.\./, '');
  const text = source.split('\n')[line - 1] ?? '';
  // The piece runs over line ends; its end is what stands in the line.
  const tail = piece.slice(-8);
  const found = tail === '' ? -1 : text.indexOf(tail);
  const got = /got '([^']*)'/.exec(reason)?.[1];
  const words =
    got === 'EOF'
      ? 'the template ends inside a block: a {{/...}} is missing'
      : got === 'INVALID'
        ? 'cannot read what stands between the braces'
        : `cannot read the template: ${reason === '' ? message : (got ?? reason)} has no place here`;
  return { place: { line, column: found === -1 ? Math.max(1, text.length) : found + tail.length + 1 }, words };
}
