// The table of alarms.cfg: when to speak, who gets what, over which channels. Reading, defaults and the annotated file come from here.
// Sections of other rooms that stand in the same file are handed in.

import type { Reporter } from '../../site/problem.ts';
import { filePath } from '../../site/site-forms.ts';
import { annotatedFile } from '../../site/table/annotate.ts';
import {
  defaulted,
  type Entry,
  type Fields,
  type FileTable,
  optional,
  required,
  type Section,
  type Sections,
  section,
} from '../../site/table/field.ts';
import { list, oneOf, pattern, placed, text, truth, whole } from '../../site/table/form.ts';
import type { Channel } from '../channel.ts';
import { minuteOf, parseQuiet } from '../when/quiet.ts';
import { checkKeys, fieldsOf, type Keys } from './keys.ts';

const minutes = (min: number, max = 10_080) => whole({ min, max, unit: 'minutes' });
const severities = list(oneOf('failed', 'slow', 'unknown'), { of: 'states: "failed", "slow", "unknown"' });
const threshold = pattern('a count such as "2 of 3", at most "20 of 20"', found => parseThreshold(found) !== undefined);

/** `2 of 3` */
export function parseThreshold(found: string): { readonly n: number; readonly m: number } | undefined {
  const [, first, second] = /^(\d{1,2}) of (\d{1,2})$/.exec(found) ?? [];
  const [n, m] = [Number(first), Number(second)];
  return n >= 1 && n <= m && m <= 20 ? { n, m } : undefined;
}

const ALARMS = section({
  shape: 'once',
  help: 'When to speak. All of it has defaults that fit most sites.',
  fields: {
    failed: defaulted(threshold, '2 of 3', {
      help: 'An alarm is raised after so many bad results of the last so many that say anything about its cause (a component and a phase), whichever paths they are of.',
    }),
    failed_after: defaulted(minutes(0), 30, {
      help: 'It is also raised when it has been bad for so long, with nothing good in between. 0: never.',
    }),
    sure_at_once: defaulted(truth(), true, {
      help: 'Whether a failure that isolation has confirmed by going and looking is raised at once.',
    }),
    slow: defaulted(threshold, '3 of 5', { help: 'The same for results that are slow.' }),
    slow_after: defaulted(minutes(0), 0, { help: 'When it has been slow or worse for so long. 0: never.' }),
    unknown: defaulted(threshold, '3 of 3', { help: 'The same for what could not be measured through a fault of our own.' }),
    unknown_after: defaulted(minutes(0), 60, { help: 'When nothing could be measured for so long. 0: never.' }),
    clear: defaulted(whole({ min: 1, max: 20 }), 2, { help: 'So many good results in a row end an alarm.' }),
    remind: defaulted(minutes(0), 60, {
      help: 'First reminder of an alarm that nobody has acknowledged; then at twice the time before. 0: no reminders.',
    }),
    remind_most: defaulted(minutes(1), 1440, { help: 'Longest time between two reminders.' }),
    together: defaulted(minutes(0, 60), 5, {
      help: 'After a message about a new alarm, further new alarms wait so long and go out in one message; then three and nine times as long, while it goes on. What shows within a minute of the first goes out in one message more.',
    }),
    flaps: defaulted(whole({ min: 2, max: 20 }), 3, {
      help: 'Raised so often within six hours, or changing between good and bad a quarter of the time: flapping, which is said once.',
    }),
    steady: defaulted(minutes(5), 60, { help: 'Flapping is over after so long without a change.' }),
    blind: defaulted(whole({ min: 1, max: 100, unit: 'percent' }), 50, {
      help: 'When so many of all paths fail at once (three at least), we look at our own resolver and gateway first. If these do not work, that is one alarm: the monitor is blind.',
    }),
    cap: defaulted(whole({ min: 1, max: 1000 }), 20, {
      help: 'Messages that one channel brings in an hour. What is more is held back, and one message says how much that was.',
    }),
    wait: defaulted(whole({ min: 1, max: 120, unit: 'seconds' }), 20, {
      help: 'So long a check waits for its messages to go out. What has not gone out by then goes out with the next run.',
    }),
    keep: defaulted(whole({ min: 1, max: 168, unit: 'hours' }), 24, {
      help: 'So long a message that no channel takes is tried again.',
    }),
    canary: optional(
      pattern('a time of day such as "09:00"', found => minuteOf(found) !== undefined),
      {
        help: 'At this time of each day a test message goes over every channel, so that a chain that is broken is known before it is needed.',
        otherwise: 'none',
        sample: '09:00',
      },
    ),
  },
  samples: [{ set: {} }],
});

