// The MTAs' SMTP, against nodemailer and plain sockets.

import { connect } from 'node:net';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';
import { sendMail } from './clients.ts';
import { Talk } from './walk.ts';

let standin: StandinSite;

beforeAll(async () => {
  standin = await startSite({ waits: { authFailureMs: 1 } });
});

afterAll(async () => {
  expect(standin.problems).toEqual([]);
  await standin.stop();
});

function smtp(name = 'ssmtp01') {
  const endpoint = standin.site.mtas.get(name)?.smtp;
  if (endpoint === undefined) throw new Error('no MTA');
  return endpoint;
}

function inbox(user = 'ims1') {
  const folder = standin.stores.get(user)?.mailbox(user);
  if (folder === undefined) throw new Error('no mailbox');
  return folder;
}

async function replies(...lines: readonly string[]): Promise<string[]> {
  const talk = new Talk(connect({ port: smtp().port, host: '127.0.0.1' }));
  const said: string[] = [];
  const reply = async () => {
    for (;;) {
      const line = await talk.line();
      if (line[3] !== '-') return line;
    }
  };
  await talk.connected();
  said.push(await reply());
  for (const line of lines) {
    talk.send(`${line}\r\n`);
    said.push(await reply());
  }
  talk.end();
  return said;
}

test('the banner and the refusals before TLS are those of Postfix', async () => {
  expect(
    await replies(
      'MAIL FROM:<a@b.test>',
      'EHLO me.test',
      'AUTH PLAIN AGEAYg==',
      'FOO',
      'RCPT TO:<ims1@standin.test>',
      'RSET',
      'NOOP',
      'QUIT',
    ),
  ).toEqual([
    '220 ssmtp01.standin.test ESMTP Postfix (Debian/GNU)',
    '503 5.5.1 Error: send HELO/EHLO first',
    expect.stringMatching(/^250 /),
    '538 5.7.0 Encryption required for requested authentication mechanism',
    '502 5.5.2 Error: command not recognized',
    '503 5.5.1 Error: need MAIL command',
    '250 2.0.0 Ok',
    '250 2.0.0 Ok',
    '221 2.0.0 Bye',
  ]);
});

test('mail for the site is taken without a log-in, mail for others is not', async () => {
  expect(
    await replies(
      'EHLO me.test',
      'MAIL FROM:<a@b.test>',
      'RCPT TO:<ims1@standin.test>',
      'RCPT TO:<c@d.test>',
      'RCPT TO:<nobody@standin.test>',
    ),
  ).toEqual([
    expect.anything(),
    expect.anything(),
    '250 2.1.0 Ok',
    '250 2.1.5 Ok',
    '554 5.7.1 <c@d.test>: Relay access denied',
    '550 5.1.1 <nobody@standin.test>: Recipient address rejected: User unknown in virtual mailbox table',
  ]);
});

test('EHLO offers STARTTLS in clear and AUTH under TLS, with PIPELINING, SIZE, DSN and enhanced codes', async () => {
  const transport = createTransport({
    host: '127.0.0.1',
    port: smtp().port,
    requireTLS: true,
    tls: { servername: smtp().servername ?? '', ca: smtp().trust.ca ?? '' },
  });
  await transport.verify();
  transport.close();
  const [clear, secured] = standin.log
    .lines('mta/ssmtp01')
    .filter(({ from, text }) => from === '>' && text.includes('PIPELINING'))
    .slice(-2);
  expect(clear?.text.split('\r\n').map(line => line.slice(4))).toEqual([
    'ssmtp01.standin.test',
    'PIPELINING',
    'SIZE 52428800',
    'STARTTLS',
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'DSN',
  ]);
  expect(secured?.text.split('\r\n').map(line => line.slice(4))).toEqual([
    'ssmtp01.standin.test',
    'PIPELINING',
    'SIZE 52428800',
    'AUTH PLAIN LOGIN XOAUTH2',
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'DSN',
  ]);
});

test.each(['PLAIN', 'LOGIN', 'XOAUTH2'])('AUTH %s lets the right one in and the wrong one not', async method => {
  const login = smtp().login;
  const secret = (await login?.secret()) ?? '';
  const attempt = async (pass: string) => {
    const auth =
      method === 'XOAUTH2'
        ? ({ type: 'OAuth2', user: login?.user ?? '', accessToken: pass } as const)
        : { user: login?.user ?? '', pass, method };
    const transport = createTransport({
      host: '127.0.0.1',
      port: smtp().port,
      requireTLS: true,
      tls: { servername: smtp().servername ?? '', ca: smtp().trust.ca ?? '' },
      auth,
    });
    try {
      return await transport.verify();
    } finally {
      transport.close();
    }
  };
  expect(await attempt(secret)).toBe(true);
  await expect(attempt('wrong')).rejects.toMatchObject({ code: 'EAUTH', responseCode: 535 });
});

