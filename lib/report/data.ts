// What a report says, as data: the one thing that formats get. Written as shapes, from which its type, its JSON Schema and the check of
// templates come. A field that is not known is null, never absent. Times are epoch milliseconds, spans are milliseconds.
//
// Adding a field keeps `schema`; taking one away or giving it another meaning makes it `healthmon-report/2`.

import { type Infer, list, maybe, number, object, text, truth, word } from './shape.ts';

export const SCHEMA = 'healthmon-report/1';

const STATES = ['ok', 'slow', 'failed', 'unknown'] as const;
/** `none`: nothing was tested. */
const VERDICTS = [...STATES, 'none'] as const;

const spread = object(
  {
    n: number('How many values there are.'),
    p50: maybe(number('The median.'), 'Null without values.'),
    p90: maybe(number('The 90th percentile.'), 'Null without values.'),
    p95: maybe(number('The 95th percentile.'), 'Null without values.'),
    p99: maybe(number('The 99th percentile.'), 'Null without values.'),
    worst: maybe(number('The largest value.'), 'Null without values.'),
  },
  'Percentiles by nearest rank: each is a value that was measured.',
);

const availability = object(
  {
    measured: number('Trips that were ok, slow or failed, without those that are unknown or excused.'),
    good: number('Trips that were ok or slow.'),
    ratio: maybe(number('good / measured, 0 to 1.'), 'Null when nothing was measured.'),
    low: maybe(number('Lower end of the 95 % confidence interval (Wilson), 0 to 1.'), 'Null when nothing was measured.'),
    high: maybe(number('Upper end of it.'), 'Null when nothing was measured.'),
    isSmall: truth('Fewer than 300 trips: the interval is then worth showing.'),
  },
  'The share of trips that came back.',
);

const counts = {
  trips: number('Trips begun in the period.'),
  ok: number('Came back whole and in time.'),
  slow: number('Came back whole, later than [site] slow allows.'),
  failed: number('Did not come back as it should.'),
  unknown: number('Could not be measured, through a fault of our own.'),
  excused: number('Failed while all suspects were in planned maintenance; not counted in availability.'),
  lost: number('Failed: accepted and never found, so far.'),
  late: number('Failed: found after the limit.'),
  duplicate: number('Came back more than once.'),
  altered: number('Came back changed.'),
  junked: number('Failed: filed as junk.'),
  bounced: number('Failed: came back as undeliverable.'),
  unsure: number('Failed: the connection broke while the MTA was accepting it, and it was never found.'),
  unsent: number('Failed: the message was never sent, or no MTA accepted it.'),
  availability,
  total: { ...spread, about: 'Total times of trips that came back; ms.' },
};

const path = object({
  label: text('`ims1 via ssmtp01, smux01 imap`.'),
  account: text('Account, which in the seed bears its store’s name.'),
  mta: text('MTA, or balancer, that it was handed to.'),
  mmp: text('MMP, or balancer, that it was read back through; `direct` for the store itself.'),
  mailbox: word(['pop3', 'imap', ''], 'Protocol of reading back; empty when only systest.log has the trip.'),
  ...counts,
  trend: list(
    object({
      at: number('Beginning of the stretch.'),
      worst: maybe(number('Largest total time; ms.'), 'Null without one.'),
      state: word(VERDICTS, 'The worst of the stretch.'),
    }),
    'One per stretch, in their order.',
  ),
});

const component = object({
  component: text('`mta/ssmtp01`.'),
  kind: text('`mta`, `mmp`, `store`, …'),
  name: text('`ssmtp01`.'),
  ...counts,
  sure: number('How often a verdict named it as the surely guilty one.'),
  likely: number('How often as likely.'),
  open: number('How often as one of several that could not be told apart.'),
});

const notice = object({
  at: number('When.'),
  event: text('`raised`, `changed`, `reminder`, `cleared`, `flapping`, …'),
  alarm: number('The number of its alarm.'),
  text: text('Its words.'),
  channels: list(
    object({
      to: text('Whom it was for.'),
      channel: text('Name of the channel.'),
      attempts: number('How often it was tried there.'),
      outcome: text('What became of it there.'),
      isDelivered: truth('It arrived.'),
    }),
    'Where it was sent.',
  ),
  acknowledgedAt: maybe(number('When somebody acknowledged it.'), 'Null when nobody has.'),
  acknowledgedBy: maybe(text('Who.'), 'Null when nobody has.'),
});

