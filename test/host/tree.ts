// A host made of files: a folder that stands for `/`, and a look at it.

import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import type { Look } from '../../lib/host/check.ts';
import { defaultConfig, type HostConfig } from '../../lib/host/config.ts';
import { defaultLimits } from '../../lib/host/default-limits.ts';
import type { Run } from '../../lib/host/program.ts';

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Files by path; a text is written as it is, `null` makes a folder. */
export function makeTree(files: Readonly<Record<string, string | Buffer | null>>): string {
  const root = mkdtempSync(join(tmpdir(), 'healthmon-host-'));
  made.push(root);
  addTo(root, files);
  return root;
}

/** When the host is looked at. Its files are a second older, on whatever day the test runs. */
export const AT = Date.UTC(2026, 10, 22, 10, 5, 0);

export function addTo(root: string, files: Readonly<Record<string, string | Buffer | null>>): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(content === null ? file : dirname(file), { recursive: true });
    if (content === null) continue;
    writeFileSync(file, content);
    utimesSync(file, AT / 1000 - 1, AT / 1000 - 1);
  }
}

/** No program is installed there. */
export const nothingInstalled: Run = async ([program = '']) => ({ ended: 'absent', why: `${program} is not installed` });

/** Programs that print what is given for them; the name is the first word, the key may be more of the command line. */
export function programs(outputs: Readonly<Record<string, string>>, status = 0): Run {
  return async command => {
    const line = command.join(' ');
    const key = Object.keys(outputs).find(each => line.startsWith(each));
    if (key === undefined) return { ended: 'absent', why: `${command[0]} is not installed` };
    return { ended: 'done', status, stdout: outputs[key] ?? '', stderr: '' };
  };
}

export function lookAt(
  root: string,
  more: Partial<Omit<Look, 'root' | 'config'>> & { readonly config?: Partial<HostConfig> } = {},
): Look {
  const { config, ...rest } = more;
  return {
    at: AT,
    root,
    config: { ...defaultConfig(defaultLimits()), ...config },
    deadOn: () => undefined,
    dead: [],
    run: nothingInstalled,
    sleep: async () => {},
    before: undefined,
    ...rest,
  };
}
