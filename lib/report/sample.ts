// Days that never were, as records: a quiet one, a bad one and an empty one on the site of the seed. Formats are previewed on them, the
// golden files are made from them, and so are the years of the bench. The same call gives the same records.

import { JOURNAL_VERSION, type JournalRecord } from '../model/record.ts';
import type { Sequence } from '../model/sequence.ts';
import { allPaths } from '../plan/due.ts';
import type { QmonitorDay } from '../record/qmonitor.ts';
import type { Report } from './data.ts';
import { type Names, namesOf } from './names.ts';
import { dayPeriod, spanOf } from './period.ts';
import { recordsFrom } from './read.ts';
import { reportOf } from './report.ts';
import { chanceOf, failedTrip, goodTrip, lostTrip, type Start, samplePath, unmeasuredTrip } from './sample-trip.ts';

export const SAMPLES = ['quiet', 'bad', 'empty'] as const;
export type SampleName = (typeof SAMPLES)[number];

const EVERY = 5 * 60_000;

/** The sequence of these days. The bad one has an entry that was never walked. */
function sampleSequence(name: SampleName): Sequence {
  const entries = Array.from({ length: 12 }, (_, slot) => {
    const { mailbox: _mailbox, ...rest } = samplePath(slot);
    return { minute: slot * 5, ...rest, line: slot + 1 };
  });
  return name === 'bad'
    ? [...entries, { minute: 45, account: 'ims2', mta: 'ssmtp02', mmp: 'direct', line: 13, mailbox: 'imap' }]
    : entries;
}

const SAMPLE_NAMES: Names = {
  ...namesOf(undefined),
  site: 'Example Mail',
  domain: 'example.com',
  home: name => `store/${name}`,
};

/** The records of one day, oldest first. */
export function sampleDay(name: SampleName, day: string): JournalRecord[] {
  if (name === 'empty') return [];
  const { startAt, endAt } = spanOf({ from: day, to: day });
  const at = (hours: number, minutes: number) => startAt + (hours * 60 + minutes) * 60_000;
  const records: JournalRecord[] = [];
  const chance = chanceOf(Date.parse(day) / 86_400_000);
  for (let start = 0; startAt + start * EVERY < endAt; start += 1) {
    const startedAt = startAt + start * EVERY + 3000 + Math.floor(chance() * 900);
    const trip = { start, startedAt, path: samplePath(start), chance };
    if (name === 'quiet') records.push(goodTrip(trip));
    else records.push(...badDayTrip(trip, at));
  }
  if (name === 'bad') records.push(...badDayEvents(at));
  return records.sort((a, b) => a.at - b.at);
}

/** As they stand in the journal. */
export function sampleLines(name: SampleName, day: string): string[] {
  return sampleDay(name, day).map(record => JSON.stringify(record));
}

type Clock = (hours: number, minutes: number) => number;

function badDayTrip(trip: Start, at: Clock): JournalRecord[] {
  const { startedAt, path, start } = trip;
  const between = (from: number, until: number) => startedAt >= from && startedAt < until;
  if (between(at(13, 30), at(14, 5))) return [];
  if (between(at(3, 15), at(5, 20)) && path.mmp === 'smux02' && path.mailbox === 'pop3')
    return [
      failedTrip(trip, {
        component: 'mmp/smux02',
        protocol: 'pop3',
        phase: 'auth',
        kind: 'rejected',
        text: 'refused: -ERR [SYS/TEMP] authentication service not available',
        reply: { code: '-ERR', enhanced: 'SYS/TEMP', lines: ['[SYS/TEMP] authentication service not available'] },
        lasting: 'transient',
      }),
    ];
  if (between(at(9, 0), at(11, 0)) && path.mta === 'ssmtp04') return [goodTrip(trip, { submit: 11_800 })];
  if (between(at(12, 40), at(12, 45))) return lostTrip(trip);
  if (between(at(16, 40), at(16, 45))) return [unmeasuredTrip(trip)];
  if (between(at(18, 10), at(18, 15))) return [goodTrip(trip, {}, [{ what: 'duplicate', text: 'two copies were in the inbox' }])];
  return [goodTrip(trip, start % 97 === 0 ? { transit: 3900 } : {})];
}

