// Nights on call, on a clock that the test moves: how many messages, to whom, and none lost.

import { afterEach, expect, test } from 'vitest';
import type { Outcome } from '../../lib/alarm/channel.ts';
import { transact } from '../../lib/alarm/send/outbox.ts';
import { acknowledge } from '../../lib/alarm/when/silence.ts';
import type { VerdictRecord } from '../../lib/model/record.ts';
import type { Path } from '../../lib/model/trip.ts';
import { HOUR, LONE, MINUTE, machines, Night, ONE, path, TAKES, USUAL } from './night.ts';

const zone = process.env.TZ;
afterEach(() => {
  process.env.TZ = zone;
});

const paths = (count: number, mmps = 4): Path[] =>
  Array.from({ length: count }, (_, n) =>
    path(`ims${(n % 4) + 1}`, `ssmtp0${(n % 4) + 1}`, `smux0${(Math.floor(n / 4) % mmps) + 1}`, n % 2 === 0 ? 'pop3' : 'imap'),
  );

test('a dead MMP: told once, the next person after a quarter of an hour, reminded, told of the end', async () => {
  const night = await Night.begin(USUAL);
  const from = night.at;
  for (let minute = 0; minute < 150; minute += 5) {
    const isDown = minute >= 10 && minute < 100;
    const over = path('ims1', 'ssmtp01', 'smux02', minute % 10 === 0 ? 'pop3' : 'imap');
    await night.round(night.trip(over, isDown ? {} : undefined));
    night.pass(5 * MINUTE);
  }
  expect(night.news(from)).toEqual([
    '15 pager FAILED mmp/smux02 pop3+imap connect: connection refused',
    '30 bosspager FAILED mmp/smux02 pop3+imap connect: connection refused',
    '75 pager STILL FAILED mmp/smux02 pop3+imap connect: connection refused',
    '90 bosspager STILL FAILED mmp/smux02 pop3+imap connect: connection refused',
    '105 pager CLEARED mmp/smux02 pop3+imap connect: connection refused',
    '105 bosspager CLEARED mmp/smux02 pop3+imap connect: connection refused',
  ]);
  expect(night.said).toEqual([]);
});

test.for([
  ['every ten minutes', 10, 10, 12],
  ['every twenty minutes', 20, 20, 12],
  ['every three quarters of an hour', 45, 45, 12],
  ['down for five minutes of each hour', 5, 55, 12],
] as const)('a flapping MMP for a day (%s): at most twelve messages', async ([, down, up, most]) => {
  const night = await Night.begin(ONE);
  const from = night.at;
  for (let minute = 0; minute < 26 * 60; minute += 5) {
    const isDown = minute < 24 * 60 && minute % (down + up) < down;
    await night.round(...[1, 2].map(n => night.trip(path(`ims${n}`), isDown ? {} : undefined)));
    night.pass(5 * MINUTE);
  }
  const news = night.news(from);
  expect(news.filter(text => text.includes('FLAPPING') && !text.includes('STILL')).length).toBeLessThanOrEqual(1);
  expect(news.at(-1)).toContain('CLEARED');
  expect(news.length).toBeLessThanOrEqual(most);
  console.log(`      flapping, ${down} min down and ${up} min up: ${news.length} messages in a day`);
});

test('200 paths over one machine fail at once: one message, and one more in the first hour', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  for (let minute = 0; minute < 61; minute += 5) {
    await night.round(
      ...Array.from({ length: 200 }, (_, n) =>
        night.trip(path(`ims${(n % 4) + 1}`, `ssmtp0${(n % 4) + 1}`, 'smux02', n % 2 === 0 ? 'pop3' : 'imap'), {}),
      ),
    );
    night.pass(5 * MINUTE);
  }
  expect(night.news(from)).toEqual([
    '0 pager FAILED mmp/smux02 pop3+imap connect: connection refused',
    '60 pager STILL FAILED mmp/smux02 pop3+imap connect: connection refused',
  ]);
});

const BIG = `[site]\nname = "Big"\ndomain = "example.com"\n${machines(20, 20, 20)}`;
const two = (n: number) => String(n).padStart(2, '0');
const bigPath = (n: number): Path =>
  path(`ims${(n % 20) + 1}`, `ssmtp${two((n % 19) + 1)}`, `smux${two((Math.floor(n / 10) % 20) + 1)}`);

