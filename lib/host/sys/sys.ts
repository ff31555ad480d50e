// check_sys: memory, swap, processors, pressure, disks, open files, clock, and the limits of a container.

import { join } from 'node:path';
import { type Check, Gathering, type Look } from '../check.ts';
import { checkOf, instanceOf } from '../figures.ts';
import { queuePlaces } from '../queues/places.ts';
import { deadText, isThere } from '../reach.ts';
import { kept, keptNumber, textOf } from '../source.ts';
import { extended, type Point, pointsOf, slope, timeUntil } from '../trend.ts';
import { numberText, sizeText, spanText } from '../words.ts';
import { readCgroup } from './cgroup.ts';
import { askClock } from './clock.ts';
import { type CpuTicks, parseLoadavg, parsePressure, parseStat, type Stat, shares } from './cpu.ts';
import { type Paging, parseMeminfo, parseVmstat } from './memory.ts';
import { type Asked, askSpace, type Mount, mountOf, parseMounts } from './mounts.ts';

/** Between two looks at the counters when there was no earlier one that will do. */
const SAMPLE_MS = 500;
const HOUR_MS = 3_600_000;
const SPACE_DEADLINE_MS = 5000;
const TREND = { ms: 6 * HOUR_MS, most: 90 };

/** What is carried over to the next look. */
interface Keep {
  readonly at: number;
  readonly bootedAt: number;
  readonly ticks: CpuTicks;
  readonly scanned: number;
  readonly swappedIn: number;
  readonly killed?: number;
  readonly periods?: number;
  readonly throttled?: number;
  readonly used: Readonly<Record<string, readonly Point[]>>;
}

export const sys: Check = {
  name: 'sys',
  async look(look) {
    const gathered = new Gathering();
    const counted = await counts(look, gathered);
    memory(look, gathered);
    load(look, gathered, counted?.now.processors ?? 1);
    pressure(look, gathered);
    const used = await disks(look, gathered);
    if (look.config.sys.clock) await clock(look, gathered);
    const cgroup = readCgroup(look.root);
    gathered.add({ 'sys.cgroup_memory_percent': cgroup.memoryUsedPercent });
    const { periods, throttled } = cgroup;
    if (periods !== undefined && throttled !== undefined) {
      const passed = periods - (keptNumber(look.before, 'periods') ?? periods);
      const held = throttled - (keptNumber(look.before, 'throttled') ?? throttled);
      if (passed > 0 && held >= 0) gathered.add({ 'sys.cgroup_throttled_percent': (held / passed) * 100 });
    }
    const keep: Keep | undefined = counted && {
      at: look.at,
      bootedAt: counted.now.bootedAt,
      ticks: counted.now.ticks,
      scanned: counted.paging.scanned,
      swappedIn: counted.paging.swappedIn,
      used,
      ...(counted.paging.killed === undefined ? {} : { killed: counted.paging.killed }),
      ...(periods === undefined || throttled === undefined ? {} : { periods, throttled }),
    };
    return gathered.sample(summary(gathered.figures), keep);
  },
};

interface Counted {
  readonly now: Stat;
  readonly paging: Paging;
}

/** Processor shares and paging rates: since the last look when that was in this boot and at most two hours ago, else over half a second. */
async function counts(look: Look, gathered: Gathering): Promise<Counted | undefined> {
  const first = counted(look.root);
  if (first === undefined) {
    gathered.missing.push({ what: 'processors and paging', why: 'there is no /proc/stat: only Linux has one' });
    return undefined;
  }
  const earlier = keptCounts(look.before, first.now.bootedAt, look.at);
  let since = earlier;
  let latest = first;
  let ms = earlier === undefined ? 0 : look.at - earlier.at;
  if (since === undefined) {
    const began = performance.now();
    await look.sleep(SAMPLE_MS);
    latest = counted(look.root) ?? first;
    ms = performance.now() - began;
    since = { ticks: first.now.ticks, scanned: first.paging.scanned, swappedIn: first.paging.swappedIn, at: look.at };
  }
  const cpu = shares(since.ticks, latest.now.ticks);
  const perSecond = (delta: number) => (delta >= 0 && ms > 0 ? (delta / ms) * 1000 : undefined);
  const killedBefore = earlier?.killed;
  const { killed } = latest.paging;
  gathered.add({
    'sys.cpu_user_percent': cpu?.user,
    'sys.cpu_system_percent': cpu?.system,
    'sys.cpu_wait_percent': cpu === undefined ? undefined : cpu.wait + cpu.steal,
    'sys.cpu_steal_percent': cpu?.steal,
    'sys.cpu_idle_percent': cpu?.idle,
    'sys.scan_per_s': perSecond(latest.paging.scanned - since.scanned),
    'sys.swap_in_per_s': perSecond(latest.paging.swappedIn - since.swappedIn),
    'sys.killed': killed === undefined || killedBefore === undefined ? undefined : killed - killedBefore,
    'sys.blocked': latest.now.blocked,
    'sys.uptime_s': Number(/^([\d.]+)/.exec(textOf(join(look.root, 'proc/uptime')) ?? '')?.[1]),
  });
  return latest;
}

