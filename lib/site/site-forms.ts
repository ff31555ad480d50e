// The kinds of value that a mail site's config is made of: hosts, ports, addresses, passwords' whereabouts. Each says in words
// what it wants and knows the mistakes that are commonly made with it.

import { isIPv4, isIPv6 } from 'node:net';
import type { Mechanism, Security } from '../model/endpoint.ts';
import { type Form, list, oneOf, pattern, placed, text, whole } from './table/form.ts';

const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
/** The last label has a letter, or it would be a mistyped IPv4 address. */
const DOMAIN = new RegExp(`^(?=.{1,253}$)(?:${LABEL}\\.)*(?![0-9]+$)${LABEL}$`);
/** RFC 5321 section 4.1.2, the dot-string form: what a test account needs, and nothing that has to be quoted. */
const LOCAL_PART = /^(?=.{1,64}$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;

export function isDomain(name: string): boolean {
  return DOMAIN.test(name);
}

/** Node's isIP compiles its pattern for IPv6 for names as well, which takes some milliseconds of every start. */
function isIp(address: string): boolean {
  return address.includes(':') ? isIPv6(address) : isIPv4(address);
}

export function isHost(name: string): boolean {
  return isIp(name) || isDomain(name.replace(/\.$/, ''));
}

export function isAddress(address: string): boolean {
  const at = address.lastIndexOf('@');
  return LOCAL_PART.test(address.slice(0, Math.max(0, at))) && isDomain(address.slice(at + 1));
}

/** Why something is no host, where that is easily told. */
export function hostHint(found: string): string | undefined {
  if (/^[a-z0-9+.-]+:\/\//i.test(found)) return 'write the name only, without a protocol before it';
  if (/^\[.*\]$/.test(found)) return 'an IPv6 address stands here without brackets';
  if (/^[^:]+:\d+$/.test(found)) return 'the port is a key of its own';
  return /[^\x20-\x7e]/.test(found) ? 'write a name with letters beyond ASCII in its "xn--" form' : undefined;
}

export const host: Form<string> = pattern('the name or address of a machine, without a port', isHost, { hint: hostHint });
export const domain: Form<string> = pattern('a domain such as "example.com"', name => isDomain(name) && !isIp(name), {
  hint: hostHint,
});
export const ipAddress: Form<string> = pattern('an IPv4 or IPv6 address', isIp);
export const address: Form<string> = pattern('a mail address such as "ims1@example.com"', isAddress);
export const helo: Form<string> = pattern('a domain name, or an address in brackets (RFC 5321 section 4.1.3)', name => {
  const literal = /^\[(?:IPv6:)?(.+)\]$/i.exec(name)?.[1];
  return literal === undefined ? isDomain(name) && !isIp(name) : isIp(literal);
});

export const port: Form<number> = whole({ min: 1, max: 65535 });
export const seconds: Form<number> = whole({ min: 1, max: 3600, unit: 'seconds' });
export const security: Form<Security> = oneOf('starttls', 'tls', 'plain');
export const mechanism: Form<Mechanism> = oneOf('plain', 'login', 'xoauth2');
export const ipVersion: Form<'4' | '6'> = oneOf('4', '6');

export const filePath: Form<string> = text('the path of a file, relative to the folder of this file or absolute', { max: 1000 });

/** Whereabouts of a secret are hidden in messages: what stands there by mistake may be the secret itself. */
export const secretPath: Form<string> = text('the path of a file, relative to the folder of this file or absolute', {
  max: 1000,
  isHidden: true,
});
export const variableName: Form<string> = pattern('the name of an environment variable', /^[A-Za-z_][A-Za-z0-9_]{0,127}$/, {
  isHidden: true,
  hint: () => 'the variable holds the password; its name stands here',
});
export const credentialName: Form<string> = pattern(
  "the name of a systemd credential (letters, digits, '.', '_', '-')",
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/,
  {
    isHidden: true,
    hint: () => 'as in LoadCredential=NAME:/path of the unit',
  },
);

export const command: Form<readonly string[]> = commandForm(false);
/** Arguments of a command that prints a secret are not shown either. */
export const secretCommand: Form<readonly string[]> = commandForm(true);

function commandForm(isHidden: boolean): Form<readonly string[]> {
  return list(text('a text in double quotes', { max: 4096, isHidden }), {
    min: 1,
    of: 'a program and its arguments, run without a shell',
  });
}

/** References to other parts of the file; whether they exist is judged once all of it is known (references.ts). */
export const componentNames = list(placed(text('a component such as "directory/ldap1"')), {
  of: 'components such as "directory/ldap1"',
});
export const memberNames = list(placed(text('a component such as "mta/ssmtp01"')), {
  min: 1,
  of: 'components such as "mta/ssmtp01"',
});
export const mtaNames = list(placed(text('the name of an MTA')), { min: 1, of: 'names of MTAs' });

interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** `inet:8891@host` or `unix:/path`, as milters are named by their own programs. */
export const milterSocket: Form<string> = pattern(
  '"inet:PORT@HOST" or "unix:/PATH"',
  found => parseMilterSocket(found) !== undefined,
  {
    hint: found => {
      const postfix = /^inet:([^:@]+):(\d+)$/.exec(found);
      return postfix === null ? undefined : `this is how Postfix writes it; here it is "inet:${postfix[2]}@${postfix[1]}"`;
    },
  },
);

export function parseMilterSocket(found: string): SocketAddress | { readonly path: string } | undefined {
  const path = /^(?:unix|local):(\/.+)$/.exec(found)?.[1];
  if (path !== undefined) return { path };
  const [, digits = '', named = ''] = /^inet6?:(\d{1,5})@(.+)$/.exec(found) ?? [];
  const name = /^\[(.+)\]$/.exec(named)?.[1] ?? named;
  const number = Number(digits);
  return number >= 1 && number <= 65535 && isHost(name) ? { host: name, port: number } : undefined;
}

interface DirectoryUrl extends SocketAddress {
  readonly isTls: boolean;
}

/** What is hidden in messages about it: a URL can hold a password. */
export const directoryUrl: Form<string> = pattern(
  '"ldap://HOST:PORT" or "ldaps://HOST:PORT"',
  found => parseDirectoryUrl(found) !== undefined,
  {
    isHidden: true,
    hint: found => {
      if (found.includes('@')) return 'name and password do not stand in the URL: use bind_dn and password_file';
      if (/^ldaps?:\/\/[^/]+\/./i.test(found)) return 'the search base is a key of its own: base = "dc=example,dc=com"';
      return undefined;
    },
  },
);

export function parseDirectoryUrl(found: string): DirectoryUrl | undefined {
  const [, scheme = '', named = '', digits] = /^(ldaps?):\/\/(\[[^\]]+\]|[^/:@?#]+)(?::(\d{1,5}))?\/?$/i.exec(found) ?? [];
  const name = /^\[(.+)\]$/.exec(named)?.[1] ?? named;
  const isTls = scheme.toLowerCase() === 'ldaps';
  const number = digits === undefined ? (isTls ? 636 : 389) : Number(digits);
  return number >= 1 && number <= 65535 && isHost(name) ? { host: name, port: number, isTls } : undefined;
}

/** RFC 4515, as far as slips of the hand go: one whole filter, brackets in pairs. */
export const ldapFilter: Form<string> = pattern('an LDAP filter in brackets, such as "(mail=%s)"', found => {
  let depth = 0;
  for (let i = 0; i < found.length; i++) {
    if (found[i] === '(') depth++;
    if (found[i] === ')') depth--;
    if (depth < 0 || (depth === 0 && i < found.length - 1)) return false;
  }
  return depth === 0 && found.startsWith('(') && found.length > 2;
});
export const attributeNames = list(pattern('the name of an LDAP attribute', /^[A-Za-z][A-Za-z0-9.;-]*$/), {
  min: 1,
  of: 'LDAP attributes',
});
