// What a command compiles before it can do anything. Start-up is what cron and Nagios pay at every call; a library that slips in there
// costs more than everything else together (npm run bench -- start has the times).

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const COMMANDS = join(ROOT, 'lib', 'cli', 'commands');
const KB = 1024;
let inputs: Metafile['inputs'];

beforeAll(async () => {
  const made = await build({
    entryPoints: readdirSync(COMMANDS).map(file => join(COMMANDS, file)),
    outdir: '/',
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    external: ['twilio'],
    absWorkingDir: ROOT,
    logLevel: 'error',
  });
  inputs = made.metafile.inputs;
});

/** Source files that come with a file before its first line runs. */
function loadedWith(...files: string[]): Set<string> {
  const seen = new Set<string>();
  const open = [...files];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const { path, kind, external } of inputs[file]?.imports ?? [])
      if (external !== true && kind !== 'dynamic-import') open.push(path);
  }
  return seen;
}

function packagesOf(files: ReadonlySet<string>): string[] {
  const names = [...files].map(file => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]).filter(name => name !== undefined);
  return [...new Set(names)].sort();
}

function bytesOf(files: ReadonlySet<string>): number {
  return [...files].reduce((sum, file) => sum + (inputs[file]?.bytes ?? 0), 0);
}

test('runmonitor and check_rndtrip begin a trip with nothing of others but the reader of options and the reader of the config', () => {
  const reader = ['lib/site/load.ts', 'lib/site/problem.ts'];
  for (const command of ['runmonitor', 'check_rndtrip']) {
    const files = loadedWith(`lib/cli/commands/${command}.ts`, ...reader);
    expect(packagesOf(files), command).toEqual([
      'commander',
      'eslint-visitor-keys',
      'picocolors',
      'toml-eslint-parser',
      'valibot',
    ]);
  }
});

test('healthmon shows its help without the work of any sub-command', () => {
  const files = loadedWith('lib/cli/commands/healthmon.ts');
  expect(packagesOf(files)).toEqual(['commander', 'picocolors']);
  expect(bytesOf(files)).toBeLessThan(250 * KB);
});

test('config check compiles the language of templates and the alarms only where the site has some', () => {
  const files = loadedWith('lib/cli/commands/healthmon.ts', 'lib/cli/config/config.ts', 'lib/cli/report/check.ts');
  expect(packagesOf(files)).not.toContain('handlebars');
  expect([...files].filter(file => file.startsWith('lib/alarm/'))).toEqual([]);
});
