// The alarms as an operator meets them: real commands, a site that breaks, a receiver that counts.

import { createHmac } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { journalDays, readJournal } from '../../lib/record/journal.ts';
import { type Receiver, startReceiver } from '../alarm/receiver.ts';
import { openShop, type Shop } from './run.ts';

const KEY = 'canary-secret-of-the-webhook';
const TOKEN = 'canary-secret-of-the-heartbeat';
const ACCEPTED = 'accept_dependence = "everything here is on one machine"\n';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ mtas: 1, stores: 1 });
  shop.write('secrets/key', `${KEY}\n`, 0o600);
  shop.write('secrets/token', `${TOKEN}\n`, 0o600);
});
afterAll(() => shop.stop());

const hook = (url: string, more = ACCEPTED) => `[webhook.hook]\nurl = "${url}/hook"\nkey_file = "secrets/key"\n${more}`;
const NOTIFY = '[notify.oncall]\nchannels = ["hook"]\n';

interface Sent {
  readonly headline: string;
  readonly notices: readonly { readonly what: string; readonly component: string; readonly was?: string }[];
}

function sent({ got }: Receiver): Sent[] {
  return got.filter(({ url }) => url === '/hook').map(({ body }) => JSON.parse(body) as Sent);
}

function stateText(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(file => statSync(file).isFile())
    .map(file => readFileSync(file, 'utf8'))
    .join('\n');
}

test('config check refuses a channel and a heartbeat that lead through the site, and warns where somebody has said why', async () => {
  const receiver = await startReceiver();
  const beat = `[heartbeat.outside]\nurl = "${receiver.url}/beat"\n`;
  shop.write('alarms.cfg', hook(receiver.url, '') + NOTIFY + beat);
  const refused = await shop.run('healthmon', 'config', 'check');
  expect(refused.status).toBe(3);
  expect(refused.out).toContain('alarms.cfg:1: error: [webhook.hook] leads to 127.0.0.1, which is mta/ssmtp01');
  expect(refused.out).toContain('alarms.cfg:6: error: [heartbeat.outside] leads to 127.0.0.1, which is mta/ssmtp01');
  expect(refused.out).toContain('lead it over something that is no part of the site, or say why this is all right');
  shop.write('alarms.cfg', hook(receiver.url) + NOTIFY + beat + ACCEPTED);
  const warned = await shop.run('healthmon', 'config', 'check');
  expect(warned.out).toContain('warning: [webhook.hook] leads to 127.0.0.1, which is mta/ssmtp01 (accepted: everything here');
  expect([warned.status, warned.out.includes('0 errors, 2 warnings')]).toEqual([0, true]);
  expect(receiver.got).toEqual([]);
  // With alarms cron starts each minute: second tries, reminders and escalation go by the runs.
  expect((await shop.run('healthmon', 'crontab')).out).toMatch(/^\* \* \* \* \* {2}\S+ .*check_rndtrip/m);
});

test('config check tells of a program that is not there, or that others could change', async () => {
  shop.write('open-to-all', '#!/bin/sh\n', 0o700);
  chmodSync(join(shop.config, 'open-to-all'), 0o722);
  const program = (name: string) => `[exec.${name}]\ncommand = ["./${name}"]\n${ACCEPTED}`;
  shop.write('alarms.cfg', `${program('gone')}${program('open-to-all')}[notify.oncall]\nchannels = ["gone", "open-to-all"]\n`);
  const { status, out } = await shop.run('healthmon', 'config', 'check');
  expect(status).toBe(3);
  expect(out).toContain('alarms.cfg:1: error: [exec.gone]: there is no program ./gone\n    write its whole path, or install it');
  expect(out).toMatch(
    /alarms\.cfg:4: warning: \[exec\.open-to-all\]: as things are it would not be run: \S.* can be changed by others/,
  );
});

