// Each channel against a server that checks what its service documents, answers as that does, and must not get more than is needed.

import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../../lib/alarm/channel.ts';
import type { Telling } from '../../lib/alarm/words/wording.ts';
import { authorityPem } from '../../lib/standin/network/certificates.ts';
import { bring, type Loaded, loaded } from './ready.ts';
import { type Answer, type Got, HOST, type Receiver, startProxy, startReceiver } from './receiver.ts';
import * as services from './services.ts';
import { TELLINGS } from './tellings.ts';

const NOTIFY = (name: string) => `[notify.oncall]\nchannels = ["${name}"]\n`;

/** A service: its section of alarms.cfg, its secrets, how it says yes, and what it documents. */
interface Service {
  readonly section: (url: string) => string;
  readonly secrets: (url: string) => Readonly<Record<string, string>>;
  readonly yes: Answer;
  readonly check: services.Check;
  /** Its own ways to say no, with what must be made of them. */
  readonly no?: readonly (readonly [Answer, Partial<Outcome>, RegExp])[];
  readonly takes?: 'each';
}

const retry = (seconds: number, body = ''): Answer => ({ status: 429, headers: { 'Retry-After': String(seconds) }, body });
const AC = `AC${'a'.repeat(32)}`;

const SERVICES: Readonly<Record<string, Service>> = {
  webhook: {
    section: url =>
      `[webhook.x]\nurl = "${url}/hook?key=url-secret"\nkey_file = "secrets/key"\nauthorization_file = "secrets/auth"\n`,
    secrets: () => ({ 'secrets/key': services.KEY, 'secrets/auth': 'Bearer auth-secret' }),
    yes: { status: 204 },
    check: services.webhook,
    no: [
      [{ status: 410, body: 'gone for good' }, { result: 'failed', again: 'never' }, /^answered 410$/],
      [{ status: 503, headers: { 'Retry-After': '7' } }, { result: 'failed', again: 'soon', afterMs: 7000 }, /^answered 503$/],
    ],
  },
  slack: {
    section: () => '[slack.x]\nurl_file = "secrets/url"\n',
    secrets: url => ({ 'secrets/url': `${url}/services/T000/B000/slack-secret` }),
    yes: { status: 200, body: 'ok' },
    check: services.slack,
    no: [
      [{ status: 404, body: 'channel_not_found' }, { result: 'failed', again: 'never' }, /^answered 404: channel_not_found$/],
      [{ status: 410, body: 'channel_is_archived' }, { result: 'failed', again: 'never' }, /channel_is_archived/],
      [{ status: 403, body: '<html>long page</html>' }, { result: 'failed', again: 'never' }, /^answered 403$/],
    ],
  },
  teams: {
    section: () => '[teams.x]\nurl_file = "secrets/url"\n',
    secrets: url => ({ 'secrets/url': `${url}/workflows/abc/triggers/manual/paths/invoke?sig=teams-secret` }),
    yes: { status: 202 },
    check: services.teams,
    no: [
      [{ status: 400, body: '{"error":{"code":"x","message":"Bad card"}}' }, { result: 'failed', again: 'never' }, /Bad card/],
      [
        { status: 200, body: 'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429' },
        { result: 'failed', again: 'soon' },
        /429/,
      ],
      [{ status: 200, body: 'Webhook message delivery failed with error: 403' }, { result: 'failed', again: 'never' }, /failed/],
    ],
  },
  mattermost: {
    section: () => '[mattermost.x]\nurl_file = "secrets/url"\nchannel = "ops"\n',
    secrets: url => ({ 'secrets/url': `${url}/hooks/mattermost-secret` }),
    yes: { status: 200, body: 'ok' },
    check: services.mattermost,
    no: [
      [
        { status: 400, body: '{"id":"x","message":"Invalid webhook."}' },
        { result: 'failed', again: 'never' },
        /Invalid webhook\./,
      ],
    ],
  },
  discord: {
    section: () => '[discord.x]\nurl_file = "secrets/url"\n',
    secrets: url => ({ 'secrets/url': `${url}/api/webhooks/1/discord-secret?thread_id=5` }),
    yes: { status: 200, body: '{"id":"1"}' },
    check: services.discord,
    no: [
      [
        { status: 429, body: '{"message":"You are being rate limited.","retry_after":1.5,"global":false}' },
        { result: 'failed', again: 'soon', afterMs: 1500 },
        /rate limited/,
      ],
      [
        { status: 404, body: '{"message":"Unknown Webhook","code":10015}' },
        { result: 'failed', again: 'never' },
        /Unknown Webhook/,
      ],
    ],
  },
  telegram: {
    section: url => `[telegram.x]\ntoken_file = "secrets/token"\nchat = "-1001234567890"\nurl = "${url}"\ntopic = "42"\n`,
    secrets: () => ({ 'secrets/token': '123:telegram-secret' }),
    yes: { status: 200, body: '{"ok":true,"result":{}}' },
    check: services.telegram,
    no: [
      [
        {
          status: 429,
          body: '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 9","parameters":{"retry_after":9}}',
        },
        { result: 'failed', again: 'soon', afterMs: 9000 },
        /Too Many Requests/,
      ],
      [
        { status: 403, body: '{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked from the group chat"}' },
        { result: 'failed', again: 'never' },
        /kicked/,
      ],
    ],
  },
  pagerduty: {
    section: url => `[pagerduty.x]\nrouting_key_file = "secrets/key"\nurl = "${url}/v2/enqueue"\n`,
    secrets: () => ({ 'secrets/key': 'pagerduty-secret-of-32-characte.' }),
    yes: { status: 202, body: '{"status":"success","message":"Event processed","dedup_key":"x"}' },
    check: services.pagerduty,
    takes: 'each',
    no: [
      [
        {
          status: 400,
          body: '{"status":"invalid event","message":"Event object is invalid","errors":["Length of \'routing_key\' is incorrect"]}',
        },
        { result: 'failed', again: 'never' },
        /Event object is invalid: Length of 'routing_key'/,
      ],
      [{ status: 429, body: '' }, { result: 'failed', again: 'soon' }, /429/],
      [
        { status: 400, body: '{"message":"no such key","errors":["pagerduty-secret-of-32-characte."]}' },
        { result: 'failed', again: 'never' },
        /^answered 400: no such key: \*\*\*$/,
      ],
    ],
  },
  opsgenie: {
    section: url => `[opsgenie.x]\nkey_file = "secrets/key"\nurl = "${url}"\n`,
    secrets: () => ({ 'secrets/key': 'opsgenie-secret' }),
    yes: { status: 202, body: '{"result":"Request will be processed","requestId":"x"}' },
    check: services.opsgenie,
    takes: 'each',
    no: [
      [
        { status: 422, body: '{"message":"Request body is not processable."}' },
        { result: 'failed', again: 'never' },
        /not processable/,
      ],
      [{ status: 401, body: '{"message":"Could not authenticate"}' }, { result: 'failed', again: 'never' }, /authenticate/],
    ],
  },
  alertmanager: {
    section: url => `[alertmanager.x]\nurl = "${url.replace('://', '://am-user:am-secret@')}"\n`,
    secrets: () => ({}),
    yes: { status: 200 },
    check: services.alertmanager,
    no: [
      [
        { status: 400, body: '"start time must be before end time"\n' },
        { result: 'failed', again: 'never' },
        /start time must be before end time/,
      ],
    ],
  },
  ntfy: {
    section: url => `[ntfy.x]\ntopic_file = "secrets/topic"\ntoken_file = "secrets/token"\nurl = "${url}"\n`,
    secrets: () => ({ 'secrets/topic': 'ntfy-secret-topic', 'secrets/token': 'tk_secret' }),
    yes: { status: 200, body: '{"id":"x"}' },
    check: services.ntfy,
    no: [
      [
        { status: 429, body: '{"code":42901,"http":429,"error":"limit reached: too many requests"}' },
        { result: 'failed', again: 'soon' },
        /limit reached/,
      ],
      [{ status: 403, body: '{"code":40301,"http":403,"error":"forbidden"}' }, { result: 'failed', again: 'never' }, /forbidden/],
    ],
  },
  pushover: {
    section: url =>
      `[pushover.x]\ntoken_file = "secrets/token"\nuser_file = "secrets/user"\nemergency = true\nurl = "${url}/1/messages.json"\n`,
    secrets: () => ({ 'secrets/token': 'a-pushover-secret-token-of-30.', 'secrets/user': 'a-pushover-secret-user-key-30.' }),
    yes: { status: 200, body: '{"status":1,"request":"x"}' },
    check: services.pushover,
    no: [
      [
        { status: 400, body: '{"user":"invalid","errors":["user identifier is invalid"],"status":0}' },
        { result: 'failed', again: 'never' },
        /user identifier is invalid/,
      ],
      [
        { status: 429, body: '{"errors":["application is over its quota"],"status":0}' },
        { result: 'failed', again: 'never' },
        /quota of this month/,
      ],
      [{ status: 500 }, { result: 'failed', again: 'soon' }, /500/],
    ],
  },
  icinga: {
    section: url => `[icinga.x]\nurl = "${url}"\nuser = "healthmon"\npassword_file = "secrets/password"\nhost = "mail"\n`,
    secrets: () => ({ 'secrets/password': 'icinga-password' }),
    yes: { status: 200, body: '{"results":[{"code":200,"status":"Successfully processed check result"}]}' },
    check: services.icinga,
    no: [
      [
        { status: 404, body: '{"error":404,"status":"No objects found."}' },
        { result: 'failed', again: 'never' },
        /no service healthmon on host mail/,
      ],
      [{ status: 401 }, { result: 'failed', again: 'never' }, /401/],
    ],
  },
  twilio: {
    section: url =>
      `[twilio.x]\naccount = "${AC}"\ntoken_file = "secrets/token"\nto = "+491701234567"\nfrom = "+15017122661"\nurl = "${url}"\n`,
    secrets: () => ({ 'secrets/token': 'twilio-secret' }),
    yes: { status: 201, body: '{"sid":"SM1","status":"queued"}' },
    check: services.twilio,
    no: [
      [
        { status: 400, body: '{"code":21211,"message":"Invalid \'To\' Phone Number: +491701234567","status":400}' },
        { result: 'failed', again: 'never' },
        /^answered 400, code 21211: the number in "to" is not valid$/,
      ],
      [
        { status: 401, body: '{"code":20003,"message":"Authenticate","status":401}' },
        { result: 'failed', again: 'never' },
        /log-in refused/,
      ],
      [
        { status: 400, body: '{"code":99999,"message":"New","status":400}' },
        { result: 'failed', again: 'never' },
        /errors\/99999/,
      ],
      [
        retry(3, '{"code":20429,"message":"Too Many Requests","status":429}'),
        { result: 'failed', again: 'soon', afterMs: 3000 },
        /429/,
      ],
      [{ status: 503, body: '<html>' }, { result: 'failed', again: 'soon' }, /503/],
    ],
  },
  sms: {
    section: url =>
      `[sms.x]\nurl = "${url}/send?to={to}&text={text}&key={secret}"\nto = "+491701234567"\nsecret_file = "secrets/sms"\nexpect = "OK"\n`,
    secrets: () => ({ 'secrets/sms': 'sms secret&x' }),
    yes: { status: 200, body: 'OK 17' },
    check: got => {
      const query = new URL(got.url, 'http://x').searchParams;
      const wrong = query.get('to') !== '+491701234567' || query.get('key') !== 'sms secret&x' || [...query.keys()].length !== 3;
      return got.method !== 'GET' || wrong || (query.get('text') ?? '').length > 160 ? [got.url] : [];
    },
    no: [[{ status: 200, body: 'ERR 100: no credit' }, { result: 'failed', again: 'never' }, /without "OK" in it/]],
  },
};