test('200 paths over twenty machines fail at once: one message that counts them', async () => {
  const night = await Night.begin(LONE, { site: BIG });
  const from = night.at;
  for (let minute = 0; minute < 60; minute += 5) {
    await night.round(...Array.from({ length: 200 }, (_, n) => night.trip(bigPath(n), {})));
    night.pass(5 * MINUTE);
  }
  const news = night.news(from);
  expect(news).toEqual(['0 pager 20 alarms: 20 failed']);
});

test('200 paths over twenty machines fail in one round, told as a round does it: the first at once, all others in one message more', async () => {
  const night = await Night.begin(LONE, { site: BIG });
  const from = night.at;
  for (let minute = 0; minute < 60; minute += 5) {
    night.to(from, minute);
    const trips = Array.from({ length: 200 }, (_, n) => night.trip(bigPath(n), { confidence: 'sure' }));
    await night.round(...trips.slice(0, 1));
    night.pass(20_000);
    await night.round(...trips.slice(1));
  }
  expect(night.brought.map(({ at, headline }) => `${(at - from) / 1000} ${headline}`)).toEqual([
    '0 FAILED mmp/smux01 pop3 connect: connection refused',
    '20 19 alarms: 19 failed',
  ]);
});

test('200 paths over twenty machines fail one after the other, within an hour: at most three messages in it', async () => {
  const night = await Night.begin(LONE, { site: BIG });
  const from = night.at;
  for (let n = 0; n < 200; n += 1) {
    await night.round(night.trip(bigPath(n), {}));
    night.pass(18_000);
  }
  const first = night.brought.filter(({ at }) => at - from < HOUR);
  console.log(`      a site that dies bit by bit within an hour: ${first.length} messages in it`);
  expect(first.length).toBeLessThanOrEqual(3);
  for (let minute = 0; minute < 30; minute += 5) {
    await night.tell();
    night.pass(5 * MINUTE);
  }
  const told = new Set(night.brought.flatMap(({ parcel }) => parcel.notices.map(({ component }) => component)));
  expect(told.size).toBe(20);
});

test('200 paths fail at once, and our resolver with them: one message, that the monitor is blind', async () => {
  const night = await Night.begin(LONE, { site: BIG });
  const from = night.at;
  night.own = { resolver: 'fails', gateway: 'works' };
  for (let minute = 0; minute < 60; minute += 5) {
    await night.round(...Array.from({ length: 200 }, (_, n) => night.trip(bigPath(n), { phase: 'resolve', kind: 'name' })));
    night.pass(5 * MINUTE);
  }
  night.own = { resolver: 'works', gateway: 'works' };
  await night.round(...Array.from({ length: 200 }, (_, n) => night.trip(bigPath(n))));
  expect(night.news(from)).toEqual([
    '0 pager UNKNOWN the monitor is blind: our own resolver does not answer',
    '60 pager CLEARED the monitor is blind: our own resolver does not answer',
  ]);
});

test('our resolver dies in the middle of a round, told as a round does it: one message, that the monitor is blind', async () => {
  const night = await Night.begin(LONE, { site: BIG });
  const from = night.at;
  const fault = { phase: 'resolve', kind: 'name', confidence: 'sure' } as const;
  const trips = (first: number, last: number, blame?: typeof fault) =>
    Array.from({ length: last - first }, (_, n) => night.trip(bigPath(first + n), blame));
  await night.round(...trips(0, 200));
  night.to(from, 5);
  night.own = { resolver: 'fails', gateway: 'works' };
  await night.round(...trips(0, 150), ...trips(150, 151, fault));
  night.pass(20_000);
  await night.round(...trips(151, 200, fault));
  for (let minute = 10; minute < 60; minute += 5) {
    night.to(from, minute);
    await night.round(...trips(0, 200, fault));
  }
  night.own = { resolver: 'works', gateway: 'works' };
  for (const minute of [60, 65]) {
    night.to(from, minute);
    await night.round(...trips(0, 200));
  }
  expect(night.news(from)).toEqual([
    '5 pager UNKNOWN the monitor is blind: our own resolver does not answer',
    '60 pager CLEARED the monitor is blind: our own resolver does not answer',
  ]);
});

