// What is on disk, when processes end in the middle, meet, or find it damaged.

import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Outcome } from '../../lib/alarm/channel.ts';
import { ourselves } from '../../lib/alarm/send/claim.ts';
import { mark, readMarks } from '../../lib/alarm/send/marks.ts';
import { transact } from '../../lib/alarm/send/outbox.ts';
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
  if (isBegun && message !== undefined)
    mark(night.state, { pid: GONE, born: '1' }, { message: message.id, channel: 'pager', at: night.at, begun: true });
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
    expect(night.brought[0]?.parcel.mayBeRepeat).toBe(isBegun ? true : undefined);
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

test('a torn line of what was noted, and one of a message that is gone, disturb nothing', async () => {
  const night = await Night.begin(LONE);
  await night.round(night.trip(path()));
  const outcome: Outcome = { result: 'delivered', text: 'ok' };
  mark(night.state, { pid: GONE, born: '1' }, { message: 'nobody-1', channel: 'pager', at: night.at, outcome });
  appendFileSync(join(night.state, 'alarm', `sent.${GONE}.1.log`), '{"message":"nobody-2","chan');
  await night.round(night.trip(path(), { confidence: 'sure' }));
  expect(night.brought.map(({ headline }) => headline)).toEqual([FAILED]);
  expect(night.kept().health.pager?.okAt).toBe(night.at);
  expect(readdirSync(join(night.state, 'alarm'))).toEqual(['state.json']);
});

test('what a process notes while another one decides is not lost with what that one has read', async () => {
  const night = await Night.begin(LONE);
  const { keepMs } = night.alarms;
  let during = Promise.resolve<unknown>(undefined);
  night.scripts.set('pager', async (parcel, at) => {
    // As the run of the next minute, which takes its time over a look at its own resolver; the message is delivered meanwhile.
    let isReading = () => {};
    const reading = new Promise<void>(done => {
      isReading = done;
    });
    during = transact(night.state, keepMs, async state => {
      isReading();
      const isDelivered = () => readMarks(night.state).some(({ text }) => text.includes('"delivered"'));
      while (!isDelivered()) await new Promise(done => setImmediate(done));
      return { state, result: undefined };
    });
    await reading;
    return TAKES(parcel, at);
  });
  await night.round(night.trip(path(), { confidence: 'sure' }));
  await during;
  night.pass(MINUTE);
  await night.tell();
  expect(night.brought.map(({ headline }) => headline)).toEqual([FAILED]);
});

test('what a process that runs and sends has noted is its own to take in, until it has had the message for too long', async () => {
  const night = await Night.begin(LONE);
  const { keepMs } = night.alarms;
  night.scripts.set('pager', () => DOWN);
  await night.round(night.trip(path(), { confidence: 'sure' }));
  // Any process that runs and is not this one.
  const other = { pid: process.ppid, born: ourselves(0, process.ppid).born };
  const hold = (at: number) =>
    transact(night.state, keepMs, before => ({
      state: { ...before, messages: before.messages.map(message => ({ ...message, claim: { ...other, at } })) },
      result: undefined,
    }));
  const waiting = async () =>
    (await transact(night.state, keepMs, state => ({ state, result: undefined }))).state.messages.length;
  await hold(Date.now());
  const [message] = night.kept().messages;
  const outcome: Outcome = { result: 'delivered', text: 'ok' };
  mark(night.state, other, { message: message?.id ?? '', channel: 'pager', at: night.at, outcome });
  expect([await waiting(), night.kept().messages.length]).toEqual([1, 0]);
  await hold(Date.now() - 4 * MINUTE);
  expect(await waiting()).toBe(0);
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
