// LDAP: every phase, every way of going wrong, and answers that are no LDAP.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { askLdap, contextCsn, csnTime, fillFilter, openLdap } from '../../lib/dialog/ldap.ts';
import { messageLength, NotBer, readEntry, readMessage, readResult } from '../../lib/dialog/ldap-wire.ts';
import type { Terms } from '../../lib/dialog/line.ts';
import type { Dialog, FaultKind } from '../../lib/model/dialog.ts';
import type { Endpoint, Security } from '../../lib/model/endpoint.ts';
import { directory, entry, type Mischief, message, result, startLdapPeer, type Turn } from './ldap-peer.ts';
import { login, terms } from './peer.ts';

const WHAT = { base: 'dc=peer,dc=test', filter: '(mail=ims1@peer.test)', attributes: ['mail'], mostEntries: 2 };
const IMS1 = { mail: ['ims1@peer.test'], mailHost: ['store1'] };
const BIND: Turn = { phase: 'bind', hear: 0x60, say: id => result(id, 0x61, 0) };
const SEARCH: Turn = {
  phase: 'search',
  hear: 0x63,
  say: id => Buffer.concat([entry(id, 'uid=ims1,dc=peer,dc=test', IMS1), result(id, 0x65, 0)]),
};
const UNBIND: Turn = { phase: 'quit', hear: 0x42, say: () => Buffer.alloc(0) };
const PLAIN: readonly Turn[] = [BIND, SEARCH, UNBIND];
const STARTTLS: readonly Turn[] = [{ phase: 'starttls', hear: 0x77, say: id => result(id, 0x78, 0), upgrade: true }, ...PLAIN];
const LDAP_LOGIN = { ...login(), user: 'cn=probe,dc=peer,dc=test' };
const run = (endpoint: Endpoint, t: Terms) => askLdap(endpoint, WHAT, t);

for (const [security, turns] of [
  ['plain', PLAIN],
  ['starttls', STARTTLS],
  ['tls', PLAIN],
] as const) {
  test(`ldap ${security}: a good dialog gives the entry, and every phase has its time`, async () => {
    const peer = await startLdapPeer(turns, { tlsFirst: security === 'tls' });
    const done = await run(directory(peer.port, security, LDAP_LOGIN), terms());
    await peer.stop();
    expect(done).toMatchObject({ outcome: 'answered', value: { isCut: false, references: [] } });
    expect(done.outcome === 'answered' && done.value.entries).toEqual([
      {
        dn: 'uid=ims1,dc=peer,dc=test',
        attributes: new Map([
          ['mail', ['ims1@peer.test']],
          ['mailhost', ['store1']],
        ]),
      },
    ]);
    const between = { plain: [], tls: ['tls'], starttls: ['starttls', 'tls'] }[security];
    expect(done.phases.map(({ name }) => name)).toEqual(['secret', 'connect', ...between, 'bind', 'search', 'quit']);
  });
}

test('ldap: answers that come a byte at a time are put together', async () => {
  const peer = await startLdapPeer(STARTTLS, { byteByByte: true });
  const done = await run(directory(peer.port, 'starttls'), terms());
  await peer.stop();
  expect(done).toMatchObject({ outcome: 'answered', value: { entries: [{ dn: 'uid=ims1,dc=peer,dc=test' }] } });
});

const WAYS: readonly { name: string; kind: FaultKind; mischief: (turn: Turn) => Mischief }[] = [
  { name: 'says nothing', kind: 'timeout', mischief: () => () => {} },
  { name: 'closes', kind: 'dropped', mischief: () => socket => socket.end() },
  { name: 'resets', kind: 'dropped', mischief: () => (_, raw) => raw.resetAndDestroy() },
  {
    name: 'closes in the middle of a message',
    kind: 'dropped',
    mischief: turn => (socket, _, id) => socket.end(turn.say(id).subarray(0, 5)),
  },
  {
    name: 'refuses',
    kind: 'rejected',
    mischief: turn => (socket, _, id) => socket.write(result(id, answerTag(turn), 52, 'shutting down')),
  },
  { name: 'talks nonsense', kind: 'garbled', mischief: () => socket => socket.write('220 mail.example ESMTP\r\n') },
  { name: 'announces 4 GB', kind: 'garbled', mischief: () => socket => socket.write(Buffer.from('3084ffffffff0201', 'hex')) },
  {
    name: 'uses an indefinite length',
    kind: 'garbled',
    mischief: () => socket => socket.write(Buffer.from('308002010161', 'hex')),
  },
  {
    name: 'answers another question',
    kind: 'garbled',
    mischief: turn => (socket, _, id) => socket.write(result(id + 7, answerTag(turn), 0)),
  },
  { name: 'answers otherwise', kind: 'garbled', mischief: () => (socket, _, id) => socket.write(result(id, 0x6b, 0)) },
  {
    name: 'gives notice of disconnection',
    kind: 'dropped',
    mischief: () => socket => socket.write(result(0, 0x78, 52, 'bye', w => w.writeString('1.3.6.1.4.1.1466.20036', 0x8a))),
  },
];

