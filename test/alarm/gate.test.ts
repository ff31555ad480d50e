// The gate: what comes about from which results, and when.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_ALARMS } from '../../lib/alarm/when/alarm.ts';
import { changePercent } from '../../lib/alarm/when/flap.ts';
import { forget, shiftGate, step } from '../../lib/alarm/when/gate.ts';
import type { Path } from '../../lib/model/trip.ts';
import { bad, Gate, good, HOUR, MINUTE, POLICY, path, SITE, START } from './results.ts';

const at = (minutes: number) => START + minutes * MINUTE;

test('one failure raises nothing, two of three do, and it is said once', () => {
  const gate = new Gate();
  expect(gate.step(at(0), bad(at(0)))).toEqual([]);
  expect(gate.step(at(5), good(at(5)))).toEqual([]);
  expect(gate.step(at(10), bad(at(10)))).toEqual(['raised mmp/smux01 connect']);
  expect(gate.step(at(15), bad(at(15)))).toEqual([]);
  expect(gate.step(at(20))).toEqual([]);
});

test('a verdict that isolation is sure of raises at once, unless that is turned off', () => {
  const gate = new Gate();
  const sure = () => bad(at(0), path(), { confidence: 'sure' });
  expect(gate.step(at(0), sure())).toEqual(['raised mmp/smux01 connect']);
  const other = new Gate();
  other.policy = { ...POLICY, sureAtOnce: false };
  expect(other.step(at(0), sure())).toEqual([]);
});

test('what stays bad for so long is raised by time alone, and not when it was good in between', () => {
  const gate = new Gate();
  gate.step(at(0), bad(at(0)));
  expect(gate.step(at(29))).toEqual([]);
  expect(gate.step(at(30))).toEqual(['raised mmp/smux01 connect']);
  const other = new Gate();
  other.step(at(0), bad(at(0)));
  other.step(at(5), good(at(5)));
  expect(other.step(at(60))).toEqual([]);
});

test('ten red paths over one machine are one alarm that lists them', () => {
  const gate = new Gate();
  const paths = ['ims1', 'ims2'].flatMap(account =>
    ['ssmtp01', 'ssmtp02', 'ssmtp03', 'ssmtp04', 'ssmtp05'].map(mta => path(account, mta)),
  );
  const [event, ...more] = gate.events(at(0), ...paths.map(each => bad(at(0), each)));
  expect(more).toEqual([]);
  expect([event?.what, Object.keys(event?.alarm.touched ?? {}).length]).toEqual(['raised', 10]);
});

test('POP3 and IMAP of one machine in one phase are one alarm, another phase is another', () => {
  const gate = new Gate();
  const events = gate.events(
    at(0),
    ...[bad(at(0)), bad(at(0), path('ims2')), bad(at(0), path('ims1', 'ssmtp01', 'smux01', 'imap'))],
    ...[bad(at(0), path('ims2', 'ssmtp02'), { phase: 'auth' }), bad(at(0), path('ims2', 'ssmtp03'), { phase: 'auth' })],
  );
  expect(events.map(({ alarm }) => [alarm.phase, alarm.protocols])).toEqual([
    ['connect', ['pop3', 'imap']],
    ['auth', ['pop3']],
  ]);
});

test('it is cleared by good results in a row from measurements that lead over it, whichever they are', () => {
  const gate = new Gate();
  gate.step(at(0), bad(at(0)), bad(at(0), path('ims2')));
  expect(gate.step(at(5), good(at(5), path('ims1', 'ssmtp01', 'smux02')))).toEqual([]);
  expect(gate.step(at(6), good(at(6), path('ims1', 'ssmtp01', 'smux02')))).toEqual([]);
  expect(gate.step(at(10), good(at(10), path('ims9')))).toEqual([]);
  expect(gate.step(at(15), good(at(15)))).toEqual(['cleared mmp/smux01 connect']);
});

test('a protocol that was seen to fail must be seen to work again', () => {
  const gate = new Gate();
  const imap = (account = 'ims1'): Path => path(account, 'ssmtp01', 'smux01', 'imap');
  gate.step(at(0), bad(at(0)), bad(at(0), imap()));
  expect(gate.step(at(5), good(at(5)), good(at(5), path('ims2')), good(at(5), path('ims3')))).toEqual([]);
  expect(gate.step(at(10), good(at(10), imap('ims2')))).toEqual(['cleared mmp/smux01 connect']);
});

