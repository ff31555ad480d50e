// Daemons that mail hosts are made of, and how each is known among the processes.

export interface KnownDaemon {
  readonly name: string;
  /** As ps(1) shows them (comm), any of them. */
  readonly programs: readonly string[];
  /** What the command line must hold besides, where the name alone says too little. */
  readonly arguments?: RegExp;
}

const KNOWN: readonly KnownDaemon[] = [
  { name: 'postfix', programs: ['master'], arguments: /postfix/ },
  { name: 'dovecot', programs: ['dovecot'] },
  { name: 'exim', programs: ['exim4', 'exim'], arguments: /\s-(?:bdf?|q\S*)(?:\s|$)/ },
  { name: 'sendmail', programs: ['sendmail-mta', 'sendmail'], arguments: /accepting connections|\s-bd/ },
  { name: 'sendmail-queue', programs: ['sendmail-msp', 'sendmail-mta', 'sendmail'], arguments: /Queue runner|\s-q\S/ },
  { name: 'qmail', programs: ['qmail-send'] },
  { name: 'opensmtpd', programs: ['smtpd'], arguments: /^\/\S*\/smtpd(?:\s|$)/ },
  { name: 'cyrus', programs: ['master', 'cyrmaster'], arguments: /cyrus|cyrmaster/ },
  { name: 'slapd', programs: ['slapd'] },
  { name: 'opendkim', programs: ['opendkim'] },
  { name: 'opendmarc', programs: ['opendmarc'] },
  { name: 'rspamd', programs: ['rspamd'] },
  { name: 'spamd', programs: ['spamd', '/usr/sbin/spamd', 'perl'], arguments: /\bspamd\b/ },
  { name: 'amavis', programs: ['amavisd-new', 'amavisd', '/usr/sbin/amavi', 'perl'], arguments: /amavisd/ },
  { name: 'clamd', programs: ['clamd'] },
  { name: 'mimedefang', programs: ['mimedefang'] },
  { name: 'mimedefang-multiplexor', programs: ['mimedefang-mult'] },
  { name: 'mailscanner', programs: ['MailScanner'] },
  { name: 'postgrey', programs: ['postgrey', '/usr/sbin/postg', 'perl'], arguments: /postgrey/ },
  { name: 'milter-greylist', programs: ['milter-greylist'] },
  { name: 'saslauthd', programs: ['saslauthd'] },
  { name: 'haproxy', programs: ['haproxy'] },
  { name: 'nginx', programs: ['nginx'] },
  { name: 'unbound', programs: ['unbound'] },
  { name: 'named', programs: ['named'] },
];

export const KNOWN_DAEMONS: ReadonlyMap<string, KnownDaemon> = new Map(KNOWN.map(daemon => [daemon.name, daemon]));

export function isKnownDaemon(name: string): boolean {
  return KNOWN_DAEMONS.has(name);
}
