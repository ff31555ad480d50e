// Lines of Exim's main log, from its own file or through syslog. @see spec.txt chapter "Log files"
//
//   ID <= sender H=host [addr] P=esmtps S=1234          a message comes in (U=user P=local: from this host)
//   ID => recipient R=router T=transport H=host [addr]  a delivery; -> one more of the same; >> later, *> suppressed
//   ID == recipient ... defer (-44): text               a try that ended with "later"
//   ID ** recipient ...: text                           given up
//   ID Completed

import { type Book, countName } from './book.ts';
import { AT } from './counters.ts';
import { domainOf, sameAddress, wholeAt } from './scan.ts';

/** Six characters, six or eleven, two or four. */
const ID = /^[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4}) /;

/** @returns whether the line is understood */
export function readExim(line: string, start: number, book: Book): boolean {
  // log_selector = +pid puts the process in front.
  const from =
    line.charCodeAt(start) === 0x5b && /^\[\d+\] /.test(line.slice(start, start + 12)) ? line.indexOf('] ', start) + 2 : start;
  const id = ID.exec(line.slice(from, from + 25))?.[0];
  if (id === undefined) return readWithoutId(line, from, book);
  const body = from + id.length;
  const name = id.slice(0, -1);
  switch (line.slice(body, body + 3)) {
    case '<= ':
      return receive(line, name, body + 3, book);
    case '=> ':
    case '-> ':
    case '>> ':
      return deliver(line, name, body + 3, book);
    case '== ':
      return defer(line, name, body + 3, book);
    case '** ':
      book.count(AT.bounced);
      if (book.withNames) countName(book.troubledDomains, domainOf(addressAt(line, body + 3)));
      return true;
    case '*> ':
      return true;
    default:
      break;
  }
  if (line.startsWith('Completed', body)) {
    book.messages.delete(name);
    return true;
  }
  return readOnMessage(line, body, book);
}

function receive(line: string, id: string, from: number, book: Book): boolean {
  const sender = addressAt(line, from);
  const message = book.message(id);
  const sizeAt = line.indexOf(' S=', from);
  const size = sizeAt < 0 ? 0 : wholeAt(line, sizeAt + 3);
  message.size = size;
  message.isReceived = true;
  book.count(AT.received);
  book.count(AT.bytesReceived, size);
  book.sized(size);
  const host = clientOf(line, from);
  if (line.indexOf(' A=', from) >= 0) book.count(AT.receivedByLogin);
  else if (host === undefined) book.count(AT.receivedLocal);
  else if (host.startsWith('127.') || host === '::1') book.count(AT.receivedAgain);
  else book.count(AT.receivedFromNet);
  if (!book.withNames) return true;
  countName(book.senders, sameAddress(sender));
  countName(book.senderDomains, domainOf(sender));
  if (host !== undefined) countName(book.clients, host);
  return true;
}

function deliver(line: string, id: string, from: number, book: Book): boolean {
  book.count(AT.delivered);
  book.count(line.indexOf(' H=', from) >= 0 ? AT.deliveredToNet : AT.deliveredToMailboxes);
  const message = book.messages.get(id);
  if (message !== undefined && message.size > 0) book.count(AT.bytesDelivered, message.size);
  const queued = /\sQT=((?:\d+[wdhm])*(?:\d+(?:\.\d+)?s)?)/.exec(line)?.[1];
  if (queued !== undefined) book.delayed(secondsOf(queued));
  if (book.withNames) countName(book.recipientDomains, domainOf(addressAt(line, from)));
  return true;
}

function defer(line: string, id: string, from: number, book: Book): boolean {
  // A retry time not reached is no try.
  if (line.indexOf('retry time not reached', from) >= 0) return true;
  book.count(AT.deferrals);
  const message = book.message(id);
  if (!message.isDeferred) book.count(AT.deferred);
  message.isDeferred = true;
  if (book.withNames) countName(book.troubledDomains, domainOf(addressAt(line, from)));
  return true;
}

