// Every figure that a check can give: its name, and what it means. Limits may name these and no others; the pages of documentation,
// the perfdata and `healthmon host suggest` are made from this table.

import type { CheckName } from '../model/reading.ts';

export type Unit = 'count' | 'bytes' | 'percent' | 's' | 'ms' | 'per minute' | 'per second';

export interface FigureAbout {
  readonly name: string;
  /** In a few words, for findings. */
  readonly label: string;
  readonly help: string;
  /** There is one for each of several things, told apart behind a colon. */
  readonly of?: string;
  /** Low is bad. */
  readonly isLowBad?: true;
  /** That it is absent now and then is in its nature. */
  readonly mayBeAbsent?: true;
}

const QUEUES: readonly FigureAbout[] = [
  { name: 'queues.total', label: 'messages in the queue', help: 'Messages in all queues but hold and corrupt.' },
  {
    name: 'queues.incoming',
    label: 'incoming messages',
    help: 'Messages on their way in: incoming and maildrop; of sendmail with MailScanner, mqueue.in; of qmail, todo.',
  },
  {
    name: 'queues.active',
    label: 'active messages',
    help: 'Messages that are being delivered now, or wait for it (sendmail, Exim: not tried yet).',
  },
  { name: 'queues.deferred', label: 'deferred messages', help: 'Messages that were tried and wait for the next try.' },
  {
    name: 'queues.hold',
    label: 'held messages',
    help: 'Messages held: hold of Postfix, frozen of Exim, quarantined (hf) of sendmail.',
  },
  { name: 'queues.corrupt', label: 'damaged queue files', help: 'Files that the MTA has put aside as damaged.' },
  {
    name: 'queues.oldest_s',
    label: 'age of the oldest message',
    help: 'Age of the oldest message, hold and corrupt not counted.',
  },
  {
    name: 'queues.oldest_active_s',
    label: 'age of the oldest active message',
    help: 'Age of the oldest message in incoming and active: grows when delivery hangs without an error.',
  },
  {
    name: 'queues.drain_per_min',
    label: 'drain',
    mayBeAbsent: true,
    help: 'Messages that were there at the last look and have left since, per minute.',
    isLowBad: true,
  },
  {
    name: 'queues.growth_per_min',
    label: 'growth',
    mayBeAbsent: true,
    help: 'Change of the total since the last look, per minute.',
  },
  {
    name: 'queues.delay_s',
    label: 'delay of a new message',
    mayBeAbsent: true,
    help: 'How long a message that enters now will wait, by the depth of incoming and active and the ages in them; absent below 20 messages.',
  },
  {
    name: 'queues.limit_in_s',
    label: 'time until the queue reaches its limit',
    mayBeAbsent: true,
    help: 'Time until the total reaches its next limit, if it grows on as since the last look.',
    isLowBad: true,
  },
  {
    name: 'queues.top_client',
    label: 'messages of one client',
    mayBeAbsent: true,
    help: 'Messages from the one client address that has most in the queue (in the sample, scaled up).',
  },
  {
    name: 'queues.top_client_percent',
    label: 'share of one client',
    mayBeAbsent: true,
    help: 'The same, as a share of the queue, while the queue has more than 1000 messages.',
  },
];

