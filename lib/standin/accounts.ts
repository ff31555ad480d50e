// How the other servers look up an account: an LDAP client of the kind that Postfix and Dovecot carry. A directory that refuses
// the connection or drops it is passed over for the next one; one that hangs is not, because a connection that is there looks
// alive (what real servers do, and what makes a hung directory worse than a dead one).

import type { BerReader } from 'ldapts';
import type { Component } from '../model/component.ts';
import { matches, peopleBase, type Service, serviceDn } from './ldap/directory.ts';
import type { DirectoryServer } from './ldap/ldap.ts';
import { message, OP, readMessage } from './ldap/wire.ts';
import { Gone, type Wire } from './network/wire.ts';
import type { World } from './world.ts';

export interface Account {
  readonly uid: string;
  readonly address: string;
  readonly mailHost: string;
  readonly passwords: readonly string[];
}

const NO_SUCH_OBJECT = 32;

/** Why no answer could be had. */
export class DirectoryTrouble extends Error {
  override name = 'DirectoryTrouble';
  /** `down`: nothing to talk to; `hung`: no answer in time; `refused`: our own bind, or the search, was refused. */
  readonly why: 'down' | 'hung' | 'refused';

  constructor(why: DirectoryTrouble['why'], text: string) {
    super(text);
    this.why = why;
  }
}

export class Accounts {
  readonly #world: World;
  readonly #owner: Component;
  readonly #directories: readonly DirectoryServer[];
  readonly #service: Service;
  /** While more than 0, the service password in this machine's own configuration is an old one. */
  staleSecret = 0;

  /** `directories` in the order in which they are asked. */
  constructor(world: World, owner: Component, directories: readonly DirectoryServer[], service: Service) {
    this.#world = world;
    this.#owner = owner;
    this.#directories = directories;
    this.#service = service;
  }

  /**
   * @param name a user name, or a whole address
   * @param hangMs how long a directory that does not answer is waited for
   * @returns undefined when the directory answers that there is no such account
   * @throws DirectoryTrouble
   */
  async find(name: string, hangMs: number): Promise<Account | undefined> {
    let trouble = new DirectoryTrouble('down', 'no directory is configured');
    for (const directory of this.#directories) {
      try {
        return await this.#ask(directory, name, hangMs);
      } catch (error) {
        if (this.#world.signal.aborted) throw error;
        if (error instanceof DirectoryTrouble && error.why !== 'down') throw error;
        trouble = new DirectoryTrouble(
          'down',
          `Can't connect to server: ldap://${this.#world.hostName(directory.door.component)}`,
        );
      }
    }
    throw trouble;
  }

  async #ask(directory: DirectoryServer, name: string, hangMs: number): Promise<Account | undefined> {
    const wire = await this.#world.dial(this.#owner, directory.door.component, directory.door.port, hangMs);
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      wire.destroy();
    }, hangMs).unref();
    try {
      return await this.#converse(wire, directory.tree.suffix, name);
    } catch (error) {
      if (hung) throw new DirectoryTrouble('hung', 'Request timed out');
      throw error;
    } finally {
      clearTimeout(timer);
      wire.end();
    }
  }

  async #converse(wire: Wire, suffix: string, name: string): Promise<Account | undefined> {
    await wire.write(
      bindRequest(1, serviceDn(this.#service.name, suffix), this.staleSecret > 0 ? 'an old one' : this.#service.secret),
    );
    const bound = await answer(wire);
    if (bound.code !== 0) throw new DirectoryTrouble('refused', 'binding failed: Invalid credentials');
    await wire.write(searchRequest(2, peopleBase(suffix), name.includes('@') ? 'mail' : 'uid', name));
    let account: Account | undefined;
    for (;;) {
      const said = await answer(wire);
      if (said.entry !== undefined) account = said.entry;
      else if (said.code === 0 || said.code === NO_SUCH_OBJECT)
        return account; // an empty replica has no base either
      else throw new DirectoryTrouble('refused', `search failed with code ${said.code}`);
    }
  }
}

/** Whether the secret opens the account. */
export function opens(account: Account, secret: string): boolean {
  return matches(secret, account.passwords);
}

function bindRequest(id: number, dn: string, password: string): Buffer {
  return message(id, writer => {
    writer.startSequence(OP.bindRequest);
    writer.writeInt(3);
    writer.writeString(dn);
    writer.writeString(password, 0x80);
    writer.endSequence();
  });
}

function searchRequest(id: number, base: string, attribute: string, value: string): Buffer {
  return message(id, writer => {
    writer.startSequence(OP.searchRequest);
    writer.writeString(base);
    writer.writeEnumeration(1); // one level
    writer.writeEnumeration(0);
    writer.writeInt(2);
    writer.writeInt(10);
    writer.writeBoolean(false);
    writer.startSequence(0xa3);
    writer.writeString(attribute);
    writer.writeString(value);
    writer.endSequence();
    writer.startSequence();
    writer.endSequence();
    writer.endSequence();
  });
}

async function answer(wire: Wire): Promise<{ code: number; entry?: Account }> {
  const reader = await readMessage(wire, 1 << 20).catch((error: unknown) => {
    throw error instanceof Gone ? error : new DirectoryTrouble('refused', 'the answer is not LDAP');
  });
  reader.readSequence(0x30);
  reader.readInt();
  const op = reader.readSequence();
  if (op === OP.searchEntry) return { code: 0, entry: readAccount(reader) };
  return { code: reader.readEnumeration() ?? 80 };
}

function readAccount(reader: BerReader): Account {
  reader.readString(); // DN
  reader.readSequence(0x30);
  const attributes = new Map<string, string[]>();
  while (reader.remain > 0) {
    reader.readSequence(0x30);
    const name = (reader.readString() ?? '').toLowerCase();
    reader.readSequence(0x31);
    const end = reader.offset + reader.length;
    const values: string[] = [];
    while (reader.offset < end) values.push(reader.readString() ?? '');
    attributes.set(name, values);
  }
  const first = (name: string) => attributes.get(name)?.[0] ?? '';
  return {
    uid: first('uid'),
    address: first('mail'),
    mailHost: first('mailhost'),
    passwords: attributes.get('userpassword') ?? [],
  };
}