test('an alarm about POP3 is not cleared by IMAP', () => {
  const gate = new Gate();
  gate.step(at(0), bad(at(0)), bad(at(0), path('ims2')));
  const imap = [1, 2, 3].map(minute => good(at(minute), path(`ims${minute + 4}`, 'ssmtp01', 'smux01', 'imap')));
  expect(gate.step(at(5), ...imap)).toEqual([]);
});

test('paths that fail and paths that do not, in one round after the other, neither end it nor make it flap', () => {
  const gate = new Gate();
  const said: string[] = [];
  for (let minute = 0; minute < 120; minute += 5) {
    const failing = ['ims1', 'ims2'].map(account => bad(at(minute), path(account)));
    const passing = ['ims3', 'ims4', 'ims5'].map(account => good(at(minute) + 900, path(account)));
    said.push(...gate.step(at(minute) + 1000, ...failing, ...passing));
  }
  expect(said).toEqual(['raised mmp/smux01 connect']);
});

test('a round in which something still failed ends nothing, however many were good after it', () => {
  const gate = new Gate();
  gate.step(at(0), bad(at(0)), bad(at(0), path('ims2')));
  const rest = ['ims3', 'ims4', 'ims5'].map(account => good(at(5) + 900, path(account)));
  expect(gate.step(at(6), bad(at(5)), ...rest)).toEqual([]);
  expect(gate.step(at(10), good(at(10)), good(at(10), path('ims2')))).toEqual(['cleared mmp/smux01 connect']);
});

test('a path that fails each hour, among others over the same machine that do not, is raised by its own count, and ended by itself', () => {
  const gate = new Gate();
  const said: string[] = [];
  for (let minute = 0; minute < 300; minute += 5) {
    const account = `ims${minute % 60}`;
    const isBad = account === 'ims0' && minute < 180;
    said.push(
      ...gate
        .step(at(minute), isBad ? bad(at(minute), path(account)) : good(at(minute), path(account)))
        .map(text => `${minute} ${text}`),
    );
  }
  expect(said).toEqual(['60 raised mmp/smux01 connect', '180 cleared mmp/smux01 connect']);
  expect(gate.state.alarms[0]?.firstAt).toBe(at(0));
});

test('slow is raised by its own count, and becomes failed: changed, once', () => {
  const gate = new Gate();
  const slow = (minute: number) => bad(at(minute), path(), { kind: 'slow', phase: 'auth' }, { state: 'slow' });
  expect(gate.step(at(0), slow(0))).toEqual([]);
  expect(gate.step(at(5), slow(5))).toEqual([]);
  expect(gate.events(at(10), slow(10)).map(({ what, alarm }) => [what, alarm.severity])).toEqual([['raised', 'slow']]);
  const failed = (minute: number) => bad(at(minute), path(), { phase: 'auth', kind: 'rejected' });
  expect(gate.step(at(15), failed(15))).toEqual([]);
  expect(gate.events(at(20), failed(20)).map(({ what, alarm }) => [what, alarm.severity, alarm.was])).toEqual([
    ['changed', 'failed', 'slow'],
  ]);
  expect(gate.step(at(25), failed(25))).toEqual([]);
  gate.step(at(30), slow(30), slow(31));
  expect(gate.step(at(35), slow(35))).toEqual(['changed mmp/smux01 auth']);
});

test('the same machine one phase further on is the same alarm, changed', () => {
  const gate = new Gate();
  gate.step(at(0), bad(at(0)), bad(at(0), path('ims2')));
  expect(gate.step(at(5), bad(at(5), path(), { phase: 'auth', kind: 'rejected' }))).toEqual([]);
  const [event] = gate.events(at(10), bad(at(10), path('ims2'), { phase: 'auth', kind: 'rejected' }));
  expect([event?.what, event?.alarm.phase, event?.alarm.was]).toEqual(['changed', 'auth', 'mmp/smux01 connect']);
  expect(gate.stages()).toEqual(['open mmp/smux01 auth']);
});

