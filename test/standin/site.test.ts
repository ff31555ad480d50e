// What tests and commands hold in their hands: the queue by a command, mailboxes to plant mail in, secrets that go missing, an MTA that
// stands still as a whole, and the names of faults.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LocalProblem } from '../../lib/model/endpoint.ts';
import { isFaultName } from '../../lib/standin/faults/breaking.ts';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';
import { sendMail } from './clients.ts';

let standin: StandinSite;

beforeAll(async () => {
  standin = await startSite({ waits: { retryMs: 20 } });
});

afterAll(async () => {
  expect(standin.problems).toEqual([]);
  await standin.stop();
});

function mta(name: string) {
  const found = standin.site.mtas.get(name);
  const running = standin.mtas.get(name);
  if (found === undefined || running === undefined) throw new Error('no such MTA');
  return { ...found, running };
}

test("an MTA's queue can be read by the command that the site gives, as postqueue -j prints it", async () => {
  const { smtp, queue } = mta('ssmtp02');
  const [program = '', ...args] = queue?.command ?? [];
  const read = async () => (await promisify(execFile)(program, args, { timeout: 5000 })).stdout;
  expect(await read()).toBe('');
  const broken = await standin.breakIt('held', 'mta/ssmtp02');
  const { response } = await sendMail(smtp, {
    from: 'sender@standin.test',
    to: 'ims1@standin.test',
    raw: 'Subject: held\r\n\r\nx\r\n',
  });
  const lines = (await read()).trimEnd().split('\n');
  expect(lines.length).toBe(1);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    queue_name: 'hold',
    queue_id: /queued as (\w+)/.exec(response)?.[1],
    arrival_time: expect.closeTo(Date.now() / 1000, -1),
    message_size: expect.any(Number),
    forced_expire: false,
    sender: 'sender@standin.test',
    recipients: [{ address: 'ims1@standin.test' }],
  });
  await broken.mend();
  await expect.poll(read).toBe('');
});

test('an MTA that is frozen delivers nothing until it is mended', async () => {
  const { smtp, running } = mta('ssmtp01');
  const late = await standin.breakIt('late', 'mta/ssmtp01', { ms: 30 });
  await sendMail(smtp, { from: 'sender@standin.test', to: 'ims2@standin.test', raw: 'Subject: frozen in\r\n\r\nx\r\n' });
  const frozen = await standin.breakIt('frozen', 'mta/ssmtp01');
  await late.mend();
  await sendMail(mta('ssmtp02').smtp, {
    from: 'sender@standin.test',
    to: 'ims2@standin.test',
    raw: 'Subject: the other way\r\n\r\nx\r\n',
  });
  const inbox = standin.stores.get('ims2')?.mailbox('ims2');
  await expect.poll(() => inbox?.messages.some(({ raw }) => raw.includes('the other way'))).toBe(true);
  await frozen.mend();
  await expect.poll(() => inbox?.messages.some(({ raw }) => raw.includes('frozen in'))).toBe(true);
  expect(running.queue.messages).toEqual([]);
});

test('mail that a test plants has its own date, flags and bytes', () => {
  const inbox = standin.stores.get('ims1')?.mailbox('ims1', 'Junk');
  const planted = inbox?.append(Buffer.from([0, 255, 10]), { flags: ['\\Seen'], internalDate: new Date(0) });
  expect(planted).toMatchObject({
    uid: 1,
    raw: Buffer.from([0, 255, 10]),
    internalDate: new Date(0),
    flags: new Set(['\\Seen']),
  });
  expect(() => standin.stores.get('ims1')?.mailbox('ims1', 'None')).toThrow('Cannot find folder None of ims1 on store/ims1');
});

test('a secret that goes missing is our own problem, and comes back', async () => {
  const login = standin.site.accounts.get('ims1')?.login;
  const secret = await login?.secret();
  const broken = await standin.breakIt('own-secret-missing', 'account/ims1');
  expect(broken.truth).toMatchObject({ components: ['monitor'], phases: ['secret'], states: ['unknown'] });
  await expect(login?.secret()).rejects.toBeInstanceOf(LocalProblem);
  await broken.mend();
  expect(await login?.secret()).toBe(secret);
});

test('isFaultName() knows the names of the list and no others', () => {
  expect(standin.faults.every(({ name }) => isFaultName(name))).toBe(true);
  expect(['', 'toString', 'frozen ', 'Frozen'].filter(isFaultName)).toEqual([]);
});

test('the truth of a fault depends on what can be told apart in this site', async () => {
  const blind = await startSite({ queueAccess: false });
  expect(standin.truth('held', 'mta/ssmtp01').components).toEqual(['mta/ssmtp01', 'link/ssmtp01-ims1']);
  expect(blind.truth('held', 'mta/ssmtp01').components).toEqual(['mta/ssmtp01', 'store/ims1', 'link/ssmtp01-ims1']);
  await blind.stop();
  expect(standin.truth('late', 'mta/ssmtp01', { ms: 100 }).states).toEqual(['ok', 'slow']);
  expect(standin.truth('late', 'mta/ssmtp01').states).toEqual(['slow']);
  expect(standin.truth('late', 'mta/ssmtp01', { ms: 9000 })).toMatchObject({ states: ['failed'], arrivals: ['lost'] });
  expect(standin.truth('stopped', 'mmp/smux02 pop3')).toEqual({
    components: ['mmp/smux02'],
    protocols: ['pop3'],
    phases: ['connect'],
    states: ['failed'],
    arrivals: [],
    path: { account: 'ims1', mta: 'ssmtp01', mmp: 'smux02', mailbox: 'pop3' },
  });
});
