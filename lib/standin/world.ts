// What all parts of one stand-in site share: its log, its waits, its names, the network between its machines, and the signal
// that ends everything.

import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from '../model/component.ts';
import { kindOf, shortName } from '../model/component.ts';
import { SiteLog } from './log.ts';
import { Gone, Wire } from './network/wire.ts';
import type { Waits } from './waits.ts';

/** What a packet filter between two machines does with a new connection. */
export type LinkFault = 'dropped' | 'refused';

/** Finds the address of a machine; throws an error whose message is the resolver's. */
type Resolve = (name: string) => Promise<void>;

export class World {
  readonly domain: string;
  readonly waits: Waits;
  readonly log: SiteLog;
  readonly #stop = new AbortController();
  /** Errors that no fault switch explains: defects of the stand-in itself. Empty in a sound run. */
  readonly problems: unknown[] = [];
  readonly #links = new Map<string, Set<LinkFault>>();
  /** Set when the site has a name server of its own. */
  resolve: Resolve | undefined;

  constructor(domain: string, waits: Waits) {
    this.domain = domain;
    this.waits = waits;
    this.log = new SiteLog();
    setMaxListeners(0, this.#stop.signal);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  stop(): void {
    this.#stop.abort(new Gone('the site has been stopped'));
  }

  /** `ssmtp01.standin.test` */
  hostName(component: Component): string {
    return `${shortName(component)}.${this.domain}`;
  }

  /** Never keeps the process alive. @throws Gone when the site is stopped meanwhile. */
  async pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    try {
      await sleep(ms, undefined, { ref: false, signal: this.signal });
    } catch {
      throw new Gone('the site has been stopped');
    }
  }

  /** Makes a link fault last until the returned function is called. */
  cutLink(from: Component, to: Component, fault: LinkFault): () => void {
    const key = `${from} ${to}`;
    const faults = this.#links.get(key) ?? new Set();
    faults.add(fault);
    this.#links.set(key, faults);
    return () => faults.delete(fault);
  }

  /**
   * A connection from one machine of the site to a door of another.
   *
   * @throws the resolver's error, the socket's error (`ECONNREFUSED`), `Connection timed out`, or Gone.
   */
  async dial(from: Component, to: Component, port: number, timeoutMs: number): Promise<Wire> {
    // Stores are found by the names that the directory gives; everything else is configured by its address.
    if (this.resolve !== undefined && kindOf(to) === 'store') await this.resolve(this.hostName(to));
    const faults = this.#links.get(`${from} ${to}`);
    if (faults?.has('refused')) throw Object.assign(new Error('Connection refused'), { code: 'ECONNREFUSED' });
    if (faults?.has('dropped')) {
      await this.pause(timeoutMs);
      throw Object.assign(new Error('Connection timed out'), { code: 'ETIMEDOUT' });
    }
    return Wire.dial(port, timeoutMs, this.signal);
  }
}