const SECRET = /secret|\+?491701234567|15017122661|a-pushover|icinga-password/;

async function started(name: string, answer?: Answer): Promise<{ receiver: Receiver; service: Service } & Loaded> {
  const service = SERVICES[name];
  if (service === undefined) throw new Error(name);
  const receiver = await startReceiver({ answer: answer ?? service.yes });
  const made = await loaded(service.section(receiver.url) + NOTIFY('x'), service.secrets(receiver.url));
  return { receiver, service, ...made };
}

/** As dispatch does it: whole, or each notice by itself. */
async function bringAll({ channel }: Loaded, telling: Telling): Promise<Outcome[]> {
  if (channel.takes === 'all') return [await bring(channel, telling)];
  const outcomes: Outcome[] = [];
  for (const notice of telling.notices) outcomes.push(await bring(channel, { ...telling, notices: [notice] }));
  return outcomes;
}

const NAMES = Object.keys(SERVICES);

test.for(NAMES.flatMap(name => Object.keys(TELLINGS).map(telling => [name, telling] as const)))(
  '%s: %s is sent as the service documents, and taken',
  async ([name, which]) => {
    const world = await started(name);
    const telling = TELLINGS[which];
    if (telling === undefined) throw new Error(which);
    const outcomes = await bringAll(world, telling);
    expect(outcomes.map(({ result }) => result)).toEqual(outcomes.map(() => 'delivered'));
    expect(world.receiver.got.length).toBe(world.service.takes === 'each' ? telling.notices.length : 1);
    for (const got of world.receiver.got) expect(world.service.check(got)).toEqual([]);
    for (const { text } of outcomes) expect(text).not.toMatch(SECRET);
  },
);

