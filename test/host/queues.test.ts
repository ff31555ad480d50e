// check_queues: each MTA's queue as it lies on disk, ages by name, samples, and whatever a hostile or changing queue holds.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { delayOf } from '../../lib/host/queues/delay.ts';
import { parseHeaderFile } from '../../lib/host/queues/exim.ts';
import { eximTime, postfixTime, sendmailTime, zoneShift } from '../../lib/host/queues/ids.ts';
import { parseEnvelope } from '../../lib/host/queues/opensmtpd.ts';
import { parameter, queuePlaces } from '../../lib/host/queues/places.ts';
import { parsePostfixFile, readPostfixFile } from '../../lib/host/queues/postfix.ts';
import { countQueued } from '../../lib/host/queues/postqueue.ts';
import { queues, survey } from '../../lib/host/queues/queues.ts';
import { parseControlFile } from '../../lib/host/queues/sendmail.ts';
import { Tally, top } from '../../lib/host/queues/tally.ts';
import { AT, lookAt, makeTree } from './tree.ts';

const CORPORA = join(import.meta.dirname, '../../../shared/corpora/self-generated');
const corpora = (...paths: readonly string[]) => paths.every(path => existsSync(join(CORPORA, path)));
const seconds = (at: number) => Math.floor(at / 1000);

/** A record of a Postfix queue file. */
function record(type: string, text: string): Buffer {
  const data = Buffer.from(text, 'latin1');
  const length: number[] = [];
  let left = data.length;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from(type), Buffer.from(length), data]);
}

function postfixFile(at: number, more: { sender?: string; to?: readonly string[]; client?: string } = {}): Buffer {
  const { sender = 'a@here.test', to = ['b@there.test'], client } = more;
  return Buffer.concat([
    record('C', '            592             210               1               0             592               0'),
    record('T', `${seconds(at)} 123456`),
    record('A', 'rewrite_context=local'),
    ...(client === undefined ? [] : [record('A', `client_name=evil.test`), record('A', `client_address=${client}`)]),
    record('S', sender),
    ...to.flatMap(address => [record('A', 'dsn_orig_rcpt=x'), record('O', address), record('R', address)]),
    record('M', ''),
    record('N', 'Subject: R and S records may look like this'),
    record('R', 'not@a.recipient'),
    record('E', ''),
  ]);
}

const DIGITS = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz';
function base52(value: number, width: number): string {
  let text = '';
  for (let left = value; left > 0; left = Math.floor(left / 52)) text = DIGITS[left % 52] + text;
  return text.padStart(width, '0');
}
const longId = (at: number, inode = 12345) =>
  `${base52(seconds(at), 6)}${base52((at % 1000) * 1000, 4)}z${base52(inode, 5).replace(/z/g, 'y')}`;

test('postfixTime() reads real long ids, and finds no time in short ones', () => {
  // From `postqueue -j` of Postfix 3.7: 4jXDSs2TmlzJHv7 came at 1795316685.
  expect(postfixTime('4jXDSs2TmlzJHv7')).toBeGreaterThanOrEqual(1_795_316_685_000);
  expect(postfixTime('4jXDSs2TmlzJHv7')).toBeLessThan(1_795_316_686_000);
  for (const id of ['6553D00000B', '3E9E0000000', '', 'z', 'zzzzzzzzzz', '4jXDSaa2TmlzJHv7', '../../../etcz'])
    expect(postfixTime(id)).toBeUndefined();
  fc.assert(
    fc.property(fc.integer({ min: 1_000_000_000_000, max: 4_000_000_000_000 }), at => {
      expect(postfixTime(longId(at))).toBe(at);
    }),
  );
});

test('sendmailTime() reads real ids, over the turn of a year and of sixty', () => {
  expect(sendmailTime('6AM2j9EU027784', Date.UTC(2026, 10, 22, 3))).toBe(Date.UTC(2026, 10, 22, 2, 45, 9));
  expect(sendmailTime('6BV0000a000001', Date.UTC(2027, 0, 1, 0, 5))).toBe(Date.UTC(2026, 11, 31));
  expect(sendmailTime('x0100000000001', Date.UTC(2020, 0, 2))).toBe(Date.UTC(2019, 0, 1));
  expect(sendmailTime('6C00000000000', Date.UTC(2026, 1, 1))).toBeUndefined();
  expect(sendmailTime('nonsense', 0)).toBeUndefined();
  expect(zoneShift(Date.UTC(2026, 0, 1, 2), Date.UTC(2026, 0, 1, 1, 0, 3))).toBe(-3_600_000);
  expect(zoneShift(0, 20_700_000 + 2000)).toBe(20_700_000); // +05:45
});