test('alarm test sends a marked message over each channel and shows its way; what fails is told and not tried again later', async () => {
  const receiver = await startReceiver();
  receiver.answer = ({ url }) => (url === '/hook' ? { status: 200 } : { status: 201, body: '{"sid":"SM1","status":"queued"}' });
  const sms = `[twilio.sms]\naccount = "AC${'0'.repeat(32)}"\ntoken_file = "secrets/token"\nfrom = "+15017122661"\nto = "+491701234567"\nurl = "${receiver.url}"\n${ACCEPTED}`;
  shop.write('alarms.cfg', `${hook(receiver.url)}[log.file]\n${sms}[exec.prog]\ncommand = ["/bin/false"]\n${NOTIFY}`);
  const { status, out } = await shop.run('healthmon', 'alarm', 'test');
  expect(status).toBe(2);
  expect(out.replace(/in \d+ ms/g, 'in N ms')).toBe(
    [
      'log.file  delivered',
      '  leads to  alarm.log, on this machine',
      '  delivered written, in N ms',
      'twilio.sms  delivered',
      '  leads to  127.0.0.1',
      '  but       it leads to 127.0.0.1, which is mta/ssmtp01 (accepted: everything here is on one machine)',
      '  delivered Twilio has it (queued), in N ms',
      'webhook.hook  delivered',
      '  leads to  127.0.0.1',
      '  but       it leads to 127.0.0.1, which is mta/ssmtp01 (accepted: everything here is on one machine)',
      '  delivered answered 200, in N ms',
      'exec.prog  NOT delivered',
      '  leads to  the program /bin/false',
      '  but       it runs false: where that leads cannot be told from here; see to it that it is not through the site',
      '  failed    ended with status 1, in N ms',
      '3 of 4 channels delivered',
      '',
    ].join('\n'),
  );
  expect(sent(receiver).map(({ headline }) => headline)).toEqual(['TEST this is a test of the alarm chain, and no alarm']);
  // Twilio's own client, from the built command.
  const short = new URLSearchParams(receiver.got.find(({ url }) => url.endsWith('/Messages.json'))?.body).get('Body');
  expect(short).toBe('TEST stand-in: this is a test of the alarm chain, and no alarm');
  const got = receiver.got.find(({ url }) => url === '/hook');
  const { 'webhook-id': id, 'webhook-timestamp': stamp, 'webhook-signature': signature } = got?.headers ?? {};
  expect(signature).toBe(`v1,${createHmac('sha256', KEY).update(`${id}.${stamp}.${got?.body}`).digest('base64')}`);
  const { out: again } = await shop.run('healthmon', 'alarm', 'status');
  expect(again).toContain('no message waits');
  expect(again).toMatch(/exec\.prog +failed \d\d:\d\d: ended with status 1; never delivered yet/);
  expect(again).toContain('The chain is broken: exec.prog could not deliver');
  const one = await shop.run('healthmon', 'alarm', 'test', '--json', 'hook');
  expect(`${out}${again}${one.out}${stateText(shop.state)}`).not.toMatch(/canary-secret|491701234567|15017122661/);
  expect([one.status, JSON.parse(one.out)]).toMatchObject([0, { channels: [{ channel: 'hook', delivered: true }] }]);
});

test.for([
  [['alarm', 'test', 'hok'], `no channel "hok" in alarms.cfg: did you mean 'hook'?`],
  [['alarm', 'lst'], `expected "test", "list" or "status", not "lst": did you mean 'list'?`],
  [['ack', '4711'], 'no alarm 4711 is open (none is open)'],
  [['ack', 'mmp/smux01'], 'expected the number of an alarm, or "all", not "mmp/smux01"; healthmon alarm list tells the numbers'],
  [['silence', 'mmp/smux01', '--reason', 'x'], 'a silence has an end: --until 2h, --until 06:30'],
  [['silence', 'mmp/smux01', '--until', '2h'], 'a silence has a reason: --reason "..."'],
  [['silence', 'mmp/smux09', '--until', '2h', '--reason', 'x'], 'no component "mmp/smux09" in site.cfg: did you mean'],
  [['silence', 'all', '--until', 'soon', '--reason', 'x'], 'expected a time such as 90m, 2h, 22:30'],
  [['silence', 'all', '--until', '90d', '--reason', 'x'], 'a silence lasts 31 days at most; for longer, change alarms.cfg'],
  [['silence', '--end', '7'], 'there is no silence 7; "healthmon silence" lists them'],
] as const)('healthmon %j is told what is wrong with it', async ([args, words]) => {
  const { status, out, err } = await shop.run('healthmon', ...args);
  expect([status, out]).toEqual([3, '']);
  expect(err).toContain(words);
});

