// The stores' POP3, against node-pop3 and plain sockets.

import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import Pop3Command from 'node-pop3';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';
import type { Folder } from '../../lib/standin/store/mailbox.ts';
import { openPop } from './clients.ts';
import { Talk } from './walk.ts';

let standin: StandinSite;

beforeAll(async () => {
  standin = await startSite({ security: 'plain', waits: { authFailureMs: 1, popLockMs: 40 } });
});

afterEach(() => {
  const folder = inbox();
  folder.remove(new Set(folder.messages.map(({ uid }) => uid)));
});

afterAll(async () => {
  expect(standin.problems).toEqual([]);
  await standin.stop();
});

function inbox(): Folder {
  const folder = standin.stores.get('ims1')?.mailbox('ims1');
  if (folder === undefined) throw new Error('no mailbox');
  return folder;
}

function door(through: 'store' | 'proxy' = 'store') {
  const endpoint = through === 'store' ? standin.site.stores.get('ims1')?.pop3 : standin.site.mmps.get('smux01')?.pop3;
  const login = standin.site.accounts.get('ims1')?.login;
  if (endpoint === undefined || login === undefined) throw new Error('no door');
  return { endpoint, login };
}

/** One line per command; only for commands that are answered by one line. */
async function dialog(...commands: readonly string[]): Promise<string[]> {
  const talk = new Talk(connect({ port: door().endpoint.port, host: '127.0.0.1' }));
  const said = [await talk.line()];
  for (const command of commands) {
    talk.send(`${command}\r\n`);
    said.push(await talk.line());
  }
  talk.end();
  return said;
}

test('node-pop3 lists, reads, and deletes at QUIT', async () => {
  inbox().append('Subject: one\r\n\r\nfirst\r\n');
  const second = inbox().append('Subject: two\r\n\r\nsecond\r\n');
  const { endpoint, login } = door();
  const pop = new Pop3Command({
    host: endpoint.host,
    port: endpoint.port,
    user: login.user,
    password: await login.secret(),
    timeout: 2000,
  });
  expect(await pop.STAT()).toBe(`2 ${inbox().bytes}`);
  const uidl = await pop.UIDL();
  expect(uidl).toEqual([
    ['1', expect.stringMatching(/^0000000\d[0-9a-f]{8}$/)],
    ['2', expect.stringMatching(new RegExp(`^${second.uid.toString(16).padStart(8, '0')}`))],
  ]);
  expect(await pop.RETR(1)).toContain('first');
  await pop.command('DELE', '1');
  expect(inbox().messages.length).toBe(2);
  await pop.QUIT();
  await expect.poll(() => inbox().messages.map(({ uid }) => uid)).toEqual([second.uid]);
});

test('every byte comes back as it was delivered, also through a proxy', async () => {
  const raw = Buffer.concat([
    Buffer.from('Subject: bytes\r\n\r\n.\r\n..\r\n.x\r\n\r\n'),
    Buffer.from(Array.from({ length: 256 }, (_, i) => (i === 10 || i === 13 ? 32 : i))),
    Buffer.from('\r\n'),
  ]);
  inbox().append(raw);
  for (const through of ['store', 'proxy'] as const) {
    const { endpoint, login } = door(through);
    const talk = await openPop(endpoint, login);
    expect((await talk.multi('RETR 1')).equals(raw)).toBe(true);
    expect((await talk.multi('TOP 1 1')).toString('latin1')).toBe('Subject: bytes\r\n\r\n.\r\n');
    await talk.single('QUIT');
    talk.end();
  }
});

test('the words are those of Dovecot', async () => {
  inbox().append('Subject: one\r\n\r\nfirst\r\n');
  const secret = await door().login.secret();
  expect(
    await dialog(
      'FOO',
      'USER ims1',
      'PASS wrong',
      'USER ims1',
      `PASS ${secret}`,
      'STAT',
      'LIST 1',
      'LIST 2',
      'RETR x',
      'DELE 1',
      'DELE 1',
      'STAT',
      'RSET',
      'STAT',
      'NOOP',
      'FOO',
      'QUIT',
    ),
  ).toEqual([
    '+OK Dovecot (Debian) ready.',
    '-ERR Unknown command.',
    '+OK',
    '-ERR [AUTH] Authentication failed.',
    '+OK',
    '+OK Logged in.',
    '+OK 1 23',
    '+OK 1 23',
    "-ERR There's no message 2.",
    '-ERR Invalid message number.',
    '+OK Marked to be deleted.',
    '-ERR Message is deleted.',
    '+OK 0 0',
    '+OK',
    '+OK 1 23',
    '+OK',
    '-ERR Unknown command.',
    '+OK Logging out.',
  ]);
});

