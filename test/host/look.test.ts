// One look at a host: judged, remembered, recorded; and what is told when one of these cannot be done.

import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostNagios, hostText } from '../../lib/cli/view/host.ts';
import type { Check, Sample } from '../../lib/host/check.ts';
import { defaultConfig } from '../../lib/host/config.ts';
import { defaultLimits } from '../../lib/host/default-limits.ts';
import { type LookOptions, lookAtHost } from '../../lib/host/look.ts';
import type { CheckName, HostReading } from '../../lib/model/reading.ts';
import { localDay } from '../../lib/record/day.ts';
import { readJournal } from '../../lib/record/journal.ts';
import { parseQmonitor } from '../../lib/record/qmonitor.ts';
import { AT, nothingInstalled } from './tree.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'healthmon-look-'));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const sample = (more: Partial<Sample>): Sample => ({
  figures: {},
  findings: [],
  missing: [],
  tops: {},
  text: 'all is quiet',
  keep: { n: 1 },
  ...more,
});
const FIGURES: Partial<Record<CheckName, Sample>> = {
  queues: sample({ figures: { 'queues.total': 12, 'queues.hold': 3 } }),
  sys: sample({
    figures: {
      'sys.available_bytes': 2_005_648 * 1024,
      'sys.scan_per_s': 0.4,
      'sys.cpu_user_percent': 33.333333333,
      'sys.cpu_system_percent': 1,
      'sys.cpu_wait_percent': 5,
      'sys.cpu_idle_percent': 60.6,
    },
  }),
  mconn: sample({
    figures: {
      'mconn.column:smtp': 4,
      'mconn.column:imap': 48,
      'mconn.column:pop3': 0,
      'mconn.column:ldap': 55,
      'mconn.column:http': 0,
    },
  }),
};

function look(samples: Partial<Record<CheckName, Sample | Error>>, more: Partial<LookOptions> = {}) {
  const seen: unknown[] = [];
  const load = async (name: CheckName): Promise<Check> => ({
    name,
    look: async ({ before }) => {
      seen.push(before);
      const made = samples[name];
      if (made === undefined || made instanceof Error) throw made ?? new Error('none');
      return made;
    },
  });
  const config = { ...defaultConfig(defaultLimits()), instance: 'msg-smtp1' };
  const options: LookOptions = {
    config,
    checks: Object.keys(samples) as CheckName[],
    by: 'test',
    state,
    load,
    root: '/',
    run: nothingInstalled,
    at: AT,
    sleep: async () => {},
    ...more,
  };
  return lookAtHost(options).then(looked => ({ ...looked, seen }));
}

test('a look is written to the journal and remembered; the next one is given what was kept', async () => {
  const first = await look({ queues: FIGURES.queues as Sample });
  expect(first.reading).toMatchObject({
    host: 'msg-smtp1',
    startedAt: AT,
    level: 'ok',
    checks: [{ check: 'queues', level: 'ok', text: 'all is quiet' }],
  });
  const { records } = readJournal(state, localDay(AT));
  expect(records).toEqual([{ v: 1, at: AT, type: 'reading', by: 'test', reading: first.reading }]);
  const second = await look({ queues: FIGURES.queues as Sample }, { at: AT + 1000 });
  expect([first.seen, second.seen]).toEqual([[undefined], [{ n: 1 }]]);
});

test('all checks make one row; a check alone takes its columns from looks that are not recorded', async () => {
  await look(FIGURES as Record<CheckName, Sample>, { row: { alsoLookAt: [] } });
  await look(FIGURES as Record<CheckName, Sample>, {
    checks: ['queues'],
    at: AT + 300_000,
    row: { alsoLookAt: ['sys', 'mconn'] },
  });
  const [day] = parseQmonitor(readFileSync(join(state, 'qmonitor.log'), 'utf8')).days;
  const row = {
    active: 12,
    held: 3,
    swapKb: 2_005_648,
    scanRate: 0,
    user: 33,
    system: 1,
    wait: 5,
    idle: 61,
    smtp: 4,
    imap: 48,
    pop3: 0,
    ldap: 55,
    http: 0,
  };
  expect(day?.instance).toBe('msg-smtp1');
  expect(day?.rows.map(({ time: _, ...rest }) => rest)).toEqual([row, row]);
  expect(readJournal(state, localDay(AT)).records).toHaveLength(2);
  expect(readFileSync(join(state, 'qmonitor.log'), 'utf8').split('\n')[7]).toMatch(
    /^\|\d\d:\d\d\| {4}12 \| {6}3 \| {3}2005648k \| {7}0 \| {3}33 \| {4}1 \| {4}5 \| {4}61 \| {3}4\| {2}48\| {3}0\| {2}55\| {3}0\|$/,
  );
});

