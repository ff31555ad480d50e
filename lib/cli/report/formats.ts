// `healthmon report`: which formats there are, a new one, how one looks, letters that wait.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeLock } from '../../record/lock.ts';
import { replaceFile } from '../../record/replace.ts';
import { loadReportConfig } from '../../report/config.ts';
import { deliver } from '../../report/deliver.ts';
import { type Dressed, dress, standalone } from '../../report/dress.ts';
import { checkFormat } from '../../report/format-check.ts';
import type { Format, Formats } from '../../report/formats.ts';
import { FORMATS_TABLE } from '../../report/formats-table.ts';
import { schemaText } from '../../report/json-schema.ts';
import { isUndelivered, Outbox } from '../../report/outbox.ts';
import { sendOver } from '../../report/relay.ts';
import { SAMPLES, sampleReport } from '../../report/sample.ts';
import { loadSite } from '../../site/load.ts';
import { formatProblems, type Problem, summariseProblems } from '../../site/problem.ts';
import { annotatedFile } from '../../site/table/annotate.ts';
import { didYouMean } from '../../site/table/nearest.ts';
import { placesOf, projectRoot, Stop, stopSignal } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { version } from '../version.ts';
import { pluginsFolder, reportFormats } from './folders.ts';

interface Options {
  readonly config?: string;
  readonly state?: string;
  readonly sample: string;
  readonly open?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

const WORDS = ['formats', 'new', 'preview', 'schema', 'send'];

export async function runReportFormats(
  options: Options,
  [what = '', name]: readonly string[],
  terminal: Terminal,
): Promise<number> {
  switch (what) {
    case 'formats':
      return listFormats(options, terminal);
    case 'new':
      return newFormat(nameOf(name, what), options, terminal);
    case 'preview':
      return preview(nameOf(name, what), options, terminal);
    case 'schema':
      terminal.out(schemaText().trimEnd());
      return 0;
    case 'send':
      return send(options, terminal);
    default:
      throw new Stop(`expected ${WORDS.join(', ')}, not "${what}"${didYouMean(what, WORDS)}`);
  }
}

function nameOf(name: string | undefined, what: string): string {
  if (name === undefined) throw new Stop(`expected healthmon report ${what} NAME`);
  return name;
}

async function listFormats({ json }: Options, terminal: Terminal): Promise<number> {
  const formats = await reportFormats();
  const all = [...formats.byName.values()];
  const problems: Problem[] = [...formats.problems, ...all.flatMap(format => checkFormat(format))];
  if (json === true) {
    const list = all.map(({ name, about, origin, media, extension, text, html, command }) => ({
      name,
      about,
      origin,
      gives:
        command !== undefined ? ['program'] : [...(text === undefined ? [] : ['text']), ...(html === undefined ? [] : ['html'])],
      media,
      extension,
    }));
    terminal.out(JSON.stringify({ formats: list, ...summariseProblems(problems) }));
  } else {
    const width = Math.max(...all.map(({ name }) => name.length));
    for (const format of all)
      terminal.out(
        `${format.name.padEnd(width)}  ${givesText(format).padEnd(10)}  ${format.origin === 'plugin' ? 'yours ' : 'ships '}  ${format.about}`,
      );
    if (problems.length > 0) terminal.say(formatProblems(problems));
  }
  return problems.some(({ severity }) => severity === 'error') ? 1 : 0;
}

function givesText({ text, html, command }: Format): string {
  if (command !== undefined) return 'program';
  return text === undefined ? 'HTML' : html === undefined ? 'text' : 'text, HTML';
}

/** Names that are files' and sections' at once: nothing that has to be quoted anywhere. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,40}$/;

async function newFormat(name: string, options: Options, terminal: Terminal): Promise<number> {
  if (!NAME.test(name)) throw new Stop(`expected a name of letters, digits, "-" and "_", not "${name}"`);
  const plugins = pluginsFolder();
  const folder = join(plugins, name);
  const config = join(plugins, 'report_formats.cfg');
  const known = existsSync(config) ? readFileSync(config, 'utf8') : annotatedFile(FORMATS_TABLE);
  if (existsSync(folder)) throw new Stop(`Cannot make ${folder}: it is there already`);
  if (new RegExp(`^\\s*\\[format\\.${name}\\]`, 'm').test(known))
    throw new Stop(`Cannot make the format ${name}: ${config} has it already`);
  const template = join(projectRoot(), 'plugins', '_template', 'report');
  // To be read by whoever makes the report: that need not be the one who writes formats.
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const file of readdirSync(template)) replaceFile(join(folder, file), readFileSync(join(template, file), 'utf8'), 0o644);
  const entry = `
[format.${name}]
about = "our own"
text = "${name}/report.txt.hbs"
html = "${name}/report.html.hbs"
partials = ["${name}/path.hbs"]
`;
  replaceFile(config, `${known.trimEnd()}\n${entry}`, modeOf(config));
  terminal.say(`Made ${folder}, and [format.${name}] in ${config}; this is how it looks:\n`);
  return preview(name, options, terminal);
}

function modeOf(file: string): number {
  return (statSync(file, { throwIfNoEntry: false })?.mode ?? 0o644) & 0o777;
}

async function preview(name: string, { sample, open, out }: Options, terminal: Terminal): Promise<number> {
  const known = SAMPLES.find(each => each === sample);
  if (known === undefined) throw new Stop(`expected --sample ${SAMPLES.join(', ')}, not "${sample}"`);
  const formats = await reportFormats();
  if (!formats.byName.has(name)) throw new Stop(unknownFormat(name, formats));
  const dressed = await dress(sampleReport(known, version()), name, [], formats);
  if (dressed.problems.length > 0) {
    for (const problem of dressed.problems) terminal.say(problem);
    return 1;
  }
  const file =
    out ??
    (open === true
      ? join(mkdtempSync(join(tmpdir(), 'healthmon-preview-')), `${name}.${dressed.html === undefined ? 'txt' : 'html'}`)
      : undefined);
  if (file === undefined) {
    terminal.out(contentOf(dressed, !dressed.isOwnText).trimEnd());
    if (dressed.html !== undefined && dressed.isOwnText)
      terminal.say(`\nIts HTML: healthmon report preview ${name} --out ${name}.html`);
    return 0;
  }
  replaceFile(file, contentOf(dressed, open === true || /\.html?$/.test(file)), 0o644);
  terminal.say(`${name} on ${known === 'empty' ? 'an' : 'a'} ${known} day written to ${file}`);
  if (open === true) await openInBrowser(file, terminal);
  return 0;
}

function contentOf({ text, html, files, pictures }: Dressed, asPage: boolean): string {
  return files[0]?.text ?? (asPage && html !== undefined ? standalone(html, pictures) : text);
}

function unknownFormat(name: string, { byName, problems }: Formats): string {
  const about = problems.filter(({ text }) => text.includes(name));
  const why = about.length === 0 ? `there is none of this name${didYouMean(name, byName.keys())}` : `\n${formatProblems(about)}`;
  return `Cannot show the format ${name}: ${why}`;
}

/** By the desktop's own word for it; where there is none, the file is all there is. */
function openInBrowser(file: string, terminal: Terminal): Promise<void> {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  return new Promise(resolve => {
    const child = spawn(program, [file], { stdio: 'ignore', detached: true });
    child.on('error', () => {
      terminal.say(`Cannot open it: there is no ${program}`);
      resolve();
    });
    child.on('spawn', () => {
      child.unref();
      resolve();
    });
  });
}

async function send(options: Options, terminal: Terminal): Promise<number> {
  const places = placesOf(options);
  const outbox = new Outbox(places.state);
  const waiting = outbox.waiting();
  if (waiting.length === 0) {
    terminal.out('No letter waits for delivery');
    return 0;
  }
  const { site } = await loadSite(places.config, { secrets: false });
  const { config, problems } = await loadReportConfig(places.config, site);
  if (config?.relay === undefined)
    throw new Stop(`${formatProblems(problems)}\nCannot send: [report] in alarms.cfg names no relay that can be used`.trim());
  const lock = await takeLock(places.state, 'report', 'healthmon report send');
  if (!lock.held) throw new Stop('A report is being made or sent at this moment');
  try {
    const tried = await deliver({ outbox, send: sendOver(config.relay, stopSignal(terminal)), at: Date.now(), onlyDue: false });
    for (const { title, people } of tried)
      for (const { address, state, text } of people)
        terminal.out(`${title}: ${address}: ${state}${text === '' ? '' : ` (${text})`}`);
    return tried.some(isUndelivered) ? 1 : 0;
  } finally {
    lock.release();
  }
}
