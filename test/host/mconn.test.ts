// check_mconn: sockets by service and state, clients, listeners that are gone, the servers' own limits.

import { createConnection, createServer } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connectionLimits, dovecotLimits, postfixLimits } from '../../lib/host/mconn/limits.ts';
import { mconn } from '../../lib/host/mconn/mconn.ts';
import { servicesOf } from '../../lib/host/mconn/services.ts';
import { addressText, eachSocket } from '../../lib/host/mconn/sockets.ts';
import { AT, addTo, lookAt, makeTree, programs } from './tree.ts';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const hex4 = (n: number) => n.toString(16).toUpperCase().padStart(4, '0');
const line = (local: string, port: number, remote: string, remotePort: number, state: string, received = 0) =>
  `   0: ${local}:${hex4(port)} ${remote}:${hex4(remotePort)} ${state} 00000000:${received.toString(16).toUpperCase().padStart(8, '0')} 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0\n`;
const ANY = '00000000';
const HERE = '0100007F';
const client = (n: number) => `0${n}0200C0`; // 192.0.2.n

const TCP = [
  line(ANY, 25, ANY, 0, '0A', 3),
  line(HERE, 25, client(1), 40_001, '01'),
  line(HERE, 25, client(1), 40_002, '01'),
  line(HERE, 25, client(2), 40_003, '01'),
  line(HERE, 25, client(2), 40_004, '03'),
  line(HERE, 25, client(2), 40_005, '06'),
  line(HERE, 25, client(2), 40_006, '08'),
  line(HERE, 50_000, client(9), 25, '01'),
  line(HERE, 993, client(3), 40_007, '01'),
  line(HERE, 143, client(3), 40_008, '01'),
  line(HERE, 22, client(3), 40_009, '01'),
].join('');
const TCP6 =
  line('0000000000000000FFFF00000100007F', 143, '0000000000000000FFFF0000030200C0', 40_010, '01') +
  line('00000000000000000000000000000000', 993, '00000000000000000000000000000000', 0, '0A');

test('addressText() reads addresses as the kernel prints them, and shows mapped ones as IPv4', () => {
  expect(addressText('0100007F')).toBe('127.0.0.1');
  expect(addressText('0000000000000000FFFF0000030200C0')).toBe('192.0.2.3');
  expect(addressText('00000000000000000000000001000000')).toBe('::1');
  expect(addressText('B80D0120000000000000000007000000')).toBe('2001:db8::7');
  expect(addressText('7F000001', false)).toBe('127.0.0.1');
});

test('eachSocket() takes any text, and counts no line that is none', () => {
  let seen = 0;
  eachSocket(`${HEADER}${TCP}garbage\n   1: 0100007F:0019 0100\n`, () => {
    seen += 1;
  });
  expect(seen).toBe(11);
  fc.assert(fc.property(fc.string({ maxLength: 300 }), text => eachSocket(`${HEADER}${text}`, () => {})));
});

test('check_mconn counts connections by service and state, and the clients that have most', async () => {
  const { figures, tops, text, findings } = await mconn.look(
    lookAt(makeTree({ 'proc/net/tcp': HEADER + TCP, 'proc/net/tcp6': HEADER + TCP6 })),
  );
  expect(findings).toEqual([]);
  expect(figures).toEqual({
    'mconn.established:smtp': 3,
    'mconn.opening:smtp': 1,
    'mconn.closing:smtp': 1,
    'mconn.close_wait:smtp': 1,
    'mconn.backlog:smtp': 3,
    'mconn.outgoing:smtp': 1,
    'mconn.established:imap': 2,
    'mconn.opening:imap': 0,
    'mconn.closing:imap': 0,
    'mconn.close_wait:imap': 0,
    'mconn.outgoing:imap': 0,
    'mconn.established:imaps': 1,
    'mconn.opening:imaps': 0,
    'mconn.closing:imaps': 0,
    'mconn.close_wait:imaps': 0,
    'mconn.backlog:imaps': 0,
    'mconn.outgoing:imaps': 0,
    'mconn.established_total': 6,
    'mconn.column:smtp': 3,
    'mconn.column:imap': 3,
    'mconn.column:pop3': 0,
    'mconn.column:ldap': 0,
    'mconn.column:http': 0,
    'mconn.top_client': 2,
  });
  expect(tops['client addresses']?.slice(0, 2)).toEqual([
    { name: '192.0.2.1', count: 2 },
    { name: '192.0.2.3', count: 2 },
  ]);
  expect(text).toBe('6 established connections (smtp 3, imap 2, imaps 1), 2 services listening');
});

