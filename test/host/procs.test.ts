// check_procs: families of processes, daemons that are gone or restarted, what hangs and what grows.

import { expect, test } from 'vitest';
import type { DaemonWanted } from '../../lib/host/config.ts';
import { procs } from '../../lib/host/procs/procs.ts';
import { commandLine, pageBytes, parseProcess, processes } from '../../lib/host/procs/table.ts';
import { AT, addTo, lookAt, makeTree, programs } from './tree.ts';

interface Fake {
  readonly pid: number;
  readonly name: string;
  readonly parent?: number;
  readonly state?: string;
  readonly start?: number;
  readonly mb?: number;
  readonly args?: string;
  readonly files?: readonly [open: number, most: number];
}

function proc({ pid, name, parent = 1, state = 'S', start = pid, mb = 10, args = name, files }: Fake): Record<string, string> {
  const pages = Math.round((mb * 1024 * 1024) / pageBytes());
  const fields = [
    state,
    parent,
    ...Array.from({ length: 17 }, () => 0),
    start,
    1_000_000,
    pages,
    ...Array.from({ length: 20 }, () => 0),
  ];
  return {
    [`proc/${pid}/stat`]: `${pid} (${name}) ${fields.join(' ')}\n`,
    [`proc/${pid}/cmdline`]: args.replace(/ /g, '\0'),
    ...(files === undefined
      ? {}
      : {
          [`proc/${pid}/limits`]: `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${files[1]}                 4096                 files\n`,
        }),
    ...Object.fromEntries(Array.from({ length: files?.[0] ?? 0 }, (_, i) => [`proc/${pid}/fd/${i}`, ''])),
  };
}
const host = (...fakes: readonly Fake[]) => makeTree(Object.assign({}, ...fakes.map(proc)));

const INIT: Fake = { pid: 1, name: 'init', parent: 0 };
const MASTER: Fake = { pid: 100, name: 'master', args: '/usr/lib/postfix/sbin/master -w', files: [8, 10] };
const POSTFIX: readonly Fake[] = [
  MASTER,
  { pid: 101, name: 'qmgr', parent: 100 },
  { pid: 102, name: 'smtpd', parent: 100, args: 'smtpd -n smtp -t inet', files: [3, 10] },
];
const DOVECOT: readonly Fake[] = [
  { pid: 200, name: 'dovecot' },
  { pid: 201, name: 'imap-login', parent: 200 },
];

test('parseProcess() takes a name with blanks and parentheses, and refuses what is cut off', () => {
  expect(parseProcess('7 (a) (b c)) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 55 1000 25 0\n')).toMatchObject({
    pid: 7,
    program: 'a) (b c)',
    state: 'S',
    parent: 1,
    startTicks: 55,
    residentPages: 25,
  });
  for (const text of ['', '7 (x', '7 (x) S 1', 'x (y) S']) expect(parseProcess(text)).toBeUndefined();
});

test('check_procs counts daemons with all that stems from them', async () => {
  const { figures, text, findings, missing } = await procs.look(
    lookAt(host(INIT, ...POSTFIX, ...DOVECOT, { pid: 300, name: 'x', state: 'Z' })),
  );
  expect(findings).toEqual([]);
  expect(figures).toMatchObject({
    'procs.total': 7,
    'procs.zombies': 1,
    'procs.stuck': 0,
    'procs.count:postfix': 3,
    'procs.count:dovecot': 2,
    'procs.files_percent:postfix': 80,
  });
  expect(figures['procs.memory_bytes:postfix']).toBeCloseTo(30 * 1024 * 1024, -6);
  expect(text).toBe('7 processes: postfix 3, dovecot 2');
  expect(missing.map(({ what }) => what)).toEqual(['open files of dovecot']);
});

test('a program of the same name is none of the daemon', async () => {
  const root = host(
    INIT,
    { pid: 100, name: 'master', args: '/usr/lib/cyrus/bin/master -d' },
    { pid: 150, name: 'exim4', args: '/usr/sbin/exim4 -Mc 1vMA01-000121-AB' },
    { pid: 160, name: 'perl', args: '/usr/bin/perl backup.pl' },
  );
  const { text } = await procs.look(lookAt(root));
  expect(text).toBe('4 processes: cyrus 1');
});

const again = (look: Awaited<ReturnType<typeof procs.look>>) => JSON.parse(JSON.stringify(look.keep));

test('a daemon that ran and does not is missed until it is back, and forgotten after a week', async () => {
  const root = host(INIT, ...POSTFIX, ...DOVECOT);
  const first = await procs.look(lookAt(root));
  const gone = host(INIT, ...POSTFIX);
  const second = await procs.look(lookAt(gone, { at: AT + 300_000, before: again(first) }));
  expect(second.findings).toMatchObject([
    {
      level: 'critical',
      subject: 'daemon:dovecot',
      text: 'dovecot does not run any more; it was last seen 5 min ago',
      since: AT,
    },
  ]);
  const third = await procs.look(lookAt(gone, { at: AT + 600_000, before: again(second) }));
  expect(third.findings).toMatchObject([{ text: 'dovecot does not run any more; it was last seen 10 min ago' }]);
  expect((await procs.look(lookAt(root, { at: AT + 900_000, before: again(third) }))).findings).toEqual([]);
  expect((await procs.look(lookAt(gone, { at: AT + 8 * 86_400_000, before: again(third) }))).findings).toEqual([]);
  const config = { procs: { learn: false, daemons: [] } };
  expect((await procs.look(lookAt(gone, { at: AT + 300_000, before: again(first), config }))).findings).toEqual([]);
});

