// The lab's own processes: started in sessions of their own, written down with pid and start time before anything else is done
// with them, and ended only while both still match. A daemon's children are those in its session, so they are found even when
// the daemon itself was killed. Nothing is ever ended by name.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LabError, sleep } from './run.ts';

export interface Started {
  /** `ssmtp01/postfix` */
  readonly id: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. Together with the pid it names one process for ever. */
  readonly start: string;
  /** It keeps nothing, and is ended without asking. */
  readonly stateless?: boolean;
}

interface Stat {
  readonly pid: number;
  readonly program: string;
  readonly state: string;
  readonly session: number;
  readonly start: string;
}

/** The record of started processes, kept in a file so that any later command can end them. */
export class Processes {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  list(): readonly Started[] {
    if (!existsSync(this.#file)) return [];
    return JSON.parse(readFileSync(this.#file, 'utf8')) as readonly Started[];
  }

  /** The process of that id, while it lives. */
  find(id: string): Started | undefined {
    return this.list().find(started => started.id === id && isAlive(started));
  }

  /** Starts a program in the foreground of a session of its own; what it prints goes to the end of `log`. */
  start(id: string, command: readonly string[], log: string, stateless = false): Started {
    const [program = '', ...args] = command;
    const output = openSync(log, 'a');
    try {
      const child = spawn(program, args, {
        detached: true,
        stdio: ['ignore', output, output],
        cwd: '/',
        env: daemonEnvironment(),
      });
      child.on('error', () => {}); // told by the missing pid
      child.unref();
      const stat = child.pid === undefined ? undefined : readStat(child.pid);
      if (stat === undefined) throw new LabError(`Cannot start ${program}`);
      const started = { id, pid: stat.pid, start: stat.start, ...(stateless ? { stateless } : {}) };
      this.#write([...this.list().filter(other => other.id !== id), started]);
      return started;
    } finally {
      closeSync(output);
    }
  }

  /** Ends these processes with all their children, and forgets them. */
  async stop(ids: readonly string[]): Promise<void> {
    const ended = this.list().filter(started => ids.includes(started.id));
    await endAll(ended);
    this.#write(this.list().filter(started => !ended.some(other => other.id === started.id)));
  }

  #write(list: readonly Started[]): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(list, null, 1));
    renameSync(`${this.#file}.new`, this.#file);
  }
}

/** A process that is not the lab's, as it is now: the one that asks, for example. */
export function processNow(pid: number): Started | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { id: stat.program, pid, start: stat.start };
}

export function isAlive(started: Started): boolean {
  const stat = readStat(started.pid);
  return stat !== undefined && stat.start === started.start && stat.state !== 'Z';
}

/** The daemon and everything in its session that is not a zombie. */
export function membersOf(started: Started): readonly Stat[] {
  const leader = readStat(started.pid);
  // While a member of the session lives, the kernel gives the leader's pid to nobody else; a new process bears a new start time.
  if (leader !== undefined && leader.start !== started.start) return [];
  return allProcesses().filter(
    stat => stat.session === started.pid && stat.state !== 'Z' && Number(stat.start) >= Number(started.start),
  );
}

/** Stops the clock of a daemon and all its children; repeated until no new child appears. */
export async function freeze(started: Started): Promise<void> {
  for (;;) {
    const awake = membersOf(started).filter(stat => stat.state !== 'T');
    if (awake.length === 0) return;
    for (const { pid } of awake) signal(pid, 'SIGSTOP');
    await sleep(5);
  }
}

export function thaw(started: Started): void {
  for (const { pid } of membersOf(started)) signal(pid, 'SIGCONT');
}

export function isFrozen(started: Started): boolean {
  return readStat(started.pid)?.state === 'T';
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** TERM to the daemons, TERM to all that is left after 1.5 s, KILL after 3 s. */
async function endAll(list: readonly Started[]): Promise<void> {
  for (const started of list) {
    if (started.stateless === true) for (const { pid } of membersOf(started)) signal(pid, 'SIGKILL');
    else if (isAlive(started)) signal(started.pid, 'SIGTERM');
    else for (const { pid } of membersOf(started)) signal(pid, 'SIGTERM');
    thaw(started);
  }
  const began = Date.now();
  let left = list;
  for (let asked = 0; ; ) {
    left = left.filter(started => membersOf(started).length > 0);
    if (left.length === 0) return;
    const waited = Date.now() - began;
    // A daemon that is gone takes no care of its children any more.
    for (const started of left) if (!isAlive(started)) for (const { pid } of membersOf(started)) signal(pid, 'SIGTERM');
    if (waited > 1500 && asked === 0) {
      asked = 1;
      for (const started of left) for (const { pid } of membersOf(started)) signal(pid, 'SIGTERM');
    }
    // Dovecot's master waits a whole second for its log writer when all else has gone; there is nothing left to write.
    for (const started of left) {
      const members = membersOf(started);
      if (waited > 50 && members.every(({ program }) => program === 'dovecot' || program === 'log'))
        for (const { pid } of members) signal(pid, 'SIGKILL');
    }
    if (waited > 3000) for (const started of left) for (const { pid } of membersOf(started)) signal(pid, 'SIGKILL');
    if (waited > 10_000) throw new LabError(`Cannot end ${left.map(started => `${started.id} (${started.pid})`).join(', ')}`);
    await sleep(10);
  }
}

function allProcesses(): Stat[] {
  const found: Stat[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readStat(pid) : undefined;
    if (stat !== undefined) found.push(stat);
  }
  return found;
}

function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // it has ended
  }
  // The program's name stands in brackets and may hold blanks: fields are counted from the last bracket.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', , , session] = fields;
  const program = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
  return { pid, program, state, session: Number(session), start: fields[19] ?? '' };
}

/** Nothing of the caller's environment reaches a daemon but the path and the language. */
function daemonEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: process.env.TZ };
}
