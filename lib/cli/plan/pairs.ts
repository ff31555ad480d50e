// Pairs of components as a table with a mark in each field. Pure but for colours, which are an argument.

import { printable } from '../../model/printable.ts';
import type { Cell, CellState, PairTable, Role } from '../../plan/coverage.ts';
import type { Level } from '../../plan/inventory.ts';
import type { Terminal } from '../terminal.ts';

type Colours = Terminal['colours'];

const WORDS: Readonly<Record<Role, string>> = { mta: 'MTA', mmp: 'MMP', account: 'account' };
const LEFT = '    ';

/**
 * Title and table. Names that have no room side by side stand upright; a table that is so wide and has no gap is left out, since its
 * title says all of it.
 */
export function pairsText(table: PairTable, colours: Colours, width: number): readonly string[] {
  const { rows, columns, wanted, covered } = table;
  const title = titleOf(table);
  const count = `${covered} of ${wanted} ${wanted === 1 ? 'pair' : 'pairs'} covered`;
  const names = rows.levels.map(({ name }) => printable(name, 24));
  const label = labelWidth(table);
  const lines = [`  ${colours.bold(title)}  ${covered === wanted ? count : colours.red(count)}`];
  if (!isDrawn(table, width)) return lines;
  for (const part of partsOf(columns.levels, width - label - LEFT.length)) {
    const field = (text: string) => text.padEnd(part.field);
    for (const line of part.header) lines.push(colours.dim(`${LEFT}${' '.repeat(label)}${line}`.trimEnd()));
    for (const [n, row] of rows.levels.entries()) {
      const cells = (table.cells[n] ?? []).slice(part.from, part.from + part.count);
      const marks = cells.map(cell => markOf(cell, colours) + field('').slice(1)).join('');
      const name = (names[n] ?? '').padEnd(label);
      lines.push(`${LEFT}${row.wanted ? name : colours.dim(name)}${marks}`.trimEnd());
    }
  }
  return lines;
}

/** What the marks mean, as far as they are used; nothing when there is no mark. */
export function legendText(tables: readonly PairTable[], width: number): readonly string[] {
  const drawn = tables.filter(table => isDrawn(table, width));
  const used = new Set(drawn.flatMap(({ cells }) => cells.flat()).map(cell => markOf(cell)));
  const words: readonly (readonly [string, string])[] = [
    ['+', 'covered by every protocol that there is'],
    ['p', 'by POP3 only'],
    ['i', 'by IMAP only'],
    ['~', 'by chance, through a balancer'],
    ['.', 'never'],
    ['-', 'cannot be walked'],
  ];
  const meanings = words.flatMap(([mark, word]) => (used.has(mark) ? [`${mark} ${word}`] : []));
  return meanings.length === 0 ? [] : [`  ${meanings.join('   ')}`];
}

function isDrawn(table: PairTable, width: number): boolean {
  const { columns, wanted, covered } = table;
  return (
    covered < wanted ||
    partsOf(columns.levels, width - labelWidth(table) - LEFT.length).every(({ header }) => header.length === 1)
  );
}

function titleOf({ rows, columns }: PairTable): string {
  return `${WORDS[rows.role]} x ${WORDS[columns.role]}`;
}

function labelWidth(table: PairTable): number {
  return Math.max(...table.rows.levels.map(({ name }) => printable(name, 24).length), titleOf(table).length) + 2;
}

function markOf(cell: Cell, colours?: Colours): string {
  // What nobody wants is shown where it is walked.
  if (!cell.wanted && cell.walked.length === 0) return ' ';
  const paint = (mark: string) => {
    if (colours === undefined || !cell.wanted) return colours?.dim(mark) ?? mark;
    const colour: Readonly<Record<CellState, (text: string) => string>> = {
      covered: colours.green,
      half: colours.yellow,
      'by chance': colours.yellow,
      never: colours.red,
      'no way': colours.dim,
    };
    return colour[cell.state](mark);
  };
  switch (cell.state) {
    case 'covered':
      return paint('+');
    case 'half':
      return paint(cell.walked[0] === 'imap' ? 'i' : 'p');
    case 'by chance':
      return paint('~');
    case 'never':
      return paint('.');
    case 'no way':
      return paint('-');
    default:
      return cell.state satisfies never;
  }
}

interface Part {
  readonly from: number;
  readonly count: number;
  /** Characters of a column. */
  readonly field: number;
  readonly header: readonly string[];
}

/** The columns side by side where there is room, else upright, in as many parts as it takes. */
function partsOf(levels: readonly Level[], width: number): readonly Part[] {
  const names = levels.map(({ name }) => printable(name, 24));
  const longest = Math.max(1, ...names.map(name => name.length));
  if (names.length * (longest + 2) <= width) {
    const field = longest + 2;
    return [{ from: 0, count: names.length, field, header: [names.map(name => name.padEnd(field)).join('')] }];
  }
  const fits = Math.max(1, Math.floor(width / 2));
  return Array.from({ length: Math.ceil(names.length / fits) }, (_, n) => {
    const some = names.slice(n * fits, (n + 1) * fits);
    const tallest = Math.max(...some.map(name => name.length));
    const header = Array.from({ length: tallest }, (_row, line) =>
      some.map(name => `${name.padStart(tallest)[line] ?? ' '} `).join(''),
    );
    return { from: n * fits, count: some.length, field: 2, header };
  });
}
