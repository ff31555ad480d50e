// T1 to T20: the ways in which other monitors are silently green, or do harm. One named test each.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nagiosLine } from '../../lib/cli/view/nagios.ts';
import { NOT_VALID_YET } from '../../lib/dialog/tls.ts';
import type { Fault } from '../../lib/model/dialog.ts';
import { routeOf } from '../../lib/plan/route.ts';
import { localDay } from '../../lib/record/day.ts';
import { readJournal } from '../../lib/record/journal.ts';
import { Ledger, timeOfId } from '../../lib/record/ledger.ts';
import { parseSystest } from '../../lib/record/systest.ts';
import { TripLog } from '../../lib/trip/log.ts';
import { BOTH, foreign, openWorld, PATH, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.stop());

const rows = () => parseSystest(readFileSync(join(world.state, 'systest.log'), 'utf8')).days.flatMap(day => day.rows);
const inbox = () => world.standin.stores.get('ims1')?.mailbox('ims1');

for (const mailbox of BOTH) {
  test(`T1 ${mailbox}: a message that is lost is not made good by an earlier one in the box`, async () => {
    await world.one({ mailbox }, { keep: true });
    await world.standin.breakIt('lost', 'mta/ssmtp01');
    const record = await world.one({ mailbox });
    expect([record.verdict.state, record.trip.arrival.outcome]).toEqual(['failed', 'lost']);
  });

  test(`T2 ${mailbox}: the delay is that of this message, whatever else lies in the box`, async () => {
    await world.one({ mailbox }, { keep: true });
    inbox()?.append(foreign('newer than ours'));
    const record = await world.one({ mailbox });
    const { arrival, tookMs } = record.trip;
    expect(arrival.outcome).toBe('seen');
    if (arrival.outcome !== 'seen') return;
    expect(arrival.afterMs).toBeLessThanOrEqual(arrival.byMs);
    expect(arrival.byMs).toBeLessThan(tookMs);
  });

  test(`T12, T17, T18 ${mailbox}: other people's mail, older, newer and unseen, is as it was`, async () => {
    const box = inbox();
    box?.append(foreign('old one'), { internalDate: new Date(Date.now() - 40 * 86_400_000) });
    box?.append(foreign('flagged'), { flags: ['\\Flagged', '\\Seen'] });
    await world.one({ mailbox }, { onLeg: (_, leg) => void (leg === 'transit' && box?.append(foreign('came meanwhile'))) });
    box?.append(foreign('came after'));
    await world.one({ mailbox });
    expect(
      box?.messages.map(({ raw, flags }) => [
        /Subject: (.*)\r/.exec(raw.toString())?.[1],
        [...flags].filter(flag => flag !== '\\Recent').sort(),
      ]),
    ).toEqual([
      ['old one', []],
      ['flagged', ['\\Flagged', '\\Seen']],
      ['came meanwhile', []],
      ['came after', []],
    ]);
  });

  test(`T13 ${mailbox}: what a run that died has left is known by the next one, and removed`, async () => {
    const stop = new AbortController();
    await world.one({ mailbox }, { signal: stop.signal, onLeg: (_, leg) => void (leg === 'transit' && stop.abort()) });
    await expect.poll(() => world.mails('ims1').length).toBe(1);
    // The dead run's entry says until when it would have watched; that time is over.
    const ledger = new Ledger(world.state);
    for (const entry of ledger.open().entries) ledger.put({ ...entry, watchedUntil: 0 });
    await world.one({ mailbox });
    expect(world.mails('ims1')).toEqual([]);
    expect(readJournal(world.state, localDay(Date.now())).records.filter(({ type }) => type === 'amend')).toHaveLength(1);
  });

  test(`T14 ${mailbox}: foreign messages are never read, only header lines of new ones`, async () => {
    for (let n = 0; n < 30; n += 1) inbox()?.append(foreign(`letter ${n}`));
    await world.one({ mailbox }, { onLeg: (_, leg) => void (leg === 'transit' && inbox()?.append(foreign('new'))) });
    const said = world.standin.log.lines().filter(({ from, text }) => from === '>' && text.includes('private words'));
    expect(said).toEqual([]);
    const read = world.standin.log
      .lines('store/ims1')
      .filter(({ from, text }) => from === '<' && /^(RETR|.*BODY\.PEEK\[\]|.*RFC822 )/.test(text));
    expect(read).toHaveLength(1);
  });

  test(`T15 ${mailbox}: a clock that is off is named, and no time depends on it`, async () => {
    await world.standin.breakIt('clock-off', 'store/ims1', { ms: 90_000 });
    const record = await world.one({ mailbox });
    expect(record.verdict.state).toBe('ok');
    expect(record.trip.totalMs).toBeLessThan(2000);
    expect(record.trip.findings).toEqual([
      { what: 'skew', text: expect.stringMatching(/clock of ims1\.standin\.test is at least \d+ s ahead/) },
    ]);
    for (const hop of record.trip.hops) expect(hop.delayMs ?? 0).toBeGreaterThanOrEqual(0);
    const skewed = record.trip.hops.find(({ skewMs }) => skewMs !== undefined);
    expect(skewed).toMatchObject({ by: 'ims1.standin.test' });
    expect(skewed?.delayMs).toBeUndefined();
  });

  test(`T19 ${mailbox}: two copies end the wait like one, and the box is empty afterwards`, async () => {
    const broken = await world.standin.breakIt('twice', 'mta/ssmtp01');
    expect((await world.one({ mailbox })).trip.arrival.outcome).toBe('seen');
    expect((await world.one({ mailbox })).trip.arrival.outcome).toBe('seen');
    await broken.mend();
    await world.one({ mailbox });
    expect(world.mails('ims1')).toEqual([]);
  });

  test(`T20 ${mailbox}: mail under Junk is told where it is looked for: row, verdict and status`, async () => {
    await world.standin.breakIt('junked', 'store/ims1');
    const record = await world.one({ mailbox });
    expect(record.verdict.state).toBe('failed');
    expect(record.verdict.text).toContain('Junk');
    expect(rows().at(-1)?.error).toBe('ims1 in junk');
    expect(nagiosLine(record, world.standin.site.limits)).toMatch(/^CRITICAL - .*Junk/);
  });
}

