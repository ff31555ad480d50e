// A door: one listening socket of one component, with its fault switches. Every server of the stand-in that speaks over TCP
// stands behind one, so that each fault is made in one place and looks the same everywhere.
//
// A door knows nothing of its protocol. What it leaves to the server behind it are the phases: the server says by
// `visit.enter(phase)` that it is about to do something, and hears whether it may.

import { createServer, type Server, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Component } from '../../model/component.ts';
import type { PhaseName } from '../../model/dialog.ts';
import type { Protocol, Security } from '../../model/endpoint.ts';
import type { World } from '../world.ts';
import { type Blackhole, digBlackhole } from './blackhole.ts';
import { type CertificateVariant, secureContext } from './certificates.ts';
import type { AtPhase, Condition, Imposed } from './conditions.ts';
import { listenAgain, listenOnFreePort, releasePort, stopListening } from './loopback.ts';
import { Visit } from './visit.ts';
import { Gone, Wire } from './wire.ts';

interface DoorOptions {
  readonly world: World;
  readonly component: Component;
  readonly protocol: Protocol;
  readonly security: Security;
  /** Names in its certificate. */
  readonly names: readonly string[];
  /** Talks to one client until either side has enough. */
  readonly serve: (visit: Visit) => Promise<void>;
}

export class Door {
  readonly world: World;
  readonly component: Component;
  readonly protocol: Protocol;
  readonly security: Security;
  port = 0;
  readonly #names: readonly string[];
  readonly #serve: (visit: Visit) => Promise<void>;
  readonly #server: Server;
  readonly #conditions = new Set<Condition>();
  readonly #spent = new Map<Condition, number>();
  readonly #wires = new Set<Wire>();
  #waiting: (() => void)[] = [];
  #hole: Blackhole | undefined;
  #settling: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: DoorOptions) {
    this.world = options.world;
    this.component = options.component;
    this.protocol = options.protocol;
    this.security = options.security;
    this.#names = options.names;
    this.#serve = options.serve;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, socket => this.#accept(socket));
  }

  async open(): Promise<void> {
    this.#stopped = false;
    this.port = await listenOnFreePort(this.#server);
  }

  /** For good: ends every connection. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#conditions.clear();
    this.#notify();
    this.#endConnections();
    await this.#settling.catch(() => {});
    await this.#hole?.close();
    await stopListening(this.#server);
    this.#endConnections();
    releasePort(this.port);
  }

  get connections(): number {
    return this.#wires.size;
  }

  /** @throws when the system cannot do it; then nothing is imposed. */
  async impose(condition: Condition): Promise<Imposed> {
    this.#conditions.add(condition);
    this.#notify();
    const lift = async () => {
      if (!this.#conditions.delete(condition)) return;
      this.#spent.delete(condition);
      await this.#settle();
      this.#notify();
    };
    try {
      await this.#settle();
    } catch (error) {
      await lift();
      throw error;
    }
    return { lift };
  }

  find<K extends Condition['kind']>(kind: K): Extract<Condition, { kind: K }> | undefined {
    for (const condition of this.#conditions) if (isKind(condition, kind)) return condition;
    return undefined;
  }

  /** Conditions of this phase that still have something left to do; each one returned counts as used once. */
  claim(phase: PhaseName, after: boolean): AtPhase[] {
    const claimed: AtPhase[] = [];
    for (const condition of this.#conditions) {
      if (condition.kind !== 'at' || condition.phase !== phase || (condition.after ?? false) !== after) continue;
      const used = this.#spent.get(condition) ?? 0;
      if (condition.times !== undefined && used >= condition.times) continue;
      this.#spent.set(condition, used + 1);
      claimed.push(condition);
    }
    return claimed;
  }

  holds(condition: Condition): boolean {
    return this.#conditions.has(condition);
  }

  /** Resolves when a condition has been imposed or lifted. */
  changed(): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(resolve);
    });
  }

  certificate(): SecureContext {
    const variant: CertificateVariant = this.find('certificate')?.variant ?? 'good';
    return secureContext(this.#names, variant);
  }

  #accept(socket: Socket): void {
    const wire = new Wire(socket);
    this.#wires.add(wire);
    void wire.closed.then(() => this.#wires.delete(wire));
    const full = this.find('full');
    const mayStay = full === undefined || this.#wires.size <= full.places;
    if (this.find('resets') !== undefined) wire.reset();
    else if (this.find('closes') !== undefined || (!mayStay && full?.reply === undefined)) wire.end();
    else void this.#receive(new Visit(wire, this), mayStay ? undefined : full?.reply);
  }

  async #receive(visit: Visit, turnedAway: string | undefined): Promise<void> {
    try {
      if (this.security === 'tls') await visit.startTls();
      if (turnedAway === undefined) await this.#serve(visit);
      else await visit.say(`${turnedAway}\r\n`);
    } catch (error) {
      if (!(error instanceof Gone)) {
        this.world.problems.push(error);
        visit.remark(`defect of the stand-in: ${String(error)}`);
      }
    } finally {
      visit.leave();
    }
  }

  /** Makes the socket agree with the conditions; one change at a time. */
  #settle(): Promise<void> {
    this.#settling = this.#settling.catch(() => {}).then(() => this.#apply());
    return this.#settling;
  }

  async #apply(): Promise<void> {
    if (this.#stopped) return;
    const stopped = this.find('stopped') !== undefined;
    const silent = !stopped && this.find('blackholed') !== undefined;
    if (!silent && this.#hole !== undefined) {
      await this.#hole.close();
      this.#hole = undefined;
    }
    if (stopped || silent) await stopListeningAtOnce(this.#server);
    if (stopped) this.#endConnections();
    else if (silent) this.#hole ??= await digBlackhole(this.port);
    else if (!this.#server.listening) await listenAgain(this.#server, this.port);
  }

  #endConnections(): void {
    for (const wire of this.#wires) wire.destroy();
  }

  #notify(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function isKind<K extends Condition['kind']>(condition: Condition, kind: K): condition is Extract<Condition, { kind: K }> {
  return condition.kind === kind;
}

/** The port is free when this resolves; connections under way are not waited for, as `server.close` would. */
async function stopListeningAtOnce(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  await new Promise(resolve => setImmediate(resolve));
}
