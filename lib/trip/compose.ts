// The test message: plain, honest, small, recognisable by machines (signed token, Auto-Submitted) and by people who find one.

import { createHash } from 'node:crypto';
import type { Route, Site } from '../model/site.ts';
import { pathText, type SentMessage } from '../model/trip.ts';
import { bodyOf } from './headers.ts';
import { signToken, TOKEN_HEADER } from './token.ts';

export interface Composed {
  readonly message: SentMessage;
  /** As it goes over the wire but for dot-stuffing. */
  readonly raw: Buffer;
  /** Of the body, hex; what `compare` checks against. */
  readonly bodyHash: string;
}

/**
 * @param at wall clock; goes into Date and token
 * @param bytes size to fill the message up to; smaller than the bare message means the bare message
 */
export async function compose(site: Site, route: Route, key: Buffer, id: string, at: number, bytes: number): Promise<Composed> {
  const { account, path } = route;
  const messageId = `<${id}@healthmon.${site.domain}>`;
  const subject = `healthmon test ${id}`;
  const from = route.sender.address;
  const { default: MailComposer } = await loadComposer();
  const build = async (filling: string): Promise<Buffer> =>
    new MailComposer({
      from: { name: 'healthmon', address: from },
      to: account.address,
      subject,
      messageId,
      date: new Date(at),
      // No mail program is to answer it, no vacation notice to be sent. RFC 3834
      headers: { 'Auto-Submitted': 'auto-generated', [TOKEN_HEADER]: signToken(key, id, at, account.address) },
      text: `${body(site, pathText(path), id)}${filling}`,
      newline: '\r\n',
      xMailer: false,
    })
      .compile()
      .build();
  let raw = await build('');
  const missing = bytes - raw.length;
  if (missing > 0) raw = await build(fill(missing));
  return {
    raw,
    bodyHash: hashBody(raw),
    message: { id, messageId, from, to: account.address, envelopeFrom: from, subject, bytes: raw.length },
  };
}

/** nodemailer is compiled when the first message is written, not when a command starts. */
export function loadComposer() {
  return import('nodemailer/lib/mail-composer');
}

/** SHA-256 of a message's body with line ends made equal and trailing blank lines left out, which relays may add or drop. */
export function hashBody(raw: Buffer): string {
  const plain = bodyOf(raw).toString('latin1').replace(/\r\n/g, '\n');
  let end = plain.length;
  // By hand: a pattern for "line ends at the end" looks at every run of them again and again.
  while (end > 1 && plain[end - 1] === '\n' && plain[end - 2] === '\n') end -= 1;
  return createHash('sha256').update(plain.slice(0, end), 'latin1').digest('hex');
}

function body(site: Site, path: string, id: string): string {
  return `This is a test message of healthmon, the round-trip monitor of ${site.name}.
It was sent to see whether mail goes through, and is removed as soon as it
has arrived. Nobody needs to answer it. If you find it, it may be deleted.

Path: ${path}
Id: ${id}
`;
}

/** So many bytes in lines of 72 characters. */
function fill(bytes: number): string {
  const line = `${'.-+*'.repeat(17)}filler\n`;
  return `\n${line.repeat(Math.ceil(bytes / (line.length + 1))).slice(0, Math.max(0, bytes - 2))}`;
}
