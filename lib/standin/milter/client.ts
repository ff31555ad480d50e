// The MTA's side of a filter (Postfix's milter client): one filter session per SMTP session, one verdict per step, and what is to
// be done when the filter cannot be had (`milter_default_action`).

import type { Component } from '../../model/component.ts';
import { Gone, type Wire } from '../network/wire.ts';
import { fields, split } from '../store/message.ts';
import type { World } from '../world.ts';
import type { Filter } from './milter.ts';
import { options, packet, readPacket, readStrings, strings } from './wire.ts';

/** What an MTA does with mail while its filter cannot be had. */
export type DefaultAction = 'tempfail' | 'accept';

export interface FilterUse {
  readonly filter: Filter;
  /** Changed by fault switches. */
  defaultAction: DefaultAction;
}

/** `reply` is an SMTP reply; `headers` are whole lines, to be put in front. */
type FilterVerdict =
  | { readonly is: 'go on' }
  | { readonly is: 'reply'; readonly reply: string }
  | { readonly is: 'discard' }
  | { readonly is: 'done'; readonly headers: readonly string[]; readonly quarantined: boolean };

const GO_ON: FilterVerdict = { is: 'go on' };
const UNAVAILABLE: FilterVerdict = { is: 'reply', reply: '451 4.7.1 Service unavailable - try again later' };
const BODY_CHUNK = 65_535;

export class FilterSession {
  readonly #world: World;
  readonly #owner: Component;
  readonly #use: FilterUse;
  #wire: Wire | undefined;
  /** `a` was said: the filter wants to see no more of this message. */
  #accepted = false;
  #discards = false;
  /** Refused before the first message: so is every message then. */
  #standing: FilterVerdict = GO_ON;

  constructor(world: World, owner: Component, use: FilterUse) {
    this.#world = world;
    this.#owner = owner;
    this.#use = use;
  }

  /** Connects and negotiates; the banner waits for this. */
  async open(): Promise<void> {
    const { door } = this.#use.filter;
    const limitMs = this.#world.waits.filterHangMs;
    try {
      this.#wire = await this.#world.dial(this.#owner, door.component, door.port, limitMs);
      const { command } = await this.#ask(packet('O', options(6, 0x1ff, 0)));
      if (command !== 'O') return this.#lose();
      const connection = Buffer.concat([strings('localhost'), Buffer.from('4\0\0', 'latin1'), strings('127.0.0.1')]);
      await this.#stand(packet('C', connection));
    } catch (error) {
      this.#failed(error);
    }
  }

  async helo(name: string): Promise<void> {
    await this.#stand(packet('H', strings(name)));
  }

  /** MAIL and RCPT: the filter is told, and may refuse. */
  async step(command: 'M' | 'R', address: string): Promise<FilterVerdict> {
    if (command === 'M') {
      this.#accepted = false;
      this.#discards = false;
    }
    return this.#standing.is === 'go on' ? this.#verdict(packet(command, strings(`<${address}>`))) : this.#standing;
  }

  /** The whole message, at its end. */
  async message(raw: Buffer): Promise<FilterVerdict> {
    const { header, body } = split(raw);
    const steps = [
      packet('T'),
      ...fields(header).map(({ name, value }) => packet('L', strings(name, value))),
      packet('N'),
      ...chunks(body).map(chunk => packet('B', chunk)),
    ];
    for (const step of steps) {
      const verdict = await this.#verdict(step);
      if (verdict.is !== 'go on') return verdict;
    }
    return this.#verdict(packet('E'));
  }

  close(): void {
    if (this.#wire === undefined) return;
    this.#wire.write(packet('Q')).catch(() => {});
    this.#lose();
  }

  async #stand(question: Buffer): Promise<void> {
    if (this.#wire === undefined || this.#standing.is !== 'go on') return;
    const verdict = await this.#verdict(question);
    if (verdict.is === 'reply') this.#standing = verdict;
  }

  async #verdict(question: Buffer): Promise<FilterVerdict> {
    if (this.#discards) return { is: 'discard' };
    if (this.#accepted) return GO_ON;
    if (this.#wire === undefined) return this.#use.defaultAction === 'tempfail' ? UNAVAILABLE : GO_ON;
    const headers: string[] = [];
    let quarantined = false;
    try {
      let answer = await this.#ask(question);
      for (;;) {
        const words = readStrings(answer.data);
        if (answer.command === 'i' || answer.command === 'h') {
          const [name = '', value = ''] = readStrings(answer.command === 'i' ? answer.data.subarray(4) : answer.data);
          headers.push(`${name}: ${value}`);
        } else if (answer.command === 'q') quarantined = true;
        else return this.#conclude(answer.command, words[0] ?? '', question, headers, quarantined);
        answer = await this.#read();
      }
    } catch (error) {
      this.#failed(error);
      return this.#use.defaultAction === 'tempfail' ? UNAVAILABLE : GO_ON;
    }
  }

  #conclude(command: string, words: string, question: Buffer, headers: readonly string[], quarantined: boolean): FilterVerdict {
    const isLast = question[4] === 0x45; // E, the end of the message
    switch (command) {
      case 't':
        return isLast ? { is: 'reply', reply: '451 4.7.1 Service unavailable - try again later' } : UNAVAILABLE;
      case 'r':
        return { is: 'reply', reply: '550 5.7.1 Command rejected' };
      case 'y':
        return { is: 'reply', reply: words };
      case 'd':
        this.#discards = true;
        return isLast ? { is: 'discard' } : GO_ON;
      case 'a':
        this.#accepted = !isLast;
        return isLast ? { is: 'done', headers, quarantined } : GO_ON;
      default:
        return isLast ? { is: 'done', headers, quarantined } : GO_ON;
    }
  }

  async #ask(question: Buffer): Promise<{ command: string; data: Buffer }> {
    await this.#wire?.write(question);
    return this.#read();
  }

  async #read(): Promise<{ command: string; data: Buffer }> {
    const wire = this.#wire;
    if (wire === undefined) throw new Gone('no filter');
    const timer = setTimeout(() => wire.destroy(), this.#world.waits.filterHangMs).unref();
    try {
      return await readPacket(wire);
    } finally {
      clearTimeout(timer);
    }
  }

  #failed(error: unknown): void {
    if (this.#world.signal.aborted) throw error;
    this.#lose();
  }

  #lose(): void {
    this.#wire?.end();
    this.#wire = undefined;
  }
}

function chunks(body: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let from = 0; from < body.length; from += BODY_CHUNK) parts.push(body.subarray(from, from + BODY_CHUNK));
  return parts;
}
