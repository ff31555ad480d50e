// Channels of the operator's own: the template as it is copied, and files that are wrong in every way.

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAlarms } from '../../lib/alarm/config/load.ts';
import type { Telling } from '../../lib/alarm/words/wording.ts';
import { type Problem, reporterFor } from '../../lib/site/problem.ts';
import { folderWith } from '../site/folder.ts';
import { bring } from './ready.ts';
import { startReceiver } from './receiver.ts';
import { TELLINGS } from './tellings.ts';

const PLUGINS = join(import.meta.dirname, '..', '..', 'plugins');
const TEMPLATE = join(PLUGINS, '_template', 'alarm_channel');
const NOTIFY = '[notify.n]\nchannels = ["x"]\n';

/** @param source of plugins/alarm_channels/example/channel.mjs; the template when absent */
async function withPlugin(section: string, source?: string, files: Readonly<Record<string, string>> = {}) {
  const dir = await folderWith(files);
  const folder = join(dir, 'alarm_channels', 'example');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  cpSync(join(TEMPLATE, 'channel.mjs'), join(folder, 'channel.mjs'));
  if (source !== undefined) writeFileSync(join(folder, 'channel.mjs'), source);
  const file = join(folder, 'channel.mjs');
  chmodSync(file, 0o644);
  const load = async () => {
    const problems: Problem[] = [];
    const options = { plugins: join(dir, 'alarm_channels'), state: dir, env: { TOKEN: 'canary-secret' } };
    const { alarms } = await readAlarms(section, dir, options, { report: reporterFor('alarms.cfg', problems), problems });
    return { channel: alarms?.channels.get('x'), told: problems.map(({ text }) => text.replaceAll(`${dir}/`, '')) };
  };
  return { load, file, folder };
}

test('the template, copied, is a channel: checked, brought, judged, and its secret told to nobody', async () => {
  const receiver = await startReceiver();
  const { load } = await withPlugin(`[example.x]\nurl = "${receiver.url}/in"\ntoken_env = "TOKEN"\n${NOTIFY}`);
  const { channel, told } = await load();
  expect(told).toEqual([]);
  expect(await channel?.leads()).toEqual([{ host: '127.0.0.1' }]);
  if (channel === undefined) throw new Error('no channel');
  expect(await bring(channel, TELLINGS.raised as Telling)).toEqual({ result: 'delivered', text: 'answered 200' });
  const [got] = receiver.got;
  expect(got?.headers.authorization).toBe('Bearer canary-secret');
  expect(JSON.parse(got?.body ?? '')).toMatchObject({
    room: 'ops',
    text: 'raised: mmp/smux02 pop3 connect: connection refused',
  });
  receiver.answer = { status: 503, headers: { 'Retry-After': '7' } };
  expect(await bring(channel, TELLINGS.raised as Telling)).toMatchObject({ result: 'failed', again: 'soon', afterMs: 7000 });
});

test('the test that is copied along passes', () => {
  execFileSync(process.execPath, ['--test', join(TEMPLATE, 'channel.test.mjs')], { stdio: 'pipe' });
});

test('a key that the channel does not know is an error like any other', async () => {
  const { load } = await withPlugin(`[example.x]\nurl = "https://example.net/"\nrom = "ops"\n${NOTIFY}`);
  expect((await load()).told).toEqual(["unknown key 'rom' in [example.x]: did you mean 'room'?"]);
});

const SECTION = `[example.x]\nurl = "https://127.0.0.1:9/"\n${NOTIFY}`;
const SHAPE = "kind: 'example', help: 'h', docs: 'd', takes: 'all', keys: {}, sample: {}, leadsTo: () => [], ";

test.for([
  ['no channel', 'export default 7;', /exports no channel of kind example by default/],
  [
    'one of another kind',
    `export default { ${SHAPE.replace("'example'", "'other'")} bring: async () => {} };`,
    /of kind example/,
  ],
  ['nonsense', 'export default {', /cannot be loaded: /],
  ['an error while it is loaded', "throw new Error('no licence');", /cannot be loaded: no licence/],
] as const)('a file that has %s is refused', async ([, source, words]) => {
  const { load } = await withPlugin(SECTION, source);
  expect((await load()).told[0]).toMatch(words);
});

test('a file or a folder that others could change is not run', async () => {
  const { load, file, folder } = await withPlugin(SECTION);
  chmodSync(file, 0o666);
  expect((await load()).told[0]).toContain('can be changed by others than us and root: chmod go-w');
  chmodSync(file, 0o644);
  chmodSync(folder, 0o777);
  expect((await load()).told[0]).toContain('can be changed by others than us and root: chmod go-w');
});

test.for([
  ['throws', "throw new Error('canary-secret was wrong')", { result: 'failed', again: 'never' }, /code failed: \*\*\* was wrong/],
  ['says nothing', 'return undefined', { result: 'failed', again: 'never' }, /code failed/],
  ['never comes back', 'return new Promise(() => {})', { result: 'unsure' }, /did not come back within 2 s/],
] as const)('one that %s is an outcome, and its secrets are masked', async ([, body, wanted, words]) => {
  const source = `export default { ${SHAPE.replace('keys: {}', "keys: { token: { is: 'secret', help: 'h', sample: 's' } }")} async bring() { ${body}; } };`;
  const { load } = await withPlugin(`[example.x]\ntoken_env = "TOKEN"\ntimeout = 1\n${NOTIFY}`, source);
  const { channel } = await load();
  if (channel === undefined) throw new Error('no channel');
  const outcome = await bring(channel, TELLINGS.raised as Telling);
  expect(outcome).toMatchObject(wanted);
  expect(outcome.text).toMatch(words);
});

test('plugins/README.md names every field of a channel and every kind of key', () => {
  const page = readFileSync(join(PLUGINS, 'README.md'), 'utf8');
  for (const word of ['kind', 'help', 'docs', 'takes', 'isHeavy', 'keys', 'exactlyOne', 'sample', 'leadsTo', 'bring'])
    expect(page).toContain(`\`${word}`);
  for (const key of ['text', 'secret', 'url', 'number', 'flag', 'choice', 'list']) expect(page).toContain(`\`${key}\``);
});
