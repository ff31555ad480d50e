// Ways to log in: which one is chosen, what goes over the wire, and how each is refused.

import { expect, test } from 'vitest';
import { openImap } from '../../lib/dialog/imap.ts';
import { openPop3 } from '../../lib/dialog/pop3.ts';
import { knock } from '../../lib/dialog/smtp.ts';
import { endpoint, login, type Step, startPeer, terms } from './peer.ts';

const b64 = (text: string) => Buffer.from(text).toString('base64');
const TOKEN = b64('user=probe\x01auth=Bearer geheim-1234\x01\x01');
const CHALLENGE = b64('{"status":"401"}');

const smtp = (auth: readonly Step[], offers = 'AUTH PLAIN LOGIN XOAUTH2'): Step[] => [
  { phase: 'banner', say: '220 x\r\n' },
  { phase: 'ehlo', hear: /^EHLO/, say: `250-x\r\n250 ${offers}\r\n` },
  ...auth,
  { phase: 'mail', hear: /^MAIL/, say: '250 ok\r\n' },
  { phase: 'rcpt', hear: /^RCPT/, say: '250 ok\r\n' },
  { phase: 'rset', hear: /^RSET/, say: '250 ok\r\n' },
];
const pop3 = (auth: readonly Step[], offers = 'SASL PLAIN XOAUTH2'): Step[] => [
  { phase: 'banner', say: '+OK\r\n' },
  { phase: 'capability', hear: /^CAPA/, say: `+OK\r\n${offers}\r\n.\r\n` },
  ...auth,
];
const imap = (auth: readonly Step[], offers = 'IMAP4rev1 IDLE UIDPLUS AUTH=PLAIN AUTH=XOAUTH2'): Step[] => [
  { phase: 'banner', say: `* OK [CAPABILITY ${offers}] x\r\n` },
  ...auth,
];

const CASES = [
  {
    name: 'smtp LOGIN',
    protocol: 'smtp',
    mechanism: 'login',
    steps: smtp([
      { phase: 'auth', hear: /^AUTH LOGIN$/, say: '334 VXNlcm5hbWU6\r\n' },
      { phase: 'auth', hear: new RegExp(`^${b64('probe')}$`), say: '334 UGFzc3dvcmQ6\r\n' },
      { phase: 'auth', hear: new RegExp(`^${b64('geheim-1234')}$`), say: '235 ok\r\n' },
    ]),
  },
  {
    name: 'smtp LOGIN where PLAIN is not offered',
    protocol: 'smtp',
    mechanism: undefined,
    steps: smtp(
      [
        { phase: 'auth', hear: /^AUTH LOGIN$/, say: '334 x\r\n' },
        { phase: 'auth', hear: /./, say: '334 x\r\n' },
        { phase: 'auth', hear: /./, say: '235 ok\r\n' },
      ],
      'AUTH=LOGIN',
    ),
  },
  {
    name: 'smtp XOAUTH2',
    protocol: 'smtp',
    mechanism: 'xoauth2',
    steps: smtp([{ phase: 'auth', hear: new RegExp(`^AUTH XOAUTH2 ${TOKEN.replace(/[+/=]/g, '\\$&')}$`), say: '235 ok\r\n' }]),
  },
  {
    name: 'pop3 USER and PASS where no SASL is offered',
    protocol: 'pop3',
    mechanism: undefined,
    steps: pop3(
      [
        { phase: 'auth', hear: /^USER probe$/, say: '+OK\r\n' },
        { phase: 'auth', hear: /^PASS geheim-1234$/, say: '+OK\r\n' },
      ],
      'USER',
    ),
  },
  {
    name: 'pop3 XOAUTH2',
    protocol: 'pop3',
    mechanism: 'xoauth2',
    steps: pop3([
      { phase: 'auth', hear: /^AUTH XOAUTH2$/, say: '+ \r\n' },
      { phase: 'auth', hear: new RegExp(`^${TOKEN.replace(/[+/=]/g, '\\$&')}$`), say: '+OK\r\n' },
    ]),
  },
  {
    name: 'imap LOGIN where AUTH=PLAIN is not offered',
    protocol: 'imap',
    mechanism: undefined,
    steps: imap(
      [{ phase: 'auth', hear: /^h1 LOGIN "probe" "geheim-1234"$/, say: 'h1 OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] in\r\n' }],
      'IMAP4rev1',
    ),
  },
  {
    name: 'imap PLAIN without SASL-IR',
    protocol: 'imap',
    mechanism: 'plain',
    steps: imap([
      { phase: 'auth', hear: /^h1 AUTHENTICATE PLAIN$/, say: '+ \r\n' },
      { phase: 'auth', hear: /^[A-Za-z0-9+/=]+$/, say: 'h1 OK [CAPABILITY IDLE UIDPLUS] in\r\n' },
    ]),
  },
  {
    name: 'imap XOAUTH2',
    protocol: 'imap',
    mechanism: 'xoauth2',
    steps: imap([
      { phase: 'auth', hear: /^h1 AUTHENTICATE XOAUTH2$/, say: '+ \r\n' },
      { phase: 'auth', hear: new RegExp(`^${TOKEN.replace(/[+/=]/g, '\\$&')}$`), say: 'h1 OK [CAPABILITY IDLE UIDPLUS] in\r\n' },
    ]),
  },
] as const;

