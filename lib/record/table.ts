// Tables with a ruler, as the seed draws them: one file a day, its header once, a row per line; `NAME` without a date is a link
// to the newest day's file.
//
// A table knows nothing of what its cells mean: systest.ts and qmonitor.ts give header and rows.

import { linkSync, lstatSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendLine, NotWritten, reason } from './append.ts';
import { makeFolder } from './folder.ts';
import { removeQuietly } from './replace.ts';

export interface Table {
  /** `systest.log`. */
  readonly name: string;
  /** The header of a day, with its line ends. */
  readonly header: (day: string) => string;
}

/** The file of one day. */
export function tableFile(state: string, table: Table, day: string): string {
  return join(state, `${table.name}.${day}`);
}

/**
 * Appends a row to its day's file, making that with its header first. Safe against other writers: the file appears with its
 * header or not at all.
 *
 * @param day local day that the row belongs to; a row that ends after midnight belongs to the day on which it began
 * @throws {NotWritten}
 */
export function appendRow(state: string, table: Table, day: string, row: string): void {
  const file = tableFile(state, table, day);
  makeWithHeader(state, table, day, file);
  appendLine(file, row);
  pointToNewest(state, table, day);
}

function makeWithHeader(state: string, table: Table, day: string, file: string): void {
  const beside = `${file}.${process.pid}.new`;
  try {
    if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) return;
    makeFolder(state);
    writeFileSync(beside, table.header(day), { mode: 0o640, flush: true });
    linkSync(beside, file);
  } catch (error) {
    // Another writer was quicker: its header stands.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw new NotWritten(file, reason(error));
  } finally {
    removeQuietly(beside);
  }
}

/** `systest.log` leads to the newest day, so that `tail -F` and old habits work; a late row of an old day does not move it back. */
function pointToNewest(state: string, table: Table, day: string): void {
  const link = join(state, table.name);
  const target = `${table.name}.${day}`;
  const beside = `${link}.${process.pid}.new`;
  try {
    const now = lstatSync(link, { throwIfNoEntry: false });
    if (now !== undefined && !now.isSymbolicLink()) return; // somebody's own file: left alone
    if (now !== undefined && readlinkSync(link) >= target) return;
    rmSync(beside, { force: true });
    symlinkSync(target, beside);
    renameSync(beside, link);
  } catch (error) {
    removeQuietly(beside);
    throw new NotWritten(link, reason(error));
  }
}

/** Text for a cell of so many columns: padded, or cut with `~` as its last character; never wider, so that the ruler holds. */
export function cell(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?').replace(/\|/g, '!');
  const cut = plain.length > columns ? `${plain.slice(0, columns - 1)}~` : plain;
  return align === 'left' ? cut.padEnd(columns) : cut.padStart(columns);
}
