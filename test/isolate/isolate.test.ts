// How isolation goes about it: what it must not do, what it says of maintenance, of several faults at once, of ourselves; and that a
// verdict can be weighed again from the journal.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { weigh } from '../../lib/isolate/weigh.ts';
import type { TripRecord } from '../../lib/model/record.ts';
import { localDay } from '../../lib/record/day.ts';
import { putDrain } from '../../lib/record/drain.ts';
import { readJournal } from '../../lib/record/journal.ts';
import type { StandinOptions } from '../../lib/standin/options.ts';
import { openWorld, type World } from '../story/world.ts';

const OPTIONS: StandinOptions = { filter: true, directories: 2, nameServer: true, balancers: true, limits: { isolateMs: 3000 } };
let world: World;
beforeEach(async () => {
  world = await openWorld(OPTIONS);
});
afterEach(() => world.stop());

const named = ({ verdict }: TripRecord) => verdict.suspects.map(({ component }) => component);
const today = () => readJournal(world.state, localDay(Date.now())).records;

test('two unrelated faults at once are reported as two', async () => {
  await world.standin.breakIt('stopped', 'mta/ssmtp01');
  await world.standin.breakIt('stopped', 'mmp/smux01 pop3');
  const record = await world.one({});
  expect(record.verdict.suspects.map(({ component, protocol, fault }) => [component, protocol, fault ?? 0])).toEqual([
    ['mta/ssmtp01', 'smtp', 0],
    ['mmp/smux01', 'pop3', 1],
  ]);
  expect(record.verdict.text).toMatch(/^mta\/ssmtp01 smtp connect: refused the connection.*; also mmp\/smux01 pop3 connect/);
});

test('what follows from one fault is not reported as another', async () => {
  await world.standin.breakIt('frozen', 'directory/ldap1');
  const record = await world.one({});
  expect(named(record)).toEqual(['directory/ldap1']);
});

test('a verdict can be weighed again from the journal, word for word', async () => {
  for (const [fault, place] of [
    ['login-refused-at-mmp', 'mmp/smux01 imap'],
    ['store-full', 'store/ims1'],
    ['lost', 'mta/ssmtp01'],
    ['filter-down-tempfail', 'filter/dkim'],
  ] as const) {
    const broken = await world.standin.breakIt(fault, place);
    await world.one({ mta: place === 'filter/dkim' ? 'ssmtp02' : 'ssmtp01' });
    await broken.mend();
  }
  const trips = today().filter(record => record.type === 'trip');
  expect(trips).toHaveLength(4);
  for (const { trip, verdict, evidence } of trips) {
    if (evidence === undefined) throw new Error('no evidence was kept');
    expect(weigh(trip, evidence, world.standin.site.limits)).toEqual(verdict);
  }
});

test('isolation sends no message and tries a password once per door and run, however many paths have failed', async () => {
  await world.standin.breakIt('login-refused-at-mmp', 'mmp/smux01');
  const paths = ['ssmtp01', 'ssmtp02'].flatMap(mta =>
    (['imap', 'pop3'] as const).map(mailbox => ({ account: 'ims1', mta, mmp: 'smux01', mailbox })),
  );
  world.standin.log.clear();
  const records = await world.walk(paths);
  expect(records.map(({ verdict }) => verdict.suspects.map(({ component }) => component))).toEqual(
    Array.from({ length: 4 }, () => ['mmp/smux01']),
  );
  const lines = world.standin.log.lines();
  expect(lines.filter(({ component, text }) => component.startsWith('mta/') && text === 'DATA')).toEqual([]);
  const logins = (component: string, protocol: string) =>
    lines.filter(
      line =>
        line.component === component &&
        line.protocol === protocol &&
        line.from === '<' &&
        /AUTHENTICATE PLAIN|^AUTH PLAIN/.test(line.text),
    ).length;
  // Each of the four trips tried it at its door of the MMP; the knocks of all four tried every other door once.
  for (const protocol of ['imap', 'pop3']) expect(logins('mmp/smux01', protocol)).toBeLessThanOrEqual(3);
  expect([logins('store/ims1', 'imap'), logins('store/ims1', 'pop3')]).toEqual([1, 1]);
});

test('no more knocks than the site allows, and what was not asked is said', async () => {
  await world.standin.breakIt('stopped', 'mta/ssmtp01');
  const record = await world.one({}, { site: { ...world.standin.site, knocks: 2 } });
  expect(record.evidence?.knocks.filter(({ outcome }) => outcome !== 'skipped')).toHaveLength(2);
  expect(record.evidence?.knocks.find(({ outcome }) => outcome === 'skipped')?.text).toContain('used up');
  expect(named(record)).toEqual(['mta/ssmtp01']);
});

