// The directory against ldapts, the name server against Node's resolver, and the filter's handshake byte by byte.

import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { Client, InvalidCredentialsError, NoSuchObjectError } from 'ldapts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';

let standin: StandinSite;

beforeAll(async () => {
  standin = await startSite({ directories: 2, nameServer: true, filter: true });
});

afterAll(async () => {
  expect(standin.problems).toEqual([]);
  await standin.stop();
});

function directory(name = 'ldap1') {
  const found = standin.site.directories.get(name);
  if (found === undefined) throw new Error('no directory');
  return found;
}

async function bound(name = 'ldap1'): Promise<Client> {
  const { ldap } = directory(name);
  const client = new Client({ url: `ldap://${ldap.host}:${ldap.port}`, timeout: 1000, connectTimeout: 1000 });
  await client.startTLS({ ca: [ldap.trust.ca ?? ''], servername: ldap.servername ?? '' });
  await client.bind(ldap.login?.user ?? '', (await ldap.login?.secret()) ?? '');
  return client;
}

test('ldapts binds under StartTLS and finds the account', async () => {
  const client = await bound();
  const { searchEntries } = await client.search(directory().base, {
    filter: directory().filter.replace('%s', 'ims1@standin.test'),
    attributes: [...directory().attributes],
  });
  await client.unbind();
  expect(searchEntries).toEqual([
    { dn: 'uid=ims1,ou=people,dc=standin,dc=test', mail: 'ims1@standin.test', mailHost: 'ims1.standin.test' },
  ]);
});

test.each([
  ['(objectClass=*)', 3],
  ['(&(objectClass=inetOrgPerson)(!(uid=sender)))', 2],
  ['(|(uid=ims1)(mail=IMS2@STANDIN.TEST))', 2],
  ['(mail=ims*@standin.test)', 2],
  ['(mail=*@*.test)', 3],
  ['(uid=*der)', 1],
  ['(uid=ims)', 0],
  ['(uid>=a)', 0],
])('the filter %s finds %i entries', async (filter, count) => {
  const client = await bound();
  const { searchEntries } = await client.search(directory().base, { filter, scope: 'one' });
  await client.unbind();
  expect(searchEntries.length).toBe(count);
});

test('scopes, size limits and missing bases are told as OpenLDAP tells them', async () => {
  const client = await bound();
  const suffix = 'dc=standin,dc=test';
  const [base, one, sub] = await Promise.all(
    (['base', 'one', 'sub'] as const).map(
      async scope => (await client.search(suffix, { scope, filter: '(objectClass=*)' })).searchEntries.length,
    ),
  );
  expect({ base, one, sub }).toEqual({ base: 1, one: 2, sub: 8 });
  expect((await client.search(suffix, { filter: '(objectClass=*)', sizeLimit: 2 })).searchEntries.length).toBe(2);
  await expect(client.search('dc=nowhere', { filter: '(uid=x)' })).rejects.toBeInstanceOf(NoSuchObjectError);
  await client.unbind();
});

test('provider and replica show the same contextCSN, until one is behind', async () => {
  const csn = async (name: string) => {
    const client = await bound(name);
    const { searchEntries } = await client.search('dc=standin,dc=test', {
      scope: 'base',
      filter: '(objectClass=*)',
      attributes: ['contextCSN'],
    });
    await client.unbind();
    return searchEntries[0]?.contextCSN;
  };
  expect(await csn('ldap1')).toMatch(/^\d{14}\.\d{6}Z#000000#000#000000$/);
  expect(await csn('ldap2')).toBe(await csn('ldap1'));
  const broken = await standin.breakIt('replica-behind', 'directory/ldap2');
  expect(String(await csn('ldap2')) < String(await csn('ldap1'))).toBe(true);
  await broken.mend();
});

test('a wrong password is refused, nobody may bind anonymously to see passwords', async () => {
  const { ldap } = directory();
  const client = new Client({ url: `ldap://127.0.0.1:${ldap.port}`, timeout: 1000 });
  await expect(client.bind(ldap.login?.user ?? '', 'wrong')).rejects.toBeInstanceOf(InvalidCredentialsError);
  await client.bind('', '');
  const { searchEntries } = await client.search(directory().base, { filter: '(uid=ims1)' });
  await client.unbind();
  expect(searchEntries[0]).toHaveProperty('mail');
  expect(searchEntries[0]).not.toHaveProperty('userPassword');
});

test('what is not LDAP, or too long, ends the connection and nothing else', async () => {
  for (const bytes of [
    Buffer.from('GET / HTTP/1.0\r\n\r\n'),
    Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02]),
    Buffer.from([0x30, 0x05, 0x02, 0x01, 0x01, 0x63, 0x00]),
    Buffer.from([0x30, 0x07, 0x02, 0x01, 0x01, 0x60, 0x02, 0x30, 0x00]),
    Buffer.from([0x30, 0x02, 0x05, 0x00]),
  ]) {
    const socket = connect({ port: directory().ldap.port, host: '127.0.0.1' });
    const closed = new Promise(resolve => socket.once('close', resolve));
    socket.on('error', () => {}).resume();
    socket.write(bytes);
    socket.end();
    await closed;
  }
  const client = await bound();
  await client.unbind();
});