function answerTag({ hear }: Turn): number {
  return { 96: 0x61, 99: 0x65, 119: 0x78 }[hear] ?? 0;
}

for (const way of WAYS) {
  test(`ldap: a directory that ${way.name} is named with its phase`, async () => {
    const turns = STARTTLS.filter(turn => turn !== UNBIND);
    const seen = await Promise.all(
      turns.map(async (turn, index) => {
        const peer = await startLdapPeer(STARTTLS, { wrong: { turn: index, mischief: way.mischief(turn) } });
        const ended = await run(directory(peer.port, 'starttls', LDAP_LOGIN), terms(250));
        await peer.stop();
        const fault = ended.outcome === 'failed' ? ended.fault : undefined;
        return [fault?.phase, fault?.kind, fault?.component, fault?.protocol, ended.tookMs <= 450];
      }),
    );
    expect(seen).toEqual(turns.map(({ phase }) => [phase, way.kind, 'directory/peer', 'ldap', true]));
  });
}

const refusing = async (turns: readonly Turn[], security: Security = 'plain') => {
  const peer = await startLdapPeer(turns);
  const ended = await run(directory(peer.port, security, LDAP_LOGIN), terms(500));
  await peer.stop();
  return { fault: ended.outcome === 'failed' ? ended.fault : undefined, heard: peer.heard, ended };
};

test('ldap: a wrong password is the server’s word 49, and permanent', async () => {
  const { fault } = await refusing([{ ...BIND, say: id => result(id, 0x61, 49) }]);
  expect(fault).toMatchObject({
    phase: 'bind',
    kind: 'rejected',
    lasting: 'permanent',
    text: 'refused: 49 invalidCredentials',
    reply: { code: '49', enhanced: 'invalidCredentials' },
  });
});

test('ldap: StartTLS that is not offered ends the dialog before the password goes out', async () => {
  const { fault, heard } = await refusing(
    [{ ...STARTTLS[0], say: id => result(id, 0x78, 2, 'unsupported extended operation') } as Turn],
    'starttls',
  );
  expect(fault).toMatchObject({ phase: 'starttls', kind: 'missing', lasting: 'permanent' });
  expect(heard.join()).not.toContain('geheim');
});

test('ldap: text in clear behind the consent to TLS is taken for injection', async () => {
  const first: Turn = { phase: 'starttls', hear: 0x77, say: id => Buffer.concat([result(id, 0x78, 0), result(2, 0x61, 0)]) };
  const { fault } = await refusing([first], 'starttls');
  expect(fault).toMatchObject({ phase: 'tls', kind: 'garbled', text: expect.stringContaining('injection') });
});

test.for(['expired', 'other name', 'self-signed', 'unknown authority'] as const)(
  'ldap: a certificate that is %s ends the dialog before the password goes out',
  async certificate => {
    const peer = await startLdapPeer(PLAIN, { tlsFirst: true, certificate });
    const ended = await run(directory(peer.port, 'tls', LDAP_LOGIN), terms());
    await peer.stop();
    expect(ended).toMatchObject({ outcome: 'failed', fault: { kind: 'tls', phase: 'tls' } });
    expect(peer.heard.join()).not.toContain('geheim');
  },
);

test('ldap: a base that does not exist is refused with 32, a missing entry is an answer without entries', async () => {
  const { fault } = await refusing([BIND, { ...SEARCH, say: id => result(id, 0x65, 32) }]);
  expect(fault).toMatchObject({ phase: 'search', kind: 'rejected', lasting: 'permanent', reply: { code: '32' } });
  const { ended } = await refusing([BIND, { ...SEARCH, say: id => result(id, 0x65, 0) }, UNBIND]);
  expect(ended).toMatchObject({ outcome: 'answered', value: { entries: [] } });
});

test('ldap: more entries than asked for are cut off, by the server or by us', async () => {
  const two = (id: number) => [1, 2].map(n => entry(id, `uid=${n}`, {}));
  const limited = await refusing([BIND, { ...SEARCH, say: id => Buffer.concat([...two(id), result(id, 0x65, 4)]) }, UNBIND]);
  expect(limited.ended).toMatchObject({
    outcome: 'answered',
    value: { isCut: true, entries: [{ dn: 'uid=1' }, { dn: 'uid=2' }] },
  });
  const flood = await refusing([BIND, { ...SEARCH, say: id => Buffer.concat([...two(id), ...two(id)]) }]);
  expect(flood.fault).toMatchObject({ phase: 'search', kind: 'garbled' });
});