function readOnMessage(line: string, body: number, book: Book): boolean {
  if (/(?:^| )rejected (?:after DATA|by local_scan|during MIME|from|by)/.test(line.slice(body, body + 400))) {
    book.count(AT.rejected);
    return true;
  }
  if (line.startsWith('Frozen', body) || line.startsWith('frozen', body)) {
    book.count(AT.held);
    return true;
  }
  if (/^(?:discarded|=> blackhole)/.test(line.slice(body, body + 12))) {
    book.count(AT.discarded);
    return true;
  }
  return /^(?:Message is frozen|Unfrozen|Spool file|SMTP error|SMTP timeout|H=|DKIM|Warning|cancelled|Remote host|no (?:host|immediate)|TLS|\w+ router|\w+ transport|removed|SPF|DMARC|PRDR|error ignored|Message|\[)/.test(
    line.slice(body, body + 40),
  );
}

/** Connections, refusals and log-ins stand without a message. */
function readWithoutId(line: string, from: number, book: Book): boolean {
  const head = line.slice(from, from + 600);
  if (/^SMTP connection from /.test(head)) {
    if (!/ (?:closed|lost|D=)/.test(head)) book.count(AT.connections);
    return true;
  }
  if (/ authenticator failed for /.test(head)) {
    book.count(AT.loginsFailed);
    return true;
  }
  if (/ rejected (?:"|RCPT|MAIL|EHLO|HELO|AUTH|VRFY|ETRN|connection|after|during|STARTTLS|DATA)/i.test(head)) {
    book.count(AT.rejected);
    return true;
  }
  if (
    /^(?:exim \d\S* daemon|exim user lost privilege|Start queue run|End queue run|no (?:host name|IP address) found|SMTP (?:call|command|protocol|syntax|timeout|data)|TLS |H=.* (?:sender verify|Warning|temporarily|incomplete|unexpected)|unexpected disconnection|daemon:|pid \d+|\d+ (?:args|processes)|Connection from|refused|ident|cwd=|rewrote|failed to|search|lookup|remote host|socket|Warning:|no |[\w.-]+ \[|:\])/.test(
      head,
    )
  ) {
    if (/temporarily rejected/.test(head)) book.count(AT.rejected);
    return true;
  }
  if (/panic|Failed to|failed: /.test(head)) {
    book.count(AT.fatals);
    return true;
  }
  return false;
}

/** The sender or recipient: up to a blank; `<>` is empty; of `local <original@address>` the original, which has a domain. */
function addressAt(line: string, from: number): string {
  if (line.charCodeAt(from) === 0x3c) return inAngles(line, from);
  const end = line.indexOf(' ', from);
  const address = line.slice(from, end < 0 ? undefined : end).replace(/:$/, '');
  return end >= 0 && line.charCodeAt(end + 1) === 0x3c && !address.includes('@') ? inAngles(line, end + 1) : address;
}

function inAngles(line: string, from: number): string {
  return line.slice(from + 1, Math.max(from + 1, line.indexOf('>', from)));
}

/** `H=name (helo) [192.0.2.1]:4711`: the bracketed address behind H=, not one that a HELO name pretends to be. */
function clientOf(line: string, from: number): string | undefined {
  const at = line.indexOf(' H=', from);
  if (at < 0) return undefined;
  return /^ H=(?:\S+ )?(?:\([^)]*\) )?\[([0-9A-Fa-f.:]+)\]/.exec(line.slice(at, at + 600))?.[1];
}

/** `1d2h3m4.567s` */
function secondsOf(text: string): number {
  let seconds = 0;
  for (const match of text.matchAll(/(\d+(?:\.\d+)?)([wdhms])/g)) {
    seconds += Number(match[1]) * ({ w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 }[match[2] ?? 's'] ?? 1);
  }
  return seconds;
}