test.for(NAMES.flatMap(name => (SERVICES[name]?.no ?? []).map((_, index) => [name, index] as const)))(
  '%s: its own way to say no (%d) is understood',
  async ([name, index]) => {
    const [answer, wanted, words] = SERVICES[name]?.no?.[index] ?? [];
    const world = await started(name, answer);
    const telling = TELLINGS.raised;
    if (telling === undefined || wanted === undefined || words === undefined) throw new Error(name);
    const outcome = await bring(world.channel, telling);
    expect(outcome).toMatchObject(wanted);
    expect(outcome.text).toMatch(words);
    expect(outcome.text).not.toMatch(SECRET);
    expect(world.receiver.got.length).toBe(1);
  },
);

test.for(NAMES)(
  '%s: asked to wait, slow, redirecting, dead or talking nonsense, it is an outcome and never an error',
  async name => {
    const telling = TELLINGS.raised;
    if (telling === undefined) throw new Error(name);
    const world = await started(name, retry(30));
    const tellIt = () => bring(world.channel, telling);
    const limited = await tellIt();
    if (name !== 'pushover') expect(limited).toMatchObject({ result: 'failed', again: 'soon', afterMs: 30_000 });
    world.receiver.answer = { status: 302, headers: { Location: 'https://elsewhere.test/' } };
    const moved = await tellIt();
    expect(moved).toMatchObject({ result: 'failed', again: 'never' });
    world.receiver.answer = { act: (_, socket) => socket.destroy() };
    expect((await tellIt()).result).toBe('unsure');
    world.receiver.answer = { act: (_, socket) => socket.end('\x00\x01garbage\r\n\r\n') };
    expect((await tellIt()).result).toBe('unsure');
    await world.receiver.stop();
    const dead = await tellIt();
    expect(dead).toMatchObject({ result: 'failed', again: 'soon', text: 'connection refused' });
    for (const { text } of [limited, moved, dead]) expect(text).not.toMatch(SECRET);
  },
);

