// Lines of Postfix' daemons. What counts, by the daemon that says it:
//
//   smtpd       ID: client=...                          a message comes in
//   pickup      ID: uid=... from=...                    a program on this host sends one
//   qmgr        ID: from=<...>, size=..., nrcpt=...     its size; ID: removed: it has left
//   smtp lmtp local virtual pipe error retry discard    ID: to=<...>, relay=..., delays=a/b/c/d, status=...
//   smtpd postscreen cleanup                            reject, milter-reject, hold, discard
//
// Addresses in lines are a stranger's: each is taken only where it ends with the very words that follow it.

import { type Book, countName } from './book.ts';
import { AT } from './counters.ts';
import { addressEnd, decimalAt, domainOf, sameAddress, wholeAt, wordEnd } from './scan.ts';

type Read = (line: string, from: number, book: Book) => boolean;
/** Reads a line where it stands in a text, when it is one of those that are most of a log and say little. */
export type Skim = (text: string, from: number, book: Book) => boolean;

/** The reader of a daemon's lines, by the last part of the program's name; undefined for what is none of Postfix'. */
export function postfixReader(program: string): { readonly read: Read; readonly skim?: Skim } | undefined {
  const slash = program.lastIndexOf('/');
  const daemon = slash < 0 ? (/^postfix(?:-script)?$/.test(program) ? 'postfix-script' : '') : program.slice(slash + 1);
  const read = READERS.get(daemon);
  const skim = SKIMS.get(daemon);
  return read === undefined ? undefined : skim === undefined ? { read } : { read, skim };
}

const SKIMS: ReadonlyMap<string, Skim> = new Map<string, Skim>([
  ['smtpd', skimSmtpd],
  ['postscreen', skimPostscreen],
  ['cleanup', skimCleanup],
  ['qmgr', skimQmgr],
]);

function skimSmtpd(text: string, from: number, book: Book): boolean {
  const first = text.charCodeAt(from);
  if (first === 0x64) return text.startsWith('disconnect from ', from);
  if (first !== 0x63 || !text.startsWith('connect from ', from)) return false;
  book.count(AT.connections);
  return true;
}

function skimPostscreen(text: string, from: number, book: Book): boolean {
  const first = text.charCodeAt(from);
  if (first === 0x44) return text.startsWith('DISCONNECT ', from);
  if (first !== 0x43 || !text.startsWith('CONNECT from ', from)) return false;
  book.count(AT.connections);
  return true;
}

function skimCleanup(text: string, from: number): boolean {
  const end = wordEnd(text, from);
  return end >= 0 && text.charCodeAt(end + 2) === 0x6d && text.startsWith('message-id=', end + 2);
}

function skimQmgr(text: string, from: number, book: Book): boolean {
  const end = wordEnd(text, from);
  if (end < 0 || text.charCodeAt(end + 2) !== 0x72 || !text.startsWith('removed', end + 2)) return false;
  book.messages.delete(text.slice(from, end));
  return true;
}

const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['smtpd', readSmtpd],
  ['postscreen', readPostscreen],
  ['cleanup', readCleanup],
  ['pickup', readPickup],
  ['qmgr', readQmgr],
  ['nqmgr', readQmgr],
  ['oqmgr', readQmgr],
  ...['smtp', 'lmtp', 'local', 'virtual', 'pipe', 'error', 'retry', 'discard', 'spawn'].map(
    name => [name, deliverer(name)] as const,
  ),
  ...[
    'anvil',
    'bounce',
    'defer',
    'dnsblog',
    'flush',
    'master',
    'postalias',
    'postdrop',
    'postfix-script',
    'postlog',
    'postlogd',
    'postmap',
    'postqueue',
    'postsuper',
    'postmulti',
    'proxymap',
    'qmqpd',
    'scache',
    'sendmail',
    'showq',
    'tlsmgr',
    'tlsproxy',
    'trace',
    'trivial-rewrite',
    'verify',
  ].map(name => [name, readOther] as const),
]);

