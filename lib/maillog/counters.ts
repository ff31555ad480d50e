// What is counted in mail logs: one number for each name, kept in arrays, a row for each span of time.

/** Names, in the order in which they are told. */
export const COUNTERS = [
  // lines
  'lines',
  'unknownLines',
  'foreignLines',
  // in
  'connections',
  'received',
  'receivedFromNet',
  'receivedByLogin',
  'receivedLocal',
  'receivedAgain',
  'bytesReceived',
  // out
  'delivered',
  'deliveredToNet',
  'deliveredToMailboxes',
  'forwarded',
  'bytesDelivered',
  // troubles
  'deferrals',
  'deferred',
  'bounced',
  'expired',
  'rejected',
  'rejectWarnings',
  'held',
  'discarded',
  'loginsFailed',
  'warnings',
  'fatals',
  // mailboxes (Dovecot)
  'logins',
  'stored',
] as const;

export type CounterName = (typeof COUNTERS)[number];
export type Counters = Readonly<Record<CounterName, number>>;

/** Where each counter stands in a row. */
export const AT = Object.fromEntries(COUNTERS.map((name, i) => [name, i])) as Readonly<Record<CounterName, number>>;

/** What each counts, for people. */
export const MEANINGS: Readonly<Record<CounterName, string>> = {
  lines: 'lines read',
  unknownLines: 'lines of known programs that are not understood',
  foreignLines: 'lines of other programs',
  connections: 'SMTP connections from outside',
  received: 'messages taken in',
  receivedFromNet: 'of these from other hosts',
  receivedByLogin: 'of these from users who logged in',
  receivedLocal: 'of these from programs on this host',
  receivedAgain: 'of these from loopback without a log-in: handed back by a filter',
  bytesReceived: 'bytes taken in',
  delivered: 'deliveries, one for each recipient',
  deliveredToNet: 'of these to other hosts by SMTP',
  deliveredToMailboxes: 'of these to mailboxes (LMTP, local, virtual, pipe)',
  forwarded: 'recipients rewritten to others on this host',
  bytesDelivered: 'bytes delivered, once for each recipient',
  deferrals: 'tries that ended with "later"',
  deferred: 'messages with at least one such try',
  bounced: 'recipients given up',
  expired: 'messages given up after too long',
  rejected: 'refused at the door, or by a filter',
  rejectWarnings: 'would have been refused (warn_if_reject)',
  held: 'put on hold',
  discarded: 'thrown away by rule',
  loginsFailed: 'log-ins that failed',
  warnings: 'warnings',
  fatals: 'fatal errors and panics',
  logins: 'log-ins to mailboxes',
  stored: 'messages that a mailbox server stored',
};

export type Row = Float64Array;

export function newRow(): Row {
  return new Float64Array(COUNTERS.length);
}

export function addTo(sum: Row, row: Row): void {
  for (let i = 0; i < row.length; i++) sum[i] = (sum[i] ?? 0) + (row[i] ?? 0);
}

export function named(row: Row): Counters {
  return Object.fromEntries(COUNTERS.map((name, i) => [name, row[i] ?? 0])) as Counters;
}