test('a verdict that is amended takes its alarm with it', () => {
  const gate = new Gate();
  const first = bad(at(0), path(), { confidence: 'sure' });
  expect(gate.step(at(0), first)).toEqual(['raised mmp/smux01 connect']);
  const cause = { component: 'directory/ldap1', protocol: 'ldap', phase: 'bind', kind: 'timeout', confidence: 'sure' } as const;
  const amended = { ...first, at: at(1), causes: [cause] };
  const [event, ...more] = gate.events(at(1), amended);
  expect(more).toEqual([]);
  expect([event?.what, event?.alarm.component, event?.alarm.was, event?.alarm.id]).toEqual([
    'changed',
    'directory/ldap1',
    'mmp/smux01 connect',
    1,
  ]);
});

test('one verdict of several that is weighed again takes the open alarm along, said once; the next trips that look as before join it', () => {
  const gate = new Gate();
  gate.around = { ...SITE, needs: new Map([['mta/ssmtp01', new Set(['filter/dkim' as const])]]) };
  const silent = { component: 'mta/ssmtp01', protocol: 'smtp', phase: 'banner', kind: 'timeout' } as const;
  const [first, second] = [bad(at(0), path(), silent), bad(at(0), path('ims2'), silent)];
  expect(gate.step(at(0), first, second)).toEqual(['raised mta/ssmtp01 banner']);
  const filter = {
    component: 'filter/dkim',
    protocol: 'milter',
    phase: 'negotiate',
    kind: 'timeout',
    confidence: 'likely',
  } as const;
  const [event, ...more] = gate.events(at(1), { ...first, at: at(1), causes: [filter], isAmendment: true });
  expect([more, event?.what, event?.alarm.component, event?.alarm.was]).toEqual([
    [],
    'changed',
    'filter/dkim',
    'mta/ssmtp01 banner',
  ]);
  for (let minute = 5; minute < 60; minute += 5) {
    const again = bad(at(minute), path(), silent);
    expect(gate.step(at(minute), again)).toEqual([]);
    expect(gate.step(at(minute + 1), { ...again, at: at(minute + 1), causes: [filter], isAmendment: true })).toEqual([]);
  }
});

test('a door that is slow and not silent, as a longer look has shown, is said once and not with every trip', () => {
  const gate = new Gate();
  const silent = { component: 'mta/ssmtp01', protocol: 'smtp', phase: 'banner', kind: 'timeout', confidence: 'sure' } as const;
  const first = bad(at(0), path(), silent);
  expect(gate.step(at(0), first)).toEqual(['raised mta/ssmtp01 banner']);
  const slow = { causes: [{ ...silent, kind: 'slow' }], state: 'slow', isAmendment: true } as const;
  const [event] = gate.events(at(1), { ...first, at: at(1), ...slow });
  expect([event?.what, event?.alarm.kind, event?.alarm.was]).toEqual([
    'changed',
    'slow',
    'mta/ssmtp01 smtp banner: no answer in time',
  ]);
  const later: string[] = [];
  for (let minute = 5; minute < 120; minute += 5) {
    const again = bad(at(minute), path(), silent);
    for (const said of [gate.step(at(minute), again), gate.step(at(minute + 1), { ...again, at: at(minute + 1), ...slow })])
      later.push(...said.map(text => `${minute} ${text}`));
  }
  // Slow three times in a row: from then on it is called that.
  expect(later).toEqual(['10 changed mta/ssmtp01 banner']);
  expect(gate.state.alarms[0]?.severity).toBe('slow');
});

test('a verdict that is amended to be sure counts once', () => {
  const gate = new Gate();
  const first = bad(at(0));
  gate.step(at(0), first);
  expect(gate.step(at(1), { ...first })).toEqual([]);
  expect(gate.state.alarms[0]?.count).toEqual({ results: 1, bad: 1 });
});