/** @returns whether the line is understood */
function readSmtpd(line: string, from: number, book: Book): boolean {
  const end = wordEnd(line, from);
  if (end < 0) return SMTPD_REMARK.test(line.slice(from, from + 60));
  const body = end + 2;
  if (line.startsWith('client=', body)) {
    receive(line, from, end, body + 7, book);
    return true;
  }
  const word = line.slice(from, end);
  if (word === 'warning') return readWarning(line, book);
  if (word === 'fatal' || word === 'panic' || word === 'error') return readTrouble(word, book);
  return readRefusal(line, body, book) || SMTPD_REMARK.test(line.slice(from, from + 60)) || isRemarkOnMessage(line, body);
}

const SMTPD_REMARK =
  /^(?:disconnect from|lost connection|timeout after|(?:Anonymous|Trusted|Untrusted|Verified) TLS|setting up TLS|SSL_accept|improper command|too many errors|table |proxy-(?:accept|reject)|initializing the server|Connection concurrency|Connection rate|starting TLS|TLS SNI|bare <LF>|using backwards-compatible|discarding EHLO|NOQUEUE: (?:filter|permit|info|redirect|client|milter)|disconnect|subject_CN|certificate verification|fingerprint|\w+: (?:filter|permit|info|redirect|bcc|replace|prepend|Subject|certificate))/;

function receive(line: string, from: number, end: number, clientAt: number, book: Book): void {
  book.count(AT.received);
  const open = line.indexOf('[', clientAt);
  if (isLoopback(line, open + 1)) book.count(AT.receivedAgain);
  else if (line.indexOf(', sasl_', clientAt) >= 0) book.count(AT.receivedByLogin);
  else book.count(AT.receivedFromNet);
  // NOQUEUE: passed on to a filter while it comes in (smtpd_proxy_filter), and a message here when that hands it back.
  if (!line.startsWith('NOQUEUE', from)) book.message(line.slice(from, end)).isReceived = true;
  if (!book.withNames || open < 0) return;
  const close = line.indexOf(']', open);
  if (close > 0) countName(book.clients, line.slice(open + 1, close));
}

/** A filter hands its messages back on this host. Log-ins from loopback (webmail) are users all the same. */
function isLoopback(line: string, from: number): boolean {
  return (line.startsWith('127.', from) || line.startsWith('::1]', from)) && line.indexOf(', sasl_', from) < 0;
}

function readPickup(line: string, from: number, book: Book): boolean {
  const end = wordEnd(line, from);
  if (end < 0) return false;
  const body = end + 2;
  if (line.startsWith('uid=', body) || line.startsWith('sender=', body)) {
    book.count(AT.received);
    book.count(AT.receivedLocal);
    book.message(line.slice(from, end)).isReceived = true;
    return true;
  }
  return readOther(line, from, book);
}

function readQmgr(line: string, from: number, book: Book): boolean {
  const end = wordEnd(line, from);
  if (end < 0) return readOther(line, from, book);
  const body = end + 2;
  if (!line.startsWith('from=<', body)) return readOther(line, from, book) || line.startsWith('skipped, still being', body);
  const close = addressEnd(line, body + 6);
  if (close < 0) return false;
  if (line.startsWith('size=', close + 3)) {
    const message = book.message(line.slice(from, end));
    // A deferred message comes by again each time that it is tried.
    if (message.size >= 0) return true;
    message.size = wholeAt(line, close + 8);
    if (!message.isReceived) return true;
    book.count(AT.bytesReceived, message.size);
    book.sized(message.size);
    if (book.withNames) {
      const sender = line.slice(body + 6, close);
      countName(book.senders, sameAddress(sender));
      countName(book.senderDomains, domainOf(sender));
    }
    return true;
  }
  if (!/^status=(?:force-)?expired/.test(line.slice(close + 3, close + 30))) return false;
  book.count(AT.expired);
  return true;
}

