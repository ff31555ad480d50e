// TOML with places: a file's text as values that each know their line and column, so that every later complaint can say where.
// Knows nothing of what the keys mean. Reads TOML 1.1 (https://toml.io), which includes 1.0.

import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import type { Place } from '../problem.ts';

export type TomlValue =
  | { readonly kind: 'text'; readonly text: string; readonly place: Place }
  | { readonly kind: 'whole number' | 'fraction'; readonly number: number; readonly raw: string; readonly place: Place }
  | { readonly kind: 'truth'; readonly truth: boolean; readonly place: Place }
  /** A day with a time of day; without an offset it is meant in this machine's own time zone. */
  | { readonly kind: 'instant'; readonly at: number; readonly raw: string; readonly place: Place }
  | { readonly kind: 'day or time'; readonly raw: string; readonly place: Place }
  | { readonly kind: 'list'; readonly items: readonly TomlValue[]; readonly place: Place }
  | TomlTable;

export interface TomlTable {
  readonly kind: 'table';
  readonly entries: ReadonlyMap<string, TomlEntry>;
  /** Where it begins: its header, or the brace. */
  readonly place: Place;
}

export interface TomlEntry {
  /** Where the key stands. */
  readonly place: Place;
  readonly value: TomlValue;
}

/** Either the whole file, or the first thing in it that is not TOML. */
type TomlFile =
  | { readonly root: TomlTable }
  | { readonly fault: { readonly place: Place; readonly text: string; readonly remedy?: string } };

/** Reads a file's text. Never throws for what is in it. */
export function readToml(text: string): TomlFile {
  const source = text.replace(/^\u{feff}/u, ''); // a byte order mark says nothing in UTF-8
  try {
    return { root: rootTable(parseTOML(source, { tomlVersion: '1.1' })) };
  } catch (error) {
    if (error instanceof ParseError) return { fault: syntaxFault(error, source) };
    if (error instanceof RangeError)
      return { fault: { place: { line: 1, column: 1 }, text: 'cannot read as TOML: lists or tables are nested too deeply' } };
    throw error;
  }
}

/** A table while it grows; a list of tables (`[[name]]`) grows with it. */
interface Growing {
  kind: 'table';
  entries: Map<string, { place: Place; value: TomlValue | Growing }>;
  place: Place;
}

function rootTable(program: AST.TOMLProgram): TomlTable {
  const root = emptyTable({ line: 1, column: 1 });
  for (const node of program.body[0].body) {
    if (node.type === 'TOMLKeyValue') {
      addKeyValue(root, node);
      continue;
    }
    const table = headedTable(root, node);
    for (const pair of node.body) addKeyValue(table, pair);
  }
  return root as TomlTable;
}

/** The table that a header opens; the parser has already refused headers that contradict each other. */
function headedTable(root: Growing, node: AST.TOMLTable): Growing {
  const names = node.resolvedKey;
  let table = root;
  for (let i = 0; i < names.length; i++) {
    const name = String(names[i]);
    const index = names[i + 1];
    if (typeof index === 'number') {
      table = listedTable(table, name, index, startOf(node));
      i++;
    } else {
      table = childTable(table, name, startOf(node));
    }
  }
  return table;
}

function listedTable(table: Growing, name: string, index: number, place: Place): Growing {
  const known = table.entries.get(name);
  const items = known?.value.kind === 'list' ? (known.value.items as Growing[]) : [];
  if (known === undefined) table.entries.set(name, { place, value: { kind: 'list', items: items as TomlTable[], place } });
  const item = items[index] ?? emptyTable(place);
  items[index] = item;
  return item;
}

function childTable(table: Growing, name: string, place: Place): Growing {
  const known = table.entries.get(name);
  if (known?.value.kind === 'table') return known.value as Growing;
  const child = emptyTable(place);
  table.entries.set(name, { place, value: child });
  return child;
}

/** `a.b = 1` is a table `a` that holds `b`. */
function addKeyValue(table: Growing, node: AST.TOMLKeyValue): void {
  const keys = node.key.keys;
  const last = keys.at(-1);
  if (last === undefined) return;
  let into = table;
  for (const key of keys.slice(0, -1)) into = childTable(into, keyText(key), startOf(key));
  into.entries.set(keyText(last), { place: startOf(last), value: nodeValue(node.value) });
}

function nodeValue(node: AST.TOMLContentNode): TomlValue {
  const place = startOf(node);
  switch (node.type) {
    case 'TOMLArray':
      return { kind: 'list', items: node.elements.map(nodeValue), place };
    case 'TOMLInlineTable': {
      const table = emptyTable(place);
      for (const pair of node.body) addKeyValue(table, pair);
      return table as TomlTable;
    }
    case 'TOMLValue':
      return scalarOf(node, place);
    default:
      return node satisfies never;
  }
}

function scalarOf(node: AST.TOMLValue, place: Place): TomlValue {
  switch (node.kind) {
    case 'string':
      return { kind: 'text', text: node.value, place };
    case 'integer':
      return { kind: 'whole number', number: node.value, raw: node.number, place };
    case 'float':
      return { kind: 'fraction', number: node.value, raw: node.number, place };
    case 'boolean':
      return { kind: 'truth', truth: node.value, place };
    case 'offset-date-time':
      return { kind: 'instant', at: node.value.getTime(), raw: node.datetime, place };
    case 'local-date-time':
      return { kind: 'instant', at: localInstant(node.value), raw: node.datetime, place };
    case 'local-date':
    case 'local-time':
      return { kind: 'day or time', raw: node.datetime, place };
    default:
      return node satisfies never;
  }
}