test.each([
  ['at-phase', { phase: 'bind', act: { do: 'refuse' } }, { code: 49 }],
  ['at-phase', { phase: 'search', act: { do: 'refuse', reply: '51 busy' } }, { code: 51 }],
] as const)('%s %o is told by its result code', async (fault, options, expected) => {
  const broken = await standin.breakIt(fault, 'directory/ldap1', options);
  const attempt = async () => {
    const client = await bound();
    await client.search(directory().base, { filter: '(uid=ims1)' }).finally(() => client.unbind());
  };
  await expect(attempt()).rejects.toMatchObject(expected);
  await broken.mend();
  await attempt();
});

test('the name server knows the machines over UDP, and says no in every way', async () => {
  const server = standin.site.nameServers.get('ns1');
  const ask = async (name: string) => {
    const resolver = new Resolver({ timeout: 150, tries: 1 });
    resolver.setServers([`${server?.address}:${server?.port}`]);
    return resolver.resolve4(name).catch((error: NodeJS.ErrnoException) => error.code);
  };
  expect(await ask('smux01.standin.test')).toEqual(['127.0.0.1']);
  expect(await ask('SSMTP02.STANDIN.TEST')).toEqual(['127.0.0.1']);
  expect(await ask('nobody.standin.test')).toBe('ENOTFOUND');
  expect(await ask('example.com')).toBe('EREFUSED');
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`${server?.address}:${server?.port}`]);
  expect((await resolver.resolveMx('standin.test')).map(({ exchange }) => exchange).sort()).toEqual([
    'ssmtp01.standin.test',
    'ssmtp02.standin.test',
  ]);
  expect(await resolver.resolveTxt('standin.test')).toEqual([['v=spf1 -all']]);
  await expect(resolver.resolve6('smux01.standin.test')).rejects.toMatchObject({ code: 'ENODATA' });
  for (const [fault, code] of [
    ['dns-silent', 'ETIMEOUT'],
    ['dns-fails', 'ESERVFAIL'],
    ['dns-denies', 'ENOTFOUND'],
    ['dns-refuses', 'EREFUSED'],
    ['dns-stopped', 'ECONNREFUSED'],
  ] as const) {
    const broken = await standin.breakIt(fault, 'dns/ns1');
    expect([fault, await ask('smux01.standin.test')]).toEqual([fault, code]);
    await broken.mend();
    expect(await ask('smux01.standin.test')).toEqual(['127.0.0.1']);
  }
});

test('the name server answers over TCP', async () => {
  const server = standin.site.nameServers.get('ns1');
  const question = Buffer.concat([
    Buffer.from('123401000001000000000000', 'hex'),
    Buffer.from('\x04ims1\x07standin\x04test\0', 'latin1'),
    Buffer.from('00010001', 'hex'),
  ]);
  const socket = connect({ port: server?.port ?? 0, host: '127.0.0.1' });
  socket.write(Buffer.concat([Buffer.from([0, question.length]), question]));
  const answer = await new Promise<Buffer>(resolve => socket.once('data', resolve));
  socket.destroy();
  expect(answer.readUInt16BE(0)).toBe(answer.length - 2);
  expect(answer.subarray(-4)).toEqual(Buffer.from([127, 0, 0, 1]));
});

test('the filter negotiates as a milter of version 6', async () => {
  const filter = standin.site.filters.get('dkim');
  if (filter === undefined || !('port' in filter.socket)) throw new Error('no filter');
  expect(filter.usedBy).toEqual(['ssmtp02']);
  const socket = connect({ port: filter.socket.port, host: filter.socket.host });
  socket.write(Buffer.from('0000000d4f00000006000001ff001fffff', 'hex'));
  const answer = await new Promise<Buffer>(resolve => socket.once('data', resolve));
  const ended = new Promise(resolve => socket.once('end', resolve));
  socket.write(Buffer.from('0000000151', 'hex')); // Q
  await ended;
  socket.destroy();
  expect(answer.subarray(0, 9).toString('hex')).toBe('0000000d4f00000006');
});
