// The report as a letter through the real Postfix, fetched again from the real Dovecot, and opened by somebody else's MIME parser: what a
// mail program gets is what was written, whatever names and peers try.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImapFlow } from 'imapflow';
import PostalMime, { type Email } from 'postal-mime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { journalFile } from '../../lib/record/journal.ts';
import { dayAfter, reportedDay } from '../../lib/report/period.ts';
import { sampleDay } from '../../lib/report/sample.ts';
import { type Ended, startCommand } from '../cli/run.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { inflatedPixels } from '../report/pixels.ts';

const SITE = 'Läb <b>|{{x}}" Bcc: sender@lab.test';
const PEER = 'refused: -ERR <script>alert(1)</script>\r\nBcc: sender@lab.test\r\n\r\n\x1b[31m{{7}}';
const ZONE = process.env.TZ;
let lab: Lab;
/** The day that a report made now is about. */
let day: string;
let place: string;
let config: string;
let state: string;

beforeAll(async () => {
  process.env.TZ = 'UTC';
  day = reportedDay(Date.now());
  lab = await startLab({ net: 'free' });
  place = mkdtempSync(join(tmpdir(), 'healthmon-letter-'));
  config = join(place, 'etc');
  state = join(place, 'var');
  mkdirSync(config);
  mkdirSync(join(state, 'journal'), { recursive: true });
  lab.etc(config, { site: { name: SITE } });
  writeFileSync(
    join(config, 'alarms.cfg'),
    `[report]
to = ["ims1@lab.test", "ims2@lab.test"]
from = "sender@lab.test"
relay = "mta/ssmtp01"
attach = ["csv", "json"]
`,
  );
  for (const each of [day, dayAfter(day, -1)]) {
    const records = sampleDay('bad', each).map(record =>
      record.type === 'trip' && record.verdict.state === 'failed'
        ? { ...record, verdict: { ...record.verdict, text: PEER, short: PEER } }
        : record,
    );
    writeFileSync(journalFile(state, each), records.map(record => `${JSON.stringify(record)}\n`).join(''));
  }
});
afterAll(async () => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
  await lab?.[Symbol.asyncDispose]();
  rmSync(place, { recursive: true, force: true });
});

function run(command: string, ...args: string[]): Promise<Ended> {
  return startCommand(command, [...args, '--config', config, '--state', state], { TZ: 'UTC' }).ended;
}

/** Every message in an account's inbox, as Dovecot gives it through the proxy. */
async function inbox(account: string): Promise<string[]> {
  const { user, password } = lab.site.account(account);
  const mmp = lab.site.machine('mmp/smux01');
  const client = new ImapFlow({
    host: mmp.address,
    servername: mmp.host,
    port: 143,
    auth: { user, pass: password },
    tls: { ca: readFileSync(lab.ca, 'utf8') },
    logger: false,
  });
  await client.connect();
  try {
    const lock = await client.getMailboxLock('INBOX');
    try {
      const messages: string[] = [];
      if (client.mailbox === false || client.mailbox.exists === 0) return messages;
      for await (const { source } of client.fetch('1:*', { source: true })) messages.push(source?.toString('latin1') ?? '');
      return messages;
    } finally {
      lock.release();
    }
  } finally {
    await client.logout();
  }
}

const arrived = (account: string, count: number) =>
  expect.poll(async () => (await inbox(account)).length, { timeout: 30_000, interval: 500 }).toBe(count);

/** What a mail program shows of the header section, unfolded. */
const headers = (mail: Email, name: string) => mail.headers.filter(({ key }) => key === name).map(({ value }) => value);