const incident = object({
  from: number('Beginning of the first trip that showed it.'),
  lastAt: number('Beginning of the last trip that showed it.'),
  to: maybe(number('When every path that it touched had been seen good again.'), 'Null when that was not seen in the period.'),
  state: word(['failed', 'slow', 'unknown'], 'Its worst result.'),
  component: text('The first suspect.'),
  protocol: text('Protocol in which it showed; empty when not known.'),
  phase: text('Step of the protocol.'),
  kind: text('What went wrong, in one word.'),
  confidence: text('`sure`, `likely` or `cannot tell apart`; empty when nobody is suspected.'),
  others: list(text('A component.'), 'Further suspects that could not be told apart from it.'),
  text: text('The first verdict’s words.'),
  results: number('How many trips showed it.'),
  times: number('How often it came back within half an hour of being over.'),
  paths: list(text('Label of a path.'), 'What it touched.'),
  touched: text('The same in short: `accounts ims2, ims4; MTA ssmtp01; MMP smux02; pop3`.'),
  notices: list(notice, 'What was told to whom.'),
});

const stretch = object({
  at: number('Its beginning.'),
  until: number('Its end.'),
  label: text('`14` for the hour from 14:00, `21` for the 21st, `2026-03` for a month.'),
  trips: number('Trips begun in it.'),
  ok: number('Of these ok.'),
  slow: number('Slow.'),
  failed: number('Failed.'),
  unknown: number('Unknown.'),
  p50: maybe(number('Median of the total times; ms.'), 'Null without one.'),
  worst: maybe(number('Largest total time; ms.'), 'Null without one.'),
  state: word(VERDICTS, 'The worst of them.'),
});

const brief = object({
  label: text('`the day before`, `the last 4 Saturdays`.'),
  days: number('How many periods it is made of.'),
  trips: number('Trips; the median where there are several periods.'),
  failed: number('Failed; the median likewise.'),
  ratio: maybe(number('Availability, 0 to 1; the median likewise.'), 'Null when nothing was measured.'),
  p50: maybe(number('Median total time; ms.'), 'Null without one.'),
  p95: maybe(number('95th percentile; ms.'), 'Null without one.'),
});

