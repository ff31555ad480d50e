// What becomes of a test message, each outcome on a whole site: what the trip says, what the table says, what is left in the box.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TripRecord } from '../../lib/model/record.ts';
import { localDay } from '../../lib/record/day.ts';
import { readJournal } from '../../lib/record/journal.ts';
import { isWatched, Ledger } from '../../lib/record/ledger.ts';
import { parseSystest } from '../../lib/record/systest.ts';
import { BOTH, openWorld, PATH, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(async () => {
  expect(world.standin.problems).toEqual([]);
  await world.stop();
});

const journal = () => readJournal(world.state, localDay(Date.now())).records;
const lastRow = () =>
  parseSystest(readFileSync(join(world.state, 'systest.log'), 'utf8'))
    .days.at(-1)
    ?.rows.at(-1);
const said = ({ trip, verdict }: TripRecord) => [verdict.state, trip.arrival.outcome];

for (const mailbox of BOTH) {
  test(`${mailbox}: a message that comes is seen, compared, and removed`, async () => {
    const record = await world.one({ mailbox });
    expect(said(record)).toEqual(['ok', 'seen']);
    expect(record.trip.legs.map(({ name }) => name)).toEqual(['open', 'submit', 'transit', 'fetch', 'sweep']);
    expect(record.trip.findings).toEqual([]);
    expect(record.trip.hops.map(({ by }) => by)).toEqual(['ssmtp01.standin.test', 'ims1.standin.test']);
    expect(lastRow()).toMatchObject({
      account: 'ims1',
      mta: 'ssmtp01',
      mmp: 'smux01',
      totalMs: Math.round(record.trip.totalMs ?? -1),
      error: '',
    });
    expect(world.mails('ims1')).toEqual([]);
    expect(new Ledger(world.state).open().entries).toEqual([]);
  });

  test(`${mailbox}: a message that the MTA loses is lost at the limit, and failed`, async () => {
    await world.standin.breakIt('lost', 'mta/ssmtp01');
    const record = await world.one({ mailbox });
    expect(said(record)).toEqual(['failed', 'lost']);
    expect(record.verdict.totalMs).toBeUndefined();
    expect(lastRow()).toMatchObject({ error: 'ssmtp01 lost' });
    expect(lastRow()?.totalMs).toBeUndefined();
  });

  test(`${mailbox}: a message that comes after the limit is told as late by a later run, and removed`, async () => {
    const broken = await world.standin.breakIt('late', 'mta/ssmtp01', { ms: 1000 });
    const record = await world.one({ mailbox });
    expect(said(record)).toEqual(['failed', 'lost']);
    await broken.mend();
    await expect.poll(() => world.mails('ims1').length, { timeout: 3000 }).toBe(1);
    expect(said(await world.one({ mailbox }))).toEqual(['ok', 'seen']);
    const late = journal().find(each => each.type === 'amend');
    expect(late).toMatchObject({ trip: record.trip.id, became: 'late', path: { ...PATH, mailbox } });
    expect(late?.type === 'amend' && late.afterMs).toBeGreaterThan(900);
    expect(world.mails('ims1')).toEqual([]);
  });

  test(`${mailbox}: a connection that dies after the dot, message taken: it is looked for, found, and said to have been unsure`, async () => {
    await world.standin.breakIt('dies-after-dot-taken', 'mta/ssmtp01');
    const record = await world.one({ mailbox });
    expect(said(record)).toEqual(['ok', 'seen']);
    expect(record.trip.findings.map(({ what }) => what)).toEqual(['unsure']);
    expect(world.mails('ims1')).toEqual([]);
  });

  test(`${mailbox}: a connection that dies after the dot, message not taken: unsure, not lost`, async () => {
    await world.standin.breakIt('dies-after-dot-not-taken', 'mta/ssmtp01');
    const record = await world.one({ mailbox });
    expect(said(record)).toEqual(['failed', 'unsure']);
    expect(record.trip.fault).toMatchObject({ component: 'mta/ssmtp01', protocol: 'smtp', phase: 'final', kind: 'dropped' });
    expect(lastRow()).toMatchObject({ error: 'ssmtp01 unsure' });
  });

  test(`${mailbox}: a message that comes twice is a duplicate, and both are removed`, async () => {
    const broken = await world.standin.breakIt('twice', 'mta/ssmtp01');
    const record = await world.one({ mailbox });
    await broken.mend();
    await expect.poll(() => world.standin.mtas.get('ssmtp01')?.queue.messages.length).toBe(0);
    expect(said(await world.one({ mailbox: 'imap' }))).toEqual(['ok', 'seen']);
    // The second copy comes while we look, or when we have left: then the next run tells it.
    const inTime = record.trip.findings.some(({ what }) => what === 'duplicate');
    const later = journal().some(each => each.type === 'amend' && each.became === 'duplicate' && each.trip === record.trip.id);
    expect([inTime, later].filter(Boolean)).toHaveLength(1);
    if (inTime) expect(record.verdict).toMatchObject({ state: 'failed', short: 'ssmtp01 twice' });
    expect(world.mails('ims1')).toEqual([]);
  });

  for (const [fault, words] of [
    ['altered-subject', 'Subject is now'],
    ['altered-header', 'Message-ID is now'],
    ['altered-body', 'the body is not as it was sent'],
  ] as const) {
    test(`${mailbox}: ${fault} is found out`, async () => {
      await world.standin.breakIt(fault, 'mta/ssmtp01');
      const record = await world.one({ mailbox });
      expect(said(record)).toEqual(['failed', 'seen']);
      expect(record.trip.findings).toContainEqual({ what: 'altered', text: expect.stringContaining(words) });
      expect(lastRow()).toMatchObject({ error: 'ssmtp01 altered' });
      // A message whose Message-ID is not ours any more is not removed: nobody can say that it is ours.
      expect(world.mails('ims1')).toHaveLength(fault === 'altered-header' ? 1 : 0);
    });
  }

  test(`${mailbox}: a message that is filed under Junk is found there, told, and removed`, async () => {
    await world.standin.breakIt('junked', 'store/ims1');
    const record = await world.one({ mailbox });
    expect(said(record)).toEqual(['failed', 'junked']);
    expect(record.trip.arrival).toMatchObject({ folder: 'Junk' });
    expect(lastRow()).toMatchObject({ error: 'ims1 in junk' });
    expect(world.mails('ims1', 'Junk')).toEqual([]);
  });

  test(`${mailbox}: a bounce in the sender's own box is read, and its reason told`, async () => {
    await world.standin.breakIt('bounced', 'mta/ssmtp01');
    const record = await world.one(
      { mailbox },
      { site: { ...world.standin.site, limits: { ...world.standin.site.limits, deliverMs: 4000 } } },
    );
    expect(said(record)).toEqual(['failed', 'bounced']);
    expect(record.trip.arrival).toMatchObject({ bounce: { action: 'failed', status: expect.stringMatching(/^5\./) } });
    expect(lastRow()?.error).toBe('ssmtp01 bounced');
    expect(record.trip.tookMs).toBeLessThan(4500);
  });

  test(`${mailbox}: a bounce to the receiving account itself ends the wait at once`, async () => {
    await world.standin.breakIt('bounced', 'mta/ssmtp01');
    const { sender: _, ...site } = world.standin.site;
    const record = await world.one({ mailbox }, { site: { ...site, limits: { ...site.limits, deliverMs: 5000 } } });
    expect(said(record)).toEqual(['failed', 'bounced']);
    expect(record.trip.tookMs).toBeLessThan(4000);
  });

  test(`${mailbox}: a message that the MTA refuses is unsent, with the MTA's own words`, async () => {
    await world.standin.breakIt('rcpt-refused-5xx', 'mta/ssmtp01');
    const record = await world.one({ mailbox });
    expect(said(record)).toEqual(['failed', 'unsent']);
    expect(record.trip.fault).toMatchObject({
      component: 'mta/ssmtp01',
      phase: 'rcpt',
      kind: 'rejected',
      lasting: 'permanent',
      reply: { code: '554' },
    });
    expect(new Ledger(world.state).open().entries).toEqual([]);
  });

  test(`${mailbox}: an MMP that is dead is not charged to delivery: nothing is sent`, async () => {
    await world.standin.breakIt('stopped', `mmp/smux01 ${mailbox}`);
    const record = await world.one({ mailbox });
    expect(said(record)).toEqual(['failed', 'unsent']);
    expect(record.trip.fault).toMatchObject({
      component: 'mmp/smux01',
      protocol: mailbox,
      phase: 'connect',
      kind: 'refused-connection',
    });
    expect(world.standin.log.lines('mta/ssmtp01').filter(({ text }) => text === 'DATA')).toEqual([]);
  });

  test(`${mailbox}: a trip above the limit is slow, and has its total`, async () => {
    const record = await world.one(
      { mailbox },
      { site: { ...world.standin.site, limits: { ...world.standin.site.limits, slowMs: 1 } } },
    );
    expect(record.verdict.state).toBe('slow');
    expect(record.verdict.totalMs).toBeGreaterThan(1);
    expect(lastRow()?.error).toMatch(/\bslow\b/);
  });

  test(`${mailbox}: a secret of ours that cannot be read is unknown, and no mail component is named`, async () => {
    await world.standin.breakIt('own-secret-missing', 'account/ims1');
    const record = await world.one({ mailbox });
    expect(record.verdict.state).toBe('unknown');
    expect(record.verdict.suspects.map(({ component }) => component)).toEqual(['monitor']);
    expect(world.standin.log.lines().filter(({ from }) => from === '<')).toEqual([]);
  });

  test(`${mailbox}: being told to stop ends the trip at once as unknown, and a later run cleans up`, async () => {
    await world.standin.breakIt('late', 'mta/ssmtp01', { ms: 300 });
    const stop = new AbortController();
    const limits = { ...world.standin.site.limits, deliverMs: 5000 };
    const record = await world.one(
      { mailbox },
      {
        signal: stop.signal,
        site: { ...world.standin.site, limits },
        onLeg: (_, leg) => leg === 'transit' && setTimeout(() => stop.abort(), 50),
      },
    );
    expect(said(record)).toEqual(['unknown', 'unknown']);
    expect(record.trip.tookMs).toBeLessThan(2000);
    expect(new Ledger(world.state).open().entries).toHaveLength(1);
  });
}

test('--keep leaves the message, and later runs leave it too', async () => {
  const record = await world.one({}, { keep: true });
  expect(said(record)).toEqual(['ok', 'seen']);
  await world.one({});
  expect(world.mails('ims1')).toHaveLength(1);
});

test('--size fills the message up', async () => {
  const record = await world.one({}, { bytes: 200_000 });
  expect(said(record)).toEqual(['ok', 'seen']);
  expect(record.trip.message?.bytes).toBeGreaterThan(199_000);
  expect(record.trip.message?.bytes).toBeLessThan(202_000);
});

test('where the site allows it, IMAP watches and POP3 fetches: two log-ins by POP3', async () => {
  const record = await world.one({ mailbox: 'pop3' }, { site: { ...world.standin.site, popWatchesByImap: true } });
  expect(said(record)).toEqual(['ok', 'seen']);
  const logins = world.standin.log
    .lines('mmp/smux01')
    .filter(({ from, text, protocol }) => from === '>' && protocol === 'pop3' && /\+OK Logged in/.test(text));
  expect(logins).toHaveLength(2);
});

test('what a site is known to alter is a finding and no failure', async () => {
  await world.standin.breakIt('altered-subject', 'mta/ssmtp01');
  const record = await world.one({}, { site: { ...world.standin.site, mayAlter: new Set(['subject'] as const) } });
  expect(record.verdict.state).toBe('ok');
  expect(record.trip.findings.map(({ what }) => what)).toEqual(['altered']);
});

test('the store without UIDPLUS: ours is removed, and what others have marked is not', async () => {
  await world.stop();
  world = await openWorld({ uidplus: false });
  const inbox = world.standin.stores.get('ims1')?.mailbox('ims1');
  inbox?.append('Subject: marked by somebody\r\n\r\nx\r\n', { flags: ['\\Deleted'] });
  await world.one({});
  expect(world.mails('ims1').filter(raw => raw.includes('marked by somebody'))).toHaveLength(1);
  inbox?.setFlags(1, []);
  await world.one({});
  expect(world.mails('ims1')).toEqual(['Subject: marked by somebody\r\n\r\nx\r\n']);
});

test('until a trip has cleaned up, no other trip over the same account takes its message for a left-over', async () => {
  const ledger = new Ledger(world.state);
  const watched = new Map<string, boolean[]>();
  const note = () => {
    for (const entry of ledger.open().entries)
      watched.set(entry.state, [...(watched.get(entry.state) ?? []), isWatched(entry, Date.now())]);
  };
  await world.one({}, { onLeg: note });
  expect([...watched.keys()]).toEqual(['sending', 'sent', 'seen']);
  expect([...watched.values()].flat()).not.toContain(false);
  expect(ledger.open().entries).toEqual([]);
});

test('twelve trips at once over one account leave each other alone, by both protocols', async () => {
  const paths = Array.from({ length: 12 }, (_, n) => ({ ...PATH, mailbox: BOTH[n % 2] ?? 'imap' }));
  const records = await world.walk(paths, { atOnce: 12 });
  expect(records.map(said)).toEqual(paths.map(() => ['ok', 'seen']));
  expect(journal().filter(({ type }) => type === 'amend')).toEqual([]);
  expect(world.mails('ims1')).toEqual([]);
});
