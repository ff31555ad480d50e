// What a peer that floods costs us in memory: at most 16 MB above what the process had, garbage included.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorityPem } from '../../lib/standin/network/certificates.ts';
import { bundled } from '../bundle.ts';
import { startPeer } from '../dialog/peer.ts';
import type { Case } from './case.ts';
import type { Request, Weighed } from './eater.ts';
import { IMAP_SECOND } from './imap-second.ts';
import { TABLES } from './tables.ts';
import { stepsOf } from './text-peer.ts';

const MOST_BYTES = 16 * 1024 * 1024;

let child: ChildProcess;
let answers: AsyncIterator<string>;
let lines: Interface;

beforeAll(async () => {
  const program = await bundled('test/hostile/eater.ts');
  child = spawn(process.execPath, ['--expose-gc', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  answers = lines[Symbol.asyncIterator]();
  // Code is loaded and compiled by good dialogs before anything is weighed.
  const plain = IMAP_SECOND[0] as Case;
  for (let round = 0; round < 3; round++) {
    const peer = await plain.start();
    await weigh({ client: plain.client, port: peer.port, ca: authorityPem(), deadlineMs: 3000 });
    await peer.stop();
  }
  for (const protocol of ['smtp', 'pop3', 'imap'] as const) {
    for (let round = 0; round < 3; round++) {
      const peer = await startPeer(stepsOf(protocol, 'plain'));
      await weigh({ client: { protocol, security: 'plain' }, port: peer.port, ca: authorityPem(), deadlineMs: 3000 });
      await peer.stop();
    }
  }
});

afterAll(() => {
  lines.close();
  child.stdin?.end();
});

async function weigh(request: Request): Promise<Weighed> {
  child.stdin?.write(`${JSON.stringify(request)}\n`);
  return JSON.parse((await answers.next()).value as string) as Weighed;
}

const heavy = Object.entries(TABLES).flatMap(([protocol, table]) =>
  table.filter(each => each.heavy).map(each => [protocol, each] as const),
);

for (const [protocol, each] of heavy) {
  test.runIf(process.platform === 'linux')(`${protocol}: a peer that ${each.name} costs at most 16 MB`, () => weighed(each));
}

async function weighed(each: Case): Promise<void> {
  const peer = await each.start();
  const found = await weigh({ client: each.client, port: peer.port, ca: authorityPem(), deadlineMs: each.deadlineMs });
  await peer.stop();
  expect(found.outcome).toBe(each.wanted === 'answered' ? 'answered' : 'failed');
  expect(found.extraBytes).toBeLessThanOrEqual(MOST_BYTES);
}

test('the process that all of them flooded is alive', () => {
  expect(child.exitCode).toBeNull();
});