test('eximTime() reads ids of sixteen and of twenty-three characters', () => {
  expect(eximTime('1rABCD-000123-AB-H')).toBe(eximTime('1rABCD-00000000123-ABCD-H'));
  expect(new Date(eximTime('1rABCD-000123-AB') ?? 0).getUTCFullYear()).toBe(2023);
  expect(eximTime('msglog')).toBeUndefined();
});

test('parsePostfixFile() reads the envelope and stops before the message', () => {
  const file = postfixFile(AT, { to: ['b@there.test', 'c@other.test'], client: '2001:db8::7' });
  expect(parsePostfixFile(file)).toEqual({
    at: AT,
    sender: 'a@here.test',
    recipients: ['b@there.test', 'c@other.test'],
    client: '2001:db8::7',
  });
  expect(parsePostfixFile(postfixFile(AT, { sender: '', client: 'unknown' }))).toMatchObject({ sender: '' });
  expect(parsePostfixFile(postfixFile(AT, { client: 'unknown' }))?.client).toBeUndefined();
  expect(parsePostfixFile(Buffer.alloc(0))).toBeUndefined();
});

test('parsePostfixFile() takes whatever bytes there are, in time', () => {
  const good = postfixFile(AT, { client: '192.0.2.1' });
  fc.assert(
    fc.property(
      fc.nat({ max: good.length - 1 }),
      fc.integer({ min: 0, max: 255 }),
      fc.nat({ max: good.length }),
      (at, value, cut) => {
        const bytes = Buffer.from(good);
        bytes[at] = value;
        const envelope = parsePostfixFile(bytes.subarray(0, cut));
        expect(envelope === undefined || Array.isArray(envelope.recipients)).toBe(true);
      },
    ),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), some => void parsePostfixFile(Buffer.from(some))),
    { numRuns: 2000 },
  );
});

test.skipIf(!corpora('postfix-deferred-queue-24files.tar.gz', 'postfix-3.7.11-postqueue-j.jsonl'))(
  "real Postfix queue files tell what postqueue -j tells, and fall into qshape's age classes",
  async () => {
    const root = makeTree({ 'etc/postfix/main.cf': 'queue_directory = /q\n', q: null });
    execFileSync('tar', ['xzf', join(CORPORA, 'postfix-deferred-queue-24files.tar.gz'), '-C', join(root, 'q')]);
    const listed = readFileSync(join(CORPORA, 'postfix-3.7.11-postqueue-j.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    const at = Math.max(...listed.map(({ arrival_time }) => arrival_time)) * 1000 + 60_000;
    const { tally, missing } = await survey(lookAt(root, { at }));
    expect(missing).toEqual([]);
    const other = new Tally({ at, since: 0, room: 0 });
    for (const message of listed) expect(countQueued(JSON.stringify(message), other)).toBe(true);
    expect(listed.length).toBe(24);
    expect(tally.counts).toEqual({ incoming: 0, active: 0, deferred: 24, hold: 0, corrupt: 0 });
    expect([tally.ages.groups, tally.oldest]).toEqual([other.ages.groups, other.oldest]);
    expect(top(tally.domains, 5)).toEqual(top(other.domains, 5));
    expect(top(tally.senders, 5)).toEqual(top(other.senders, 5));
    // qshape of the same moment: 13 below five minutes; the classes are the same to the message where its own clock is used.
    const qshape = readFileSync(join(CORPORA, 'postfix-3.7.11-qshape.txt'), 'latin1').split('\n')[1] ?? '';
    expect(tally.ages.groups.reduce((a, b) => a + b)).toBe(Number(qshape.trim().split(/\s+/)[1]));
  },
);

function postfixHost(count: number): string {
  const root = makeTree({ 'etc/postfix/main.cf': 'queue_directory = /q\n' });
  for (const folder of ['maildrop', 'incoming', 'active', 'deferred', 'hold', 'corrupt'])
    mkdirSync(join(root, 'q', folder), { recursive: true });
  for (let n = 0; n < count; n++) {
    const at = AT - n * 60_000;
    const folder = join(root, 'q/deferred', 'ABCDEF'[n % 6] ?? 'A');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, longId(at, n + 1)),
      postfixFile(at, { to: [`x@d${n % 3}.test`], client: n % 2 === 0 ? '192.0.2.1' : '192.0.2.2' }),
    );
  }
  return root;
}

