// What a lab keeps on disk: who it is (addresses, passwords), which faults are on, and a lock so that two commands do not
// change it at once. A library call, a command and the next command after a crash all find the same.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ActiveFault, Faults } from './faults/place.ts';
import type { Started } from './processes.ts';
import { LabError, sleep } from './run.ts';
import { newPasswords, Site } from './site.ts';

interface Identity {
  readonly net: number;
  readonly madeAt: number;
  readonly passwords: Readonly<Record<string, string>>;
  /** Components that are brought up; absent: all. */
  readonly only?: readonly string[];
  /** The process that the lab belongs to, and that should have taken it down; absent: nobody, as with `lab up`. */
  readonly owner?: Started;
}

/** Unix sockets live below it, and their paths end at 107 characters. */
const LONGEST = 60;

/** Usual place of a lab; one for each user and each net. */
export function defaultDir(net: number): string {
  return `/tmp/healthmon-lab-${process.getuid?.() ?? 0}${net === DEFAULT_NET ? '' : `-${net}`}`;
}

export const DEFAULT_NET = 10;

export class State {
  readonly dir: string;
  readonly #identity: string;
  readonly #faults: string;
  readonly #lock: string;

  constructor(dir: string) {
    this.dir = dir;
    this.#identity = join(dir, 'lab.json');
    this.#faults = join(dir, 'faults.json');
    this.#lock = join(dir, 'lock');
  }

  exists(): boolean {
    return existsSync(this.#identity);
  }

  /** Sets the directory up, or takes over what an earlier lab left there: its passwords and certificates stay good. */
  create(net: number, only: readonly string[] | undefined, owner: Started | undefined): void {
    if (!this.dir.startsWith('/')) throw new LabError(`The lab's directory must be an absolute path: ${this.dir}`);
    if (this.dir.length > LONGEST)
      throw new LabError(`The lab's directory has a path of more than ${LONGEST} characters, too long for sockets: ${this.dir}`);
    mkdirSync(this.dir, { recursive: true, mode: 0o755 });
    if (statSync(this.dir).uid !== process.getuid?.())
      throw new LabError(`${this.dir} belongs to somebody else: choose another directory`);
    const earlier = this.exists() ? this.identity() : undefined;
    this.#write(this.#identity, {
      net,
      madeAt: Date.now(),
      passwords: earlier?.passwords ?? newPasswords(),
      ...(only === undefined ? {} : { only }),
      ...(owner === undefined ? {} : { owner }),
    });
    rmSync(this.#faults, { force: true });
  }

  /** @throws {LabError} when there has never been a lab here. */
  identity(): Identity {
    if (!this.exists()) throw new LabError(`There is no lab in ${this.dir} (npm run lab -- up)`);
    return JSON.parse(readFileSync(this.#identity, 'utf8')) as Identity;
  }

  site(): Site {
    return new Site({ dir: this.dir, ...this.identity() });
  }

  faults(): Faults {
    return new Faults(existsSync(this.#faults) ? (JSON.parse(readFileSync(this.#faults, 'utf8')) as ActiveFault[]) : []);
  }

  setFaults(faults: Faults): void {
    this.#write(this.#faults, faults.list);
  }

  /** Runs `work` while nobody else changes this lab. A lock whose holder has died is taken over. */
  async locked<T>(work: () => Promise<T>): Promise<T> {
    const end = Date.now() + 30_000;
    while (!this.#take()) {
      if (Date.now() > end)
        throw new LabError(`Another command is changing the lab in ${this.dir}: process ${readFileSync(this.#lock, 'utf8')}`);
      await sleep(20);
    }
    try {
      return await work();
    } finally {
      rmSync(this.#lock, { force: true });
    }
  }

  #take(): boolean {
    try {
      writeFileSync(this.#lock, String(process.pid), { flag: 'wx' });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    let holder = 0;
    try {
      holder = Number(readFileSync(this.#lock, 'utf8'));
    } catch {
      return false; // let go meanwhile
    }
    if (holder > 0 && !existsSync(`/proc/${holder}`)) rmSync(this.#lock, { force: true });
    return false;
  }

  #write(file: string, value: unknown): void {
    writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 1)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}