test.for(NAMES)('%s: a secret that cannot be had is our own fault, is told by its file, and is tried again', async name => {
  const service = SERVICES[name];
  const telling = TELLINGS.raised;
  if (service === undefined || telling === undefined) throw new Error(name);
  const receiver = await startReceiver({ answer: service.yes });
  const files = Object.keys(service.secrets(receiver.url));
  if (files.length === 0) return;
  const { channel } = await loaded(service.section(receiver.url) + NOTIFY('x'), {});
  const outcome = await bring(channel, telling);
  expect(outcome).toMatchObject({ result: 'failed', again: 'soon' });
  expect(outcome.text).toMatch(/^Cannot read secret file .*: no such file$/);
  expect(receiver.got).toEqual([]);
});

test('an alarm that is raised and cleared is one incident, opened and closed, for services that keep incidents', async () => {
  for (const [name, keyOf, isEnd] of [
    [
      'pagerduty',
      (body: Record<string, string>) => body.dedup_key,
      (body: Record<string, string>) => body.event_action === 'resolve',
    ],
    [
      'opsgenie',
      (body: Record<string, string>, url: string) => body.alias ?? decodeURIComponent(url.split('/')[3] ?? ''),
      (_: Record<string, string>, url: string) => url.includes('/close'),
    ],
  ] as const) {
    const world = await started(name);
    for (const which of ['raised', 'reminder', 'cleared']) await bringAll(world, TELLINGS[which] as Telling);
    const bodies = world.receiver.got.map(({ body, url }) => [JSON.parse(body) as Record<string, string>, url] as const);
    expect(new Set(bodies.map(([body, url]) => keyOf(body, url))).size).toBe(1);
    expect(bodies.map(([body, url]) => isEnd(body, url))).toEqual([false, false, true]);
  }
});