test('one restart is told, three within an hour are a warning', async () => {
  let before: unknown;
  const levels: string[] = [];
  for (const [round, pid] of [100, 110, 120, 130, 130].entries()) {
    const look = await procs.look(lookAt(host(INIT, { ...MASTER, pid }), { at: AT + round * 300_000, before }));
    before = again(look);
    levels.push(look.findings.map(({ level, text }) => `${level} ${text}`).join());
  }
  expect(levels).toEqual([
    '',
    'ok postfix was restarted since the last look (now process 110)',
    'ok postfix was restarted since the last look (now process 120)',
    'warning postfix was restarted 3 times within an hour',
    '',
  ]);
});

test('what hangs in the kernel at two looks is stuck; what only passes through is not', async () => {
  const first = await procs.look(lookAt(host(INIT, { pid: 7, name: 'a', state: 'D' }, { pid: 8, name: 'b', state: 'D' })));
  const second = await procs.look(
    lookAt(host(INIT, { pid: 7, name: 'a', state: 'D' }, { pid: 8, name: 'c', state: 'D', start: 999 }), {
      before: again(first),
    }),
  );
  expect([first.figures['procs.stuck'], second.figures['procs.stuck']]).toEqual([0, 1]);
});

test('growth is told of large processes only, against what they had at first', async () => {
  const at = (mb: number) => host(INIT, { pid: 5, name: 'clamd', mb });
  const first = await procs.look(lookAt(at(60)));
  const grown = await procs.look(lookAt(at(240), { before: again(first), at: AT + 300_000 }));
  expect(grown.figures['procs.memory_growth_percent:clamd']).toBeCloseTo(300, 0);
  expect(first.figures['procs.memory_growth_percent:clamd']).toBeUndefined();
});

const wanted = (more: Partial<DaemonWanted> & { name: string }): DaemonWanted => ({ programs: [], min: 1, ...more });

test('daemons of host.cfg are found by name, pid file, unit and port', async () => {
  const root = host(
    INIT,
    ...POSTFIX,
    { pid: 400, name: 'my-filter', args: 'my-filter --queue' },
    { pid: 401, name: 'my-filter', args: 'my-filter --other' },
  );
  addTo(root, {
    'run/x.pid': '  400\n',
    'run/stale.pid': '999\n',
    'proc/net/tcp': '   0: 0100007F:2724 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n',
  });
  const look = async (...daemons: readonly DaemonWanted[]) => {
    const { findings } = await procs.look(
      lookAt(root, {
        config: { procs: { learn: true, daemons } },
        run: programs({ 'systemctl show': 'MainPID=400\nActiveState=active\n' }),
      }),
    );
    return findings.map(({ level, text }) => `${level}: ${text}`);
  };
  expect(
    await look(
      wanted({ name: 'postfix' }),
      wanted({ name: 'a', programs: ['my-filter'], arguments: '--queue' }),
      wanted({ name: 'b', pidFile: '/run/x.pid' }),
      wanted({ name: 'c', unit: 'x.service' }),
      wanted({ name: 'd', port: 10_020 }),
    ),
  ).toEqual([]);
  expect(
    await look(
      wanted({ name: 'dovecot' }),
      wanted({ name: 'b', pidFile: '/run/stale.pid' }),
      wanted({ name: 'c', pidFile: '/run/none.pid' }),
      wanted({ name: 'd', port: 10_021 }),
      wanted({ name: 'e', programs: ['my-filter'], min: 5 }),
      wanted({ name: 'f', programs: ['my-filter'], max: 1 }),
    ),
  ).toEqual([
    'critical: dovecot does not run',
    'critical: b does not run',
    'critical: c does not run',
    'critical: d does not run',
    'critical: e has 2 processes, fewer than 5',
    'warning: f has 2 processes, more than 1',
  ]);
  const { findings } = await procs.look(
    lookAt(root, { config: { procs: { learn: true, daemons: [wanted({ name: 'u', unit: 'x' })] } } }),
  );
  expect(findings).toMatchObject([{ level: 'unknown', text: 'cannot tell whether u runs: systemctl does not tell about x' }]);
});

test.skipIf(process.platform !== 'linux')('this very process is seen as it is', () => {
  const mine = processes('/').get(process.pid);
  expect(mine?.parent).toBe(process.ppid);
  expect((mine?.residentPages ?? 0) * pageBytes()).toBeGreaterThan(process.memoryUsage.rss() / 2);
  expect(commandLine('/', process.pid)).not.toBe('');
});
