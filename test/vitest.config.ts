// Three projects: `fast` needs nothing but Node, `lab` the real servers of test/lab, `load` the machine for itself. test/run.mjs says
// which run where.

import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** These keep both processors busy, on purpose or by their number. */
const LOAD = ['test/real/healthy.test.ts', 'test/real/everywhere.test.ts'];

export default defineConfig({
  root: join(import.meta.dirname, '..'),
  test: {
    globalSetup: [join(import.meta.dirname, 'build.ts')],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two processors are common; more workers would measure each other.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'fast', include: ['test/**/*.test.ts'], exclude: ['test/lab/**', 'test/real/**', 'test/bench/**'] },
      },
      {
        extends: true,
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts', 'test/real/**/*.test.ts'],
          exclude: LOAD,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { extends: true, test: { name: 'load', include: LOAD, fileParallelism: false } },
    ],
  },
});
