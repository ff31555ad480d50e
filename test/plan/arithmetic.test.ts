// What a plan says of a sequence, on sites that are small enough to reckon by hand.

import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { Sequence } from '../../lib/model/sequence.ts';
import type { Path } from '../../lib/model/trip.ts';
import { type Coverage, coverageOf, gapsOf, type PairTable } from '../../lib/plan/coverage.ts';
import { type Detection, detectionOf, isUnseen } from '../../lib/plan/detection.ts';
import { pathsDue } from '../../lib/plan/due.ts';
import type { Mailbox } from '../../lib/plan/inventory.ts';
import { loadOf } from '../../lib/plan/load.ts';
import { idleLimits, overlapsOf } from '../../lib/plan/timing.ts';
import { openWorld } from '../story/world.ts';
import { load, type Shape } from './sites.ts';

const MINUTE = 60_000;
/** submit 30 s, deliver 60 s, fetch 30 s, isolate 20 s: the defaults. */
const TRIP = 140_000;

/** By row: the state of each pair. */
function states({ mtaAccount, mmpAccount, mtaMmp }: Coverage): Record<string, Record<string, readonly string[]>> {
  const rows = ({ cells }: Coverage['mtaAccount']) =>
    Object.fromEntries(cells.map(row => [row[0]?.row, row.map(({ state }) => state)]));
  return { mtaAccount: rows(mtaAccount), mmpAccount: rows(mmpAccount), mtaMmp: rows(mtaMmp) };
}

function of(detection: readonly Detection[], component: string): Detection | undefined {
  return detection.find(each => each.component === component);
}

const SMALL: Shape = { mtas: 2, mmps: ['both', 'imap'], accounts: [1, 1] };
const THREE = `
00 DMSG -u ims01 -s out01 -p mux01
05 DMSG -u ims01 -s out02 -p mux02
10 DMSG -u ims02 -s out01 -p mux02
`;

test('coverageOf() says of each pair whether it is walked by every protocol that there is for it', async () => {
  const { site, sequence } = await load(SMALL, THREE);
  const coverage = coverageOf(site, sequence);
  expect(states(coverage)).toEqual({
    mtaAccount: { out01: ['covered', 'covered'], out02: ['covered', 'never'] },
    mmpAccount: { mux01: ['covered', 'never'], mux02: ['covered', 'covered'] },
    mtaMmp: { out01: ['covered', 'covered'], out02: ['never', 'covered'] },
  });
  expect(coverage.complete).toBe(false);
  expect(gapsOf(coverage.mmpAccount)).toEqual([
    { row: 'mux01', column: 'ims02', state: 'never', walked: [], missing: ['pop3', 'imap'], wanted: true },
  ]);
});

test('coverageOf() calls a pair half covered when -m leaves out a door that is there', async () => {
  const { site, sequence } = await load(SMALL, THREE.replace('-p mux01', '-p mux01 -m pop3'));
  const { mmpAccount, mtaMmp } = coverageOf(site, sequence);
  expect(mmpAccount.cells[0]?.[0]).toMatchObject({ state: 'half', walked: ['pop3'], missing: ['imap'] });
  expect(mtaMmp.cells[0]?.[0]).toMatchObject({ state: 'half', walked: ['pop3'], missing: ['imap'] });
  expect(mtaMmp.covered).toBe(2);
});

test('coverageOf() counts two entries, one for each protocol, as covered', async () => {
  const both = '00 DMSG -u ims01 -s out01 -p mux01 -m pop3\n05 DMSG -u ims01 -s out01 -p mux01 -m imap\n';
  const { site, sequence } = await load({ mtas: 1, mmps: ['both'], accounts: [1] }, both);
  expect(coverageOf(site, sequence).complete).toBe(true);
});

test('coverageOf() takes what goes through a balancer for chance, and wants no pair with the balancer itself', async () => {
  const { site, sequence } = await load({ ...SMALL, smtpBalancer: true }, '00 DMSG -u ims01 -s smtp -p mux01\n');
  const { mtaAccount } = coverageOf(site, sequence);
  expect(states(coverageOf(site, sequence)).mtaAccount).toEqual({
    out01: ['by chance', 'never'],
    out02: ['by chance', 'never'],
    smtp: ['covered', 'never'],
  });
  expect([mtaAccount.wanted, mtaAccount.covered, gapsOf(mtaAccount).length]).toEqual([4, 0, 4]);
});

