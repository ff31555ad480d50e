// What the checks of a mail host find, as alarms: raised, kept apart, ended, and never taken for trouble of the monitor.

import { expect, test } from 'vitest';
import { resultsOfReading } from '../../lib/alarm/when/reading.ts';
import { plainText } from '../../lib/alarm/words/wording.ts';
import type { CheckName, CheckReading, HostFinding } from '../../lib/model/reading.ts';
import { JOURNAL_VERSION, type ReadingRecord } from '../../lib/model/record.ts';
import { putDrain } from '../../lib/record/drain.ts';
import { LONE, MINUTE, Night, path } from './night.ts';

const FULL: HostFinding = {
  level: 'critical',
  subject: 'sys.disk_used_percent:/var',
  text: 'space used (/var): 98 %, limit 97 %',
  value: 98,
  limit: 97,
};
const LOADED: HostFinding = { level: 'warning', subject: 'sys.load_per_processor', text: 'load per processor: 5, limit 4' };
const GONE: HostFinding = { level: 'critical', subject: 'daemon:dovecot', text: 'dovecot does not run any more' };

function check(name: CheckName, ...findings: readonly HostFinding[]): CheckReading {
  const worst = (['critical', 'unknown', 'warning'] as const).find(level => findings.some(each => each.level === level));
  return { check: name, level: worst ?? 'ok', text: '', figures: {}, findings, missing: [], tops: {}, tookMs: 1 };
}

function looked(night: Pick<Night, 'at'>, ...checks: readonly CheckReading[]): ReadingRecord {
  const reading = { host: 'mx1', startedAt: night.at, level: 'ok' as const, checks };
  return { v: JOURNAL_VERSION, at: night.at, type: 'reading', by: 'hostcheck', reading };
}

test('a critical finding is raised at once, told in its own words with what to run next, and ended by two looks without it', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  night.write(looked(night, check('sys', FULL), check('procs')));
  await night.tell();
  expect(plainText({ ...(night.brought[0]?.parcel ?? failed()), at: night.at, decidedAt: night.at, heldBack: 0 })).toMatch(
    /^CRITICAL {2}host\/mx1 sys: space used \(\/var\): 98 %, limit 97 %\nsince {4}02:00, just now\ntouched {2}check_sys on mx1\nnext {5}check_sys -v --no-record\nalarm {4}1 /,
  );
  for (const minutes of [5, 10, 15]) {
    night.to(from, minutes);
    night.write(looked(night, check('sys')));
    await night.tell();
  }
  expect(night.news(from)).toEqual([
    '0 pager CRITICAL host/mx1 sys: space used (/var): 98 %, limit 97 %',
    '10 pager CLEARED host/mx1 sys: space used (/var): 98 %, limit 97 %',
  ]);
});

function failed(): never {
  throw new Error('nothing was brought');
}

test('findings are alarms of their own: one that goes ends while the others stay', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  night.write(looked(night, check('sys', FULL), check('procs', GONE)));
  await night.tell();
  for (const minutes of [5, 10, 15]) {
    night.to(from, minutes);
    night.write(looked(night, check('sys', FULL), check('procs')));
    await night.tell();
  }
  const alarms = night.kept().gate.alarms.map(({ stage, component, phase }) => `${stage} ${component} ${phase}`);
  expect(alarms).toEqual(['open host/mx1 sys disk_used_percent:/var', 'closed host/mx1 procs daemon:dovecot']);
});

test('a warning is raised at once as well; what waits for its time says nothing either way', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  const waiting = { ...LOADED, level: 'ok' as const };
  for (const [minutes, ...findings] of [[0, waiting], [5, LOADED], [10], [15, waiting], [20, waiting], [25]] as const) {
    night.to(from, minutes);
    night.write(looked(night, check('sys', ...findings)));
    await night.tell();
  }
  expect(night.news(from)).toEqual([
    '5 pager WARNING host/mx1 sys: load per processor: 5, limit 4',
    '25 pager CLEARED host/mx1 sys: load per processor: 5, limit 4',
  ]);
});

