// Formats of one's own: how they are described, what is refused, and programs as formats.

import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { checkFormat } from '../../lib/report/format-check.ts';
import { loadFormats } from '../../lib/report/formats.ts';
import { FORMATS_TABLE } from '../../lib/report/formats-table.ts';
import { HELPERS } from '../../lib/report/helpers.ts';
import { renderReport } from '../../lib/report/render.ts';
import { sampleReport } from '../../lib/report/sample.ts';
import { formatProblems } from '../../lib/site/problem.ts';
import { annotatedFile } from '../../lib/site/table/annotate.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const QUIET = sampleReport('quiet', '0.1.0');
let plugins: string;

beforeEach(() => {
  plugins = mkdtempSync(join(tmpdir(), 'healthmon-plugins-'));
});

function write(name: string, text: string): void {
  mkdirSync(dirname(join(plugins, name)), { recursive: true });
  writeFileSync(join(plugins, name), text, { mode: 0o644 });
}

const load = () => loadFormats({ shipped: join(ROOT, 'reports'), plugins });
const told = async () =>
  formatProblems((await load()).problems)
    .replaceAll(`${plugins}/`, '')
    .split('\n');

test('plugins/report_formats.cfg is what its table says, byte for byte', () => {
  expect(readFileSync(join(ROOT, 'plugins', 'report_formats.cfg'), 'utf8')).toBe(annotatedFile(FORMATS_TABLE));
});

test('a folder without plugins is no fault', async () => {
  expect([...(await load()).byName.keys()]).toContain('classic');
  expect((await load()).problems).toEqual([]);
});

test('a format of one’s own is added, and one of a name that ships takes its place', async () => {
  write('mine/report.txt.hbs', '{{whole.trips}} trips');
  write(
    'report_formats.cfg',
    '[format.mine]\nabout = "ours"\ntext = "mine/report.txt.hbs"\n[format.classic]\ntext = "mine/report.txt.hbs"\n',
  );
  const { byName, problems } = await load();
  expect(problems).toEqual([]);
  expect(byName.get('mine')).toMatchObject({ origin: 'plugin', about: 'ours', extension: 'txt', media: 'text/plain' });
  expect(byName.get('classic')).toMatchObject({ origin: 'plugin' });
  expect(byName.get('daily')).toMatchObject({ origin: 'shipped' });
});

test.for([
  ['[format.mine]\ntxet = "a.hbs"\n', "report_formats.cfg:2: error: unknown key 'txet' in [format.mine]: did you mean 'text'?"],
  ['[format.mine]\nabout = "x"\n', 'report_formats.cfg:1: error: [format.mine] gives nothing: expected text, html or command'],
  ['[format.mine]\ntext = "none.hbs"\n', 'report_formats.cfg:2: error: there is no file none.hbs'],
  [
    '[format.mine]\ntext = "/etc/passwd"\n',
    `report_formats.cfg:2: error: 'text' in [format.mine] must be the path of a file below the folder of this file: found "/etc/passwd"`,
  ],
  [
    '[format.mine]\ntext = "../x.hbs"\n',
    `report_formats.cfg:2: error: 'text' in [format.mine] must be the path of a file below the folder of this file: found "../x.hbs"`,
  ],
  [
    '[format.mine]\ncommand = []\n',
    "report_formats.cfg:2: error: 'command' in [format.mine] must be a list of a program and its arguments, run without a shell, at least 1: found 0",
  ],
  ['[format.mine]\ntext = "a.hbs"\ncommand = ["x"]\n', 'report_formats.cfg:3: error: [format.mine] has a program and templates'],
  ['[formats.mine]\n', 'report_formats.cfg:1: error: unknown section [formats]: did you mean [format.NAME]?'],
] as const)('%j is told', async ([text, message]) => {
  write('report_formats.cfg', text);
  write('a.hbs', 'x');
  expect(await told()).toContain(message);
});

test('a file that leads out of the folder by a link is not read', async () => {
  const outside = join(mkdtempSync(join(tmpdir(), 'healthmon-outside-')), 'secret');
  writeFileSync(outside, 'secret');
  symlinkSync(outside, join(plugins, 'a.hbs'));
  write('report_formats.cfg', '[format.mine]\ntext = "a.hbs"\n');
  expect((await told())[0]).toMatch(/a\.hbs leads out of /);
  expect((await load()).byName.has('mine')).toBe(false);
});

test('a file that anybody can change is not used', async () => {
  write('a.hbs', 'x');
  chmodSync(join(plugins, 'a.hbs'), 0o666);
  write('report_formats.cfg', '[format.mine]\ntext = "a.hbs"\n');
  expect((await told())[0]).toBe('a.hbs:1: error: anybody on this machine can change this file');
});

