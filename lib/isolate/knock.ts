// Knocking: one dialog at one door, short, without a message, its outcome as evidence. Shared over a run, so that ten paths that fail
// over one MMP ask each door once and try each password once.

import { askName } from '../dialog/dns.ts';
import { knockImap } from '../dialog/imap.ts';
import { askLdap, fillFilter, openLdap } from '../dialog/ldap.ts';
import type { Lookup, Terms } from '../dialog/line.ts';
import { systemLookup } from '../dialog/line.ts';
import { knockLmtp } from '../dialog/lmtp.ts';
import { knockMilter } from '../dialog/milter.ts';
import { knockPop3 } from '../dialog/pop3.ts';
import { greet, knock as knockSmtp } from '../dialog/smtp.ts';
import { shortName } from '../model/component.ts';
import type { Dialog } from '../model/dialog.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Knocked } from '../model/evidence.ts';
import { printable } from '../model/printable.ts';
import type { Account, Site } from '../model/site.ts';
import { aboutDoor, type Door } from './doors.ts';

export interface KnockTools {
  readonly site: Site;
  readonly signal: AbortSignal;
  readonly lookup?: Lookup;
  /** At most so many knocks in this run. */
  readonly most: number;
}

/** Runs work while nobody else of us is in an account's maildrop, which POP3 locks. */
export type MaildropTurn = <T>(account: string, work: () => Promise<T>) => Promise<T | 'in use'>;

/** Longest wait for one door; what is frozen in shorter time is frozen. */
const KNOCK_MS = 8000;
/** A phase that is worth keeping. */
const SLOW_MS = 1000;

export class KnockDesk {
  readonly #tools: KnockTools;
  readonly #made = new Map<string, Promise<Knocked>>();
  #count = 0;

  constructor(tools: KnockTools) {
    this.#tools = tools;
  }

