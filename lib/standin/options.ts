// What can be asked of a stand-in site.

import type { Security } from '../model/endpoint.ts';
import type { Limits } from '../model/site.ts';
import { QUICK_WAITS, REAL_WAITS, type Waits } from './waits.ts';

export interface StandinOptions {
  /** How many of each; names are those of the seed: ssmtp01, smux01, ims1, ldap1. Defaults 2, 2, 2, 1. */
  readonly mtas?: number;
  readonly mmps?: number;
  readonly stores?: number;
  readonly directories?: number;
  /** A milter `dkim`, used by the last MTA. Default false. */
  readonly filter?: boolean;
  /** Balancers `smtp` and `pop` in front of all MTAs and all MMPs. Default false. */
  readonly balancers?: boolean;
  /** A name server `ns1`, which the machines of the site then ask for each other. Default false. */
  readonly nameServer?: boolean;
  /** Of the MTAs' and of the mailbox doors; LMTP is always plain. Default `starttls`. */
  readonly security?: Security;
  /** Whether the MTAs offer a log-in, and the monitor uses it. Default true. */
  readonly auth?: boolean;
  /** Whether the stores offer UIDPLUS. Default true. */
  readonly uidplus?: boolean;
  /** Whether the site says how to look into the MTAs' queues. Default true. */
  readonly queueAccess?: boolean;
  /** Default `standin.test`. */
  readonly domain?: string;
  /** Default QUICK_WAITS; `real` for those of real servers. */
  readonly waits?: 'real' | Partial<Waits>;
  /** Time limits that the site asks of the monitor; defaults 5 s each, slow above 2 s. */
  readonly limits?: Partial<Limits>;
}

export type Settings = Required<Omit<StandinOptions, 'waits' | 'limits'>> & { readonly waits: Waits; readonly limits: Limits };

const LIMITS: Limits = { submitMs: 5000, deliverMs: 5000, fetchMs: 5000, isolateMs: 5000, slowMs: 2000 };

/** @throws when a number is out of range */
export function settle(options: StandinOptions): Settings {
  const { waits, limits, ...rest } = options;
  const settings: Settings = {
    mtas: 2,
    mmps: 2,
    stores: 2,
    directories: 1,
    filter: false,
    balancers: false,
    nameServer: false,
    security: 'starttls',
    auth: true,
    uidplus: true,
    queueAccess: true,
    domain: 'standin.test',
    ...rest,
    waits: waits === 'real' ? REAL_WAITS : { ...QUICK_WAITS, ...waits },
    limits: { ...LIMITS, ...limits },
  };
  for (const what of ['mtas', 'mmps', 'stores', 'directories'] as const) {
    const value = settings[what];
    if (!Number.isInteger(value) || value < 1 || value > 99)
      throw new Error(`Cannot make ${value} ${what}: 1 to 99 are possible`);
  }
  return settings;
}