test('coverageOf() wants no pair with an account that only takes bounces, nor with "direct" beside MMPs', async () => {
  const { site, sequence } = await load(
    { mtas: 1, mmps: ['both'], accounts: [1], bounce: true },
    '00 DMSG -u ims01 -s out01 -p mux01\n30 DMSG -u ims01 -s out01 -p direct -m imap\n',
  );
  const coverage = coverageOf(site, sequence);
  expect(coverage.complete).toBe(true);
  expect(states(coverage).mmpAccount).toEqual({ mux01: ['covered'], direct: ['half'] });
});

test('detectionOf() adds the limits of a trip to the longest pause between two visits, over the end of the hour', async () => {
  const { site, sequence } = await load(SMALL, THREE);
  const detection = detectionOf(site, sequence);
  const times = Object.fromEntries(detection.map(({ component, worstMs }) => [component, ((worstMs ?? 0) - TRIP) / MINUTE]));
  expect(times).toEqual({
    'mta/out01': 50,
    'mta/out02': 60,
    'mmp/mux01': 60,
    'mmp/mux02': 55,
    'store/ims01': 55,
    'store/ims02': 60,
    'account/ims01': 55,
    'account/ims02': 60,
  });
});

test('detectionOf() gives each door of an MMP its own time: entries without -m take turns by the hour', async () => {
  const { site, sequence } = await load(SMALL, THREE);
  const detection = detectionOf(site, sequence);
  expect(of(detection, 'mmp/mux01')?.byProtocol).toEqual({ pop3: 120 * MINUTE + TRIP, imap: 120 * MINUTE + TRIP });
  expect(of(detection, 'mmp/mux02')?.byProtocol).toEqual({ imap: 55 * MINUTE + TRIP });
});

test('detectionOf() states the odds of a member behind a balancer, and when it is met in 95 of 100 cases', async () => {
  const twice = '00 DMSG -u ims01 -s smtp -p mux01\n30 DMSG -u ims01 -s smtp -p mux01\n';
  const { site, sequence } = await load({ ...SMALL, smtpBalancer: true }, twice);
  const member = of(detectionOf(site, sequence), 'mta/out01');
  // One in two each time: five visits miss it in 3 of 100 cases, four in 6.
  expect(member?.chance).toEqual({ visitsAnHour: 2, odds: 0.5, likelyMs: 5 * 30 * MINUTE + TRIP });
  expect(member).not.toHaveProperty('worstMs');
  expect(of(detectionOf(site, sequence), 'balancer/smtp')?.worstMs).toBe(30 * MINUTE + TRIP);
});

test('detectionOf() says of what is never visited so, with the line that would change it', async () => {
  const below = '[directory.ldap1]\nurl = "ldap://ldap1.example.com"\nbase = "dc=x"\n';
  const { site, sequence } = await load({ ...SMALL, more: { below } }, '00 DMSG -u ims01 -s out01 -p mux01\n');
  const unseen = detectionOf(site, sequence).filter(isUnseen);
  expect(unseen.map(({ component }) => component)).toEqual([
    'mta/out02',
    'mmp/mux02',
    'store/ims02',
    'account/ims02',
    'directory/ldap1',
  ]);
  expect(unseen[0]?.change).toMatchObject({ file: 'sequence.cfg', entries: [{ mta: 'out02' }] });
  expect(unseen[1]?.change).toMatchObject({ file: 'sequence.cfg', entries: [{ mmp: 'mux02', mailbox: 'imap' }] });
  expect(unseen[4]?.change).toMatchObject({ file: 'site.cfg', lines: ['needs = ["directory/ldap1"]'] });
});

test('detectionOf() has filters visited by the MTAs that use them, directories by who needs them, name servers by all', async () => {
  const below = `[directory.ldap1]\nurl = "ldap://ldap1.example.com"\nbase = "dc=x"\n
[filter.dkim]\nsocket = "inet:8891@localhost"\nused_by = ["out02"]\n
[dns.ns1]\naddress = "192.0.2.53"\n`;
  const { site, sequence } = await load({ ...SMALL, more: { mmp: 'needs = ["directory/ldap1"]\n', below } }, THREE);
  const detection = detectionOf(site, sequence);
  expect(of(detection, 'filter/dkim')?.worstMs).toBe(60 * MINUTE + TRIP);
  expect(of(detection, 'directory/ldap1')?.worstMs).toBe(50 * MINUTE + TRIP);
  expect(of(detection, 'dns/ns1')).toMatchObject({ worstMs: 50 * MINUTE + TRIP, visitsAnHour: 3 });
});