test('a dead directory explains the log-ins that it breaks, not a port that is closed', () => {
  const gate = new Gate();
  const ldap = (minute: number, over: Path) =>
    bad(at(minute), over, { component: 'directory/ldap1', protocol: 'ldap', phase: 'connect', kind: 'timeout' });
  const auth = (minute: number, over: Path) => bad(at(minute), over, { phase: 'auth', kind: 'rejected' });
  expect(gate.step(at(0), ldap(0, path()), ldap(0, path('ims2')), auth(0, path('ims3')), auth(0, path('ims4')))).toEqual([
    'raised directory/ldap1 connect',
  ]);
  expect(gate.state.alarms.map(({ explains, explainedBy }) => [explains, explainedBy])).toEqual([
    [['mmp/smux01 auth'], undefined],
    [[], 1],
  ]);
  const two = path('ims1', 'ssmtp01', 'smux02');
  expect(gate.step(at(5), bad(at(5), two), bad(at(6), two))).toEqual(['raised mmp/smux02 connect']);
  // The directory is back; what fails then fails for a reason of its own.
  const well = [1, 2, 3].map(n => good(at(10), path(`ims${n + 5}`, 'ssmtp01', 'smux03')));
  expect(gate.step(at(10), ...well)).toEqual(['cleared directory/ldap1 connect']);
  expect(gate.step(at(15), auth(15, path('ims3')))).toEqual([]);
  expect(gate.step(at(20), auth(20, path('ims4')))).toEqual(['raised mmp/smux01 auth']);
});

test('several suspects that cannot be told apart join the alarm that is open on one of them', () => {
  const gate = new Gate();
  gate.step(at(0), bad(at(0)), bad(at(0), path('ims2')));
  const either = bad(at(5), path('ims3'));
  const [cause] = either.causes;
  if (cause === undefined) throw new Error('no cause');
  const unsure = { ...either, causes: [{ ...cause, component: 'store/ims3' as const }, cause] };
  expect(gate.step(at(5), unsure, { ...unsure, tripId: 'another' })).toEqual([]);
  expect(gate.stages()).toEqual(['open mmp/smux01 connect']);
});

test('a component that is worked on raises nothing, and counts afresh when that is over', () => {
  const gate = new Gate();
  gate.around = { ...SITE, outages: [{ component: 'mmp/smux01', from: at(0), until: at(60), reason: 'new kernel' }] };
  for (let minute = 0; minute < 60; minute += 5) expect(gate.step(at(minute), bad(at(minute)))).toEqual([]);
  expect(gate.stages()).toEqual([]);
  expect(gate.step(at(60), bad(at(60)))).toEqual([]);
  expect(gate.step(at(65), bad(at(65)))).toEqual(['raised mmp/smux01 connect']);
});

test('work on a directory excuses the log-ins that need it, and work on one end of a link the link', () => {
  const gate = new Gate();
  gate.around = {
    ...SITE,
    outages: [
      { component: 'directory/ldap1', from: at(0), until: at(60), reason: 'restore' },
      { component: 'store/ims1', from: at(0), until: at(60), reason: 'disks' },
    ],
  };
  const link = { component: 'link/smux01-ims1', phase: 'connect', kind: 'timeout' } as const;
  gate.step(at(1), bad(at(1), path(), { phase: 'auth' }), bad(at(1), path('ims2'), { phase: 'auth' }));
  gate.step(at(2), bad(at(2), path(), link), bad(at(2), path(), link));
  expect(gate.stages()).toEqual([]);
  expect(gate.step(at(3), bad(at(3)), bad(at(3), path('ims2')))).toEqual(['raised mmp/smux01 connect']);
});

test('many failing at once, with our resolver broken, is one alarm: the monitor is blind', () => {
  const gate = new Gate();
  gate.around = { ...SITE, own: { resolver: 'fails', gateway: 'works' } };
  const paths = Array.from({ length: 200 }, (_, n) => path(`ims${n % 20}`, `ssmtp${n % 7}`, `smux${n % 5}`));
  const failing = (minute: number) => paths.map(each => bad(at(minute), each, { phase: 'resolve', kind: 'name' }));
  const events = gate.events(at(0), ...failing(0));
  expect(events.map(({ what, alarm }) => [what, alarm.component, alarm.phase, alarm.isBlind, alarm.severity])).toEqual([
    ['raised', 'monitor', 'resolve', true, 'unknown'],
  ]);
  expect(gate.step(at(5), ...failing(5))).toEqual([]);
  // A few see again: not yet.
  expect(gate.step(at(10), ...failing(10).slice(100), ...paths.slice(0, 100).map(each => good(at(10), each)))).toEqual([]);
  expect(gate.step(at(15), ...paths.map(each => good(at(15), each)))).toEqual(['cleared monitor resolve']);
});

