// The sign of life: when there is one to give, how each watcher gets it, and that a live process with dead results gives none.

import { expect, test } from 'vitest';
import type { Message } from '../../lib/alarm/send/message.ts';
import { type GateState, NO_ALARMS } from '../../lib/alarm/when/alarm.ts';
import { beatRequest, judgeBeat, type Pulse, pulseOf } from '../../lib/alarm/when/heartbeat.ts';
import { pathKey, pathText } from '../../lib/model/trip.ts';
import { HOUR, MINUTE, Night, path } from './night.ts';
import { startReceiver } from './receiver.ts';

const AT = Date.UTC(2026, 10, 22, 2);
const EXPECTED = [
  { subject: 'a', label: 'path a', periodMs: HOUR },
  { subject: 'b', label: 'path b', periodMs: HOUR },
];

function pulse(latest: GateState['latest'], messages: readonly Message[] = [], freshMs?: number): Pulse {
  return pulseOf(EXPECTED, { latest, alarms: NO_ALARMS.alarms }, messages, { freshMs, at: AT });
}

const seen = (minutes: number, state: 'ok' | 'failed' | 'unknown' = 'ok') => ({ at: AT - minutes * MINUTE, state });
const waiting = (minutes: number, more: Partial<Message> = {}): Message => ({
  id: 'x-1',
  to: 'oncall',
  channels: ['pager'],
  notices: [],
  decidedAt: AT - minutes * MINUTE,
  heldBack: 0,
  next: { channel: 0, tried: 0, round: 0, at: AT },
  attempts: 3,
  done: [],
  ...more,
});

test('there is life while every path has a fresh result, good or bad; it carries the age of the oldest', () => {
  expect(pulse({ a: seen(10), b: seen(70, 'failed') })).toEqual({
    alive: true,
    oldestMs: 70 * MINUTE,
    oldest: 'path b',
    paths: 2,
    open: 0,
  });
});

test.for<
  readonly [name: string, latest: GateState['latest'], messages: readonly Message[], freshMs: number | undefined, why: string]
>([
  ['a path was never measured', { a: seen(1) }, [], undefined, 'path b has no result yet'],
  [
    'a result is older than one and a half rounds',
    { a: seen(1), b: seen(106) },
    [],
    undefined,
    'the newest result of path b is 106 min old',
  ],
  [
    'a result is older than "fresh" allows',
    { a: seen(1), b: seen(31) },
    [],
    30 * MINUTE,
    'the newest result of path b is 31 min old',
  ],
  [
    'a path could not be measured',
    { a: seen(1), b: seen(1, 'unknown') },
    [],
    undefined,
    'path b could not be measured, through a fault of our own',
  ],
  [
    'notices cannot be delivered',
    { a: seen(1), b: seen(1) },
    [waiting(11)],
    undefined,
    '1 message could not be delivered for 11 min',
  ],
])('there is none when %s', ([, latest, messages, freshMs, why]) => {
  expect(pulse(latest, messages, freshMs)).toEqual({ alive: false, why });
});

test('a test that waits, and what a cap holds back, are no sign of a broken chain', () => {
  const latest = { a: seen(1), b: seen(1) };
  expect(pulse(latest, [waiting(60, { isTest: true }), waiting(60, { isCapped: true }), waiting(5)]).alive).toBe(true);
});

test('on a mail host that walks no paths there is life while its checks are looked at', () => {
  const host = (lookedAt?: number) => pulseOf([], NO_ALARMS, [], { freshMs: undefined, lookedAt, at: AT });
  expect(host()).toEqual({ alive: false, why: 'sequence.cfg has no entries, and no check has looked at this host' });
  expect(host(AT - 16 * MINUTE)).toEqual({ alive: false, why: 'the newest look at this host is 16 min old' });
  const life = host(AT - 5 * MINUTE);
  expect(life).toEqual({ alive: true, oldestMs: 5 * MINUTE, oldest: 'this host', paths: 0, open: 0 });
  if (!life.alive) return;
  const { body } = beatRequest('healthchecks', life, 'mx1', { url: 'https://example.net/', token: undefined, at: AT });
  expect(body).toBe('mx1: looked at, the oldest result is 5 min old (this host), 0 alarms open');
});

test('a look at a host goes into the heartbeat, whatever it finds', async () => {
  const receiver = await startReceiver({ answer: { status: 200, body: 'OK' } });
  const night = await Night.begin(
    `[log.pager]\n[notify.oncall]\nchannels = ["pager"]\n[heartbeat.outside]\nurl = "${receiver.url}/ping"\n`,
  );
  await night.tell();
  expect(receiver.got).toEqual([]);
  const reading = { host: 'mx1', startedAt: night.at, level: 'ok', checks: [] } as const;
  night.write({ v: 1, at: night.at, type: 'reading', by: 'hostcheck', reading });
  await night.tell();
  expect(receiver.got.map(({ body }) => body)).toEqual([
    'Example Mail: looked at, the oldest result is 0 s old (this host), 0 alarms open',
  ]);
});

const LIFE = { alive: true, oldestMs: 90_000, oldest: 'ims1 via ssmtp01', paths: 12, open: 1 } as const;
const TEXT = 'Example Mail: 12 paths measured, the oldest result is 90 s old (ims1 via ssmtp01), 1 alarm open';

