// `healthmon report` and `healthmon config check` as their users meet them: formats of one's own, and what is wrong with them.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { schemaText } from '../../lib/report/json-schema.ts';
import { type Ended, startCommand } from '../cli/run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
let place: string;
let plugins: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'healthmon-formats-'));
  plugins = join(place, 'plugins');
  mkdirSync(join(place, 'etc'));
  for (const name of ['site.cfg', 'sequence.cfg']) writeFileSync(join(place, 'etc', name), readFileSync(join(ROOT, 'etc', name)));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

function run(...args: string[]): Promise<Ended> {
  return startCommand('healthmon', args, {
    TZ: 'Europe/Berlin',
    HEALTHMON_CONFIG: join(place, 'etc'),
    HEALTHMON_STATE: join(place, 'var'),
    HEALTHMON_PLUGINS: plugins,
  }).ended;
}

test('report new makes a format that works at once, shows it, and is listed', async () => {
  const made = await run('report', 'new', 'mine');
  expect([made.status, made.out.split('\n')[0]]).toEqual([0, 'Example Mail, Saturday 21 November 2026']);
  expect(made.err).toContain(`Made ${plugins}/mine, and [format.mine] in ${plugins}/report_formats.cfg`);
  expect(readdirSync(join(plugins, 'mine')).sort()).toEqual(['path.hbs', 'report.html.hbs', 'report.txt.hbs']);
  // Whoever makes the report need not be the one who writes formats.
  expect([plugins, join(plugins, 'mine')].map(folder => statSync(folder).mode & 0o055)).toEqual([0o055, 0o055]);
  const listed = await run('report', 'formats');
  expect([listed.status, listed.err]).toEqual([0, '']);
  expect(listed.out.split('\n')).toContain('mine         text, HTML  yours   our own');
  const json = JSON.parse((await run('report', 'formats', '--json')).out);
  expect(json).toMatchObject({ errors: 0, formats: expect.arrayContaining([expect.objectContaining({ name: 'mine' })]) });
});

test('report new adds to what is there, and never writes over it', async () => {
  mkdirSync(plugins);
  const config = join(plugins, 'report_formats.cfg');
  writeFileSync(config, '# ours\n[format.other]\ncommand = ["cat"]\n');
  chmodSync(config, 0o640);
  expect((await run('report', 'new', 'mine')).status).toBe(0);
  const text = readFileSync(config, 'utf8');
  expect(text).toMatch(/^# ours\n\[format\.other\]\ncommand = \["cat"\]\n\n\[format\.mine\]\n/);
  expect(statSync(config).mode & 0o777).toBe(0o640);
  for (const name of ['mine', 'other']) {
    const again = await run('report', 'new', name);
    expect([again.status, again.out]).toEqual([3, '']);
  }
  expect(readFileSync(config, 'utf8')).toBe(text);
});

test('report preview shows each sample, and writes a page that stands by itself', async () => {
  const page = join(place, 'page.html');
  const [empty, written, json] = await Promise.all([
    run('report', 'preview', 'classic', '--sample', 'empty'),
    run('report', 'preview', 'daily', '--out', page),
    run('report', 'preview', 'json', '--sample', 'quiet'),
  ]);
  expect(empty.out).toContain('Nothing was tested.');
  expect([written.status, written.out, written.err.trim()]).toEqual([0, '', `daily on a bad day written to ${page}`]);
  expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>[\s\S]*data:image\/png;base64/);
  expect(JSON.parse(json.out)).toMatchObject({ whole: { trips: 288, failed: 0 } });
});

