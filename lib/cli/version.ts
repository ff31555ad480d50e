// Which version this is.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './context.ts';

/** As package.json has it; `unknown` where there is none. */
export function version(): string {
  try {
    const value: unknown = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8'));
    return typeof value === 'object' && value !== null && 'version' in value ? String(value.version) : 'unknown';
  } catch {
    return 'unknown';
  }
}