function counted(root: string): Counted | undefined {
  const now = parseStat(textOf(join(root, 'proc/stat')) ?? '');
  return now && { now, paging: parseVmstat(textOf(join(root, 'proc/vmstat')) ?? '') };
}

function keptCounts(
  before: unknown,
  bootedAt: number,
  at: number,
): Pick<Keep, 'at' | 'ticks' | 'scanned' | 'swappedIn' | 'killed'> | undefined {
  const then = keptNumber(before, 'at');
  const ticks = kept(before, 'ticks');
  const scanned = keptNumber(before, 'scanned');
  const swappedIn = keptNumber(before, 'swappedIn');
  // btime moves by a second now and then, as the clock is adjusted.
  const sameBoot = Math.abs((keptNumber(before, 'bootedAt') ?? 0) - bootedAt) <= 5;
  if (then === undefined || scanned === undefined || swappedIn === undefined || !sameBoot) return undefined;
  if (at - then < 1000 || at - then > 2 * HOUR_MS) return undefined;
  const of = (name: keyof CpuTicks) => keptNumber(ticks, name) ?? Number.NaN;
  const killed = keptNumber(before, 'killed');
  return {
    at: then,
    ticks: { user: of('user'), system: of('system'), idle: of('idle'), wait: of('wait'), steal: of('steal') },
    scanned,
    swappedIn,
    ...(killed === undefined ? {} : { killed }),
  };
}

function memory({ root }: Look, gathered: Gathering): void {
  const found = parseMeminfo(textOf(join(root, 'proc/meminfo')) ?? '');
  if (found === undefined) {
    gathered.missing.push({ what: 'memory and swap', why: 'there is no /proc/meminfo' });
    return;
  }
  const { totalBytes, availableBytes, swapTotalBytes, swapFreeBytes } = found;
  gathered.add({
    'sys.memory_available_bytes': availableBytes,
    'sys.memory_available_percent': (availableBytes / totalBytes) * 100,
    'sys.swap_free_bytes': swapTotalBytes === 0 ? undefined : swapFreeBytes,
    'sys.swap_used_percent': swapTotalBytes === 0 ? undefined : ((swapTotalBytes - swapFreeBytes) / swapTotalBytes) * 100,
    'sys.available_bytes': availableBytes + swapFreeBytes,
  });
  const [open, , most] = (textOf(join(root, 'proc/sys/fs/file-nr')) ?? '').trim().split(/\s+/).map(Number);
  const entropy = textOf(join(root, 'proc/sys/kernel/random/entropy_avail'));
  gathered.add({
    'sys.files_used_percent': open !== undefined && most !== undefined && most > 0 ? (open / most) * 100 : undefined,
    'sys.entropy_bits': entropy === undefined ? undefined : Number(entropy),
  });
}

function load({ root }: Look, gathered: Gathering, processors: number): void {
  const found = parseLoadavg(textOf(join(root, 'proc/loadavg')) ?? '');
  if (found === undefined) return;
  const [load1, load5, load15] = found;
  gathered.add({ 'sys.load1': load1, 'sys.load5': load5, 'sys.load15': load15, 'sys.load_per_processor': load5 / processors });
}

function pressure({ root }: Look, gathered: Gathering): void {
  const of = (what: string) => textOf(join(root, 'proc/pressure', what));
  const [cpu, mem, io] = [of('cpu'), of('memory'), of('io')];
  if (cpu === undefined) {
    gathered.missing.push({
      what: 'pressure (PSI)',
      why: 'there is no /proc/pressure: the kernel is older than 4.20, or was started with psi=0',
    });
    return;
  }
  gathered.add({
    'sys.pressure_cpu_percent': parsePressure(cpu).some,
    'sys.pressure_memory_percent': parsePressure(mem ?? '').full,
    'sys.pressure_io_percent': parsePressure(io ?? '').full,
  });
}

