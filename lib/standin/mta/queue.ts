// An MTA's queue: what has been accepted and has not left yet, why, and the tries to deliver it.

import type { Component } from '../../model/component.ts';
import type { Accounts } from '../accounts.ts';
import { DirectoryTrouble } from '../accounts.ts';
import { Gone } from '../network/wire.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world.ts';
import { type Alteration, alter } from './alter.ts';
import { bounceMessage } from './bounce.ts';
import { type Delivery, deliver } from './lmtpclient.ts';
import { queueId } from './queueid.ts';

/** What the MTA does with mail besides delivering it. Fault switches set it; of several, each property is taken where it stands. */
export interface MtaTreatment {
  /** Accepted, and gone without a trace. */
  readonly lose?: boolean;
  /** Put on hold by a rule. */
  readonly hold?: boolean;
  /** Not tried at all, for this reason. */
  readonly defer?: string;
  /** Lies about for so long before it is tried. */
  readonly delayMs?: number;
  /** Delivered so many times. */
  readonly copies?: number;
  readonly alter?: Alteration;
  /** Given up at once, with this `5.x.x text`. */
  readonly bounce?: string;
  /** Sent to this store whatever the directory says. */
  readonly routeTo?: Component;
}

type QueueName = 'incoming' | 'active' | 'deferred' | 'hold';

interface Queued {
  readonly id: string;
  readonly queue: QueueName;
  /** Epoch ms. */
  readonly arrivedAt: number;
  /** Empty for a notification. */
  readonly sender: string;
  readonly recipient: string;
  readonly raw: Buffer;
  /** Why the last try failed; absent when there was none. */
  readonly reason?: string;
  readonly tries: number;
}

interface Item {
  id: string;
  queue: QueueName;
  arrivedAt: number;
  sender: string;
  recipient: string;
  raw: Buffer;
  reason?: string;
  tries: number;
  /** Counts the tries that were begun, so that one that was put off knows whether another has begun since. */
  turn: number;
}

interface QueueOptions {
  readonly world: World;
  readonly component: Component;
  readonly accounts: Accounts;
  readonly stores: readonly Store[];
  /** Whether the whole MTA stands still. */
  readonly isHalted: () => boolean;
}

/** How often a queue that stands still looks whether it may go on. */
const HALTED_MS = 20;

export class Queue {
  readonly treatments: MtaTreatment[] = [];
  /** How many messages have ever been put in, notifications not counted. */
  accepted = 0;
  readonly #world: World;
  readonly #component: Component;
  readonly #accounts: Accounts;
  readonly #stores: readonly Store[];
  readonly #isHalted: () => boolean;
  readonly #items = new Map<string, Item>();
  #number = 0;

  constructor({ world, component, accounts, stores, isHalted }: QueueOptions) {
    this.#isHalted = isHalted;
    this.#world = world;
    this.#component = component;
    this.#accounts = accounts;
    this.#stores = stores;
  }