test('a broken template is told with file, line and the nearest field, by each command that meets it', async () => {
  await run('report', 'new', 'mine');
  const file = join(plugins, 'mine', 'report.txt.hbs');
  writeFileSync(file, readFileSync(file, 'utf8').replace('{{site.name}}', '{{site.nmae}}'));
  const message = `${file}:2: error: column 3: there is no field 'nmae' in 'site': did you mean 'name'?`;
  const [preview, formats, check] = await Promise.all([
    run('report', 'preview', 'mine'),
    run('report', 'formats'),
    run('config', 'check', '--no-secrets'),
  ]);
  expect([preview.status, preview.out]).toEqual([1, '']);
  expect(preview.err).toContain(message);
  expect([formats.status, check.status]).toEqual([1, 3]);
  expect(formats.err).toContain(message);
  expect(check.out).toContain(message);
});

test('report schema prints what templates are written against; report send without letters says so', async () => {
  const [schema, sent] = await Promise.all([run('report', 'schema'), run('report', 'send')]);
  expect(schema.out).toBe(schemaText());
  expect([sent.status, sent.out.trim()]).toEqual([0, 'No letter waits for delivery']);
});

test('wrong usage is told, each with what was expected', async () => {
  const wrong = [
    [['report'], "missing required argument 'what'"],
    [['report', 'frmats'], `expected formats, new, preview, schema, send, not "frmats": did you mean 'formats'?`],
    [['report', 'new'], 'expected healthmon report new NAME'],
    [['report', 'new', '../x'], 'expected a name of letters, digits, "-" and "_", not "../x"'],
    [['report', 'preview', 'dialy'], "Cannot show the format dialy: there is none of this name: did you mean 'daily'?"],
    [['report', 'preview', 'daily', '--sample', 'sunny'], 'expected --sample quiet, bad, empty, not "sunny"'],
  ] as const;
  const ended = await Promise.all(wrong.map(([args]) => run(...args)));
  expect(ended.map(({ status, out }) => [status, out])).toEqual(wrong.map(() => [3, '']));
  for (const [index, [, message]] of wrong.entries()) expect(ended[index]?.err).toContain(message);
  expect(existsSync(plugins)).toBe(false);
});

test('config check tells what [report] names and there is not, each with its line, and minds no secrets of site.cfg', async () => {
  writeFileSync(
    join(place, 'etc', 'alarms.cfg'),
    `[log.file]
[notify.oncall]
channels = ["file"]
[report]
to = ["a@x.test"]
format = "dialy"
attach = ["csv", "xslx"]
relay = "mta/ssmtp01"
fallback = "flie"
`,
  );
  const { status, out } = await run('config', 'check');
  const told = out.split('\n').filter(line => line.includes('alarms.cfg:') && line.includes(': error: '));
  const file = join(place, 'etc', 'alarms.cfg');
  expect(told).toEqual([
    `${file}:6: error: [report] names the format 'dialy', which there is not: did you mean 'daily'?`,
    `${file}:7: error: [report] names the format 'xslx', which there is not`,
    `${file}:9: error: [report] names the channel 'flie', which this file does not have: did you mean 'file'?`,
  ]);
  expect(status).toBe(3);
});

test('config check tells what is wrong with the keys of [report]', async () => {
  writeFileSync(
    join(place, 'etc', 'alarms.cfg'),
    '[log.file]\n[notify.oncall]\nchannels = ["file"]\n[report]\nto = ["a@x.test"]\nrelay = "mta/ssmtp1"\nat = "24:04"\nkeep_days = 0\n',
  );
  const { out } = await run('config', 'check', '--no-secrets');
  expect(out).toContain(`alarms.cfg:7: error: 'at' in [report] must be a time of day such as "00:04": found "24:04"`);
  expect(out).toContain("alarms.cfg:8: error: 'keep_days' in [report] must be a whole number from 1 to 3660 (days): found 0");
  writeFileSync(join(place, 'etc', 'alarms.cfg'), '[report]\nto = ["a@x.test"]\nrelay = "mta/ssmtp1"\n');
  expect((await run('config', 'check', '--no-secrets')).out).toContain(
    "alarms.cfg:3: error: 'relay' in [report] names mta/ssmtp1, which is no MTA of site.cfg nor a balancer with an smtp door: did you mean 'mta/ssmtp01'?",
  );
});