const FAILS = {
  'times out': { result: 'unsure', text: 'no answer within 10 s' },
  'says 429': { result: 'failed', text: 'answered 429', again: 'soon', afterMs: 120_000 },
  'says 500': { result: 'failed', text: 'answered 500', again: 'soon' },
  'answers nonsense': { result: 'failed', text: 'its answer is not HTTP', again: 'soon' },
  'has a wrong token': { result: 'failed', text: 'answered 401', again: 'never' },
} as const satisfies Record<string, Outcome>;

test.for(Object.entries(FAILS))('a channel that %s: the next one brings it, in the same run', async ([name, outcome]) => {
  const night = await Night.begin(ONE);
  const from = night.at;
  night.scripts.set('pager', () => outcome);
  await night.round(night.trip(path(), { confidence: 'sure' }));
  const sms = night.brought.filter(({ channel }) => channel === 'sms');
  expect(sms.map(({ headline }) => headline)).toEqual(['FAILED mmp/smux01 pop3 connect: connection refused']);
  expect((sms[0]?.at ?? 0) - from).toBeLessThanOrEqual(20_000);
  expect(night.kept().messages).toEqual([]);
  const attempts = night.journal().flatMap(record => (record.type === 'delivery' ? [`${record.channel} ${record.outcome}`] : []));
  const tries = outcome.result === 'failed' && outcome.again === 'soon' && outcome !== FAILS['says 429'] ? 3 : 1;
  expect(attempts).toEqual([...Array.from({ length: tries }, () => `pager ${outcome.result}`), 'sms delivered']);
  console.log(`      a channel that ${name}: ${attempts.length} attempts, delivered after ${(sms[0]?.at ?? 0) - from} ms`);
});

test('a service that asks us to wait is given its time, when it is the only one', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  night.scripts.set('pager', (_, at) => (at - from < 120_000 ? FAILS['says 429'] : { result: 'delivered', text: 'ok' }));
  await night.round(night.trip(path(), { confidence: 'sure' }));
  expect(night.brought).toEqual([]);
  for (let minute = 1; minute < 4; minute += 1) {
    night.to(from, minute);
    await night.tell();
  }
  expect(night.news(from)).toEqual(['2 pager FAILED mmp/smux01 pop3 connect: connection refused']);
});

test('both channels down for two hours and back: nothing lost, nothing doubled, one message that says what is true', async () => {
  const night = await Night.begin(ONE);
  const from = night.at;
  const isDown = (at: number) => at - from < 2 * HOUR;
  for (const name of ['pager', 'sms'])
    night.scripts.set(name, (parcel, at) => (isDown(at) ? FAILS['says 500'] : TAKES(parcel, at)));
  const down = (minute: number) =>
    new Set([...(minute < 150 ? [1] : []), ...(minute >= 30 && minute < 60 ? [2] : []), ...(minute >= 90 ? [3] : [])]);
  for (let minute = 0; minute < 180; minute += 5) {
    night.to(from, minute);
    const broken = down(minute);
    await night.round(
      ...[1, 2, 3, 4].map(n =>
        night.trip(path('ims1', 'ssmtp01', `smux0${n}`), broken.has(n) ? { confidence: 'sure' } : undefined),
      ),
    );
  }
  const [first, ...later] = night.brought;
  // smux02 was down and up again while nobody could be reached: its end says that it was.
  expect(first?.parcel.notices.map(({ what, component, untold }) => `${what} ${component} ${untold ?? ''}`.trim())).toEqual([
    'raised mmp/smux01',
    'raised mmp/smux03',
    'cleared mmp/smux02 true',
  ]);
  expect((first?.at ?? 0) - from).toBeLessThanOrEqual(2 * HOUR + 16 * MINUTE);
  expect(later.map(({ headline }) => headline)).toEqual([
    'STILL FAILED mmp/smux03 pop3 connect: connection refused',
    'CLEARED mmp/smux01 pop3 connect: connection refused',
  ]);
  expect(night.kept().messages).toEqual([]);
  const raised = night
    .journal()
    .flatMap(record => (record.type === 'notice' && record.what === 'raised' ? [record.component] : []));
  expect(raised).toEqual(['mmp/smux01', 'mmp/smux02', 'mmp/smux03']);
});

