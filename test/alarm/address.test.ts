// Who is told what and when: each recipient's own view, with quiet hours, silences, acks, escalation and spacing.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Addressing, address, NOBODY_TOLD, type Recipient, type Telling } from '../../lib/alarm/when/address.ts';
import { isQuiet, parseQuiet } from '../../lib/alarm/when/quiet.ts';
import type { Result } from '../../lib/alarm/when/result.ts';
import { acknowledge, isMeant, matches, type Silence } from '../../lib/alarm/when/silence.ts';
import { bad, Gate, good, HOUR, MINUTE, path, SITE, START } from './results.ts';

const at = (minutes: number) => START + minutes * MINUTE;

const ONCALL: Recipient = {
  name: 'oncall',
  channels: ['pager'],
  severities: new Set(['failed', 'slow', 'unknown']),
  components: [],
  afterMs: 0,
  quiet: [],
  loud: new Set(),
  isReminded: true,
  isToldOfEnd: true,
};
const BOSS: Recipient = { ...ONCALL, name: 'boss', afterMs: 15 * MINUTE };
const SPACING: Addressing['spacing'] = { remindMs: HOUR, remindMostMs: 8 * HOUR, togetherMs: 5 * MINUTE };

/** Gate and addressing over time. */
class Office {
  readonly gate = new Gate();
  telling: Telling = NOBODY_TOLD;
  recipients: readonly Recipient[] = [ONCALL];
  silences: readonly Silence[] = [];
  held: ReadonlyMap<number, string> = new Map();

  /** @returns what is told, as `oncall: raised 1, raised 2` */
  step(minute: number, ...results: readonly Result[]): string[] {
    this.gate.events(at(minute), ...results);
    const { telling, items, held } = address(
      this.gate.state.alarms,
      this.telling,
      { recipients: this.recipients, spacing: SPACING, silences: this.silences, around: this.gate.around },
      at(minute),
    );
    this.telling = telling;
    this.held = held;
    return items.map(({ to, items: told }) => `${to.name}: ${told.map(({ what, alarm }) => `${what} ${alarm.id}`).join(', ')}`);
  }

  /** Raises an alarm on an MMP, the n-th one. */
  fail(minute: number, mmp = 'smux01'): string[] {
    return this.step(minute, bad(at(minute), path('ims1', 'ssmtp01', mmp), { confidence: 'sure' }));
  }

  mend(minute: number, mmp = 'smux01'): string[] {
    const over = path('ims1', 'ssmtp01', mmp);
    return this.step(minute, good(at(minute), over), good(at(minute), over));
  }

  quietly(from: number, to: number, every = 5): string[] {
    const said: string[] = [];
    for (let minute = from; minute < to; minute += every) said.push(...this.step(minute).map(text => `${minute} ${text}`));
    return said;
  }

  ack(minute: number, id: number, more: { until?: number } = {}): void {
    const state = acknowledge(this.gate.state, id, { by: 'eva', at: at(minute), ...more });
    if (state === undefined) throw new Error(`no alarm ${id}`);
    this.gate.state = state;
  }
}

const silence = (what: string, until: number): Silence => ({
  id: 1,
  what,
  by: 'eva',
  reason: 'new disks',
  at: at(0),
  until: at(until),
});

test('told once, reminded at a growing interval, told of the end', () => {
  const office = new Office();
  expect(office.fail(0)).toEqual(['oncall: raised 1']);
  expect(office.quietly(5, 24 * 60)).toEqual([
    '60 oncall: reminder 1',
    '180 oncall: reminder 1',
    '420 oncall: reminder 1',
    '900 oncall: reminder 1',
    '1380 oncall: reminder 1',
  ]);
  expect(office.mend(24 * 60)).toEqual(['oncall: cleared 1']);
  expect(office.quietly(24 * 60 + 5, 26 * 60)).toEqual([]);
});

