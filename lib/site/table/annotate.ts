// Writes a config file's annotated sample from its table: every section, every key, explained in plain words with its default.
// The text is itself a valid file. A key is explained once; a later section that has the same key points back to it.

import {
  type Field,
  type Fields,
  type FileTable,
  headerOf,
  innerFields,
  type Literal,
  type Sample,
  type Section,
} from './field.ts';

const WIDTH = 110;

/** The annotated file as text, ending in a line end. */
export function annotatedFile(table: FileTable): string {
  const explained = new Map<object, string>();
  const parts = [table.intro, ...Object.entries(table.sections).map(([key, section]) => sectionText(key, section, explained))];
  return `${parts.map(part => part.trimEnd()).join('\n\n\n')}\n`;
}

/** A value as TOML writes it. */
export function tomlText(value: Literal): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(tomlText).join(', ')}]`;
  if (isRaw(value)) return value.toml;
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${key} = ${tomlText(inner)}`)
    .join(', ')} }`;
}

function isRaw(value: object): value is { readonly toml: string } {
  return 'toml' in value && typeof value.toml === 'string' && Object.keys(value).length === 1;
}

/** Text in comment lines of at most `WIDTH` columns; its own line ends are kept. */
function commentLines(text: string): string[] {
  return text.split('\n').flatMap(paragraph => wrap(paragraph, WIDTH - 2).map(line => `# ${line}`.trimEnd()));
}

function wrap(text: string, width: number): string[] {
  const indent = ' '.repeat(text.length - text.trimStart().length);
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trim().split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line = line === indent ? indent + word : `${line} ${word}`;
  }
  return [...lines, line];
}

function sectionText(key: string, section: Section, explained: Map<object, string>): string {
  const help = ['#'.padEnd(WIDTH, '-'), ...commentLines(section.help), ''];
  const samples = section.samples.map((sample, i) => {
    const header = headerOf(key, section.shape, sample.name);
    const lines = i === 0 ? fullSample(section.fields, sample, header, explained) : shortSample(sample);
    return [header, ...lines].map(line =>
      section.isCommentedOut === true && !line.startsWith('#') && line !== '' ? `#${line}` : line,
    );
  });
  return [...help, ...samples.flatMap(lines => [...lines, ''])].join('\n');
}

function shortSample(sample: Sample): string[] {
  return Object.entries(sample.set).map(([key, value]) => `${key} = ${tomlText(value)}`);
}

/** Every key: those that the sample sets as they are, the others commented out. */
function fullSample(fields: Fields, sample: Sample, header: string, explained: Map<object, string>): string[] {
  const lines: string[] = [];
  let pointsTo = '';
  for (const [key, field] of Object.entries(fields)) {
    const earlier = explained.get(field);
    if (earlier === undefined) {
      lines.push('', ...explanation(field, header, explained));
      explained.set(field, header);
    } else if (earlier !== pointsTo) {
      lines.push('', `# As explained at ${earlier}:`);
    }
    pointsTo = earlier ?? '';
    const value = sample.set[key];
    lines.push(value === undefined ? `#${key} = ${tomlText(field.sample)}` : `${key} = ${tomlText(value)}`);
  }
  return lines[0] === '' ? lines.slice(1) : lines;
}

function explanation(field: Field, header: string, explained: Map<object, string>): string[] {
  const inner = innerFields(field.form);
  if (inner === undefined)
    return [...commentLines(field.help), ...commentLines(`  Value: ${field.form.wanted}. ${absence(field)}`)];
  const lines = [...commentLines(field.help), ...commentLines(`  Value: a small table. ${absence(field)}`)];
  const earlier = explained.get(inner);
  explained.set(inner, earlier ?? header);
  return [...lines, ...(earlier === undefined ? innerLines(inner) : commentLines(`  Its keys are explained at ${earlier}.`))];
}

/** The keys of a small table, below the key that holds it. */
function innerLines(fields: Fields): string[] {
  const width = Math.max(...Object.keys(fields).map(key => key.length)) + 2;
  return Object.entries(fields).flatMap(([key, field]) => {
    const words = `${field.help} Value: ${field.form.wanted}. ${absence(field)}`;
    return wrap(words, WIDTH - width - 6).map((line, i) => `#     ${(i === 0 ? key : '').padEnd(width)}${line}`);
  });
}

function absence(field: Field): string {
  if (field.presence === 'required') return 'Required.';
  return `Default: ${field.otherwise ?? tomlText(field.sample)}.`;
}