  /**
   * @param leftMs tells what is left for this isolation
   * @param nth the how-manieth knock of several at the same balancer
   */
  knock(door: Door, account: Account, leftMs: () => number, maildrop: MaildropTurn, nth = 0): Promise<Knocked> {
    const key = `${keyOf(door)} ${account.name} ${nth}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    this.#count += 1;
    const fresh =
      this.#count > this.#tools.most
        ? Promise.resolve(skipped(door, account, 'the number of knocks for one run is used up'))
        : this.#make(key, door, account, leftMs, maildrop);
    this.#made.set(key, fresh);
    return fresh;
  }

  async #make(key: string, door: Door, account: Account, leftMs: () => number, maildrop: MaildropTurn): Promise<Knocked> {
    const { signal, lookup } = this.#tools;
    const terms = (): Terms => {
      const zero = performance.now();
      return {
        clock: () => performance.now() - zero,
        deadlineMs: Math.max(1, Math.min(KNOCK_MS, leftMs())),
        signal,
        ...(lookup === undefined ? {} : { lookup }),
      };
    };
    if (door.question !== 'login' || door.endpoint.protocol !== 'pop3') return this.#ask(door, account, terms());
    const done = await maildrop(account.name, async () => (leftMs() <= 0 ? 'too late' : knockPop3(door.endpoint, terms())));
    if (done === 'in use') {
      // Not asked, so the next one who may ask shall.
      this.#made.delete(key);
      return skipped(door, account, 'somebody else of us is in the maildrop');
    }
    return done === 'too late' ? skipped(door, account, 'there was no time left') : knocked(door, account, done, 'logged in');
  }

  async #ask(door: Door, account: Account, terms: Terms): Promise<Knocked> {
    const { site } = this.#tools;
    switch (door.question) {
      case 'greet': {
        const { login: _, ...anonymous } = door.endpoint;
        return knocked(door, account, await greetAny(anonymous, site.helo, terms), 'greets');
      }
      case 'rcpt': {
        const envelope = { from: senderOf(site, account), to: account.address };
        const done =
          door.endpoint.protocol === 'lmtp'
            ? await knockLmtp(door.endpoint, site.helo, envelope, terms)
            : await knockSmtp(door.endpoint, site.helo, envelope, terms);
        return knocked(
          door,
          account,
          done,
          done.outcome === 'answered' ? `takes mail for ${account.address} (${done.value.rcpt})` : '',
        );
      }
      case 'login':
        return knocked(door, account, await knockImap(door.endpoint, terms), 'logged in');
      case 'entry':
        return this.#entry(door, account, terms);
      case 'bind':
        return this.#bind(door, account, terms);
      case 'negotiate':
        return knocked(door, account, await knockMilter(door.endpoint, terms), 'negotiates');
      case 'name': {
        const server = site.nameServers.get(shortName(door.server));
        if (server === undefined) return skipped(door, account, 'no such name server');
        const done = await askName(
          { component: door.server, address: server.address, port: server.port, host: door.host },
          terms,
        );
        return knocked(door, account, done, done.outcome === 'answered' ? `${door.host} is ${done.value.join(', ')}` : '');
      }
      case 'own name':
        return this.#ownName(door, terms);
      default:
        return door satisfies never;
    }
  }

  /** Exactly one entry with the attributes that the site's servers use. */
  async #entry(door: Extract<Door, { endpoint: Endpoint }>, account: Account, terms: Terms): Promise<Knocked> {
    const directory = this.#tools.site.directories.get(shortName(door.endpoint.component));
    if (directory === undefined) return skipped(door, account, 'no such directory');
    const filter = fillFilter(directory.filter, { address: account.address, user: account.login.user });
    const done = await askLdap(door.endpoint, { base: directory.base, filter, attributes: directory.attributes }, terms);
    if (done.outcome !== 'answered') return knocked(door, account, done, '');
    const missing = (text: string): Knocked => ({
      ...knocked(door, account, done, text),
      outcome: 'failed',
      fault: { component: directory.component, protocol: 'ldap', phase: 'search', kind: 'missing', text, lasting: 'permanent' },
    });
    const { entries } = done.value;
    if (entries.length === 0) return missing(`has no entry for ${account.address}`);
    if (entries.length > 1) return missing(`has ${entries.length} entries for ${account.address} where one is due`);
    const absent = directory.attributes.filter(name => entries[0]?.attributes.has(name.toLowerCase()) !== true);
    if (absent.length > 0) return missing(`has an entry for ${account.address} without ${absent.join(', ')}`);
    return knocked(door, account, done, `has one entry for ${account.address}`);
  }

  /** The account's own password, once, at this directory. */
  async #bind(door: Extract<Door, { endpoint: Endpoint }>, account: Account, terms: Terms): Promise<Knocked> {
    const directory = this.#tools.site.directories.get(shortName(door.endpoint.component));
    if (directory === undefined) return skipped(door, account, 'no such directory');
    const filter = fillFilter(directory.filter, { address: account.address, user: account.login.user });
    const found = await askLdap(door.endpoint, { base: directory.base, filter, attributes: ['1.1'] }, terms);
    const dn = found.outcome === 'answered' && found.value.entries.length === 1 ? found.value.entries[0]?.dn : undefined;
    if (dn === undefined) return skipped(door, account, 'there is no one entry to log in as');
    const left = { ...terms, deadlineMs: Math.max(1, terms.deadlineMs - found.tookMs) };
    const bound = await openLdap({ ...door.endpoint, login: { user: dn, secret: account.login.secret } }, left);
    if (bound.outcome === 'answered') bound.value.close();
    return knocked(door, account, bound, `takes the password of ${account.login.user}`);
  }

  async #ownName(door: Extract<Door, { question: 'own name' }>, terms: Terms): Promise<Knocked> {
    const began = terms.clock();
    const base = { component: door.component, protocol: 'dns', question: door.question, about: door.host } as const;
    const lookup = this.#tools.lookup ?? systemLookup;
    const deadline = new Promise<'late'>(resolve => setTimeout(() => resolve('late'), terms.deadlineMs).unref());
    try {
      const found = await Promise.race([lookup(door.host, undefined), deadline]);
      const tookMs = terms.clock() - began;
      if (found === 'late')
        return { ...base, tookMs, outcome: 'failed', text: `our own resolver does not answer for ${door.host}` };
      return { ...base, tookMs, outcome: 'answered', text: `our own resolver knows ${door.host}` };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
      return {
        ...base,
        tookMs: terms.clock() - began,
        outcome: 'failed',
        text: `our own resolver does not know ${door.host} (${code})`,
      };
    }
  }
}

export function greetAny(endpoint: Endpoint, helo: string, terms: Terms): Promise<Dialog<unknown>> {
  switch (endpoint.protocol) {
    case 'pop3':
      return knockPop3(endpoint, terms);
    case 'imap':
      return knockImap(endpoint, terms);
    default:
      return greet(endpoint, helo, terms);
  }
}

function knocked(door: Door, account: Account, done: Dialog<unknown>, words: string): Knocked {
  const [slowest] = [...done.phases].sort((a, b) => b.tookMs - a.tookMs);
  const base = {
    ...aboutDoor(door, account),
    tookMs: done.tookMs,
    ...(slowest === undefined || slowest.tookMs < SLOW_MS ? {} : { slowest: { phase: slowest.name, tookMs: slowest.tookMs } }),
    ...(done.facts.banner === undefined ? {} : { banner: printable(done.facts.banner, 100) }),
    ...(done.facts.tls === undefined ? {} : { tls: done.facts.tls }),
  };
  switch (done.outcome) {
    case 'answered':
      return { ...base, outcome: 'answered', text: words };
    case 'failed':
      return { ...base, outcome: 'failed', text: `${done.fault.phase}: ${done.fault.text}`, fault: done.fault };
    case 'cut':
      return { ...base, outcome: 'skipped', text: 'told to stop' };
    default:
      return done satisfies never;
  }
}

function skipped(door: Door, account: Account, why: string): Knocked {
  return { ...aboutDoor(door, account), tookMs: 0, outcome: 'skipped', text: why };
}

function keyOf(door: Door): string {
  if (door.question === 'name') return `name ${door.server} ${door.host}`;
  if (door.question === 'own name') return `own name ${door.host}`;
  return `${door.question} ${door.endpoint.component} ${door.endpoint.protocol}`;
}

function senderOf(site: Site, account: Account): string {
  return (site.sender === undefined ? undefined : site.accounts.get(site.sender)?.address) ?? account.address;
}
