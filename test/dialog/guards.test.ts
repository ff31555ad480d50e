// What no peer gets us to do: send a password in clear, wait beyond the deadline, grow, repeat a secret, take an attacker for the server.

import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { openImap } from '../../lib/dialog/imap.ts';
import type { Terms } from '../../lib/dialog/line.ts';
import { openPop3 } from '../../lib/dialog/pop3.ts';
import { knock, submit } from '../../lib/dialog/smtp.ts';
import type { Dialog } from '../../lib/model/dialog.ts';
import type { Endpoint } from '../../lib/model/endpoint.ts';
import { endpoint, login, type Step, startPeer, terms } from './peer.ts';
import { PLAYS } from './scripts.ts';

const SECRET = 'geheim-1234';
const ENVELOPE = { from: 'probe@peer.test', to: 'probe@peer.test' };
const MESSAGE = Buffer.from('Subject: x\r\n\r\nbody\r\n');
const BY_TLS = PLAYS.filter(({ security }) => security === 'starttls');

const OPENERS: Record<string, (endpoint: Endpoint, terms: Terms) => Promise<Dialog<unknown>>> = {
  smtp: (e, t) => submit(e, 'client.test', ENVELOPE, MESSAGE, t),
  pop3: (e, t) => openPop3(e, t),
  imap: (e, t) => openImap(e, 'INBOX', t),
};

for (const play of BY_TLS) {
  for (const [certificate, words] of [
    ['expired', 'has expired'],
    ['other name', 'for another name'],
    ['self-signed', 'self-signed'],
    ['unknown authority', 'not trusted'],
  ] as const) {
    test(`${play.protocol}: a certificate that is ${certificate} ends the dialog before a password goes out, with its facts`, async () => {
      const peer = await startPeer(play.steps, { certificate });
      const ended = await play.run(endpoint(play.protocol, peer.port, 'starttls', { login: login() }), terms());
      await peer.stop();
      expect(ended).toMatchObject({
        outcome: 'failed',
        fault: { kind: 'tls', phase: 'tls', text: expect.stringContaining(words) },
      });
      expect(ended.facts.tls).toMatchObject({ verified: false, daysLeft: expect.any(Number) });
      expect(peer.heard.filter(line => /AUTH|PASS|USER|LOGIN/.test(line))).toEqual([]);
    });
  }

  test(`${play.protocol}: a certificate is taken as it is only where verification is turned off, and that is recorded`, async () => {
    const peer = await startPeer(play.steps, { certificate: 'self-signed' });
    const done = await play.run(
      endpoint(play.protocol, peer.port, 'starttls', { login: login(), trust: { verify: false } }),
      terms(),
    );
    await peer.stop();
    expect(done.outcome).toBe('answered');
  });

  test(`${play.protocol}: text in clear behind the consent to TLS is taken for injection`, async () => {
    const steps = play.steps.map(
      (step): Step => (step.upgrade === true ? { ...step, say: `${step.say}${play.steps[0]?.say}`, upgrade: false } : step),
    );
    const peer = await startPeer(steps);
    const ended = await play.run(endpoint(play.protocol, peer.port, 'starttls', { login: login() }), terms());
    await peer.stop();
    expect(ended).toMatchObject({
      outcome: 'failed',
      fault: { kind: 'garbled', phase: 'tls', text: expect.stringContaining('injection') },
    });
    expect(peer.heard.filter(line => /AUTH|PASS|USER|LOGIN/.test(line))).toEqual([]);
  });

  test(`${play.protocol}: TLS that is required and not offered ends the dialog, and no password goes out in clear`, async () => {
    const plain = PLAYS.find(each => each.protocol === play.protocol && each.security === 'plain');
    const peer = await startPeer(plain?.steps ?? []);
    const ended = await play.run(endpoint(play.protocol, peer.port, 'starttls', { login: login() }), terms());
    await peer.stop();
    expect(ended).toMatchObject({ outcome: 'failed', fault: { kind: 'missing', phase: 'starttls' } });
    expect(peer.heard.filter(line => /AUTH|PASS|USER|LOGIN/.test(line))).toEqual([]);
  });

  test(`${play.protocol}: clear text where TLS comes first is named, and so is the handshake that is never answered`, async () => {
    const clear = await startPeer(play.steps);
    const wrong = await play.run(endpoint(play.protocol, clear.port, 'tls'), terms(400));
    await clear.stop();
    expect(wrong).toMatchObject({ outcome: 'failed', fault: { kind: 'tls', phase: 'tls' } });

    const silent = await startPeer([{ phase: 'banner', hear: /never/, say: '' }]);
    const stalled = await play.run(endpoint(play.protocol, silent.port, 'tls'), terms(200));
    await silent.stop();
    expect(stalled).toMatchObject({ outcome: 'failed', fault: { kind: 'timeout', phase: 'tls' } });
  });
}

