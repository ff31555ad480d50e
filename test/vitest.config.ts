// Two projects: `fast` needs nothing but Node, `lab` the real servers of test/lab. test/run.mjs says which run where.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    globalSetup: [new URL('build.ts', import.meta.url).pathname],
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
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