test('after an ack there are no reminders and no escalation, and the end is told', () => {
  const office = new Office();
  office.recipients = [ONCALL, BOSS];
  office.fail(0);
  office.ack(3, 1);
  expect(office.quietly(5, 600)).toEqual([]);
  expect(office.mend(600)).toEqual(['oncall: cleared 1']);
});

test('an ack with an end brings reminders and escalation back', () => {
  const office = new Office();
  office.recipients = [ONCALL, BOSS];
  office.fail(0);
  office.ack(3, 1, { until: at(120) });
  expect(office.quietly(5, 125)).toEqual(['120 oncall: reminder 1', '120 boss: raised 1']);
});

test('without an ack the next one is told after the time, and says for how long nobody has taken it on', () => {
  const office = new Office();
  office.recipients = [ONCALL, BOSS];
  expect(office.fail(0)).toEqual(['oncall: raised 1']);
  expect(office.quietly(5, 30)).toEqual(['15 boss: raised 1']);
  expect(office.mend(30)).toEqual(['oncall: cleared 1', 'boss: cleared 1']);
});

test('what is over before the time is never told to the next one', () => {
  const office = new Office();
  office.recipients = [ONCALL, BOSS];
  office.fail(0);
  expect(office.mend(10)).toEqual(['oncall: cleared 1']);
  expect(office.quietly(15, 60)).toEqual([]);
});

test('what gets worse after an ack is told, and the ack is void', () => {
  const office = new Office();
  const slow = (minute: number) => bad(at(minute), path(), { kind: 'slow', phase: 'auth' }, { state: 'slow' });
  office.step(0, slow(0), slow(0), slow(0));
  office.ack(1, 1);
  expect(office.step(5, bad(at(5), path(), { phase: 'auth', confidence: 'sure' }))).toEqual(['oncall: changed 1']);
  expect(office.gate.state.alarms[0]?.ack).toBeUndefined();
});

test('a recipient hears only of what it wants: severity and component', () => {
  const office = new Office();
  office.recipients = [
    { ...ONCALL, name: 'grave', severities: new Set(['failed']) },
    { ...ONCALL, name: 'mmps', components: ['mmp/*'] },
    { ...ONCALL, name: 'mtas', components: ['mta/*'] },
  ];
  const slow = (minute: number) => bad(at(minute), path(), { kind: 'slow', phase: 'auth' }, { state: 'slow' });
  expect(office.step(0, slow(0), slow(0), slow(0))).toEqual(['mmps: raised 1']);
  expect(office.step(5, bad(at(5), path(), { phase: 'auth', confidence: 'sure' }))).toEqual([
    'grave: raised 1',
    'mmps: changed 1',
  ]);
});

test('a silence holds everything back, says why, and lets what is still true out at its end', () => {
  const office = new Office();
  office.silences = [silence('mmp/smux01', 60)];
  expect(office.fail(0)).toEqual([]);
  expect(office.held.get(1)).toBe('silenced by eva until 03:00: new disks');
  expect(office.fail(1, 'smux02')).toEqual(['oncall: raised 2']);
  // A reminder that is due soon goes along.
  expect(office.quietly(5, 70)).toEqual(['60 oncall: raised 1, reminder 2']);
});

test('what came and went in a silence is not told', () => {
  const office = new Office();
  office.silences = [silence('all', 60)];
  office.fail(0);
  office.mend(20);
  expect(office.quietly(25, 120)).toEqual([]);
});

test('the end of what was told before a silence is told after it', () => {
  const office = new Office();
  office.fail(0);
  office.silences = [silence('alarm 1', 60)];
  expect(office.mend(20)).toEqual([]);
  expect(office.quietly(25, 70)).toEqual(['60 oncall: cleared 1']);
});

test('work that is planned on a component holds its reminders back', () => {
  const office = new Office();
  office.fail(0);
  office.gate.around = { ...SITE, outages: [{ component: 'mmp/smux01', from: at(30), until: at(200), reason: 'new kernel' }] };
  expect(office.quietly(5, 220)).toEqual(['200 oncall: reminder 1']);
});

