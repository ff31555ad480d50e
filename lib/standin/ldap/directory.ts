// The tree that a directory server holds: who has an account, on which store, with which password. Provider and replica each
// hold a copy of their own, so that one can be empty, behind or wrong while the other is right.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export interface Entry {
  readonly dn: string;
  /** Attribute names in lower case. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/** One person with a mailbox. */
interface Person {
  /** The user name; also the account's name in the site. */
  readonly uid: string;
  readonly address: string;
  /** Name of the store machine, `ims1.standin.test`. */
  readonly mailHost: string;
  /** What opens the mailbox: the password, and the token for XOAUTH2. */
  readonly secrets: readonly string[];
}

/** A program that may look into the directory. */
export interface Service {
  readonly name: string;
  readonly secret: string;
}

export interface Tree {
  readonly suffix: string;
  readonly services: readonly Service[];
  readonly people: readonly Person[];
}

/** `dc=standin,dc=test` */
export function suffixOf(domain: string): string {
  return domain
    .split('.')
    .map(part => `dc=${part}`)
    .join(',');
}

export function peopleBase(suffix: string): string {
  return `ou=people,${suffix}`;
}

function personDn(uid: string, suffix: string): string {
  return `uid=${uid},${peopleBase(suffix)}`;
}

export function serviceDn(name: string, suffix: string): string {
  return `cn=${name},ou=services,${suffix}`;
}

/** Entries in the order of the tree, with passwords as salted hashes. `changedAt` becomes the contextCSN. */
export function entriesOf(tree: Tree, changedAt: Date): Entry[] {
  const { suffix } = tree;
  return [
    entry(suffix, { objectClass: ['dcObject', 'organization'], o: ['Stand-in'], contextCSN: [csn(changedAt)] }),
    entry(peopleBase(suffix), { objectClass: ['organizationalUnit'], ou: ['people'] }),
    entry(`ou=services,${suffix}`, { objectClass: ['organizationalUnit'], ou: ['services'] }),
    ...tree.services.map(({ name, secret }) =>
      entry(serviceDn(name, suffix), {
        objectClass: ['organizationalRole', 'simpleSecurityObject'],
        cn: [name],
        userPassword: [hashed(secret)],
      }),
    ),
    ...tree.people.map(person =>
      entry(personDn(person.uid, suffix), {
        objectClass: ['inetOrgPerson', 'mailRecipient'],
        uid: [person.uid],
        cn: [person.uid],
        sn: [person.uid],
        mail: [person.address],
        mailHost: [person.mailHost],
        userPassword: person.secrets.map(secret => hashed(secret)),
      }),
    ),
  ];
}

/** `20261122030444.100726Z#000000#000#000000`, as OpenLDAP writes it. */
function csn(at: Date): string {
  const digits = at.toISOString().replace(/[-:TZ]/g, '');
  return `${digits.padEnd(21, '0')}Z#000000#000#000000`;
}

function entry(dn: string, attributes: Readonly<Record<string, readonly string[]>>): Entry {
  return { dn, attributes: new Map(Object.entries(attributes).map(([name, values]) => [name.toLowerCase(), values])) };
}

function hashed(secret: string, salt: Buffer = randomBytes(8)): string {
  const digest = createHash('sha256').update(secret).update(salt).digest();
  return `{SSHA256}${Buffer.concat([digest, salt]).toString('base64')}`;
}

/** Whether `secret` is one of the hashed values. */
export function matches(secret: string, values: readonly string[]): boolean {
  return values.some(value => {
    if (!value.startsWith('{SSHA256}')) return false;
    const salt = Buffer.from(value.slice(9), 'base64').subarray(32);
    const again = Buffer.from(hashed(secret, salt));
    return again.length === value.length && timingSafeEqual(again, Buffer.from(value));
  });
}
