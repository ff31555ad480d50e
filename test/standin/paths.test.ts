// A message goes through every path of a stand-in site, over each kind of security, and what comes back is what was sent.

import { afterEach, expect, test } from 'vitest';
import type { Security } from '../../lib/model/endpoint.ts';
import { pathText } from '../../lib/model/trip.ts';
import type { StandinOptions } from '../../lib/standin/options.ts';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';
import { openImap, readPop, sendMail } from './clients.ts';

const running: StandinSite[] = [];

async function start(options: StandinOptions = {}): Promise<StandinSite> {
  const standin = await startSite(options);
  running.push(standin);
  return standin;
}

afterEach(async () => {
  for (const standin of running.splice(0)) {
    expect(standin.problems).toEqual([]);
    await standin.stop();
  }
});

/** Sends along every path and reads each message back as independent clients do; returns the paths on which it did not come. */
async function failures(standin: StandinSite): Promise<string[]> {
  const { site, paths } = standin;
  const failed: string[] = [];
  for (const path of paths) {
    const account = site.accounts.get(path.account);
    const mta = site.mtas.get(path.mta);
    const mmp = site.mmps.get(path.mmp);
    if (account === undefined || mta === undefined || mmp?.imap === undefined || mmp.pop3 === undefined)
      throw new Error('the site is not whole');
    const raw = `Message-ID: <${path.mta}.${path.mmp}.${path.mailbox}@me.test>\r\nSubject: ${pathText(path)}\r\n\r\n.dot\r\n8-bit: \u00e4\u00ff\r\n`;
    await sendMail(mta.smtp, { from: 'sender@standin.test', to: account.address, raw: Buffer.from(raw, 'latin1') });
    const store = standin.stores.get(path.account);
    await expect.poll(() => store?.mailbox(path.account).messages.length, { interval: 2 }).toBe(1);
    const messages = path.mailbox === 'imap' ? await readAll(mmp.imap, account) : await readPop(mmp.pop3, account.login, true);
    if (messages.length !== 1 || messages[0]?.toString('latin1').endsWith(raw) !== true) failed.push(pathText(path));
  }
  return failed;
}

async function readAll(
  endpoint: Parameters<typeof openImap>[0],
  account: { login: Parameters<typeof openImap>[1] },
): Promise<Buffer[]> {
  const client = await openImap(endpoint, account.login);
  try {
    await client.mailboxOpen('INBOX');
    const messages: Buffer[] = [];
    for await (const { source } of client.fetch('1:*', { source: true })) messages.push(source ?? Buffer.alloc(0));
    await client.messageDelete('1:*');
    return messages;
  } finally {
    await client.logout();
  }
}

test('every path of the default site delivers, byte for byte', async () => {
  const standin = await start();
  expect(standin.paths.length).toBe(16);
  expect(await failures(standin)).toEqual([]);
});

test.each<Security>(['tls', 'plain'])('every path delivers when the doors are %s', async security => {
  expect(await failures(await start({ security }))).toEqual([]);
});

test('every path delivers past a filter, and with a name server', async () => {
  expect(await failures(await start({ filter: true, nameServer: true, directories: 2 }))).toEqual([]);
});

test('a site at the upper end of its size delivers', { timeout: 20_000 }, async () => {
  const standin = await start({ mtas: 20, mmps: 20, stores: 50, directories: 2 });
  const { site } = standin;
  const last = { account: site.accounts.get('ims50'), mta: site.mtas.get('ssmtp20'), mmp: site.mmps.get('smux20') };
  if (last.account === undefined || last.mta === undefined || last.mmp?.imap === undefined)
    throw new Error('the site is not whole');
  await sendMail(last.mta.smtp, { from: 'sender@standin.test', to: last.account.address, raw: 'Subject: far\r\n\r\nhello\r\n' });
  await expect.poll(() => standin.stores.get('ims50')?.mailbox('ims50').messages.length).toBe(1);
  expect((await readAll(last.mmp.imap, last.account)).length).toBe(1);
  expect(standin.paths.length).toBe(50 * 20 * 20 * 2);
});

test('a balancer takes turns among its members', async () => {
  const standin = await start({ balancers: true });
  const smtp = standin.site.balancers.get('smtp')?.doors.smtp;
  if (smtp === undefined) throw new Error('no balancer');
  for (let i = 0; i < 4; i += 1)
    await sendMail(smtp, { from: 'sender@standin.test', to: 'ims1@standin.test', raw: `Subject: ${i}\r\n\r\nhello\r\n` });
  expect([...standin.mtas.values()].map(({ queue }) => queue.accepted)).toEqual([2, 2]);
});

test('the filter leaves its mark on what its MTA takes, and on nothing else', async () => {
  const standin = await start({ filter: true });
  for (const mta of standin.site.mtas.values())
    await sendMail(mta.smtp, {
      from: 'sender@standin.test',
      to: 'ims1@standin.test',
      raw: `Subject: ${mta.name}\r\n\r\nhello\r\n`,
    });
  const inbox = standin.stores.get('ims1')?.mailbox('ims1');
  await expect.poll(() => inbox?.messages.length).toBe(2);
  const marked = inbox?.messages
    .filter(({ raw }) => raw.includes('Authentication-Results: dkim.standin.test; dkim=none'))
    .map(({ raw }) => /^Subject: (.*)\r$/m.exec(raw.toString())?.[1]);
  expect(marked).toEqual(['ssmtp02']);
});

