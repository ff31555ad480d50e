// An MTA, as Postfix with its accounts in LDAP and SASL by Dovecot: an SMTP door, what it decides at each command, its filter and
// its queue.

import type { SMTPServerAddress, SMTPServerAuthentication, SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import type { Component } from '../../model/component.ts';
import type { Security } from '../../model/endpoint.ts';
import { type Account, type Accounts, DirectoryTrouble, opens } from '../accounts.ts';
import { mailDate } from '../imap/dates.ts';
import { FilterSession, type FilterUse } from '../milter/client.ts';
import { Door } from '../network/door.ts';
import { Gone } from '../network/wire.ts';
import { prepend } from '../store/message.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world.ts';
import { Queue } from './queue.ts';
import { type SmtpRole, type SmtpSession, serveSmtp } from './smtp.ts';
import { EngineRoom } from './smtpengine.ts';

interface MtaOptions {
  readonly world: World;
  readonly component: Component;
  readonly security: Security;
  readonly auth: boolean;
  readonly accounts: Accounts;
  readonly stores: readonly Store[];
  readonly filter?: FilterUse;
}

const SIZE_LIMIT = 52_428_800;
const LOCAL_PROBLEM = '451 4.3.0 Error: queue file write error';

export class Mta {
  readonly component: Component;
  readonly door: Door;
  readonly queue: Queue;
  readonly filter: FilterUse | undefined;
  /** Whether clients can log in. */
  readonly auth: boolean;
  /** The process that checks passwords is dead, or hangs; while more than 0. */
  authDead = 0;
  authHung = 0;
  /** How far this machine's clock is off; ms. */
  clockOffMs = 0;
  readonly #world: World;
  readonly accounts: Accounts;
  readonly #engines: EngineRoom;
  readonly #sessions = new Map<number, SmtpSession>();
  readonly #filters = new Map<SmtpSession, FilterSession>();

  constructor({ world, component, security, auth, accounts, stores, filter }: MtaOptions) {
    this.component = component;
    this.auth = auth;
    this.filter = filter;
    this.#world = world;
    this.accounts = accounts;
    this.queue = new Queue({
      world,
      component,
      accounts,
      stores,
      isHalted: () => this.door.find('frozen') !== undefined || this.door.find('stopped') !== undefined,
    });
    const hostName = world.hostName(component);
    this.#engines = new EngineRoom({
      hostName,
      size: SIZE_LIMIT,
      hooks: {
        onAuth: (given, session, done) =>
          this.#hook(
            session,
            async client => this.#onAuth(given, client),
            error => (error ? done(error) : done(null, { user: given.username ?? '' })),
          ),
        onMailFrom: (address, session, done) => this.#hook(session, async client => this.#onMail(address, client), done),
        onRcptTo: (address, session, done) => this.#hook(session, async client => this.#onRcpt(address, client), done),
        onData: (stream, session, done) => this.#hook(session, async client => this.#onData(stream, session, client), done),
      },
    });
    const role: SmtpRole = {
      hostName,
      engines: this.#engines,
      offersAuth: auth,
      begin: session => this.#begin(session),
      beforeEhlo: session => this.#beforeEhlo(session),
      attach: session => this.#sessions.set(session.engine.number, session),
      end: session => this.#sessions.delete(session.engine.number),
    };
    this.door = new Door({
      world,
      component,
      protocol: 'smtp',
      security,
      names: [hostName, `smtp.${world.domain}`],
      serve: visit =>
        serveSmtp(visit, role).finally(() => {
          for (const [session, filterSession] of this.#filters) {
            if (session.visit !== visit) continue;
            filterSession.close();
            this.#filters.delete(session);
          }
        }),
    });
  }

  async open(): Promise<void> {
    await this.door.open();
    this.#engines.warmUp();
  }

  async stop(): Promise<void> {
    await this.door.stop();
    this.#engines.stop();
  }

  /**
   * Runs a decision for the session whose engine calls. A string is the very reply that the client gets: a refusal, unless it
   * begins with 2.
   */
  #hook(
    session: SMTPServerSession,
    decide: (client: SmtpSession) => Promise<string | undefined>,
    done: (error?: Error | null) => void,
  ): void {
    const client = this.#sessions.get(session.remotePort);
    if (client === undefined) return;
    decide(client).then(
      reply => {
        client.exact = reply;
        done(
          reply === undefined || reply.startsWith('2')
            ? null
            : Object.assign(new Error('refused'), { responseCode: Number(reply.slice(0, 3)) }),
        );
      },
      (error: unknown) => {
        if (!(error instanceof Gone) && !hasLeft(error)) this.#world.problems.push(error);
        client.exact = LOCAL_PROBLEM;
        done(Object.assign(new Error('defect'), { responseCode: 451 }));
      },
    );
  }

  async #begin(session: SmtpSession): Promise<void> {
    // Who is it that comes? The banner waits for a name server that does not answer, and for nothing else that it may say.
    await this.#world.resolve?.(this.#world.hostName(this.component)).catch(() => {});
    if (this.filter === undefined) return;
    const filterSession = new FilterSession(this.#world, this.component, this.filter);
    this.#filters.set(session, filterSession);
    await filterSession.open();
  }

  /** The filter hears the name; and under smtpd_tls_auth_only the password checker is first spoken to at the EHLO inside TLS. */
  async #beforeEhlo(session: SmtpSession): Promise<void> {
    const { visit } = session;
    await this.#filters.get(session)?.helo(session.helo);
    if (!this.auth || !visit.mayLogIn) return;
    if (this.authDead === 0 && this.authHung === 0) return;
    await this.#world.pause(this.authDead > 0 ? this.#world.waits.saslDeadMs : this.#world.waits.saslHangMs);
    visit.wire.reset();
    throw new Gone('no password checker');
  }

  async #onAuth(given: SMTPServerAuthentication, client: SmtpSession): Promise<string | undefined> {
    const wrong = '535 5.7.8 Error: authentication failed: (reason unavailable)';
    try {
      const account = await this.accounts.find(given.username ?? '', this.#world.waits.saslHangMs);
      if (account === undefined || !opens(account, given.password ?? given.accessToken ?? '')) {
        await this.#world.pause(this.#world.waits.authFailureMs);
        return wrong;
      }
      client.user = account.uid;
      return undefined;
    } catch (error) {
      if (!(error instanceof DirectoryTrouble)) throw error;
      // What cost a day to find on real servers: a service password that is stale looks like a wrong password.
      if (error.why === 'refused') return wrong;
      const why = error.why === 'hung' ? 'Connection lost to authentication server' : '(reason unavailable)';
      return `454 4.7.0 Temporary authentication failure: ${why}`;
    }
  }

  async #onMail({ address }: SMTPServerAddress, client: SmtpSession): Promise<string | undefined> {
    const verdict = await this.#filters.get(client)?.step('M', address);
    if (verdict?.is === 'reply') return verdict.reply;
    // Postfix looks the sender up as well; trouble with that is told at RCPT.
    if (address !== '') await this.#find(address).catch(ignoreTrouble);
    return undefined;
  }

  async #onRcpt({ address }: SMTPServerAddress, client: SmtpSession): Promise<string | undefined> {
    const verdict = await this.#filters.get(client)?.step('R', address);
    if (verdict?.is === 'reply') return verdict.reply;
    if (!address.toLowerCase().endsWith(`@${this.#world.domain}`)) return `554 5.7.1 <${address}>: Relay access denied`;
    try {
      const account = await this.#find(address);
      return account === undefined
        ? `550 5.1.1 <${address}>: Recipient address rejected: User unknown in virtual mailbox table`
        : undefined;
    } catch (error) {
      if (error instanceof DirectoryTrouble) return `451 4.3.0 <${address}>: Temporary lookup failure`;
      throw error;
    }
  }

  async #onData(stream: SMTPServerDataStream, session: SMTPServerSession, client: SmtpSession): Promise<string | undefined> {
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(Buffer.isBuffer(part) ? part : Buffer.from(String(part)));
    if (client.veto) return '451 4.3.0 vetoed by a fault switch';
    if (stream.sizeExceeded) return '552 5.3.4 Error: message file too big';
    const raw = Buffer.concat(parts);
    const { mailFrom, rcptTo } = session.envelope;
    const sender = mailFrom === false ? '' : mailFrom.address;
    const verdict = (await this.#filters.get(client)?.message(raw)) ?? { is: 'go on' };
    if (verdict.is === 'reply') return verdict.reply;
    const id = this.queue.nextId();
    if (verdict.is !== 'discard') {
      const recipients = rcptTo.map(({ address }) => address);
      const added = verdict.is === 'done' ? verdict.headers : [];
      const held = verdict.is === 'done' && verdict.quarantined;
      this.queue.add(id, sender, recipients, prepend(raw, ...added, this.#received(client, id, recipients)), held);
    }
    return `250 2.0.0 Ok: queued as ${id}`;
  }

  #received({ visit, helo, user }: SmtpSession, id: string, recipients: readonly string[]): string {
    const protocol = `ESMTP${visit.secure ? 'S' : ''}${user === undefined ? '' : 'A'}`;
    const [only] = recipients;
    return [
      `Received: from ${helo} (localhost [127.0.0.1])`,
      ...(visit.secure ? ['\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))'] : []),
      ...(user === undefined ? [] : [`\t(Authenticated sender: ${user})`]),
      `\tby ${this.#world.hostName(this.component)} (Postfix) with ${protocol} id ${id}`,
      `${recipients.length === 1 ? `\tfor <${only ?? ''}>` : '\t(recipients not shown)'}; ${mailDate(new Date(Date.now() + this.clockOffMs))}`,
    ].join('\r\n');
  }

  #find(address: string): Promise<Account | undefined> {
    return this.accounts.find(address, this.#world.waits.mtaDirectoryMs);
  }
}

/** smtp-server's error for a client that is gone in the middle of a message. */
function hasLeft(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNECTION';
}

function ignoreTrouble(error: unknown): void {
  if (!(error instanceof DirectoryTrouble)) throw error;
}
