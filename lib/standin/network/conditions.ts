// The fault switches that every door understands, whatever its protocol. A condition lasts from being imposed until it is
// lifted; several may hold at once.

import type { PhaseName } from '../../model/dialog.ts';
import type { CertificateVariant } from './certificates.ts';

/** What a server does when a dialog reaches a phase. */
export type Act =
  /** Says no and does not do it. `reply` is in the protocol's own form, without IMAP's tag; absent: the server's usual refusal. */
  | { readonly do: 'refuse'; readonly reply?: string }
  /** Goes on waiting until the condition is lifted. */
  | { readonly do: 'stall' }
  /** Ends the connection (FIN). */
  | { readonly do: 'drop' }
  /** Ends the connection (RST). */
  | { readonly do: 'reset' }
  /** Goes on as usual, after a while. */
  | { readonly do: 'delay'; readonly ms: number }
  /** Sends these bytes in place of the answer, and does not do it. */
  | { readonly do: 'garble'; readonly bytes: string };

export interface AtPhase {
  readonly kind: 'at';
  readonly phase: PhaseName;
  readonly act: Act;
  /** Only the first so many times; always when absent. */
  readonly times?: number;
  /** After the command has been carried out, in place of its answer; before it when absent. */
  readonly after?: boolean;
}

export type Condition =
  /** Nothing listens; connections under way have ended. */
  | { readonly kind: 'stopped' }
  /** Connections are taken by the kernel, and nobody reads or writes (SIGSTOP). */
  | { readonly kind: 'frozen' }
  /** The kernel does not even answer the SYN. */
  | { readonly kind: 'blackholed' }
  /** RST as soon as a connection is there. */
  | { readonly kind: 'resets' }
  /** FIN as soon as a connection is there. */
  | { readonly kind: 'closes' }
  /** Places for so many connections; who comes later gets `reply`, or FIN when it is absent. */
  | { readonly kind: 'full'; readonly places: number; readonly reply?: string }
  /** One byte per `everyMs`, of the first reply only or of everything. */
  | { readonly kind: 'drips'; readonly everyMs: number; readonly what: 'banner' | 'all' }
  /** Another certificate. */
  | { readonly kind: 'certificate'; readonly variant: CertificateVariant }
  /** STARTTLS or STLS is neither offered nor known. */
  | { readonly kind: 'no starttls' }
  | AtPhase;

/** The switch of one imposed condition. */
export interface Imposed {
  /** Ends it; resolves when the door is as it was. Harmless when called twice. */
  lift(): Promise<void>;
}