test('what is over while its notice still waits is told as one: it was, and it is over', async () => {
  const night = await Night.begin(ONE);
  const from = night.at;
  night.scripts.set('pager', () => FAILS['says 500']);
  night.scripts.set('sms', () => FAILS['says 500']);
  await night.round(night.trip(path(), { confidence: 'sure' }));
  night.to(from, 5);
  night.scripts.set('sms', TAKES);
  await night.round(night.trip(path()), night.trip(path()));
  const [message, ...more] = night.brought;
  expect(more).toEqual([]);
  expect(message?.parcel.notices.map(({ what, untold }) => [what, untold])).toEqual([['cleared', true]]);
  expect(message?.parcel.heldBack).toBe(1);
});

test('a message that may have arrived three times is not sent a fourth time', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  night.scripts.set('pager', () => FAILS['times out']);
  await night.round(night.trip(path(), { confidence: 'sure' }));
  for (let minute = 1; minute < 50; minute += 1) {
    night.to(from, minute);
    await night.tell();
  }
  expect(night.brought.length).toBe(3);
  expect(new Set(night.brought.map(({ id }) => id)).size).toBe(1);
  expect(night.journal().some(record => record.type === 'delivery' && record.outcome === 'given up')).toBe(true);
});

test('the cap of a channel holds back what is more, says so, and one message tells how much it was', async () => {
  const night = await Night.begin('[alarms]\ntogether = 0\n[log.pager]\ncap = 4\n[notify.oncall]\nchannels = ["pager"]\n', {
    site: BIG,
  });
  const from = night.at;
  for (let minute = 0; minute < 130; minute += 5) {
    night.to(from, minute);
    const over = bigPath(minute * 2);
    await night.round(...(minute < 100 ? [night.trip(over, { confidence: 'sure' })] : []));
  }
  const firstHour = night.brought.filter(({ at }) => at - from < HOUR);
  expect(firstHour.length).toBe(4);
  expect(firstHour[3]?.parcel.lastUntil).toBe(from + HOUR);
  expect(firstHour.slice(0, 3).every(({ parcel }) => parcel.lastUntil === undefined)).toBe(true);
  const next = night.brought[4];
  expect(next?.at).toBe(from + HOUR);
  expect(next?.parcel.notices.length).toBeGreaterThan(5);
  const told = new Set(night.brought.flatMap(({ parcel }) => parcel.notices.map(({ component }) => component)));
  expect(told.size).toBe(20);
  for (let hour = 0; hour < 2; hour += 1)
    expect(
      night.brought.filter(({ at }) => at - from >= hour * HOUR && at - from < (hour + 1) * HOUR).length,
    ).toBeLessThanOrEqual(4);
});

test.for([
  ['three hours ahead', 3 * HOUR],
  ['three hours back', -3 * HOUR],
  ['forty days ahead', 40 * 24 * HOUR],
  ['to 1970', -Date.UTC(2026, 10, 22, 2)],
] as const)('a clock that is set %s raises nothing, ends nothing and repeats nothing', async ([, jump]) => {
  const night = await Night.begin(USUAL);
  await night.round(night.trip(path('ims2', 'ssmtp02', 'smux02'), { confidence: 'sure' }));
  night.pass(5 * MINUTE);
  // One failure that is not yet an alarm: it must not become one because hours seem to have gone by.
  await night.round(night.trip(path('ims1', 'ssmtp01', 'smux01'), {}));
  night.brought.length = 0;
  night.pass(1 * MINUTE);
  night.at += jump;
  const from = night.at;
  await night.tell();
  night.pass(4 * MINUTE);
  await night.round(night.trip(path('ims3', 'ssmtp03', 'smux03')));
  expect(night.news(from)).toEqual([]);
  for (let minute = 5; minute < 60; minute += 5) {
    night.pass(5 * MINUTE);
    await night.tell();
  }
  const news = night.news(from).filter(text => text.includes('smux02'));
  expect(news).toEqual([
    '9 bosspager FAILED mmp/smux02 pop3 connect: connection refused',
    '54 pager STILL FAILED mmp/smux02 pop3 connect: connection refused',
  ]);
});

