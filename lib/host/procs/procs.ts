// check_procs: daemons that must run, restarts, zombies, processes that hang, memory that grows, files near the limit.

import type { HostFinding } from '../../model/reading.ts';
import { type Check, Gathering, type Look } from '../check.ts';
import { kept, keptNumber } from '../source.ts';
import { countText, spanText } from '../words.ts';
import { Crowd, type Found, findWanted, knownRunning, mayLookAt } from './find.ts';
import { openFiles, type Process, pageBytes } from './table.ts';

/** A known daemon that was seen is missed for so long. */
const REMEMBER_MS = 7 * 86_400_000;
const HOUR_MS = 3_600_000;
/** More restarts than that within an hour are no longer somebody's doing. @see msprobe: local.autorestart.timeout */
const RESTARTS_PER_HOUR = 3;
/** A small process may well become three times as large. */
const GROWTH_LEAST_BYTES = 100 * 1024 * 1024;
/** Of a daemon with thousands of children, so many are looked at for open files. */
const MOST_LOOKED_AT = 200;

/** What is carried over about a daemon. */
interface Known {
  readonly at: number;
  readonly pid: number;
  readonly startTicks: number;
  /** The largest process when this main process was first seen. */
  readonly bytes: number;
  /** When it was found restarted, within the last hour. */
  readonly restarts: readonly number[];
}

export const procs: Check = {
  name: 'procs',
  async look(look) {
    const gathered = new Gathering();
    const crowd = new Crowd(look.root);
    if (crowd.all.size === 0) {
      gathered.missing.push({ what: 'processes', why: 'there is no /proc: only Linux has one' });
      return gathered.sample('nothing could be read', undefined);
    }
    const stuck = everybody(look, crowd, gathered);
    const found = await daemons(look, crowd, gathered);
    const known = judgeKnown(look, found, gathered);
    memory(found, known, gathered);
    files(look.root, found, gathered);
    return gathered.sample(summary(crowd, found), { daemons: known, stuck });
  },
};

/** Zombies, and what hangs in the kernel now as it did at the last look. @returns those that hang */
function everybody({ before }: Look, { all }: Crowd, gathered: Gathering): readonly string[] {
  const stuck = [...all.values()].filter(({ state }) => state === 'D').map(({ pid, startTicks }) => `${pid}.${startTicks}`);
  const earlier = kept(before, 'stuck');
  const still = Array.isArray(earlier) ? stuck.filter(each => earlier.includes(each)) : [];
  gathered.add({
    'procs.total': all.size,
    'procs.zombies': [...all.values()].filter(({ state }) => state === 'Z').length,
    'procs.stuck': still.length,
  });
  return stuck.slice(0, 1000);
}

/** Those of host.cfg, with findings when they are too few or too many, and the known ones that run. */
async function daemons(look: Look, crowd: Crowd, gathered: Gathering): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const wanted of look.config.procs.daemons) {
    const { name, min, max } = wanted;
    const looked = await findWanted(look.root, crowd, wanted, look.run);
    if ('why' in looked) {
      gathered.findings.push({
        level: 'unknown',
        subject: `daemon:${name}`,
        text: `cannot tell whether ${name} runs: ${looked.why}`,
      });
      continue;
    }
    const n = looked.found.members.length;
    const finding = (text: string): HostFinding => ({ level: 'critical', subject: `daemon:${name}`, text, value: n });
    if (!looked.found.isRunning) gathered.findings.push(finding(`${name} does not run`));
    else if (n > 0 && n < min)
      gathered.findings.push(finding(`${name} has ${countText(n, 'process', 'processes')}, fewer than ${min}`));
    else if (max !== undefined && n > max)
      gathered.findings.push({ ...finding(`${name} has ${n} processes, more than ${max}`), level: 'warning' });
    if (looked.found.isRunning) found.push(looked.found);
  }
  const named = new Set(look.config.procs.daemons.map(({ name }) => name));
  return [...found, ...knownRunning(crowd).filter(({ name }) => !named.has(name))];
}