/** @returns what was used so far, by directory */
async function disks(look: Look, gathered: Gathering): Promise<Readonly<Record<string, readonly Point[]>>> {
  const mounts = parseMounts(textOf(join(look.root, 'proc/self/mountinfo')) ?? '');
  const used: Record<string, readonly Point[]> = {};
  const told = new Set<Mount>();
  const asked = directories(look, mounts).map(async ({ label, path }) => {
    const mount = mountOf(path, mounts);
    const dead = look.deadOn(path);
    if (dead !== undefined) told.add(dead);
    const found: Asked =
      dead === undefined ? await askSpace(path, mount, look.run, SPACE_DEADLINE_MS) : { why: deadText(dead), isHung: true };
    return { label, path, mount, found };
  });
  for (const { label, path, mount, found } of await Promise.all(asked)) {
    if ('why' in found) {
      if (found.isHung) gathered.findings.push({ level: 'critical', subject: `disk:${label}`, text: found.why });
      else gathered.missing.push({ what: `space of ${path}`, why: found.why });
      continue;
    }
    const { totalBytes, freeBytes, usedPercent, inodesUsedPercent } = found.space;
    const seen = pointsOf(kept(kept(look.before, 'used'), label));
    const points = extended(seen, [look.at, totalBytes - freeBytes], TREND);
    used[label] = points;
    const fullIn = timeUntil(freeBytes, slope(points, HOUR_MS / 2), 90 * 24 * HOUR_MS);
    gathered.add({
      [`sys.disk_used_percent:${label}`]: usedPercent,
      [`sys.disk_free_bytes:${label}`]: freeBytes,
      [`sys.inodes_used_percent:${label}`]: inodesUsedPercent,
      [`sys.disk_full_in_s:${label}`]: fullIn === undefined ? undefined : fullIn / 1000,
    });
    if (
      mount?.isReadOnly === true &&
      (path !== '/' || queuePlaces(look).some(({ directory }) => mountOf(directory, mounts) === mount))
    )
      gathered.findings.push({
        level: 'critical',
        subject: `disk:${label}`,
        text: `${mount.at} is mounted read-only: nothing can be written below ${path}`,
        remedy: `dmesg | tail; mount -o remount,rw ${mount.at}`,
      });
  }
  for (const mount of look.dead.filter(each => !told.has(each)))
    gathered.findings.push({
      level: 'warning',
      subject: `disk:${mount.at}`,
      text: `${deadText(mount)}: whoever looks at it hangs`,
    });
  return used;
}

/**
 * Those of host.cfg as they are written there, else one for each file system that mail, logs and queue lie on, by its mount point; and
 * those that limits name.
 */
function directories(look: Look, mounts: readonly Mount[]): readonly { readonly label: string; readonly path: string }[] {
  const own = look.config.sys.directories;
  const found = own.length > 0 ? own.map(path => ({ label: path, path })) : usualDirectories(look, mounts);
  const named = look.config.limits
    .filter(({ figure }) => checkOf(figure) === 'sys')
    .flatMap(({ figure }) => instanceOf(figure) ?? []);
  const more = [...new Set(named)].filter(path => !found.some(({ label }) => label === path));
  return [...found, ...more.map(path => ({ label: path, path }))];
}

function usualDirectories(look: Look, mounts: readonly Mount[]): readonly { readonly label: string; readonly path: string }[] {
  const usual = [
    '/',
    '/var/log',
    '/var/mail',
    '/var/vmail',
    '/var/spool',
    ...queuePlaces(look).map(({ directory }) => directory),
  ];
  const byDevice = new Map<string, { label: string; path: string }>();
  for (const path of usual) {
    const mount = mountOf(path, mounts);
    const device = mount?.device ?? path;
    // Whether a path on a mount that may hang exists is not asked: that would hang.
    if (
      byDevice.has(device) ||
      (path !== '/' && mount?.at === '/') ||
      (mount === undefined && !isThere({ root: '/', deadOn: look.deadOn }, path))
    )
      continue;
    byDevice.set(device, { label: mount?.at ?? path, path: mount?.at ?? path });
  }
  return [...byDevice.values()];
}

async function clock(look: Look, gathered: Gathering): Promise<void> {
  const found = await askClock(look.root, look.run);
  if ('why' in found) {
    gathered.missing.push({
      what: 'how far the clock is off',
      why: found.why,
      remedy: 'install chrony, or set clock = false in [sys] of host.cfg',
    });
    return;
  }
  gathered.add({ 'sys.clock_offset_ms': found.offsetMs === undefined ? undefined : Math.abs(found.offsetMs) });
  if (!found.isSynchronised)
    gathered.findings.push({
      level: 'warning',
      subject: 'clock',
      text: `${found.keeper} runs, but has no time from anybody: the clock drifts`,
    });
}

function summary(figures: Readonly<Record<string, number>>): string {
  const parts: string[] = [];
  const of = (name: string) => figures[`sys.${name}`];
  const idle = of('cpu_idle_percent');
  if (idle !== undefined) parts.push(`CPU ${Math.round(idle)} % idle`);
  const [load5, memory] = [of('load5'), of('memory_available_bytes')];
  if (load5 !== undefined) parts.push(`load ${numberText(load5)}`);
  if (memory !== undefined) parts.push(`${sizeText(memory)} of memory available`);
  const fullest = Object.entries(figures)
    .filter(([name]) => name.startsWith('sys.disk_used_percent:'))
    .sort((a, b) => b[1] - a[1])[0];
  if (fullest !== undefined) parts.push(`${fullest[0].slice('sys.disk_used_percent:'.length)} ${Math.round(fullest[1])} % full`);
  const uptime = of('uptime_s');
  if (uptime !== undefined) parts.push(`up ${spanText(uptime * 1000)}`);
  return parts.length === 0 ? 'nothing could be read' : parts.join(', ');
}
