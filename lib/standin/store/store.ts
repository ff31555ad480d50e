// A message store: mailboxes behind three doors, LMTP in, POP3 and IMAP out, as Dovecot 2.3 with its accounts in LDAP.

import type { Component } from '../../model/component.ts';
import { shortName } from '../../model/component.ts';
import type { Security } from '../../model/endpoint.ts';
import { type Account, type Accounts, DirectoryTrouble, opens } from '../accounts.ts';
import { mailDate, plainDate } from '../imap/dates.ts';
import { capabilitiesAfterLogin, imapSession } from '../imap/imap.ts';
import { imapLogin } from '../imap/login.ts';
import { Door } from '../network/door.ts';
import type { Visit } from '../network/visit.ts';
import type { World } from '../world.ts';
import { serveLmtp } from './lmtp.ts';
import {
  type Credentials,
  DISCONNECTED_IN_LOGIN,
  type LoginRefusal,
  MAILBOX_LOCKED,
  TOO_MANY_OF_USER,
  temporaryFailure,
  WRONG_PASSWORD,
} from './logins.ts';
import { type Folder, Mailbox } from './mailbox.ts';
import { prepend } from './message.ts';
import { popSession } from './pop3.ts';
import { popLogin } from './pop3login.ts';

export const DOVECOT_BANNER = 'Dovecot (Debian) ready.';

/** What the store does with a message in place of putting it into the inbox. */
export interface StoreTreatment {
  /** A refusal after the dot, `452 4.2.2 …`; `<>` stands for the recipient. */
  readonly refuse?: string;
  /** Filed there. */
  readonly folder?: string;
  /** Said to be saved, and gone. */
  readonly lose?: boolean;
}

interface StoreOptions {
  readonly world: World;
  readonly component: Component;
  readonly accounts: Accounts;
  readonly security: Security;
  readonly uidplus: boolean;
}

export class Store {
  readonly component: Component;
  readonly lmtp: Door;
  readonly pop3: Door;
  readonly imap: Door;
  /** In force for all mail; the last one added counts. Fault switches work on it. */
  readonly treatments: StoreTreatment[] = [];
  /** While more than 0, the process that checks passwords is dead. */
  authDead = 0;
  /** How far this machine's clock is off; ms. */
  clockOffMs = 0;
  /** While more than 0, each user has as many sessions as allowed. */
  usersFull = 0;
  readonly #world: World;
  readonly accounts: Accounts;
  readonly #uidplus: boolean;
  readonly #mailboxes = new Map<string, Mailbox>();
  /** Users by their addresses, as the directory told when the recipient was taken. */
  readonly #users = new Map<string, string>();
  #saved = 0;