test('AUTH PLAIN, LOGIN and XOAUTH2 let in, and XOAUTH2 explains before it refuses', async () => {
  const secret = await door().login.secret();
  const b64 = (text: string) => Buffer.from(text).toString('base64');
  expect((await dialog(`AUTH PLAIN ${b64(`\0ims1\0${secret}`)}`)).at(-1)).toBe('+OK Logged in.');
  expect((await dialog('AUTH PLAIN', b64(`\0ims1\0${secret}`))).slice(1)).toEqual(['+', '+OK Logged in.']);
  expect((await dialog('AUTH LOGIN', b64('ims1'), b64(secret))).slice(1)).toEqual([
    '+ VXNlcm5hbWU6',
    '+ UGFzc3dvcmQ6',
    '+OK Logged in.',
  ]);
  expect((await dialog(`AUTH XOAUTH2 ${b64(`user=ims1\u0001auth=Bearer ${secret}\u0001\u0001`)}`)).at(-1)).toBe('+OK Logged in.');
  expect((await dialog(`AUTH XOAUTH2 ${b64('user=ims1\u0001auth=Bearer no\u0001\u0001')}`, '')).slice(1)).toEqual([
    expect.stringMatching(/^\+ eyJzdGF0dXMi/),
    '-ERR [AUTH] Authentication failed.',
  ]);
});

test('a second session waits for the lock, and is let in or turned away', async () => {
  const { endpoint, login } = door();
  const first = await openPop(endpoint, login);
  await expect(openPop(endpoint, login)).rejects.toThrow('-ERR [IN-USE] Mailbox is locked by another POP3 session.');
  const second = openPop(endpoint, login);
  await first.single('QUIT');
  (await second).end();
  first.end();
});

test('a session that breaks off deletes nothing and frees the mailbox', async () => {
  inbox().append('Subject: stays\r\n\r\nx\r\n');
  const { endpoint, login } = door();
  const first = await openPop(endpoint, login);
  await first.single('DELE 1');
  first.end();
  const second = await openPop(endpoint, login);
  expect(await second.single('STAT')).toBe(`+OK 1 ${inbox().bytes}`);
  second.end();
});

test('a password is refused in clear where TLS is asked for', async () => {
  const secured = await startSite();
  const talk = new Talk(connect({ port: secured.site.stores.get('ims1')?.pop3?.port ?? 0, host: '127.0.0.1' }));
  await talk.line();
  talk.send('USER ims1\r\n');
  expect(await talk.line()).toBe('-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.');
  talk.end();
  await secured.stop();
});

test("Python's poplib and imaplib read the mailbox, where there is Python", async context => {
  const secret = await door().login.secret();
  const { uid } = inbox().append('Subject: for python\r\n\r\n.hello\r\n');
  const script = `
import poplib, imaplib, sys
pop = poplib.POP3('127.0.0.1', ${door().endpoint.port}); pop.user('ims1'); pop.pass_(sys.stdin.readline().strip())
print(pop.stat(), pop.retr(1)[1], pop.quit())
imap = imaplib.IMAP4('127.0.0.1', ${standin.site.stores.get('ims1')?.imap?.port ?? 0}); imap.login('ims1', '${secret}')
print(imap.select('INBOX'), imap.uid('search', None, 'SUBJECT', 'python')); print(imap.fetch('1', '(BODY[TEXT])'))
imap.store('1', '+FLAGS', '\\\\Deleted'); print(imap.expunge()); print(imap.logout()[0])
`;
  const run = promisify(execFile)('python3', ['-c', script], { timeout: 10_000 });
  run.child.stdin?.end(`${secret}\n`);
  const result = await run.catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : Promise.reject(error)));
  if (result === undefined) return context.skip('python3 is not here');
  expect(result.stdout.split('\n')).toEqual([
    "(1, 31) [b'Subject: for python', b'', b'.hello'] b'+OK Logging out.'",
    `('OK', [b'1']) ('OK', [b'${uid}'])`,
    "('OK', [(b'1 (BODY[TEXT] {8}', b'.hello\\r\\n'), b' FLAGS (\\\\Seen))'])",
    "('OK', [b'1'])",
    'BYE',
    '',
  ]);
});
