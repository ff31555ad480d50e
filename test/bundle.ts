// Test programs in TypeScript, made ready to be started as processes of their own.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from '../lib/cli/context.ts';

const made = new Map<string, Promise<string>>();

/** @param entry path of the program, from the project's root @returns a file that node can run */
export function bundled(entry: string): Promise<string> {
  const known = made.get(entry);
  if (known !== undefined) return known;
  const fresh = bundle(entry);
  made.set(entry, fresh);
  return fresh;
}

async function bundle(entry: string): Promise<string> {
  const root = projectRoot();
  const outfile = join(mkdtempSync(join(tmpdir(), 'healthmon-bundle-')), 'program.mjs');
  const banner =
    "import{createRequire as __cr}from'node:module';import{fileURLToPath as __fp}from'node:url';import{dirname as __dn}from'node:path';const require=__cr(import.meta.url);const __filename=__fp(import.meta.url);const __dirname=__dn(__filename);";
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['twilio'],
    logLevel: 'error',
    banner: { js: banner },
  });
  return outfile;
}
