// The lab as a library: a whole mail site of real daemons on loopback, brought up, broken, mended and taken down. See README.md.

import { chownSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Component } from '../../lib/model/component.ts';
import { portsInUse } from './addresses.ts';
import { type EtcOptions, writeEtc } from './config.ts';
import { daemonsOf } from './daemons/all.ts';
import { makeFolder } from './daemons/daemon.ts';
import { activeFault, faultKind } from './faults/catalogue.ts';
import { type ActiveFault, Faults, faultText } from './faults/place.ts';
import type { Truth } from './faults/truth.ts';
import { heal } from './heal.ts';
import { inside } from './namespace.ts';
import { noLabText, whyNoLab } from './packages.ts';
import { applyRules } from './packets.ts';
import { isAlive, Processes, processNow, type Started } from './processes.ts';
import { type QueuedMessage, queueOf } from './queue.ts';
import { Reconciler } from './reconcile.ts';
import { LabError } from './run.ts';
import { type Account, newPasswords, Site, VMAIL } from './site.ts';
import { State } from './state.ts';
import { type ComponentStatus, statusOf } from './status.ts';
import { makeAuthority } from './tls.ts';

/** Directories of labs that a test made for itself. */
const PREFIX = 'hmlab-';

export interface LabOptions {
  /** Where its state lives; a fresh directory below /tmp when absent. */
  readonly dir?: string;
  /** Second byte of its addresses; `free`: one that nobody uses now (the default). */
  readonly net?: number | 'free';
  /** Kinds (`mta`) or names (`ims1`) that are brought up; absent: all. */
  readonly only?: readonly string[] | undefined;
  readonly say?: ((text: string) => void) | undefined;
}

interface UpOptions extends LabOptions {
  readonly net: number | 'free';
  /** The process that will take it down; absent: it stays until `lab down`. */
  readonly owner?: Started | undefined;
}

/** A fault that is on. */
export interface LabFault {
  readonly name: string;
  readonly place: string;
  readonly truth: Truth;
  /** Returns when the site is healthy again, but for faults that are still on. */
  off(): Promise<void>;
}

/** @throws {LabError} when this machine cannot have one, or a daemon does not start. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const why = whyNoLab();
  if (why !== undefined) throw new LabError(noLabText(why));
  await clearAbandoned();
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), PREFIX));
  const lab = new Lab(dir);
  await lab.up({ net: options.net ?? 'free', only: options.only, say: options.say, owner: processNow(process.pid) });
  return lab;
}

/** Takes down what tests left behind that were killed: labs of `startLab` whose process is gone. */
export async function clearAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter(each => each.startsWith(PREFIX))) {
    const state = new State(join(tmpdir(), name));
    const owner = state.exists() ? state.identity().owner : undefined;
    if (owner !== undefined && !isAlive(owner)) await new Lab(state.dir).stop();
  }
}

export class Lab implements AsyncDisposable {
  readonly dir: string;
  readonly #state: State;
  readonly #processes: Processes;

  /** A lab by its directory, running or not. */
  constructor(dir: string) {
    this.dir = dir;
    this.#state = new State(dir);
    this.#processes = new Processes(join(dir, 'processes.json'));
  }

  get site(): Site {
    return this.#state.site();
  }

  get accounts(): readonly Account[] {
    return this.site.accounts;
  }