const NOTIFY = section({
  shape: 'named',
  help:
    'Who gets what: a person, a team, a room. Each one is told by itself, over its first channel that works. A second one with after = 15 is told what nobody has acknowledged ' +
    '("healthmon ack") for 15 minutes: that is escalation.',
  fields: {
    channels: required(list(placed(text('the name of a channel')), { min: 1, of: 'names of channels' }), {
      help: 'Channels by name, the best first. The next one is used when the one before cannot deliver.',
      sample: ['log'],
    }),
    states: defaulted(severities, ['failed', 'slow', 'unknown'], {
      help: 'What it is told of: failed, slow, unknown (what we could not measure, through a fault of our own).',
    }),
    components: defaulted(
      list(text('a component or a pattern'), { of: 'components such as "mmp/smux01", or patterns such as "mmp/*"' }),
      [],
      {
        help: 'Of which components it is told; an empty list: of all.',
      },
    ),
    after: defaulted(minutes(0), 0, { help: 'It is told only when nobody has acknowledged for so long.' }),
    quiet: defaulted(
      list(
        pattern(
          'quiet hours such as "22:00-07:00", "mon-fri 18:00-08:00" or "sat,sun"',
          found => parseQuiet(found) !== undefined,
        ),
        { of: 'quiet hours' },
      ),
      [],
      {
        help: "Times at which it is told nothing, by this machine's clock; days are those on which the time begins. What is still true at the end is told then.",
      },
    ),
    loud: defaulted(severities, [], { help: 'What it is told in quiet hours as well.' }),
    reminders: defaulted(truth(), true, { help: 'Whether it is reminded.' }),
    cleared: defaulted(truth(), true, { help: 'Whether it is told the end of what it was told.' }),
  },
  samples: [{ name: 'oncall', set: { channels: ['log'] } }],
  rules(entry, report) {
    if ((entry.draft.loud?.length ?? 0) > 0 && entry.draft.quiet?.length === 0)
      report.warning(entry.written.get('loud') ?? entry.place, `'loud' in ${entry.label} has no use without 'quiet'`);
  },
});

/** What every channel and heartbeat may have besides its own keys. */
const COMMON = {
  timeout: defaulted(whole({ min: 1, max: 60, unit: 'seconds' }), 10, { help: 'How long one attempt may take.' }),
  ca_file: optional(filePath, {
    help: "Certificates (PEM) of the authorities that the service's certificate is checked against.",
    otherwise: "the system's authorities",
    sample: 'ca.pem',
  }),
  accept_dependence: optional(text('a reason, in double quotes', { min: 8, max: 200 }), {
    help: 'Why it is all right that this leads through the site that it tells of: turns that error of "healthmon config check" into a warning.',
    otherwise: 'none: it is an error',
    sample: 'second channel only; the first one is SMS',
  }),
};

const CHANNEL_COMMON = {
  cap: optional(whole({ min: 1, max: 1000 }), {
    help: 'Messages that this channel brings in an hour.',
    otherwise: 'as in [alarms]',
    sample: 20,
  }),
  ...COMMON,
};

export const HEARTBEAT_KEYS = {
  url: {
    is: 'url',
    help: 'Where to call: a ping address of healthchecks.io, a push address of Uptime Kuma, an external endpoint of Gatus, or any webhook.',
    sample: 'https://hc-ping.com/your-uuid',
  },
  token: {
    is: 'secret',
    help: 'The token of a Gatus endpoint, or any bearer token.',
    optional: 'none',
    sample: 'secrets/heartbeat-token',
  },
} as const satisfies Keys;

