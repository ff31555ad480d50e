// LMTP as a client, as far as the store's word on a recipient: a knock at the door through which mail is delivered. No message is
// ever sent. @see RFC 2033

import type { Dialog } from '../model/dialog.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { printable } from '../model/printable.ts';
import { Line, type Terms } from './line.ts';
import { checked, expect, firstLine, readReply } from './smtp-wire.ts';

/** Banner, LHLO, MAIL, RCPT, RSET, QUIT. */
export async function knockLmtp(
  endpoint: Endpoint,
  helo: string,
  envelope: { readonly from: string; readonly to: string },
  terms: Terms,
): Promise<Dialog<{ readonly rcpt: string }>> {
  const line = new Line(endpoint, terms);
  try {
    return await line.operation(terms, async () => {
      await line.dial();
      const greeting = await line.phase('banner', async () => checked(line, await readReply(line), 2));
      line.facts.banner = printable(greeting.lines.join(' '), 300);
      const hello = await line.phase('ehlo', () => expect(line, `LHLO ${helo}`, 2));
      if (endpoint.security === 'starttls') {
        await line.phase('starttls', async () => {
          if (!hello.lines.some(each => /^STARTTLS$/i.test(each.trim()))) {
            throw line.broken('missing', 'offers no STARTTLS, which is required here', undefined, 'permanent');
          }
          await expect(line, 'STARTTLS', 2);
        });
        await line.upgrade();
        await line.phase('ehlo', () => expect(line, `LHLO ${helo}`, 2));
      }
      await line.phase('mail', () => expect(line, `MAIL FROM:<${envelope.from}>`, 2));
      const rcpt = await line.phase('rcpt', () => expect(line, `RCPT TO:<${envelope.to}>`, 2));
      await line.phase('rset', () => expect(line, 'RSET', 2));
      await line.leave(() => line.sendLine('QUIT'));
      return { rcpt: firstLine(rcpt) };
    });
  } finally {
    line.close();
  }
}