test('check_queues counts each Postfix queue through its hash folders, with ages and who has most', async () => {
  const root = postfixHost(90);
  writeFileSync(join(root, 'q/active', longId(AT - 7_200_000, 7)), postfixFile(AT - 7_200_000));
  writeFileSync(join(root, 'q/maildrop', 'ABC123'), '');
  writeFileSync(join(root, 'q/hold', longId(AT - 90 * 86_400_000, 8)), postfixFile(0));
  writeFileSync(join(root, 'q/corrupt', longId(AT, 9)), 'x');
  const { figures, tops, text, missing } = await queues.look(lookAt(root));
  expect(missing).toEqual([]);
  expect(figures).toMatchObject({
    'queues.total': 92,
    'queues.incoming': 1,
    'queues.active': 1,
    'queues.deferred': 90,
    'queues.hold': 1,
    'queues.corrupt': 1,
    'queues.oldest_s': 7200,
    'queues.oldest_active_s': 7200,
    'queues.top_client': 45,
  });
  expect(tops['destination domains']?.slice(0, 3)).toEqual([
    { name: 'd0.test', count: 30 },
    { name: 'd1.test', count: 30 },
    { name: 'd2.test', count: 30 },
  ]);
  expect(tops['ages in minutes']?.map(({ count }) => count)).toEqual([5, 5, 10, 20, 40, 11, 0, 0, 0, 0]);
  expect(text).toBe('postfix: 92 messages, 2 active, 90 deferred, 1 held, oldest 2 h');
});

test('check_queues opens no more files than its sample, scales up, and knows all ages by their names', async () => {
  const root = postfixHost(300);
  const config = { queues: { sample: 30 } };
  const { tally } = await survey(lookAt(root, { config }));
  expect([tally.opened, tally.ages.known, tally.scale]).toEqual([30, 300, 10]);
  const { tops, figures } = await queues.look(lookAt(root, { config }));
  expect(figures['queues.oldest_s']).toBe(299 * 60);
  const domains = tops['destination domains'] ?? [];
  expect(domains.reduce((sum, { count }) => sum + count, 0)).toBe(300);
  // An even sample: each third is seen about as often.
  for (const { count } of domains) expect(count).toBeGreaterThan(30);
});

test('the next look tells what has left, how the queue grows, and when it reaches its limit', async () => {
  const root = postfixHost(100);
  const first = await queues.look(lookAt(root, { at: AT + 1000 }));
  for (const letter of ['A', 'B']) rmSync(join(root, 'q/deferred', letter), { recursive: true });
  const later = AT + 300_000;
  mkdirSync(join(root, 'q/deferred/A'));
  for (let n = 0; n < 134; n++) writeFileSync(join(root, 'q/deferred/A', longId(later - 1000 * n, n)), '');
  const { figures } = await queues.look(lookAt(root, { at: AT + 301_000, before: JSON.parse(JSON.stringify(first.keep)) }));
  expect(figures).toMatchObject({ 'queues.total': 200, 'queues.growth_per_min': 20, 'queues.drain_per_min': 34 / 5 });
  expect(figures['queues.limit_in_s']).toBe(((500 - 200) / 20) * 60);
});

