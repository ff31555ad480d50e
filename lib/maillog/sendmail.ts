// Lines of sendmail: `ID: name=value, name=value, ...`. @see op.me section 2.1.1 "System log", cf/README
//
//   ID: from=<...>, size=..., nrcpts=..., relay=host [addr]     a message comes in
//   ID: to=<...>,<...>, delay=00:00:01, mailer=..., stat=Sent   deliveries, as many as recipients
//   ID: ruleset=check_rcpt, ..., reject=550 ...                 refused at the door

import { type Book, countName } from './book.ts';
import { AT } from './counters.ts';
import { domainOf, sameAddress, wholeAt, wordEnd } from './scan.ts';

/** Whether a program's name is one of sendmail's. */
export function isSendmail(program: string): boolean {
  return /^(?:sm-(?:mta|msp|mta-client|acceptingconnections)\S*|sendmail\S*|sm-msp-queue)$/.test(program);
}

/** @returns whether the line is understood */
export function readSendmail(line: string, from: number, book: Book): boolean {
  const end = wordEnd(line, from);
  if (end < 0) return readRemark(line.slice(from, from + 600), book);
  const id = line.slice(from, end);
  const body = end + 2;
  if (line.startsWith('from=', body)) return receive(line, id, body + 5, book);
  if (line.startsWith('to=', body) || line.startsWith('ctladdr=', body)) return deliver(line, id, body, book);
  const rest = line.slice(body, body + 600);
  if (/^(?:ruleset=|Milter: .*\breject=|lost input channel)|\breject=\d{3}/.test(rest)) {
    if (/\breject=/.test(rest)) book.count(AT.rejected);
    return true;
  }
  if (/^(?:Milter|milter)\S*:? .*(?:discard|quarantine)/i.test(rest)) {
    book.count(/discard/i.test(rest) ? AT.discarded : AT.held);
    return true;
  }
  if (/^quarantine/i.test(rest)) {
    book.count(AT.held);
    return true;
  }
  if (/^AUTH failure|authentication failure|AUTH .*failed/.test(rest)) {
    book.count(AT.loginsFailed);
    return true;
  }
  if (/^SYSERR/.test(rest)) {
    book.count(AT.fatals);
    return true;
  }
  if (/(?:return to sender|sender notify|postmaster notify|DSN): /i.test(rest)) return true;
  return (
    readRemark(rest, book) ||
    /^(?:done|clone|AUTH|alias|forward|\w+\.\.\.|timeout|lost|discarded|Milter|milter|<|headers|collect|--- |STARTTLS|to=|arg1=|queueup|locked|tempfail|mailer|dropenvelope|\S+: (?:from|to)=)/i.test(
      rest,
    )
  );
}

function readRemark(text: string, book: Book): boolean {
  if (/SYSERR|fatal/i.test(text)) {
    book.count(AT.fatals);
    return true;
  }
  if (/^(?:NOQUEUE: )?connect from /.test(text)) {
    book.count(AT.connections);
    return true;
  }
  if (/^ruleset=.*, reject=/.test(text)) {
    book.count(AT.rejected);
    return true;
  }
  return /^(?:starting daemon|unable to write pid|STARTTLS|started as|restarting|rejecting connections|accepting connections|alias database|runqueue|grew WorkList|ruleset=|AUTH|Authentication-Warning|\S+ did not issue|Milter|error|\[|getrequests|problem|gethostbyaddr|\/)/.test(
    text,
  );
}

function receive(line: string, id: string, from: number, book: Book): boolean {
  const sizeAt = line.indexOf(', size=', from);
  if (sizeAt < 0) return line.indexOf(', ', from) >= 0;
  const sender = bare(line.slice(from, sizeAt));
  const size = wholeAt(line, sizeAt + 7);
  const message = book.message(id);
  if (message.isReceived) return true;
  message.size = size;
  message.isReceived = true;
  book.count(AT.received);
  book.count(AT.bytesReceived, size);
  book.sized(size);
  const relay = /, relay=([^,]*)/.exec(line.slice(sizeAt))?.[1] ?? '';
  const client = /\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]/.exec(relay)?.[1];
  if (/, (?:auth|authid)=/.test(line.slice(sizeAt))) book.count(AT.receivedByLogin);
  else if (client === undefined) book.count(AT.receivedLocal);
  else if (client.startsWith('127.') || client === '::1') book.count(AT.receivedAgain);
  else book.count(AT.receivedFromNet);
  if (!book.withNames) return true;
  countName(book.senders, sameAddress(sender));
  countName(book.senderDomains, domainOf(sender));
  if (client !== undefined) countName(book.clients, client);
  return true;
}

function deliver(line: string, id: string, from: number, book: Book): boolean {
  const statAt = line.lastIndexOf(', stat=');
  if (statAt < 0) return false;
  const toAt = line.indexOf('to=', from) + 3;
  const toEnd = /, (?:ctladdr|delay|xdelay|mailer)=/.exec(line.slice(toAt))?.index ?? 0;
  const recipients = line
    .slice(toAt, toAt + toEnd)
    .split(',')
    .map(bare)
    .filter(each => each !== '');
  const count = Math.max(1, recipients.length);
  const stat = line.slice(statAt + 7, statAt + 60);
  const message = book.messages.get(id);
  if (/^Sent/.test(stat)) {
    const mailer = /, mailer=(\w+)/.exec(line.slice(from, statAt))?.[1] ?? '';
    book.count(AT.delivered, count);
    book.count(
      /^(?:local|prog|lmtp|cyrus\w*|procmail|file|\*file\*)$/.test(mailer) ? AT.deliveredToMailboxes : AT.deliveredToNet,
      count,
    );
    if (message !== undefined && message.size > 0) book.count(AT.bytesDelivered, message.size * count);
    const delay = /, delay=(?:(\d+)\+)?(\d\d):(\d\d):(\d\d)/.exec(line.slice(from, statAt));
    if (delay !== null) {
      const [days, hours, minutes, seconds] = delay.slice(1, 5).map(part => Number(part ?? 0));
      book.delayed((days ?? 0) * 86_400 + (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0));
    }
  } else if (/^(?:Deferred|queued)/i.test(stat)) {
    // Handed to the queue runner, not tried.
    if (/^queued/i.test(stat)) return true;
    book.count(AT.deferrals, count);
    const known = book.message(id);
    if (!known.isDeferred) book.count(AT.deferred);
    known.isDeferred = true;
  } else if (
    /, dsn=5/.test(line.slice(from, statAt)) ||
    /^(?:User unknown|Service unavailable|Host unknown|Data format error|Can't create)/.test(stat)
  )
    book.count(AT.bounced, count);
  else return false;
  if (book.withNames) {
    const domains = /^Sent/.test(stat) ? book.recipientDomains : book.troubledDomains;
    for (const each of recipients) countName(domains, domainOf(each));
  }
  return true;
}

/** Without angles and what follows them. */
function bare(address: string): string {
  const text = address.trim();
  return text.startsWith('<') ? text.slice(1).replace(/>.*$/s, '') : (text.split(' ')[0] ?? '');
}