test('an alarm that another one comes to explain is not reminded of any more', () => {
  const office = new Office();
  office.step(0, bad(at(0), path(), { phase: 'auth', confidence: 'sure' }));
  const ldap = { component: 'directory/ldap1', protocol: 'ldap', phase: 'connect', confidence: 'sure' } as const;
  expect(office.step(5, bad(at(5), path('ims2'), ldap))).toEqual(['oncall: raised 2']);
  expect(office.quietly(10, 70)).toEqual(['65 oncall: reminder 2']);
});

test('alarms that are raised at once are one message, and so are those that follow within some minutes', () => {
  const office = new Office();
  const sure = (n: number, minute: number) => bad(at(minute), path('ims1', 'ssmtp01', `smux${n}`), { confidence: 'sure' });
  expect(office.step(0, ...[1, 2, 3].map(n => sure(n, 0)))).toEqual(['oncall: raised 1, raised 2, raised 3']);
  expect(office.step(1, sure(4, 1))).toEqual([]);
  expect(office.held.get(4)).toBe('it waits 4 min for others, so that they go out together');
  expect(office.step(3, sure(5, 3))).toEqual([]);
  expect(office.quietly(4, 10, 1)).toEqual(['5 oncall: raised 4, raised 5']);
});

test('what shows within a minute of the first message goes out at once in one more, and only then the waiting begins', () => {
  const office = new Office();
  const sure = (n: number, minute: number) => bad(at(minute), path('ims1', 'ssmtp01', `smux0${n}`), { confidence: 'sure' });
  expect(office.step(0, sure(1, 0))).toEqual(['oncall: raised 1']);
  expect(office.step(0.5, sure(2, 0.5), sure(3, 0.5))).toEqual(['oncall: raised 2, raised 3']);
  expect(office.step(0.9, sure(4, 0.9))).toEqual([]);
  expect(office.quietly(1, 20, 1)).toEqual(['16 oncall: raised 4']);
});

test('a site that goes down bit by bit makes three messages in its first hour', () => {
  const office = new Office();
  const said: string[] = [];
  for (let minute = 0; minute < 60; minute += 1) {
    const results = minute % 3 === 0 ? [bad(at(minute), path('ims1', 'ssmtp01', `smux${minute}`), { confidence: 'sure' })] : [];
    said.push(...office.step(minute, ...results).map(text => `${minute} ${text.split(',').length}`));
  }
  expect(said).toEqual(['0 1', '5 1', '20 5']);
});

test('blindness waits for nobody', () => {
  const office = new Office();
  office.fail(0);
  office.gate.around = { ...SITE, own: { resolver: 'fails', gateway: 'works' } };
  const all = Array.from({ length: 5 }, (_, n) =>
    bad(at(1), path(`ims${n}`, 'ssmtp01', 'smux09'), { phase: 'resolve', kind: 'name' }),
  );
  expect(office.step(1, ...all)).toEqual(['oncall: raised 2']);
});

test('a reminder that is due soon goes with a message that goes out anyway', () => {
  const office = new Office();
  office.fail(0);
  expect(office.fail(50, 'smux02')).toEqual(['oncall: reminder 1, raised 2']);
  expect(office.quietly(55, 115)).toEqual(['110 oncall: reminder 2']);
});

test('an alarm that comes back before its end could be told is still the same one to its reader', () => {
  const office = new Office();
  office.recipients = [{ ...ONCALL, quiet: quiet('22:00-07:00'), loud: new Set() }];
  const noon = 10 * 60;
  expect(office.fail(noon)).toEqual(['oncall: raised 1']);
  const night = 20 * 60;
  office.mend(night);
  office.fail(night + 10);
  expect(office.mend(night + 12 * 60)).toEqual(['oncall: cleared 1']);
});

test('nothing is remembered of alarms that are gone', () => {
  const office = new Office();
  office.fail(0);
  office.mend(5);
  office.quietly(10, 15);
  expect(office.telling.told).toEqual({});
});

