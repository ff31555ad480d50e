// What is on disk, when processes end in the middle, meet, or find it damaged.

import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Outcome } from '../../lib/alarm/channel.ts';
import { mark, transact } from '../../lib/alarm/outbox.ts';
import { LONE, MINUTE, Night, ONE, path, TAKES } from './night.ts';

const FAILED = 'FAILED mmp/smux01 pop3 connect: connection refused';
const DOWN: Outcome = { result: 'failed', text: 'connection refused', again: 'soon' };

/** A process that was, and is no more. */
const GONE = spawnSync(process.execPath, ['-e', '0']).pid;

/** As a process leaves it that is killed with a message in its hands. */
async function killedSending(night: Night, isBegun: boolean): Promise<void> {
  const { keepMs } = night.alarms;
  await transact(night.state, keepMs, before => ({
    state: {
      ...before,
      messages: before.messages.map(message => ({ ...message, claim: { pid: GONE, born: '1', at: night.at } })),
    },
    result: undefined,
  }));
  const [message] = night.kept().messages;
  if (isBegun && message !== undefined) mark(night.state, { message: message.id, channel: 'pager', at: night.at, begun: true });
}

test.for([false, true])(
  'a message whose process was killed goes out with the next run, under its id (request begun: %s)',
  async isBegun => {
    const night = await Night.begin(LONE);
    night.scripts.set('pager', () => DOWN);
    await night.round(night.trip(path(), { confidence: 'sure' }));
    const id = night.kept().messages[0]?.id;
    await killedSending(night, isBegun);
    night.scripts.set('pager', TAKES);
    night.pass(16 * MINUTE);
    await night.tell();
    expect(night.brought.map(({ id: brought, headline }) => [brought, headline])).toEqual([[id, FAILED]]);
    const lost = night.journal().filter(record => record.type === 'delivery' && record.outcome === 'unsure');
    expect(lost.length).toBe(isBegun ? 1 : 0);
    expect(night.kept().messages).toEqual([]);
  },
);

test('however many processes are killed in the middle of it, it is not given up for that', async () => {
  const night = await Night.begin(LONE);
  night.scripts.set('pager', () => DOWN);
  await night.round(night.trip(path(), { confidence: 'sure' }));
  for (let kill = 0; kill < 6; kill += 1) {
    await killedSending(night, true);
    night.pass(16 * MINUTE);
    await night.tell();
  }
  expect(night.brought).toEqual([]);
  night.scripts.set('pager', TAKES);
  night.pass(16 * MINUTE);
  await night.tell();
  // With the reminder that has come due meanwhile.
  expect(night.brought.map(({ headline }) => headline)).toEqual([FAILED, FAILED.replace('FAILED', 'STILL FAILED')]);
});

test('runs at the same moment decide and send once', async () => {
  const night = await Night.begin(ONE);
  night.write(night.trip(path(), { confidence: 'sure' }));
  await Promise.all([night.tell(), night.tell(), night.tell(), night.tell()]);
  expect(night.brought.map(({ headline }) => headline)).toEqual([FAILED]);
  expect(night.said).toEqual([]);
});

test('a torn line of sent.log, and one of a message that is gone, disturb nothing', async () => {
  const night = await Night.begin(LONE);
  await night.round(night.trip(path()));
  const file = join(night.state, 'alarm', 'sent.log');
  const outcome: Outcome = { result: 'delivered', text: 'ok' };
  mark(night.state, { message: 'nobody-1', channel: 'pager', at: night.at, outcome });
  appendFileSync(file, '{"message":"nobody-2","chan');
  await night.round(night.trip(path(), { confidence: 'sure' }));
  expect(night.brought.map(({ headline }) => headline)).toEqual([FAILED]);
  expect(night.kept().health.pager?.okAt).toBe(night.at);
});

test('a state that cannot be read is put aside; what is broken is raised anew, and nothing throws', async () => {
  const night = await Night.begin(LONE);
  await night.round(night.trip(path(), { confidence: 'sure' }));
  const file = join(night.state, 'alarm', 'state.json');
  expect(statSync(file).mode & 0o077).toBe(0);
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 100));
  night.brought.length = 0;
  night.pass(5 * MINUTE);
  await night.round(night.trip(path(), { confidence: 'sure' }));
  expect(night.brought.map(({ headline }) => headline)).toEqual([FAILED]);
  expect(readdirSync(join(night.state, 'alarm')).length).toBeGreaterThan(1);
  expect(existsSync(file)).toBe(true);
});

test('nothing of a secret or an address is on disk, only what is to be said', async () => {
  const night = await Night.begin(
    '[webhook.pager]\nurl = "https://example.net/canary-secret"\n[notify.oncall]\nchannels = ["pager"]\n',
  );
  night.scripts.set('pager', () => DOWN);
  await night.round(night.trip(path(), { confidence: 'sure' }));
  expect(readFileSync(join(night.state, 'alarm', 'state.json'), 'utf8')).not.toContain('canary-secret');
});