function badDayEvents(at: Clock): JournalRecord[] {
  const head = (when: number) => ({ v: JOURNAL_VERSION, at: when }) as const;
  const cause = { component: 'mmp/smux02', protocol: 'pop3', phase: 'auth', kind: 'rejected' } as const;
  const text = 'mmp/smux02 pop3 auth: refused: -ERR [SYS/TEMP] authentication service not available';
  const notice = {
    ...cause,
    type: 'notice',
    alarm: 17,
    state: 'failed',
    text,
    since: at(3, 30),
    paths: [],
    pathCount: 2,
  } as const;
  const delivery = { type: 'delivery', to: 'oncall', tookMs: 240 } as const;
  return [
    { ...head(at(0, 0) + 1200), type: 'monitor', event: 'started', text: 'check_rndtrip --daemon, process 4711' },
    { ...head(at(3, 30) + 9000), ...notice, what: 'raised', to: ['oncall'] },
    {
      ...head(at(3, 30) + 9600),
      ...delivery,
      message: 'm1',
      channel: 'webhook',
      attempt: 1,
      outcome: 'failed',
      text: 'answered 503',
      notices: [{ alarm: 17, what: 'raised' }],
    },
    {
      ...head(at(3, 30) + 12_000),
      ...delivery,
      message: 'm1',
      channel: 'sms',
      attempt: 2,
      outcome: 'delivered',
      text: '',
      notices: [{ alarm: 17, what: 'raised' }],
    },
    { ...head(at(3, 41)), type: 'ack', alarm: 17, by: 'kim', reason: 'looking at the directory' },
    { ...head(at(5, 40)), ...notice, what: 'cleared', to: ['oncall'], lastedMs: 7_200_000 },
    {
      ...head(at(5, 40) + 700),
      ...delivery,
      message: 'm2',
      channel: 'webhook',
      attempt: 1,
      outcome: 'failed',
      text: 'answered 503',
      notices: [{ alarm: 17, what: 'cleared' }],
    },
    {
      ...head(at(13, 30)),
      type: 'skip',
      by: 'daemon',
      why: 'this process did not get to run in its minute',
      paths: [],
    },
    { ...head(at(20, 0)), type: 'monitor', event: 'config changed', text: 'sequence.cfg (sha256 3f2a91c0 -> 77b0d4e5)' },
  ];
}

const SAMPLE_HOST: QmonitorDay = {
  day: '2026-11-21',
  instance: 'ssmtp01',
  rows: Array.from({ length: 288 }, (_, index) => ({
    time: `${String(Math.floor(index / 12)).padStart(2, '0')}:${String((index % 12) * 5).padStart(2, '0')}`,
    active: index % 7,
    held: index > 200 ? 3 : 0,
    swapKb: 2_005_656 - index * 1000,
    idle: 97 - (index % 40),
    smtp: 12 + (index % 9),
    imap: 50 + (index % 11),
    pop3: 4,
  })),
};

/** The day on which the samples are set: a Saturday. */
const SAMPLE_DAY = '2026-11-21';

/** The report of a sample. The days before it are quiet ones. */
export function sampleReport(name: SampleName, version: string): Report {
  const period = dayPeriod(SAMPLE_DAY);
  const records = recordsFrom(sampleLines(name, SAMPLE_DAY), period);
  const sequence = sampleSequence(name);
  const waiting = {
    title: 'Friday 20 November 2026',
    to: ['postmaster@example.com'],
    since: spanOf(period).startAt + 240_000,
    why: 'mta/ssmtp02 smtp connect: did not answer within 10 s',
  };
  return reportOf(records, {
    period,
    at: spanOf(period).endAt + 243_000,
    version,
    names: SAMPLE_NAMES,
    sequence,
    paths: allPaths(sequence),
    hostDays: name === 'bad' ? [SAMPLE_HOST] : [],
    damagedHosts: [],
    waiting: name === 'bad' ? [waiting] : [],
    earlier: undefined,
    readEarlier: ({ from }) => recordsFrom(name === 'empty' ? [] : sampleLines('quiet', from), dayPeriod(from)),
  });
}