for (const play of PLAYS.filter(({ security }) => security === 'plain')) {
  test(`${play.protocol}: TLS from the first byte works`, async () => {
    const peer = await startPeer(play.steps, { tlsFirst: true });
    const done = await play.run(endpoint(play.protocol, peer.port, 'tls', { login: login() }), terms());
    await peer.stop();
    expect(done).toMatchObject({ outcome: 'answered' });
  });

  test(`${play.protocol}: a secret stands nowhere in the record, even when the peer sends it back`, async () => {
    const at = play.steps.findIndex(({ phase }) => phase === 'auth');
    const echo = `${SECRET} ${Buffer.from(`\0probe\0${SECRET}`).toString('base64')} ${Buffer.from(SECRET).toString('base64')}`;
    const words: Record<string, string> = {
      smtp: `535 5.7.8 no ${echo}\r\n`,
      pop3: `-ERR [AUTH] no ${echo}\r\n`,
      imap: `h1 NO [AUTHENTICATIONFAILED] no ${echo}\r\n`,
    };
    const peer = await startPeer(play.steps, {
      wrong: { step: at, mischief: socket => socket.write(words[play.protocol] ?? '') },
    });
    const ended = await play.run(endpoint(play.protocol, peer.port, 'plain', { login: login() }), terms());
    await peer.stop();
    expect(ended).toMatchObject({ outcome: 'failed', fault: { kind: 'rejected', phase: 'auth', lasting: 'permanent' } });
    const text = JSON.stringify(ended);
    for (const form of [SECRET, Buffer.from(SECRET).toString('base64'), Buffer.from(`\0probe\0${SECRET}`).toString('base64')])
      expect(text).not.toContain(form);
  });

  test(`${play.protocol}: being told to stop cuts the dialog at once, in any phase`, async () => {
    for (const index of play.steps.keys()) {
      const stop = new AbortController();
      const peer = await startPeer(play.steps, { wrong: { step: index, mischief: () => stop.abort() } });
      const ended = await play.run(endpoint(play.protocol, peer.port, 'plain', { login: login() }), terms(3000, stop.signal));
      await peer.stop();
      if (play.protocol === 'smtp' && play.steps[index]?.phase === 'quit') continue;
      expect([play.steps[index]?.phase, ended.outcome, ended.tookMs < 500]).toEqual([play.steps[index]?.phase, 'cut', true]);
    }
  });

  for (const [what, drip] of [
    ['a byte', 'x'],
    ['a line of a reply', { smtp: '220-wait\r\n', pop3: '.', imap: '* OK wait\r\n' }[play.protocol]],
  ] as const) {
    test(`${play.protocol}: ${what} now and then does not stretch the deadline`, async () => {
      const timers: NodeJS.Timeout[] = [];
      const peer = await startPeer(play.steps, {
        wrong: { step: 0, mischief: socket => void timers.push(setInterval(() => socket.write(drip), 30)) },
      });
      const ended = await play.run(endpoint(play.protocol, peer.port, 'plain', { login: login() }), terms(300));
      for (const timer of timers) clearInterval(timer);
      await peer.stop();
      expect(ended).toMatchObject({ outcome: 'failed' });
      expect(ended.tookMs).toBeLessThan(500);
    });
  }
}

test('imap: PREAUTH is no greeting for somebody who has not logged in', async () => {
  const peer = await startPeer([{ phase: 'banner', say: '* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n' }]);
  const ended = await openImap(endpoint('imap', peer.port, 'starttls', { login: login() }), 'INBOX', terms());
  await peer.stop();
  expect(ended).toMatchObject({ outcome: 'failed', fault: { kind: 'garbled', phase: 'banner' } });
});

