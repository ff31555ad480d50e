// Lines of Dovecot, from its own log or through syslog: log-ins, failed ones, and what it stored. @see doc.dovecot.org, "Logging"

import type { Book } from './book.ts';
import { AT } from './counters.ts';

const SERVICE =
  /^(?:(?:imap|pop3|submission|managesieve|lmtp|sieve)(?:-login|-urlauth)?|auth(?:-worker)?|lda|master|anvil|log|config|indexer(?:-worker)?|doveadm(?:-server)?|dict(?:-async)?|stats|director|replicator|aggregator|ssl-params|old-stats|quota-status|imap-hibernate|script|dns-client|tcpwrap)\b/;

/** Whether a line of Dovecot's own log begins here: there is no program's name before the service. */
export function isDovecot(line: string, from: number): boolean {
  return (
    SERVICE.test(line.slice(from, from + 24)) &&
    /^[a-z0-9-]+(?:\([^)]{0,300}\))?(?:<[^>]{0,300}>)*: /.test(line.slice(from, from + 700))
  );
}

/** @returns whether the line is understood */
export function readDovecot(line: string, from: number, book: Book): boolean {
  const text = line.slice(from, from + 400);
  if (!SERVICE.test(text)) return /^(?:Error|Warning|Info|Debug|Fatal|Panic|ssl-params|Dovecot|SIGHUP|Killed|Sent)/.test(text);
  if (text.includes('-login: ')) {
    if (/-login: (?:Info: )?Login: /.test(text)) book.count(AT.logins);
    else if (/auth failed, (\d+) attempts/.test(text)) book.count(AT.loginsFailed);
  } else if (/: (?:saved|stored) mail |: msgid=.*: saved mail/.test(text) && text.startsWith('l')) book.count(AT.stored);
  if (/: (?:Fatal|Panic): /.test(text)) book.count(AT.fatals);
  else if (/: (?:Error|Warning): /.test(text)) book.count(AT.warnings);
  return true;
}
