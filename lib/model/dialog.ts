// What comes out of one conversation with one server: the phases with their times, the facts learned, and either a value or a fault.

import type { Component } from './component.ts';
import type { Protocol, Security } from './endpoint.ts';

/**
 * A step inside a dialog. Names are the protocols' own words: RFC 5321 for SMTP and LMTP, RFC 1939 and 2449 for POP3,
 * RFC 3501 for IMAP, RFC 4511 for LDAP, the milter protocol's packets.
 */
export type PhaseName =
  // every protocol
  | 'secret'
  | 'resolve'
  | 'connect'
  | 'tls'
  | 'banner'
  | 'capability'
  | 'starttls'
  | 'auth'
  | 'quit'
  // SMTP and LMTP
  | 'ehlo'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'body'
  | 'final'
  | 'rset'
  // POP3
  | 'list'
  | 'top'
  | 'retr'
  | 'dele'
  // IMAP
  | 'select'
  | 'noop'
  | 'idle'
  | 'search'
  | 'fetch'
  | 'store'
  | 'expunge'
  // LDAP
  | 'bind'
  // milter
  | 'negotiate'
  // DNS
  | 'query'
  // ours
  | 'compose'
  | 'arrival'
  | 'compare'
  | 'config'
  | 'state';

export interface Phase {
  readonly name: PhaseName;
  /** Since the trip began, on its monotonic clock; ms. */
  readonly beganMs: number;
  /** Never negative; ms. */
  readonly tookMs: number;
}

/**
 * What went wrong, in one word.
 *
 * - `name` the host name did not resolve
 * - `refused-connection` an RST answered our SYN: nothing listens, or a firewall says so
 * - `unreachable` the network says that there is no way there
 * - `timeout` our deadline passed while we waited
 * - `dropped` the peer ended the connection in the middle
 * - `tls` handshake or certificate
 * - `rejected` the peer said no, in its protocol's own way
 * - `garbled` what came is not the protocol, or is larger than we take
 * - `missing` something that should be there is not: a capability, a message, an entry
 * - `altered` a message came back changed
 * - `local` our own: secret, disk, resolver set-up, memory
 */
export type FaultKind =
  | 'name'
  | 'refused-connection'
  | 'unreachable'
  | 'timeout'
  | 'dropped'
  | 'tls'
  | 'rejected'
  | 'garbled'
  | 'missing'
  | 'altered'
  | 'local';

/** The peer's own words, already bounded; printed only through an escaper. */
export interface Reply {
  /** `451`, `-ERR`, `NO`, an LDAP result code. */
  readonly code: string;
  /** RFC 3463 `4.7.1`, or a response code as `AUTH`, `SYS/TEMP`, `UNAVAILABLE`. */
  readonly enhanced?: string;
  readonly lines: readonly string[];
}

export interface Fault {
  readonly component: Component;
  readonly protocol: Protocol;
  readonly phase: PhaseName;
  readonly kind: FaultKind;
  /** One sentence without a full stop: what was tried, what came back. Never empty. */
  readonly text: string;
  readonly reply?: Reply;
  /** Whether waiting may help, as far as the peer or the kind of fault tells. */
  readonly lasting: 'transient' | 'permanent' | 'unknown';
}

export interface TlsFacts {
  readonly version: string;
  readonly cipher: string;
  /** Subject CN, or the first name when there is none. */
  readonly subject: string;
  readonly issuer: string;
  /** subjectAltName DNS and IP entries. */
  readonly names: readonly string[];
  readonly validFrom: string;
  readonly validTo: string;
  /** Whole days until `validTo`, negative once it has passed. */
  readonly daysLeft: number;
  /** Whether the chain and the name were verified; false only when verification is turned off. */
  readonly verified: boolean;
}

/** What one dialog learned besides its result. */
export interface Facts {
  /** The address the connection went to, and how many the name had. */
  peerAddress?: string;
  addresses?: readonly string[];
  banner?: string;
  capabilities?: readonly string[];
  tls?: TlsFacts;
  mechanism?: string;
  queueId?: string;
  /** SMTP: the whole reply to the final dot. */
  accepted?: string;
  /** SMTP: whether the server offers DSN (RFC 3461). */
  dsn?: boolean;
  uidValidity?: string;
  exists?: number;
}

/** One line of the transcript. Secrets are masked by the writer, before they get here. */
export interface TranscriptLine {
  readonly atMs: number;
  /** `>` ours, `<` theirs, `*` a remark. */
  readonly from: '>' | '<' | '*';
  readonly text: string;
}

/** The part of a dialog that does not depend on how it ended. */
export interface DialogRecord {
  readonly component: Component;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  readonly security: Security;
  readonly beganMs: number;
  readonly tookMs: number;
  readonly phases: readonly Phase[];
  readonly facts: Facts;
  readonly transcript: readonly TranscriptLine[];
}

/** `cut` means that we were told to stop (SIGTERM, the run's own end), which says nothing about the peer. */
export type Dialog<T> = DialogRecord &
  (
    | { readonly outcome: 'answered'; readonly value: T }
    | { readonly outcome: 'failed'; readonly fault: Fault }
    | { readonly outcome: 'cut' }
  );
