// The signed token in a test message's header, by which it is known as ours. Only a message whose token verifies is ever removed.
//
// `v1.<id>.<seconds>.<signature>`: the signature is HMAC-SHA256 with the site's own key over version, id, time and the account's
// address. The Message-ID is not in it, so that a server that rewrites it is found out rather than hidden; removal asks for both.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { timeOfId } from '../record/ledger.ts';
import { type HeaderLine, valuesOf } from './headers.ts';

export const TOKEN_HEADER = 'X-Healthmon-Token';

/** Twenty characters of [0-9a-z]: nine of time, eleven of chance. Sorts by time. */
export function newId(at: number): string {
  let chance = '';
  while (chance.length < 11)
    for (const byte of randomBytes(16)) if (byte < 252 && chance.length < 11) chance += (byte % 36).toString(36);
  return timeOfId(at) + chance;
}

export function signToken(key: Buffer, id: string, at: number, address: string): string {
  const seconds = Math.floor(at / 1000);
  return `v1.${id}.${seconds}.${signature(key, id, seconds, address)}`;
}

/**
 * The id of a message that is ours.
 *
 * @param address the account whose mailbox it lies in: a token signed for one account proves nothing in another
 * @returns undefined when there is no token, more than one, or one that does not verify
 */
export function verifyToken(key: Buffer, headers: readonly HeaderLine[], address: string): string | undefined {
  const tokens = valuesOf(headers, TOKEN_HEADER);
  const parts =
    tokens.length === 1
      ? /^v1\.([0-9a-z]{20})\.(\d{1,12})\.([A-Za-z0-9_-]{43})$/.exec((tokens[0] as string).replace(/\s+/g, ''))
      : null;
  if (parts === null) return undefined;
  const [, id = '', seconds = '', given = ''] = parts;
  const wanted = Buffer.from(signature(key, id, Number(seconds), address));
  return timingSafeEqual(Buffer.from(given), wanted) ? id : undefined;
}

function signature(key: Buffer, id: string, seconds: number, address: string): string {
  return createHmac('sha256', key).update(`v1\n${id}\n${seconds}\n${address.toLowerCase()}`).digest('base64url');
}
