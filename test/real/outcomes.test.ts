// What becomes of a message on a real Postfix and a real Dovecot: each outcome as a trip tells it, by IMAP and by POP3, and what is
// left in the mailbox afterwards: nothing of ours.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeRound } from '../../lib/cli/round/round.ts';
import type { JournalRecord, TripRecord } from '../../lib/model/record.ts';
import type { Site } from '../../lib/model/site.ts';
import type { Path } from '../../lib/model/trip.ts';
import { localDay } from '../../lib/record/day.ts';
import { readJournal } from '../../lib/record/journal.ts';
import { parseSystest } from '../../lib/record/systest.ts';
import { loadSite } from '../../lib/site/load.ts';
import { type Lab, startLab } from '../lab/lab.ts';

let lab: Lab;
let place: string;
let state: string;
let site: Site;
beforeAll(async () => {
  lab = await startLab({ net: 'free' });
  place = mkdtempSync(join(tmpdir(), 'healthmon-outcomes-'));
  state = join(place, 'var');
  site = await siteAs(text => text);
});
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  rmSync(place, { recursive: true, force: true });
});

/** The lab's site.cfg with a change made to its text. */
async function siteAs(change: (text: string) => string): Promise<Site> {
  const etc = mkdtempSync(join(place, 'etc-'));
  lab.etc(etc, { submission: 25, site: { deliver: 3, isolate: 5, slow: 2000 } });
  const file = join(etc, 'site.cfg');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  const { site, problems } = await loadSite(etc, { secrets: true });
  if (site === undefined) throw new Error(JSON.stringify(problems));
  return site;
}

async function walk(mailbox: Path['mailbox'], over: Site = site): Promise<TripRecord> {
  const path: Path = { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox };
  const [record] = await makeRound([path], {
    by: 'check_rndtrip',
    site: over,
    state,
    signal: new AbortController().signal,
    onNotWritten: message => expect.fail(message),
  });
  if (record === undefined) throw new Error('no trip was made');
  return record;
}

const said = ({ trip, verdict }: TripRecord) => [verdict.state, trip.arrival.outcome];
const amendments = (): readonly JournalRecord[] => readJournal(state, localDay(Date.now())).records.filter(isAmendment);
const isAmendment = ({ type }: JournalRecord) => type === 'amend';

/** Messages in the account's mailbox, all folders, on the store's own disk. */
function left(account = 'ims1'): number {
  const box = lab.maildir(account);
  const folders = ['', ...(existsSync(box) ? readdirSync(box).filter(name => name.startsWith('.')) : [])];
  return folders
    .flatMap(folder => ['new', 'cur'].map(part => join(box, folder, part)))
    .filter(dir => existsSync(dir))
    .reduce((count, dir) => count + readdirSync(dir).length, 0);
}