  get messages(): readonly Queued[] {
    return [...this.#items.values()];
  }

  nextId(): string {
    this.#number += 1;
    return queueId(Date.now(), 1_300_000 + this.#number);
  }

  /** Takes responsibility for a message. `held`: it goes on hold, whatever the treatments say. */
  add(id: string, sender: string, recipients: readonly string[], raw: Buffer, held = false): void {
    this.accepted += 1;
    recipients.forEach((recipient, i) => {
      const key = i === 0 ? id : this.nextId();
      this.#put({ id: key, queue: held ? 'hold' : 'incoming', arrivedAt: Date.now(), sender, recipient, raw, tries: 0, turn: 0 });
    });
  }

  /** Tries everything at once that is not on hold by its own, as `postqueue -f` after `postsuper -H ALL`. */
  flush(): void {
    for (const item of this.#items.values()) if (item.queue !== 'active') this.#work(item);
  }

  /** As `postqueue -j` prints it: one JSON object a line. */
  queueJson(): string {
    return this.messages
      .map(message => {
        const recipient = {
          address: message.recipient,
          ...(message.reason === undefined ? {} : { delay_reason: message.reason }),
        };
        return `${JSON.stringify({
          queue_name: message.queue,
          queue_id: message.id,
          arrival_time: Math.floor(message.arrivedAt / 1000),
          message_size: message.raw.length,
          forced_expire: false,
          sender: message.sender === '' ? 'MAILER-DAEMON' : message.sender,
          recipients: [recipient],
        })}\n`;
      })
      .join('');
  }

  #put(item: Item): void {
    if (this.#treatment(item).lose) return;
    this.#items.set(item.id, item);
    if (item.queue !== 'hold') this.#work(item);
  }

  /** Notifications are spared, else none would ever be seen. */
  #treatment(item: Item): MtaTreatment {
    const all: MtaTreatment = {};
    if (item.sender !== '') for (const treatment of this.treatments) Object.assign(all, treatment);
    return all;
  }

  /** Begins a try, in the background; one that is waiting for its turn gives way to it. */
  #work(item: Item): void {
    item.turn += 1;
    this.#try(item, item.turn).catch((error: unknown) => {
      if (!(error instanceof Gone)) this.#world.problems.push(error);
    });
  }

  async #try(item: Item, turn: number): Promise<void> {
    while (this.#isHalted()) await this.#world.pause(HALTED_MS);
    if (item.turn !== turn) return;
    const { hold, defer, delayMs, bounce, copies = 1 } = this.#treatment(item);
    if (hold) {
      item.queue = 'hold';
      return;
    }
    if (defer !== undefined) return this.#later(item, defer);
    item.queue = 'active';
    if (delayMs !== undefined && item.tries === 0) await this.#world.pause(delayMs);
    item.tries += 1;
    const delivery = bounce === undefined ? await this.#deliverAll(item, copies) : givenUp(bounce);
    if (delivery.outcome === 'deferred') return this.#later(item, delivery.text);
    this.#items.delete(item.id);
    if (delivery.outcome === 'bounced') this.#bounce(item, delivery);
  }

  /** The outcome of the last copy counts. */
  async #deliverAll(item: Item, copies: number): Promise<Delivery> {
    for (let copy = 1; copy < copies; copy += 1) await this.#deliver(item);
    return this.#deliver(item);
  }

  async #later(item: Item, reason: string): Promise<void> {
    item.queue = 'deferred';
    item.reason = reason;
    const { turn } = item;
    await this.#world.pause(this.#world.waits.retryMs);
    if (item.turn === turn && this.#items.has(item.id)) this.#work(item);
  }

  async #deliver(item: Item): Promise<Delivery> {
    const { routeTo, alter: alteration } = this.#treatment(item);
    let store: Store | undefined;
    try {
      store = await this.#storeOf(item.recipient, routeTo);
    } catch (error) {
      if (!(error instanceof DirectoryTrouble)) throw error;
      return {
        outcome: 'deferred',
        status: '4.3.0',
        text: `unable to look up transport for ${item.recipient}: ${error.message}`,
      };
    }
    if (store === undefined) return { outcome: 'bounced', status: '5.1.1', text: 'unknown user' };
    const raw = alteration === undefined ? item.raw : alter(item.raw, alteration);
    return deliver(this.#world, this.#component, store, { sender: item.sender, recipient: item.recipient, raw });
  }

  async #storeOf(recipient: string, routeTo: Component | undefined): Promise<Store | undefined> {
    if (routeTo !== undefined) return this.#stores.find(store => store.component === routeTo);
    const account = await this.#accounts.find(recipient, this.#world.waits.mtaDirectoryMs);
    return this.#stores.find(store => this.#world.hostName(store.component) === account?.mailHost);
  }

  #bounce(item: Item, { status, text }: Delivery): void {
    if (item.sender === '') return; // nobody hears of a notification that cannot be delivered
    const id = this.nextId();
    const now = new Date();
    const raw = bounceMessage({
      hostName: this.#world.hostName(this.#component),
      domain: this.#world.domain,
      queueId: item.id,
      arrivedAt: new Date(item.arrivedAt),
      now,
      sender: item.sender,
      recipient: item.recipient,
      raw: item.raw,
      status,
      text,
    });
    this.#put({ id, queue: 'incoming', arrivedAt: now.getTime(), sender: '', recipient: item.sender, raw, tries: 0, turn: 0 });
  }
}

/** `5.1.1 unknown user` */
function givenUp(bounce: string): Delivery {
  return { outcome: 'bounced', status: bounce.split(' ', 1)[0] ?? '5.0.0', text: bounce.replace(/^\S+ /, '') };
}
