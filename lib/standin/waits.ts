// How long the stand-in's servers wait, for what. Milliseconds. `REAL_WAITS` are those measured on Postfix 3.7, Dovecot 2.3 and
// OpenLDAP 2.5 with their own settings; `QUICK_WAITS` keep their order at a tenth of the time, so that a drill takes seconds.

export interface Waits {
  /** Proxy: how long it goes on trying a store that refuses. */
  readonly proxyRefusedMs: number;
  /** Proxy: how long it waits for a store that does not answer. */
  readonly proxyHangMs: number;
  /** Proxy and store: how long before they say that the directory is down. */
  readonly directoryDownMs: number;
  /** Proxy and store: how long a log-in stays silent when the directory hangs; then they hang up. */
  readonly directoryHangMs: number;
  /** MTA: how long one look-up waits for a directory that hangs. */
  readonly mtaDirectoryMs: number;
  /** MTA: how long AUTH waits for a password checker that hangs. */
  readonly saslHangMs: number;
  /** MTA: how long before EHLO under TLS drops when the password checker is dead. */
  readonly saslDeadMs: number;
  /** MTA: how long the banner waits for a filter that hangs. */
  readonly filterHangMs: number;
  /** Everybody: how long a question to the name server is waited for. */
  readonly resolverMs: number;
  /** POP3: how long PASS waits for a mailbox that another session has locked. */
  readonly popLockMs: number;
  /** IMAP: how long news are held back from an IDLE session. */
  readonly idleMs: number;
  /** MTA: between two tries to deliver. */
  readonly retryMs: number;
  /** MTA: how long the store's LMTP door is waited for before the message is put off. */
  readonly lmtpHangMs: number;
  /** Store and proxy: how long a refused log-in is held back. */
  readonly authFailureMs: number;
  /** Balancer: how long it waits for a member to accept before it takes the next. */
  readonly balancerConnectMs: number;
}

export const REAL_WAITS: Waits = {
  proxyRefusedMs: 3000,
  proxyHangMs: 30_000,
  directoryDownMs: 500,
  directoryHangMs: 150_000,
  mtaDirectoryMs: 10_000,
  saslHangMs: 10_000,
  saslDeadMs: 1000,
  filterHangMs: 30_000,
  resolverMs: 10_000,
  popLockMs: 11_000,
  idleMs: 500,
  retryMs: 5000,
  lmtpHangMs: 300_000,
  authFailureMs: 2000,
  balancerConnectMs: 5000,
};

export const QUICK_WAITS: Waits = {
  proxyRefusedMs: 300,
  proxyHangMs: 3000,
  directoryDownMs: 50,
  directoryHangMs: 15_000,
  mtaDirectoryMs: 1000,
  saslHangMs: 1000,
  saslDeadMs: 100,
  filterHangMs: 3000,
  resolverMs: 1000,
  popLockMs: 1100,
  // not a failure's wait but part of every healthy trip that watches by IDLE
  idleMs: 500,
  retryMs: 500,
  lmtpHangMs: 30_000,
  authFailureMs: 200,
  balancerConnectMs: 500,
};
