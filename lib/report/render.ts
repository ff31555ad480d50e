// A report in a format: by its templates, or by its program. A template sees the report and the helpers, and nothing else.

import Handlebars from 'handlebars';
import type { Problem } from '../site/problem.ts';
import { formatProblems } from '../site/problem.ts';
import type { Report } from './data.ts';
import { checkFormat } from './format-check.ts';
import type { Format } from './formats.ts';
import { BLOCKS, type Gallery, HELPERS } from './helpers.ts';
import { runFormatProgram } from './program.ts';
import type { Source } from './template-check.ts';

export interface Rendered {
  /** Of the format `text`, or what its program printed. */
  readonly text?: string;
  readonly html?: string;
}

/** A format cannot be used; the message is for people, a line for each problem. */
export class BrokenFormat extends Error {
  override name = 'BrokenFormat';
  readonly problems: readonly Problem[];
  constructor(format: string, problems: readonly Problem[], why?: string) {
    super(`Cannot use the format "${format}":\n${why ?? formatProblems(problems)}`);
    this.problems = problems;
  }
}

/**
 * Renders a report. Pictures that the HTML asks for are handed to `gallery`, which says how they are addressed.
 *
 * @throws {BrokenFormat} with every problem of its templates, or with what its program did
 */
export async function renderReport(format: Format, report: Report, gallery: Gallery): Promise<Rendered> {
  const problems = checkFormat(format);
  if (problems.length > 0) throw new BrokenFormat(format.name, problems);
  // A copy of plain values: nothing that a template or a program does can reach ours.
  const json = JSON.stringify(report);
  if (format.command !== undefined) {
    const printed = await runFormatProgram(format.command, { folder: format.folder, input: json });
    if ('fault' in printed) throw new BrokenFormat(format.name, [], printed.fault);
    return format.media === 'text/html' ? { html: printed.text } : { text: printed.text };
  }
  const data: unknown = JSON.parse(json);
  const { text, html, partials } = format;
  return {
    ...(text === undefined ? {} : { text: run(format.name, text, { partials, data, isHtml: false, gallery }) }),
    ...(html === undefined ? {} : { html: run(format.name, html, { partials, data, isHtml: true, gallery }) }),
  };
}

interface Run {
  readonly partials: ReadonlyMap<string, Source>;
  readonly data: unknown;
  readonly isHtml: boolean;
  readonly gallery: Gallery;
}

/** Strict by every switch there is; the check before should have left nothing for them to do. */
function run(name: string, source: Source, { partials, data, isHtml, gallery }: Run): string {
  const house = Handlebars.create();
  for (const each of ['log', 'lookup', 'helperMissing', 'blockHelperMissing']) house.unregisterHelper(each);
  for (const [helper, { takes, work }] of Object.entries(HELPERS)) {
    // The last argument is Handlebars' own.
    house.registerHelper(helper, (...args: readonly unknown[]) => work(args.slice(0, -1).slice(0, takes.length), gallery));
  }
  const options: CompileOptions = {
    strict: true,
    knownHelpersOnly: true,
    noEscape: !isHtml,
    knownHelpers: Object.fromEntries([...BLOCKS, ...Object.keys(HELPERS)].map(each => [each, true])),
  };
  for (const [partial, { text }] of partials) house.registerPartial(partial, house.compile(text, options));
  try {
    return house.compile(source.text, options)(data);
  } catch (error) {
    throw new BrokenFormat(name, [], `${source.file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