test('both nights on which the clock is set: quiet hours by the wall, one canary a day, reminders by what has passed', async () => {
  process.env.TZ = 'Europe/Berlin';
  const config = `[alarms]\ncanary = "02:30"\n[log.pager]\n[log.calm]\n[notify.oncall]\nchannels = ["pager"]\n[notify.office]\nchannels = ["calm"]\nquiet = ["22:00-07:00"]\n`;
  for (const begin of ['2026-10-24T18:00:00Z', '2027-03-27T18:00:00Z']) {
    const night = await Night.begin(config, { at: Date.parse(begin) });
    await night.round(night.trip(path()));
    for (let minute = 0; minute < 40 * 60; minute += 5) {
      night.pass(5 * MINUTE);
      const isDown = minute >= 4 * 60;
      await night.round(...(minute % 60 === 0 ? [night.trip(path(), isDown ? { confidence: 'sure' } : undefined)] : []));
    }
    const canaries = night.brought.filter(({ channel, headline }) => channel === 'pager' && headline.startsWith('CANARY'));
    expect(canaries.map(({ at }) => new Date(at).toLocaleDateString('sv'))).toEqual([
      ...new Set(canaries.map(({ at }) => new Date(at).toLocaleDateString('sv'))),
    ]);
    expect(canaries.length).toBe(2);
    const kept = night.journal().filter(record => record.type === 'notice' && record.what === 'canary');
    expect(kept).toMatchObject([{ to: ['pager', 'calm'] }, { to: ['pager', 'calm'] }]);
    const calm = night.brought.find(({ channel, headline }) => channel === 'calm' && headline.startsWith('FAILED'));
    expect(new Date(calm?.at ?? 0).toLocaleTimeString('sv')).toBe('07:00:00');
    const oncall = night.brought.filter(({ channel, headline }) => channel === 'pager' && !headline.startsWith('CANARY'));
    expect(oncall.slice(0, 4).map(({ at }) => (at - (oncall[0]?.at ?? 0)) / HOUR)).toEqual([0, 1, 3, 7]);
  }
});

test('a directory that is down: one message, and the log-ins that it breaks stay silent', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  for (let minute = 0; minute < 30; minute += 5) {
    await night.round(
      night.trip(path('ims1'), { component: 'directory/ldap1', phase: 'bind', kind: 'timeout', confidence: 'sure' }),
      ...paths(12).map(each => night.trip(each, { phase: 'auth', kind: 'rejected' })),
    );
    night.pass(5 * MINUTE);
  }
  expect(night.news(from)).toEqual(['0 pager FAILED directory/ldap1 pop3 bind: no answer in time']);
  expect(night.brought).toEqual([]);
});

test('what a person tries by hand raises nothing and ends nothing', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  await night.round(...[1, 2, 3].map(() => night.trip(path(), { confidence: 'sure' }, 'runmonitor')));
  expect(night.news(from)).toEqual([]);
  await night.round(night.trip(path(), { confidence: 'sure' }));
  await night.round(...[1, 2, 3].map(() => night.trip(path(), undefined, 'runmonitor')));
  expect(night.news(from)).toEqual(['0 pager FAILED mmp/smux01 pop3 connect: connection refused']);
});

test('runs that find another one stuck raise an alarm about ourselves, and the first that measures ends it', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  const why = 'Another check_rndtrip (process 17) is under way since 2026-11-22 02:00:00';
  for (let minute = 0; minute < 20; minute += 5) {
    night.write({ v: 1, at: night.at, type: 'skip', by: 'check_rndtrip', why, paths: [path()] });
    await night.tell();
    night.pass(5 * MINUTE);
  }
  await night.round(night.trip(path()));
  night.pass(5 * MINUTE);
  await night.round(night.trip(path()));
  expect(night.news(from)).toEqual([
    '10 pager UNKNOWN the monitor cannot measure: its own state',
    '25 pager CLEARED the monitor cannot measure: its own state',
  ]);
});

