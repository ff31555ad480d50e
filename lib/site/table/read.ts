// Reads a parsed file against its table: every unknown section and key, every value that does not fit, everything that is
// missing, all at once. What comes out is typed by the table. Knows nothing of mail.

import { printable } from '../../model/printable.ts';
import type { Place, Reporter } from '../problem.ts';
import {
  type Contents,
  type Entry,
  type Field,
  type Fields,
  type FileTable,
  headerOf,
  type Section,
  type Sections,
  type TableForm,
  type Values,
} from './field.ts';
import { found, type RefusedKeys } from './form.ts';
import { NAME, NAME_RULE } from './name.ts';
import { didYouMean, nearest } from './nearest.ts';
import type { TomlEntry, TomlTable, TomlValue } from './toml.ts';

/** Reads every section of a file. Problems go to `report`; an entry without problems has its `values`. */
export function readTable<S extends Sections>(table: FileTable<S>, root: TomlTable, report: Reporter): Contents<S> {
  const contents: Record<string, readonly Entry<Fields>[]> = {};
  for (const key of Object.keys(table.sections)) contents[key] = [];
  for (const [key, entry] of root.entries) {
    const section = table.sections[key];
    if (section === undefined || !Object.hasOwn(table.sections, key)) reportUnknownSection(table, key, entry, report);
    else contents[key] = readSection(table, key, section, entry, report);
  }
  for (const [key, section] of Object.entries(table.sections)) {
    if (section.isRequired === true && !root.entries.has(key))
      report.error({ line: 1, column: 1 }, `section ${headerOf(key, section.shape)} is missing`);
  }
  return contents as Contents<S>;
}

/** A value that is itself a small table, as in `pop3 = { port = 110 }`. */
export function record<F extends Fields>(fields: F): TableForm<F> {
  const wanted = `a table with ${Object.keys(fields).join(', ')}`;
  return {
    wanted,
    fields,
    isHidden: false,
    read(value, { report, what, refused }) {
      if (value.kind === 'table')
        return readFields(fields, value, { report, label: what, nameOf: key => `'${key}' of ${what}`, refused }).values;
      const sample = Object.entries(fields).find(([, field]) => field.presence === 'required') ?? Object.entries(fields)[0];
      const remedy = sample === undefined ? undefined : `it stands in braces, as in { ${sample[0]} = ... }`;
      report.error(value.place, `${what} must be ${wanted}: found ${found(value)}`, remedy);
      return undefined;
    },
  };
}

function readSection(
  table: FileTable,
  key: string,
  section: Section,
  { place, value }: TomlEntry,
  report: Reporter,
): readonly Entry<Fields>[] {
  const header = headerOf(key, section.shape);
  switch (section.shape) {
    case 'once':
      if (value.kind === 'table')
        return [readEntry(table, section, { name: '', label: header, place: value.place }, value, report)];
      report.error(
        place,
        `section '${key}' must be written once, as ${header}: found ${value.kind === 'list' ? `[[${key}]]` : found(value)}`,
      );
      return [];
    case 'listed':
      if (value.kind === 'list') return readListed(table, key, section, value.items, report);
      report.error(
        place,
        `section '${key}' must be written as ${header}: found ${value.kind === 'table' ? `[${key}]` : found(value)}`,
      );
      return [];
    case 'named':
      if (value.kind === 'table') return readNamed(table, key, section, value, report);
      report.error(
        place,
        `section '${key}' must be written as ${header}: found ${value.kind === 'list' ? `[[${key}]]` : found(value)}`,
      );
      return [];
    default:
      return section.shape satisfies never;
  }
}

function readListed(
  table: FileTable,
  key: string,
  section: Section,
  items: readonly TomlValue[],
  report: Reporter,
): readonly Entry<Fields>[] {
  return items.flatMap((item, i) => {
    if (item.kind === 'table') {
      return [readEntry(table, section, { name: '', label: `[[${key}]] number ${i + 1}`, place: item.place }, item, report)];
    }
    report.error(item.place, `item ${i + 1} of '${key}' must be a table: found ${found(item)}`);
    return [];
  });
}

function readNamed(
  table: FileTable,
  key: string,
  section: Section,
  value: TomlTable,
  report: Reporter,
): readonly Entry<Fields>[] {
  return [...value.entries].flatMap(([name, { place, value: body }]) => {
    const shown = printable(name, 70);
    if (body.kind !== 'table') {
      report.error(
        place,
        `'${shown}' stands in [${key}], which needs a name: expected [${key}.NAME]`,
        `write [${key}.NAME] above it, with a name of your choice`,
      );
      return [];
    }
    const label = headerOf(key, 'named', shown);
    if (!NAME.test(name)) {
      report.error(body.place, `the name in ${label} must be ${NAME_RULE}`);
      return [];
    }
    const dotted = dottedName(section, name, body);
    if (dotted !== undefined) {
      report.error(
        body.place,
        `[${key}.${printable(dotted, 70)}] is a name in several parts: expected [${key}.NAME]`,
        `a name with dots stands in quotes: [${key}."${dotted}"]`,
      );
      return [];
    }
    return [readEntry(table, section, { name, label, place: body.place }, body, report)];
  });
}