test('delayOf() follows the throughput, not the depth alone', () => {
  const arrivals = (depth: number, spanMs: number) => Array.from({ length: depth }, (_, i) => AT - (i * spanMs) / depth);
  // John Rudd's 1200 messages that came within a quarter of an hour.
  expect(delayOf({ at: AT, depth: 1200, arrivals: arrivals(1200, 900_000), growth: 0 })).toBeCloseTo(900_000, -4);
  // The same depth that came within a minute, and goes as fast.
  expect(delayOf({ at: AT, depth: 1200, arrivals: arrivals(1200, 60_000), growth: 0 })).toBeCloseTo(60_000, -3);
  // It fills up as fast as it comes in: nothing leaves.
  expect(delayOf({ at: AT, depth: 1200, arrivals: arrivals(1200, 60_000), growth: 1200 / 60_000 })).toBe(
    Number.POSITIVE_INFINITY,
  );
  // One that hangs since yesterday among few is no jam.
  expect(delayOf({ at: AT, depth: 5, arrivals: [AT - 86_400_000], growth: 0 })).toBeUndefined();
  const stuck = [...arrivals(100, 10_000), ...Array.from({ length: 20 }, () => AT - 86_400_000)];
  expect(delayOf({ at: AT, depth: 120, arrivals: stuck, growth: 0 })).toBeLessThan(30_000);
});

test('a queue that changes under the reader, and folders that may not be read, are no errors', async () => {
  const root = postfixHost(50);
  const first = join(root, 'q/deferred/A');
  const [gone = ''] = readdirSync(first);
  const tally = new Tally({ at: AT, since: 0, room: 10 });
  tally.file('deferred', first, gone, undefined);
  tally.file('deferred', first, 'never-there', undefined);
  rmSync(join(first, gone));
  tally.openSample(readPostfixFile, () => true);
  expect([tally.opened, tally.counts.deferred]).toEqual([0, 2]);
});

test.skipIf(process.getuid?.() === 0)('a folder that may not be read is told with what would let us', async () => {
  const root = postfixHost(5);
  chmodSync(join(root, 'q/hold'), 0);
  const { missing } = await queues.look(lookAt(root));
  chmodSync(join(root, 'q/hold'), 0o700);
  expect(missing).toEqual([
    { what: 'messages in hold', why: 'this user may not read them', remedy: 'run it as root or as the user postfix' },
  ]);
});

const QF = `V8
T${seconds(AT) - 600}
K0
N0
P30064
Fbs
$_spam1.resnet.test [127.0.0.5] (may be forged)
$rESMTP
$sliar.example
\${daemon_flags}
S<a@resnet.test>
rRFC822; bob@dest.test
RPFD:<bob@dest.test>
RPFD:carol@other.test
H?P?Return-Path: <\x81g>
H??Received: from x
\tRPFD:<not@a.recipient>
.
`;

test('parseControlFile() reads a sendmail control file up to its headers, as bytes', () => {
  expect(parseControlFile(QF)).toEqual({
    at: AT - 600_000,
    sender: 'a@resnet.test',
    recipients: ['bob@dest.test', 'carol@other.test'],
    client: '127.0.0.5',
    queue: 'active',
  });
  expect(parseControlFile(QF.replace('N0', 'N3'))?.queue).toBe('deferred');
  expect(parseControlFile(QF.replace('spam1.resnet.test [127.0.0.5]', "x [I/O'Reilly] [IPv6:2001:db8::1]"))?.client).toBe(
    '2001:db8::1',
  );
  expect(parseControlFile(QF.replace(/\$_.*/, '$_root@localhost'))?.client).toBeUndefined();
  expect(parseControlFile('')).toBeUndefined();
  fc.assert(
    fc.property(fc.nat({ max: QF.length - 1 }), fc.string({ maxLength: 5 }), (at, text) => {
      parseControlFile(QF.slice(0, at) + text + QF.slice(at + text.length));
    }),
    { numRuns: 2000 },
  );
});