test('a bounce comes to the sender as a delivery status notification', async () => {
  const standin = await start({ waits: { retryMs: 20 } });
  const broken = await standin.breakIt('misrouted', 'mta/ssmtp01');
  const mta = standin.site.mtas.get('ssmtp01');
  if (mta === undefined) throw new Error('no MTA');
  await sendMail(mta.smtp, {
    from: 'sender@standin.test',
    to: 'ims1@standin.test',
    raw: 'Message-ID: <x@me.test>\r\nSubject: astray\r\n\r\nhello\r\n',
  });
  const box = standin.stores.get('ims2')?.mailbox('sender');
  await expect.poll(() => box?.messages.length).toBe(1);
  await broken.mend();
  const text = box?.messages[0]?.raw.toString('latin1') ?? '';
  expect(text).toMatch(/^Return-Path: <>\r\n/);
  expect(text).toMatch(/^Content-Type: multipart\/report; report-type=delivery-status;/m);
  expect(text).toMatch(/^Reporting-MTA: dns; ssmtp01\.standin\.test\r$/m);
  expect(text).toMatch(/^Remote-MTA: dns; ims2\.standin\.test\r$/m);
  expect(text).toMatch(/^Diagnostic-Code: smtp; 550 5\.1\.1 <ims1@standin\.test> User doesn't exist: ims1@standin\.test\r$/m);
  expect(text).toMatch(/^Message-ID: <x@me\.test>\r$/m);
});

test('mail that waited for a full store is delivered when there is room again', async () => {
  const standin = await start({ waits: { retryMs: 20 } });
  const broken = await standin.breakIt('store-full', 'store/ims1');
  const mta = standin.site.mtas.get('ssmtp01');
  if (mta === undefined) throw new Error('no MTA');
  const { response } = await sendMail(mta.smtp, {
    from: 'sender@standin.test',
    to: 'ims1@standin.test',
    raw: 'Subject: waits\r\n\r\nhello\r\n',
  });
  const queue = standin.mtas.get('ssmtp01')?.queue;
  await expect.poll(() => queue?.messages[0]?.reason).toMatch(/said: 452 4\.2\.2 /);
  const [shown] = (queue?.queueJson() ?? '').split('\n');
  const id = /queued as (\S+)/.exec(response)?.[1];
  expect(JSON.parse(shown ?? '')).toMatchObject({
    queue_id: id,
    sender: 'sender@standin.test',
    recipients: [{ address: 'ims1@standin.test', delay_reason: expect.stringContaining('452 4.2.2') }],
  });
  await broken.mend();
  await expect.poll(() => standin.stores.get('ims1')?.mailbox('ims1').messages.length).toBe(1);
  expect(queue?.messages).toEqual([]);
});

test('a message that is delivered twice is there twice', async () => {
  const standin = await start();
  const broken = await standin.breakIt('twice', 'mta/ssmtp02');
  const mta = standin.site.mtas.get('ssmtp02');
  if (mta === undefined) throw new Error('no MTA');
  await sendMail(mta.smtp, {
    from: 'sender@standin.test',
    to: 'ims2@standin.test',
    raw: 'Message-ID: <twin@me.test>\r\nSubject: twin\r\n\r\nhello\r\n',
  });
  const inbox = standin.stores.get('ims2')?.mailbox('ims2');
  await expect.poll(() => inbox?.messages.filter(({ raw }) => raw.includes('<twin@me.test>')).length).toBe(2);
  await broken.mend();
});

test.each([
  ['altered-subject', /^Subject: \[EXTERNAL\] as sent\r\n/m],
  ['altered-header', /^Message-ID: <rewritten\.by\.a\.gateway@example\.net>\r\n/m],
  ['altered-body', /hello\r\n-- \r\nThis message is confidential and has been checked for viruses\.\r\n$/],
] as const)('a message under %s comes changed in that place', async (fault, changed) => {
  const standin = await start();
  await standin.breakIt(fault, 'mta/ssmtp01');
  const mta = standin.site.mtas.get('ssmtp01');
  if (mta === undefined) throw new Error('no MTA');
  await sendMail(mta.smtp, {
    from: 'sender@standin.test',
    to: 'ims1@standin.test',
    raw: 'Message-ID: <a@me.test>\r\nSubject: as sent\r\n\r\nhello\r\n',
  });
  const inbox = standin.stores.get('ims1')?.mailbox('ims1');
  await expect.poll(() => inbox?.messages.length).toBe(1);
  expect(inbox?.messages[0]?.raw.toString()).toMatch(changed);
});

test('no password ever travels in clear, whatever the clients try first', async () => {
  const standin = await start();
  await failures(standin);
  const secrets = await Promise.all([...standin.site.accounts.values()].map(({ login }) => login.secret()));
  const inClear = standin.log.lines().filter(({ secure }) => !secure);
  for (const secret of secrets) {
    for (const shape of [secret, Buffer.from(secret).toString('base64').slice(0, -4)])
      expect(inClear.filter(({ text }) => text.includes(shape))).toEqual([]);
  }
  expect(standin.log.lines().some(({ secure, text }) => secure && secrets.some(secret => text.includes(secret)))).toBe(true);
});