test.for([
  ['a machine whose name does not resolve', { phase: 'resolve', kind: 'name', confidence: 'sure' }, {}],
  [
    'ourselves, as isolation has found',
    { component: 'monitor', protocol: 'local', phase: 'resolve', kind: 'local', confidence: 'sure' },
    { state: 'unknown' },
  ],
] as const)(
  'a resolver of ours that dies in the middle of a round, whatever share of it is left, is one alarm (%s)',
  ([, cause, more]) => {
    const paths = Array.from({ length: 20 }, (_, n) => path(`ims${n % 4}`, `ssmtp${n % 5}`, `smux${n}`));
    for (const died of [1, 10, 13, 16]) {
      const gate = new Gate();
      gate.step(at(0), ...paths.map(each => good(at(0), each)));
      gate.around = { ...SITE, own: { resolver: 'fails', gateway: 'works' } };
      const said: string[] = [];
      // As a round tells: at the first that fails, and at its end.
      const fails = (n: number, now: number) => bad(now, paths[n], cause, more);
      said.push(...gate.step(at(5), ...paths.slice(0, died).map(each => good(at(5), each)), fails(died, at(5))));
      const left = paths.map((_, n) => n).filter(n => n > died);
      said.push(...gate.step(at(5.4), ...left.map(n => fails(n, at(5.4)))));
      for (const minute of [10, 15, 20]) said.push(...gate.step(at(minute), ...paths.map((_, n) => fails(n, at(minute)))));
      expect([died, said]).toEqual([died, ['raised monitor resolve']]);
      gate.around = { ...SITE, own: { resolver: 'works', gateway: 'works' } };
      const end = [25, 30].flatMap(minute => gate.step(at(minute), ...paths.map(each => good(at(minute), each))));
      expect([died, end]).toEqual([died, ['cleared monitor resolve']]);
    }
  },
);

test('an alarm on ourselves that was raised before so many failed becomes the one that says so, without another word', () => {
  const gate = new Gate();
  const us = { component: 'monitor', protocol: 'local', phase: 'resolve', kind: 'local' } as const;
  const paths = Array.from({ length: 8 }, (_, n) => path(`ims${n}`));
  const said = [0, 1, 2].flatMap(minute => gate.step(at(minute), bad(at(minute), paths[0], us, { state: 'unknown' })));
  for (const minute of [3, 4])
    said.push(...gate.step(at(minute), ...paths.map(each => bad(at(minute), each, us, { state: 'unknown' }))));
  expect(said).toEqual(['raised monitor resolve']);
  expect(gate.state.alarms.map(({ stage, isBlind }) => [stage, isBlind])).toEqual([['open', true]]);
});

test('one name that does not resolve while our resolver is silent waits a minute for others, and is told then', () => {
  const gate = new Gate();
  const paths = Array.from({ length: 8 }, (_, n) => path(`ims${n}`, 'ssmtp01', `smux0${n}`));
  gate.step(at(0), ...paths.map(each => good(at(0), each)));
  gate.around = { ...SITE, own: { resolver: 'fails', gateway: 'works' } };
  const name = { phase: 'resolve', kind: 'name', confidence: 'sure' } as const;
  expect(gate.step(at(5), bad(at(5), paths[1], name))).toEqual([]);
  expect(gate.step(at(5.5), ...paths.slice(2).map(each => good(at(5.5), each)))).toEqual([]);
  expect(gate.step(at(6))).toEqual(['raised mmp/smux01 resolve']);
  // Nor does it wait for anything where the look finds us well, or the fault is not one that it explains.
  for (const [own, cause] of [
    [{ resolver: 'works', gateway: 'works' }, name],
    [
      { resolver: 'fails', gateway: 'works' },
      { kind: 'timeout', confidence: 'sure' },
    ],
    [{ resolver: 'fails', gateway: 'fails' }, { confidence: 'sure' }],
  ] as const) {
    const other = new Gate();
    other.around = { ...SITE, own };
    expect(other.step(at(0), bad(at(0), path(), cause))).toEqual([
      `raised mmp/smux01 ${'phase' in cause ? cause.phase : 'connect'}`,
    ]);
  }
});

