// The structured form: what a program gets, by webhook and by exec. Its fields are an interface; README.md documents them. Pure.

import type { Notice } from './notice.ts';
import { smsText } from './sms.ts';
import { headline, plainText, remarks, type Telling } from './wording.ts';

/** Grows when a reader of the old form would misread the new one; new fields alone do not change it. */
const STRUCTURED_VERSION = 1;

export interface Structured {
  readonly version: typeof STRUCTURED_VERSION;
  /** The message's id: the same however often it is sent. */
  readonly id: string;
  readonly site: string;
  /** ISO 8601, UTC, like all times below. */
  readonly sent: string;
  readonly decided: string;
  readonly headline: string;
  readonly text: string;
  readonly short: string;
  readonly remarks: readonly string[];
  readonly notices: readonly StructuredNotice[];
}

export type StructuredNotice = Omit<Notice, 'at' | 'since' | 'until'> & {
  readonly at: string;
  readonly since: string;
  readonly until?: string;
  readonly lastedSeconds?: number;
};

export function structured(id: string, telling: Telling): Structured {
  return {
    version: STRUCTURED_VERSION,
    id,
    site: telling.notices[0]?.site ?? '',
    sent: iso(telling.at),
    decided: iso(telling.decidedAt),
    headline: headline(telling),
    text: plainText(telling),
    short: smsText(telling),
    remarks: remarks(telling),
    notices: telling.notices.map(structuredNotice),
  };
}

export function structuredNotice(notice: Notice): StructuredNotice {
  const { until, ...rest } = notice;
  return {
    ...rest,
    at: iso(notice.at),
    since: iso(notice.since),
    ...(until === undefined ? {} : { until: iso(until), lastedSeconds: Math.round((until - notice.since) / 1000) }),
  };
}

/** @see RFC 3339 */
export function iso(at: number): string {
  return new Date(at).toISOString();
}