test('one broken format leaves the others', async () => {
  write('report_formats.cfg', '[format.mine]\ntext = "none.hbs"\n[format.other]\ncommand = ["cat"]\n');
  const { byName, problems } = await load();
  expect(problems).toHaveLength(1);
  expect([byName.has('mine'), byName.has('other'), byName.has('daily')]).toEqual([false, true, true]);
});

async function runProgram(argv: readonly string[], timeout = 5): Promise<string> {
  write('report_formats.cfg', `[format.mine]\ncommand = ${JSON.stringify(argv)}\ntimeout = ${timeout}\n`);
  const format = (await load()).byName.get('mine');
  if (format === undefined) throw new Error('no format');
  const rendered = await renderReport(format, QUIET, () => '').catch((error: Error) => ({ text: error.message }));
  return rendered.text ?? '';
}

test('a program gets the report as JSON, in its folder, with a clean environment', async () => {
  process.env.HEALTHMON_CANARY = 'secret';
  write(
    'mine/count.mjs',
    `
    let text = '';
    for await (const chunk of process.stdin) text += chunk;
    const report = JSON.parse(text);
    console.log(report.schema, report.rows.length, process.cwd() === ${JSON.stringify(plugins)}, Object.keys(process.env).filter(name => /HEALTHMON|npm_/.test(name)).length);
  `,
  );
  expect(await runProgram([process.execPath, 'mine/count.mjs'])).toBe('healthmon-report/1 288 true 0\n');
  delete process.env.HEALTHMON_CANARY;
});

test('a program that does not read its input is no fault', async () => {
  expect(await runProgram(['echo', 'done'])).toBe('done\n');
});

test.for([
  [['/no/such/program'], /its program \/no\/such\/program could not be started: ENOENT$/],
  [['sh', '-c', 'echo oops >&2; exit 3'], /its program sh ended with status 3; it said: oops$/],
  [['sh', '-c', 'kill -9 $$'], /was ended by SIGKILL$/],
  [['sh', '-c', 'yes | head -c 20000000'], /printed more than 16777216 bytes$/],
  [['sh', '-c', 'sleep 60 & sleep 60'], /was not done in 1 s$/],
] as const)('a program that goes wrong is told: %j', async ([argv, message]) => {
  expect(await runProgram(argv, 1)).toMatch(message);
});

test('the template that is copied to begin with renders, and is the one that the README shows', async () => {
  const template = join(ROOT, 'plugins', '_template', 'report');
  cpSync(template, join(plugins, 'mine'), { recursive: true });
  write(
    'report_formats.cfg',
    '[format.mine]\ntext = "mine/report.txt.hbs"\nhtml = "mine/report.html.hbs"\npartials = ["mine/path.hbs"]\n',
  );
  const format = (await load()).byName.get('mine');
  if (format === undefined) throw new Error('no format');
  expect(checkFormat(format)).toEqual([]);
  const { text = '', html = '' } = await renderReport(format, QUIET, () => 'cid:1');
  expect(text).toContain('288 trips');
  expect(html).toContain('<h1>');
});

/** The worked example of plugins/README.md, block by block: the files are written as it says, and it prints what it shows. */
test('the worked example of plugins/README.md works as it is written', async () => {
  const readme = readFileSync(join(ROOT, 'plugins', 'README.md'), 'utf8');
  const block = (name: string) => {
    const found = new RegExp(`<!-- ${name} -->\\s*\`\`\`[a-z]*\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
    if (found === undefined) throw new Error(`README.md has no block ${name}`);
    return found;
  };
  write('report_formats.cfg', block('report_formats.cfg'));
  write('oneline/report.txt.hbs', block('oneline/report.txt.hbs'));
  const { byName, problems } = await load();
  expect(problems).toEqual([]);
  const format = byName.get('oneline');
  if (format === undefined) throw new Error('no format');
  const { text } = await renderReport(format, sampleReport('bad', '0.1.0'), () => '');
  expect(text).toBe(block('what it prints'));
});

test('plugins/README.md lists every helper, with its own words', () => {
  const readme = readFileSync(join(ROOT, 'plugins', 'README.md'), 'utf8');
  const table = /^\| helper \| takes \| gives \|\n\|[-|]+\|\n((?:\|.*\n)+)/m.exec(readme)?.[1] ?? '';
  const listed = [...table.matchAll(/^\| `([A-Za-z]+)` \| ([^|]*) \| (.*) \|$/gm)].map(([, ...row]) => row);
  expect(listed).toEqual(
    Object.entries(HELPERS).map(([name, { takes, optional, about, isHtmlOnly }]) => [
      name,
      takes.map((each, n) => (n < takes.length - optional ? each : `[${each}]`)).join(', '),
      `${about}${isHtmlOnly === true ? ' HTML only.' : ''}`,
    ]),
  );
});
