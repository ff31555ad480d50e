// The table of host.cfg: all of its sections. Reading, defaults and the annotated file come from here.

import { CHECKS } from '../model/reading.ts';
import { type Contents, defaulted, type FileTable, optional, required, section } from '../site/table/field.ts';
import { type Form, list, oneOf, pattern, placed, text, truth, whole } from '../site/table/form.ts';
import { FLAVOURS } from './config.ts';
import { hours, quantity, span } from './config-forms.ts';
import { DEFAULT_LIMITS } from './limits.ts';

const absolute: Form<string> = pattern('an absolute path', /^\/[^\0]*$/, {
  hint: found => (found.startsWith('~') ? 'cron has no shell: write the path out' : undefined),
});

const regex: Form<string> = pattern('a regular expression as JavaScript has them', source => {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
});

const HOST = section({
  shape: 'once',
  help: 'This host, and what "healthmon hostcheck" looks at.',
  fields: {
    instance: optional(text('a name', { max: 40 }), {
      help: 'What the header of qmonitor.log and the readings call this host, or this instance of its MTA.',
      otherwise: "this machine's own name",
      sample: 'msg-smtp1',
    }),
    checks: defaulted(list(oneOf(...CHECKS), { min: 1, of: 'checks' }), CHECKS, {
      help: 'The checks. ldap asks the directories of site.cfg: on a host without that file it has nothing to do.',
    }),
    every: defaulted(whole({ min: 0, max: 60 }), 0, {
      help:
        'Minutes between two looks by the daemon of the round trips (check_rndtrip --daemon), on the monitor host. ' +
        '0: the daemon does not look; "healthmon crontab --host" prints the line that does.',
    }),
  },
  samples: [{ set: {} }],
});

const QUEUES = section({
  shape: 'once',
  help: 'check_queues. What is installed and running is found by itself; these keys are for what lies elsewhere.',
  fields: {
    flavour: optional(oneOf(...FLAVOURS), {
      help: 'Whose queue it is.',
      otherwise: 'the MTA that runs; else the one whose queue there is',
      sample: 'postfix',
    }),
    directory: optional(absolute, {
      help: 'The folder of the queue. For sendmail it may end in * for several (/var/spool/mqueue/qd*).',
      otherwise: "by the MTA's own configuration",
      sample: '/var/spool/postfix',
    }),
    config: optional(absolute, {
      help: "The folder of the MTA's configuration, for an instance beside the usual one.",
      otherwise: 'the usual one: /etc/postfix, /etc/exim4, /etc/mail',
      sample: '/etc/postfix-out',
    }),
    incoming: optional(absolute, {
      help: 'sendmail with MailScanner: the folder in which mail waits to be scanned.',
      otherwise: '/var/spool/mqueue.in, if there is one',
      sample: '/var/spool/mqueue.in',
    }),
    sample: defaulted(whole({ min: 0, max: 1_000_000 }), 2000, {
      help:
        'So many queue files are opened at most: for domains, senders and clients, and for ages where the name of the file does not tell. ' +
        'Of a larger queue they are taken evenly, and the figures are scaled up and marked as estimates.',
    }),
  },
  samples: [{ set: {} }],
});

const SYS = section({
  shape: 'once',
  help: 'check_sys.',
  fields: {
    directories: optional(list(absolute, { min: 1, of: 'absolute paths' }), {
      help: 'Directories whose file systems are watched for space and inodes.',
      otherwise: 'the root, and those of the queue, the logs and the mail that there are',
      sample: ['/', '/var/spool/postfix', '/var/log', '/var/vmail'],
    }),
    clock: defaulted(truth(), true, { help: 'Whether to ask chrony, ntpd or timesyncd how far the clock is off.' }),
  },
  samples: [{ set: {} }],
});

const MCONN = section({
  shape: 'once',
  help: 'check_mconn.',
  fields: {
    listen: optional(list(text('the name of a service'), { min: 1, of: 'names of services' }), {
      help: 'Services that must listen here: smtp, submission, smtps, lmtp, imap, imaps, pop3, pop3s, ldap, ldaps, http, https, milter, sieve, or a [service.NAME].',
      otherwise: 'those that were seen listening before, for seven days after',
      sample: ['smtp', 'submission', 'imaps'],
    }),
  },
  samples: [{ set: {} }],
});

const SERVICE = section({
  shape: 'named',
  isCommentedOut: true,
  help: 'A further service whose connections are counted, or other ports for a known one.',
  fields: {
    ports: required(list(whole({ min: 1, max: 65535 }), { min: 1, of: 'ports' }), { help: 'Its TCP ports.', sample: [10025] }),
  },
  samples: [{ name: 'reinject', set: { ports: [10025] } }],
});

const PROCS = section({
  shape: 'once',
  help: 'check_procs. Postfix, Dovecot, Exim, sendmail, qmail, OpenSMTPD, slapd and the usual filters are known.',
  fields: {
    learn: defaulted(truth(), true, {
      help: 'Whether a known daemon that was seen running is missed, for seven days, when it is gone. With false only those below are.',
    }),
  },
  samples: [{ set: {} }],
});

