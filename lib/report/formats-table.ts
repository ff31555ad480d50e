// The keys of report_formats.cfg, with their explanations.

import { command } from '../site/site-forms.ts';
import { defaulted, type Entry, type FileTable, optional, section } from '../site/table/field.ts';
import { list, pattern, text, whole } from '../site/table/form.ts';

const FILE_NAME = pattern('the path of a file below the folder of this file', path => !/^\/|(^|\/)\.\.(\/|$)/.test(path), {
  hint: path => (path.startsWith('/') ? 'an absolute path is not taken' : undefined),
});

const FORMAT = section({
  shape: 'named',
  help:
    'A format of reports. NAME is what [report] in alarms.cfg and --format call it; a name that ships (classic, daily, csv, json, prometheus, ' +
    'openmetrics) takes the place of that format. `healthmon report new NAME` makes one to begin with, `healthmon report preview NAME` shows it.',
  isCommentedOut: true,
  fields: {
    about: defaulted(text('a text in double quotes', { min: 0, max: 200 }), '', {
      help: 'What it is, for healthmon report formats.',
    }),
    text: optional(FILE_NAME, {
      help: 'A Handlebars template that gives plain text: what --print shows, and what a letter has for those who read no HTML.',
      otherwise: 'none; letters then have the text of classic',
      sample: 'mine/report.txt.hbs',
    }),
    html: optional(FILE_NAME, {
      help: 'A Handlebars template that gives HTML. Everything is escaped in it; there are no scripts and nothing is loaded from elsewhere.',
      otherwise: 'none',
      sample: 'mine/report.html.hbs',
    }),
    partials: defaulted(list(FILE_NAME, { of: 'files' }), [], {
      help: 'Pieces that the templates use as {{> name}}, name being that of the file up to its first dot.',
    }),
    command: optional(command, {
      help:
        'Instead of templates: a program that gets the report as JSON on its stdin and prints it in this format. It is run without a shell, in ' +
        'the folder of this file, with nothing but PATH, HOME, LANG and TZ in its environment.',
      otherwise: 'none',
      sample: ['python3', 'mine/report.py'],
    }),
    timeout: defaulted(whole({ min: 1, max: 300, unit: 'seconds' }), 30, { help: 'So long the program may take.' }),
    extension: optional(pattern('letters and digits', /^[A-Za-z0-9]{1,10}$/), {
      help: 'The ending of files in this format.',
      otherwise: 'txt, or html where there is no text',
      sample: 'txt',
    }),
    media: optional(pattern('a media type such as "text/plain"', /^[a-z]+\/[a-z0-9.+-]{1,60}$/), {
      help: 'Its media type. What is neither text/plain nor text/html goes into a letter as an attachment.',
      otherwise: 'text/plain, or text/html where there is no text',
      sample: 'text/plain',
    }),
  },
  samples: [{ name: 'mine', set: { about: 'our own', text: 'mine/report.txt.hbs' } }],
  rules(entry, report) {
    const has = (key: string) => entry.written.has(key);
    if (!has('text') && !has('html') && !has('command'))
      report.error(
        entry.place,
        `${entry.label} gives nothing: expected text, html or command`,
        'add a line such as: text = "mine/report.txt.hbs"',
      );
    if (has('command') && (has('text') || has('html')))
      report.error(
        entry.written.get('command') ?? entry.place,
        `${entry.label} has a program and templates`,
        'keep one of the two',
      );
  },
});

const SECTIONS = { format: FORMAT };

export type FormatEntry = Entry<(typeof FORMAT)['fields']>;

export const FORMATS_TABLE: FileTable<typeof SECTIONS> = {
  intro: `# report_formats.cfg: formats of the report that are this site's own. Those that ship are in reports/; this
# file adds some, or takes the place of one of the same name. Which one is used is said by format in [report] of
# alarms.cfg, or by --format on the command line.
#
# README.md in this folder shows how to write one; its files lie in a folder of its own beside this file.`,
  sections: SECTIONS,
};