test('many failing at once are the site when we are well, and refusals are never our fault', () => {
  const paths = Array.from({ length: 20 }, (_, n) => path(`ims${n}`, 'ssmtp01', `smux${n % 2}`));
  const well = new Gate();
  well.around = { ...SITE, own: { resolver: 'works', gateway: 'works' } };
  expect(well.step(at(0), ...paths.map(each => bad(at(0), each, { kind: 'timeout' })))).toEqual([
    'raised mmp/smux0 connect',
    'raised mmp/smux1 connect',
  ]);
  const broken = new Gate();
  broken.around = { ...SITE, own: { resolver: 'fails', gateway: 'fails' } };
  expect(broken.step(at(0), ...paths.map(each => bad(at(0), each)))).toEqual([
    'raised mmp/smux0 connect',
    'raised mmp/smux1 connect',
  ]);
});

test('a fault of ours that isolation has named makes many failures blindness', () => {
  const gate = new Gate();
  const paths = Array.from({ length: 10 }, (_, n) => path(`ims${n}`));
  const ours = paths.map(each =>
    bad(at(0), each, { component: 'monitor', protocol: 'local', phase: 'connect', kind: 'local' }, { state: 'unknown' }),
  );
  expect(gate.step(at(0), ...ours)).toEqual(['raised monitor connect']);
  expect(gate.state.alarms).toHaveLength(1);
});

test('a password file that cannot be read is an alarm about ourselves after three results, and only its own path clears it', () => {
  const gate = new Gate();
  const secret = (minute: number) =>
    bad(at(minute), path(), { component: 'monitor', protocol: 'local', phase: 'secret', kind: 'local' }, { state: 'unknown' });
  gate.step(at(0), secret(0));
  gate.step(at(5), secret(5), good(at(5), path('ims2')));
  expect(gate.events(at(10), secret(10)).map(({ what, alarm }) => [what, alarm.severity])).toEqual([['raised', 'unknown']]);
  expect(gate.step(at(15), good(at(15), path('ims2')), good(at(16), path('ims2')))).toEqual([]);
  expect(gate.step(at(20), good(at(20)), good(at(21)))).toEqual(['cleared monitor secret']);
});

test('what comes and goes is raised twice, said to be flapping once, and then quiet until it has come to rest', () => {
  const gate = new Gate();
  const said: string[] = [];
  for (let minute = 0; minute < 6 * 60; minute += 5) {
    const isDown = Math.floor(minute / 20) % 2 === 0;
    said.push(...gate.step(at(minute), isDown ? bad(at(minute)) : good(at(minute))));
  }
  expect(said.map(text => text.split(' ')[0])).toEqual(['raised', 'cleared', 'raised', 'cleared', 'flapping']);
  said.length = 0;
  for (let minute = 6 * 60; minute < 8 * 60; minute += 5) said.push(...gate.step(at(minute), good(at(minute))));
  expect(said).toEqual(['cleared mmp/smux01 connect']);
  // It starts with a clean slate.
  expect(gate.step(at(600), bad(at(600)))).toEqual([]);
  expect(gate.step(at(605), bad(at(605)))).toEqual(['raised mmp/smux01 connect']);
});

test('flapping that ends in steady failure is said as a change', () => {
  const gate = new Gate();
  for (let minute = 0; minute < 120; minute += 5)
    gate.step(at(minute), Math.floor(minute / 15) % 2 === 0 ? bad(at(minute)) : good(at(minute)));
  expect(gate.state.alarms[0]?.flapping).toBeDefined();
  const said: string[] = [];
  for (let minute = 120; minute < 240; minute += 5) said.push(...gate.step(at(minute), bad(at(minute))));
  expect(said).toEqual(['changed mmp/smux01 connect']);
});

test('two outages in an hour are no flapping', () => {
  const gate = new Gate();
  const said: string[] = [];
  for (let minute = 0; minute < 100; minute += 5) {
    const isDown = (minute >= 10 && minute < 25) || (minute >= 60 && minute < 75);
    said.push(...gate.step(at(minute), isDown ? bad(at(minute)) : good(at(minute))));
  }
  expect(said.map(text => text.split(' ')[0])).toEqual(['raised', 'cleared', 'raised', 'cleared']);
});

