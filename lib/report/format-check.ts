// Whether a format can be rendered on any report. Apart from formats.ts, which whoever only lists formats needs: the templates'
// language is compiled for this.

import { inOrder, type Problem, reporterFor } from '../site/problem.ts';
import type { Format } from './formats.ts';
import { checkTemplate } from './template-check.ts';

/** Everything that is wrong with a format's templates; empty when it can be rendered on any report. */
export function checkFormat(format: Format): readonly Problem[] {
  const problems: Problem[] = [];
  const reporter = (file: string) => reporterFor(file, problems);
  for (const [source, isHtml] of [
    [format.text, false],
    [format.html, true],
  ] as const) {
    if (source !== undefined) checkTemplate(source, { isHtml, partials: format.partials, reporter });
  }
  return inOrder(problems).map(withColumn);
}

/** A line of a template may be long, and printed problems tell only the line. */
function withColumn(problem: Problem): Problem {
  return problem.column === undefined ? problem : { ...problem, text: `column ${problem.column}: ${problem.text}` };
}
