// What is kept survives kills, full disks, other writers and other days.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Path } from '../../lib/model/trip.ts';
import { appendLine, NotWritten } from '../../lib/record/append.ts';
import {
  appendJournal,
  journalDays,
  journalFile,
  readJournal,
  readJournalSince,
  readJournalTail,
} from '../../lib/record/journal.ts';
import { isWatched, Ledger, type LedgerEntry, timeOfId } from '../../lib/record/ledger.ts';
import { removeLitter } from '../../lib/record/litter.ts';
import { takeLock } from '../../lib/record/lock.ts';
import { replaceFile } from '../../lib/record/replace.ts';
import { appendSystest, parseSystest, SYSTEST, systestHeader, systestRow } from '../../lib/record/systest.ts';
import { appendRow } from '../../lib/record/table.ts';
import { bundled } from '../bundle.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'healthmon-record-'));
});

const SAMPLE = `DATE COLLECTED: 10 Jan 2001
+--------------------------------------------------------+-----------------+
|                 Message Delivery time                  |                 |
+----------+-----------+------------+------------+-------+-----------------+
| Test run | Username: | Msg submit | Msg retr   | Total |      Error      |
| at time: |           | SMTP:      | POP:       | Time: |                 |
+----------+-----------+------------+------------+-------+-----------------+
| 00:05:04 | ims2      | ssmtp02    | smux01     |  2083 |                 |
| 00:10:03 | ims3      | ssmtp03    | smux02     |   576 |                 |
| 00:15:03 | ims4      | ssmtp04    | smux02     |  1715 |                 |
| 00:20:04 | ims1      | ssmtp02    | smux02     |  1886 |                 |
| 00:25:03 | ims2      | ssmtp01    | smux02     |  1914 |                 |
| 00:30:03 | ims3      | ssmtp04    | smux01     |   614 |                 |
`;

test('the sample day of the seed is read, and written back byte for byte', () => {
  const { days, damaged } = parseSystest(SAMPLE);
  expect(damaged).toEqual([]);
  expect(days).toHaveLength(1);
  expect(days[0]?.day).toBe('2001-01-10');
  expect(days[0]?.rows[0]).toEqual({
    time: '00:05:04',
    account: 'ims2',
    mta: 'ssmtp02',
    mmp: 'smux01',
    totalMs: 2083,
    error: '',
  });
  const written = systestHeader('2001-01-10') + (days[0]?.rows ?? []).map(row => `${systestRow(row)}\n`).join('');
  expect(written).toBe(SAMPLE);
});

test('names that are too long, bars and control characters never break the ruler', () => {
  const row = systestRow({
    time: '00:05:04',
    account: 'a-very-long-account',
    mta: 'mta|with|bars',
    mmp: 'esc\x1b[31m',
    totalMs: 1234567,
    error: 'mmp/smux02 pop3 auth',
  });
  expect(row).toBe('| 00:05:04 | a-very-l~ | mta!with!~ | esc?[31m   |1234567| mmp/smux02 pop~ |');
  expect(row.length).toBe(systestHeader('2001-01-10').split('\n')[1]?.length);
});

test('a day has its header once, a row of yesterday goes to yesterday, and systest.log leads to the newest day', () => {
  appendSystest(state, new Date(2026, 10, 22, 23, 59, 58).getTime(), {
    account: 'ims1',
    mta: 'ssmtp01',
    mmp: 'smux01',
    totalMs: 5,
    error: '',
  });
  appendSystest(state, new Date(2026, 10, 23, 0, 5, 3).getTime(), {
    account: 'ims2',
    mta: 'ssmtp01',
    mmp: 'smux01',
    totalMs: 6,
    error: '',
  });
  appendSystest(state, new Date(2026, 10, 22, 23, 59, 59).getTime(), {
    account: 'ims3',
    mta: 'ssmtp01',
    mmp: 'smux01',
    error: 'lost',
  });
  expect(readlinkSync(join(state, 'systest.log'))).toBe('systest.log.2026-11-23');
  const old = parseSystest(readFileSync(join(state, 'systest.log.2026-11-22'), 'utf8'));
  expect(old.damaged).toEqual([]);
  expect(old.days.map(({ day, rows }) => [day, rows.map(row => row.account)])).toEqual([['2026-11-22', ['ims1', 'ims3']]]);
  expect(parseSystest(readFileSync(join(state, 'systest.log'), 'utf8')).days[0]?.day).toBe('2026-11-23');
  expect(statSync(join(state, 'systest.log.2026-11-22')).mode & 0o777).toBe(0o640);
});