test('imap: a literal larger than what was asked for is not read', async () => {
  const play = PLAYS.find(({ protocol, security }) => protocol === 'imap' && security === 'plain');
  const at = (play?.steps ?? []).findIndex(({ phase }) => phase === 'fetch');
  const before = process.memoryUsage().rss;
  const peer = await startPeer(play?.steps ?? [], {
    wrong: { step: at, mischief: socket => socket.write(`* 2 FETCH (UID 5 BODY[] {4294967295}\r\n${'x'.repeat(1_000_000)}`) },
  });
  const ended = await play?.run(endpoint('imap', peer.port, 'plain', { login: login() }), terms());
  await peer.stop();
  expect(ended).toMatchObject({
    outcome: 'failed',
    fault: { kind: 'garbled', phase: 'fetch', text: expect.stringContaining('4294967295') },
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

for (const [protocol, flood] of [
  ['smtp', '220-more\r\n'],
  ['pop3', '+OK\r\n'],
  ['imap', '* OK more\r\n'],
] as const) {
  test(`${protocol}: replies without an end are cut off by their size, long before the deadline`, async () => {
    let flooding = true;
    const server = createServer(socket => {
      socket.on('error', () => {});
      socket.on('close', () => {
        flooding = false;
      });
      const pour = () => {
        while (flooding && socket.write(flood.repeat(1000))) {}
        if (flooding) socket.once('drain', pour);
      };
      pour();
    });
    const port = await new Promise<number>(resolve =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    const ended = await OPENERS[protocol]?.(endpoint(protocol, port, 'plain', { login: login() }), terms(10_000));
    flooding = false;
    server.close();
    expect(ended).toMatchObject({ outcome: 'failed', fault: { kind: 'garbled' } });
    expect(ended?.tookMs).toBeLessThan(5000);
  });
}

test('smtp: a lost connection after the final dot is told from one before it', async () => {
  const play = PLAYS[0];
  const steps = play?.steps ?? [];
  const wrongAt = async (phase: string) => {
    const peer = await startPeer(steps, {
      wrong: { step: steps.findIndex(step => step.phase === phase), mischief: (_, raw) => raw.destroy() },
    });
    const ended = await play?.run(endpoint('smtp', peer.port, 'plain', { login: login() }), terms());
    await peer.stop();
    return ended?.outcome === 'failed' ? [ended.fault.phase, ended.fault.kind] : ended?.outcome;
  };
  expect(await wrongAt('final')).toEqual(['final', 'dropped']);
  expect(await wrongAt('data')).toEqual(['data', 'dropped']);
});

test('smtp: a server that closes while the message is being sent has not taken it', async () => {
  const steps = (PLAYS[0]?.steps ?? []).filter(({ phase }) => phase !== 'final' && phase !== 'quit');
  const peer = await startPeer([...steps, { phase: 'body', hear: /^x+$/, say: '' }], {
    wrong: { step: steps.length, mischief: (_, raw) => raw.resetAndDestroy() },
  });
  const large = Buffer.from(`Subject: x\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(200_000)}`);
  const ended = await submit(
    endpoint('smtp', peer.port, 'plain', { login: login() }),
    'client.test',
    { ...ENVELOPE, id: 'abc' },
    large,
    terms(),
  );
  await peer.stop();
  expect(ended).toMatchObject({ outcome: 'failed', fault: { kind: 'dropped', phase: 'body' } });
});

test('smtp: a knock sends no message', async () => {
  const peer = await startPeer([
    ...(PLAYS[0]?.steps ?? []).filter(({ phase }) => ['banner', 'ehlo', 'auth'].includes(phase)),
    { phase: 'mail', hear: /^MAIL/, say: '250 ok\r\n' },
    { phase: 'rcpt', hear: /^RCPT/, say: '250 2.1.5 ok\r\n' },
    { phase: 'rset', hear: /^RSET/, say: '250 ok\r\n' },
    { phase: 'quit', hear: /^QUIT/, say: '221 bye\r\n' },
  ]);
  const done = await knock(endpoint('smtp', peer.port, 'plain', { login: login() }), 'client.test', ENVELOPE, terms());
  await peer.stop();
  expect(done).toMatchObject({ outcome: 'answered', value: { rcpt: '250 2.1.5 ok' } });
  expect(peer.heard.filter(line => /^DATA/.test(line))).toEqual([]);
});

test('a name is resolved once, its first address is used, and the others are recorded', async () => {
  const peer = await startPeer(PLAYS[0]?.steps ?? []);
  const lookup = async () => [{ address: '127.0.0.1' }, { address: '127.0.0.2' }];
  const done = await OPENERS.smtp?.(endpoint('smtp', peer.port, 'plain', { host: 'mta.peer.test' }), { ...terms(), lookup });
  await peer.stop();
  expect(done?.facts).toMatchObject({ peerAddress: '127.0.0.1', addresses: ['127.0.0.1', '127.0.0.2'] });
  expect(done?.phases[0]?.name).toBe('resolve');
});

test('names that do not resolve, and resolvers that hang, end in phase resolve', async () => {
  const failing = (code: string) => async () => Promise.reject(Object.assign(new Error(code), { code }));
  const ask = async (lookup: NonNullable<Terms['lookup']>) => {
    const ended = await OPENERS.smtp?.(endpoint('smtp', 25, 'plain', { host: 'mta.peer.test' }), { ...terms(200), lookup });
    return ended?.outcome === 'failed' ? [ended.fault.phase, ended.fault.kind, ended.fault.lasting] : ended?.outcome;
  };
  expect(await ask(failing('ENOTFOUND'))).toEqual(['resolve', 'name', 'permanent']);
  expect(await ask(failing('EAI_AGAIN'))).toEqual(['resolve', 'name', 'transient']);
  expect(await ask(async () => [])).toEqual(['resolve', 'name', 'permanent']);
  expect(await ask(() => new Promise(() => {}))).toEqual(['resolve', 'timeout', 'unknown']);
});

/** Containers often have no IPv6, not even on loopback. */
const hasIpv6 = Object.values(networkInterfaces()).some(each => each?.some(({ address }) => address === '::1'));

test.skipIf(!hasIpv6)(
  'IPv6: a dialog by address, and by a name that has both kinds, where the record says which was used',
  async () => {
    for (const play of PLAYS.filter(({ security }) => security === 'plain')) {
      const peer = await startPeer(play.steps, { address: '::1' });
      const byAddress = endpoint(play.protocol, peer.port, play.security, { login: login(), host: '::1' });
      expect((await play.run(byAddress, terms())).facts).toMatchObject({ peerAddress: '::1' });
      const byName = { ...byAddress, host: 'both.peer.test', servername: 'peer.test' };
      const lookup = async () => [{ address: '::1' }, { address: '127.0.0.1' }];
      const done = await play.run(byName, { ...terms(), lookup });
      await peer.stop();
      expect(done.outcome).toBe('answered');
      expect(done.facts).toMatchObject({ peerAddress: '::1', addresses: ['::1', '127.0.0.1'] });
    }
  },
);

test('nothing listens: the connection is refused, and that is said', async () => {
  const peer = await startPeer([]);
  await peer.stop();
  for (const [protocol, open] of Object.entries(OPENERS)) {
    const ended = await open(endpoint(protocol as 'smtp', peer.port), terms());
    expect(ended).toMatchObject({ outcome: 'failed', fault: { kind: 'refused-connection', phase: 'connect' } });
  }
});

test('a secret that cannot be read is our own fault, and nothing is dialled', async () => {
  const { LocalProblem } = await import('../../lib/model/endpoint.ts');
  const broken = {
    user: 'probe',
    secret: () => Promise.reject(new LocalProblem('Cannot read secret file /x: permission denied')),
  };
  const peer = await startPeer(PLAYS[0]?.steps ?? []);
  const ended = await OPENERS.smtp?.(endpoint('smtp', peer.port, 'plain', { login: broken }), terms());
  await peer.stop();
  expect(ended).toMatchObject({ outcome: 'failed', fault: { component: 'monitor', kind: 'local', phase: 'secret' } });
  expect(peer.heard).toEqual([]);
});