test.for([
  ['webhook', ({ headers, body }) => [headers['webhook-id'], (JSON.parse(body) as { id: string }).id]],
  ['ntfy', ({ body }) => (JSON.parse(body) as { sequence_id: string }).sequence_id],
  ['pagerduty', ({ body }) => (JSON.parse(body) as { dedup_key: string }).dedup_key],
  ['opsgenie', ({ body }) => (JSON.parse(body) as { alias: string }).alias],
  ['alertmanager', ({ body }) => (JSON.parse(body) as { labels: unknown }[]).map(({ labels }) => labels)],
] as const satisfies readonly (readonly [string, (got: Got) => unknown])[])(
  '%s: a repeat carries what its service tells repeats by',
  async ([name, keyOf]) => {
    const world = await started(name);
    await bring(world.channel, TELLINGS.raised as Telling, [], { id: 'a1b2c3d4-4711' });
    await bring(world.channel, TELLINGS.repeat as Telling, [], { id: 'a1b2c3d4-4711' });
    const [first, second] = world.receiver.got.map(got => keyOf(got));
    expect(first).toBeDefined();
    expect(second).toEqual(first);
  },
);

test('what says yes by its status is known to be taken before the body has come, and stays so however that ends', async () => {
  const byStatus: string[] = [];
  for (const name of NAMES) {
    const world = await started(name);
    let finish = () => {};
    world.receiver.answer = {
      act: (_, socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"half": ');
        finish = () => socket.destroy();
      },
    };
    const events: string[] = [];
    const outcome = await bring(world.channel, TELLINGS.raised as Telling, [], {
      onTaken: text => {
        events.push(text);
        finish();
      },
    });
    if (events.length === 0) continue;
    byStatus.push(name);
    expect([name, events, outcome.result]).toEqual([name, ['answered 200'], 'delivered']);
  }
  // The others tell in words whether they have it.
  expect(NAMES.filter(name => !byStatus.includes(name))).toEqual(['teams', 'icinga', 'sms']);
});

test('what says no by its status is never known to be taken', async () => {
  for (const name of NAMES) {
    const world = await started(name, { status: 500, body: 'HTTP/1.1 200 OK' });
    const events: string[] = [];
    await bring(world.channel, TELLINGS.raised as Telling, [], { onTaken: text => events.push(text) });
    expect([name, events]).toEqual([name, []]);
  }
});

test('Alertmanager gets one alert per alarm with the same labels throughout, and the other severity ended when that changes', async () => {
  const world = await started('alertmanager');
  for (const which of ['raised', 'reminder', 'cleared', 'changed-severity'])
    await bring(world.channel, TELLINGS[which] as Telling);
  const sent = world.receiver.got.map(({ body }) => JSON.parse(body) as { labels: Record<string, string>; endsAt: string }[]);
  const [raised, reminder, cleared, changed] = sent;
  expect(raised?.[0]?.labels).toEqual({
    alertname: 'healthmon',
    site: 'Example Mail',
    component: 'mmp/smux02',
    phase: 'connect',
    severity: 'failed',
    alarm: 'a1b2c3d4-1-1',
  });
  expect(reminder?.[0]?.labels).toEqual(raised?.[0]?.labels);
  expect(cleared?.[0]?.labels).toEqual(raised?.[0]?.labels);
  expect(Date.parse(raised?.[0]?.endsAt ?? '') - Date.now()).toBeGreaterThan(24 * 3_600_000);
  expect(Date.parse(cleared?.[0]?.endsAt ?? '')).toBeLessThanOrEqual(Date.now());
  expect(changed?.map(({ labels, endsAt }) => [labels.severity, Date.parse(endsAt) > Date.now()])).toEqual([
    ['failed', true],
    ['slow', false],
  ]);
});