test('a machine breaks: told once by cron runs, listed, taken on, silenced, and told when it is over; no secret is left anywhere', async () => {
  const receiver = await startReceiver();
  const run = (...args: string[]) => shop.run('healthmon', ...args);
  const seen: string[] = [];
  const round = async () => {
    const { out, err } = await shop.run('check_rndtrip', '--all');
    seen.push(out, err);
  };
  shop.write(
    'alarms.cfg',
    `${hook(receiver.url)}${NOTIFY}[heartbeat.outside]\nurl = "${receiver.url}/beat"\ntoken_file = "secrets/token"\n${ACCEPTED}`,
  );
  const broken = await shop.standin.breakIt('stopped', 'mmp/smux02 pop3');
  await round();
  expect(sent(receiver).map(({ headline }) => headline)).toEqual(['FAILED mmp/smux02 pop3 connect: connection refused']);
  expect(receiver.got.some(({ url }) => url === '/beat')).toBe(true);

  const listed = await run('alarm', 'list');
  expect(listed.status).toBe(2);
  expect(listed.out).toMatch(
    /^1 {2}FAILED {2}mmp\/smux02 pop3 connect: connection refused\n {4}since \d\d:\d\d \(\d+ s\), 1 path: /,
  );
  expect(listed.out).toContain('told: oncall; nobody has taken it on (healthmon ack 1)');
  expect((await run('ack', '1', '--by', 'jo', '--reason', 'on my way')).out).toBe(
    'alarm 1, mmp/smux02 pop3 connect: connection refused: taken on by jo\nNo reminders and no escalation until it is over or gets worse\n',
  );
  expect((await run('alarm', 'list')).out).toContain('told: oncall; taken on by jo: on my way');
  const silenced = await run('silence', 'mmp/*', '--until', '2h', '--reason', 'ticket 4711', '--by', 'jo');
  expect(silenced.out).toMatch(/^silence 1: nothing is told of mmp\/\* until .*\n {2}covers alarm 1, mmp\/smux02/);
  expect(JSON.parse((await run('alarm', 'list', '--json')).out)).toMatchObject([
    { alarm: 1, state: 'failed', component: 'mmp/smux02', ack: { by: 'jo', reason: 'on my way' }, silence: { id: 1, by: 'jo' } },
  ]);

  await broken.mend();
  await round();
  await round();
  expect(sent(receiver).length).toBe(1);
  expect((await run('silence', '--end', '1')).out).toContain('silence 1 on mmp/* has ended');
  expect((await run('silence')).out).toBe('Nothing is silenced\n');
  await round();
  expect(sent(receiver).map(({ headline }) => headline)[1]).toBe('CLEARED mmp/smux02 pop3 connect: connection refused');
  expect((await run('alarm', 'list')).out).toBe('No alarm is open\n');
  const status = await run('alarm', 'status', '--json');
  expect(JSON.parse(status.out)).toMatchObject({ well: true, heartbeats: [{ name: 'outside', broken: false }] });

  const records = journalDays(shop.state).flatMap(day => readJournal(shop.state, day).records);
  const kinds = records.flatMap(record => {
    if (record.type === 'ack' || record.type === 'silence') return [record.type];
    return record.type === 'notice' && record.what !== 'test' ? [`${record.what} ${record.to.join()}`.trim()] : [];
  });
  expect(kinds).toEqual(['raised oncall', 'ack', 'silence', 'cleared', 'silence', 'cleared oncall']);
  const beat = receiver.got.find(({ url }) => url === '/beat');
  expect(beat?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  const everything = [...seen, listed.out, status.out, stateText(shop.state)].join('\n');
  expect(everything).not.toMatch(/canary-secret/);
});

test('drill --with-alarms tells the chosen channel, marked as a drill, and its end; the alarms of the site know nothing of it', async () => {
  const receiver = await startReceiver();
  shop.write('alarms.cfg', hook(receiver.url) + NOTIFY);
  const drill = ['drill', 'stopped', '--at', 'mmp/smux02 pop3', '--with-alarms'];
  const { status, out } = await shop.run('healthmon', ...drill, 'hook');
  expect([status, out]).toEqual([0, expect.stringMatching(/\n {2}told: webhook\.hook delivered, answered 200, in \d+ ms\n/)]);
  expect(out).toMatch(/\n {2}told its end: webhook\.hook delivered/);
  expect(sent(receiver).map(({ headline }) => headline)).toEqual([
    'DRILL FAILED mmp/smux02 pop3 connect: connection refused',
    'DRILL CLEARED mmp/smux02 pop3 connect: connection refused',
  ]);
  const [first, second] = receiver.got.map(
    ({ body }) => (JSON.parse(body) as { notices: { key: string; next: string }[] }).notices[0],
  );
  expect(first?.key).toBe(second?.key);
  expect(first?.next).toBe('healthmon drill stopped --at "mmp/smux02 pop3"');
  expect((await shop.run('healthmon', 'alarm', 'list')).out).toBe('No alarm is open\n');
  const many = await shop.run('healthmon', 'drill', 'all', '--with-alarms', 'hook');
  expect([many.status, many.err]).toEqual([3, '--with-alarms rings for real: choose one fault, at one place\n']);
  const none = await shop.run('healthmon', ...drill, 'hok');
  expect([none.status, none.err]).toEqual([3, `no channel "hok" in alarms.cfg: did you mean 'hook'?\n`]);
});

test('while alarms.cfg has an error the last one without is used, and that is said', async () => {
  const receiver = await startReceiver();
  shop.write('alarms.cfg', hook(receiver.url) + NOTIFY);
  await shop.run('check_rndtrip', '--all');
  shop.write('alarms.cfg', `${hook(receiver.url) + NOTIFY}chanels = []\n`);
  const broken = await shop.standin.breakIt('stopped', 'mmp/smux01 imap');
  const { err } = await shop.run('check_rndtrip', '--all');
  await broken.mend();
  expect(err).toContain("has 1 error (line 7: unknown key 'chanels' in [notify.oncall]");
  expect(err).toContain('the last one without errors is used: healthmon config check');
  expect(sent(receiver).map(({ headline }) => headline)).toEqual(['FAILED mmp/smux01 imap connect: connection refused']);
});

test('while no channel takes it, an alarm is listed as one that has reached nobody; then as told', async () => {
  const receiver = await startReceiver({ answer: { status: 503 } });
  shop.write('alarms.cfg', `[alarms]\nwait = 1\ntogether = 0\n${hook(receiver.url)}${NOTIFY}`);
  shop.write('sequence.cfg', '00 DMSG -u ims1 -s ssmtp01 -p smux02 -m imap\n');
  const broken = await shop.standin.breakIt('stopped', 'mmp/smux02 imap');
  await shop.run('check_rndtrip', '--all');
  await broken.mend();
  const reached = async () => {
    const { out } = await shop.run('healthmon', 'alarm', 'list', '--json');
    const listed = JSON.parse(out) as { component: string; told: string[]; waiting: string[] }[];
    return listed.flatMap(({ component, told, waiting }) => (component === 'mmp/smux02' ? [told, waiting] : []));
  };
  expect(await reached()).toEqual([[], ['oncall']]);
  const { out } = await shop.run('healthmon', 'alarm', 'list');
  expect(out).toContain(
    'nobody has been told; not out yet: the message to oncall (healthmon alarm status); nobody has taken it on',
  );
  receiver.answer = { status: 200 };
  const withoutAPath = () => shop.run('check_rndtrip', '--at', '00:30');
  const next = async () => {
    await withoutAPath();
    return reached();
  };
  await expect.poll(next, { timeout: 15_000 }).toEqual([['oncall'], []]);
});