const DAEMON = section({
  shape: 'named',
  isCommentedOut: true,
  help: 'A daemon that must run. At least one of program, pid_file, unit and port says how it is found; the name of a known one is enough.',
  fields: {
    program: optional(list(text('a name', { max: 15 }), { min: 1, of: 'program names' }), {
      help: 'Its name as "ps -o comm" shows it (15 characters at most); several when it has several.',
      otherwise: 'that of the known daemon of this name',
      sample: ['amavisd-new'],
    }),
    arguments: optional(regex, {
      help: 'What its command line must match besides.',
      otherwise: 'nothing',
      sample: 'accepting connections',
    }),
    pid_file: optional(absolute, {
      help: 'The file that holds its process id.',
      otherwise: 'none',
      sample: '/run/amavis/amavisd.pid',
    }),
    unit: optional(text('the name of a systemd unit', { max: 255 }), {
      help: 'The systemd unit that must be active.',
      otherwise: 'none',
      sample: 'amavis.service',
    }),
    port: optional(whole({ min: 1, max: 65535 }), {
      help: 'A TCP port on which something must listen.',
      otherwise: 'none',
      sample: 10024,
    }),
    min: defaulted(whole({ min: 1, max: 100_000 }), 1, { help: 'So many processes at least.' }),
    max: optional(whole({ min: 1, max: 100_000 }), { help: 'So many at most.', otherwise: 'no limit', sample: 60 }),
  },
  samples: [{ name: 'amavis', set: { program: ['amavisd-new'] } }],
  rules(entry, report) {
    const { min, max } = entry.draft;
    if (min !== undefined && max !== undefined && max < min)
      report.error(
        entry.written.get('max') ?? entry.place,
        `'max' in ${entry.label} must not be less than min (${min}): found ${max}`,
      );
  },
});

const FILES = section({
  shape: 'once',
  help: 'check_files: files, logs and certificates are named below; core files, the configuration and the map files of the MTA are looked at without that.',
  fields: {
    cores: optional(list(absolute, { min: 1, of: 'absolute paths' }), {
      help: 'Further folders in which core files are looked for.',
      otherwise: "where the kernel's core_pattern points, /var/crash, /var/lib/systemd/coredump, and the queue's folder",
      sample: ['/var/tmp'],
    }),
    parse: defaulted(truth(), true, {
      help: 'Whether "postfix check" and "doveconf -n" are run, to see that the configuration can be read. The first needs root.',
    }),
  },
  samples: [{ set: {} }],
});

const FILE = section({
  shape: 'named',
  isCommentedOut: true,
  help: 'A file or folder that must be there, and how it must be.',
  fields: {
    path: required(absolute, { help: 'Where it is.', sample: '/etc/postfix/transport.db' }),
    may_be_missing: defaulted(truth(), false, { help: 'Whether it is all right that it is not there.' }),
    max_age: optional(span, { help: 'It must have been changed within this time.', otherwise: 'any age', sample: '1d' }),
    min_size: optional(quantity, { help: 'It must have so many bytes at least.', otherwise: '0', sample: 1 }),
    max_size: optional(quantity, { help: 'It must have so many bytes at most.', otherwise: 'no limit', sample: '2 GB' }),
    owner: optional(text('the name or number of a user'), { help: 'Whose it must be.', otherwise: "anybody's", sample: 'root' }),
    group: optional(text('the name or number of a group'), {
      help: 'Which group it must belong to.',
      otherwise: 'any',
      sample: 'postdrop',
    }),
    mode: optional(pattern('permission bits in octal, such as "0640"', /^[0-7]{3,4}$/), {
      help: 'Its permission bits, exactly.',
      otherwise: 'any',
      sample: '0640',
    }),
  },
  samples: [{ name: 'transport', set: { path: '/etc/postfix/transport.db', max_age: '7d' } }],
});

const LOG = section({
  shape: 'named',
  isCommentedOut: true,
  help:
    'A log that is read from where the last look ended; rotation, truncation and compressed predecessors are understood. Without any, the mail log is watched for ' +
    '"fatal:" and "panic:".',
  fields: {
    path: required(absolute, { help: 'Where it is.', sample: '/var/log/mail.log' }),
    quiet_after: optional(span, { help: 'It must grow within this time.', otherwise: 'it may be quiet', sample: '30m' }),
    patterns: optional(list(regex, { min: 1, of: 'regular expressions' }), {
      help: 'Lines that match one of them are counted, and the first ones shown.',
      otherwise: 'none',
      sample: ['fatal: ', 'panic: '],
    }),
    ignore: optional(list(regex, { min: 1, of: 'regular expressions' }), {
      help: 'Lines that match one of these are not counted.',
      otherwise: 'none',
      sample: ['no SASL authentication mechanisms'],
    }),
    warn: defaulted(whole({ min: 1, max: 1_000_000 }), 1, { help: 'So many matching lines since the last look are a warning.' }),
    crit: optional(whole({ min: 1, max: 1_000_000 }), { help: 'So many are critical.', otherwise: 'none', sample: 50 }),
  },
  samples: [{ name: 'mail', set: { path: '/var/log/mail.log', quiet_after: '30m', patterns: ['fatal: ', 'panic: '] } }],
});