/** Findings for what ran before and is gone or was restarted. @returns what to carry over */
function judgeKnown(look: Look, found: readonly Found[], gathered: Gathering): Readonly<Record<string, Known>> {
  const { at } = look;
  const before = kept(look.before, 'daemons');
  const known: Record<string, Known> = {};
  let restarted = 0;
  for (const { name, mains, members } of found) {
    const main = mains[0];
    if (main === undefined) continue;
    const earlier = knownOf(kept(before, name));
    const isSame = earlier !== undefined && earlier.pid === main.pid && earlier.startTicks === main.startTicks;
    const restarts = (earlier?.restarts ?? []).filter(when => when > at - HOUR_MS && when <= at);
    const bytes = largest(members);
    known[name] = isSame
      ? { ...earlier, at, restarts }
      : { at, pid: main.pid, startTicks: main.startTicks, bytes, restarts: earlier === undefined ? [] : [...restarts, at] };
    if (isSame || earlier === undefined) continue;
    restarted += 1;
    const times = known[name]?.restarts.length ?? 1;
    gathered.findings.push({
      level: times >= RESTARTS_PER_HOUR ? 'warning' : 'ok',
      subject: `restart:${name}`,
      text:
        times >= RESTARTS_PER_HOUR
          ? `${name} was restarted ${times} times within an hour`
          : `${name} was restarted since the last look (now process ${main.pid})`,
    });
  }
  gathered.add({ 'procs.restarts': before === undefined ? undefined : restarted });
  if (look.config.procs.learn) missed(look, before, known, gathered);
  return known;
}

/** Known daemons that ran and do not any more; `known` keeps them until they are back or forgotten. */
function missed(look: Look, before: unknown, known: Record<string, Known>, gathered: Gathering): void {
  if (typeof before !== 'object' || before === null) return;
  const wanted = new Set(look.config.procs.daemons.map(({ name }) => name));
  for (const name of Object.keys(before)) {
    const earlier = knownOf(kept(before, name));
    if (earlier === undefined || known[name] !== undefined || wanted.has(name)) continue;
    const since = look.at - earlier.at;
    if (since > REMEMBER_MS || since < 0) continue;
    known[name] = earlier;
    gathered.findings.push({
      level: 'critical',
      subject: `daemon:${name}`,
      text: `${name} does not run any more; it was last seen ${spanText(since)} ago`,
      since: earlier.at,
      remedy: `start it; if it is gone for good: learn = false in [procs] of host.cfg, and a [daemon.NAME] for each that must run`,
    });
  }
}

function memory(found: readonly Found[], known: Readonly<Record<string, Known>>, gathered: Gathering): void {
  for (const { name, members } of found) {
    const bytes = members.reduce((sum, { residentPages }) => sum + residentPages, 0) * pageBytes();
    const now = largest(members);
    const first = known[name]?.bytes ?? 0;
    gathered.add({
      [`procs.count:${name}`]: members.length,
      [`procs.memory_bytes:${name}`]: bytes,
      [`procs.memory_growth_percent:${name}`]: now >= GROWTH_LEAST_BYTES && first > 0 ? (now / first - 1) * 100 : undefined,
    });
  }
}

function files(root: string, found: readonly Found[], gathered: Gathering): void {
  const closed: string[] = [];
  for (const { name, mains, members } of found) {
    const main = mains[0];
    if (main === undefined) continue;
    if (!mayLookAt(root, main.pid)) {
      closed.push(name);
      continue;
    }
    const shares = members.slice(0, MOST_LOOKED_AT).flatMap(({ pid }) => {
      const files = openFiles(root, pid);
      return files === undefined ? [] : [(files.open / files.most) * 100];
    });
    gathered.add({ [`procs.files_percent:${name}`]: shares.length === 0 ? undefined : Math.max(...shares) });
  }
  if (closed.length > 0)
    gathered.missing.push({
      what: `open files of ${closed.join(', ')}`,
      why: 'only root and their own users may look at them',
      remedy: 'run check_procs as root',
    });
}

function largest(members: readonly Process[]): number {
  return members.reduce((most, { residentPages }) => Math.max(most, residentPages), 0) * pageBytes();
}

function knownOf(value: unknown): Known | undefined {
  const [at, pid, startTicks, bytes] = ['at', 'pid', 'startTicks', 'bytes'].map(key => keptNumber(value, key));
  if (at === undefined || pid === undefined || startTicks === undefined || bytes === undefined) return undefined;
  const restarts = kept(value, 'restarts');
  return {
    at,
    pid,
    startTicks,
    bytes,
    restarts: Array.isArray(restarts) ? restarts.filter(each => typeof each === 'number') : [],
  };
}

function summary({ all }: Crowd, found: readonly Found[]): string {
  const parts = found.map(({ name, members }) => `${name} ${members.length}`);
  return `${countText(all.size, 'process', 'processes')}${parts.length === 0 ? ', no known daemon among them' : `: ${parts.join(', ')}`}`;
}