const EVIDENCE: VerdictRecord['evidence'] = {
  scene: {
    mta: 'mta/ssmtp01',
    mtaMembers: [],
    mmp: 'mmp/smux01',
    mmpMembers: [],
    store: 'store/ims1',
    account: 'account/ims1',
    filters: [],
    needs: {},
    nameServers: [],
  },
  knocks: [],
  siblings: [],
  usual: [],
  absences: [],
  tookMs: 35_000,
};

test('a verdict that is weighed again after the alarm has gone out leads to one message that says what changed', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  const over = path();
  const first = night.trip(over, { component: 'mta/ssmtp01', phase: 'banner', kind: 'timeout', confidence: 'sure' });
  await night.round(first, night.trip(path('ims2'), { component: 'mta/ssmtp01', phase: 'banner', kind: 'timeout' }));
  night.pass(MINUTE);
  const suspect = {
    component: 'directory/ldap1',
    protocol: 'ldap',
    phase: 'bind',
    kind: 'timeout',
    confidence: 'likely',
    why: ['it answers (banner) after 30.0 s'],
  } as const;
  night.write({
    v: 1,
    at: night.at,
    type: 'verdict',
    trip: first.trip.id,
    path: over,
    verdict: { state: 'failed', suspects: [suspect], text: 'directory/ldap1 ldap bind', short: 'ldap1 bind' },
    evidence: EVIDENCE,
    text: 'it answers (banner) after 30.0 s',
  });
  await night.tell();
  await night.tell();
  expect(night.brought.map(({ parcel }) => parcel.notices.map(({ was, words }) => [was, words]))).toEqual([
    [[undefined, 'refused the connection']],
    [['mta/ssmtp01 banner', 'it answers (banner) after 30.0 s']],
  ]);
  expect(night.news(from)).toEqual([
    '0 pager FAILED mta/ssmtp01 pop3 banner: no answer in time',
    '1 pager CHANGED, FAILED directory/ldap1 ldap bind: no answer in time',
  ]);
});

test('an ack, a silence and the next person, each command and each run a process of its own on one state folder', async () => {
  const night = await Night.begin(USUAL);
  const from = night.at;
  const bad = () => night.trip(path(), { confidence: 'sure' });
  const ack = (by: string) =>
    transact(night.state, night.alarms.keepMs, before => {
      const gate = acknowledge(before.gate, 1, { by, at: night.at, until: night.at + 30 * MINUTE });
      if (gate === undefined) throw new Error('no alarm 1');
      return { state: { ...before, gate }, result: undefined };
    });
  const silence = (until: number) =>
    transact(night.state, night.alarms.keepMs, before => ({
      state: { ...before, silences: [{ id: 1, what: 'mmp/*', by: 'jo', reason: 'x', at: night.at, until }] },
      result: undefined,
    }));
  await night.round(bad());
  night.to(from, 10);
  await ack('jo');
  for (let minute = 11; minute < 40; minute += 1) {
    night.to(from, minute);
    await night.tell();
  }
  expect(night.news(from)).toEqual(['0 pager FAILED mmp/smux01 pop3 connect: connection refused']);
  // The ack has ended without an end of the trouble: the next person is told.
  night.to(from, 41);
  await night.round(bad());
  expect(night.news(from)).toEqual(['41 bosspager FAILED mmp/smux01 pop3 connect: connection refused']);
  await silence(from + 180 * MINUTE);
  for (let minute = 42; minute < 180; minute += 2) {
    night.to(from, minute);
    await night.round(...(minute % 10 === 0 ? [bad()] : []));
  }
  expect(night.news(from)).toEqual([]);
  night.to(from, 181);
  await night.tell();
  expect(night.news(from)).toEqual([
    '181 pager STILL FAILED mmp/smux01 pop3 connect: connection refused',
    '181 bosspager STILL FAILED mmp/smux01 pop3 connect: connection refused',
  ]);
});

test('trips that could not be written to the journal count all the same, once', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  const trips = [night.trip(path(), {}), night.trip(path('ims2'), {})];
  await night.tell(trips);
  night.write(...trips);
  await night.tell();
  expect(night.kept().gate.alarms[0]?.count).toEqual({ results: 2, bad: 2 });
  expect(night.news(from)).toEqual(['0 pager FAILED mmp/smux01 pop3 connect: connection refused']);
});