const REFUSED = [
  {
    name: 'smtp XOAUTH2',
    protocol: 'smtp',
    steps: smtp([
      { phase: 'auth', hear: /^AUTH XOAUTH2 /, say: `334 ${CHALLENGE}\r\n` },
      { phase: 'auth', hear: /^$/, say: '535 5.7.8 token expired\r\n' },
    ]),
  },
  {
    name: 'pop3 XOAUTH2',
    protocol: 'pop3',
    steps: pop3([
      { phase: 'auth', hear: /^AUTH XOAUTH2$/, say: '+ \r\n' },
      { phase: 'auth', hear: /./, say: `+ ${CHALLENGE}\r\n` },
      { phase: 'auth', hear: /^$/, say: '-ERR [AUTH] token expired\r\n' },
    ]),
  },
  {
    name: 'imap XOAUTH2',
    protocol: 'imap',
    steps: imap(
      [
        { phase: 'auth', hear: /AUTHENTICATE XOAUTH2 /, say: `+ ${CHALLENGE}\r\n` },
        { phase: 'auth', hear: /^$/, say: 'h1 NO [AUTHENTICATIONFAILED] token expired\r\n' },
      ],
      'IMAP4rev1 SASL-IR AUTH=XOAUTH2',
    ),
  },
] as const;

async function logIn(protocol: 'smtp' | 'pop3' | 'imap', port: number, mechanism: 'plain' | 'login' | 'xoauth2' | undefined) {
  const to = endpoint(protocol, port, 'plain', { login: login(mechanism) });
  if (protocol === 'smtp') return knock(to, 'client.test', { from: 'a@b', to: 'a@b' }, terms());
  return protocol === 'pop3' ? openPop3(to, terms()) : openImap(to, undefined, terms());
}

for (const { name, protocol, mechanism, steps } of CASES) {
  test(`${name} logs in`, async () => {
    const peer = await startPeer(steps);
    const done = await logIn(protocol, peer.port, mechanism);
    await peer.stop();
    expect(done).toMatchObject({ outcome: 'answered' });
  });
}

for (const { name, protocol, steps } of REFUSED) {
  test(`${name}: the challenge that explains a refusal is answered, and the refusal is told`, async () => {
    const peer = await startPeer(steps);
    const ended = await logIn(protocol, peer.port, 'xoauth2');
    await peer.stop();
    expect(ended).toMatchObject({
      outcome: 'failed',
      fault: { phase: 'auth', kind: 'rejected', text: expect.stringContaining('token expired') },
    });
  });
}

for (const protocol of ['smtp', 'pop3', 'imap'] as const) {
  test(`${protocol}: a mechanism that is asked for and not offered is missing, and nothing is tried in its place`, async () => {
    const steps = { smtp: smtp([], 'AUTH PLAIN'), pop3: pop3([], 'SASL PLAIN'), imap: imap([], 'IMAP4rev1 AUTH=PLAIN') }[
      protocol
    ];
    const peer = await startPeer(steps);
    const ended = await logIn(protocol, peer.port, 'xoauth2');
    await peer.stop();
    expect(ended).toMatchObject({
      outcome: 'failed',
      fault: { phase: 'auth', kind: 'missing', text: expect.stringContaining('XOAUTH2') },
    });
    expect(peer.heard.filter(line => /AUTH|USER|LOGIN/.test(line))).toEqual([]);
  });
}

test('imap: LOGIN is not used where the server forbids it', async () => {
  const peer = await startPeer(imap([], 'IMAP4rev1 LOGINDISABLED'));
  const ended = await logIn('imap', peer.port, undefined);
  await peer.stop();
  expect(ended).toMatchObject({ outcome: 'failed', fault: { phase: 'auth', kind: 'missing' } });
});

test('a line end in a password is our own problem and never a second command', async () => {
  const peer = await startPeer(pop3([{ phase: 'auth', hear: /^USER/, say: '+OK\r\n' }], 'USER'));
  const to = endpoint('pop3', peer.port, 'plain', { login: login(undefined, 'x\r\nDELE 1') });
  const ended = await openPop3(to, terms());
  await peer.stop();
  expect(ended).toMatchObject({ outcome: 'failed', fault: { kind: 'local', component: 'monitor' } });
  expect(peer.heard.filter(line => /DELE/.test(line))).toEqual([]);
});