test('a client that pipelines is answered command by command', async () => {
  const talk = new Talk(connect({ port: smtp().port, host: '127.0.0.1' }));
  await talk.connected();
  talk.send('EHLO me.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<ims1@standin.test>\r\nDATA\r\n');
  const codes: string[] = [];
  while (codes.length < 5) {
    const line = await talk.line();
    if (line[3] !== '-') codes.push(line.slice(0, 3));
  }
  expect(codes).toEqual(['220', '250', '250', '250', '354']);
  talk.send('Subject: piped\r\n\r\nhello\r\n.\r\nQUIT\r\n');
  expect(await talk.line()).toMatch(/^250 2\.0\.0 Ok: queued as 4[0-9B-Zb-z]{9}z[0-9B-Zb-z]+$/);
  expect(await talk.line()).toBe('221 2.0.0 Bye');
  await expect.poll(() => inbox().messages.some(({ raw }) => raw.includes('Subject: piped'))).toBe(true);
});

test('a message that is too large is refused by SIZE, before it is sent', async () => {
  expect((await replies('EHLO me.test', 'MAIL FROM:<a@b.test> SIZE=99999999')).at(-1)).toMatch(/^552 5\.3\.4 /);
});

test('a message of 5 MB with lines of dots arrives as it was', async () => {
  const raw = Buffer.from(`Subject: large\r\n\r\n${`${'.'.repeat(70)}\r\n..\r\n.x\r\n`.repeat(60_000)}`, 'latin1');
  await sendMail(smtp('ssmtp02'), { from: 'sender@standin.test', to: 'ims2@standin.test', raw });
  const find = () => inbox('ims2').messages.find(message => message.raw.includes('Subject: large'));
  await expect.poll(() => find() !== undefined, { timeout: 10_000 }).toBe(true);
  expect(find()?.raw.subarray(-raw.length).equals(raw)).toBe(true);
});

test('the message bears the stamps of the machines that it passed', async () => {
  await sendMail(smtp(), { from: 'sender@standin.test', to: 'ims1@standin.test', raw: 'Subject: stamps\r\n\r\nhello\r\n' });
  const find = () => inbox().messages.find(({ raw }) => raw.includes('Subject: stamps'));
  await expect.poll(() => find() !== undefined).toBe(true);
  const text =
    find()
      ?.raw.toString()
      .replace(/\r\n\t/g, ' ') ?? '';
  const date = '\\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d \\+0000';
  expect(text).toMatch(
    new RegExp(
      `^Return-Path: <sender@standin.test>\r\nDelivered-To: ims1@standin.test\r\nReceived: from ssmtp01.standin.test by ims1.standin.test with LMTP id \\S+ \\(envelope-from <sender@standin.test>\\) for <ims1@standin.test>; ${date}\r\n`,
    ),
  );
  expect(text).toMatch(
    new RegExp(
      `Received: from client.standin.test \\(localhost \\[127.0.0.1\\]\\) \\(using TLSv1.3 [^\r]*\\) \\(Authenticated sender: sender\\) by ssmtp01.standin.test \\(Postfix\\) with ESMTPSA id 4\\w+ for <ims1@standin.test>; ${date}\r\n`,
    ),
  );
});

test('a clock that is off shows in the stamps', async () => {
  const broken = await standin.breakIt('clock-off', 'mta/ssmtp01', { ms: 3_600_000 });
  await sendMail(smtp(), { from: 'sender@standin.test', to: 'ims1@standin.test', raw: 'Subject: skewed\r\n\r\nhello\r\n' });
  await broken.mend();
  const find = () => inbox().messages.find(({ raw }) => raw.includes('Subject: skewed'));
  await expect.poll(() => find() !== undefined).toBe(true);
  const stamps = [
    ...(find()
      ?.raw.toString()
      .replace(/\r\n\t/g, ' ')
      .matchAll(/^Received: .*; (.*)\r$/gm) ?? []),
  ].map(match => Date.parse(match[1] ?? ''));
  expect((stamps[1] ?? 0) - (stamps[0] ?? 0)).toBeGreaterThan(3_590_000);
});

test('the banner comes at once, also for many clients at a time', async () => {
  await Promise.all(Array.from({ length: 10 }, () => replies('EHLO me.test', 'QUIT')));
  const took: number[] = [];
  for (let n = 0; n < 5; n++) {
    const began = performance.now();
    await replies('EHLO me.test', 'QUIT');
    took.push(performance.now() - began);
  }
  expect(Math.min(...took)).toBeLessThan(100); // smtp-server by itself always waits that long
});