/** smtp sends to other hosts; lmtp, local, virtual and pipe to mailboxes; the rest delivers nothing. */
function deliverer(program: string): Read {
  const direction =
    program === 'smtp' ? AT.deliveredToNet : program === 'discard' || program === 'spawn' ? undefined : AT.deliveredToMailboxes;
  return (line, from, book) => {
    const end = wordEnd(line, from);
    if (end < 0) return DELIVERY_REMARK.test(line.slice(from, from + 60));
    const body = end + 2;
    if (!line.startsWith('to=<', body)) {
      const word = line.slice(from, end);
      if (word === 'warning') return readWarning(line, book);
      if (word === 'fatal' || word === 'panic' || word === 'error') return readTrouble(word, book);
      return DELIVERY_REMARK.test(line.slice(from, from + 60)) || DELIVERY_REMARK.test(line.slice(body, body + 60));
    }
    return deliver(line, line.slice(from, end), body + 4, direction, book);
  };
}

const DELIVERY_REMARK =
  /^(?:connect to|host \S+ (?:said|refused)|lost connection|conversation with|(?:Anonymous|Trusted|Untrusted|Verified) TLS|SSL_connect|certificate|server certificate|enabling PIX|using backwards|table |to=|Cannot start TLS|TLS|breaking line|protocol error|setting up TLS|CA certificate|warn|passing|delivery|sender|status=|discarding|Host offered)/;

function deliver(line: string, id: string, toAt: number, direction: number | undefined, book: Book): boolean {
  const close = addressEnd(line, toAt);
  if (close < 0) return false;
  let at = close + 3;
  if (line.startsWith('orig_to=<', at)) {
    const next = addressEnd(line, at + 9);
    if (next < 0) return false;
    at = next + 3;
  }
  if (!line.startsWith('relay=', at)) return false;
  const delayAt = line.indexOf(', delay=', at);
  const statusAt = delayAt < 0 ? -1 : line.indexOf(', status=', delayAt);
  if (statusAt < 0) return false;
  const status = statusAt + 9;
  const isSent = line.startsWith('sent', status);
  if (isSent) {
    if (line.startsWith('(forwarded as ', status + 5)) {
      book.count(AT.forwarded);
      return true;
    }
    book.count(AT.delivered);
    if (direction !== undefined) book.count(direction);
    const message = book.messages.get(id);
    if (message !== undefined && message.size > 0) book.count(AT.bytesDelivered, message.size);
    book.delayed(decimalAt(line, delayAt + 8));
    delayParts(line, delayAt + 8, book);
  } else if (line.startsWith('deferred', status)) {
    book.count(AT.deferrals);
    const message = book.message(id);
    if (!message.isDeferred) book.count(AT.deferred);
    message.isDeferred = true;
  } else if (line.startsWith('bounced', status)) book.count(AT.bounced);
  else return /^(?:expired|deliverable|undeliverable|SOFTBOUNCE)/.test(line.slice(status, status + 14));
  if (book.withNames) countName(isSent ? book.recipientDomains : book.troubledDomains, domainOf(line.slice(toAt, close)));
  return true;
}

/** `1.3, delays=0.03/0.02/0.01/1.2`: from the first digit of the delay. */
function delayParts(line: string, from: number, book: Book): void {
  const at = line.indexOf('delays=', from) + 7;
  if (at < from || at > from + 31) return;
  const { sums, most } = book.parts;
  book.parts.count += 1;
  let part = 0;
  let value = 0;
  let scale = 0;
  for (let i = at; part < 4; i++) {
    const code = line.charCodeAt(i);
    const digit = code - 0x30;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      scale *= 10;
    } else if (code === 0x2e) scale = 1;
    else {
      const seconds = scale > 1 ? value / scale : value;
      sums[part] = (sums[part] ?? 0) + seconds;
      if (seconds > (most[part] ?? 0)) most[part] = seconds;
      if (code !== 0x2f) return;
      part += 1;
      value = 0;
      scale = 0;
    }
  }
}