/** The report. */
export const REPORT = object({
  schema: word([SCHEMA], 'Version of these fields.'),
  made: object({
    at: number('When the report was made; what was recorded later is in the next one.'),
    version: text('Version of healthmon.'),
    isComplete: truth('The period was over by then.'),
  }),
  site: object({ name: text('Name of the site.'), domain: text('Its mail domain; empty when no site.cfg could be read.') }),
  period: object({
    kind: word(['day', 'week', 'month', 'range'], 'What it is.'),
    from: text('First day, `2026-11-21`.'),
    to: text('Last day.'),
    title: text('`Saturday 21 November 2026`.'),
    startAt: number('Its beginning, local midnight.'),
    endAt: number('Its end, local midnight.'),
    days: number('How many days.'),
    minutes: number('How many minutes it really had.'),
    zone: text('Time zone of all times shown.'),
    clockChange: maybe(text('`23 hours: the clocks went forward`.'), 'Null when no clock was changed.'),
  }),
  verdict: object({
    state: word(VERDICTS, 'The worst that happened.'),
    sentence: text('The period in one sentence.'),
  }),
  whole: object(counts, 'All trips.'),
  paths: list(path, 'By path, in the order of sequence.cfg, then others by name.'),
  components: list(component, 'By component: all trips that led over it, and how often it was blamed.'),
  legs: list(
    object({
      name: word(['open', 'submit', 'transit', 'fetch', 'sweep'], 'Step of the trip.'),
      about: text('What is done in it.'),
      share: maybe(number('Its share of the time of all trips, 0 to 1.'), 'Null without times.'),
      ...spread.fields,
    }),
    'Where the time goes; ms. Empty when only systest.log has the trips.',
  ),
  phases: list(
    object({
      component: text('Component.'),
      protocol: text('Protocol.'),
      phase: text('Step inside the dialog.'),
      ...spread.fields,
    }),
    'The slowest steps by 95th percentile, at most ten, of open, submit, fetch and sweep; ms.',
  ),
  hops: list(
    object({
      by: text('Host that wrote the Received stamp.'),
      ...spread.fields,
      skewed: number('Stamps of a clock that is off.'),
      skewMs: maybe(number('By how much at the most; positive when it is ahead.'), 'Null when none was.'),
    }),
    'Delays between Received stamps, which have whole seconds; ms.',
  ),
  incidents: list(incident, 'What went wrong, from first to last; at most 200.'),
  incidentsLeftOut: number('How many more there were.'),
  stretches: list(stretch, 'The period in stretches: hours of a day, days of up to two months, else months.'),
  grid: object({
    mmps: list(text('An MMP.'), 'Columns.'),
    rows: list(
      object({
        mta: text('An MTA.'),
        cells: list(
          object({
            mmp: text('An MMP.'),
            trips: number('Trips over both.'),
            bad: number('Of these failed.'),
            ratio: maybe(number('Availability, 0 to 1.'), 'Null when nothing was measured.'),
            p50: maybe(number('Median total time; ms.'), 'Null without one.'),
            heat: maybe(number('0 like the fastest cell, 1 for four times its time or more.'), 'Null without a time.'),
            state: word(VERDICTS, 'The worst of them.'),
          }),
          'One per column.',
        ),
      }),
      'Rows.',
    ),
  }),
  late: list(
    object({
      trip: text('Id.'),
      label: text('Its path.'),
      startedAt: maybe(number('When it began.'), 'Null when its record is not at hand.'),
      became: word(['late', 'duplicate', 'bounced', 'junked'], 'What a later run found.'),
      afterMs: maybe(number('How long after it was sent; ms.'), 'Null when not known.'),
      text: text('The same in words.'),
    }),
    'Messages of earlier trips that turned up in the period.',
  ),
  carried: object({
    from: maybe(text('The day before, whose report was made too early for them.'), 'Null when there are none.'),
    trips: number('Trips of that day that finished after its report.'),
    failed: number('Of these failed.'),
    rows: list(text('Time, path and result.'), 'Each of them.'),
  }),
  compare: object({
    before: maybe(brief, 'Null when that period has no trips.'),
    usual: maybe(brief, 'Null when no earlier one has trips.'),
  }),
  certificates: list(
    object({
      component: text('Component that showed it.'),
      protocol: text('Protocols in which it did.'),
      subject: text('Whose it is.'),
      validTo: number('When it ends.'),
      daysLeft: number('Whole days from the end of the period; negative when it has ended.'),
    }),
    'Certificates that end within 30 days, the first to end first.',
  ),
  hosts: list(
    object({
      name: text('Instance name in qmonitor.log.'),
      rows: number('Samples.'),
      active: object(spread.fields, 'Messages in the active queue.'),
      held: object(spread.fields, 'Messages held.'),
      swapLowK: maybe(number('Least available swap; kB.'), 'Null without samples.'),
      busy: object(spread.fields, 'Processor time that was not idle; percent.'),
      smtp: object(spread.fields, 'Connections by SMTP.'),
      imap: object(spread.fields, 'By IMAP.'),
      pop3: object(spread.fields, 'By POP3.'),
    }),
    'Queue and system figures, where qmonitor.log has any.',
  ),
  notices: object({
    count: number('Notices in the period: alarms raised, changed, cleared and the like.'),
    told: number('Of these meant for somebody.'),
    notDelivered: number('Of these reached nobody.'),
    acknowledged: number('Alarms that somebody took on.'),
    unmatched: list(notice, 'Those that belong to none of the incidents above.'),
  }),
  honest: list(
    object({
      what: word(
        ['untested', 'not running', 'unsure', 'not delivered', 'config', 'records', 'clock', 'left out', 'monitor'],
        'What it is about.',
      ),
      isGood: truth('Nothing to be said against the report here.'),
      text: text('In one sentence.'),
      details: list(text('One of them.'), 'At most twenty.'),
    }),
    'How far the report can be believed.',
  ),
  rows: list(
    object({
      at: number('Beginning of the trip.'),
      day: text('Local day.'),
      time: text('Local time, HH:MM:SS.'),
      account: text('Account.'),
      mta: text('MTA.'),
      mmp: text('MMP.'),
      mailbox: word(['pop3', 'imap', ''], 'Protocol.'),
      totalMs: maybe(number('Total time; ms.'), 'Null when it did not come back.'),
      state: word(STATES, 'Result.'),
      error: text('The Error column of systest.log.'),
      text: text('The verdict in words.'),
      trip: text('Id; empty when only systest.log has it.'),
    }),
    'Every trip, oldest first.',
  ),
});

export type Report = Infer<typeof REPORT>;
