// The report directory: every report that was made, as files to look at, for as long as [report] keep_days says.

import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NotWritten, reason } from '../record/append.ts';
import { replaceFile } from '../record/replace.ts';
import type { Report } from './data.ts';
import { type Dressed, standalone } from './dress.ts';

/** report/<id>/ of the state folder. */
export function reportFolder(state: string, id: string): string {
  return join(state, 'report', id);
}

/** Writes report.txt, report.html where there is one, report.json, and what goes along. @throws {NotWritten} */
export function keepReport(state: string, id: string, report: Report, { text, html, pictures, files }: Dressed): void {
  const folder = reportFolder(state, id);
  const write = (name: string, content: string) => replaceFile(join(folder, name), content, 0o640);
  write('report.json', `${JSON.stringify(report)}\n`);
  for (const file of files) write(file.name, file.text);
  if (html !== undefined) write('report.html', standalone(html, pictures));
  write('report.txt', text);
}

/** Removes reports that were made before. @throws {NotWritten} */
export function forgetReports(state: string, before: number): void {
  const folder = join(state, 'report');
  try {
    for (const name of readdirSync(folder)) {
      if (!/^\d{4}-[\dW_-]+$/.test(name)) continue;
      const made = statSync(join(folder, name), { throwIfNoEntry: false });
      if (made?.isDirectory() === true && made.mtimeMs < before) rmSync(join(folder, name), { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw new NotWritten(folder, reason(error));
  }
}
