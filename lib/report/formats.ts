// The formats that there are: those that ship in reports/, and those of the site's own in plugins/, which may bear the same names and then
// take their place. Both are described by a report_formats.cfg of the same form.

import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { inOrder, type Problem, type Reporter, reporterFor } from '../site/problem.ts';
import { decodeUtf8, readConfigFile } from '../site/read-text.ts';
import { readTable } from '../site/table/read.ts';
import { readToml } from '../site/table/toml.ts';
import { FORMATS_TABLE, type FormatEntry } from './formats-table.ts';
import type { Source } from './template-check.ts';

export interface Format {
  readonly name: string;
  readonly about: string;
  /** Where it is described: `reports` for those that ship. */
  readonly origin: 'shipped' | 'plugin';
  /** The folder of its report_formats.cfg: its files are in there, and its program runs in there. */
  readonly folder: string;
  readonly text?: Source;
  readonly html?: Source;
  readonly partials: ReadonlyMap<string, Source>;
  /** A program that gets the report as JSON and prints it in this format. */
  readonly command?: { readonly argv: readonly string[]; readonly timeoutMs: number };
  /** What it gives when it is not for reading in a letter: a file's ending and media type. */
  readonly extension: string;
  readonly media: string;
}

export interface Formats {
  readonly byName: ReadonlyMap<string, Format>;
  /** What is wrong with a description or with a file that it names; the format is then not there. */
  readonly problems: readonly Problem[];
}

/** The two folders that hold formats. */
export interface FormatFolders {
  /** Absent: only the site's own are read. */
  readonly shipped?: string;
  /** May be missing. */
  readonly plugins: string;
}

export async function loadFormats({ shipped, plugins }: FormatFolders): Promise<Formats> {
  const byName = new Map<string, Format>();
  const problems: Problem[] = [];
  for (const [folder, origin] of [
    [shipped, 'shipped'],
    [plugins, 'plugin'],
  ] as const) {
    if (folder === undefined) continue;
    if (origin === 'plugin' && statSync(join(folder, FILE), { throwIfNoEntry: false }) === undefined) continue;
    for (const format of readFolder(folder, origin, problems)) byName.set(format.name, format);
  }
  return { byName, problems: inOrder(problems) };
}

const FILE = 'report_formats.cfg';

function readFolder(folder: string, origin: Format['origin'], problems: Problem[]): Format[] {
  const report = reporterFor(join(folder, FILE), problems);
  const file = readConfigFile(join(folder, FILE), report, 'healthmon config describe report_formats.cfg prints one');
  const text = file === undefined ? undefined : decodeUtf8(file.bytes, report);
  if (text === undefined) return [];
  const toml = readToml(text);
  if ('fault' in toml) {
    report.error(toml.fault.place, toml.fault.text, toml.fault.remedy);
    return [];
  }
  const contents = readTable(FORMATS_TABLE, toml.root, report);
  const formats = contents.format.map(entry => formatOf(entry, { folder, origin, report, problems }));
  return formats.filter(format => format !== undefined);
}

interface Place {
  readonly folder: string;
  readonly origin: Format['origin'];
  readonly report: Reporter;
  readonly problems: Problem[];
}

function formatOf(entry: FormatEntry, at: Place): Format | undefined {
  const { values } = entry;
  if (values === undefined) return undefined;
  const where = (key: string) => entry.written.get(key) ?? entry.place;
  const source = (path: string, key: string) => readSource(path, at, text => at.report.error(where(key), text));
  const text = values.text === undefined ? undefined : source(values.text, 'text');
  const html = values.html === undefined ? undefined : source(values.html, 'html');
  const partials = new Map<string, Source>();
  for (const path of values.partials) {
    const partial = source(path, 'partials');
    if (partial === undefined) return undefined;
    partials.set(basename(path).replace(/\..*$/, ''), partial);
  }
  if ((values.text !== undefined && text === undefined) || (values.html !== undefined && html === undefined)) return undefined;
  const isPage = text === undefined && html !== undefined;
  return {
    name: entry.name,
    about: values.about,
    origin: at.origin,
    folder: at.folder,
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    partials,
    ...(values.command === undefined ? {} : { command: { argv: values.command, timeoutMs: values.timeout * 1000 } }),
    extension: values.extension ?? (isPage ? 'html' : 'txt'),
    media: values.media ?? (isPage ? 'text/html' : 'text/plain'),
  };
}

/** A file of a format: inside its folder, whatever links say, and not for everybody to change. */
function readSource(path: string, { folder, problems }: Place, tell: (text: string) => void): Source | undefined {
  const file = resolve(folder, path);
  const place = realOf(file);
  const root = realOf(folder);
  if (place === undefined || root === undefined) {
    tell(`there is no file ${file}`);
    return undefined;
  }
  if (relative(root, place).startsWith('..')) {
    tell(`${path} leads out of ${folder}: a format's files lie beside its description or in folders below it`);
    return undefined;
  }
  const report = reporterFor(file, problems);
  const bytes = readConfigFile(file, report, '');
  if (bytes?.isOpenToAll === true || isOpen(dirname(place))) {
    report.error(
      { line: 1, column: 1 },
      'anybody on this machine can change this file',
      `chmod o-w '${file}' '${dirname(file)}'`,
    );
    return undefined;
  }
  const text = bytes === undefined ? undefined : decodeUtf8(bytes.bytes, report);
  return text === undefined ? undefined : { file, text };
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function isOpen(folder: string): boolean {
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & 0o002) !== 0 && (mode & 0o1000) === 0;
}
