// What is forced to disk: it costs milliseconds in which every timed dialog of this process stands still.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Ledger, type LedgerEntry } from '../../lib/record/ledger.ts';
import { takeLock } from '../../lib/record/lock.ts';

const { forced } = vi.hoisted(() => ({ forced: { count: 0, standing: 0 } }));
vi.mock('node:fs', async original => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    fsyncSync: (fd: number) => {
      forced.count += 1;
      forced.standing += 1;
      fs.fsyncSync(fd);
    },
    fsync: (fd: number, done: (error: Error | null) => void) => {
      forced.count += 1;
      fs.fsync(fd, done);
    },
  };
});

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'healthmon-force-'));
  forced.count = 0;
  forced.standing = 0;
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

function entry(is: LedgerEntry['state']): LedgerEntry {
  const message = {
    id: '0mh8xk3v2aaaaaaaaaaaa',
    messageId: '<a@b>',
    from: 'a@b',
    to: 'c@d',
    envelopeFrom: 'a@b',
    subject: 's',
    bytes: 9,
  };
  const path = { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'imap' } as const;
  return { v: 1, message, path, state: is, startedAt: 1_000, watchedUntil: 2_000, bodyHash: 'ab' };
}

test('the ledger forces the entry and its name to disk before a message goes out, and other trips go on meanwhile', async () => {
  await new Ledger(state).begin(entry('sending'));
  expect(forced).toEqual({ count: 2, standing: 0 });
  expect(new Ledger(state).open().entries.map(({ state: is }) => is)).toEqual(['sending']);
});

test('what becomes of a message afterwards is written whole, and not forced', () => {
  const ledger = new Ledger(state);
  for (const each of ['sent', 'seen', 'lost', 'kept', 'unsent', 'gone'] as const) {
    ledger.put(entry(each));
    expect(ledger.get(entry(each).message.id)?.state).toBe(each);
  }
  expect(forced.count).toBe(0);
});

test('taking a lock waits for no disk', async () => {
  const lock = await takeLock(state, 'run', 'test');
  expect(forced.count).toBe(0);
  if (lock.held) lock.release();
});