// T3 (a child goes on after the time-out, with the password in its arguments): a trip starts no process and has no arguments; that
// its connections are gone with it is tested here.
test('T3: nothing goes on after a time-out', async () => {
  await world.standin.breakIt('frozen', 'mta/ssmtp01');
  const record = await world.one({});
  expect(record.trip.fault).toMatchObject({ kind: 'timeout', phase: 'banner' });
  const handles = process.getActiveResourcesInfo().filter(name => name === 'ProcessWrap');
  expect(handles).toEqual([]);
});

test('T4: a server that does not ask for the log-in that is configured is a fault, not a success', async () => {
  await world.stop();
  world = await openWorld({ auth: false });
  const mta = world.standin.site.mtas.get('ssmtp01');
  if (mta === undefined) throw new Error('no MTA');
  const smtp = { ...mta.smtp, login: { user: 'ims1', secret: async () => 'secret-word' } };
  const record = await world.one({}, { site: { ...world.standin.site, mtas: new Map([['ssmtp01', { ...mta, smtp }]]) } });
  expect(record.trip.fault).toMatchObject({ component: 'mta/ssmtp01', phase: 'auth', kind: 'missing' });
});

test('T5: an MTA that refuses from the first run on has its failed row from the first run on', async () => {
  await world.standin.breakIt('stopped', 'mta/ssmtp01');
  await world.one({});
  expect(rows()).toMatchObject([{ mta: 'ssmtp01', error: 'ssmtp01 connect' }]);
});

test('T6: an MTA that stops answering ends the trip by its limit, and the next trip starts fresh', async () => {
  const broken = await world.standin.breakIt('hangs-after-dot', 'mta/ssmtp01');
  const record = await world.one({});
  expect(record.verdict.state).toBe('failed');
  expect(record.trip.tookMs).toBeLessThan(6000);
  await broken.mend();
  expect((await world.one({})).verdict.state).toBe('ok');
});

// T7 (an interval that is left out means a flood): the sequence has minutes, not intervals; [site] interval has a default and is
// checked, which test/site shows.

test('T8: a path that failed has no time, in the table, the verdict and the performance data', async () => {
  await world.standin.breakIt('stopped', 'mta/ssmtp01');
  const record = await world.one({});
  expect(rows()[0]?.totalMs).toBeUndefined();
  expect(record.verdict.totalMs).toBeUndefined();
  expect(nagiosLine(record, world.standin.site.limits)).not.toMatch(/total=|submit=/);
});

