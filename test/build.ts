// The commands are tested as they are built: `npm test` builds first, and a test run by hand does it here.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export function setup(): void {
  execFileSync(process.execPath, [join(import.meta.dirname, '..', 'lib', 'build.mjs'), '--tests'], { stdio: 'inherit' });
}