const SYS: readonly FigureAbout[] = [
  {
    name: 'sys.memory_available_percent',
    label: 'memory available',
    help: 'Memory that can be had without swapping, of all.',
    isLowBad: true,
  },
  { name: 'sys.memory_available_bytes', label: 'memory available', help: 'The same as a size.', isLowBad: true },
  { name: 'sys.swap_free_bytes', label: 'swap free', help: 'Swap space that is free.', isLowBad: true },
  { name: 'sys.swap_used_percent', label: 'swap used', help: 'Swap space in use; absent where there is none.' },
  {
    name: 'sys.available_bytes',
    label: 'memory and swap available',
    help: "Memory and swap that can still be had: the table's column Available swap.",
    isLowBad: true,
  },
  {
    name: 'sys.scan_per_s',
    label: 'page scan rate',
    mayBeAbsent: true,
    help: "Pages looked at for reclaim: the table's column Scanrate.",
  },
  { name: 'sys.swap_in_per_s', label: 'pages read from swap', help: 'Pages read back from swap.' },
  {
    name: 'sys.killed',
    label: 'processes killed for want of memory',
    mayBeAbsent: true,
    help: 'Processes that the kernel has killed for want of memory since the last look.',
  },
  { name: 'sys.cpu_user_percent', label: 'CPU user', help: 'Processor time of programs since the last look.' },
  { name: 'sys.cpu_system_percent', label: 'CPU system', help: 'Processor time of the kernel, interrupts included.' },
  {
    name: 'sys.cpu_wait_percent',
    label: 'CPU waiting',
    help: 'Processors idle with a disk to wait for, or taken by the hypervisor (steal).',
  },
  { name: 'sys.cpu_steal_percent', label: 'CPU taken by the hypervisor', help: 'Of that, what the hypervisor took.' },
  { name: 'sys.cpu_idle_percent', label: 'CPU idle', help: 'Processors idle.', isLowBad: true },
  { name: 'sys.load1', label: 'load (1 min)', help: 'Load average over 1 minute.' },
  { name: 'sys.load5', label: 'load (5 min)', help: 'Load average over 5 minutes.' },
  { name: 'sys.load15', label: 'load (15 min)', help: 'Load average over 15 minutes.' },
  { name: 'sys.load_per_processor', label: 'load per processor', help: 'Load average over 5 minutes, per processor.' },
  { name: 'sys.blocked', label: 'processes waiting for a disk', help: 'Processes that wait for a disk at this moment.' },
  {
    name: 'sys.pressure_cpu_percent',
    label: 'waiting for a processor',
    help: 'Share of the last minute in which something waited for a processor (PSI some).',
  },
  {
    name: 'sys.pressure_memory_percent',
    label: 'everything waiting for memory',
    help: 'Share of the last minute in which everything waited for memory (PSI full).',
  },
  {
    name: 'sys.pressure_io_percent',
    label: 'everything waiting for a disk',
    help: 'Share of the last minute in which everything waited for a disk (PSI full).',
  },
  { name: 'sys.disk_used_percent', label: 'space used', help: 'Space in use, as df counts it.', of: 'directory' },
  { name: 'sys.disk_free_bytes', label: 'space free', help: 'Space that is free for us.', of: 'directory', isLowBad: true },
  {
    name: 'sys.disk_full_in_s',
    label: 'time until the space is used up',
    mayBeAbsent: true,
    help: 'Time until the space is used up, if it goes on as in the last hours; absent while it does not grow.',
    of: 'directory',
    isLowBad: true,
  },
  { name: 'sys.inodes_used_percent', label: 'inodes used', help: 'Inodes in use.', of: 'directory' },
  { name: 'sys.files_used_percent', label: 'open files of the host', help: 'Open files of the whole host, of fs.file-max.' },
  { name: 'sys.entropy_bits', label: 'entropy', help: 'What the random number generator has gathered.', isLowBad: true },
  {
    name: 'sys.clock_offset_ms',
    label: 'clock offset',
    help: 'How far the clock is off, by the word of chrony, ntpd or timesyncd; without sign.',
  },
  { name: 'sys.uptime_s', label: 'uptime', help: 'Since the host was started.', isLowBad: true },
  {
    name: 'sys.cgroup_memory_percent',
    label: 'memory of the container used',
    help: 'Memory in use, of the tightest limit that our container sets.',
  },
  {
    name: 'sys.cgroup_throttled_percent',
    label: 'container held back',
    mayBeAbsent: true,
    help: "Share of periods since the last look in which the container's processor quota held us back.",
  },
];

const MCONN: readonly FigureAbout[] = [
  {
    name: 'mconn.established',
    label: 'connections',
    help: 'Established TCP connections to the ports of a service.',
    of: 'service',
  },
  { name: 'mconn.opening', label: 'half-open connections', help: 'Connections half open (SYN_RECV).', of: 'service' },
  {
    name: 'mconn.closing',
    label: 'closing connections',
    help: 'Connections being closed (TIME_WAIT, FIN_WAIT and the like).',
    of: 'service',
  },
  {
    name: 'mconn.close_wait',
    label: 'connections that the server does not close',
    help: 'Connections that the client has closed and the server has not: it hangs, or leaks.',
    of: 'service',
  },
  {
    name: 'mconn.backlog',
    label: 'connections not accepted yet',
    mayBeAbsent: true,
    help: 'Connections that wait for the server to accept them.',
    of: 'service',
  },
  {
    name: 'mconn.outgoing',
    label: 'outgoing connections',
    help: 'Established connections from here to the ports of a service elsewhere.',
    of: 'service',
  },
  {
    name: 'mconn.limit_percent',
    label: 'connections, of the limit',
    help: "Established connections, of the server's own limit where that could be read.",
    of: 'service',
  },
  { name: 'mconn.top_client', label: 'connections of one client', help: 'Connections of the one client address that has most.' },
  {
    name: 'mconn.column',
    label: 'connections',
    help: 'Established connections of a protocol with and without TLS: the columns of qmonitor.log.',
    of: 'column',
  },
  { name: 'mconn.established_total', label: 'connections', help: 'Established connections to the ports of all services.' },
];

