// check_sys: what the kernel's files say, as figures.

import { expect, test } from 'vitest';
import { parseCgroups, readCgroup } from '../../lib/host/sys/cgroup.ts';
import { askClock, parseChrony, parseNtpq, parseTimesync } from '../../lib/host/sys/clock.ts';
import { parseLoadavg, parsePressure, parseStat, shares } from '../../lib/host/sys/cpu.ts';
import { parseMeminfo, parseVmstat } from '../../lib/host/sys/memory.ts';
import { askSpace, mayHang, mountOf, parseMounts } from '../../lib/host/sys/mounts.ts';
import { sys } from '../../lib/host/sys/sys.ts';
import { AT, addTo, lookAt, makeTree, programs } from './tree.ts';

const MEMINFO = `MemTotal:        8000000 kB
MemFree:          500000 kB
MemAvailable:    2000000 kB
Buffers:          100000 kB
Cached:          1000000 kB
SwapTotal:       1000000 kB
SwapFree:         100000 kB
Active(anon):     300000 kB
`;
const stat = (user: number, system: number, idle: number, wait: number, steal = 0) =>
  `cpu  ${user} 0 ${system} ${idle} ${wait} 0 0 ${steal} 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nctxt 5\nbtime 1795000000\nprocs_running 2\nprocs_blocked 3\n`;
