// Makes the report of a period from what is on disk: records, tables, config as it is now, and what is known of earlier reports.

import type { Sequence } from '../model/sequence.ts';
import type { Site } from '../model/site.ts';
import { allPaths } from '../plan/due.ts';
import type { Report } from './data.ts';
import { readHostTables } from './hosts.ts';
import { madeNote } from './made.ts';
import { namesOf } from './names.ts';
import { isUndelivered, type Outgoing, TRY_MS } from './outbox.ts';
import { dayAfter, daysOf, type Period, periodId } from './period.ts';
import { readRecords } from './read.ts';
import { reportOf } from './report.ts';

export interface Sources {
  readonly state: string;
  /** Undefined when site.cfg or sequence.cfg cannot be used: the report is made all the same, and says so. */
  readonly site: Site | undefined;
  readonly sequence: Sequence | undefined;
  readonly version: string;
  /** What lies in the outbox. */
  readonly outgoing: readonly Outgoing[];
}

/** @param at now, epoch ms */
export function makeReport(period: Period, at: number, { state, site, sequence, version, outgoing }: Sources): Report {
  const hosts = readHostTables(state, daysOf(period));
  const before = dayAfter(period.from, -1);
  const earlier = madeNote(state, before);
  return reportOf(readRecords({ state, period, until: at }), {
    period,
    at,
    version,
    names: namesOf(site),
    sequence,
    paths: sequence === undefined ? [] : allPaths(sequence),
    hostDays: hosts.days,
    damagedHosts: hosts.damaged,
    waiting: outgoing
      .filter(entry => isUndelivered(entry) && entry.id !== periodId(period) && at - entry.createdAt < TRY_MS)
      .map(({ title, people, createdAt }) => ({
        title,
        to: people.filter(({ state: each }) => each !== 'sent').map(({ address }) => address),
        since: createdAt,
        why: people.find(({ state: each, text }) => each !== 'sent' && text !== '')?.text ?? 'not tried yet',
      })),
    earlier: earlier === undefined ? undefined : { day: before, madeAt: earlier.madeAt },
    readEarlier: other => readRecords({ state, period: other, until: at, isBrief: true }),
  });
}
