// Log-ins to a mailbox, whatever the protocol: what a client hands over, and Dovecot's words for each way of being refused.

export interface Credentials {
  readonly user: string;
  readonly secret: string;
  readonly mechanism: 'login' | 'plain' | 'xoauth2';
}

/** A refusal in both mailbox protocols; IMAP's goes behind the command's tag. */
export interface LoginRefusal {
  readonly pop3: string;
  readonly imap: string;
  /** The server hangs up as well. */
  readonly ends?: boolean;
}

export const WRONG_PASSWORD: LoginRefusal = {
  pop3: '-ERR [AUTH] Authentication failed.',
  imap: 'NO [AUTHENTICATIONFAILED] Authentication failed.',
};

export const ACCOUNT_UNAVAILABLE: LoginRefusal = {
  pop3: '-ERR [SYS/TEMP] Account is temporarily unavailable.',
  imap: 'NO [UNAVAILABLE] Account is temporarily unavailable.',
};

export const DISCONNECTED_IN_LOGIN: LoginRefusal = {
  pop3: '-ERR Disconnected for inactivity during authentication.',
  imap: '* BYE Disconnected for inactivity during authentication.',
  ends: true,
};

export const MAILBOX_LOCKED: LoginRefusal = {
  pop3: '-ERR [IN-USE] Mailbox is locked by another POP3 session.',
  imap: 'NO [INUSE] Mailbox is locked by another POP3 session.',
};

export const TOO_MANY_OF_USER: LoginRefusal = {
  pop3: '-ERR [IN-USE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=1)',
  imap: 'NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=1)',
};

export const PLAINTEXT_REFUSED: LoginRefusal = {
  pop3: '-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.',
  imap: 'NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.',
};

/** `where` is Dovecot's `[host:date]`. */
export function temporaryFailure(where: string): LoginRefusal {
  return {
    pop3: `-ERR [SYS/TEMP] Temporary authentication failure. [${where}]`,
    imap: `NO [UNAVAILABLE] Temporary authentication failure. [${where}]`,
  };
}

/** RFC 4616: authorization identity, user, password, parted by NUL. Undefined when it is not that. */
export function readPlain(base64: string): Credentials | undefined {
  const parts = Buffer.from(base64, 'base64').toString('utf8').split('\0');
  const [, user, secret] = parts;
  return parts.length === 3 && user !== undefined && secret !== undefined ? { user, secret, mechanism: 'plain' } : undefined;
}

/** `user=…^Aauth=Bearer …^A^A` */
export function readXoauth2(base64: string): Credentials | undefined {
  const parts = Buffer.from(base64, 'base64').toString('utf8').split('\u0001');
  const user = parts.find(part => part.startsWith('user='))?.slice(5);
  const secret = parts.find(part => part.startsWith('auth=Bearer '))?.slice(12);
  return user !== undefined && secret !== undefined ? { user, secret, mechanism: 'xoauth2' } : undefined;
}

/** What XOAUTH2 servers answer to a token that is not good, before they refuse it. */
export const XOAUTH2_CHALLENGE = Buffer.from('{"status":"401","schemes":"bearer","scope":"mail"}').toString('base64');