const CERTIFICATE = section({
  shape: 'named',
  isCommentedOut: true,
  help: "A certificate on disk, PEM. Postfix' and Dovecot's own are found by their configuration.",
  fields: { path: required(absolute, { help: 'Where it is.', sample: '/etc/ssl/certs/mail.pem' }) },
  samples: [{ name: 'mail', set: { path: '/etc/ssl/certs/mail.pem' } }],
});

const LDAP = section({
  shape: 'once',
  help: "check_ldap: the directories are those of site.cfg, [directory.NAME]; their entries are searched for each test account's.",
  fields: {
    deadline: defaulted(whole({ min: 1, max: 300, unit: 'seconds' }), 10, { help: 'Time limit for one directory.' }),
    monitor: defaulted(truth(), true, {
      help: 'Whether to ask cn=monitor for connections and operations. Where it may not be read, that is told and no fault.',
    }),
  },
  samples: [{ set: {} }],
});

const LIMIT = section({
  shape: 'named',
  isCommentedOut: true,
  help: `When a figure is a warning or critical. A section by the name of one of the limits below takes its place as a whole, and so does any other one for the same figure; "off = true" ends it. "healthmon host suggest" proposes values from what was measured here, and lists all figures.

The limits that hold without a word here, and where they come from:
${DEFAULT_LIMITS.map(limitLine).join('\n')}`,
  fields: {
    figure: optional(placed(text('the name of a figure', { max: 500 })), {
      help: 'The figure. Behind a colon stands which one, where there are several: "sys.disk_used_percent:/var"; without it the limit is for all of them.',
      otherwise: 'that of the limit of this name below',
      sample: 'queues.deferred',
    }),
    is: optional(oneOf('above', 'below'), {
      help: 'Which side of the limit is bad.',
      otherwise: 'below for what is bad when low (free space, days left), above for the rest',
      sample: 'above',
    }),
    warn: optional(placed(quantity), { help: 'The limit for a warning.', otherwise: 'none', sample: 500 }),
    crit: optional(placed(quantity), { help: 'The limit for critical.', otherwise: 'none', sample: 3000 }),
    over: optional(span, {
      help: 'Not the figure itself is judged, but its change over this time: a queue that has grown by 200 within 10 minutes is warn = 200, over = "10m".',
      otherwise: 'the figure itself',
      sample: '10m',
    }),
    for: optional(span, { help: 'It must be beyond the limit for this long.', otherwise: 'at once', sample: '10m' }),
    hours: optional(hours, {
      help: 'The limit holds in these hours of local time only, and takes the place of those for the same figure that name no hours.',
      otherwise: 'always',
      sample: 'mon-fri 08:00-18:00',
    }),
    off: defaulted(truth(), false, { help: 'True: the limit of this name does not hold.' }),
  },
  samples: [
    { name: 'deferred', set: { figure: 'queues.deferred', warn: 500, crit: 3000, for: '10m' } },
    { name: 'deferred_at_night', set: { figure: 'queues.deferred', warn: 2000, for: '30m', hours: '22:00-06:00' } },
    { name: 'sudden', set: { figure: 'queues.deferred', over: '10m', warn: 200 } },
  ],
});

function limitLine({ name, figure, is, warn, crit, for: lasting, why }: (typeof DEFAULT_LIMITS)[number]): string {
  const values = [warn === undefined ? '' : `warning at ${warn}`, crit === undefined ? '' : `critical at ${crit}`].filter(
    each => each !== '',
  );
  const below = is === 'below' ? ' or less' : '';
  return `  ${name}: ${figure}, ${values.join(', ')}${below}${lasting === undefined ? '' : `, after ${lasting}`}. Source: ${why}.`;
}

const SECTIONS = {
  host: HOST,
  queues: QUEUES,
  sys: SYS,
  mconn: MCONN,
  service: SERVICE,
  procs: PROCS,
  daemon: DAEMON,
  files: FILES,
  file: FILE,
  log: LOG,
  certificate: CERTIFICATE,
  ldap: LDAP,
  limit: LIMIT,
};

export const HOST_TABLE: FileTable<typeof SECTIONS> = {
  intro: `# host.cfg: the checks that every mail host runs (check_queues, check_sys, check_mconn, check_procs, check_files,
# check_ldap, or all of them by "healthmon hostcheck") and their limits. The file may be missing: then everything is
# found by itself and the limits at the end hold.
#
# The language is TOML: [section], then lines of key = value; "#" begins a remark. A key that is commented out below
# shows its default or a sample. After a change: healthmon config check.`,
  sections: SECTIONS,
};

export type HostContents = Contents<typeof SECTIONS>;
