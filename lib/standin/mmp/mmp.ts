// A POP/IMAP proxy, as Dovecot 2.3 in front of its stores: asks the directory who the user is and where the mail lives, logs in
// there with the same password, and then passes commands and answers.

import type { Component } from '../../model/component.ts';
import type { Security } from '../../model/endpoint.ts';
import type { Account, Accounts } from '../accounts.ts';
import { IMAP_PHASES, IMAP_REFUSED } from '../imap/imap.ts';
import { imapLogin } from '../imap/login.ts';
import { Door } from '../network/door.ts';
import type { Visit } from '../network/visit.ts';
import { Gone } from '../network/wire.ts';
import { ACCOUNT_UNAVAILABLE, type Credentials, type LoginRefusal, temporaryFailure } from '../store/logins.ts';
import { POP_PHASES, POP_REFUSED } from '../store/pop3.ts';
import { parse, popLogin } from '../store/pop3login.ts';
import { checkLogin, DOVECOT_BANNER, type Store, whereAndWhen } from '../store/store.ts';
import type { World } from '../world.ts';
import { type CommandReader, relayCommands } from './relay.ts';
import { openImap, openPop, type Upstream } from './upstream.ts';

interface MmpOptions {
  readonly world: World;
  readonly component: Component;
  readonly security: Security;
  readonly accounts: Accounts;
  readonly stores: readonly Store[];
}

/** Where a proxy sends users: to their own store, to another one, or to an address where nothing listens. */
export type Routing = Component | 'nowhere';

export class Mmp {
  readonly component: Component;
  readonly pop3: Door;
  readonly imap: Door;
  /** In force for everybody in place of the directory's answer; the last one counts. Fault switches set it. */
  readonly routings: Routing[] = [];
  /** While more than 0, the process that checks passwords is dead. */
  authDead = 0;
  readonly #world: World;
  readonly accounts: Accounts;
  readonly #stores: readonly Store[];

  constructor({ world, component, security, accounts, stores }: MmpOptions) {
    this.component = component;
    this.#world = world;
    this.accounts = accounts;
    this.#stores = stores;
    const names = [world.hostName(component), `pop.${world.domain}`, `imap.${world.domain}`];
    this.pop3 = new Door({ world, component, protocol: 'pop3', security, names, serve: visit => this.#servePop(visit) });
    this.imap = new Door({ world, component, protocol: 'imap', security, names, serve: visit => this.#serveImap(visit) });
  }

  get doors(): readonly Door[] {
    return [this.pop3, this.imap];
  }

  async #servePop(visit: Visit): Promise<void> {
    const upstream = await popLogin(visit, DOVECOT_BANNER, credentials => this.#logIn(credentials, openPop));
    if (upstream === undefined) return;
    await visit.say(`${upstream.welcome}\r\n`);
    await relayCommands(visit, upstream.wire, POP_COMMANDS);
  }

  async #serveImap(visit: Visit): Promise<void> {
    const login = await imapLogin(visit, DOVECOT_BANNER, credentials => this.#logIn(credentials, openImap));
    if (login === undefined) return;
    await visit.say(`${login.tag} ${login.session.welcome}\r\n`);
    await relayCommands(visit, login.session.wire, IMAP_COMMANDS);
  }

  async #logIn(
    credentials: Credentials,
    open: (world: World, from: Component, store: Store, account: Account, secret: string) => Promise<Upstream | LoginRefusal>,
  ): Promise<{ readonly session: Upstream } | LoginRefusal> {
    if (this.authDead > 0) return temporaryFailure(whereAndWhen(this.component));
    const account = await checkLogin(this.#world, this.component, this.accounts, credentials);
    if (!('uid' in account)) return account;
    const store = this.#storeOf(account);
    if (store === undefined) {
      await this.#world.pause(this.#world.waits.proxyRefusedMs);
      return ACCOUNT_UNAVAILABLE;
    }
    try {
      const upstream = await open(this.#world, this.component, store, account, credentials.secret);
      return 'wire' in upstream ? { session: upstream } : upstream;
    } catch (error) {
      if (this.#world.signal.aborted) throw error;
      // A name that cannot be resolved looks to a proxy like a directory that gave no answer.
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOTFOUND' || code === 'ETIMEOUT' || code === 'ESERVFAIL' || code === 'EREFUSED') {
        await this.#world.pause(this.#world.waits.directoryDownMs);
        return temporaryFailure(whereAndWhen(this.component));
      }
      if (code === 'ECONNREFUSED') await this.#world.pause(this.#world.waits.proxyRefusedMs);
      else if (!(error instanceof Gone) && code !== 'ETIMEDOUT' && code !== 'ECONNRESET') this.#world.problems.push(error);
      return ACCOUNT_UNAVAILABLE;
    }
  }

  #storeOf(account: Account): Store | undefined {
    const routing = this.routings.at(-1);
    if (routing === 'nowhere') return undefined;
    return this.#stores.find(store =>
      routing === undefined ? this.#world.hostName(store.component) === account.mailHost : store.component === routing,
    );
  }
}

const POP_COMMANDS: CommandReader = {
  phaseOf: line => {
    const phase = POP_PHASES[parse(line).verb];
    return phase === undefined ? undefined : { phase, usualRefusal: POP_REFUSED, asReply: refusal => refusal };
  },
  literalAfter: () => 0,
};

const IMAP_COMMANDS: CommandReader = {
  phaseOf: line => {
    const [tag = '', verb = '', next = ''] = line.split(' ', 3);
    const name = verb.toUpperCase() === 'UID' ? `UID ${next.toUpperCase()}` : verb.toUpperCase();
    const phase = IMAP_PHASES[name];
    return phase === undefined
      ? undefined
      : { phase, usualRefusal: IMAP_REFUSED, asReply: refusal => (refusal.startsWith('*') ? refusal : `${tag} ${refusal}`) };
  },
  literalAfter: line => Number(/\{(\d+)\+?\}$/.exec(line)?.[1] ?? 0),
};
