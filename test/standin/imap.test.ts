// The stores' IMAP, against imapflow and, word by word, against plain sockets.

import { connect } from 'node:net';
import type { ImapFlow } from 'imapflow';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';
import type { Folder } from '../../lib/standin/store/mailbox.ts';
import { openImap } from './clients.ts';
import { Talk } from './walk.ts';

let standin: StandinSite;
let clear: StandinSite;
const clients: ImapFlow[] = [];

beforeAll(async () => {
  standin = await startSite({ waits: { authFailureMs: 1, idleMs: 60 } });
  clear = await startSite({ security: 'plain', uidplus: false, waits: { authFailureMs: 1 } });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const site of [standin, clear]) {
    const inbox = site.stores.get('ims1')?.mailbox('ims1');
    inbox?.remove(new Set(inbox.messages.map(({ uid }) => uid)));
  }
});

afterAll(async () => {
  for (const site of [standin, clear]) {
    expect(site.problems).toEqual([]);
    await site.stop();
  }
});

function inbox(site = standin): Folder {
  const folder = site.stores.get('ims1')?.mailbox('ims1');
  if (folder === undefined) throw new Error('no mailbox');
  return folder;
}

async function client(): Promise<ImapFlow> {
  const account = standin.site.accounts.get('ims1');
  const endpoint = standin.site.stores.get('ims1')?.imap;
  if (account === undefined || endpoint === undefined) throw new Error('no account');
  const flow = await openImap(endpoint, account.login);
  clients.push(flow);
  await flow.mailboxOpen('INBOX');
  return flow;
}

/** Logs in without TLS on the plain site and gives the untagged and tagged lines of each command. */
async function session(...commands: readonly string[]): Promise<string[][]> {
  const endpoint = clear.site.stores.get('ims1')?.imap;
  const login = clear.site.accounts.get('ims1')?.login;
  const talk = new Talk(connect({ port: endpoint?.port ?? 0, host: '127.0.0.1' }));
  await talk.line();
  const answers: string[][] = [];
  for (const command of [`LOGIN ims1 ${await login?.secret()}`, 'SELECT INBOX', ...commands]) {
    talk.send(`a ${command}\r\n`);
    const lines: string[] = [];
    do lines.push(await talk.line());
    while (!lines.at(-1)?.startsWith('a '));
    answers.push(lines);
  }
  talk.end();
  return answers.slice(2);
}

const MIME = [
  'From: "A, B" <a@b.test>',
  'To: c@d.test, "E" <e@f.test>',
  'Date: Sun, 22 Nov 2026 02:08:13 +0000',
  'Message-ID: <mime@me.test>',
  'Subject: parts',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="b"',
  '',
  'preamble',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'first part',
  '--b',
  'Content-Type: message/delivery-status',
  'Content-Disposition: attachment; filename="x.txt"',
  '',
  'Reporting-MTA: dns; x',
  '',
  '--b--',
  '',
].join('\r\n');

test('imapflow fetches envelope, structure, parts and bytes', async () => {
  inbox().append(MIME, { internalDate: new Date('2026-11-22T02:08:14Z'), flags: ['\\Flagged'] });
  const flow = await client();
  const message = await flow.fetchOne('*', {
    envelope: true,
    bodyStructure: true,
    source: true,
    internalDate: true,
    flags: true,
    size: true,
    headers: ['subject', 'x-none'],
    bodyParts: ['1', '2', 'TEXT'],
  });
  if (!message) throw new Error('nothing fetched');
  expect(message.source?.toString('latin1')).toBe(MIME);
  expect(message.size).toBe(MIME.length);
  expect(message.envelope).toMatchObject({
    subject: 'parts',
    messageId: '<mime@me.test>',
    from: [{ name: 'A, B', address: 'a@b.test' }],
    to: [{ address: 'c@d.test' }, { name: 'E', address: 'e@f.test' }],
  });
  expect(message.internalDate).toEqual(new Date('2026-11-22T02:08:14Z'));
  expect([...(message.flags ?? [])]).toEqual(['\\Flagged']);
  expect(message.headers?.toString()).toBe('Subject: parts\r\n\r\n');
  expect(message.bodyParts?.get('1')?.toString()).toBe('first part');
  expect(message.bodyStructure).toMatchObject({
    type: 'multipart/mixed',
    childNodes: [
      { part: '1', type: 'text/plain' },
      { part: '2', type: 'message/delivery-status', disposition: 'attachment', dispositionParameters: { filename: 'x.txt' } },
    ],
  });
});

test('imapflow deletes by UID and leaves other messages alone, marked ones too', async () => {
  for (const subject of ['one', 'two', 'three']) inbox().append(`Subject: ${subject}\r\n\r\nx\r\n`);
  inbox().setFlags(inbox().messages[0]?.uid ?? 0, ['\\Deleted']);
  const flow = await client();
  const found = await flow.search({ header: { subject: 'two' } }, { uid: true });
  expect(found).toEqual([inbox().messages[1]?.uid]);
  await flow.messageDelete(String(inbox().messages[1]?.uid), { uid: true });
  expect(inbox().messages.map(({ raw }) => raw.toString().slice(9, 12))).toEqual(['one', 'thr']);
});

