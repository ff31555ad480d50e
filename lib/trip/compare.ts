// What came back against what was sent. Servers may add lines (Received, Delivered-To, DKIM-Signature, stamps of filters); they may
// not change ours.

import { printable } from '../model/printable.ts';
import type { MayAlter } from '../model/site.ts';
import type { Finding, SentMessage } from '../model/trip.ts';
import { hashBody } from './compose.ts';
import { parseHeaders, valuesOf } from './headers.ts';

export interface Alteration {
  readonly part: MayAlter;
  readonly text: string;
}

/**
 * @param raw the message as read back
 * @returns one entry per part that is not as it was sent; empty when all is
 */
export function compare(raw: Buffer, sent: SentMessage, bodyHash: string): readonly Alteration[] {
  const headers = parseHeaders(raw);
  const alterations: Alteration[] = [];
  const check = (name: string, wanted: (value: string) => boolean, expected: string) => {
    const values = valuesOf(headers, name);
    if (values.length === 1 && wanted(values[0] as string)) return;
    const part = name === 'Subject' ? 'subject' : 'header';
    const found =
      values.length === 0
        ? 'is gone'
        : values.length > 1
          ? `stands ${values.length} times`
          : `is now "${printable(values[0] as string, 120)}"`;
    alterations.push({ part, text: `${name} ${found}, sent was "${printable(expected, 120)}"` });
  };
  check('Subject', value => value === sent.subject, sent.subject);
  check('Message-ID', value => value === sent.messageId, sent.messageId);
  check('From', value => value.includes(sent.from), sent.from);
  check('To', value => value.includes(sent.to), sent.to);
  check('Auto-Submitted', value => value === 'auto-generated', 'auto-generated');
  if (hashBody(raw) !== bodyHash) {
    const bytes = raw.length;
    alterations.push({
      part: 'body',
      text: `the body is not as it was sent (the message came back with ${bytes} bytes, sent were ${sent.bytes})`,
    });
  }
  return alterations;
}

export function alterationFindings(alterations: readonly Alteration[]): readonly Finding[] {
  return alterations.map(({ text }) => ({ what: 'altered', text }));
}