function readPostscreen(line: string, from: number, book: Book): boolean {
  const end = wordEnd(line, from);
  if (end >= 0) {
    const word = line.slice(from, end);
    if (word === 'warning') return readWarning(line, book);
    if (word === 'fatal' || word === 'panic' || word === 'error') return readTrouble(word, book);
    return readRefusal(line, end + 2, book);
  }
  return /^(?:PASS (?:OLD|NEW) |HANGUP |PREGREET |DNSBL rank |(?:WHITE|BLACK|ALLOW|DENY)LIST|BARE NEWLINE |NON-SMTP COMMAND |COMMAND (?:TIME|LENGTH|COUNT) LIMIT |COMMAND PIPELINING |(?:DATA|BDAT) without valid RCPT |cache |table |close database |using backwards)/.test(
    line.slice(from, from + 40),
  );
}

function readCleanup(line: string, from: number, book: Book): boolean {
  const end = wordEnd(line, from);
  if (end < 0) return readOther(line, from, book);
  const body = end + 2;
  if (line.startsWith('resent-message-id=', body)) return true;
  const word = line.slice(from, end);
  if (word === 'warning') return readWarning(line, book);
  if (word === 'fatal' || word === 'panic' || word === 'error') return readTrouble(word, book);
  return readRefusal(line, body, book) || isRemarkOnMessage(line, body);
}

/** `reject: RCPT from host[addr]: ...`, `milter-reject: END-OF-MESSAGE from ...`, `hold: header ...`; of headers also `warning:`. */
function readRefusal(line: string, body: number, book: Book): boolean {
  switch (line.charCodeAt(body)) {
    case 0x72: // r
      if (line.startsWith('reject: ', body)) return refused(AT.rejected, line, body + 8, book);
      return line.startsWith('reject_warning: ', body) && refused(AT.rejectWarnings, line, body + 16, book);
    case 0x6d: // m
      if (line.startsWith('milter-reject: ', body)) return refused(AT.rejected, line, body + 15, book);
      if (line.startsWith('milter-hold: ', body)) return refused(AT.held, line, body + 13, book);
      return line.startsWith('milter-discard: ', body) && refused(AT.discarded, line, body + 16, book);
    case 0x68: // h
      return line.startsWith('hold: ', body) && refused(AT.held, line, body + 6, book);
    case 0x64: // d
      return line.startsWith('discard: ', body) && refused(AT.discarded, line, body + 9, book);
    case 0x77: // w
      return line.startsWith('warning: ', body) && refused(AT.rejectWarnings, line, body + 9, book);
    default:
      return false;
  }
}

/** A stage of the dialog or a part of the message follows. */
function refused(counter: number, line: string, stageAt: number, book: Book): boolean {
  if (
    !/^(?:CONNECT|HELO|EHLO|MAIL|RCPT|DATA|BDAT|END-OF-MESSAGE|UNKNOWN|VRFY|ETRN|AUTH|STARTTLS|XFORWARD|NOOP|RSET|QUIT|header|body|mime|nested)\b/.test(
      line.slice(stageAt, stageAt + 16),
    )
  )
    return false;
  book.count(counter);
  return true;
}

function isRemarkOnMessage(line: string, body: number): boolean {
  return /^(?:info|replace|prepend|redirect|filter|strip|bcc|pass|to=|table |resent|milter-|permit|delay|removed)/.test(
    line.slice(body, body + 12),
  );
}

function readWarning(line: string, book: Book): boolean {
  book.count(AT.warnings);
  // The library underneath adds a line of its own ("SASL authentication failure"), which is not another attempt.
  if (/: SASL \S+ authentication failed/.test(line)) book.count(AT.loginsFailed);
  return true;
}

function readTrouble(word: string, book: Book): boolean {
  if (word !== 'error') book.count(AT.fatals);
  return true;
}

/** Daemons whose lines count nothing but their troubles. */
function readOther(line: string, from: number, book: Book): boolean {
  const end = wordEnd(line, from);
  if (end < 0) return true;
  const word = line.slice(from, end);
  if (word === 'warning') return readWarning(line, book);
  if (word === 'fatal' || word === 'panic' || word === 'error') return readTrouble(word, book);
  return true;
}
