// A balancer of connections, as HAProxy in TCP mode: members take turns; one that refuses the connection is passed over within
// the same client's connection, one that merely hangs is not.

import type { Component } from '../../model/component.ts';
import type { Protocol } from '../../model/endpoint.ts';
import { relayBytes } from '../mmp/relay.ts';
import type { World } from '../world.ts';
import { Door } from './door.ts';
import type { Visit } from './visit.ts';
import type { Wire } from './wire.ts';

export class BalancerDoor {
  readonly door: Door;
  readonly #world: World;
  readonly #members: readonly Door[];
  #next = 0;

  constructor(world: World, component: Component, protocol: Protocol, members: readonly Door[]) {
    this.#world = world;
    this.#members = members;
    // TLS is the members' business: their bytes pass unseen.
    this.door = new Door({
      world,
      component,
      protocol,
      security: 'plain',
      names: [world.hostName(component)],
      serve: visit => this.#serve(visit),
    });
  }

  async #serve(visit: Visit): Promise<void> {
    const upstream = await this.#dial(visit);
    if (upstream === undefined) return;
    // What the member says first may still be kept from the client, as a banner.
    if ((await visit.enter('banner', '')) !== undefined) return upstream.end();
    await relayBytes(visit, upstream);
  }

  async #dial(visit: Visit): Promise<Wire | undefined> {
    for (let tried = 0; tried < this.#members.length; tried += 1) {
      const member = this.#members[this.#next % this.#members.length];
      this.#next += 1;
      if (member === undefined) return undefined;
      try {
        return await this.#world.dial(this.door.component, member.component, member.port, this.#world.waits.balancerConnectMs);
      } catch (error) {
        if (this.#world.signal.aborted) throw error;
        visit.remark(`${member.component}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    visit.remark('no server is available');
    return undefined;
  }
}
