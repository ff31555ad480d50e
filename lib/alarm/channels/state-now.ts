// One state for systems that keep one: the worst alarm that is open, as exit status and text of a check. Pure.

import type { Parcel } from '../channel.ts';
import { headline } from '../words/wording.ts';

const STATUS = { slow: 1, failed: 2, unknown: 3 } as const;
const ORDER = ['failed', 'unknown', 'slow'] as const;
const WORDS = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;

/** Statuses of the monitoring plugins. The output is one line; a bar in it would begin performance data. */
export function stateNow(parcel: Parcel): { readonly status: 0 | 1 | 2 | 3; readonly output: string } {
  const { open, notices } = parcel;
  const worst = ORDER.find(severity => open.some(alarm => alarm.severity === severity));
  const isTest = notices.every(({ alarm }) => alarm === 0);
  const status = worst === undefined ? 0 : STATUS[worst];
  const news =
    isTest || worst === undefined ? headline(parcel) : open.map(({ alarm, title }) => `${title} (alarm ${alarm})`).join('; ');
  return { status, output: `${WORDS[status]} - ${news}`.replace(/[|\r\n]/g, ' ').slice(0, 1000) };
}
