// Replies of SMTP and LMTP: three digits and text, over several lines. @see RFC 5321 section 4.2.1

import type { Reply } from '../model/dialog.ts';
import { printable } from '../model/printable.ts';
import { type Broken, type Line, REPLY_LINES } from './line.ts';

export interface SmtpReply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** Sends a command and wants a reply of that kind: 2 for done, 3 for go on. */
export async function expect(line: Line, command: string, kind: 2 | 3): Promise<SmtpReply> {
  await line.sendLine(command);
  return checked(line, await readReply(line), kind);
}

/** @throws {Broken} `rejected` for 4xx and 5xx, `garbled` for what is out of turn */
export function checked(line: Line, reply: SmtpReply, kind: 2 | 3): SmtpReply {
  if (Math.floor(reply.code / 100) === kind) return reply;
  throw refusal(line, reply);
}

export function refusal(line: Line, reply: SmtpReply): Broken {
  const kind = Math.floor(reply.code / 100);
  const words = replyText(reply);
  if (kind === 4 || kind === 5)
    return line.broken('rejected', `refused: ${words}`, asReply(reply), kind === 4 ? 'transient' : 'permanent');
  return line.broken('garbled', `answered out of turn: ${words}`, asReply(reply));
}

/**
 * Reads one reply, all its lines. @see RFC 5321 section 4.2.1
 *
 * @throws {Broken} `garbled` when it is not one, has more than 200 lines, or changes its code between lines
 */
export async function readReply(line: Line): Promise<SmtpReply> {
  const lines: string[] = [];
  let code: number | undefined;
  for (;;) {
    const text = await line.readLine();
    const parts = /^([2-5][0-5]\d)(?:([- ])(.*))?$/s.exec(text);
    if (parts === null) throw line.broken('garbled', `sent what is no SMTP reply: "${printable(text, 100)}"`);
    const each = Number(parts[1]);
    if (code !== undefined && each !== code)
      throw line.broken('garbled', `changed its code from ${code} to ${each} within a reply`);
    code = each;
    lines.push(parts[3] ?? '');
    if (parts[2] !== '-') return { code, lines };
    if (lines.length >= REPLY_LINES) throw line.broken('garbled', `sent a reply of more than ${REPLY_LINES} lines`);
  }
}

function asReply(reply: SmtpReply): Reply {
  const enhanced = /^([245]\.\d{1,3}\.\d{1,3})\b/.exec(reply.lines[0] ?? '')?.[1];
  return {
    code: String(reply.code),
    ...(enhanced === undefined ? {} : { enhanced }),
    lines: reply.lines.slice(0, 10).map(text => printable(text, 300)),
  };
}

export function replyText(reply: SmtpReply): string {
  return printable(`${reply.code} ${reply.lines.join(' ')}`.trim(), 300);
}

export function firstLine(reply: SmtpReply): string {
  return printable(`${reply.code} ${reply.lines[0] ?? ''}`.trim(), 200);
}
