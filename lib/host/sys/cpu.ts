// What the processors did between two looks, and who waits for what. @see proc(5): /proc/stat, /proc/loadavg; PSI: accounting/psi.rst

/** Ticks since boot, all processors together. */
export interface CpuTicks {
  readonly user: number;
  readonly system: number;
  readonly idle: number;
  /** Waiting for a disk. */
  readonly wait: number;
  /** Taken by the hypervisor. */
  readonly steal: number;
}

export interface Stat {
  readonly ticks: CpuTicks;
  readonly processors: number;
  /** Epoch s; changes when the host is restarted (or its clock is set). */
  readonly bootedAt: number;
  readonly blocked: number;
}

/** @returns undefined for what is no /proc/stat */
export function parseStat(text: string): Stat | undefined {
  const [user, nice, system, idle, wait = 0, irq = 0, softirq = 0, steal = 0] = (/^cpu +([\d ]+)$/m.exec(text)?.[1] ?? '')
    .split(' ')
    .map(Number);
  if (user === undefined || nice === undefined || system === undefined || idle === undefined) return undefined;
  return {
    ticks: { user: user + nice, system: system + irq + softirq, idle, wait, steal },
    processors: text.match(/^cpu\d+ /gm)?.length ?? 1,
    bootedAt: Number(/^btime (\d+)$/m.exec(text)?.[1] ?? 0),
    blocked: Number(/^procs_blocked (\d+)$/m.exec(text)?.[1] ?? 0),
  };
}

/** Shares in percent; they sum to 100. */
export interface CpuShares {
  readonly user: number;
  readonly system: number;
  readonly wait: number;
  readonly idle: number;
  readonly steal: number;
}

/** @returns undefined when no tick has passed, or the counters have begun anew */
export function shares(before: CpuTicks, now: CpuTicks): CpuShares | undefined {
  const spent = {
    user: now.user - before.user,
    system: now.system - before.system,
    // The kernel says itself that idle and iowait may go back a little.
    wait: Math.max(0, now.wait - before.wait),
    idle: Math.max(0, now.idle - before.idle),
    steal: Math.max(0, now.steal - before.steal),
  };
  const total = spent.user + spent.system + spent.wait + spent.idle + spent.steal;
  if (total <= 0 || spent.user < 0 || spent.system < 0) return undefined;
  const percent = (part: number) => (part / total) * 100;
  return {
    user: percent(spent.user),
    system: percent(spent.system),
    wait: percent(spent.wait),
    idle: percent(spent.idle),
    steal: percent(spent.steal),
  };
}

/** Load averages over 1, 5 and 15 minutes. */
export function parseLoadavg(text: string): readonly [number, number, number] | undefined {
  const parts = /^([\d.]+) ([\d.]+) ([\d.]+) /.exec(text);
  return parts === null ? undefined : [Number(parts[1]), Number(parts[2]), Number(parts[3])];
}

/** Percent of the last 60 s in which some, or all, tasks waited for this resource; `full` is absent for processors of a whole host. */
export function parsePressure(text: string): { readonly some?: number; readonly full?: number } {
  const of = (word: string) => {
    const found = new RegExp(`^${word} avg10=[\\d.]+ avg60=([\\d.]+) `, 'm').exec(text)?.[1];
    return found === undefined ? {} : { [word]: Number(found) };
  };
  return { ...of('some'), ...of('full') };
}