test('Icinga and Nagios show the worst alarm that is open, whatever the message is about', async () => {
  const world = await started('icinga');
  const open = [
    { alarm: 3, severity: 'slow', title: 'mta/a smtp data: slow' },
    { alarm: 4, severity: 'failed', title: 'mmp/b pop3 connect: refused | x' },
  ] as const;
  await bring(world.channel, TELLINGS.cleared as Telling, open);
  await bring(world.channel, TELLINGS.cleared as Telling, []);
  await bring(world.channel, TELLINGS.test as Telling, open.slice(0, 1));
  const sent = world.receiver.got.map(({ body }) => JSON.parse(body) as { exit_status: number; plugin_output: string });
  expect(sent.map(({ exit_status }) => exit_status)).toEqual([2, 0, 1]);
  expect(sent[0]?.plugin_output).toBe('CRITICAL - mta/a smtp data: slow (alarm 3); mmp/b pop3 connect: refused   x (alarm 4)');
  expect(sent[1]?.plugin_output).toBe('OK - CLEARED mmp/smux02 pop3 connect: connection refused');
});

test('Pushover rings for failures that are new, and not for reminders and ends', async () => {
  const world = await started('pushover');
  for (const which of ['raised', 'reminder', 'cleared', 'blind']) await bring(world.channel, TELLINGS[which] as Telling);
  expect(world.receiver.got.map(({ body }) => new URLSearchParams(body).get('priority'))).toEqual(['2', '1', '0', '0']);
});

test('twilio: a messaging service in place of a number, an API key in place of the token', async () => {
  const receiver = await startReceiver({ answer: { status: 201, body: '{"sid":"SM1","status":"accepted"}' } });
  const MG = `MG${'b'.repeat(32)}`;
  const SK = `SK${'c'.repeat(32)}`;
  const section = `[twilio.x]\naccount = "${AC}"\napi_key = "${SK}"\ntoken_file = "secrets/t"\nto = "+491701234567"\nmessaging_service = "${MG}"\nurl = "${receiver.url}"\n`;
  const { channel } = await loaded(section + NOTIFY('x'), { 'secrets/t': 'key-secret' });
  expect(await bring(channel, TELLINGS.raised as Telling)).toEqual({ result: 'delivered', text: 'Twilio has it (accepted)' });
  const [got] = receiver.got;
  expect(got?.headers.authorization).toBe(`Basic ${Buffer.from(`${SK}:key-secret`).toString('base64')}`);
  expect(new URLSearchParams(got?.body).get('MessagingServiceSid')).toBe(MG);
  expect(got === undefined ? ['none'] : services.twilio(got)).toEqual([]);
});

test('sms: a body of JSON, form or text is escaped for what it is', async () => {
  const receiver = await startReceiver();
  const hostile = TELLINGS.hostile as Telling;
  for (const [type, body, read] of [
    ['application/json', '{\\"to\\": \\"{to}\\", \\"text\\": \\"{text}\\"}', (text: string) => JSON.parse(text).text],
    ['application/x-www-form-urlencoded', 'n={to}&m={text}', (text: string) => new URLSearchParams(text).get('m')],
    ['text/plain', '{text}', (text: string) => text],
  ] as const) {
    const { channel } = await loaded(
      `[sms.x]\nurl = "${receiver.url}/"\nto = "0170 1234567"\ncontent_type = "${type}"\nbody = "${body}"\n${NOTIFY('x')}`,
    );
    expect((await bring(channel, hostile)).result).toBe('delivered');
    const got = receiver.got.at(-1);
    expect(got?.headers['content-type']).toBe(type);
    expect(read(got?.body ?? '')).toMatch(/^FAILED Example Mail: mmp\/smux01 .*<!channel> @everyone/);
  }
});