test('nothing is remembered or recorded without a state folder', async () => {
  await look(FIGURES as Record<CheckName, Sample>, { state: undefined, row: { alsoLookAt: [] } });
  expect(existsSync(join(state, 'journal'))).toBe(false);
});

test('the worst of all checks is the level, and a check that breaks down is unknown while the others go on', async () => {
  const { reading } = await look({
    queues: sample({ figures: { 'queues.hold': 500 } }),
    sys: new Error('a \x1b[2J bug'),
    mconn: FIGURES.mconn as Sample,
  });
  expect(reading.checks.map(({ check, level, text }) => [check, level, text])).toEqual([
    ['queues', 'warning', 'held messages: 500, limit 100'],
    ['sys', 'unknown', 'the check itself failed: a \\x1b[2J bug'],
    ['mconn', 'ok', 'all is quiet'],
  ]);
  expect(reading.level).toBe('unknown');
  expect(existsSync(join(state, 'host', 'sys.json'))).toBe(false);
});

test('a check that could read nothing at all is unknown; one that lacks a part is not', async () => {
  const missing = [{ what: 'x', why: 'y' }];
  const { reading } = await look({ queues: sample({ missing }), mconn: sample({ missing, figures: { 'mconn.top_client': 1 } }) });
  expect(reading.checks.map(({ level }) => level)).toEqual(['unknown', 'ok']);
});

test('a limit with a time is told before it counts, and remembered between looks', async () => {
  const full = sample({ figures: { 'queues.total': 900 } });
  const first = await look({ queues: full });
  expect([first.reading.level, first.reading.checks[0]?.findings[0]?.text]).toEqual([
    'ok',
    'messages in the queue: 900, limit 500 (counts after 10 min)',
  ]);
  expect((await look({ queues: full }, { at: AT + 600_000 })).reading).toMatchObject({
    level: 'warning',
    checks: [{ text: 'messages in the queue: 900, limit 500, for 10 min' }],
  });
});

test('figures are kept to six digits, and text that strangers chose is made harmless', async () => {
  const { reading } = await look({
    queues: sample({
      figures: { 'queues.drain_per_min': 1 / 3 },
      findings: [{ level: 'warning', subject: 'a\nb', text: '\x1b[31mred' }],
    }),
  });
  expect(reading.checks[0]?.figures).toEqual({ 'queues.drain_per_min': 0.333333 });
  expect(reading.checks[0]?.findings[0]).toMatchObject({ subject: 'a\\x0ab', text: '\\x1b[31mred' });
});

test('what cannot be written is told, and the reading is there', async () => {
  writeFileSync(join(state, 'host'), 'in the way');
  const { reading, notWritten } = await look({ queues: FIGURES.queues as Sample });
  expect(reading.level).toBe('ok');
  expect(notWritten).toHaveLength(1);
  expect(notWritten[0]).toMatch(/^Cannot write .*queues\.json: /);
  chmodSync(state, 0o750);
});