  constructor({ world, component, accounts, security, uidplus }: StoreOptions) {
    this.component = component;
    this.#world = world;
    this.accounts = accounts;
    this.#uidplus = uidplus;
    const names = [world.hostName(component)];
    const common = { world, component, names };
    this.lmtp = new Door({ ...common, protocol: 'lmtp', security: 'plain', serve: visit => this.#serveLmtp(visit) });
    this.pop3 = new Door({ ...common, protocol: 'pop3', security, serve: visit => this.#servePop(visit) });
    this.imap = new Door({ ...common, protocol: 'imap', security, serve: visit => this.#serveImap(visit) });
  }

  get doors(): readonly Door[] {
    return [this.lmtp, this.pop3, this.imap];
  }

  /** The mailbox of a user, made when it is first asked for. */
  mailboxOf(user: string): Mailbox {
    const known = this.#mailboxes.get(user);
    if (known !== undefined) return known;
    const made = new Mailbox();
    this.#mailboxes.set(user, made);
    return made;
  }

  /** One folder of it, `INBOX` when none is named. @throws when there is no such folder */
  mailbox(user: string, folder = 'INBOX'): Folder {
    const found = this.mailboxOf(user).folder(folder);
    if (found === undefined) throw new Error(`Cannot find folder ${folder} of ${user} on ${this.component}`);
    return found;
  }

  #serveLmtp(visit: Visit): Promise<void> {
    return serveLmtp(visit, this.#world.hostName(this.component), {
      welcome: address => this.#welcome(address),
      deliver: letter => this.#deliver(letter),
    });
  }

  async #welcome(address: string): Promise<string | undefined> {
    try {
      const account = await this.accounts.find(address, this.#world.waits.directoryHangMs);
      if (account?.mailHost !== this.#world.hostName(this.component))
        return `550 5.1.1 <${address}> User doesn't exist: ${address}`;
      this.#users.set(address, account.uid);
      return undefined;
    } catch (error) {
      if (error instanceof DirectoryTrouble) return `451 4.3.0 <${address}> Temporary internal error`;
      throw error;
    }
  }

  async #deliver({
    address,
    sender,
    from,
    raw,
  }: {
    address: string;
    sender: string;
    from: string;
    raw: Buffer;
  }): Promise<string> {
    const treatment = this.treatments.at(-1) ?? {};
    if (treatment.refuse !== undefined) return treatment.refuse.replace('<>', `<${address}>`);
    this.#saved += 1;
    const session = Buffer.from(`${this.component} ${this.#saved}`).toString('base64url');
    if (!treatment.lose) {
      const host = this.#world.hostName(this.component);
      const whole = prepend(
        raw,
        `Return-Path: <${sender}>`,
        `Delivered-To: ${address}`,
        `Received: from ${from}`,
        `\tby ${host} with LMTP`,
        `\tid ${session}`,
        `\t(envelope-from <${sender}>)`,
        `\tfor <${address}>; ${mailDate(new Date(Date.now() + this.clockOffMs))}`,
      );
      const mailbox = this.mailboxOf(this.#users.get(address) ?? address);
      (mailbox.folder(treatment.folder ?? 'INBOX') ?? mailbox.inbox).append(whole);
    }
    return `250 2.0.0 <${address}> ${session} Saved`;
  }

  async #servePop(visit: Visit): Promise<void> {
    const mailbox = await popLogin(visit, DOVECOT_BANNER, async credentials => {
      const outcome = await this.#logIn(credentials);
      if (!('session' in outcome)) return outcome;
      return (await this.#lock(outcome.session)) ? outcome : MAILBOX_LOCKED;
    });
    if (mailbox === undefined) return;
    try {
      await visit.say('+OK Logged in.\r\n');
      await popSession(visit, mailbox);
    } finally {
      mailbox.popLocked = false;
    }
  }

  async #serveImap(visit: Visit): Promise<void> {
    const login = await imapLogin(visit, DOVECOT_BANNER, credentials => this.#logIn(credentials));
    if (login === undefined) return;
    await visit.say(`${login.tag} OK [CAPABILITY ${capabilitiesAfterLogin(this.#uidplus)}] Logged in\r\n`);
    await imapSession(visit, login.session, this.#uidplus);
  }

  async #logIn(credentials: Credentials): Promise<{ readonly session: Mailbox } | LoginRefusal> {
    const account =
      this.authDead > 0
        ? temporaryFailure(whereAndWhen(this.component))
        : await checkLogin(this.#world, this.component, this.accounts, credentials);
    if (!('uid' in account)) return account;
    return this.usersFull > 0 ? TOO_MANY_OF_USER : { session: this.mailboxOf(account.uid) };
  }

  /** A maildrop is opened by one session at a time (RFC 1939 section 4); another one is waited for, for a while. */
  async #lock(mailbox: Mailbox): Promise<boolean> {
    const until = performance.now() + this.#world.waits.popLockMs;
    while (mailbox.popLocked) {
      if (performance.now() >= until) return false;
      await this.#world.pause(10);
    }
    mailbox.popLocked = true;
    return true;
  }
}

/** What Dovecot's auth process does, on a store and on a proxy. */
export async function checkLogin(
  world: World,
  component: Component,
  accounts: Accounts,
  credentials: Credentials,
): Promise<Account | LoginRefusal> {
  const { waits } = world;
  try {
    const account = await accounts.find(credentials.user, waits.directoryHangMs);
    if (account !== undefined && opens(account, credentials.secret)) return account;
    await world.pause(waits.authFailureMs);
    return WRONG_PASSWORD;
  } catch (error) {
    if (!(error instanceof DirectoryTrouble)) throw error;
    if (error.why === 'hung') return DISCONNECTED_IN_LOGIN;
    await world.pause(waits.directoryDownMs);
    return temporaryFailure(whereAndWhen(component));
  }
}

export function whereAndWhen(component: Component): string {
  return `${shortName(component)}:${plainDate(new Date())}`;
}
