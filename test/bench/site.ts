// The embedded site as a process of its own, for benches that count what the monitor alone costs: node test/start.mjs
// test/bench/site.ts FOLDER writes its etc/ there, says "ready", and serves until its input ends.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startSite } from '../../lib/standin/site.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('expected a folder');
const standin = await startSite({
  mtas: 10,
  mmps: 10,
  stores: 5,
  auth: false,
  limits: { submitMs: 30_000, deliverMs: 60_000, fetchMs: 30_000, slowMs: 30_000 },
});
for (const { name, text, mode } of standin.files()) {
  mkdirSync(dirname(join(folder, name)), { recursive: true, mode: 0o750 });
  writeFileSync(join(folder, name), text, { mode });
}
writeFileSync(join(folder, 'paths.json'), JSON.stringify(standin.paths));
console.log('ready');
process.stdin.resume();
process.stdin.on('end', () => {
  void standin.stop().then(() => process.exit(standin.problems.length === 0 ? 0 : 1));
});
