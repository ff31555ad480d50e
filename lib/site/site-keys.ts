// Keys that several sections of site.cfg share, each explained once: where a machine is, how it is trusted, how to log in, what
// it needs, and its doors. Beside them the rules that bind such keys together.

import type { Reporter } from './problem.ts';
import * as form from './site-forms.ts';
import { defaulted, type Entry, type Fields, optional } from './table/field.ts';
import { text, truth } from './table/form.ts';
import { record } from './table/read.ts';

export const HOST = optional(form.host, {
  help: 'Where the machine is.',
  otherwise: 'NAME, the word in the header',
  sample: 'mail.example.com',
});

/** How to reach a machine and whether to believe its certificate. */
export const REACH = {
  servername: optional(form.host, {
    help: "The name that the server's certificate must bear, when that is another one than host; it also goes out as SNI.",
    otherwise: 'host',
    sample: 'mail.example.com',
  }),
  ip: optional(form.ipVersion, {
    help: 'The version of IP to use for this machine.',
    otherwise: 'as in [site]',
    sample: '4',
  }),
  tls_verify: optional(truth(), {
    help: 'Whether the certificate of this machine must be valid. False means that anybody on the way can read the password.',
    otherwise: 'as in [site]',
    sample: true,
  }),
  ca_file: optional(form.filePath, {
    help: 'Certificates (PEM) of the authorities that this machine is checked against.',
    otherwise: 'as in [site]',
    sample: 'ca.pem',
  }),
};

export const NEEDS = optional(form.componentNames, {
  help: 'Components that this one cannot work without. When a test fails, they are looked at too, and one of them may be named as the cause.',
  otherwise: 'none',
  sample: ['directory/ldap1'],
});

/** Where a password comes from; exactly one of them. */
export const PASSWORD = {
  password_file: optional(form.secretPath, {
    help:
      'A file whose first line is the password (or the access token, with auth = "xoauth2"). It must be a file that only you can read ' +
      '(chmod 600), in a folder that only you can write to. Passwords never stand in this file. One of the four keys that begin with ' +
      'password_ is needed wherever somebody logs in.',
    otherwise: 'none',
    sample: 'secrets/ims1',
  }),
  password_env: optional(form.variableName, {
    help: 'Instead: an environment variable that holds the password.',
    otherwise: 'none',
    sample: 'IMS1_PASSWORD',
  }),
  password_credential: optional(form.credentialName, {
    help: 'Instead: a systemd credential (LoadCredential=NAME:/path in the unit).',
    otherwise: 'none',
    sample: 'ims1',
  }),
  password_command: optional(form.secretCommand, {
    help:
      'Instead: a program that prints the password as the first line of its output, with its arguments. It is run without a shell, ' +
      'with nothing but PATH, HOME and LANG in its environment, and has 10 seconds.',
    otherwise: 'none',
    sample: ['pass', 'show', 'mail/ims1'],
  }),
};

export const AUTH = optional(form.mechanism, {
  help: 'The way to log in (SASL mechanism).',
  otherwise: 'the best that the server offers of those that send a password; xoauth2 must be asked for',
  sample: 'plain',
});

/** Where a test mailbox is and how to log in to it: an [account.NAME], or a store that has one account of its own name. */
export const ACCOUNT_LOGIN = {
  user: optional(text('a text in double quotes'), {
    help: 'The name to log in with, by POP3 and IMAP.',
    otherwise: 'the address',
    sample: 'ims1',
  }),
  ...PASSWORD,
  auth: AUTH,
};

const DOOR_SECURITY_HELP =
  'starttls: begins in clear and must go over to TLS. tls: TLS from the first byte. plain: never encrypted.';
const DOOR_AUTH = optional(form.mechanism, {
  help: 'The way to log in at this door (SASL mechanism).',
  otherwise: "the account's own",
  sample: 'plain',
});

function doorPort(ports: { readonly clear: number; readonly tls: number }) {
  return optional(form.port, {
    help: 'TCP port.',
    otherwise: `${ports.clear}; with security = "tls" ${ports.tls}`,
    sample: ports.clear,
  });
}

/** The ports that the protocols have by RFC 5321, 8314, 1939 and 9051, and 24 for LMTP by custom. */
export const PORTS = {
  smtp: { clear: 25, tls: 465 },
  pop3: { clear: 110, tls: 995 },
  imap: { clear: 143, tls: 993 },
  lmtp: { clear: 24, tls: 24 },
} as const;

const SECURITY = defaulted(form.security, 'starttls', { help: DOOR_SECURITY_HELP });

export const SMTP_DOOR = record({ port: doorPort(PORTS.smtp), security: SECURITY, auth: AUTH });
export const POP3_DOOR = record({ port: doorPort(PORTS.pop3), security: SECURITY, auth: DOOR_AUTH });
export const IMAP_DOOR = record({ port: doorPort(PORTS.imap), security: SECURITY, auth: DOOR_AUTH });
export const LMTP_DOOR = record({
  port: optional(form.port, { help: 'TCP port.', otherwise: String(PORTS.lmtp.clear), sample: PORTS.lmtp.clear }),
  security: defaulted(form.security, 'plain', { help: DOOR_SECURITY_HELP }),
});

/** What a message about passwords calls the keys of `PASSWORD`. */
const PASSWORD_KEYS = Object.keys(PASSWORD);

/**
 * Exactly one source of the password where somebody logs in (`isNeeded`), none where nobody does; `by` says in words what
 * makes the difference: `a user`.
 */
export function oneSecret(
  entry: Entry<Fields>,
  report: Reporter,
  { isNeeded, by }: { readonly isNeeded: boolean; readonly by: string },
): void {
  const given = PASSWORD_KEYS.filter(key => entry.written.has(key));
  const [first, second] = given;
  if (second !== undefined) {
    report.error(
      entry.written.get(second) ?? entry.place,
      `${entry.label} must have one source of the password: found ${given.join(', ')}`,
      'keep one of them',
    );
  }
  if (isNeeded && first === undefined && !entry.hasRefusedKey) {
    report.error(
      entry.place,
      `${entry.label} has ${by} and no password: expected one of ${PASSWORD_KEYS.join(', ')}`,
      `add a line such as: password_file = "secrets/${entry.name}"`,
    );
  }
  if (!isNeeded && first !== undefined) {
    report.error(entry.written.get(first) ?? entry.place, `'${first}' in ${entry.label} has no use without ${by}`);
  }
}

/** Keys that mean nothing unless another one is there too. */
export function useless(
  entry: Entry<Fields>,
  report: Reporter,
  { keys, without }: { readonly keys: readonly string[]; readonly without: string },
): void {
  if (entry.written.has(without)) return;
  for (const key of keys) {
    const place = entry.written.get(key);
    if (place !== undefined) report.error(place, `'${key}' in ${entry.label} has no use without '${without}'`);
  }
}

/** At least one of some doors must be there. */
export function oneDoor(entry: Entry<Fields>, report: Reporter, doors: readonly string[]): void {
  if (doors.some(door => entry.written.has(door))) return;
  const last = doors.at(-1) ?? '';
  report.error(
    entry.place,
    `${entry.label} has no door: expected at least one of ${doors.join(', ')}`,
    `add a line such as: ${last} = { security = "starttls" }`,
  );
}