test('news reach an IDLE session after the delay of Dovecot, and NOOP at once', async () => {
  const flow = await client();
  const seen = new Promise<number>(resolve => flow.once('exists', () => resolve(performance.now())));
  const idling = flow.idle();
  await expect.poll(() => standin.log.lines('store/ims1').some(({ text }) => text === '+ idling')).toBe(true);
  const began = performance.now();
  inbox().append('Subject: news\r\n\r\nx\r\n');
  expect((await seen) - began).toBeGreaterThanOrEqual(59);
  await flow.noop();
  await idling;
  const heard = new Promise<number>(resolve => flow.once('exists', data => resolve(data.count)));
  inbox().append('Subject: more\r\n\r\nx\r\n');
  await flow.noop();
  expect(await heard).toBe(2);
});

test('imapflow appends, copies, moves, and finds the special folders', async () => {
  const flow = await client();
  const appended = await flow.append('INBOX', 'Subject: mine\r\n\r\nx\r\n', ['\\Seen'], new Date('2026-01-02T03:04:05Z'));
  expect(appended).toMatchObject({ destination: 'INBOX', uid: inbox().messages[0]?.uid });
  expect(inbox().messages[0]).toMatchObject({ internalDate: new Date('2026-01-02T03:04:05Z'), flags: new Set(['\\Seen']) });
  await flow.messageCopy('1', 'Sent');
  await flow.messageMove('1', 'Junk');
  expect(
    standin.stores
      .get('ims1')
      ?.mailboxOf('ims1')
      .folders.map(folder => `${folder.name} ${folder.messages.length}`),
  ).toEqual(['INBOX 0', 'Junk 1', 'Sent 1', 'Trash 0']);
  const list = await flow.list();
  expect(list.map(({ path, specialUse }) => `${path} ${specialUse ?? ''}`).sort()).toEqual([
    'INBOX \\Inbox',
    'Junk \\Junk',
    'Sent \\Sent',
    'Trash \\Trash',
  ]);
  for (const name of ['Sent', 'Junk']) {
    const folder = standin.stores.get('ims1')?.mailbox('ims1', name);
    folder?.remove(new Set(folder.messages.map(({ uid }) => uid)));
  }
});

test('a wrong password is told in the words of Dovecot', async () => {
  const account = standin.site.accounts.get('ims1');
  const endpoint = standin.site.mmps.get('smux01')?.imap;
  if (account === undefined || endpoint === undefined) throw new Error('no account');
  await expect(openImap(endpoint, { user: account.login.user, secret: async () => 'wrong' })).rejects.toMatchObject({
    authenticationFailed: true,
    responseStatus: 'NO',
    serverResponseCode: 'AUTHENTICATIONFAILED',
    responseText: 'Authentication failed.',
  });
});

test('without UIDPLUS neither the capability nor UID EXPUNGE is there', async () => {
  const [[capability], [expunged]] = [(await session('CAPABILITY'))[0] ?? [], (await session('UID EXPUNGE 1'))[0] ?? []];
  expect(capability).toMatch(/^\* CAPABILITY IMAP4rev1 /);
  expect(capability).not.toContain('UIDPLUS');
  expect(expunged).toBe('a BAD Error in IMAP command received by server: Unknown command.');
});

test.each([
  ['ALL', [1, 2, 3]],
  ['2:3', [2, 3]],
  ['*', [3]],
  ['UID 1:2', [1, 2]],
  ['DELETED', [2]],
  ['UNDELETED', [1, 3]],
  ['NOT DELETED', [1, 3]],
  ['SEEN', [3]],
  ['HEADER X-Token abc', [1]],
  ['HEADER X-Token ""', [1, 2]],
  ['HEADER Subject "folded subject"', [2]],
  ['SUBJECT HELLO', [1]],
  ['FROM a@b', [1, 2, 3]],
  ['OR HEADER X-Token abc DELETED', [1, 2]],
  ['(UNDELETED (NOT SEEN))', [1]],
  ['BODY hidden', [3]],
  ['TEXT X-Token', [1, 2]],
  ['SINCE 2-Nov-2026', [2, 3]],
  ['BEFORE 2-Nov-2026', [1]],
  ['ON 3-Nov-2026', [3]],
  ['SENTSINCE 5-Nov-2026', [1]],
  ['LARGER 110', [2]],
  ['CHARSET UTF-8 SUBJECT hello', [1]],
  ['KEYWORD mine', [3]],
])('SEARCH %s', async (criteria, expected) => {
  const folder = clear.stores.get('ims2')?.mailbox('ims2');
  if (folder?.messages.length === 0) {
    folder.append('From: a@b\r\nSubject: Hello\r\nX-Token: abc\r\nDate: 6 Nov 2026 00:00:00 +0000\r\n\r\nx\r\n', {
      internalDate: new Date('2026-11-01T23:59:59Z'),
    });
    folder.append(
      'From: a@b\r\nSubject: a folded\r\n subject\r\nX-Token: ABD\r\nDate: 1 Nov 2026 00:00:00 +0000\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n',
      { internalDate: new Date('2026-11-02T00:00:00Z'), flags: ['\\Deleted'] },
    );
    folder.append('From: a@b\r\nSubject: none\r\n\r\nsomething HIDDEN here\r\n', {
      internalDate: new Date('2026-11-03T12:00:00Z'),
      flags: ['\\Seen', 'mine'],
    });
  }
  const endpoint = clear.site.stores.get('ims2')?.imap;
  const talk = new Talk(connect({ port: endpoint?.port ?? 0, host: '127.0.0.1' }));
  await talk.line();
  talk.send(
    `a LOGIN ims2 ${await clear.site.accounts.get('ims2')?.login.secret()}\r\nb EXAMINE INBOX\r\nc SEARCH ${criteria}\r\n`,
  );
  let line = '';
  do line = await talk.line();
  while (!line.startsWith('* SEARCH') && !line.startsWith('c '));
  talk.end();
  expect(line).toBe(`* SEARCH ${expected.join(' ')}`);
});