const READING: HostReading = {
  host: 'mx1',
  startedAt: AT,
  level: 'critical',
  checks: [
    {
      check: 'queues',
      level: 'critical',
      text: 'messages in the queue: 4000, limit 3000, for 20 min',
      figures: { 'queues.total': 4000, 'queues.drain_per_min': 3.5 },
      findings: [
        {
          level: 'critical',
          subject: 'queues.total',
          text: 'messages in the queue: 4000, limit 3000, for 20 min',
          value: 4000,
          limit: 3000,
        },
        { level: 'warning', subject: 'daemon:x', text: 'x | y does not run', remedy: 'start it' },
        { level: 'ok', subject: 'z', text: 'z was restarted' },
      ],
      missing: [{ what: 'client hosts', why: 'this user may not read them', remedy: 'run it as root' }],
      tops: {
        'destination domains': [
          { name: 'a.test', count: 3000 },
          { name: 'b.test', count: 1000 },
        ],
      },
      tookMs: 12,
    },
    {
      check: 'sys',
      level: 'ok',
      text: 'CPU 97 % idle',
      figures: { 'sys.disk_used_percent:/a b': 42.5, 'sys.memory_available_percent': 80, 'sys.disk_free_bytes:/': 5 },
      findings: [],
      missing: [],
      tops: {},
      tookMs: 3,
    },
  ],
};

test('a reading is told to people in a few lines', async () => {
  const colours = pc.createColors(false);
  await expect(
    `${hostText(READING, colours, { verbose: false })}\n\n${hostText(READING, colours, { verbose: true })}\n`,
  ).toMatchFileSnapshot('golden/reading.txt');
});

test('a reading is one status line with perfdata for the monitoring plugins', () => {
  const limits = defaultLimits();
  expect(hostNagios(READING, limits, AT)).toBe(
    "HOST CRITICAL - queues: messages in the queue: 4000, limit 3000, for 20 min | 'queues.total'=4000;500;3000;0 'queues.drain_per_min'=3.5;;;0 'sys.disk_used_percent:/a b'=42.5%;90;97;0 'sys.memory_available_percent'=80%;10:;4:;0 'sys.disk_free_bytes:/'=5B;;;0",
  );
  const [first] = READING.checks;
  if (first === undefined) throw new Error('no check');
  const line = hostNagios({ ...READING, checks: [{ ...first, text: 'a | b\nc' }] }, limits, AT);
  expect(line).toMatch(/^QUEUES CRITICAL - a {3}b\\x0ac \| 'queues\.total'=/);
  expect(line.split('|')).toHaveLength(2);
});

test('remedies are ready to paste, and what measures times is not disturbed by what keeps busy', async () => {
  const missing = [{ what: 'x', why: 'y', remedy: 'USER ALL=(postfix) NOPASSWD: /PATH/bin/check_queues' }];
  const order: string[] = [];
  const checks: readonly CheckName[] = ['queues', 'sys', 'ldap'];
  const load = async (name: CheckName): Promise<Check> => ({
    name,
    look: async () => {
      order.push(`${name} begins`);
      await new Promise(resolve => setImmediate(resolve));
      order.push(`${name} ends`);
      return sample({ missing, figures: { 'sys.load1': 1 } });
    },
  });
  const { reading } = await look({}, { checks, load, who: { user: 'mon$&', folder: '/opt/healthmon' } });
  expect(order).toEqual(['ldap begins', 'ldap ends', 'sys begins', 'sys ends', 'queues begins', 'queues ends']);
  expect(reading.checks.map(({ check }) => check)).toEqual(checks);
  expect(reading.checks[0]?.missing[0]?.remedy).toBe('mon$& ALL=(postfix) NOPASSWD: /opt/healthmon/bin/check_queues');
});

test('a remedy that several findings share is told once, behind the last of them', () => {
  const [check] = READING.checks;
  if (check === undefined) throw new Error('no check');
  const gone = (name: string) => ({
    level: 'critical' as const,
    subject: name,
    text: `nothing listens on ${name}`,
    remedy: 'look',
  });
  const findings = [gone('smtp'), gone('imap'), { ...gone('ldap'), remedy: 'else' }];
  const told = hostText(
    { ...READING, checks: [{ ...check, text: 'nothing listens on smtp', findings, missing: [] }] },
    pc.createColors(false),
    { verbose: false },
  );
  expect(told.split('\n').map(line => line.trim())).toEqual([
    'queues  CRITICAL nothing listens on smtp',
    'critical: nothing listens on imap',
    'look',
    'critical: nothing listens on ldap',
    'else',
  ]);
});
