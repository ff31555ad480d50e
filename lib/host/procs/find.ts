// Which processes belong to which daemon.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonWanted } from '../config.ts';
import { eachSocket } from '../mconn/sockets.ts';
import type { Run } from '../program.ts';
import { textOf } from '../source.ts';
import { KNOWN_DAEMONS } from './daemons.ts';
import { childrenOf, commandLine, family, type Process, processes } from './table.ts';

/** A daemon as it was found: its main processes, and those with all that stem from them. */
export interface Found {
  readonly name: string;
  readonly isRunning: boolean;
  readonly mains: readonly Process[];
  readonly members: readonly Process[];
}

/** One look at all processes. */
export class Crowd {
  readonly all: ReadonlyMap<number, Process>;
  readonly #root: string;
  readonly #children: ReadonlyMap<number, readonly number[]>;
  readonly #byProgram = new Map<string, Process[]>();
  readonly #commandLines = new Map<number, string>();

  constructor(root: string) {
    this.#root = root;
    this.all = processes(root);
    this.#children = childrenOf(this.all);
    for (const process of this.all.values()) {
      const list = this.#byProgram.get(process.program);
      if (list === undefined) this.#byProgram.set(process.program, [process]);
      else list.push(process);
    }
  }

  /** By the program's name and, where wanted, the command line; zombies have neither memory nor work and are left out. */
  byProgram(name: string, programs: readonly string[], args: RegExp | undefined): Found {
    const matching = programs
      .flatMap(program => this.#byProgram.get(program) ?? [])
      .filter(({ pid, state }) => state !== 'Z' && (args === undefined || args.test(this.#commandLine(pid))));
    return this.#found(name, matching);
  }

  byPid(name: string, pid: number): Found {
    const process = this.all.get(pid);
    return this.#found(name, process === undefined || process.state === 'Z' ? [] : [process]);
  }

  /** A main process is one whose ancestors are none of the same daemon. */
  #found(name: string, matching: readonly Process[]): Found {
    const pids = new Set(matching.map(({ pid }) => pid));
    const mains = matching.filter(({ parent }) => !pids.has(parent)).sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
    const members = new Map<number, Process>();
    for (const { pid } of mains) for (const member of family(pid, this.all, this.#children)) members.set(member.pid, member);
    return { name, isRunning: mains.length > 0, mains, members: [...members.values()] };
  }

  #commandLine(pid: number): string {
    const known = this.#commandLines.get(pid);
    if (known !== undefined) return known;
    const line = commandLine(this.#root, pid);
    this.#commandLines.set(pid, line);
    return line;
  }
}

/** All known daemons that run. */
export function knownRunning(crowd: Crowd): readonly Found[] {
  return [...KNOWN_DAEMONS.values()]
    .map(({ name, programs, arguments: args }) => crowd.byProgram(name, programs, args))
    .filter(({ mains }) => mains.length > 0);
}

/** How a daemon of host.cfg was looked for and what was found; `why` when that could not be done at all. */
export type Looked = { readonly found: Found } | { readonly why: string };

export async function findWanted(root: string, crowd: Crowd, wanted: DaemonWanted, run: Run): Promise<Looked> {
  const { name, programs, pidFile, unit, port } = wanted;
  const known = KNOWN_DAEMONS.get(name);
  const args = wanted.arguments === undefined ? undefined : new RegExp(wanted.arguments);
  if (pidFile !== undefined) {
    const pid = Number(/^\s*(\d+)/.exec(textOf(join(root, pidFile)) ?? '')?.[1] ?? 0);
    return { found: crowd.byPid(name, pid) };
  }
  if (programs.length > 0) return { found: crowd.byProgram(name, programs, args) };
  if (unit !== undefined) {
    const asked = await run(['systemctl', 'show', '--property=MainPID,ActiveState', '--', unit], { deadlineMs: 3000 });
    if (asked.ended !== 'done' || asked.status !== 0) return { why: `systemctl does not tell about ${unit}` };
    const pid = Number(/^MainPID=(\d+)$/m.exec(asked.stdout)?.[1] ?? 0);
    return { found: crowd.byPid(name, pid) };
  }
  if (port !== undefined) return byPort(root, name, port);
  return { found: crowd.byProgram(name, known?.programs ?? [name], args ?? known?.arguments) };
}

/** Something listens there; whose socket that is, only root could tell. */
function byPort(root: string, name: string, port: number): Looked {
  let listens = false;
  for (const file of ['tcp', 'tcp6'])
    eachSocket(textOf(join(root, 'proc/net', file)) ?? '', socket => {
      if (socket.state === 'LISTEN' && socket.localPort === port) listens = true;
    });
  return { found: { name, isRunning: listens, mains: [], members: [] } };
}

/** Whether we may look at what a process has open; a process of our own always. */
export function mayLookAt(root: string, pid: number): boolean {
  try {
    readdirSync(join(root, 'proc', String(pid), 'fd'));
    return true;
  } catch {
    return false;
  }
}