test.for([
  ['all good', '.....................', 0],
  ['one outage', '......xxxxxx.........', 10],
  ['two outages', '...xxx.....xxx.......', 20],
  ['restless', 'x.x.x.x.x.x.x.x.x.x.x', 100],
  ['just begun', 'x.x', 12],
] as const)('changePercent() of %s is about %d', ([, marks, percent]) => {
  const found = changePercent([...marks].map(mark => mark === 'x'));
  expect(Math.abs(found - percent)).toBeLessThan(2.5);
});

test('an alarm that nothing measures any more is closed with those words, while the monitor works', () => {
  const gate = new Gate();
  gate.step(at(0), bad(at(0)), bad(at(0), path('ims2')));
  expect(gate.step(at(0) + 27 * HOUR)).toEqual([]);
  const [event] = gate.events(at(0) + 28 * HOUR, good(at(0) + 28 * HOUR, path('ims9', 'ssmtp09', 'smux09')));
  expect([event?.what, event?.alarm.closedBecause]).toEqual(['cleared', 'it is not measured any more']);
});

test('shiftGate() keeps all spans as they were', () => {
  const gate = new Gate();
  gate.step(at(0), bad(at(0)));
  gate.state = shiftGate(gate.state, 3 * HOUR);
  expect(gate.step(at(0) + 3 * HOUR + 29 * MINUTE)).toEqual([]);
  expect(gate.step(at(0) + 3 * HOUR + 30 * MINUTE)).toEqual(['raised mmp/smux01 connect']);
});

test('forget() drops what is over and told, and keeps what is still to be told', () => {
  const gate = new Gate();
  gate.step(at(0), bad(at(0)), bad(at(0), path('ims2')));
  gate.step(at(5), good(at(5)), good(at(5), path('ims2')));
  const later = at(5) + 7 * HOUR;
  expect(forget(gate.state, POLICY, () => true, later).alarms).toHaveLength(1);
  expect(forget(gate.state, POLICY, () => false, at(10)).alarms).toHaveLength(1);
  expect(forget(gate.state, POLICY, () => false, later).alarms).toEqual([]);
});

test('step() changes nothing that it was given, survives JSON, and never has two alarms on one cause', () => {
  const kinds = ['timeout', 'refused-connection', 'rejected'] as const;
  const phases = ['connect', 'auth', 'retr'] as const;
  const one = fc.record({
    minutes: fc.integer({ min: 0, max: 30 }),
    isGood: fc.boolean(),
    account: fc.constantFrom('ims1', 'ims2'),
    mmp: fc.constantFrom('smux01', 'smux02'),
    mailbox: fc.constantFrom('pop3' as const, 'imap' as const),
    phase: fc.constantFrom(...phases),
    kind: fc.constantFrom(...kinds),
    state: fc.constantFrom('failed' as const, 'slow' as const, 'unknown' as const),
  });
  fc.assert(
    fc.property(fc.array(fc.array(one, { maxLength: 6 }), { maxLength: 30 }), rounds => {
      let state = NO_ALARMS;
      let now = START;
      for (const round of rounds) {
        now += 5 * MINUTE;
        const results = round.map(({ isGood, account, mmp, mailbox, phase, kind, state: how }) =>
          isGood
            ? good(now, path(account, 'ssmtp01', mmp, mailbox))
            : bad(now, path(account, 'ssmtp01', mmp, mailbox), { phase, kind }, { state: how }),
        );
        const before = JSON.stringify(state);
        const next = step(state, results, POLICY, SITE, now);
        expect(JSON.stringify(state)).toBe(before);
        expect(step(JSON.parse(before), results, POLICY, SITE, now)).toEqual(next);
        const live = next.state.alarms
          .filter(({ stage }) => stage !== 'closed')
          .map(({ component, phase: p }) => `${component} ${p}`);
        expect(new Set(live).size).toBe(live.length);
        // What is raised has been closed before, or is new; what is cleared has been open.
        for (const { what, alarm } of next.events) {
          const was = state.alarms.find(({ id }) => id === alarm.id)?.stage;
          if (what === 'raised') expect(was).not.toBe('open');
          if (what === 'cleared' || what === 'changed') expect(was).toBe('open');
        }
        state = next.state;
      }
    }),
    { numRuns: 300 },
  );
});