test('the report comes through Postfix and out of Dovecot as it was written', async () => {
  const { status, out, err } = await run('check_rndtrip', '-r');
  expect([status, err]).toEqual([0, '']);
  expect(out).toContain('mailed to ims1@lab.test, ims2@lab.test over mta/ssmtp01, which is part of the site that is watched');
  await arrived('ims1', 1);
  await arrived('ims2', 1);
  const [raw = ''] = await inbox('ims1');

  // On the wire.
  expect(raw).toMatch(/^[\x20-\x7e\r\n\t]*$/);
  expect(Math.max(...raw.split('\r\n').map(line => line.length))).toBeLessThanOrEqual(998);
  const body = raw.slice(raw.indexOf('\r\n\r\n'));
  expect(Math.max(...body.split('\r\n').map(line => line.length))).toBeLessThanOrEqual(78);
  expect([...raw.matchAll(/^Content-Type: ([a-z]+\/[a-z-]+)/gim)].map(([, type]) => type)).toEqual([
    'multipart/mixed',
    'multipart/alternative',
    'text/plain',
    'multipart/related',
    'text/html',
    ...Array.from({ length: [...raw.matchAll(/^Content-Id: /gim)].length }, () => 'image/png'),
    'text/plain',
    'text/csv',
    'application/json',
  ]);
  expect([...body.matchAll(/; charset=([a-z0-9-]+)/gi)].map(([, charset]) => charset)).toEqual(
    Array.from({ length: 5 }, () => 'utf-8'),
  );

  // Opened.
  const mail = await PostalMime.parse(raw);
  const kept = (name: string) => readFileSync(join(state, 'report', day, name), 'utf8');
  expect(headers(mail, 'received').length).toBeGreaterThan(1);
  expect(headers(mail, 'auto-submitted')).toEqual(['auto-generated']);
  expect(headers(mail, 'list-id')).toEqual(['healthmon reports <healthmon-reports.lab.test>']);
  expect([headers(mail, 'bcc'), headers(mail, 'cc')]).toEqual([[], []]);
  for (const once of ['from', 'to', 'subject', 'date', 'message-id', 'mime-version'])
    expect([once, headers(mail, once).length]).toEqual([once, 1]);
  expect(Math.abs(Date.parse(mail.date ?? '') - Date.now())).toBeLessThan(120_000);
  const note: { readonly messageId: string } = JSON.parse(readFileSync(join(state, 'report', 'outbox', `${day}.json`), 'utf8'));
  expect(mail.messageId).toBe(note.messageId);
  expect(mail.from).toEqual({ name: `healthmon ${SITE}`, address: 'sender@lab.test' });
  expect(mail.to?.map(({ address }) => address)).toEqual(['ims1@lab.test', 'ims2@lab.test']);
  expect(mail.subject).toMatch(/^Läb <b>\|\{\{x\}\}" Bcc: sender@lab\.test, .*: 8 of 281 trips failed$/);
  expect(mail.text?.replaceAll('\r\n', '\n').trimEnd()).toBe(kept('report.txt').trimEnd());
  expect(mail.text).toMatch(/\\x0d\\x0aBcc:\s+sender@lab\.test/);
  expect(mail.html).not.toContain('<script>');
  expect(mail.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');

  // Its pictures and files.
  const shown = [...(mail.html ?? '').matchAll(/<img src="cid:([^"]+)"/g)].map(([, cid]) => `<${cid}>`);
  const pictures = mail.attachments.filter(({ mimeType }) => mimeType === 'image/png');
  expect(shown.length).toBeGreaterThan(20);
  expect(new Set(shown)).toEqual(new Set(pictures.map(({ contentId }) => contentId)));
  for (const { content, disposition } of pictures) {
    expect(disposition).toBe('inline');
    expect(inflatedPixels(bytesOf(content)).width).toBeGreaterThan(100);
  }
  const files = mail.attachments.filter(({ disposition }) => disposition === 'attachment');
  expect(files.map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
    [`systest.log.${day}.txt`, 'text/plain'],
    [`report-${day}.csv`, 'text/csv'],
    [`report-${day}.json`, 'application/json'],
  ]);
  const [table, csv, json] = files.map(({ content }) => bytesOf(content).toString('utf8'));
  expect(kept('report.txt')).not.toBe('');
  expect(
    table?.split('\n').filter(line => line.startsWith('| 0') || line.startsWith('| 1') || line.startsWith('| 2')),
  ).toHaveLength(281);
  expect(csv).toBe(kept(`report-${day}.csv`));
  expect(JSON.parse(json ?? '')).toMatchObject({ schema: 'healthmon-report/1', whole: { trips: 281 } });

  // To nobody else, and once.
  expect(await inbox('sender')).toEqual([]);
  expect((await run('check_rndtrip', '-r')).status).toBe(0);
  expect([(await inbox('ims1')).length, (await inbox('ims2')).length]).toEqual([1, 1]);
});

test('while Postfix is down the report waits, and comes once when it is back', async () => {
  const before = dayAfter(day, -1);
  const fault = await lab.fault('stopped', 'mta/ssmtp01');
  const { status, err } = await run('check_rndtrip', '-r', '--day', before);
  expect(status).toBe(1);
  expect(err).toMatch(/could not be mailed to ims1@lab\.test, ims2@lab\.test over mta\/ssmtp01, .* smtp connect: /);
  expect((await run('healthmon', 'report', 'send')).status).toBe(1);
  await fault.off();
  const sent = await run('healthmon', 'report', 'send');
  expect(sent).toMatchObject({
    status: 0,
    out: expect.stringMatching(/ims1@lab\.test: sent[\s\S]*ims2@lab\.test: sent/),
    err: '',
  });
  await arrived('ims1', 2);
  await arrived('ims2', 2);
  expect((await run('healthmon', 'report', 'send')).out).toBe('No letter waits for delivery\n');
  expect(await inbox('ims1')).toHaveLength(2);
});

function bytesOf(content: ArrayBuffer | Uint8Array | string): Buffer {
  return typeof content === 'string' ? Buffer.from(content) : Buffer.from(new Uint8Array(content));
}