function quiet(...texts: readonly string[]) {
  return texts.map(text => {
    const parsed = parseQuiet(text);
    if (parsed === undefined) throw new Error(`not understood: ${text}`);
    return parsed;
  });
}

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = 'UTC';
});
afterAll(() => {
  process.env.TZ = zone;
});

test('in quiet hours nothing is told but what is loud, and in the morning what is still open', () => {
  const office = new Office();
  office.recipients = [
    { ...ONCALL, quiet: quiet('22:00-07:00'), loud: new Set(['failed']) },
    { ...ONCALL, name: 'office', quiet: quiet('22:00-07:00') },
  ];
  expect(office.fail(0)).toEqual(['oncall: raised 1']); // 02:00
  expect(office.held.size).toBe(0);
  expect(office.fail(10, 'smux02')).toEqual(['oncall: raised 2']);
  expect(office.mend(20, 'smux02')).toEqual(['oncall: cleared 2']);
  const night = office.quietly(25, 5 * 60 + 30, 5).filter(text => text.includes('office'));
  expect(night).toEqual(['300 office: raised 1']);
});

test.for([
  ['22:00-07:00', '2026-11-22T21:59', false],
  ['22:00-07:00', '2026-11-22T22:00', true],
  ['22:00-07:00', '2026-11-23T06:59', true],
  ['22:00-07:00', '2026-11-23T07:00', false],
  ['fri 22:00-07:00', '2026-11-21T03:00', true], // Saturday, 03:00: it began on Friday
  ['fri 22:00-07:00', '2026-11-20T03:00', false],
  ['sat,sun', '2026-11-22T12:00', true],
  ['sat,sun', '2026-11-23T00:00', false],
  ['fri-mon 08:00-09:00', '2026-11-22T08:30', true],
  ['fri-mon 08:00-09:00', '2026-11-24T08:30', false],
  ['00:00-24:00', '2026-11-24T23:59', true],
] as const)('%s at %s: %s', ([text, moment, wanted]) => {
  expect(isQuiet(quiet(text), new Date(`${moment}:00`).getTime())).toBe(wanted);
});

test.for(['', '25:00-26:00', 'monday', '22:00', '22:00-22:00', 'mon 22-07', '24:30-01:00', 'mon--fri'])(
  'parseQuiet() does not take %j',
  text => {
    expect(parseQuiet(text)).toBeUndefined();
  },
);

test('quiet hours go by the wall through both nights on which the clock is set', () => {
  process.env.TZ = 'Europe/Berlin';
  try {
    const times = quiet('22:00-07:00');
    for (const [begin, hours] of [
      ['2026-10-24T20:00:00Z', 10], // the night of 25 hours
      ['2027-03-27T21:00:00Z', 8], // the night of 23 hours
    ] as const) {
      const from = Date.parse(begin);
      const count = Array.from({ length: 24 * 4 }, (_, n) => from + (n - 8) * 15 * MINUTE).filter(each =>
        isQuiet(times, each),
      ).length;
      expect(count).toBe(hours * 4);
      expect(isQuiet(times, from - 1)).toBe(false);
      expect(isQuiet(times, from + hours * HOUR)).toBe(false);
    }
  } finally {
    process.env.TZ = 'UTC';
  }
});

test.for([
  ['all', true],
  ['alarm 17', true],
  ['alarm 1', false],
  ['mmp/smux02', true],
  ['mmp/*', true],
  ['*02', true],
  ['*/smux*', true],
  ['*', true],
  ['mta/*', false],
  ['mmp/smux0', false],
  ['mmp/smux02*2', false],
] as const)('%s means mmp/smux02, alarm 17: %s', ([what, wanted]) => {
  expect(isMeant(what, { id: 17, component: 'mmp/smux02' })).toBe(wanted);
});

// Tried one way after the other, these stars would outlast any test.
test('matches() takes time in proportion to the text, whatever the pattern', () => {
  expect(matches(`${'a*'.repeat(500)}b`, 'a'.repeat(5000))).toBe(false);
});