const VMSTAT = 'pgscan_kswapd 1000\npgscan_direct 200\npgscan_direct_throttle 9\npswpin 5\npswpout 6\noom_kill 2\n';
const MOUNTS = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:20 / /proc rw - proc proc rw
40 22 8:2 / /var/spool rw,noatime - xfs /dev/sda2 rw
41 22 0:40 / /srv/mail\\040box rw - nfs4 store:/mail rw,hard
42 22 8:3 / /var/log ro - ext4 /dev/sda3 ro
`;

test('parseMeminfo() takes MemAvailable, and on kernels without it what could be dropped', () => {
  expect(parseMeminfo(MEMINFO)).toEqual({
    totalBytes: 8_000_000 * 1024,
    availableBytes: 2_000_000 * 1024,
    swapTotalBytes: 1_000_000 * 1024,
    swapFreeBytes: 100_000 * 1024,
  });
  expect(parseMeminfo(MEMINFO.replace(/MemAvailable.*\n/, ''))?.availableBytes).toBe(1_600_000 * 1024);
  expect(parseMeminfo('nonsense')).toBeUndefined();
});

test('parseVmstat() sums the scans of new and old kernels, without the throttle counter', () => {
  expect(parseVmstat(VMSTAT)).toEqual({ scanned: 1200, swappedIn: 5, swappedOut: 6, killed: 2 });
  expect(parseVmstat('pgscan_kswapd_normal 7\npgscan_direct_dma 3\n').scanned).toBe(10);
});

test('shares() sums to 100, takes an idle counter that goes back, and refuses counters that began anew', () => {
  const before = parseStat(stat(100, 50, 1000, 20))?.ticks;
  const after = parseStat(stat(140, 60, 1040, 30, 0))?.ticks;
  if (before === undefined || after === undefined) throw new Error('no ticks');
  expect(shares(before, after)).toEqual({ user: 40, system: 10, idle: 40, wait: 10, steal: 0 });
  expect(shares(before, { ...after, idle: 990 })?.idle).toBe(0);
  expect(shares(after, before)).toBeUndefined();
  expect(shares(before, before)).toBeUndefined();
  expect(parseStat('cpu  1 2\n')).toBeUndefined();
});

test('load and pressure are read, and nothing is made of what is not there', () => {
  expect(parseLoadavg('0.50 1.25 2.00 3/400 12345\n')).toEqual([0.5, 1.25, 2]);
  expect(parseLoadavg('')).toBeUndefined();
  expect(
    parsePressure('some avg10=1.00 avg60=2.50 avg300=3.00 total=9\nfull avg10=0.00 avg60=0.75 avg300=0.00 total=1\n'),
  ).toEqual({
    some: 2.5,
    full: 0.75,
  });
  expect(parsePressure('some avg10=1.00 avg60=2.50 avg300=3.00 total=9\n')).toEqual({ some: 2.5 });
});

test('mountOf() finds the longest mount, not one whose name only begins alike, and blanks are blanks', () => {
  const mounts = parseMounts(MOUNTS);
  expect(mountOf('/var/spool/postfix', mounts)?.at).toBe('/var/spool');
  expect(mountOf('/var/spoolers', mounts)?.at).toBe('/');
  expect(mountOf('/srv/mail box/x', mounts)).toMatchObject({ type: 'nfs4', isReadOnly: false });
  expect(mountOf('/var/log', mounts)?.isReadOnly).toBe(true);
  expect(['nfs4', 'cifs', 'fuse.sshfs', 'ceph', 'ext4', 'xfs', 'tmpfs', 'overlay', 'zfs'].filter(mayHang)).toEqual([
    'nfs4',
    'cifs',
    'fuse.sshfs',
    'ceph',
  ]);
});

test('a file system that may hang is asked beside us, and one that does not answer is told as what it is', async () => {
  const nfs = mountOf('/srv/mail box', parseMounts(MOUNTS));
  const answered = await askSpace('/srv/mail box', nfs, programs({ 'stat -f': '4096 1000 300 200 50 10\n' }), 2000);
  expect(answered).toEqual({
    space: { totalBytes: 4_096_000, freeBytes: 819_200, usedPercent: (700 / 900) * 100, inodesUsedPercent: 80 },
  });
  expect(await askSpace('/srv/mail box', nfs, async () => ({ ended: 'late' }), 2000)).toEqual({
    why: '/srv/mail box (nfs4) does not answer in 2 s',
    isHung: true,
  });
  expect(await askSpace('/nowhere', undefined, programs({}), 2000)).toEqual({ why: 'ENOENT', isHung: false });
});

test('the tightest of the limits above us counts, in both kinds of control groups', () => {
  expect(parseCgroups('5:cpu,cpuacct:/a\n0::/b\n')).toEqual(
    new Map([
      ['cpu', '/a'],
      ['cpuacct', '/a'],
      ['', '/b'],
    ]),
  );
  const v2 = makeTree({
    'proc/self/cgroup': '0::/pod/mail\n',
    'sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
    'sys/fs/cgroup/pod/memory.max': '1000\n',
    'sys/fs/cgroup/pod/memory.current': '900\n',
    'sys/fs/cgroup/pod/mail/memory.max': 'max\n',
    'sys/fs/cgroup/pod/mail/memory.current': '500\n',
    'sys/fs/cgroup/pod/cpu.max': '150000 100000\n',
    'sys/fs/cgroup/pod/mail/cpu.max': 'max 100000\n',
    'sys/fs/cgroup/pod/cpu.stat': 'usage_usec 1\nnr_periods 100\nnr_throttled 25\n',
  });
  expect(readCgroup(v2)).toEqual({ memoryUsedPercent: 90, memoryLimitBytes: 1000, processors: 1.5, periods: 100, throttled: 25 });
  const v1 = makeTree({
    'proc/self/cgroup': '4:memory:/docker/x\n2:cpu,cpuacct:/docker/x\n',
    'sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes': '9223372036854771712\n',
    'sys/fs/cgroup/memory/docker/x/memory.usage_in_bytes': '5\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '200\n',
    'sys/fs/cgroup/memory/memory.usage_in_bytes': '50\n',
    'sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us': '-1\n',
    'sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us': '100000\n',
  });
  expect(readCgroup(v1)).toEqual({ memoryUsedPercent: 25, memoryLimitBytes: 200 });
  expect(readCgroup(makeTree({}))).toEqual({});
});

test('the offset of the clock is read from chrony, ntpd and timesyncd', async () => {
  const chrony = '0A000001,10.0.0.1,3,1795342000.123,-0.012345678,0.0001,0.0002,1.5,0.01,0.02,0.03,0.04,64.0,Normal\n';
  expect(parseChrony(chrony)).toMatchObject({ keeper: 'chrony', isSynchronised: true, offsetMs: expect.closeTo(-12.345678, 6) });
  expect(parseChrony(chrony.replace('Normal', 'Not synchronised'))).toMatchObject({ isSynchronised: false });
  expect(parseChrony('506 Cannot talk to daemon\n')).toBeUndefined();
  expect(parseNtpq('offset=-3.25, leap=00, stratum=2\n')).toEqual({ keeper: 'ntpd', isSynchronised: true, offsetMs: -3.25 });
  expect(parseNtpq('offset=0.000, leap=11, stratum=16\n')).toMatchObject({ isSynchronised: false });
  expect(parseTimesync('       Server: 10.0.0.1\n       Offset: -1.5ms\n Packet count: 7\n')).toMatchObject({
    offsetMs: -1.5,
    isSynchronised: true,
  });
  expect(parseTimesync('       Offset: +1min 2.5s\n Packet count: 7\n')).toMatchObject({ offsetMs: 62_500 });
  expect(parseTimesync(' Packet count: 0\n')).toEqual({ keeper: 'systemd-timesyncd', isSynchronised: false });
  expect(await askClock('/nowhere', programs({ 'chronyc -n -c tracking': chrony }))).toMatchObject({ keeper: 'chrony' });
  expect(await askClock('/nowhere', programs({}))).toEqual({ why: 'none of chronyc, ntpq and timedatectl is installed' });
});

const HOST = {
  'proc/meminfo': MEMINFO,
  'proc/vmstat': VMSTAT,
  'proc/stat': stat(100, 50, 1000, 20),
  'proc/loadavg': '4.00 6.00 2.00 1/200 5\n',
  'proc/uptime': '86400.50 100.00\n',
  'proc/sys/fs/file-nr': '500\t0\t1000\n',
  'proc/sys/kernel/random/entropy_avail': '256\n',
  'proc/pressure/cpu': 'some avg10=1.00 avg60=30.00 avg300=3.00 total=9\n',
  'proc/pressure/memory': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=12.00 avg300=0.00 total=9\n',
  'proc/pressure/io': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.50 avg300=0.00 total=9\n',
  'proc/self/mountinfo': '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n',
};

test('check_sys takes shares and rates since the last look', async () => {
  const root = makeTree(HOST);
  const first = await sys.look(lookAt(root, { at: AT - 300_000 }));
  addTo(root, {
    'proc/stat': stat(140, 60, 1040, 20, 10),
    'proc/vmstat': VMSTAT.replace('1000', '4000').replace('oom_kill 2', 'oom_kill 3'),
  });
  const { figures, text } = await sys.look(lookAt(root, { before: JSON.parse(JSON.stringify(first.keep)) }));
  expect(figures).toMatchObject({
    'sys.cpu_user_percent': 40,
    'sys.cpu_system_percent': 10,
    'sys.cpu_wait_percent': 10,
    'sys.cpu_steal_percent': 10,
    'sys.cpu_idle_percent': 40,
    'sys.scan_per_s': 10,
    'sys.killed': 1,
    'sys.blocked': 3,
    'sys.load_per_processor': 3,
    'sys.swap_used_percent': 90,
    'sys.memory_available_percent': 25,
    'sys.available_bytes': 2_100_000 * 1024,
    'sys.files_used_percent': 50,
    'sys.pressure_cpu_percent': 30,
    'sys.pressure_memory_percent': 12,
    'sys.pressure_io_percent': 0.5,
    'sys.uptime_s': 86_400.5,
  });
  expect(text).toMatch(/^CPU 40 % idle, load 6, 1\.9 GB of memory available, \/ \d+ % full, up 24 h$/);
});

test('check_sys measures by itself when the last look was in another boot, or too long ago', async () => {
  const root = makeTree(HOST);
  const naps: number[] = [];
  const sleep = async (ms: number) => {
    naps.push(ms);
    addTo(root, { 'proc/stat': stat(110, 60, 1080, 20) });
  };
  const before = {
    at: AT - 300_000,
    bootedAt: 1,
    ticks: { user: 1, system: 1, idle: 1, wait: 1, steal: 0 },
    scanned: 0,
    swappedIn: 0,
    killed: 0,
  };
  const { figures } = await sys.look(lookAt(root, { before, sleep }));
  expect(naps).toEqual([500]);
  expect(figures).toMatchObject({ 'sys.cpu_user_percent': 10, 'sys.cpu_idle_percent': 80 });
  expect(figures['sys.killed']).toBeUndefined();
});

test('check_sys tells what it cannot read, and makes no figure of it', async () => {
  const { figures, missing } = await sys.look(lookAt(makeTree({ 'proc/self/mountinfo': '' })));
  expect(Object.keys(figures).filter(name => !name.startsWith('sys.disk') && !name.startsWith('sys.inodes'))).toEqual([]);
  expect(missing.map(({ what }) => what)).toEqual([
    'processors and paging',
    'memory and swap',
    'pressure (PSI)',
    'how far the clock is off',
  ]);
});

test('check_sys tells of a dead mount and of a read-only one, and goes on', async () => {
  const root = makeTree({ ...HOST, 'proc/self/mountinfo': MOUNTS });
  const config = { sys: { directories: ['/', '/srv/mail box', '/var/log'], clock: false } };
  const { findings, figures } = await sys.look(lookAt(root, { config, run: async () => ({ ended: 'late' }) }));
  expect(findings.map(({ level, text }) => `${level}: ${text}`)).toEqual([
    'critical: /srv/mail box (nfs4) does not answer in 5 s',
    'critical: /var/log is mounted read-only: nothing can be written below /var/log',
  ]);
  expect(figures['sys.disk_used_percent:/']).toBeGreaterThan(0);
});

test('a directory that a limit names is looked at, whether or not it is a mount of its own', async () => {
  const limit = (figure: string) => ({ name: 'x', figure, is: 'above' as const, warn: 1, forMs: 0, isOwn: true });
  const limits = [limit('sys.disk_used_percent:/usr'), limit('sys.inodes_used_percent:/'), limit('files.age_s:/etc/passwd')];
  const config = { sys: { directories: ['/'], clock: false }, limits };
  const { figures, missing } = await sys.look(lookAt(makeTree({}), { config }));
  expect(Object.keys(figures).filter(name => name.startsWith('sys.disk_used_percent'))).toEqual([
    'sys.disk_used_percent:/',
    'sys.disk_used_percent:/usr',
  ]);
  expect(missing.filter(({ what }) => what.startsWith('space of'))).toEqual([]);
});
