// Makes the running daemons agree with a list of faults. There is one way for on, off and up: work out from the list what every
// daemon should be (its files, running or stopped or frozen), what the packet filter and the bad peers should do, and change what
// differs. So faults combine, and nothing of one stays behind when it is taken away.

import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { allDaemons } from './daemons/all.ts';
import { blemishOf, type Daemon, tlsFolder, writeFiles } from './daemons/daemon.ts';
import { changeAccounts } from './directory.ts';
import type { ActiveFault, Faults } from './faults/place.ts';
import { applyRules, ruleset } from './packets.ts';
import { freeze, isFrozen, membersOf, type Processes, type Started, signal, thaw } from './processes.ts';
import { peerCommand, peersFor } from './relays.ts';
import { LabError, run, sleep, until } from './run.ts';
import { type Door, type Machine, type Site, VMAIL } from './site.ts';
import { makeCertificate } from './tls.ts';

type Wanted = 'running' | 'stopped' | 'frozen';

/** For one change of the list. */
export class Reconciler {
  readonly site: Site;
  readonly processes: Processes;
  readonly #only: readonly string[] | undefined;
  readonly #restarted: string[] = [];

  constructor(site: Site, processes: Processes, only: readonly string[] | undefined) {
    this.site = site;
    this.processes = processes;
    this.#only = only;
  }