const PROCS: readonly FigureAbout[] = [
  { name: 'procs.total', label: 'processes', help: 'Processes on this host.' },
  { name: 'procs.zombies', label: 'zombies', help: 'Processes that have ended and are not collected.' },
  { name: 'procs.stuck', label: 'processes that hang', help: 'Processes in uninterruptible sleep, now and at the last look.' },
  { name: 'procs.count', label: 'processes', help: 'Processes of a daemon, its children included.', of: 'daemon' },
  {
    name: 'procs.memory_bytes',
    label: 'memory',
    help: 'Resident memory of a daemon with its children, shared pages counted each time.',
    of: 'daemon',
  },
  {
    name: 'procs.memory_growth_percent',
    label: 'growth of memory',
    mayBeAbsent: true,
    help: 'How much that has grown since the same main process was first seen.',
    of: 'daemon',
  },
  {
    name: 'procs.files_percent',
    label: 'open files, of the limit',
    help: 'Open files of the process of a daemon that is nearest to its limit.',
    of: 'daemon',
  },
  {
    name: 'procs.restarts',
    label: 'restarted daemons',
    mayBeAbsent: true,
    help: 'Daemons that were restarted since the last look.',
  },
];

const FILES: readonly FigureAbout[] = [
  { name: 'files.size_bytes', label: 'size', help: 'Size of a file.', of: 'file' },
  { name: 'files.age_s', label: 'age', help: 'Time since a file was changed.', of: 'file' },
  { name: 'files.cores', label: 'new core files', help: 'Core files that were not there at the last look.' },
  {
    name: 'files.matches',
    label: 'matching lines',
    help: 'Lines of a log that match its patterns, since the last look.',
    of: 'log',
  },
  { name: 'files.quiet_s', label: 'time without a new line', help: 'Time since a log last grew.', of: 'log' },
  {
    name: 'files.certificate_days',
    label: 'days left of certificate',
    help: 'Whole days until a certificate ends.',
    of: 'certificate',
    isLowBad: true,
  },
];

const LDAP: readonly FigureAbout[] = [
  { name: 'ldap.total_ms', label: 'LDAP answer time', help: 'Connect, TLS, bind and search together.', of: 'directory' },
  { name: 'ldap.connect_ms', label: 'connect', help: 'Name and connection.', of: 'directory' },
  { name: 'ldap.tls_ms', label: 'TLS', help: 'TLS, with StartTLS where that comes first.', of: 'directory' },
  { name: 'ldap.bind_ms', label: 'bind', help: 'Bind.', of: 'directory' },
  { name: 'ldap.search_ms', label: 'search', help: 'The slowest search for a test account.', of: 'directory' },
  {
    name: 'ldap.missing',
    label: 'test accounts missing',
    help: 'Test accounts whose entry is missing, is there twice or lacks an attribute.',
    of: 'directory',
  },
  {
    name: 'ldap.lag_s',
    label: 'replication lag',
    help: 'How far behind the newest of the directories of the same base it is, by contextCSN.',
    of: 'directory',
  },
  { name: 'ldap.connections', label: 'connections', help: 'Connections, by its own count (cn=monitor).', of: 'directory' },
  {
    name: 'ldap.operations_per_min',
    label: 'operations',
    mayBeAbsent: true,
    help: 'Operations completed since the last look (cn=monitor).',
    of: 'directory',
  },
];

export const FIGURES: ReadonlyMap<string, FigureAbout> = new Map(
  [...QUEUES, ...SYS, ...MCONN, ...PROCS, ...FILES, ...LDAP].map(about => [about.name, about]),
);

/** The name without what stands behind the colon. */
export function baseName(figure: string): string {
  const colon = figure.indexOf(':');
  return colon < 0 ? figure : figure.slice(0, colon);
}

/** What stands behind the colon; undefined when there is none. */
export function instanceOf(figure: string): string | undefined {
  const colon = figure.indexOf(':');
  return colon < 0 ? undefined : figure.slice(colon + 1);
}

export function unitOf(figure: string): Unit {
  const name = baseName(figure);
  if (name.endsWith('_bytes')) return 'bytes';
  if (name.endsWith('_percent')) return 'percent';
  if (name.endsWith('_per_min')) return 'per minute';
  if (name.endsWith('_per_s')) return 'per second';
  if (name.endsWith('_ms')) return 'ms';
  return name.endsWith('_s') ? 's' : 'count';
}

/** @returns the check that gives a figure */
export function checkOf(figure: string): CheckName {
  return figure.slice(0, figure.indexOf('.')) as CheckName;
}