test('a systest.log that is a file of its own is left alone', () => {
  writeFileSync(join(state, 'systest.log'), 'somebody else\n');
  appendSystest(state, Date.now(), { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', error: '' });
  expect(readFileSync(join(state, 'systest.log'), 'utf8')).toBe('somebody else\n');
});

test('what a killed writer left is closed off, and is taken for no row', () => {
  const day = '2026-11-22';
  appendRow(state, SYSTEST, day, systestRow({ time: '00:00:01', account: 'a', mta: 'b', mmp: 'c', error: '' }));
  appendFileSync(join(state, 'systest.log.2026-11-22'), '| 00:00:02 | a   ');
  appendRow(state, SYSTEST, day, systestRow({ time: '00:00:03', account: 'a', mta: 'b', mmp: 'c', error: '' }));
  const { days, damaged } = parseSystest(readFileSync(join(state, 'systest.log.2026-11-22'), 'utf8'));
  expect(days[0]?.rows.map(({ time }) => time)).toEqual(['00:00:01', '00:00:03']);
  expect(damaged).toEqual([9]);
});

test('a journal keeps whole records only, and counts what it cannot read', () => {
  const at = new Date(2026, 10, 22, 12).getTime();
  appendJournal(state, { type: 'monitor', event: 'started', text: 'one' }, at);
  appendFileSync(journalFile(state, '2026-11-22'), '{"v":1,"at":5,"type":"monitor","ev');
  appendJournal(state, { type: 'monitor', event: 'stopped', text: 'two\nlines' }, at + 1);
  appendLine(journalFile(state, '2026-11-22'), '{"v":99,"at":5,"type":"trip"}');
  appendLine(journalFile(state, '2026-11-22'), '[]');
  const { records, damaged } = readJournal(state, '2026-11-22');
  expect(records.map(record => record.type === 'monitor' && record.text)).toEqual(['one', 'two\nlines']);
  expect(damaged).toBe(3);
});

test('the tail of the journal goes back over days, newest last, and no further than asked', () => {
  for (const day of [20, 21, 22])
    for (let n = 0; n < 10; n += 1)
      appendJournal(state, { type: 'monitor', event: 'started', text: `${day}-${n}` }, new Date(2026, 10, day, n).getTime());
  expect(journalDays(state)).toEqual(['2026-11-20', '2026-11-21', '2026-11-22']);
  const texts = readJournalTail(state, 1000).records.map(record => (record.type === 'monitor' ? record.text : ''));
  expect(texts.at(-1)).toBe('22-9');
  expect(texts.length).toBeGreaterThan(8);
  expect(texts.length).toBeLessThan(14);
  expect(readJournalTail(state, 1_000_000).records).toHaveLength(30);
});

test('a reader of the journal gets each whole record once, over days, torn lines and files that were replaced', () => {
  const note = (text: string, day: number, hour = 12) =>
    appendJournal(state, { type: 'monitor', event: 'started', text }, new Date(2026, 10, day, hour).getTime());
  const texts = (read: ReturnType<typeof readJournalSince>) =>
    read.records.map(record => (record.type === 'monitor' ? record.text : ''));
  expect(readJournalSince(state, undefined, 1000)).toEqual({ records: [], damaged: 0, cursor: {} });
  note('a', 20);
  note('b', 21);
  const first = readJournalSince(state, undefined, 100_000);
  expect(texts(first)).toEqual(['a', 'b']);
  expect(texts(readJournalSince(state, first.cursor, 100_000))).toEqual([]);

  note('c', 21);
  appendFileSync(journalFile(state, '2026-11-21'), '{"v":1,"at":5,"type":"moni');
  const second = readJournalSince(state, first.cursor, 100_000);
  expect([texts(second), second.damaged]).toEqual([['c'], 0]);
  note('d', 21);
  note('e', 22);
  const third = readJournalSince(state, second.cursor, 100_000);
  expect([texts(third), third.damaged]).toEqual([['d', 'e'], 1]);
  note('late, of yesterday', 21);
  expect(texts(readJournalSince(state, third.cursor, 100_000))).toEqual(['late, of yesterday']);

  for (let n = 0; n < 50; n += 1) note(`many ${n}`, 22);
  const some = texts(readJournalSince(state, undefined, 500));
  expect([some.at(-1), some.length > 3, some.length < 8]).toEqual(['many 49', true, true]);
  writeFileSync(journalFile(state, '2026-11-22'), '');
  note('new file', 22);
  expect(texts(readJournalSince(state, { '2026-11-22': 9999 }, 100_000))).toEqual(['new file']);
});

test('a row is not written through a symbolic link', () => {
  const target = join(state, 'precious');
  writeFileSync(target, 'x\n');
  symlinkSync(target, join(state, 'link'));
  expect(() => appendLine(join(state, 'link'), 'row')).toThrow(NotWritten);
  expect(readFileSync(target, 'utf8')).toBe('x\n');
});

test('a file is replaced as a whole, with mode 0600 and nothing left beside it', () => {
  const file = join(state, 'deep', 'file.json');
  replaceFile(file, 'one');
  replaceFile(file, 'two');
  expect(readFileSync(file, 'utf8')).toBe('two');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(state, 'deep'))).toEqual(['file.json']);
});

