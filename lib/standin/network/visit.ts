// One client at a door, as the server behind it sees it: read, say, enter a phase. This is where the door's conditions act on a
// connection, and where what passes is logged.

import type { SecureContext } from 'node:tls';
import type { Component } from '../../model/component.ts';
import type { PhaseName } from '../../model/dialog.ts';
import type { Protocol, Security } from '../../model/endpoint.ts';
import type { World } from '../world.ts';
import type { AtPhase, Condition } from './conditions.ts';
import { Gone, type Wire } from './wire.ts';

/** What a server must say in place of what it was about to do; '' when something has been said already. */
type Refusal = string;

/** What a visit knows of the door that it came in by. */
interface EnteredDoor {
  readonly world: World;
  readonly component: Component;
  readonly protocol: Protocol;
  readonly security: Security;
  find<K extends Condition['kind']>(kind: K): Extract<Condition, { kind: K }> | undefined;
  claim(phase: PhaseName, after: boolean): readonly AtPhase[];
  holds(condition: Condition): boolean;
  changed(): Promise<void>;
  certificate(): SecureContext;
}

export class Visit {
  readonly wire: Wire;
  readonly door: EnteredDoor;
  readonly #number: number;
  #hasSpoken = false;

  constructor(wire: Wire, door: EnteredDoor) {
    this.wire = wire;
    this.door = door;
    this.#number = door.world.log.nextConnection();
    this.remark('connected');
  }

  get secure(): boolean {
    return this.wire.secure;
  }

  /** Whether the server should offer STARTTLS or STLS now. */
  get offersTls(): boolean {
    return !this.secure && this.door.security === 'starttls' && this.door.find('no starttls') === undefined;
  }

  /** Whether a password may be sent now. */
  get mayLogIn(): boolean {
    return this.secure || this.door.security === 'plain';
  }

  async readLine(): Promise<string> {
    const line = await this.wire.readLine();
    await this.#thaw();
    this.heard(line);
    return line;
  }

  async read(bytes: number): Promise<Buffer> {
    const data = await this.wire.read(bytes);
    await this.#thaw();
    return data;
  }

  async readDotted(): Promise<Buffer> {
    const data = await this.wire.readDotted();
    await this.#thaw();
    this.heard(`(${data.length} bytes of message)`);
    return data;
  }

  async readSome(): Promise<Buffer> {
    const data = await this.wire.readSome();
    await this.#thaw();
    return data;
  }

  /** Latin-1 text or bytes, with their line end. */
  async say(data: string | Buffer): Promise<void> {
    await this.#thaw();
    this.#note('>', typeof data === 'string' ? data.trimEnd() : `(${data.length} bytes)`);
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    const drip = this.door.find('drips');
    if (drip !== undefined && (drip.what === 'all' || !this.#hasSpoken)) await this.#drip(bytes, drip.everyMs);
    else await this.wire.write(bytes);
    this.#hasSpoken = true;
  }

  /**
   * To be called before a phase's work is done (`after` false) or when it has been done and before it is answered.
   *
   * @returns nothing when all is well; what to say in its place otherwise
   * @throws Gone when the connection has been ended
   */
  async enter(phase: PhaseName, usualRefusal: string, after = false): Promise<Refusal | undefined> {
    await this.#thaw();
    for (const condition of this.door.claim(phase, after)) {
      const refusal = await this.#undergo(condition, usualRefusal);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** The handshake, with the conditions of phase `tls`. */
  async startTls(): Promise<void> {
    await this.enter('tls', '');
    try {
      await this.wire.secureServer(this.door.certificate());
    } catch (error) {
      this.remark(error instanceof Error ? error.message : String(error));
      throw error;
    }
    this.remark('TLS is up');
  }

  heard(text: string): void {
    this.#note('<', text);
  }

  remark(text: string): void {
    this.#note('*', text);
  }

  leave(): void {
    if (!this.wire.isClosed) this.remark('disconnected');
    this.wire.end();
  }

  /** Waits as long as the process behind the door is frozen. */
  async #thaw(): Promise<void> {
    while (this.door.find('frozen') !== undefined || this.door.find('blackholed') !== undefined) {
      this.wire.pause();
      await this.#untilChange();
    }
  }

  async #undergo(condition: AtPhase, usualRefusal: string): Promise<Refusal | undefined> {
    const { act } = condition;
    switch (act.do) {
      case 'refuse':
        return act.reply ?? usualRefusal;
      case 'stall':
        while (this.door.holds(condition)) await this.#untilChange();
        return undefined;
      case 'delay':
        await this.door.world.pause(act.ms);
        return undefined;
      case 'drop':
        this.wire.end();
        throw new Gone('dropped by a fault switch');
      case 'reset':
        // The peer hears first of what went before, as it would over a real network.
        await this.door.world.pause(2);
        this.wire.reset();
        throw new Gone('reset by a fault switch');
      case 'garble':
        await this.say(act.bytes);
        return '';
      default:
        return act satisfies never;
    }
  }

  async #untilChange(): Promise<void> {
    await Promise.race([this.door.changed(), this.wire.closed]);
    if (this.wire.isClosed) throw new Gone('the client has left');
  }

  async #drip(bytes: Buffer, everyMs: number): Promise<void> {
    for (const byte of bytes) {
      await this.wire.write(Buffer.from([byte]));
      await this.door.world.pause(everyMs);
    }
  }

  #note(from: '<' | '>' | '*', text: string): void {
    const { component, protocol, world } = this.door;
    world.log.add({ component, protocol, connection: this.#number, from, secure: this.secure, text });
  }
}
