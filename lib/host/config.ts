// What host.cfg says, after checking. Without the file, everything is as its defaults are: what is installed is found by itself.

import { CHECKS, type CheckName } from '../model/reading.ts';
import type { Limit } from './limits.ts';

export const FLAVOURS = ['postfix', 'exim', 'sendmail', 'qmail', 'opensmtpd'] as const;
export type Flavour = (typeof FLAVOURS)[number];

export interface HostConfig {
  /** The name in qmonitor.log's header and in readings; this machine's own name when absent. */
  readonly instance?: string;
  /** What `healthmon hostcheck` looks at. */
  readonly checks: readonly CheckName[];
  /** Minutes between two looks by the daemon; 0: none. */
  readonly everyMinutes: number;
  readonly queues: {
    readonly flavour?: Flavour;
    /** The queue's own folder; the MTA's usual one when absent. */
    readonly directory?: string;
    /** The MTA's configuration folder, for a second instance. */
    readonly config?: string;
    /** sendmail with MailScanner: where mail waits to be scanned. */
    readonly incoming?: string;
    /** So many files are opened at most, for domains, senders, clients and for ages that names do not tell. */
    readonly sample: number;
  };
  readonly sys: {
    /** Directories whose file systems are watched; those of queue, logs and mail, and the root, when empty. */
    readonly directories: readonly string[];
    readonly clock: boolean;
  };
  readonly mconn: {
    /** Services that must listen; those of the MTA and of Dovecot that were seen listening before, when empty. */
    readonly listen: readonly string[];
    /** Further services, or other ports for known ones. */
    readonly services: readonly { readonly name: string; readonly ports: readonly number[] }[];
  };
  readonly procs: {
    /** Whether known daemons that were seen are missed when they are gone. */
    readonly learn: boolean;
    readonly daemons: readonly DaemonWanted[];
  };
  readonly files: {
    readonly files: readonly FileWanted[];
    readonly logs: readonly LogWanted[];
    readonly certificates: readonly { readonly name: string; readonly path: string }[];
    /** Folders in which core files are looked for, besides those that the kernel names. */
    readonly cores: readonly string[];
    /** Whether to find out by their own commands if the MTA's and Dovecot's configuration can be read. */
    readonly parse: boolean;
  };
  readonly ldap: {
    /** For each directory; ms. */
    readonly deadlineMs: number;
    /** Whether to ask cn=monitor for counts. */
    readonly monitor: boolean;
  };
  readonly limits: readonly Limit[];
}

export interface DaemonWanted {
  readonly name: string;
  /** Names of the program, as ps(1) shows them (comm), any of them. */
  readonly programs: readonly string[];
  readonly arguments?: string;
  readonly pidFile?: string;
  readonly unit?: string;
  readonly port?: number;
  readonly min: number;
  readonly max?: number;
}

export interface FileWanted {
  readonly name: string;
  readonly path: string;
  readonly mayBeMissing: boolean;
  readonly maxAgeMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly owner?: string;
  readonly group?: string;
  /** Permission bits, exactly. */
  readonly mode?: number;
}

export interface LogWanted {
  readonly name: string;
  readonly path: string;
  /** It must grow within this time; ms. */
  readonly quietMs?: number;
  readonly patterns: readonly string[];
  readonly ignore: readonly string[];
  readonly warn: number;
  readonly crit?: number;
}

/** As it is without host.cfg. */
export function defaultConfig(limits: readonly Limit[]): HostConfig {
  return {
    checks: CHECKS,
    everyMinutes: 0,
    queues: { sample: 2000 },
    sys: { directories: [], clock: true },
    mconn: { listen: [], services: [] },
    procs: { learn: true, daemons: [] },
    files: { files: [], logs: [], certificates: [], cores: [], parse: true },
    ldap: { deadlineMs: 10_000, monitor: true },
    limits,
  };
}