test('numbers do not change until the client may hear of it', async () => {
  for (const subject of ['one', 'two', 'three']) inbox(clear).append(`Subject: ${subject}\r\n\r\nx\r\n`);
  const endpoint = clear.site.stores.get('ims1')?.imap;
  const talk = new Talk(connect({ port: endpoint?.port ?? 0, host: '127.0.0.1' }));
  await talk.line();
  const say = async (command: string) => {
    talk.send(`a ${command}\r\n`);
    const lines: string[] = [];
    do lines.push(await talk.line());
    while (!lines.at(-1)?.startsWith('a '));
    return lines;
  };
  await say(`LOGIN ims1 ${await clear.site.accounts.get('ims1')?.login.secret()}`);
  await say('SELECT INBOX');
  const [first, second, third] = inbox(clear).messages.map(({ uid }) => uid);
  inbox(clear).remove(new Set([first ?? 0]));
  inbox(clear).append('Subject: four\r\n\r\nx\r\n');
  expect(await say('FETCH 2 UID')).toEqual([
    `* 2 FETCH (UID ${second})`,
    '* 4 EXISTS',
    '* 1 RECENT',
    'a OK Fetch completed (0.001 + 0.000 secs).',
  ]);
  expect(await say('NOOP')).toEqual(['* 1 EXPUNGE', 'a OK NOOP completed.']);
  expect(await say('FETCH 2 UID')).toEqual([`* 2 FETCH (UID ${third})`, 'a OK Fetch completed (0.001 + 0.000 secs).']);
  talk.end();
});

test('FETCH gives sections and partial ones, and marks as seen only without PEEK', async () => {
  const message = inbox(clear).append('Subject: s\r\nFrom: f\r\n\r\n0123456789\r\n');
  const answers = await session(
    'FETCH 1 BODY.PEEK[TEXT]<2.3>',
    'FETCH 1 BODY.PEEK[HEADER.FIELDS (FROM)]',
    'FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (FROM)]',
    'FETCH 1 (RFC822.SIZE FLAGS)',
    'FETCH 1 BODY[TEXT]',
    'FETCH 1 (FLAGS)',
    'FETCH 1 BODY[7]',
    'FETCH 1 NONSENSE',
    'FETCH 1:x FLAGS',
  );
  expect(answers).toEqual([
    ['* 1 FETCH (BODY[TEXT]<2> {3}', '234)', expect.stringContaining('a OK')],
    ['* 1 FETCH (BODY[HEADER.FIELDS (FROM)] {11}', 'From: f', '', ')', expect.stringContaining('a OK')],
    ['* 1 FETCH (BODY[HEADER.FIELDS.NOT (FROM)] {14}', 'Subject: s', '', ')', expect.stringContaining('a OK')],
    ['* 1 FETCH (RFC822.SIZE 35 FLAGS ())', expect.stringContaining('a OK')],
    ['* 1 FETCH (BODY[TEXT] {12}', '0123456789', ' FLAGS (\\Seen))', expect.stringContaining('a OK')],
    ['* 1 FETCH (FLAGS (\\Seen))', expect.stringContaining('a OK')],
    ['* 1 FETCH (BODY[7] NIL)', expect.stringContaining('a OK')],
    ['a BAD Error in IMAP command received by server: Unknown parameter NONSENSE.'],
    ['a BAD Error in IMAP command received by server: Invalid messageset.'],
  ]);
  expect(message.flags).toEqual(new Set(['\\Seen']));
});

test('what is no command is told so, and the session goes on', async () => {
  const answers = await session('FETCH (', 'NONSENSE', 'LOGIN a b', 'STORE 1 FLAGS', 'NOOP');
  expect(answers.map(lines => lines.at(-1))).toEqual([
    'a BAD Error in IMAP command received by server: Missing ")".',
    'a BAD Error in IMAP command NONSENSE: Unknown command.',
    'a BAD Error in IMAP command LOGIN: Unknown command.',
    'a OK Store completed.',
    'a OK NOOP completed.',
  ]);
});