test('a warning that becomes critical is told as a change; what cannot be measured waits for the numbers of unknown', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  const blind: HostFinding = { level: 'unknown', subject: 'disk:/mnt', text: '/mnt cannot be asked' };
  for (const [minutes, finding] of [
    [0, { ...FULL, level: 'warning' as const }],
    [20, FULL],
  ] as const) {
    night.to(from, minutes);
    night.write(looked(night, check('sys', finding), check('files', blind)));
    await night.tell();
  }
  expect(night.news(from)).toEqual([
    '0 pager WARNING host/mx1 sys: space used (/var): 98 %, limit 97 %',
    '20 pager CHANGED, CRITICAL host/mx1 sys: space used (/var): 98 %, limit 97 %',
  ]);
});

test('a check that was not made, or could not see, ends nothing', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  night.write(looked(night, check('sys', FULL)));
  await night.tell();
  const blind: HostFinding = { level: 'unknown', subject: 'sys', text: 'the check itself failed: no' };
  for (const minutes of [5, 10, 15, 20]) {
    night.to(from, minutes);
    night.write(looked(night, minutes > 10 ? check('sys', blind) : check('procs')));
    await night.tell();
  }
  expect(night.news(from).filter(line => line.includes('CLEARED'))).toEqual([]);
  expect(night.kept().gate.alarms[0]?.stage).toBe('open');
});

test('several readings at once are counted in their order, and what was handed over as well is counted once', async () => {
  const night = await Night.begin(LONE);
  const from = night.at;
  const bad = looked(night, check('sys', FULL));
  night.write(bad);
  night.pass(5 * MINUTE);
  const good = looked(night, check('sys'));
  night.write(good);
  await night.tell([bad, good]);
  expect(night.kept().gate.alarms.map(({ count }) => count)).toEqual([{ results: 2, bad: 1 }]);
  night.pass(5 * MINUTE);
  night.write(looked(night, check('sys')));
  await night.tell();
  expect(night.news(from)).toEqual([]);
});

test('a host in trouble is no blindness of the monitor, and no path', async () => {
  const night = await Night.begin(LONE);
  const unknown = (n: number): HostFinding => ({ level: 'unknown', subject: `disk:/mnt/${n}`, text: 'does not answer' });
  night.own = { resolver: 'fails', gateway: 'fails' };
  night.write(looked(night, check('sys', ...[1, 2, 3, 4, 5].map(unknown))), night.trip(path()));
  await night.tell();
  const { alarms, latest } = night.kept().gate;
  expect(alarms.filter(({ isBlind }) => isBlind === true)).toEqual([]);
  expect(Object.keys(latest).filter(subject => subject.startsWith('host/'))).toEqual([]);
});

test('work on a server is work on the machine of its name', async () => {
  const night = await Night.begin(LONE);
  putDrain(night.state, { component: 'mta/mx1', since: night.at - MINUTE, reason: 'new disk' });
  night.write(looked(night, check('sys', FULL)));
  await night.tell();
  expect(night.brought).toEqual([]);
});

test('names that strangers chose are harmless in subject and words', () => {
  const reading = looked({ at: 1 }, check('files', { level: 'warning', subject: 'core:/tmp/\x1b[2Jx', text: 'new \x1b[31m' }));
  const [result] = resultsOfReading({ ...reading, reading: { ...reading.reading, host: 'a\nb' } }, new Set());
  expect(result).toMatchObject({
    subject: 'host/a\\x0ab files core:/tmp/\\x1b[2Jx',
    state: 'slow',
    words: 'new \\x1b[31m',
    causes: [{ component: 'host/a\\x0ab', phase: 'files core:/tmp/\\x1b[2Jx', kind: 'host' }],
  });
});
