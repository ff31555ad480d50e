// What a plan says could not be told apart, and whether the lines that it proposes keep their promise. Whom isolation would name is
// asked of isolation itself, so the last test compares both with what a real trip over a broken site ends in.

import { expect, onTestFinished, test } from 'vitest';
import type { Sequence } from '../../lib/model/sequence.ts';
import type { Site } from '../../lib/model/site.ts';
import { type Ambiguity, ambiguitiesOf } from '../../lib/plan/apart/ambiguity.ts';
import { togetherIn } from '../../lib/plan/apart/together.ts';
import { openWorld } from '../story/world.ts';
import { load, type Shape, siteText } from './sites.ts';

const ONE: Shape = { mtas: 2, mmps: ['imap'], accounts: [1, 1] };
const LINE = '00 DMSG -u ims01 -s out01 -p mux01\n';
const UNAVAILABLE = 'an MMP says that a mailbox is not available now, or hangs';
const LOST = 'a message was accepted and has not arrived';

function about(site: Site, sequence: Sequence, symptom: string): readonly Ambiguity[] {
  return ambiguitiesOf(site, sequence).filter(each => each.symptom === symptom);
}

function told(ambiguities: readonly Ambiguity[]): readonly string[] {
  return ambiguities.flatMap(({ cases, unnamed }) => cases.map(suspects => [...suspects, ...(unnamed ? ['?'] : [])].join(' ')));
}

/** The text of site.cfg with the proposed lines below their sections. */
function withChanges(text: string, ambiguities: readonly Ambiguity[]): string {
  let changed = text;
  for (const change of new Map(
    ambiguities.flatMap(({ changes }) => changes).map(each => [JSON.stringify(each), each]),
  ).values()) {
    if (change.file !== 'site.cfg') continue;
    const lines = change.lines.join('\n');
    changed = changed.includes(change.section)
      ? changed.replace(change.section, `${change.section}\n${lines}`)
      : `${changed}\n${change.section}\n${lines}\n`;
  }
  return changed;
}

test('a store without doors of its own and the MMP before it cannot be told apart, and an imap door changes that', async () => {
  const text = siteText({ ...ONE, storeDoors: false });
  const { site, sequence } = await load(text, LINE);
  const before = about(site, sequence, UNAVAILABLE);
  expect(told(before).some(suspects => suspects.includes('mmp/mux01') && suspects.includes('store/ims01'))).toBe(true);
  expect(before.flatMap(({ changes }) => changes)).toContainEqual({
    file: 'site.cfg',
    section: '[store.ims01]',
    lines: ['imap = { port = 143, security = "starttls" }'],
  });
  const after = await load(withChanges(text, before), LINE);
  expect(told(about(after.site, after.sequence, UNAVAILABLE)).filter(suspects => suspects.includes('store/ims01'))).toEqual([]);
});

test('a directory that site.cfg does not name is a suspect without a name, until the MMP needs one', async () => {
  const text = siteText(ONE);
  const { site, sequence } = await load(text, LINE);
  const before = about(site, sequence, UNAVAILABLE);
  expect(told(before)).toContain('mmp/mux01 ?');
  const after = await load(withChanges(text, before).replace('ldap://HOST', 'ldap://ldap.example.com'), LINE);
  expect(told(about(after.site, after.sequence, UNAVAILABLE)).filter(suspects => suspects.includes('?'))).toEqual([]);
});

test('an MTA whose queue nobody can look into and the way to the store cannot be told apart; looking into it helps', async () => {
  const text = siteText(ONE);
  const { site, sequence } = await load(text, LINE);
  const before = about(site, sequence, LOST);
  expect(told(before)).toContain('mta/out01 link/out01-ims01');
  expect(JSON.stringify(before)).toContain('\\"postqueue\\"');
  const after = await load(withChanges(text, before), LINE);
  const solved = before.filter(({ solves }) => solves).flatMap(each => told([each]));
  const left = told(about(after.site, after.sequence, LOST));
  for (const suspects of solved) expect(left).not.toContain(suspects);
});

test('an MTA and its filter are the same after the final dot, and no line of a config changes that', async () => {
  const { site, sequence } = await load(
    { ...ONE, more: { below: '[filter.dkim]\nsocket = "inet:8891@localhost"\nused_by = ["out01"]\n' } },
    LINE,
  );
  const [dot, ...others] = about(site, sequence, 'an MTA refuses a message after the final dot');
  expect(dot).toMatchObject({ cases: [['mta/out01', 'filter/dkim']], changes: [], solves: false });
  expect(others).toEqual([]);
});

