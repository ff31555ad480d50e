// The log-ins that send a password or a token: which mechanism, and the strings that go over the wire.
//
// PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login), XOAUTH2 (Google's and Microsoft's own). The three mail protocols wrap
// them in their own commands. Mechanisms that hide the password behind a hash are not offered: every connection is encrypted
// unless the operator has written `plain`.

import type { Login, Mechanism } from '../model/endpoint.ts';
import type { Line } from './line.ts';

export interface Credentials {
  readonly user: string;
  readonly mechanism: Mechanism;
  readonly secret: string;
}

/** Reads the secret before anything is dialled, in a phase of its own: a missing file is our fault, and known at once. */
export async function readSecret(line: Line, login: Login): Promise<string> {
  const secret = await line.phase('secret', () => login.secret());
  line.hide(secret, base64(secret), plainResponse({ user: login.user, secret }), xoauth2Response({ user: login.user, secret }));
  return secret;
}

/**
 * The mechanism to use: the one the operator named, else the best that the server offers of those that take a password.
 *
 * @param offered names as the server gives them, any case
 * @returns undefined when there is none in common
 */
export function chooseMechanism(login: Login, offered: readonly string[]): Mechanism | undefined {
  const has = (mechanism: Mechanism) => offered.some(name => name.toLowerCase() === mechanism);
  if (login.mechanism !== undefined) return has(login.mechanism) ? login.mechanism : undefined;
  return has('plain') ? 'plain' : has('login') ? 'login' : undefined;
}

/** The initial response of PLAIN. */
export function plainResponse({ user, secret }: Pick<Credentials, 'user' | 'secret'>): string {
  return base64(`\0${user}\0${secret}`);
}

/** The initial response of XOAUTH2. */
export function xoauth2Response({ user, secret }: Pick<Credentials, 'user' | 'secret'>): string {
  return base64(`user=${user}\x01auth=Bearer ${secret}\x01\x01`);
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
