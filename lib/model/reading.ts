// What a look at one mail host brought: figures, what is out of bounds, what could not be read and why.

/** The checks that every mail host runs. */
export const CHECKS = ['queues', 'sys', 'mconn', 'procs', 'files', 'ldap'] as const;
export type CheckName = (typeof CHECKS)[number];

/** What a look at a host found, as the step that failed: `sys disk_used_percent:/var`, `procs daemon:dovecot`. */
export type HostStep = `${CheckName} ${string}`;

/** In the words of the monitoring plugins. `unknown` is our own trouble, never the host's. */
export type Level = 'ok' | 'warning' | 'critical' | 'unknown';

export const LEVEL_EXIT = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const satisfies Record<Level, number>;

/** critical > unknown > warning > ok: what is surely bad is not hidden by what could not be measured. */
export function worseLevel(a: Level, b: Level): Level {
  const order: readonly Level[] = ['ok', 'warning', 'unknown', 'critical'];
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

/**
 * Numbers by name: `queues.deferred`, `sys.disk_used_percent:/var`. What stands behind the colon says which one of several.
 * The end of a name tells the unit: `_bytes`, `_percent`, `_s`, `_ms`, `_per_min`, `_per_s`; without one it is a count.
 */
export type Figures = Readonly<Record<string, number>>;

/** One thing that is not as it should be. */
export interface HostFinding {
  /** `ok` is beyond its limit, but not for as long as the limit asks. */
  readonly level: Level;
  /** A figure's name, or what it is about: `daemon:dovecot`. Stays the same while the trouble lasts. */
  readonly subject: string;
  /** One sentence without a full stop. */
  readonly text: string;
  readonly value?: number;
  readonly limit?: number;
  /** Since when it has been so, epoch ms. */
  readonly since?: number;
  /** What mends it, or shows more: a command ready to paste. */
  readonly remedy?: string;
}

/** A figure that could not be read here, and what would allow it. */
export interface Missing {
  readonly what: string;
  readonly why: string;
  readonly remedy?: string;
}

export interface Ranked {
  readonly name: string;
  readonly count: number;
}

export interface CheckReading {
  readonly check: CheckName;
  readonly level: Level;
  /** One line for people. */
  readonly text: string;
  readonly figures: Figures;
  /** Worst first. */
  readonly findings: readonly HostFinding[];
  readonly missing: readonly Missing[];
  /** The largest of many, by what they are: `destination domains`, `client hosts`. */
  readonly tops: Readonly<Record<string, readonly Ranked[]>>;
  readonly tookMs: number;
}

export interface HostReading {
  /** The instance name of qmonitor.log's header. */
  readonly host: string;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly level: Level;
  readonly checks: readonly CheckReading[];
}
