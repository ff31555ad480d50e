// Where a dialog goes: one protocol on one host, with everything that is needed to speak it and nothing of trips or verdicts.

import type { Component } from './component.ts';

export type Protocol = 'smtp' | 'lmtp' | 'pop3' | 'imap' | 'ldap' | 'milter' | 'dns' | 'tls' | 'local';

/**
 * How the connection is protected. `starttls` means required: a server that does not offer it is a fault, never a reason to
 * go on in clear. `plain` must have been written down for that endpoint by the operator.
 */
export type Security = 'plain' | 'starttls' | 'tls';

/** How a server's certificate is judged. */
export interface Trust {
  /** False only where the operator has turned verification off for that component. */
  readonly verify: boolean;
  /** PEM of the site's own authorities, used in place of the system's. */
  readonly ca?: string;
}

/** SASL mechanisms we speak: RFC 4616, the old LOGIN, and Google's and Microsoft's XOAUTH2. */
export type Mechanism = 'plain' | 'login' | 'xoauth2';

export interface Login {
  readonly user: string;
  /** Absent: the best that the server offers of those that send a password. `xoauth2` must be asked for. */
  readonly mechanism?: Mechanism;
  /**
   * Reads the password, or the access token for XOAUTH2. A function, so that no record, log line or error can hold it by
   * accident.
   *
   * @throws {LocalProblem} when it cannot be had; that is our own fault and never the server's.
   */
  readonly secret: () => Promise<string>;
}

export interface Endpoint {
  readonly component: Component;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  /** A local socket, in place of host and port. */
  readonly path?: string;
  readonly security: Security;
  /** The name that the certificate must bear and that goes out as SNI; `host` when absent. */
  readonly servername?: string;
  readonly trust: Trust;
  /** Absent: whatever the resolver gives first. */
  readonly family?: 4 | 6;
  readonly login?: Login;
  /** The mechanism that this door wants; it goes before the log-in's own. */
  readonly mechanism?: Mechanism;
}

/** Something of ours (a file, a secret, the disk, the resolver's set-up) kept us from measuring. Never blamed on mail. */
export class LocalProblem extends Error {
  override name = 'LocalProblem';
}