test('ldap: referrals are told, not followed', async () => {
  const uri = 'ldap://other.test/dc=peer';
  const referral = (id: number) =>
    result(id, 0x65, 10, '', w => {
      w.startSequence(0xa3);
      w.writeString(uri);
      w.endSequence();
    });
  const { fault } = await refusing([BIND, { ...SEARCH, say: referral }]);
  expect(fault).toMatchObject({ kind: 'rejected', text: `refused: 10 referral (it refers to ${uri})` });
  const reference = (id: number) => Buffer.concat([message(id, 0x73, w => w.writeString(uri)), result(id, 0x65, 0)]);
  const { ended } = await refusing([BIND, { ...SEARCH, say: reference }, UNBIND]);
  expect(ended).toMatchObject({ outcome: 'answered', value: { entries: [], references: [uri] } });
});

test('ldap: a secret stands nowhere in the record, even when the directory sends it back', async () => {
  const { ended } = await refusing([{ ...BIND, say: id => result(id, 0x61, 49, 'geheim-1234 is wrong') }]);
  expect(JSON.stringify(ended)).not.toContain('geheim-1234');
  expect(ended.transcript.map(({ text }) => text)).toContain('bind as cn=probe,dc=peer,dc=test');
});

test('ldap: an empty password is our own fault, since a directory would take it for anonymous', async () => {
  const peer = await startLdapPeer(PLAIN);
  const ended = await run(directory(peer.port, 'plain', { ...LDAP_LOGIN, secret: async () => '' }), terms());
  await peer.stop();
  expect([ended.outcome === 'failed' && ended.fault.kind, peer.heard]).toEqual(['local', []]);
});

test('ldap: being told to stop cuts the dialog at once', async () => {
  const stop = new AbortController();
  const peer = await startLdapPeer(PLAIN, { wrong: { turn: 1, mischief: () => stop.abort() } });
  const ended = await run(directory(peer.port), terms(3000, stop.signal));
  await peer.stop();
  expect([ended.outcome, ended.tookMs < 500]).toEqual(['cut', true]);
});

test('ldap: a session asks several questions, and one that is closed says so', async () => {
  const peer = await startLdapPeer([BIND, SEARCH, SEARCH, UNBIND]);
  const opened = await openLdap(directory(peer.port), terms());
  if (opened.outcome !== 'answered') throw new Error('not opened');
  const session = opened.value;
  const seen: Dialog<unknown>[] = [
    await session.search(WHAT, terms()),
    await session.search(WHAT, terms()),
    await session.quit(terms()),
  ];
  expect(seen.map(({ outcome }) => outcome)).toEqual(['answered', 'answered', 'answered']);
  expect(await session.search(WHAT, terms())).toMatchObject({ outcome: 'failed', fault: { kind: 'dropped', phase: 'search' } });
  await peer.stop();
});

test('readEntry() refuses an element that is longer than what holds it, where ldapts would go round for ever', () => {
  // SearchResultEntry "x": its list of attributes claims 32 bytes and has two.
  const bytes = Buffer.from('300c020101640704017830203000', 'hex');
  expect(messageLength(bytes)).toBe(bytes.length);
  expect(() => readEntry(readMessage(bytes).operation)).toThrow('longer than what holds it');
});

test('bytes that are no LDAP are refused in time, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), some => {
      const bytes = Buffer.from(some);
      for (const read of [
        () => messageLength(bytes),
        () => readEntry(readMessage(bytes).operation),
        () => readResult(readMessage(Buffer.concat([Buffer.of(0x30, bytes.length & 0x7f), bytes])).operation),
      ]) {
        try {
          read();
        } catch (error) {
          expect(error).toBeInstanceOf(NotBer);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('a good message with one byte changed is read or refused, never anything else', () => {
  const good = entry(1, 'uid=ims1', IMS1);
  for (const at of good.keys()) {
    for (const value of [0, 1, 0x7f, 0x80, 0x84, 0xff]) {
      const bytes = Buffer.from(good);
      bytes[at] = value;
      try {
        readEntry(readMessage(bytes).operation);
      } catch (error) {
        expect(error).toBeInstanceOf(NotBer);
      }
    }
  }
});

test('fillFilter() escapes what would be syntax', () => {
  expect(fillFilter('(|(mail=%s)(uid=%u))', { address: 'a*(b)\\@x', user: '\0' })).toBe(
    '(|(mail=a\\2a\\28b\\29\\5c@x)(uid=\\00))',
  );
});

test('csnTime() reads the time of a contextCSN', () => {
  expect(contextCsn('dc=x')).toMatchObject({ scope: 'base', attributes: ['contextCSN'] });
  expect(csnTime('20261122030444.100726Z#000000#000#000000')).toBe(Date.UTC(2026, 10, 22, 3, 4, 44, 100));
  expect(csnTime('20261122030444Z#000000#000#000000')).toBe(Date.UTC(2026, 10, 22, 3, 4, 44));
  expect(csnTime('yesterday')).toBeUndefined();
});
