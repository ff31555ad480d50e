// What a trip is given and what it gives back.

import type { Lookup } from '../dialog/line.ts';
import type { Route, Site } from '../model/site.ts';
import type { LegName, Trip } from '../model/trip.ts';
import type { Ledger } from '../record/ledger.ts';
import type { Usual } from './pace.ts';
import type { Amendment } from './sweep.ts';

export interface TripOrder {
  readonly site: Site;
  readonly route: Route;
  /** When messages usually arrive on this path. */
  readonly usual?: Usual | undefined;
  /** Leave the message in the mailbox. */
  readonly keep?: boolean;
  /** Fill the message up to so many bytes; the site's own size when absent. */
  readonly bytes?: number;
}

export interface TripTools {
  readonly ledger: Ledger;
  /** Told to stop: the trip ends at once, and its message is found by a later run. */
  readonly signal: AbortSignal;
  readonly onLeg?: (leg: LegName) => void;
  readonly lookup?: Lookup;
  /** Wall clock and monotonic clock; the system's when absent. */
  readonly now?: () => number;
  readonly monotonic?: () => number;
}

export interface TripResult {
  readonly trip: Trip;
  /** What this trip found out about earlier ones. */
  readonly amendments: readonly Amendment[];
}
