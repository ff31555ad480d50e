// Delivery status notifications (RFC 3464) in Postfix's layout: a text for people, a part for programs, the message's header.

import { mailDate } from '../imap/dates.ts';
import { split } from '../store/message.ts';

interface BounceFacts {
  readonly hostName: string;
  readonly domain: string;
  readonly queueId: string;
  readonly arrivedAt: Date;
  readonly now: Date;
  /** Of the message that came back; the notification goes there. */
  readonly sender: string;
  readonly recipient: string;
  readonly raw: Buffer;
  readonly status: string;
  readonly text: string;
}

export function bounceMessage(facts: BounceFacts): Buffer {
  const { hostName, queueId, recipient, sender, status, text } = facts;
  const boundary = `${queueId}.${facts.now.getTime()}/${hostName}`;
  // the words of the machine that refused, where it was one
  const remote = /^host (\S+)\[\S*\] said: (.*?)(?: \(in reply to [^)]*\))?$/s.exec(text);
  const diagnostic = remote === null ? `X-Postfix; ${text}` : `smtp; ${remote[2] ?? ''}`;
  const lines = [
    'Return-Path: <>',
    `Date: ${mailDate(facts.now)}`,
    `From: MAILER-DAEMON@${facts.domain} (Mail Delivery System)`,
    'Subject: Undelivered Mail Returned to Sender',
    `To: ${sender}`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    `\tboundary="${boundary}"`,
    `Message-Id: <${facts.now.getTime()}.${queueId}@${hostName}>`,
    '',
    'This is a MIME-encapsulated message.',
    '',
    `--${boundary}`,
    'Content-Description: Notification',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    `This is the mail system at host ${hostName}.`,
    '',
    "I'm sorry to have to inform you that your message could not",
    "be delivered to one or more recipients. It's attached below.",
    '',
    `<${recipient}>: ${text}`,
    '',
    `--${boundary}`,
    'Content-Description: Delivery report',
    'Content-Type: message/delivery-status',
    '',
    `Reporting-MTA: dns; ${hostName}`,
    `X-Postfix-Queue-ID: ${queueId}`,
    `X-Postfix-Sender: rfc822; ${sender}`,
    `Arrival-Date: ${mailDate(facts.arrivedAt)}`,
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    `Original-Recipient: rfc822;${recipient}`,
    'Action: failed',
    `Status: ${status}`,
    ...(remote === null ? [] : [`Remote-MTA: dns; ${remote[1] ?? ''}`]),
    `Diagnostic-Code: ${diagnostic}`,
    '',
    `--${boundary}`,
    'Content-Description: Undelivered Message Headers',
    'Content-Type: text/rfc822-headers',
    '',
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
  return Buffer.concat([head, split(facts.raw).header, Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1')]);
}