test('the limit holds even when every door along the path is frozen', async () => {
  for (const place of ['mta/ssmtp01', 'mmp/smux01', 'store/ims1', 'directory/ldap1'] as const)
    await world.standin.breakIt('frozen', place);
  const record = await world.one(
    {},
    { site: { ...world.standin.site, limits: { ...world.standin.site.limits, isolateMs: 1000 } } },
  );
  expect(record.evidence?.tookMs).toBeLessThan(1500);
});

test('a component in maintenance is left out: the trip failed, and nobody is to be called', async () => {
  const now = Date.now();
  await world.standin.breakIt('stopped', 'mta/ssmtp01');
  const maintenance = [{ component: 'mta/ssmtp01', from: now - 1000, until: now + 3_600_000, reason: 'kernel update' }] as const;
  const record = await world.one({}, { site: { ...world.standin.site, maintenance } });
  expect(record.verdict).toMatchObject({
    state: 'failed',
    suspects: [],
    excused: expect.stringContaining('kernel update'),
    short: 'ssmtp01 maint',
  });
});

test('a drained component is left out as well, and others are not', async () => {
  putDrain(world.state, { component: 'mta/ssmtp01', since: Date.now() - 1000, reason: 'disk' });
  await world.standin.breakIt('stopped', 'mta/ssmtp01');
  await world.standin.breakIt('stopped', 'mmp/smux01 pop3');
  const record = await world.one({});
  expect(record.verdict.excused).toBeUndefined();
  expect(named(record)).toEqual(['mmp/smux01']);
});

test('mail that still goes through a drained machine is a finding', async () => {
  putDrain(world.state, { component: 'mta/ssmtp02', since: Date.now() - 1000, reason: 'disk' });
  const through: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    const record = await world.one({ mta: 'smtp' });
    through.push(...record.trip.findings.filter(({ what }) => what === 'drained').map(({ text }) => text));
  }
  expect(through).toHaveLength(2);
  expect(through[0]).toContain('mta/ssmtp02 is drained, and mail still goes through it');
});

test('a balancer is taken apart: the member that hangs is named, not the balancer', async () => {
  await world.standin.breakIt('frozen', 'mta/ssmtp02');
  const records: TripRecord[] = [];
  for (let n = 0; n < 2; n += 1) records.push(await world.one({ mta: 'smtp' }));
  const failed = records.filter(({ verdict }) => verdict.state === 'failed');
  expect(failed.map(named)).toEqual([['mta/ssmtp02']]);
});

test('our own resolver that knows no name is ours, and never blamed on mail', async () => {
  const { site } = world.standin;
  const broken = (host: string) => Promise.reject(Object.assign(new Error(host), { code: 'EAI_AGAIN' }));
  const named1 = <T extends { readonly smtp: { readonly host: string } }>(mta: T): T => ({
    ...mta,
    smtp: { ...mta.smtp, host: 'ssmtp01.standin.test' },
  });
  const mtas = new Map([...site.mtas].map(([name, mta]) => [name, named1(mta)]));
  const mmps = new Map(
    [...site.mmps].map(([name, mmp]) => [
      name,
      { ...mmp, ...(mmp.imap === undefined ? {} : { imap: { ...mmp.imap, host: `${name}.standin.test` } }) },
    ]),
  );
  const record = await world.one({}, { site: { ...site, mtas, mmps }, lookup: broken });
  expect(record.verdict.state).toBe('unknown');
  expect(named(record)).toEqual(['monitor']);
});

test('a network of ours that reaches nobody is ours', async () => {
  // Every machine is behind a packet filter that drops: from here that cannot be told from a cable that has been pulled.
  for (const place of ['mta/ssmtp01', 'mmp/smux01', 'store/ims1', 'directory/ldap1', 'directory/ldap2'] as const) {
    await world.standin.breakIt('blackholed', place);
  }
  const { site } = world.standin;
  const limits = { ...site.limits, fetchMs: 400, isolateMs: 800 };
  const record = await world.one({}, { site: { ...site, filters: new Map(), nameServers: new Map(), limits } });
  expect(record.verdict.state).toBe('unknown');
  expect(named(record)).toEqual(['monitor']);
});

test('a slow trip names the step that took longer than it usually does', async () => {
  for (let n = 0; n < 6; n += 1) await world.one({});
  await world.standin.breakIt('at-phase', 'mta/ssmtp01', { phase: 'rcpt', act: { do: 'delay', ms: 700 } });
  const record = await world.one({}, { site: { ...world.standin.site, limits: { ...world.standin.site.limits, slowMs: 600 } } });
  expect(record.verdict.state).toBe('slow');
  expect(record.verdict.suspects[0]).toMatchObject({ component: 'mta/ssmtp01', protocol: 'smtp', phase: 'rcpt', kind: 'slow' });
  expect(record.verdict.text).toMatch(/^slow: mta\/ssmtp01 smtp rcpt: mta\/ssmtp01 smtp rcpt took \d+ ms, usually \d+ ms/);
});