const HEARTBEAT = section({
  shape: 'named',
  isCommentedOut: true,
  help:
    'A sign of life to somebody outside, who raises the alarm when it stays away. It is sent only while every path of sequence.cfg has a result that is fresh and notices can be delivered; ' +
    'so a process that lives while its results are dead is noticed. It carries the age of the oldest result.',
  fields: {
    ...fieldsOf(HEARTBEAT_KEYS),
    form: defaulted(oneOf('healthchecks', 'kuma', 'gatus', 'json'), 'healthchecks', {
      help: 'How it is sent. healthchecks: a POST with a text. kuma: a GET with status, msg and ping. gatus: a POST with success, as an external endpoint. json: a POST of JSON.',
    }),
    every: defaulted(minutes(1, 1440), 5, { help: 'How often.' }),
    fresh: optional(minutes(1), {
      help: 'How old the newest result of a path may be.',
      otherwise: 'one and a half times as long as sequence.cfg takes to come round to it, and 15 minutes',
      sample: 90,
    }),
    ...COMMON,
  },
  samples: [{ name: 'outside', set: { url_file: 'secrets/heartbeat-url' } }],
  rules(entry, report) {
    checkKeys(HEARTBEAT_KEYS, entry, report);
  },
});

const FIXED = { alarms: ALARMS, notify: NOTIFY, heartbeat: HEARTBEAT };
export type FixedSections = typeof FIXED;

/** Sections that no channel may be called by. */
export const RESERVED: readonly string[] = Object.keys(FIXED);

/** @param others sections of other rooms, by name */
export function alarmsTable(kinds: readonly Channel[], others: Sections = {}): FileTable<FixedSections> {
  const { alarms, notify, heartbeat } = FIXED;
  const channels = Object.fromEntries(kinds.map(kind => [kind.kind, channelSection(kind)]));
  return { intro: INTRO, sections: { alarms, notify, ...channels, heartbeat, ...others }, refused, refusedSections };
}

/** What `healthmon config describe alarms.cfg` prints and what lies in etc/. */
export function describeAlarms(kinds: readonly Channel[], others: Sections = {}): string {
  return annotatedFile(alarmsTable(kinds, others));
}

function channelSection(kind: Channel): Section {
  return section<Fields>({
    shape: 'named',
    ...(kind.kind === 'log' ? {} : { isCommentedOut: true }),
    help: `${kind.help}\n${kind.docs}`,
    fields: { ...fieldsOf(kind.keys), ...CHANNEL_COMMON },
    samples: [{ name: kind.kind === 'log' ? 'log' : (SAMPLE_NAMES[kind.kind] ?? 'ops'), set: kind.sample }],
    rules: (entry: Entry<Fields>, report: Reporter) => {
      checkKeys(kind.keys, entry, report);
      if (kind.exactlyOne !== undefined) checkOne(kind.exactlyOne, entry, report);
    },
  });
}

function checkOne(names: readonly string[], { written, label, place }: Entry<Fields>, report: Reporter): void {
  const found = names.filter(name => written.has(name));
  const all = names.join(', ');
  if (found.length === 0) report.error(place, `${label} has none of ${all}: expected one of them`);
  const second = found[1];
  if (second !== undefined)
    report.error(written.get(second) ?? place, `${label} must have one of ${all}: found ${found.join(', ')}`, 'keep one of them');
}

const SAMPLE_NAMES: Readonly<Record<string, string>> = {
  twilio: 'sms',
  sms: 'sms',
  ntfy: 'phone',
  pushover: 'phone',
  pagerduty: 'pager',
  opsgenie: 'pager',
};

const SECRET_KEY = /^(?:[a-z0-9]+_)*(?:password|passwd|pass|secret|token|key|topic|user|url)$/i;

/** Asked for keys that their section does not know. */
function refused(key: string): { readonly text: string; readonly remedy: string } | undefined {
  if (!SECRET_KEY.test(key)) return undefined;
  return {
    text: 'a secret must not stand in this file',
    remedy: `write it into a file of its own that only you can read (chmod 600), and name that file here: ${key}_file = "secrets/NAME"`,
  };
}

function refusedSections(name: string): { readonly text: string; readonly remedy: string } | undefined {
  if (!/^(?:e[-_]?mail|mail|smtp|sendmail)$/i.test(name)) return undefined;
  return {
    text: 'there is no mail channel, because mail is what may be down',
    remedy:
      'take one that does not need the mail site: push, SMS, chat, a program; healthmon config describe alarms.cfg shows them',
  };
}

const INTRO = `# alarms.cfg: who is told when the mail site fails, and how. Optional: without this file nobody is told.
#
# The language is TOML, as in site.cfg. A key that is commented out below shows its default or a sample.
# Three steps: choose a channel below and fill it in; name it in [notify.oncall]; then healthmon config check,
# which also proves that no channel leads through the site itself, and healthmon alarm test.
#
# There is no mail channel, because mail is what may be down.`;