test('a file whose folder is a file is told as not written', () => {
  writeFileSync(join(state, 'folder'), 'in the way');
  expect(() => replaceFile(join(state, 'folder', 'file.json'), 'x')).toThrow(NotWritten);
});

const PATH: Path = { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'imap' };
const entry = (id: string, startedAt: number, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  v: 1,
  message: { id, messageId: `<${id}@x>`, from: 'a@b', to: 'a@b', envelopeFrom: 'a@b', subject: 's', bytes: 1 },
  path: PATH,
  state: 'sent',
  startedAt,
  watchedUntil: 0,
  bodyHash: '',
  ...more,
});

test('the ledger knows what is open, what is done, and forgets after eight days', () => {
  const ledger = new Ledger(state);
  const now = Date.now();
  const id = (at: number, tail: string) => timeOfId(at) + tail.padEnd(11, '0');
  const [old, fresh, done] = [id(now - 9 * 86_400_000, 'a'), id(now, 'b'), id(now - 1000, 'c')];
  ledger.put(entry(old, now - 9 * 86_400_000));
  ledger.put(entry(fresh, now));
  ledger.put(entry(done, now - 1000));
  ledger.put(entry(done, now - 1000, { state: 'gone' }));
  expect(ledger.open().entries.map(each => each.message.id)).toEqual([old, fresh]);
  expect(ledger.get(done)?.state).toBe('gone');
  ledger.forget(now);
  expect(ledger.open().entries.map(each => each.message.id)).toEqual([fresh]);
  expect(ledger.get(old)).toBeUndefined();
  expect(ledger.get('../../etc/passwd')).toBeUndefined();
  writeFileSync(join(state, 'ledger', `${id(now, 'd')}.json`), '{"v":1,"mess');
  expect(ledger.open().unreadable).toEqual([`${id(now, 'd')}.json`]);
  ledger.setAside(`${id(now, 'd')}.json`);
  expect(ledger.open().unreadable).toEqual([]);
});

test('a lock that was taken this very moment names its holder, whose note comes a little later', async () => {
  const mine = await takeLock(state, 'run', 'me');
  const note = join(state, 'lock', 'run.json');
  const text = readFileSync(note, 'utf8');
  rmSync(note);
  setTimeout(() => writeFileSync(note, text), 30);
  const other = await takeLock(state, 'run', 'other');
  expect(other).toMatchObject({ held: false, holder: { pid: process.pid, what: 'me' } });
  if (mine.held) mine.release();
});