/** The parser reads a date-time without offset as UTC; an operator who writes 22:00 means the clock on the wall. */
function localInstant(asUtc: Date): number {
  const local = new Date(2000, 0, 1);
  local.setFullYear(asUtc.getUTCFullYear(), asUtc.getUTCMonth(), asUtc.getUTCDate());
  local.setHours(asUtc.getUTCHours(), asUtc.getUTCMinutes(), asUtc.getUTCSeconds(), asUtc.getUTCMilliseconds());
  return local.getTime();
}

function keyText(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === 'TOMLBare' ? key.name : key.value;
}

/** The parser counts columns from 0. */
function startOf(node: AST.TOMLNode): Place {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 };
}

function emptyTable(place: Place): Growing {
  return { kind: 'table', entries: new Map(), place };
}

/** The parser's message in our words. The line itself is not quoted: it may hold what should not be shown. */
function syntaxFault(error: ParseError, source: string): { place: Place; text: string; remedy?: string } {
  const place = { line: Math.max(1, error.lineNumber), column: error.column + 1 };
  const lines = source.split('\n');
  const line = lines[place.line - 1] ?? '';
  const unreadable = (text: string, remedy?: string, at = place) => ({
    place: at,
    text: `cannot read as TOML: ${text}`,
    ...(remedy === undefined ? {} : { remedy }),
  });
  const { message } = error;
  if (message.startsWith('Defining a key multiple times')) {
    const header = /^[ \t]*(\[\[?[^\]\n]*\]\]?)/.exec(line)?.[1];
    const key = /^[A-Za-z0-9_."-]+/.exec(source.slice(error.index, error.index + 200))?.[0];
    const name = header ?? (key === undefined ? 'a key' : `'${key}'`);
    return { place, text: `${name} is defined a second time`, remedy: 'keep one of the two' };
  }
  // What is left open is noticed only further down.
  const open = openBefore(lines, place.line);
  if (open !== undefined) return unreadable(open.text, open.remedy, open.place);
  if (/^(?:Unspecified values|The key, equals sign)/.test(message)) {
    // Told where the value is missing, not where the parser noticed.
    const before = source.slice(0, error.index).trimEnd().split('\n');
    const at = { line: before.length, column: (before.at(-1) ?? '').length + 1 };
    return unreadable('expected a value after "=" on the same line', undefined, at);
  }
  const before = line.slice(0, error.column);
  if (message.startsWith('Unterminated string'))
    return unreadable('the text is not closed', 'it ends on the same line, with the quote that it began with');
  if (message.startsWith('Expected comma')) return unreadable('expected a comma or "]" after a value of a list');
  if (message.startsWith('Expected equal'))
    return unreadable('expected "=" after the key', 'a line is KEY = VALUE, or a section as in [mta.NAME]');
  if (message.startsWith('Must be a newline'))
    return unreadable(
      'there is more on the line after the value',
      'one key and its value a line; a text with blanks stands in double quotes, several values in [ ]',
    );
  if (message.startsWith('Unexpected token'))
    return before.includes('=')
      ? unreadable('expected a value', 'a number, true, false, a text in double quotes, or a list in [ ]')
      : unreadable('expected a key', 'a line is KEY = VALUE, or a section as in [mta.NAME]');
  const isBareText = message.startsWith('Unexpected character') && /=[ \t]*[A-Za-z]*$/.test(before);
  return unreadable(
    message.charAt(0).toLowerCase() + message.slice(1),
    isBareText ? 'a text stands in double quotes, as in host = "mail.example.com"' : undefined,
  );
}

/** The nearest line above with a section's name or a list that is not closed before the parser gave up. */
function openBefore(
  lines: readonly string[],
  last: number,
): { readonly place: Place; readonly text: string; readonly remedy: string } | undefined {
  for (let n = last; n >= 1 && n > last - OPEN_LINES; n -= 1) {
    const line = lines[n - 1] ?? '';
    const place = { line: n, column: 1 };
    if (/^[ \t]*\[\[?[A-Za-z0-9_."-]+[ \t]*(?:#.*)?$/.test(line))
      return { place, text: 'the name of a section is not closed', remedy: 'it ends with "]" on the same line' };
    const list = /^[ \t]*[A-Za-z0-9_."-]+[ \t]*=[ \t]*\[[^\]]*$/.exec(line);
    if (list !== null && !isClosed(lines.slice(n)))
      return { place, text: 'the list that begins here is not closed', remedy: 'it ends with "]"' };
    // A whole entry in between: whatever was open has been closed.
    if (n < last && /^[ \t]*(?:\[[^\]]+\]|[A-Za-z0-9_."-]+[ \t]*=.*[^,[\s])[ \t]*$/.test(line)) return undefined;
  }
  return undefined;
}

/** Whether a list ends before the next section or key begins. */
function isClosed(after: readonly string[]): boolean {
  const next = after.findIndex(line => /^[ \t]*(?:\[\[?[A-Za-z_"]|[A-Za-z0-9_."-]+[ \t]*=)/.test(line));
  return after.slice(0, next < 0 ? undefined : next).some(line => line.includes(']'));
}

/** How far above an opening bracket is looked for. */
const OPEN_LINES = 100;