  get components(): readonly ComponentStatus[] {
    return this.site.machines.map(machine => statusOf(machine, this.#processes));
  }

  get faults(): readonly ActiveFault[] {
    return this.#state.faults().list;
  }

  get isUp(): boolean {
    return this.#state.exists() && this.components.some(({ daemons }) => daemons.some(({ state }) => state !== 'stopped'));
  }

  /** PEM file of the authority that signed every certificate. */
  get ca(): string {
    return join(this.dir, 'ca.pem');
  }

  /** The address of a component: `lab.address('mta/ssmtp01')`. */
  address(component: Component): string {
    return this.site.machine(component).address;
  }

  /** Brings it up afresh: what an earlier lab in this directory left running is ended, its mail thrown away. */
  async up({ net, only, owner, say = () => {} }: UpOptions): Promise<void> {
    requireNames(only ?? []);
    await this.#clean();
    const state = this.#state;
    const chosen = await this.#chooseNet(net);
    state.create(chosen, only, owner);
    await state.locked(async () => {
      const site = state.site();
      const taken = await portsInUse(site);
      if (taken.length > 0) {
        throw new LabError(
          `Cannot bring up a lab in ${this.dir}: in use: ${taken.join(', ')} (another lab? then --net N; a mail server on all addresses?)`,
        );
      }
      say(`Making certificates and configuration in ${this.dir} ...`);
      makeFolder(this.dir);
      await makeAuthority(join(this.dir, 'tls'), 'ca', 'healthmon lab authority');
      copyFileSync(join(this.dir, 'tls', 'ca.pem'), this.ca);
      const none = new Faults();
      try {
        say('Starting daemons ...');
        await this.#reconciler().apply(none, none);
        say('Waiting until every door answers ...');
        await heal({ site, processes: this.#processes, left: none });
      } catch (error) {
        await this.#end();
        throw error;
      }
    });
  }

  /** Ends every process that it started and takes its packet filter rules away. `purge`: and its directory. */
  async stop(options: { readonly purge?: boolean } = {}): Promise<void> {
    if (!this.#state.exists()) return; // whatever the directory holds, it is not ours
    await this.#state.locked(() => this.#end());
    if (options.purge !== false) rmSync(this.dir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Puts a fault on; returns when it is in force. `place` may be left out where there is only one. */
  async fault(name: string, place?: string, options: { readonly seconds?: number } = {}): Promise<LabFault> {
    const fault = await this.#state.locked(async () => {
      const wanted = activeFault(this.site, name, place, options.seconds);
      const before = this.#state.faults();
      await this.#change(before, before.with(wanted));
      return wanted;
    });
    return {
      name: fault.name,
      place: faultText(fault).slice(fault.name.length + 1),
      truth: faultKind(name).truth(fault),
      off: () => this.off(fault),
    };
  }

  /** Takes these faults away, or all; returns when the site is healthy but for the others. */
  async off(...faults: readonly ActiveFault[]): Promise<void> {
    await this.#state.locked(async () => {
      const before = this.#state.faults();
      const gone =
        faults.length === 0
          ? before.list
          : before.list.filter(each => faults.some(other => faultText(other) === faultText(each)));
      const next = gone.reduce((list, fault) => list.without(fault), before);
      await this.#change(before, next);
      await heal({ site: this.site, processes: this.#processes, before, left: next });
    });
  }

  /** A command line that runs `command` with the lab's name server: `runmonitor` then finds `ssmtp01.lab.test`. */
  inside(command: readonly string[]): string[] {
    return inside(this.site, command);
  }

  /** Writes `etc/` for healthmon: site.cfg, sequence.cfg, site.key, ca.pem and the secrets. @throws {LabError} before the first `up` */
  etc(dir: string, options: EtcOptions = {}): void {
    if (!existsSync(this.ca)) throw new LabError(`There is no lab in ${this.dir}: bring it up first (npm run lab -- up)`);
    writeEtc(this.site, dir, options);
  }

  /** The Maildir of an account; its `new` and `cur` are the inbox, `.Junk` the folder. */
  maildir(account: string): string {
    return this.site.path('mail', this.site.account(account).store, account);
  }

  /** Puts a message into an inbox, or into `.Junk`, past every server. @returns its file. */
  plant(account: string, text: string, folder: '' | '.Junk' = ''): string {
    const maildir = join(this.maildir(account), folder);
    for (const part of ['', 'tmp', 'new', 'cur']) {
      if (!existsSync(join(maildir, part))) makeFolder(join(maildir, part), 0o700, VMAIL, VMAIL);
    }
    const file = join(maildir, 'new', `${Math.floor(Date.now() / 1000)}.P${process.hrtime.bigint()}.planted`);
    writeFileSync(file, text, { mode: 0o600 });
    chownSync(file, VMAIL, VMAIL);
    return file;
  }

  /** What `postqueue -j` says. */
  mtaQueue(mta: string): Promise<QueuedMessage[]> {
    return queueOf(this.site, mta.replace(/^mta\//, ''));
  }

  /** The log of a component's daemon so far. */
  log(component: Component): string {
    const [daemon] = daemonsOf(this.site.machine(component));
    const file = daemon === undefined ? '' : this.site.path(daemon.log);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async #change(before: Faults, next: Faults): Promise<void> {
    // Written down first: what fails halfway is still taken away by `off`.
    this.#state.setFaults(next);
    await this.#reconciler().apply(before, next);
  }

  #reconciler(): Reconciler {
    return new Reconciler(this.site, this.#processes, this.#state.identity().only);
  }

  async #chooseNet(net: number | 'free'): Promise<number> {
    if (net !== 'free') return net;
    for (let step = 0; step < 150; step++) {
      const candidate = 100 + ((process.pid * 47 + step) % 150); // two that start at once begin far apart
      const site = new Site({ dir: this.dir, net: candidate, madeAt: 0, passwords: newPasswords() });
      if ((await portsInUse(site)).length === 0) return candidate;
    }
    throw new LabError('No free addresses for a lab between 127.100.0.0 and 127.249.0.0');
  }

  /** Ends what runs and removes mail, queues and data; who the lab is stays. */
  async #clean(): Promise<void> {
    if (!this.#state.exists()) {
      if (existsSync(this.dir) && readdirSync(this.dir).length > 0)
        throw new LabError(`${this.dir} holds something else than a lab; choose another directory`);
      return;
    }
    await this.#state.locked(() => this.#end());
    for (const name of ['mail', ...this.site.machines.map(machine => machine.name)])
      rmSync(join(this.dir, name), { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    await this.#processes.stop(this.#processes.list().map(({ id }) => id));
    await applyRules(this.#state.identity().net, undefined);
    this.#state.setFaults(new Faults());
  }
}

function requireNames(only: readonly string[]): void {
  const site = new Site({ dir: '/', net: 1, madeAt: 0, passwords: newPasswords() });
  const known = site.machines.flatMap(({ component, name }) => [component, name, component.slice(0, component.indexOf('/'))]);
  const unknown = only.filter(name => !known.includes(name));
  if (unknown.length > 0)
    throw new LabError(`No such part of the lab: ${unknown.join(', ')}. There are: ${[...new Set(known)].join(' ')}`);
}
