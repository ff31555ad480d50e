// Limits: when a figure is too high or too low, for how long, in which hours. The ones that hold where host.cfg says nothing stand
// here with where they come from; the annotated host.cfg is made from the same list.

/** A limit on one figure. */
export interface Limit {
  readonly name: string;
  /** `sys.disk_used_percent` for each directory, `sys.disk_used_percent:/var` for one. */
  readonly figure: string;
  readonly is: 'above' | 'below';
  /** In the figure's own unit. */
  readonly warn?: number;
  readonly crit?: number;
  /** The change over this span is judged, not the figure itself; ms. */
  readonly overMs?: number;
  /** It must be so for this long; ms. */
  readonly forMs: number;
  readonly hours?: Hours;
  /** Written by the operator: a figure that cannot be read is then a trouble, not just a gap. */
  readonly isOwn: boolean;
}

/** A part of the week, local time. */
export interface Hours {
  /** Minutes of the day. `until` is not included; before `from` means over midnight. */
  readonly from: number;
  readonly until: number;
  /** 0 is Sunday; absent: all days. Over midnight the day is that on which it began. */
  readonly days?: readonly number[];
}

export interface DefaultLimit {
  readonly name: string;
  readonly figure: string;
  readonly is?: 'below';
  readonly warn?: number | string;
  readonly crit?: number | string;
  readonly for?: string;
  readonly over?: string;
  /** Where it comes from. */
  readonly why: string;
}

export const DEFAULT_LIMITS: readonly DefaultLimit[] = [
  {
    name: 'queue',
    figure: 'queues.total',
    warn: 500,
    crit: 3000,
    for: '10m',
    why: 'warning: the sample value of SIMS immonitor queues; critical: "will not recover during business hours without intervention" (John Rudd, MailScanner list, 2004, of one large site: set your own)',
  },
  { name: 'held', figure: 'queues.hold', warn: 100, why: 'the sample value of SIMS immonitor queues for held messages' },
  { name: 'corrupt', figure: 'queues.corrupt', warn: 1, why: 'a damaged queue file is mail that nobody will get' },
  {
    name: 'delay',
    figure: 'queues.delay_s',
    warn: '15m',
    crit: '1h',
    for: '10m',
    why: '15 minutes from receipt to delivery was the service level behind John Rudd\'s "nervous above 1200"; depth alone does not tell it',
  },
  {
    name: 'hanging',
    figure: 'queues.oldest_active_s',
    warn: '1h',
    crit: '4h',
    why: 'ours: delivery that hangs leaves no error anywhere, only an active queue that grows old',
  },
  {
    name: 'client',
    figure: 'queues.top_client',
    warn: 100,
    why: 'qstat: more than 100 messages of one client host are suspicious',
  },
  {
    name: 'client_share',
    figure: 'queues.top_client_percent',
    warn: 10,
    why: 'qstat: more than 10 % of a queue of more than 1000 from one client host',
  },
  { name: 'swap', figure: 'sys.swap_used_percent', warn: 90, for: '10m', why: 'the sample value of SIMS immonitor system' },
  { name: 'memory', figure: 'sys.memory_available_percent', is: 'below', warn: 10, crit: 4, for: '10m', why: 'ours' },
  { name: 'memory_pressure', figure: 'sys.pressure_memory_percent', warn: 10, crit: 40, for: '10m', why: 'ours' },
  { name: 'killed', figure: 'sys.killed', warn: 1, why: 'ours: whatever the kernel killed was doing something' },
  { name: 'load', figure: 'sys.load_per_processor', warn: 4, crit: 12, for: '15m', why: 'ours' },
  { name: 'disk_wait', figure: 'sys.pressure_io_percent', warn: 40, crit: 80, for: '15m', why: 'ours' },
  {
    name: 'disk',
    figure: 'sys.disk_used_percent',
    warn: 90,
    crit: 97,
    why: 'warning: alarm.diskavail of msprobe tells at 10 % available; critical: ours',
  },
  {
    name: 'inodes',
    figure: 'sys.inodes_used_percent',
    warn: 90,
    crit: 97,
    why: 'as for space: a queue needs a file for each message',
  },
  { name: 'disk_full', figure: 'sys.disk_full_in_s', is: 'below', warn: '24h', crit: '2h', for: '15m', why: 'ours' },
  { name: 'files', figure: 'sys.files_used_percent', warn: 80, crit: 95, why: 'ours' },
  {
    name: 'clock',
    figure: 'sys.clock_offset_ms',
    warn: '500ms',
    crit: '5s',
    for: '10m',
    why: 'ours: Received stamps have whole seconds',
  },
  { name: 'container_memory', figure: 'sys.cgroup_memory_percent', warn: 90, crit: 97, for: '10m', why: 'ours' },
  {
    name: 'smtp_connections',
    figure: 'mconn.established:smtp',
    warn: 2000,
    why: 'the sample value of SIMS immonitor system: a service that fails, or an attack',
  },
  {
    name: 'connection_limit',
    figure: 'mconn.limit_percent',
    warn: 80,
    crit: 95,
    why: 'ours: at 100 % the next client gets no banner',
  },
  { name: 'close_wait', figure: 'mconn.close_wait', warn: 50, for: '15m', why: 'ours' },
  { name: 'zombies', figure: 'procs.zombies', warn: 20, for: '15m', why: 'ours' },
  { name: 'stuck', figure: 'procs.stuck', warn: 5, for: '10m', why: 'ours' },
  { name: 'open_files', figure: 'procs.files_percent', warn: 80, crit: 95, why: 'ours' },
  { name: 'growth', figure: 'procs.memory_growth_percent', warn: 300, for: '1h', why: 'ours' },
  { name: 'certificate', figure: 'files.certificate_days', is: 'below', warn: 21, crit: 7, why: 'ours' },
  {
    name: 'ldap',
    figure: 'ldap.total_ms',
    warn: '5s',
    crit: '10s',
    why: 'local.probe.warningthreshold (5 s) and local.probe.SVC.timeout (10 s) of msprobe',
  },
  {
    name: 'ldap_lag',
    figure: 'ldap.lag_s',
    warn: '1m',
    crit: '15m',
    for: '5m',
    why: 'ours: on one host a change arrives within 15 ms',
  },
];

/** Whether a limit holds at an instant, local time. */
export function holdsAt(hours: Hours | undefined, at: number): boolean {
  if (hours === undefined) return true;
  const date = new Date(at);
  const minute = date.getHours() * 60 + date.getMinutes();
  const { from, until, days } = hours;
  const on = (day: number) => days === undefined || days.includes((day + 7) % 7);
  if (from < until) return minute >= from && minute < until && on(date.getDay());
  if (minute >= from) return on(date.getDay());
  return minute < until && on(date.getDay() - 1);
}