  /** Brings the lab from one list of faults to another; returns when daemons, packets and peers are as they should be. */
  async apply(before: Faults, next: Faults): Promise<void> {
    const { site, processes } = this;
    const daemons = allDaemons(site);
    const peers = peersFor(site, next);
    await this.#makeCertificates(next);
    // What is to go goes first: no redirection, no dropped packet stands in the way of what follows.
    const staying = before.list.filter(fault => next.at(fault.name, fault.component, fault.protocol) !== undefined);
    if (staying.length < before.list.length) {
      const kept = before.list.filter(fault => !staying.includes(fault)).reduce((faults, fault) => faults.without(fault), before);
      await applyRules(site.net, ruleset(site, kept, peersFor(site, kept)));
    }
    await processes.stop(
      processes
        .list()
        .map(({ id }) => id)
        .filter(id => id.startsWith('peer ') && !peers.some(peer => peer.id === id)),
    );
    for (const daemon of daemons) {
      const started = processes.find(daemon.id);
      if (started !== undefined && isFrozen(started) && this.#wanted(daemon, next) !== 'frozen') thaw(started);
    }
    setRights(site, next);
    await allDone(daemons.map(daemon => this.#settle(daemon, next)));
    const changed = await changeAccounts(site, before, next, component => this.#isUp(component, next));
    const gone = before.list.filter(fault => !staying.includes(fault));
    if (changed || gone.some(concernsDirectory) || this.#restarted.some(id => id.endsWith('/slapd'))) await this.#askAnew(next);

    await allDone(peers.map(peer => this.#startPeer(peer.id, peer)));
    await applyRules(site.net, ruleset(site, next, peers));
    // A bad peer meets new connections only, and to a directory people stay connected.
    const fresh = next.list.filter(fault => before.at(fault.name, fault.component, fault.protocol) === undefined);
    if (fresh.some(fault => fault.name === 'reset' && concernsDirectory(fault))) await this.#askAnew(next);
    for (const daemon of daemons) {
      const started = processes.find(daemon.id);
      if (started !== undefined && this.#wanted(daemon, next) === 'frozen') await freeze(started);
    }
  }

  /** Whether a component's daemons should run and answer. */
  #isUp(component: Machine['component'], faults: Faults): boolean {
    return allDaemons(this.site).every(daemon => daemon.component !== component || this.#wanted(daemon, faults) === 'running');
  }

  #wanted(daemon: Daemon, faults: Faults): Wanted {
    const { id, component } = daemon;
    const [kind = ''] = component.split('/');
    if (this.#only?.some(name => [kind, component, component.slice(kind.length + 1)].includes(name)) === false) return 'stopped';
    const check = id.endsWith('/sasl');
    if (faults.on('stopped', component) || faults.on('filter-stopped-accept', component)) return 'stopped';
    if (check && faults.on('sasl-stopped', component)) return 'stopped';
    if (faults.on('frozen', component) || faults.on('filter-frozen-accept', component)) return 'frozen';
    return check && faults.on('sasl-frozen', component) ? 'frozen' : 'running';
  }

  /** One daemon: its files, and whether it runs. */
  async #settle(daemon: Daemon, faults: Faults): Promise<void> {
    const { site, processes } = this;
    const changed = writeFiles(site, daemon.files(site, faults));
    const started = processes.find(daemon.id);
    const wanted = this.#wanted(daemon, faults);
    if (started !== undefined && wanted !== 'stopped') {
      if (!changed) return;
      if (daemon.takes === 'hup') return renew(started);
    }
    if (started !== undefined) {
      await processes.stop([daemon.id]);
      if (wanted !== 'stopped') this.#restarted.push(daemon.id);
    }
    if (wanted === 'stopped') return;
    if (!existsSync(site.path(`${daemon.id}.prepared`))) {
      await daemon.prepare(site);
      writeFileSync(site.path(`${daemon.id}.prepared`), '');
    }
    await daemon.remake?.(site, faults);
    await this.#start(daemon, faults);
  }

  /**
   * Whoever asks a directory starts afresh: a connection that waits for a packet which was lost, one that went to the other
   * server, an answer that is remembered would otherwise outlive the fault, or hide it.
   */
  async #askAnew(faults: Faults): Promise<void> {
    const { site, processes } = this;
    await allDone(
      allDaemons(site).map(async daemon => {
        const started = processes.find(daemon.id);
        if (started === undefined || isFrozen(started) || this.#restarted.includes(daemon.id)) return;
        if (daemon.program === 'Postfix') return renew(started);
        if (daemon.program !== 'Dovecot') return;
        await processes.stop([daemon.id]);
        await this.#start(daemon, faults);
      }),
    );
  }

  /** Starts it and waits until it listens wherever it is told to. */
  async #start(daemon: Daemon, faults: Faults): Promise<void> {
    const { site, processes } = this;
    const log = site.path(daemon.output ?? daemon.log);
    for (const file of daemon.leftovers ?? []) rmSync(site.path(file), { force: true });
    const started = processes.start(daemon.id, daemon.command(site), log, daemon.stateless);
    const machine = site.machine(daemon.component);
    const doors = daemon.id.endsWith('/sasl') ? [] : machine.doors.filter(door => shouldListen(faults, machine, door));
    await until(`${daemon.id} starts (see ${log})`, 10_000, async () => {
      if (processes.find(daemon.id) === undefined) {
        throw new LabError(
          `${daemon.id} ended at once: ${(await run(['tail', '-n', '3', log], { anyStatus: true })).stdout.trim()}`,
        );
      }
      const open = await Promise.all(doors.map(door => listens(site, machine, door)));
      if (open.includes(false)) return undefined;
      return (await daemon.isReady?.(site)) === false ? undefined : started;
    });
  }

  async #startPeer(
    id: string,
    peer: { readonly listeners: readonly unknown[]; readonly holders: readonly unknown[] },
  ): Promise<void> {
    const { site, processes } = this;
    if (processes.find(id) !== undefined) return;
    mkdirSync(site.path('peers'), { recursive: true });
    const stem = site.path('peers', id.replace(/[^a-z0-9]+/gi, '-'));
    writeFileSync(`${stem}.json`, JSON.stringify(peer), { mode: 0o600 });
    rmSync(`${stem}.log`, { force: true });
    processes.start(id, peerCommand(`${stem}.json`), `${stem}.log`);
    await until(`${id} is ready`, 5000, async () => {
      const { stdout } = await run(['cat', `${stem}.log`], { anyStatus: true });
      if (processes.find(id) === undefined) throw new LabError(`${id} ended at once: ${stdout.trim()}`);
      return stdout.includes('ready') ? true : undefined;
    });
  }

  async #makeCertificates(faults: Faults): Promise<void> {
    const machines = this.site.machines.filter(machine => /^(mta|mmp|store|directory)\//.test(machine.component));
    await Promise.all(
      machines.map(machine => makeCertificate(tlsFolder(this.site), machine, blemishOf(faults, machine.component))),
    );
    await run(['chgrp', '-R', 'openldap', tlsFolder(this.site)]);
    await run(['chmod', '-R', 'g+rX,o-rwx', tlsFolder(this.site)]);
  }
}

/** Waits for all of them, even when one fails: nothing may still be starting while the caller cleans up. */
async function allDone(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find(result => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Tells a Postfix master to read its files again, and waits until its idle children have gone: those would still act by the old. */
async function renew(started: Started): Promise<void> {
  const old = membersOf(started).filter(({ pid }) => pid !== started.pid);
  signal(started.pid, 'SIGHUP');
  // Those that have a client stay with it, and are not waited for.
  const end = Date.now() + 500;
  while (Date.now() < end && membersOf(started).some(({ pid }) => old.some(other => other.pid === pid))) await sleep(10);
}

function concernsDirectory({ component }: ActiveFault): boolean {
  return component.startsWith('directory/') || /^link\/.*-ldap\d$/.test(component);
}

/** The mailboxes of a store that cannot write belong to somebody else. */
function setRights(site: Site, faults: Faults): void {
  for (const { component, name } of site.of('store')) {
    const folder = site.path('mail', name);
    if (!existsSync(folder)) continue;
    const bad = faults.on('unwritable', component);
    chownSync(folder, bad ? 0 : VMAIL, bad ? 0 : VMAIL);
    chmodSync(folder, bad ? 0o700 : 0o755);
  }
}

function shouldListen(faults: Faults, machine: Machine, door: Door): boolean {
  if (faults.on('door-closed', machine.component, door.protocol)) return false;
  return !(door.wrapped && faults.on('no-starttls', machine.component));
}

/** Whether a connection is taken. Comes from an address that no fault touches. */
function listens(site: Site, machine: Machine, door: Door): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: machine.address, port: door.port, localAddress: site.ip(90, 3) });
    socket.once('connect', () => socket.end(() => socket.destroy())).once('close', failed => resolve(!failed));
    socket.once('error', () => {});
  });
}
