// A mail filter: a milter that notes a verdict in a header of each message, as opendkim in verify mode does. Its replies can be
// bent by fault switches: a refusal is a milter reply, `t` (try later), `r` (reject), `d` (discard), `a` (accept), `q` and a reason
// (quarantine), or `y` and an SMTP reply.

import type { Component } from '../../model/component.ts';
import type { PhaseName } from '../../model/dialog.ts';
import { Door } from '../network/door.ts';
import type { Visit } from '../network/visit.ts';
import type { World } from '../world.ts';
import { NotMilter, options, packet, readPacket, strings } from './wire.ts';

const VERSION = 6;
const MAY_ADD_HEADERS_AND_QUARANTINE = 0x01 | 0x20;

const PHASES: Readonly<Record<string, PhaseName>> = {
  O: 'negotiate',
  C: 'connect',
  H: 'ehlo',
  M: 'mail',
  R: 'rcpt',
  T: 'data',
  B: 'body',
  E: 'final',
  Q: 'quit',
};

export class Filter {
  readonly door: Door;
  /** Messages judged. */
  judged = 0;
  readonly #hostName: string;

  constructor(world: World, component: Component) {
    this.#hostName = world.hostName(component);
    this.door = new Door({
      world,
      component,
      protocol: 'milter',
      security: 'plain',
      names: [this.#hostName],
      serve: visit => this.#serve(visit),
    });
  }

  async #serve(visit: Visit): Promise<void> {
    for (;;) {
      const { command, data } = await readPacket(visit).catch((error: unknown) => {
        if (!(error instanceof NotMilter)) throw error;
        visit.remark(error.message);
        return { command: 'Q', data: Buffer.alloc(0) };
      });
      visit.heard(`${command} ${data.toString('latin1').replaceAll('\0', ' ').slice(0, 100)}`);
      if (command === 'Q') return;
      if (command === 'D' || command === 'A') continue; // macros, and the end of a message that was given up: no answer
      const phase = PHASES[command];
      const refusal = phase === undefined ? undefined : await visit.enter(phase, 't');
      if (refusal !== undefined) await this.#refuse(visit, command, refusal);
      else await this.#answer(visit, command);
    }
  }

  async #answer(visit: Visit, command: string): Promise<void> {
    if (command === 'O') return visit.say(packet('O', options(VERSION, MAY_ADD_HEADERS_AND_QUARANTINE, 0)));
    if (command !== 'E') return visit.say(packet('c'));
    this.judged += 1;
    const index = Buffer.alloc(4);
    await visit.say(packet('i', index, strings('Authentication-Results', `${this.#hostName}; dkim=none`)));
    return visit.say(packet('a'));
  }

  async #refuse(visit: Visit, command: string, refusal: string): Promise<void> {
    if (refusal === '') return;
    const [verdict = 't', words] = [refusal.slice(0, 1), refusal.slice(1)];
    // quarantine is a change, made before the message is accepted
    if (verdict === 'q' && command !== 'E') return visit.say(packet('c'));
    if (verdict === 'q') await visit.say(packet('q', strings(words === '' ? 'by request' : words)));
    await visit.say(verdict === 'q' ? packet('a') : packet(verdict, ...(words === '' ? [] : [strings(words)])));
  }
}
