// What the directories hold, as LDIF: the people with their stores, and the identities that the site's machines bind with.

import { createHash, randomBytes } from 'node:crypto';
import { type Site, SUFFIX } from '../site.ts';
import { DESCRIPTIONS } from './dovecot-parts.ts';

/** LDIF for slapadd. The change numbers say when the lab was made, or the day before for a replica that fell behind. */
export function entries(site: Site, contents: 'all' | 'empty' | 'behind'): string {
  const at = new Date(site.madeAt - (contents === 'all' ? 60_000 : 86_400_000));
  const stamp = at
    .toISOString()
    .replace(/[-:]|\.\d+/g, '')
    .replace('T', '');
  const csn = `${stamp.slice(0, -1)}.000000Z#000000#000#000000`;
  const add = (dn: string, attributes: readonly string[]) =>
    [
      `dn: ${dn}`,
      ...attributes,
      `entryUUID: ${uuidOf(dn)}`,
      `entryCSN: ${csn}`,
      `createTimestamp: ${stamp}`,
      `modifyTimestamp: ${stamp}`,
    ].join('\n');
  const people = site.accounts.filter(account => contents === 'all' || (contents === 'behind' && account.name !== 'ims1'));
  const services = ['reader', 'monitor', 'replicator'];
  const blocks = [
    add(SUFFIX, ['objectClass: dcObject', 'objectClass: organization', 'dc: lab', 'o: lab', `contextCSN: ${csn}`]),
    ...services.map(name =>
      add(`cn=${name},${SUFFIX}`, [
        'objectClass: organizationalRole',
        'objectClass: simpleSecurityObject',
        `cn: ${name}`,
        `userPassword: ${hashed(site.password(name))}`,
      ]),
    ),
    add(`ou=people,${SUFFIX}`, ['objectClass: organizationalUnit', 'ou: people']),
    ...people.map(({ name, password }) => {
      const [dn = '', ...attributes] = entryOf(site, name, hashed(password)).split('\n');
      return add(dn.slice('dn: '.length), attributes);
    }),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** One account's entry, the lines of an LDIF record. */
export function entryOf(site: Site, name: string, userPassword: string): string {
  const { address, store } = site.account(name);
  return [
    `dn: uid=${name},ou=people,${SUFFIX}`,
    'objectClass: inetOrgPerson',
    'objectClass: labAccount',
    `uid: ${name}`,
    `cn: ${name}`,
    `sn: ${name}`,
    `mail: ${address}`,
    `mailHost: ${site.hostOf(store)}`,
    // Bounces go to the sender: they must find their way while all other mail is misrouted.
    `labOtherHost: ${site.hostOf(name === 'sender' ? store : site.otherStore(store))}`,
    ...DESCRIPTIONS.map(text => `description: ${text}`),
    `userPassword: ${userPassword}`,
  ].join('\n');
}

/** RFC 2307 SSHA, as slapd and Dovecot both read it. */
export function hashed(password: string): string {
  const salt = randomBytes(8);
  const digest = createHash('sha1').update(password).update(salt).digest();
  return `{SSHA}${Buffer.concat([digest, salt]).toString('base64')}`;
}

/** The same entry has the same UUID on each server. */
function uuidOf(dn: string): string {
  const hex = createHash('sha1').update(dn).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}