test('each kind of watcher gets it as it documents', () => {
  const request = (form: Parameters<typeof beatRequest>[0], url: string, token?: string) =>
    beatRequest(form, LIFE, 'Example Mail', { url, token, at: AT });
  // https://healthchecks.io/docs/http_api/: POST, the body is kept with the ping.
  expect(request('healthchecks', 'https://hc-ping.com/uuid')).toEqual({
    method: 'POST',
    url: 'https://hc-ping.com/uuid',
    body: TEXT,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  });
  // Uptime Kuma, push monitor: GET with status, msg and ping, beside what the address has already.
  const kuma = new URL(request('kuma', 'https://kuma.example.net/api/push/abc?status=down&msg=x&ping=').url);
  expect(Object.fromEntries(kuma.searchParams)).toEqual({ status: 'up', msg: TEXT, ping: '90000' });
  // Gatus, external endpoints: POST .../external?success=true&duration=..., bearer token.
  const gatus = request('gatus', 'https://gatus.example.net/api/v1/endpoints/mail_monitor/external', 't0ken');
  expect([gatus.method, new URL(gatus.url).search, gatus.headers?.Authorization]).toEqual([
    'POST',
    '?success=true&duration=90000ms',
    'Bearer t0ken',
  ]);
  expect(JSON.parse(request('json', 'https://example.net/').body ?? '')).toEqual({
    version: 1,
    site: 'Example Mail',
    at: '2026-11-22T02:00:00.000Z',
    oldestResultSeconds: 90,
    oldestResult: 'ims1 via ssmtp01',
    paths: 12,
    openAlarms: 1,
    text: TEXT,
  });
});

test('a watcher that says 200 and means no is understood', () => {
  const reply = (status: number, body: string) => ({ came: 'reply', status, body }) as const;
  expect(judgeBeat('healthchecks', reply(200, 'OK')).result).toBe('delivered');
  expect(judgeBeat('healthchecks', reply(200, 'OK (not found)'))).toMatchObject({
    result: 'failed',
    text: 'answered 200: not found',
  });
  expect(judgeBeat('kuma', reply(200, '{"ok":true}')).result).toBe('delivered');
  expect(judgeBeat('kuma', reply(404, '{"ok":false,"msg":"Monitor not found or not active."}'))).toMatchObject({
    result: 'failed',
    text: 'answered 404: Monitor not found or not active.',
  });
  expect(judgeBeat('gatus', reply(401, '')).result).toBe('failed');
});

test('a heartbeat goes out with the runs, stays away while results are old though runs go on, and comes back', async () => {
  const receiver = await startReceiver({ answer: { status: 200, body: 'OK' } });
  const night = await Night.begin(
    `[log.pager]\n[notify.oncall]\nchannels = ["pager"]\n[heartbeat.outside]\nurl = "${receiver.url}/ping"\nevery = 5\nfresh = 20\n`,
  );
  const over = path();
  night.expected = [{ subject: pathKey(over), label: pathText(over), periodMs: HOUR }];
  const beats: number[] = [];
  const from = night.at;
  const minutes = async (count: number, isMeasured: boolean) => {
    for (let n = 0; n < count; n += 1) {
      const before = receiver.got.length;
      await night.round(...(isMeasured ? [night.trip(over)] : []));
      if (receiver.got.length > before) beats.push((night.at - from) / MINUTE);
      night.pass(MINUTE);
    }
  };
  await minutes(30, true);
  expect(beats.splice(0)).toEqual([0, 5, 10, 15, 20, 25]);
  // The process runs each minute, and measures nothing.
  await minutes(60, false);
  expect(beats.splice(0)).toEqual([30, 35, 40, 45]);
  expect(night.kept().beats.outside?.text).toMatch(/^not sent: the newest result of .* is \d+ min old$/);
  await minutes(6, true);
  expect(beats).toEqual([90, 95]);
  expect(receiver.got.at(-1)?.body).toContain('1 path measured, the oldest result is 0 s old');
});

test('a heartbeat that the watcher does not take is noted, without its address, and disturbs nothing', async () => {
  const receiver = await startReceiver({ answer: { status: 404, body: 'not found' } });
  const night = await Night.begin(
    `[log.pager]\n[notify.oncall]\nchannels = ["pager"]\n[heartbeat.outside]\nurl = "${receiver.url}/canary-secret"\n`,
  );
  const over = path();
  night.expected = [{ subject: pathKey(over), label: pathText(over), periodMs: HOUR }];
  await night.round(night.trip(over, { confidence: 'sure' }));
  expect(night.news(night.at)).toEqual(['0 pager FAILED mmp/smux01 pop3 connect: connection refused']);
  const { failedAt, text } = night.kept().beats.outside ?? {};
  expect([failedAt, text]).toEqual([night.at, 'answered 404']);
  await receiver.stop();
  night.pass(6 * MINUTE);
  await night.tell();
  expect(night.kept().beats.outside?.text).toBe('connection refused');
  expect(JSON.stringify(night.kept())).not.toContain('canary-secret');
});