test('loadOf() counts messages and log-ins of an hour, from all well to every message missed', async () => {
  const { site, sequence } = await load(
    { mtas: 1, mmps: ['both'], accounts: [1], more: { mta: 'user = "ims01"\npassword_file = "secrets/x"\n' } },
    '00 DMSG -u ims01 -s out01 -p mux01 -m pop3\n30 DMSG -u ims01 -s out01 -p mux01 -m imap\n',
  );
  // POP3: opened once, found at the first look; or looked for 30 times, and once more when IMAP has found it elsewhere.
  // IMAP: one session; or a search of two doors for each message, and one log-in to take it away.
  expect(loadOf(site, sequence)).toMatchObject({
    messages: 2,
    smtp: { least: 2, most: 2 },
    pop3: { least: 2, most: 32 },
    imap: { least: 1, most: 7 },
    accounts: [{ account: 'ims01', messages: 2, logIns: { least: 3, most: 39 } }],
  });
});

test('loadOf() counts few log-ins by POP3 where IMAP watches', async () => {
  const { site, sequence } = await load(
    { mtas: 1, mmps: ['both'], accounts: [1], more: { site: 'pop3_watch = "imap"\n' } },
    '00 DMSG -u ims01 -s out01 -p mux01 -m pop3\n',
  );
  expect(loadOf(site, sequence).pop3).toEqual({ least: 2, most: 3 });
});

test('overlapsOf() names entries whose run can last until the next is due', async () => {
  const lines = '00 DMSG -u ims01 -s out01 -p mux01\n02 DMSG -u ims02 -s out02 -p mux02\n30 DMSG -u ims02 -s out01 -p mux02\n';
  const { site, sequence } = await load({ ...SMALL, interval: 1 }, lines);
  // Submit 30 s, deliver 60 s, fetch 30 s; isolate 20 s.
  expect(overlapsOf(site, sequence)).toEqual([
    { minute: 0, next: 2, gapMs: 2 * MINUTE, tripsMs: 120_000, longestMs: 140_000, entries: 1 },
  ]);
});

test('overlapsOf() lets trips by POP3 into one mailbox come after each other', async () => {
  const twice =
    '00 DMSG -u ims01 -s out01 -p mux01 -m pop3\n00 DMSG -u ims01 -s out02 -p mux01 -m pop3\n04 DMSG -u ims02 -s out02 -p mux02\n';
  const { site, sequence } = await load({ ...SMALL, interval: 1 }, twice);
  expect(overlapsOf(site, sequence)).toMatchObject([{ minute: 0, next: 4, tripsMs: 240_000, longestMs: 280_000, entries: 2 }]);
});

test('idleLimits() names limits that can never be reached', async () => {
  const lines = '00 DMSG -u ims01 -s out01 -p mux01 -m imap\n';
  const { site, sequence } = await load(
    { mtas: 1, mmps: ['both'], accounts: [1], more: { site: 'slow = 150000\nknocks = 1\n' } },
    lines,
  );
  expect(idleLimits(site, sequence, loadOf(site, sequence).knocks).map(({ key }) => key)).toEqual([
    'slow',
    'knocks',
    'pop3_logins',
  ]);
  const usual = await load({ mtas: 1, mmps: ['both'], accounts: [1] }, '00 DMSG -u ims01 -s out01 -p mux01\n');
  expect(idleLimits(usual.site, usual.sequence, loadOf(usual.site, usual.sequence).knocks)).toEqual([]);
});

test.each(['pop3', 'imap'] as const)('a trip by %s that goes well logs in as often as loadOf() says at least', async mailbox => {
  const world = await openWorld();
  onTestFinished(() => world.stop());
  const { trip } = await world.one({ mailbox });
  const logIns = trip.legs
    .flatMap(({ dialogs }) => dialogs)
    .filter(({ phases }) => phases.some(({ name }) => name === 'auth'))
    .map(({ protocol }) => protocol);
  const sequence: Sequence = [{ minute: 0, account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox, line: 1 }];
  const { smtp, pop3, imap } = loadOf(world.standin.site, sequence);
  const count = (protocol: string) => logIns.filter(each => each === protocol).length;
  expect([count('smtp'), count('pop3'), count('imap')]).toEqual([smtp.least, pop3.least, imap.least]);
});

const PAIRED: Shape = { mtas: 3, mmps: ['both', 'imap', 'pop3'], accounts: [1, 1, 1] };
const DOORS: Record<string, readonly Mailbox[]> = { mux01: ['pop3', 'imap'], mux02: ['imap'], mux03: ['pop3'] };