function sendmailId(at: number, n: number): string {
  const code = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const date = new Date(at);
  const parts = [
    (date.getUTCFullYear() - 1900) % 60,
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  return `${parts.map(part => code[part]).join('')}aa${String(n).padStart(6, '0')}`;
}

test('check_queues reads sendmail queues: flat, split, several, quarantined, lost, and MailScanner’s own', async () => {
  const zone = -5 * 3_600_000; // ids bear sendmail's local time
  const file = (at: number, tries: number) => QF.replace(/T\d+/, `T${seconds(at)}`).replace('N0', `N${tries}`);
  const place = (folder: string, kind: string, at: number, tries = 0, n = 1) => ({
    [`${folder}/${kind}${sendmailId(at + zone, n)}`]: file(at, tries),
  });
  const root = makeTree({
    'etc/mail/sendmail.cf': 'O QueueDirectory=/var/spool/mqueue/qd*\n',
    ...place('var/spool/mqueue/qd1', 'qf', AT - 3_600_000, 4),
    ...place('var/spool/mqueue/qd1', 'df', AT - 3_600_000),
    ...place('var/spool/mqueue/qd2/qf', 'qf', AT - 60_000, 0, 2),
    ...place('var/spool/mqueue/qd2/qf', 'hf', AT - 60_000, 0, 3),
    ...place('var/spool/mqueue/qd2/qf', 'Qf', AT - 60_000, 0, 4),
    ...place('var/spool/mqueue/qd2/qf', 'tf', AT - 60_000, 0, 5),
    ...place('var/spool/mqueue.in', 'qf', AT - 30_000, 0, 6),
    ...place('var/spool/mqueue.in', 'qf', AT - 45_000, 0, 7),
  });
  const { figures, text } = await queues.look(lookAt(root));
  expect(figures).toMatchObject({
    'queues.total': 4,
    'queues.incoming': 2,
    'queues.active': 1,
    'queues.deferred': 1,
    'queues.hold': 1,
    'queues.corrupt': 1,
    'queues.oldest_s': 3600,
    'queues.oldest_active_s': 60,
    'queues.top_client': 5,
  });
  expect(text).toBe('sendmail: 4 messages, 3 active, 1 deferred, 1 held, oldest 60 min');
});

test.skipIf(!corpora('sendmail-8.17-mqueue', 'sendmail-8.17-mailq.txt'))(
  'real sendmail queue files are read, as many as mailq lists',
  async () => {
    const mailq = readFileSync(join(CORPORA, 'sendmail-8.17-mailq.txt'), 'latin1');
    const names = readdirSync(join(CORPORA, 'sendmail-8.17-mqueue'));
    const root = makeTree(
      Object.fromEntries(
        names.map(name => [`var/spool/mqueue/${name}`, readFileSync(join(CORPORA, 'sendmail-8.17-mqueue', name))]),
      ),
    );
    const { tally } = await survey(lookAt(root, { at: Date.UTC(2026, 10, 22, 3) }));
    expect(tally.counts).toEqual({ incoming: 0, active: 3, deferred: 1, hold: 0, corrupt: 0 });
    expect(tally.total).toBe(Number(/Total requests: (\d+)/.exec(mailq)?.[1]));
    expect([...tally.senders]).toEqual([['a@example.org', 4]]);
  },
);

const exim = (at: number, options: string, recipients: readonly string[]) => (id: string) =>
  `${id}-H\nDebian-exim 101 103\n<sender@here.test>\n${seconds(at)} 0\n${options}XX\n${recipients.length}\n${recipients.join('\n')}\n\n123P Received: from x\n`;

test('parseHeaderFile() reads an Exim header file, old options and new', () => {
  const body = exim(AT, '-received_time_usec .123\n-helo_name liar\n-host_address 192.0.2.7.4711\n-frozen 1795312000\n', [
    'a@x.test',
    'b@y.test',
  ])('id');
  expect(parseHeaderFile(body, 'id-H')).toEqual({
    at: AT,
    sender: 'sender@here.test',
    recipients: ['a@x.test', 'b@y.test'],
    client: '192.0.2.7',
    queue: 'hold',
  });
  const tainted = exim(AT, '--host_address [2001:db8::9]:25\n-deliver_firsttime\n', ['a@x.test'])('id');
  expect(parseHeaderFile(tainted, 'id-H')).toMatchObject({ client: '2001:db8::9', queue: 'active' });
  const done = exim(AT, '', ['b@y.test'])('id').replace('XX\n', 'YN a@x.test\nNN c@z.test\n');
  expect(parseHeaderFile(done, 'id-H')).toMatchObject({ recipients: ['b@y.test'], queue: 'deferred' });
  expect(parseHeaderFile(body, 'other-H')).toBeUndefined();
  expect(parseHeaderFile('', '-H')).toBeUndefined();
});

test('check_queues reads an Exim spool, split or not; frozen messages are held and make nothing old', async () => {
  const id = (n: number) => `1vMA0${n}-00012${n}-AB`;
  const files = (folder: string, n: number, content: (id: string) => string) => ({
    [`${folder}/${id(n)}-H`]: content(id(n)),
    [`${folder}/${id(n)}-D`]: `${id(n)}-D\nbody\n`,
  });
  const root = makeTree({
    ...files('var/spool/exim4/input', 1, exim(AT - 60_000, '-deliver_firsttime\n', ['a@x.test'])),
    ...files('var/spool/exim4/input/A', 2, exim(AT - 600_000, '', ['a@x.test'])),
    ...files('var/spool/exim4/input/B', 3, exim(AT - 86_400_000, '-frozen 1\n', ['a@x.test'])),
  });
  const { figures, text } = await queues.look(lookAt(root));
  expect(figures).toMatchObject({ 'queues.total': 2, 'queues.active': 1, 'queues.deferred': 1, 'queues.hold': 1 });
  expect(text).toMatch(/^exim: 2 messages, 1 active, 1 deferred, 1 held/);
});

test('check_queues reads a qmail queue', async () => {
  const root = makeTree({
    'var/qmail/queue/mess/3/103': 'x',
    'var/qmail/queue/info/3/103': 'Fsender@here.test\0',
    'var/qmail/queue/remote/3/103': 'Ta@x.test\0Db@y.test\0',
    'var/qmail/queue/mess/4/104': 'x',
    'var/qmail/queue/todo/104': 'u1\0p2\0',
    'var/qmail/queue/mess/5/105': 'x',
    'var/qmail/queue/local/5/105': 'Tme@here.test\0',
  });
  utimesSync(join(root, 'var/qmail/queue/mess/3/103'), seconds(AT) - 3600, seconds(AT) - 3600);
  utimesSync(join(root, 'var/qmail/queue/mess/4/104'), seconds(AT) - 5, seconds(AT) - 5);
  utimesSync(join(root, 'var/qmail/queue/mess/5/105'), seconds(AT) - 60, seconds(AT) - 60);
  const { figures, tops } = await queues.look(lookAt(root));
  expect(figures).toMatchObject({
    'queues.total': 3,
    'queues.incoming': 1,
    'queues.active': 1,
    'queues.deferred': 1,
    'queues.oldest_s': 3600,
  });
  expect(tops['destination domains']).toEqual([
    { name: 'here.test', count: 1 },
    { name: 'x.test', count: 1 },
  ]);
});

test('check_queues reads an OpenSMTPD queue by message, not by envelope', async () => {
  const envelope = (ctime: number, retry: number) =>
    `version: 3\ntag: \ntype: mta\nsmtpname: x\nhelo: liar\nhostname: spam.test\nerrorline: \nsockaddr: 192.0.2.8\nsender: a@here.test\nrcpt: b@x.test\ndest: b@x.test\nctime: ${ctime}\nretry: ${retry}\n`;
  const root = makeTree({
    'var/spool/smtpd/queue/0a/0a1b2c3d/0a1b2c3d00000001': envelope(seconds(AT) - 600, 2),
    'var/spool/smtpd/queue/0a/0a1b2c3d/0a1b2c3d00000002': envelope(seconds(AT) - 600, 0),
    'var/spool/smtpd/queue/0a/0a1b2c3d/message': 'x',
    'var/spool/smtpd/queue/ff/ff000000/ff00000000000001': envelope(seconds(AT) - 5, 0),
    'var/spool/smtpd/corrupt/12/12345678/x': 'x',
  });
  expect(parseEnvelope(envelope(1, 0))).toEqual({
    at: 1000,
    sender: 'a@here.test',
    recipients: ['b@x.test'],
    client: '192.0.2.8',
    queue: 'active',
  });
  const { figures } = await queues.look(lookAt(root));
  expect(figures).toMatchObject({
    'queues.total': 2,
    'queues.active': 1,
    'queues.deferred': 1,
    'queues.corrupt': 1,
    'queues.oldest_s': 600,
  });
});

test('the MTA that runs is the one that is looked at, where several have left a spool', () => {
  const files = {
    'etc/postfix/main.cf': '# x\nqueue_directory =\n  /q\n',
    'q/deferred/x': '',
    'var/spool/exim4/input/x': '',
    'var/qmail/queue/mess/x': '',
  };
  expect(queuePlaces(lookAt(makeTree(files)))).toEqual([{ flavour: 'postfix', directory: '/q' }]);
  expect(queuePlaces(lookAt(makeTree({ ...files, 'proc/77/comm': 'exim4\n' })))).toEqual([
    { flavour: 'exim', directory: '/var/spool/exim4' },
  ]);
  expect(queuePlaces(lookAt(makeTree({ ...files, 'proc/77/comm': 'qmail-send\n' })))[0]?.flavour).toBe('qmail');
  expect(queuePlaces(lookAt(makeTree({})))).toEqual([]);
  const own = { queues: { sample: 10, directory: '/q', incoming: '/in' } };
  expect(queuePlaces(lookAt(makeTree(files), { config: own }))).toEqual([
    { flavour: 'postfix', directory: '/q', incoming: '/in' },
  ]);
});

test('all instances of Postfix are counted', () => {
  const root = makeTree({
    'etc/postfix/main.cf': 'multi_instance_directories = /etc/postfix-out\n',
    'etc/postfix-out/main.cf': 'queue_directory = /var/spool/postfix-out\n',
  });
  expect(queuePlaces(lookAt(root))).toEqual([
    { flavour: 'postfix', directory: '/var/spool/postfix' },
    { flavour: 'postfix', directory: '/var/spool/postfix-out', config: '/etc/postfix-out' },
  ]);
});

test('parameter() reads main.cf as Postfix does: the last one counts, remarks and continued lines', () => {
  const main = 'a = 1\n# a = 2\nb = x\n # remark\n  y\nab = 3\na = 4\n';
  expect([parameter(main, 'a'), parameter(main, 'b'), parameter(main, 'c')]).toEqual(['4', 'x y', undefined]);
});

test('no queue at all is unknown, not empty', async () => {
  const { figures, missing } = await queues.look(lookAt(makeTree({})));
  expect(figures).toEqual({});
  expect(missing[0]?.why).toBe('no MTA of a known kind is installed here');
});

test('addresses that strangers chose reach nobody as they are', async () => {
  const root = postfixHost(0);
  const evil = '\x1b]0;owned\x07@\x1b[2Jevil.test';
  writeFileSync(join(root, 'q/active', longId(AT)), postfixFile(AT, { sender: evil, to: [evil], client: '\x1b[31m' }));
  const { tops } = await queues.look(lookAt(root));
  expect(JSON.stringify(tops)).not.toMatch(/\\u001b/);
});

test('an ordinary user gets the queue from postqueue -j', async () => {
  const listed = `{"queue_name": "deferred", "queue_id": "4jXDSs2TmlzJHv7", "arrival_time": ${seconds(AT) - 90}, "message_size": 9, "forced_expire": false, "sender": "MAILER-DAEMON", "recipients": [{"address": "a@x.test", "delay_reason": "connect: refused"}, {"address": "b@x.test"}]}\n{"queue_name": "hold", "queue_id": "x", "arrival_time": 5, "sender": "s@x.test", "recipients": []}\nno json\n`;
  const tally = new Tally({ at: AT, since: 0, room: 5 });
  const { readPostqueue } = await import('../../lib/host/queues/postqueue.ts');
  const run = async (_: readonly string[], options?: { onStdout?: (chunk: Buffer) => boolean | undefined }) => {
    for (const byte of Buffer.from(listed)) options?.onStdout?.(Buffer.of(byte));
    return { ended: 'done', status: 0, stdout: '', stderr: '' } as const;
  };
  const missing = await readPostqueue({
    root: '/',
    place: { flavour: 'postfix', directory: '/q' },
    tally,
    run,
    at: AT,
    goOn: () => true,
  });
  expect(tally.counts).toEqual({ incoming: 0, active: 0, deferred: 1, hold: 1, corrupt: 0 });
  expect([...tally.senders.keys()]).toEqual(['<>', 's@x.test']);
  expect(missing.map(({ what }) => what)).toEqual(['client hosts and damaged files of the queue', '1 messages of the queue']);
});

test('a million names take no memory worth the word', () => {
  const tally = new Tally({ at: AT, since: AT - 1000, room: 100 });
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 1_000_000; n++) tally.file('deferred', '/q', longIds[n % longIds.length] ?? '', AT - n);
  expect(tally.counts.deferred).toBe(1_000_000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20 * 1024 * 1024);
});
const longIds = Array.from({ length: 50 }, (_, n) => longId(AT - n, n));
