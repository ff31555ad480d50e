// Delivery status notifications about our own messages. @see RFC 3464, RFC 6522

import { printable } from '../model/printable.ts';
import type { Bounce } from '../model/trip.ts';
import { type HeaderLine, parseHeaders, valuesOf } from './headers.ts';

/** Whether the header alone says that this may be one; the rest is not read otherwise. */
export function looksLikeBounce(headers: readonly HeaderLine[]): boolean {
  return valuesOf(headers, 'Content-Type').some(
    value => /^multipart\/report\b/i.test(value) && /report-type="?delivery-status/i.test(value),
  );
}

/**
 * What the notification says about our message.
 *
 * @param raw the notification, or as much of it as we asked for
 * @returns undefined when it is about another message, or is none
 */
export function parseBounce(raw: Buffer, messageId: string): Bounce | undefined {
  const text = raw.toString('latin1');
  // The returned message or its header stands in the last part: our Message-ID must be in it as a header of its own.
  const about = new RegExp(`^message-id:\\s*${messageId.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`, 'im');
  if (!about.test(text)) return undefined;
  const status = /^content-type:\s*message\/delivery-status\b/im.exec(text);
  if (status === null) return undefined;
  const part =
    text
      .slice(status.index)
      .replace(/^[\s\S]*?\r?\n\r?\n/, '')
      .split(/\r?\n--/)[0] ?? '';
  // Blank lines part the fields of the message from those of each recipient: one list of header lines serves both.
  const fields = parseHeaders(Buffer.from(part.replace(/\r?\n(\r?\n)+/g, '\r\n'), 'latin1'));
  const first = (name: string) => valuesOf(fields, name)[0];
  const typed = (name: string) => first(name)?.replace(/^[\w-]+\s*;\s*/, '');
  const diagnostic = typed('Diagnostic-Code');
  const reportingMta = typed('Reporting-MTA');
  const remoteMta = typed('Remote-MTA');
  return {
    action: printable((first('Action') ?? 'failed').toLowerCase(), 20),
    status: printable(/\d\.\d{1,3}\.\d{1,3}/.exec(first('Status') ?? '')?.[0] ?? '', 12),
    ...(diagnostic === undefined ? {} : { diagnostic: printable(diagnostic, 300) }),
    ...(reportingMta === undefined ? {} : { reportingMta: printable(reportingMta, 100) }),
    ...(remoteMta === undefined ? {} : { remoteMta: printable(remoteMta, 100) }),
  };
}