test('a listener that is gone is missed, for seven days; one that host.cfg wants, at once and always', async () => {
  const root = makeTree({ 'proc/net/tcp': HEADER + TCP, 'proc/net/tcp6': HEADER + TCP6 });
  const first = await mconn.look(lookAt(root));
  addTo(root, { 'proc/net/tcp': HEADER });
  const before = JSON.parse(JSON.stringify(first.keep));
  const gone = await mconn.look(lookAt(root, { before, at: AT + 60_000 }));
  expect(gone.findings).toMatchObject([
    { level: 'critical', subject: 'listener:smtp', text: 'nothing listens on port 25 (smtp) any more', since: AT },
  ]);
  const later = await mconn.look(lookAt(root, { before: JSON.parse(JSON.stringify(gone.keep)), at: AT + 8 * 86_400_000 }));
  expect(later.findings).toEqual([]);
  const config = { mconn: { listen: ['smtp', 'imaps', 'smpt', 'own'], services: [{ name: 'own', ports: [10_025] }] } };
  const wanted = await mconn.look(lookAt(root, { config }));
  expect(wanted.findings.map(({ level, text }) => `${level}: ${text}`)).toEqual([
    'critical: nothing listens on port 25 (smtp)',
    "unknown: host.cfg wants 'smpt' to listen, which is no service that is known",
    'critical: nothing listens on port 10025 (own)',
  ]);
});

const MASTER = `# service type private unpriv chroot wakeup maxproc command
smtp      inet  n       -       y       -       -       smtpd
127.0.0.2:25 inet n     -       y       -       7       smtpd
submission inet n       -       y       -       50      smtpd
  -o syslog_name=postfix/submission
465       inet  n       -       y       -       0       smtpd
#587      inet  n       -       y       -       1       smtpd
smtpd     pass  -       -       y       -       3       smtpd
24        inet  n       -       y       -       1       postscreen
`;
const DOVEN = `# 2.3.19
default_process_limit = 100
service imap {
  process_limit = 2048
}
service pop3 {
}
ssl = required
`;

test("the servers' own limits are read where they can be, and not guessed where not", async () => {
  expect(postfixLimits(MASTER, 'default_process_limit = 200\n')).toEqual([
    { services: ['smtp'], most: 207, setting: 'maxproc of smtp in master.cf' },
    { services: ['submission'], most: 50, setting: 'maxproc of submission in master.cf' },
  ]);
  expect(postfixLimits(MASTER, '')[0]?.most).toBe(107);
  expect(dovecotLimits(DOVEN).map(({ services, most }) => [services, most])).toEqual([
    [['imap', 'imaps'], 2048],
    [['pop3', 'pop3s'], 1024],
  ]);
  const all = new Set(['smtp', 'imap']);
  const sendmail = makeTree({ 'etc/mail/sendmail.cf': 'O MaxDaemonChildren=12\n' });
  expect(await connectionLimits(sendmail, undefined, programs({}), all)).toMatchObject([{ most: 12 }]);
  expect(await connectionLimits(makeTree({}), undefined, programs({ 'exim4 -bP': 'smtp_accept_max = 20\n' }), all)).toMatchObject(
    [{ most: 20 }],
  );
  expect(await connectionLimits(makeTree({}), undefined, programs({}), all)).toEqual([]);
  expect(await connectionLimits(sendmail, undefined, programs({}), new Set())).toEqual([]);
});

test('check_mconn tells how near the limit is', async () => {
  const root = makeTree({
    'proc/net/tcp': HEADER + TCP,
    'proc/net/tcp6': HEADER + TCP6,
    'etc/postfix/master.cf': MASTER.replace(/-( +)smtpd/, '5$1smtpd').replace(/^127.*\n/m, ''),
  });
  const { figures } = await mconn.look(lookAt(root, { run: programs({ 'doveconf -n': DOVEN }) }));
  expect([figures['mconn.limit_percent:smtp'], figures['mconn.limit_percent:imaps']]).toEqual([60, (3 / 2048) * 100]);
});

test('milters are found by what Postfix says', () => {
  const root = makeTree({
    'etc/postfix/main.cf': 'smtpd_milters = inet:localhost:8892, unix:/x\nnon_smtpd_milters = inet:127.0.0.1:11332\n',
  });
  const ports = (where: string) =>
    servicesOf(where, [{ name: 'lmtp', ports: [2400] }]).filter(({ name }) => ['milter', 'lmtp'].includes(name));
  expect(ports(root)).toEqual([
    { name: 'lmtp', ports: [2400] },
    { name: 'milter', ports: [8892, 11_332] },
  ]);
  expect(ports(makeTree({})).at(-1)).toEqual({ name: 'milter', ports: [8891, 8893] });
});

test.skipIf(process.platform !== 'linux')("this machine's own sockets are seen", async () => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const sockets = [1, 2, 3].map(() => createConnection(port, '127.0.0.1'));
  await Promise.all(sockets.map(socket => new Promise(resolve => socket.once('connect', resolve))));
  const config = { mconn: { listen: ['ours'], services: [{ name: 'ours', ports: [port] }] } };
  const { figures, findings } = await mconn.look(lookAt('/', { config }));
  for (const socket of sockets) socket.destroy();
  server.close();
  expect([
    figures['mconn.established:ours'],
    figures['mconn.outgoing:ours'],
    findings.filter(({ subject }) => subject === 'listener:ours'),
  ]).toEqual([3, 3, []]); // both ends are on this machine
});
