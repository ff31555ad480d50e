// What is wrong with a config file, told so that it can be mended: where it stands, what was expected, what was found, and
// what to do. Problems are collected, never thrown: a reader of a file always gets all of them.

import { printable } from '../model/printable.ts';

/** A spot in a file; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Plain data: `JSON.stringify` writes it as it is. */
export interface Problem {
  /** As the caller named the folder: `etc/site.cfg`. */
  readonly file: string;
  readonly line: number;
  readonly column?: number;
  /** An `error` keeps the config from being used; a `warning` does not. */
  readonly severity: 'error' | 'warning';
  /** What was expected and what was found, in one line without a full stop. */
  readonly text: string;
  /** What to do, where that is known: a sentence, or a command ready to paste. */
  readonly remedy?: string;
}

/** Where the problems of one file are noted. */
export interface Reporter {
  readonly error: (place: Place, text: string, remedy?: string) => void;
  readonly warning: (place: Place, text: string, remedy?: string) => void;
}

/** Longest text or remedy: whatever a file holds, a problem stays a line that can be read. */
const MAX_TEXT = 600;

/** Notes problems of `file` in `into`. Texts are cleaned here, so that no file can write to a terminal through its problems. */
export function reporterFor(file: string, into: Problem[]): Reporter {
  const note =
    (severity: Problem['severity']) =>
    (place: Place, text: string, remedy?: string): void => {
      const problem: Problem = {
        file,
        line: place.line,
        column: place.column,
        severity,
        text: printable(text, MAX_TEXT),
        ...(remedy === undefined ? {} : { remedy: printable(remedy, MAX_TEXT) }),
      };
      into.push(problem);
    };
  return { error: note('error'), warning: note('warning') };
}

/** In the order of reading: by file (as first seen), line and column. The same words about the same place are kept once. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const files = new Map<string, number>();
  for (const { file } of problems) if (!files.has(file)) files.set(file, files.size);
  const seen = new Set<string>();
  return problems
    .filter(problem => {
      const key = JSON.stringify([problem.file, problem.line, problem.text]);
      return !seen.has(key) && seen.add(key);
    })
    .toSorted(
      (a, b) => (files.get(a.file) ?? 0) - (files.get(b.file) ?? 0) || a.line - b.line || (a.column ?? 0) - (b.column ?? 0),
    );
}

/** For people, a line each: `file:line: severity: text`, and below it the remedy, indented. No line end after the last. */
export function formatProblems(problems: readonly Problem[]): string {
  const lines = problems.flatMap(({ file, line, severity, text, remedy }) => {
    const first = `${printable(file)}:${line}: ${severity}: ${text}`;
    return remedy === undefined ? [first] : [first, `    ${remedy}`];
  });
  return lines.join('\n');
}

/** For `--json`: the problems as they are, with their number by severity. */
export function summariseProblems(problems: readonly Problem[]): {
  errors: number;
  warnings: number;
  problems: readonly Problem[];
} {
  const errors = problems.filter(problem => problem.severity === 'error').length;
  return { errors, warnings: problems.length - errors, problems };
}