for (const mailbox of ['imap', 'pop3'] as const) {
  test(`${mailbox}: seen, and nothing is left`, async () => {
    expect(said(await walk(mailbox))).toEqual(['ok', 'seen']);
    expect(left()).toBe(0);
  });

  test(`${mailbox}: a queue that has stopped: lost at the limit, late when it flows again`, async () => {
    const fault = await lab.fault('deferred', 'mta/ssmtp01');
    const lost = await walk(mailbox);
    expect(said(lost)).toEqual(['failed', 'lost']);
    await fault.off();
    await expect.poll(() => left(), { timeout: 60_000, interval: 100 }).toBe(1);
    expect(said(await walk(mailbox))).toEqual(['ok', 'seen']);
    expect(amendments()).toContainEqual(expect.objectContaining({ trip: lost.trip.id, became: 'late' }));
    expect(left()).toBe(0);
  });

  test.each([
    ['lost', ['failed', 'lost'], 'ssmtp01 lost', undefined],
    ['bounced', ['failed', 'bounced'], 'ssmtp01 bounced', undefined],
    ['mail-4xx', ['failed', 'unsent'], 'ssmtp01 mail', undefined],
    ['altered-header', ['failed', 'seen'], 'ssmtp01 altered', 'altered'],
    ['altered-body', ['failed', 'seen'], 'ssmtp01 altered', 'altered'],
  ] as const)(`${mailbox}: %s`, async (name, outcome, short, finding) => {
    const fault = await lab.fault(name, 'mta/ssmtp01');
    const record = await walk(mailbox);
    await fault.off();
    expect(said(record)).toEqual(outcome);
    expect(record.verdict.short).toBe(short);
    expect(record.trip.findings.map(({ what }) => what)).toEqual(finding === undefined ? [] : [finding]);
    const row = parseSystest(readFileSync(join(state, 'systest.log'), 'utf8'))
      .days.at(-1)
      ?.rows.at(-1);
    expect(row).toMatchObject({ error: short });
    expect(left()).toBe(0);
  });

  test(`${mailbox}: filed into Junk: found there, and removed`, async () => {
    const fault = await lab.fault('junk', 'store/ims1');
    const record = await walk(mailbox);
    await fault.off();
    expect(said(record)).toEqual(['failed', 'junked']);
    expect(record.trip.arrival).toMatchObject({ folder: 'Junk' });
    expect(left()).toBe(0);
  });

  test(`${mailbox}: delivered twice: a duplicate, in this trip or told by the next, and both are removed`, async () => {
    const fault = await lab.fault('twice', 'mta/ssmtp01');
    const record = await walk(mailbox);
    await fault.off();
    await expect.poll(async () => (await lab.mtaQueue('ssmtp01')).length, { timeout: 20_000 }).toBe(0);
    await walk('imap');
    const later = amendments().some(each => isAmendmentOf(each, record) && each.became === 'duplicate');
    expect([record.trip.findings.some(({ what }) => what === 'duplicate'), later].filter(Boolean)).toHaveLength(1);
    expect(left()).toBe(0);
  });

  test(`${mailbox}: the connection dies after the dot: unsure; where Postfix had taken it, it is found all the same`, async () => {
    for (const taken of [true, false]) {
      const cutter = await cutAfterDot(lab.address('mta/ssmtp01'), taken);
      try {
        const cut = await siteAs(text =>
          text.replace(/(\[mta\.ssmtp01\]\n)host = .*\n(servername = .*\n)port = 25\nsecurity = .*\n/, (_, head, name) =>
            [head, 'host = "127.0.0.1"\n', name, `port = ${cutter.port}\n`, 'security = "plain"\n'].join(''),
          ),
        );
        const record = await walk(mailbox, cut);
        expect(said(record)).toEqual(taken ? ['ok', 'seen'] : ['failed', 'unsure']);
        if (taken) expect(record.trip.findings.map(({ what }) => what)).toEqual(['unsure']);
        else expect(record.trip.fault).toMatchObject({ component: 'mta/ssmtp01', phase: 'final', kind: 'dropped' });
        expect(left()).toBe(0);
      } finally {
        cutter.server.close();
      }
    }
  });
}

function isAmendmentOf(each: JournalRecord, { trip }: TripRecord): each is JournalRecord & { type: 'amend' } {
  return each.type === 'amend' && each.trip === trip.id;
}

/** Passes everything on to a real Postfix until the dot: then it cuts, before Postfix sees the dot or after it has answered. */
async function cutAfterDot(host: string, taken: boolean): Promise<{ server: Server; port: number }> {
  const server = createServer(client => {
    const postfix = connect(25, host);
    let isSent = false;
    let tail = '';
    const end = () => {
      client.resetAndDestroy();
      postfix.destroy();
    };
    for (const each of [client, postfix]) each.on('error', end).on('close', end);
    client.on('data', data => {
      tail = (tail + data.toString('latin1')).slice(-5);
      isSent = tail === '\r\n.\r\n';
      if (isSent && !taken) end();
      else postfix.write(data);
    });
    postfix.on('data', data => {
      if (isSent) end();
      else client.write(data);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}