test('T9: good and bad results of a path stand under the same path', async () => {
  await world.one({});
  await world.standin.breakIt('stopped', 'mmp/smux01 imap');
  await world.one({});
  const paths = readJournal(world.state, localDay(Date.now())).records.map(
    record => record.type === 'trip' && [record.trip.path, record.verdict.state],
  );
  expect(paths[0]?.[0 as never]).toEqual(paths[1]?.[0 as never]);
  expect(rows().map(({ error }) => error === '')).toEqual([true, false]);
});

test('T10: a path that hangs does not hold up or slow down the others', async () => {
  await world.standin.breakIt('frozen', 'mmp/smux02');
  const ended: string[] = [];
  const paths = ['smux02', 'smux01', 'smux01', 'smux01'].map((mmp, n) => ({
    account: n % 2 === 0 ? 'ims1' : 'ims2',
    mta: 'ssmtp01',
    mmp,
    mailbox: 'imap' as const,
  }));
  const records = await world.walk(paths, { onTrip: ({ trip }) => ended.push(trip.path.mmp) });
  expect(ended).toEqual(['smux01', 'smux01', 'smux01', 'smux02']);
  for (const { trip, verdict } of records.slice(1))
    expect([verdict.state, (trip.totalMs ?? Number.POSITIVE_INFINITY) < 1000]).toEqual(['ok', true]);
});

// T11 (settings that are documented and not used): a test in test/site changes every key and sees that the site changes.

for (const place of ['mta/ssmtp01', 'mmp/smux01 imap'] as const) {
  test(`T16: a dead ${place} is failed, never unknown`, async () => {
    await world.standin.breakIt('stopped', place);
    expect((await world.one({})).verdict.state).toBe('failed');
  });
}

test('T16b: a lost message is failed as soon as the limit has passed', async () => {
  await world.standin.breakIt('lost', 'mta/ssmtp01');
  const record = await world.one({});
  expect(record.verdict.state).toBe('failed');
  expect(record.trip.tookMs).toBeLessThan(world.standin.site.limits.deliverMs + 2500);
});

test('a process that was stopped while it waited does not blame the site, and says for how long', async () => {
  await world.standin.breakIt('lost', 'mta/ssmtp01');
  const stopped = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
  const record = await world.one({}, { onLeg: (_, leg) => void (leg === 'transit' && stopped()) });
  expect(record.verdict.state).toBe('unknown');
  expect(record.trip.fault).toMatchObject({ component: 'monitor', kind: 'local' });
  expect(record.verdict.text).toMatch(/this process was stopped for \d\.\d s/);
});

test("a certificate of tomorrow is our fault when the ledger has seen tomorrow, and the peer's when it has not", () => {
  const routed = routeOf(world.standin.site, PATH);
  if ('problem' in routed) throw new Error(routed.problem);
  const ledger = new Ledger(world.state);
  const tools = { ledger, signal: new AbortController().signal };
  const fault: Fault = {
    component: 'mmp/smux01',
    protocol: 'imap',
    phase: 'tls',
    kind: 'tls',
    text: `tls: ${NOT_VALID_YET}`,
    lasting: 'unknown',
  };
  const faultOf = () => {
    const log = new TripLog({ site: world.standin.site, route: routed.route }, tools);
    const { trip } = log.end({ outcome: 'unsent' }, fault);
    log.abandon();
    return trip.fault;
  };
  expect(faultOf()).toEqual(fault);
  const tomorrow = Date.now() + 86_400_000;
  const id = `${timeOfId(tomorrow)}${'a'.repeat(11)}`;
  const message = { id, messageId: `<${id}@x>`, from: 'a@b', to: 'a@b', envelopeFrom: 'a@b', subject: 's', bytes: 1 };
  ledger.put({ v: 1, message, path: PATH, state: 'gone', startedAt: tomorrow, watchedUntil: 0, bodyHash: '' });
  expect(faultOf()).toMatchObject({
    component: 'monitor',
    kind: 'local',
    text: expect.stringContaining('our own clock is behind'),
  });
});

test('what a certificate says is known after its key was looked at', async () => {
  const { trip } = await world.one({});
  const tls = trip.legs.flatMap(leg => leg.dialogs.map(({ facts }) => facts.tls));
  expect(tls.length).toBeGreaterThan(2);
  for (const facts of tls)
    expect(facts).toMatchObject({ subject: expect.stringContaining('.standin.test'), daysLeft: 364, verified: true });
});