test('members of a balancer are told apart by paths straight to them', async () => {
  const { site, sequence } = await load({ ...ONE, smtpBalancer: true }, '00 DMSG -u ims01 -s smtp -p mux01\n');
  const lost = about(site, sequence, LOST);
  expect(told(lost).some(suspects => suspects.includes('balancer/smtp mta/out01 mta/out02'))).toBe(true);
  const entries = lost
    .flatMap(({ changes }) => changes)
    .flatMap(change => (change.file === 'sequence.cfg' ? change.entries : []));
  expect(new Set(entries.map(({ mta }) => mta))).toEqual(new Set(['out01', 'out02']));
});

test('what is the same on many paths is told once, with all its cases', async () => {
  const { site, sequence } = await load(
    { mtas: 1, mmps: ['both'], accounts: [1, 1, 1] },
    '00 DMSG -u ims01 -s out01 -p mux01\n05 DMSG -u ims02 -s out01 -p mux01\n10 DMSG -u ims03 -s out01 -p mux01\n',
  );
  const links = about(site, sequence, UNAVAILABLE).filter(({ cases }) => cases.some(each => each.includes('link/mux01-ims01')));
  expect(links).toHaveLength(1);
  expect(links[0]?.cases).toHaveLength(3);
});

test('togetherIn() names two that every test leads over together, with an entry that parts them', async () => {
  const { site, sequence } = await load(
    { mtas: 2, mmps: ['both'], accounts: [1, 1] },
    '00 DMSG -u ims01 -s out01 -p mux01\n05 DMSG -u ims02 -s out02 -p mux01\n',
  );
  const found = togetherIn(site, sequence);
  expect(found.map(({ components }) => components)).toEqual([
    ['mta/out01', 'account/ims01'],
    ['mta/out02', 'account/ims02'],
  ]);
  expect(togetherIn(site, [...sequence, ...found.map(({ entry }) => entry)])).toEqual([]);
});

test('isolation leaves open what the plan has foreseen, and nothing else', async () => {
  const world = await openWorld({ filter: true, queueAccess: false, limits: { deliverMs: 800, isolateMs: 3000 } });
  onTestFinished(() => world.stop());
  const sequence: Sequence = [{ minute: 0, account: 'ims1', mta: 'ssmtp02', mmp: 'smux01', mailbox: 'imap', line: 1 }];
  const { site } = world.standin;
  const open: (readonly string[])[] = [];
  for (const [fault, place] of [
    ['lost', 'mta/ssmtp02'],
    ['login-refused-at-mmp', 'mmp/smux01 imap'],
  ] as const) {
    const broken = await world.standin.breakIt(fault, place);
    const { verdict } = await world.one({ mta: 'ssmtp02', mailbox: 'imap' });
    await broken.mend();
    open.push(verdict.suspects.filter(({ confidence }) => confidence === 'cannot tell apart').map(({ component }) => component));
  }
  expect(open).toEqual([['mta/ssmtp02', 'filter/dkim'], []]);
  expect(told(about(site, sequence, LOST))).toContain('mta/ssmtp02 filter/dkim');
  expect(about(site, sequence, 'an MMP refuses the password')).toEqual([]);
});

test.each([
  ['no doors of stores, no queues, no needs', { ...ONE, storeDoors: false }],
  ['stores that can be looked into', ONE],
  ['one MTA and one store', { mtas: 1, mmps: ['both'], accounts: [1] }],
] satisfies [string, Shape][])('lines that are said to tell apart do so: %s', async (_, shape) => {
  const text = siteText(shape);
  const { site, sequence } = await load(text, LINE);
  const solvable = ambiguitiesOf(site, sequence).filter(({ solves, changes }) => solves && changes.length > 0);
  expect(solvable.length).toBeGreaterThan(0);
  const changed = withChanges(text, solvable).replace('ldap://HOST', 'ldap://ldap.example.com');
  const after = await load(changed.replaceAll('"another', '"another.example.com" #'), LINE);
  for (const each of solvable) {
    const left = told(about(after.site, after.sequence, each.symptom));
    for (const suspects of told([each])) expect(left).not.toContain(suspects);
  }
});

test('a name that does not resolve asks for a name server, and a lost message for the LMTP door of its store', async () => {
  const { site, sequence } = await load({ ...ONE, storeDoors: false }, LINE);
  const sections = (symptom: string) =>
    about(site, sequence, symptom).flatMap(({ changes }) =>
      changes.flatMap(change => (change.file === 'site.cfg' ? [`${change.section} ${change.lines.join(' ')}`] : [])),
    );
  expect(sections('the name of a machine does not resolve')).toEqual(['[dns.NAME] address = "192.0.2.53"']);
  expect(sections(LOST)).toContain('[store.ims01] lmtp = { port = 24, security = "plain" }');
});