/** Any entries that a site of that shape can have, by its interval of five minutes. */
const anySequence = fc.array(
  fc
    .record({
      minute: fc.integer({ min: 0, max: 11 }).map(n => n * 5),
      account: fc.constantFrom('ims01', 'ims02', 'ims03'),
      mta: fc.constantFrom('out01', 'out02', 'out03'),
      mmp: fc.constantFrom('mux01', 'mux02', 'mux03'),
      mailbox: fc.constantFrom<Mailbox | undefined>(undefined, 'pop3', 'imap'),
    })
    .map(({ mailbox, ...entry }): Sequence[number] => {
      const [only, second] = DOORS[entry.mmp] ?? [];
      const named = second === undefined ? only : mailbox;
      return { ...entry, line: 0, ...(named === undefined ? {} : { mailbox: named }) };
    }),
  { maxLength: 12 },
);

test('coverageOf() of any sequence is what counting its entries gives', async () => {
  const { site } = await load(PAIRED, '');
  const walkedBy = ({ mailbox, mmp }: Sequence[number]) => (mailbox === undefined ? (DOORS[mmp] ?? []) : [mailbox]);
  const expected = (entries: Sequence, possible: readonly Mailbox[]) => {
    const by = new Set(entries.flatMap(walkedBy));
    if (by.size === 0) return 'never';
    return possible.every(mailbox => by.has(mailbox)) ? 'covered' : 'half';
  };
  fc.assert(
    fc.property(anySequence, sequence => {
      const coverage = coverageOf(site, sequence);
      for (const [mta, account, mmp] of ['01', '02', '03'].flatMap(a =>
        ['01', '02', '03'].flatMap(b => ['01', '02', '03'].map(c => [`out${a}`, `ims${b}`, `mux${c}`] as const)),
      )) {
        const state = (table: PairTable, row: string, column: string) =>
          table.cells.flat().find(cell => cell.row === row && cell.column === column)?.state;
        const doors = DOORS[mmp] ?? [];
        const met = sequence.filter(entry => entry.mta === mta && entry.account === account);
        expect(state(coverage.mtaAccount, mta, account)).toBe(
          expected(
            met,
            met.flatMap(entry => DOORS[entry.mmp] ?? []),
          ),
        );
        const read = sequence.filter(entry => entry.mmp === mmp && entry.account === account);
        expect(state(coverage.mmpAccount, mmp, account)).toBe(expected(read, doors));
        const over = sequence.filter(entry => entry.mmp === mmp && entry.mta === mta);
        expect(state(coverage.mtaMmp, mta, mmp)).toBe(expected(over, doors));
      }
    }),
  );
});

test('detectionOf() of any sequence is what watching the clock for hours gives', async () => {
  const { site } = await load(PAIRED, '');
  /** The longest wait until the next visit, begun right after any instant; undefined when there is none. */
  const longestWait = (sequence: Sequence, isVisit: (path: Path) => boolean) => {
    const visits = Array.from({ length: 360 }, (_, at) => at).filter(at =>
      pathsDue(sequence, at % 60, Math.floor(at / 60)).some(isVisit),
    );
    if (visits.length === 0) return undefined;
    const waits = Array.from({ length: 120 }, (_, from) => (visits.find(at => at > from) ?? Number.NaN) - from);
    return Math.max(...waits) * MINUTE + TRIP;
  };
  fc.assert(
    fc.property(anySequence, sequence => {
      const detection = detectionOf(site, sequence);
      for (const n of ['01', '02', '03']) {
        expect(of(detection, `mta/out${n}`)?.worstMs).toBe(longestWait(sequence, ({ mta }) => mta === `out${n}`));
        expect(of(detection, `store/ims${n}`)?.worstMs).toBe(longestWait(sequence, ({ account }) => account === `ims${n}`));
        expect(of(detection, `mmp/mux${n}`)?.worstMs).toBe(longestWait(sequence, ({ mmp }) => mmp === `mux${n}`));
      }
      for (const mailbox of ['pop3', 'imap'] as const)
        expect(of(detection, 'mmp/mux01')?.byProtocol?.[mailbox]).toBe(
          longestWait(sequence, path => path.mmp === 'mux01' && path.mailbox === mailbox),
        );
      const proposed = new Set(detection.flatMap(({ change }) => (change?.file === 'sequence.cfg' ? change.entries : [])));
      expect(detectionOf(site, [...sequence, ...proposed]).filter(isUnseen)).toEqual([]);
    }),
  );
});
