// Starts a test program that is written in TypeScript: node test/start.mjs test/bench/main.ts ARGUMENTS
//
// It is bundled into one file inside the project, so that whoever looks for the project's folder from there finds it; the file
// is gone when the program ends. The exit status is the program's.

import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [entry, ...args] = process.argv.slice(2);
const folder = join(root, 'node_modules', '.healthmon-test');
const outfile = join(folder, `${process.pid}.mjs`);
mkdirSync(folder, { recursive: true });
await build({
  entryPoints: [join(root, entry)],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['twilio', 'esbuild'],
  logLevel: 'error',
  banner: {
    js: "import{createRequire as __cr}from'node:module';import{fileURLToPath as __fp}from'node:url';import{dirname as __dn}from'node:path';const require=__cr(import.meta.url);const __filename=__fp(import.meta.url);const __dirname=__dn(__filename);",
  },
});
const child = spawn(process.execPath, [outfile, ...args], { cwd: root, stdio: 'inherit' });
// The child ends by itself at Ctrl-C, and tidies up; we wait for it.
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => child.kill(name));
child.on('close', (status, signal) => {
  rmSync(outfile, { force: true });
  process.exit(status ?? (signal === null ? 1 : 130));
});