test('a lock whose holder was stopped before it wrote who it is names it all the same', async () => {
  const program = await bundled('test/record/holder.ts');
  const holder = spawn(process.execPath, [program, state, 'run'], { stdio: ['ignore', 'pipe', 'inherit'] });
  expect(await firstLine(holder)).toBe('held');
  onTestFinished(() => void holder.kill('SIGKILL'));
  holder.kill('SIGSTOP');
  const note = join(state, 'lock', 'run.json');
  const began = Date.now();
  for (const before of [undefined, '{"pid":4194304,"since":0,"what":"one that is long gone"}']) {
    if (before === undefined) rmSync(note);
    else writeFileSync(note, before);
    const other = await takeLock(state, 'run', 'other');
    expect(other).toMatchObject({ held: false, holder: { pid: holder.pid, what: basename(program) } });
    if (!other.held) expect(Math.abs((other.holder?.since ?? 0) - began)).toBeLessThan(60_000);
  }
});

test('a lock is held once, told to others, and free when it is let go', async () => {
  const mine = await takeLock(state, 'run', 'me');
  const other = await takeLock(state, 'run', 'other');
  expect(mine.held).toBe(true);
  expect(other).toMatchObject({ held: false, holder: { pid: process.pid, what: 'me' } });
  expect((await takeLock(state, 'another', 'me')).held).toBe(true);
  if (mine.held) mine.release();
  expect((await takeLock(state, 'run', 'third')).held).toBe(true);
});

test('a lock whose holder is killed is free at once, twenty times', async () => {
  const program = await bundled('test/record/holder.ts');
  for (let n = 0; n < 20; n += 1) {
    const holder = spawn(process.execPath, [program, state, 'run'], { stdio: ['ignore', 'pipe', 'inherit'] });
    expect(await firstLine(holder)).toBe('held');
    expect((await takeLock(state, 'run', 'me')).held).toBe(false);
    holder.kill('SIGKILL');
    await new Promise(resolve => holder.once('close', resolve));
    const taken = await takeLock(state, 'run', 'me');
    expect(taken.held).toBe(true);
    if (taken.held) taken.release();
  }
});