/** `[mta.mx1.example.com]` is a table in a table in a table; the name that was meant, when that is what happened. */
function dottedName(section: Section, name: string, body: TomlTable): string | undefined {
  const [first] = body.entries;
  if (body.entries.size !== 1 || first === undefined) return undefined;
  const [inner, { value }] = first;
  const isInlineOrKnown = Object.hasOwn(section.fields, inner) || value.kind !== 'table' || value.place.line !== body.place.line;
  if (isInlineOrKnown || value.place.column !== body.place.column) return undefined;
  return dottedName(section, `${name}.${inner}`, value) ?? `${name}.${inner}`;
}

function readEntry(
  table: FileTable,
  section: Section,
  { name, label, place }: { name: string; label: string; place: Place },
  body: TomlTable,
  report: Reporter,
): Entry<Fields> {
  const read = readFields(section.fields, body, {
    report,
    label,
    nameOf: key => `'${key}' in ${label}`,
    refused: table.refused,
    table,
  });
  const entry: Entry<Fields> = { name, label, place, ...read };
  section.rules?.(entry, report);
  return entry;
}

interface FieldsReading {
  readonly report: Reporter;
  /** What holds the keys, for messages: `[mta.ssmtp01]`. */
  readonly label: string;
  readonly nameOf: (key: string) => string;
  readonly refused: RefusedKeys | undefined;
  /** For a section's own keys: the file, whose other sections may know a key that this one does not. */
  readonly table?: FileTable;
}

type FieldsRead<F extends Fields> = Pick<Entry<F>, 'written' | 'hasRefusedKey' | 'draft' | 'values'>;

function readFields<F extends Fields>(fields: F, body: TomlTable, reading: FieldsReading): FieldsRead<F> {
  const { report, label, refused } = reading;
  const draft: Record<string, unknown> = {};
  const written = new Map<string, Place>();
  let hasRefusedKey = false;
  let isSound = true;
  for (const [key, { place, value }] of body.entries) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    const refusal = field === undefined ? refused?.(key) : undefined;
    if (field !== undefined) {
      written.set(key, value.place);
      const result = field.form.read(value, { report, what: reading.nameOf(key), ...(refused === undefined ? {} : { refused }) });
      if (result === undefined) isSound = false;
      else draft[key] = result;
    } else if (refusal !== undefined) {
      hasRefusedKey = true;
      isSound = false;
      report.error(place, `${refusal.text}: found '${printable(key, 60)}' in ${label}`, refusal.remedy);
    } else {
      isSound = false;
      reportUnknownKey(fields, key, place, reading);
    }
  }
  for (const [key, field] of Object.entries(fields)) {
    if (written.has(key)) continue;
    draft[key] = field.fallback;
    if (field.presence !== 'required') continue;
    isSound = false;
    report.error(
      body.place,
      `${label} has no '${key}': expected ${field.form.wanted}`,
      `add a line such as: ${key} = ${sampleText(field)}`,
    );
  }
  const values = draft as Values<F>;
  return { written, hasRefusedKey, draft: values, ...(isSound ? { values } : {}) };
}

function sampleText(field: Field): string {
  return typeof field.sample === 'object' ? '...' : JSON.stringify(field.sample);
}

function reportUnknownKey(fields: Fields, key: string, place: Place, { report, label, table }: FieldsReading): void {
  const shown = `unknown key '${printable(key, 60)}' in ${label}`;
  const homes = Object.entries(table?.sections ?? {}).filter(([, section]) => Object.hasOwn(section.fields, key));
  if (homes.length > 0) {
    report.error(
      place,
      `${shown}: '${key}' belongs in ${homes.map(([name, section]) => headerOf(name, section.shape)).join(', ')}`,
    );
    return;
  }
  const guess = didYouMean(key, Object.keys(fields));
  report.error(place, shown + guess, guess === '' ? `known here: ${Object.keys(fields).join(', ')}` : undefined);
}

function reportUnknownSection(table: FileTable, key: string, { place, value }: TomlEntry, report: Reporter): void {
  const shown = printable(key, 60);
  const isHeader = value.kind === 'table' || (value.kind === 'list' && value.items[0]?.kind === 'table');
  if (!isHeader) {
    const refusal = table.refused?.(key);
    if (refusal !== undefined) {
      report.error(place, `${refusal.text}: found '${shown}' before the first section`, refusal.remedy);
      return;
    }
    const homes = Object.entries(table.sections).filter(([, section]) => Object.hasOwn(section.fields, key));
    const headers = homes.map(([name, section]) => headerOf(name, section.shape)).join(', ');
    report.error(
      place,
      `key '${shown}' stands before the first section`,
      headers === '' ? undefined : `'${shown}' belongs in ${headers}`,
    );
    return;
  }
  const refusal = table.refusedSections?.(key);
  if (refusal !== undefined) {
    report.error(place, `${refusal.text}: found [${shown}]`, refusal.remedy);
    return;
  }
  const sections = Object.entries(table.sections);
  const near = nearest(key, Object.keys(table.sections));
  const meant = sections.find(([name]) => name === near);
  const known = sections.map(([name, section]) => headerOf(name, section.shape)).join(', ');
  if (meant === undefined) report.error(place, `unknown section [${shown}]`, `known sections: ${known}`);
  else report.error(place, `unknown section [${shown}]: did you mean ${headerOf(meant[0], meant[1].shape)}?`);
}