test('certificates are checked against ca_file, and proxies of the environment are used', async () => {
  const receiver = await startReceiver({ tls: 'good', answer: { status: 202 } });
  const section = `[webhook.x]\nurl = "https://${HOST}:${receiver.port}/"\nca_file = "ca.pem"\n${NOTIFY('x')}`;
  const files = { 'ca.pem': authorityPem() };
  expect(await bring((await loaded(section, files)).channel, TELLINGS.raised as Telling)).toMatchObject({ result: 'delivered' });
  const strict = await loaded(section.replace('ca_file = "ca.pem"\n', ''));
  expect(await bring(strict.channel, TELLINGS.raised as Telling)).toMatchObject({ result: 'failed', again: 'soon' });
  const proxy = await startProxy();
  const viaProxy = await loaded(section, files, { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` });
  expect(await bring(viaProxy.channel, TELLINGS.raised as Telling)).toMatchObject({ result: 'delivered' });
  expect(proxy.asked.length).toBe(1);
});

/** A program in a folder that only we can write to. */
function program(dir: string, name: string, script: string): string {
  mkdirSync(join(dir, 'bin'), { recursive: true, mode: 0o700 });
  const file = join(dir, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  return file;
}

test('exec: the message on standard input and in the environment, nothing of ours beside it', async () => {
  process.env.HEALTHMON_TEST_CANARY = 'canary-secret';
  onTestFinished(() => {
    delete process.env.HEALTHMON_TEST_CANARY;
  });
  const made = await loaded(`[exec.x]\ncommand = ["{dir}/bin/page", "{short}", "a b", "$(id)", "{text}"]\n${NOTIFY('x')}`);
  program(made.dir, 'page', `cat > ${made.dir}/stdin; env > ${made.dir}/env; printf '%s\\n' "$@" > ${made.dir}/args`);
  expect(await bring(made.channel, TELLINGS.hostile as Telling)).toEqual({ result: 'delivered', text: 'ended with status 0' });
  const form = JSON.parse(readFileSync(join(made.dir, 'stdin'), 'utf8')) as { version: number; short: string; text: string };
  expect(form.version).toBe(1);
  const env = readFileSync(join(made.dir, 'env'), 'utf8');
  expect(env).toContain(`HEALTHMON_SHORT=${form.short}`);
  expect(env).toContain('HEALTHMON_SEVERITY=failed');
  expect(env).not.toContain('canary-secret');
  expect(readFileSync(join(made.dir, 'args'), 'utf8')).toBe(`${form.short}\na b\n$(id)\n${form.text}\n`);
});

test.for([
  ['exit 75', { result: 'failed', again: 'soon' }, /^ended with status 75$/],
  ['echo no credit >&2; exit 2', { result: 'failed', again: 'never' }, /^ended with status 2: no credit$/],
  ['kill -9 $$', { result: 'unsure' }, /ended by SIGKILL/],
  ['sleep 30', { result: 'unsure' }, /not done in 1 s/],
  ['yes | head -c 10000000; exit 3', { result: 'failed', again: 'never' }, /^ended with status 3: y/],
  ['sleep 30 & exit 0', { result: 'delivered' }, /status 0/],
] as const)('exec: a program that does %s', async ([script, wanted, words]) => {
  const made = await loaded(`[exec.x]\ncommand = ["{dir}/bin/page"]\ntimeout = 1\n${NOTIFY('x')}`);
  program(made.dir, 'page', script);
  const began = performance.now();
  const outcome = await bring(made.channel, TELLINGS.raised as Telling);
  expect(performance.now() - began).toBeLessThan(2500);
  expect(outcome).toMatchObject(wanted);
  expect(outcome.text).toMatch(words);
});

test('exec: a program that others could have changed is not run', async () => {
  const made = await loaded(`[exec.x]\ncommand = ["{dir}/bin/page"]\n${NOTIFY('x')}`);
  const file = program(made.dir, 'page', 'exit 0');
  chmodSync(file, 0o722);
  expect(await bring(made.channel, TELLINGS.raised as Telling)).toMatchObject({
    result: 'failed',
    again: 'never',
    text: expect.stringContaining('chmod go-w'),
  });
  chmodSync(file, 0o700);
  chmodSync(join(made.dir, 'bin'), 0o777);
  expect(await bring(made.channel, TELLINGS.raised as Telling)).toMatchObject({ result: 'failed', again: 'never' });
  const missing = await loaded(`[exec.x]\ncommand = ["no-such-program"]\n${NOTIFY('x')}`);
  expect(await bring(missing.channel, TELLINGS.raised as Telling)).toMatchObject({
    result: 'failed',
    again: 'never',
    text: 'there is no program no-such-program',
  });
});

test('log: a line for each notice, or an object, and no line is made by what a peer says', async () => {
  const made = await loaded(`[log.x]\nfile = "sub/alarm.log"\n${NOTIFY('x')}`);
  for (const which of ['raised', 'cleared', 'hostile', 'test']) await bring(made.channel, TELLINGS[which] as Telling);
  const lines = readFileSync(join(made.dir, 'sub', 'alarm.log'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(lines.map(line => line.slice(20, 60))).toEqual([
    'FAILED mmp/smux02 pop3 connect: connecti',
    'CLEARED mmp/smux02 pop3 connect: connect',
    'FAILED mmp/smux01 pop3 connect: connecti',
    'TEST this is a test of the alarm chain, ',
  ]);
  expect(statSync(join(made.dir, 'sub', 'alarm.log')).mode & 0o777).toBe(0o640);
  const json = await loaded(`[log.x]\njson = true\n${NOTIFY('x')}`);
  await bring(json.channel, TELLINGS.raised as Telling);
  expect(JSON.parse(readFileSync(join(json.dir, 'alarm.log'), 'utf8'))).toMatchObject({
    what: 'raised',
    component: 'mmp/smux02',
  });
  const blocked = await loaded(`[log.x]\nfile = "/dev/full"\n${NOTIFY('x')}`);
  expect(await bring(blocked.channel, TELLINGS.raised as Telling)).toMatchObject({ result: 'failed', again: 'soon' });
});

test('syslog: to this machine by logger, with facility and severity', async () => {
  const made = await loaded(`[syslog.x]\nfacility = "mail"\n${NOTIFY('x')}`);
  const path = process.env.PATH;
  onTestFinished(() => {
    process.env.PATH = path;
  });
  program(made.dir, 'logger', `(echo "$@"; cat) > ${made.dir}/logged`);
  process.env.PATH = `${join(made.dir, 'bin')}:${path}`;
  expect(await bring(made.channel, TELLINGS.raised as Telling)).toEqual({ result: 'delivered', text: 'given to logger' });
  expect(readFileSync(join(made.dir, 'logged'), 'utf8')).toMatch(
    /^-t healthmon -p mail\.crit\nFAILED mmp\/smux02 .*; trip \S+\n$/,
  );
});

test('syslog: to a server by UDP, as RFC 5424 says', async () => {
  const server = createSocket('udp4');
  onTestFinished(() => void server.close());
  const packets: string[] = [];
  server.on('message', packet => packets.push(packet.toString('utf8')));
  await new Promise<void>(done => server.bind(0, '127.0.0.1', () => done()));
  const made = await loaded(
    `[syslog.x]\nhost = "127.0.0.1"\nport = ${server.address().port}\nfacility = "local3"\n${NOTIFY('x')}`,
  );
  expect(await bring(made.channel, TELLINGS.cleared as Telling)).toMatchObject({ result: 'delivered' });
  await expect.poll(() => packets.length).toBe(1);
  // local3 is 19, notice is 5
  expect(packets[0]).toMatch(/^<157>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ healthmon \d+ cleared - CLEARED mmp\/smux02 /);
});

test('nagios: one line into the command file, and a pipe that nobody reads holds nobody up', async () => {
  const made = await loaded(`[nagios.x]\ncommand_file = "{dir}/cmd"\nhost = "mail"\n${NOTIFY('x')}`);
  expect(await bring(made.channel, TELLINGS.raised as Telling)).toMatchObject({ result: 'failed', again: 'soon' });
  execFileSync('mkfifo', [join(made.dir, 'cmd')]);
  expect(await bring(made.channel, TELLINGS.raised as Telling)).toMatchObject({
    result: 'failed',
    again: 'soon',
    text: expect.stringContaining('does Nagios run?'),
  });
  const reader = await open(join(made.dir, 'cmd'), 'r+');
  onTestFinished(() => reader.close());
  const alarms = [{ alarm: 1, severity: 'failed', title: 'mmp/a; pop3' }] as const;
  expect(await bring(made.channel, TELLINGS.raised as Telling, alarms)).toMatchObject({ result: 'delivered' });
  const { buffer, bytesRead } = await reader.read(Buffer.alloc(4096));
  expect(buffer.toString('utf8', 0, bytesRead)).toMatch(
    /^\[\d{10}\] PROCESS_SERVICE_CHECK_RESULT;mail;healthmon;2;CRITICAL - mmp\/a, pop3 \(alarm 1\)\n$/,
  );
  writeFileSync(join(made.dir, 'plain'), '');
  const plain = await loaded(`[nagios.x]\ncommand_file = "${join(made.dir, 'plain')}"\nhost = "mail"\n${NOTIFY('x')}`);
  expect(await bring(plain.channel, TELLINGS.raised as Telling)).toMatchObject({ result: 'failed', again: 'never' });
});