test('eight writers on one table, over midnight: every row whole, every header once', async () => {
  const program = await bundled('test/record/writer.ts');
  const days = ['2026-11-21', '2026-11-22'];
  const writers = Array.from({ length: 8 }, (_, n) =>
    spawn(process.execPath, [program, state, `w${n}`, '200', ...days], { stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  await Promise.all(writers.map(writer => new Promise(resolve => writer.once('close', resolve))));
  for (const day of days) {
    const text = readFileSync(join(state, `systest.log.${day}`), 'utf8');
    const read = parseSystest(text);
    expect(read.damaged).toEqual([]);
    expect(text.match(/DATE COLLECTED/g)).toHaveLength(1);
    expect(read.days[0]?.rows).toHaveLength(800);
    expect(readJournal(state, day)).toMatchObject({ damaged: 0, records: { length: 800 } });
  }
});

test('writers that are killed leave no row that is half one thing and half another', async () => {
  const program = await bundled('test/record/writer.ts');
  let acknowledged = 0;
  for (let n = 0; n < 12; n += 1) {
    const writer = spawn(process.execPath, [program, state, `k${n}`, '100000', '2026-11-22'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await firstLine(writer);
    let last = 0;
    writer.stdout?.on('data', (bytes: Buffer) => {
      last = bytes.toString().trimEnd().split('\n').length + last;
    });
    await new Promise(resolve => setTimeout(resolve, 5 + 7 * n));
    writer.kill('SIGKILL');
    await new Promise(resolve => writer.once('close', resolve));
    acknowledged += last + 1;
  }
  const { days, damaged } = parseSystest(readFileSync(join(state, 'systest.log.2026-11-22'), 'utf8'));
  expect(days[0]?.rows.length).toBeGreaterThanOrEqual(acknowledged);
  expect(damaged.length).toBeLessThanOrEqual(12);
  const names = new Set(days[0]?.rows.map(({ account }) => account));
  expect([...names].filter(name => !/^k\d+$/.test(name))).toEqual([]);
  for (const row of days[0]?.rows ?? []) expect(row.totalMs).toBe(Number(row.mta));
});

test('a full disk: the failure is told, no row is glued on, and writing goes on when there is room', context => {
  const disk = join(state, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    context.skip('a small file system can be mounted by root only');
  }
  try {
    const day = '2026-11-22';
    const row = (n: number) => systestRow({ time: '00:00:00', account: 'a', mta: String(n), mmp: 'c', totalMs: n, error: '' });
    appendRow(disk, SYSTEST, day, row(0));
    const filler = join(disk, 'filler');
    let full = false;
    while (!full) {
      try {
        appendFileSync(filler, 'x'.repeat(512));
      } catch {
        full = true;
      }
    }
    let written = 1;
    let failure: unknown;
    for (let n = 1; n < 200 && failure === undefined; n += 1) {
      try {
        appendRow(disk, SYSTEST, day, row(n));
        written += 1;
      } catch (error) {
        failure = error;
      }
    }
    expect(failure).toBeInstanceOf(NotWritten);
    expect(String(failure)).toMatch(/ENOSPC|took only/);
    rmSync(filler);
    appendRow(disk, SYSTEST, day, row(999));
    const { days, damaged } = parseSystest(readFileSync(join(disk, 'systest.log.2026-11-22'), 'utf8'));
    expect(days[0]?.rows.map(({ totalMs }) => totalMs)).toEqual([...Array(written).keys(), 999]);
    expect(damaged.length).toBeLessThanOrEqual(1);
    expect(existsSync(filler)).toBe(false);
  } finally {
    execFileSync('umount', [disk], { stdio: 'ignore' });
  }
});

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise(resolve => child.stdout?.once('data', (bytes: Buffer) => resolve(bytes.toString().split('\n')[0] ?? '')));
}

test('what a killed process left beside a file neither stops the next one nor stays for ever', () => {
  const file = join(state, 'alarm', 'state.json');
  const litter = (pid: number) => `${file}.${pid}.0a1b2c3d.new`;
  replaceFile(file, 'one');
  for (const pid of [process.pid, process.ppid, 999_999]) writeFileSync(litter(pid), 'half a f');
  replaceFile(file, 'two');
  expect(readFileSync(file, 'utf8')).toBe('two');
  removeLitter(state, Date.now());
  expect(readdirSync(join(state, 'alarm'))).toHaveLength(4);
  removeLitter(state, Date.now() + 7_200_000);
  // A process that lives may be at work on it.
  expect(readdirSync(join(state, 'alarm')).sort()).toEqual(['state.json', `state.json.${process.ppid}.0a1b2c3d.new`]);
});

test('after a jump of the clock the ledger is whole for one run more, and no message is watched until next year', () => {
  const ledger = new Ledger(state);
  const now = Date.now();
  const id = (at: number) => `${timeOfId(at)}${'a'.repeat(11)}`;
  ledger.put(entry(id(now), now, { watchedUntil: now + 60_000 }));
  ledger.forget(now + 40 * 86_400_000);
  const [kept] = ledger.open().entries;
  expect(kept?.message.id).toBe(id(now));
  if (kept === undefined) return;
  expect([isWatched(kept, now), isWatched(kept, now + 60_001)]).toEqual([true, false]);
  // Three hours back it may well be watched; forty days back the entry is from a wrong clock.
  expect([isWatched(kept, now - 3 * 3_600_000), isWatched(kept, now - 40 * 86_400_000)]).toEqual([true, false]);
  ledger.put(entry(id(now + 40 * 86_400_000), now + 40 * 86_400_000));
  ledger.forget(now + 40 * 86_400_000);
  expect(ledger.open().entries.map(({ message }) => message.id)).toEqual([id(now + 40 * 86_400_000)]);
});
