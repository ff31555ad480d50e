// What was told to whom: notices with their deliveries and acknowledgements, and the incidents that they belong to. Pure.

import type { Report } from './data.ts';
import type { AckFact, DeliveryFact, NoticeFact } from './facts.ts';
import type { Incident } from './incidents.ts';
import { groupBy } from './tally.ts';

type Notice = Report['notices']['unmatched'][number];

export interface Told {
  /** In the order of the incidents. */
  readonly byIncident: readonly (readonly Notice[])[];
  readonly unmatched: readonly Notice[];
  readonly all: readonly Notice[];
  /** Meant for somebody, and reached nobody. */
  readonly notDelivered: readonly Notice[];
  readonly told: number;
  readonly acknowledged: number;
}

/** An alarm may be decided a little before or after what this report calls the incident. */
const NEAR_MS = 30 * 60_000;

export function toldOf(
  incidents: readonly Incident[],
  records: {
    readonly notices: readonly NoticeFact[];
    readonly deliveries: readonly DeliveryFact[];
    readonly acks: readonly AckFact[];
  },
): Told {
  const { notices, deliveries, acks } = records;
  const deliveriesOf = groupBy(
    deliveries.flatMap(delivery => delivery.notices.map(notice => ({ delivery, key: noticeKey(notice) }))),
    ({ key }) => key,
  );
  const finished = notices.map(notice => ({
    fact: notice,
    notice: noticeOf(
      notice,
      (deliveriesOf.get(noticeKey(notice)) ?? []).map(({ delivery }) => delivery),
      acks.find(({ alarm, at }) => alarm === notice.alarm && alarm !== 0 && at >= notice.since),
    ),
  }));
  const homes = finished.map(({ fact }) => homeOf(fact, incidents));
  const wanted = finished.filter(({ fact }) => fact.to.length > 0);
  return {
    byIncident: incidents.map((_, index) => finished.filter((_, n) => homes[n] === index).map(({ notice }) => notice)),
    unmatched: finished.filter((_, n) => homes[n] === -1).map(({ notice }) => notice),
    all: finished.map(({ notice }) => notice),
    notDelivered: wanted.filter(({ notice }) => !notice.channels.some(({ isDelivered }) => isDelivered)).map(each => each.notice),
    told: wanted.length,
    acknowledged: new Set(acks.filter(({ alarm }) => notices.some(notice => notice.alarm === alarm)).map(({ alarm }) => alarm))
      .size,
  };
}

function noticeKey({ alarm, what }: { readonly alarm: number; readonly what: string }): string {
  return `${alarm} ${what}`;
}

function noticeOf(fact: NoticeFact, deliveries: readonly DeliveryFact[], ack: AckFact | undefined): Notice {
  const ways = groupBy(
    deliveries.filter(({ at }) => at >= fact.at),
    ({ to, channel }) => JSON.stringify([to, channel]),
  );
  return {
    at: fact.at,
    event: fact.what,
    alarm: fact.alarm,
    text: fact.text,
    channels: [...ways.values()].flatMap(attempts => {
      const best = attempts.find(({ outcome }) => outcome === 'delivered') ?? attempts.at(-1);
      if (best === undefined) return [];
      const { to, channel, outcome, text } = best;
      const isDelivered = outcome === 'delivered';
      return [
        {
          to,
          channel,
          attempts: attempts.length,
          outcome: isDelivered || text === '' ? outcome : `${outcome}: ${text}`,
          isDelivered,
        },
      ];
    }),
    // What came after somebody had taken it on was not what made them.
    acknowledgedAt: ack !== undefined && ack.at >= fact.at ? ack.at : null,
    acknowledgedBy: ack !== undefined && ack.at >= fact.at ? ack.by : null,
  };
}

/** The incident of the same component that began nearest to the alarm's first result; -1 for none. */
function homeOf({ component, since, alarm }: NoticeFact, incidents: readonly Incident[]): number {
  if (alarm === 0) return -1;
  let home = -1;
  let nearest = Number.POSITIVE_INFINITY;
  for (const [index, incident] of incidents.entries()) {
    const end = incident.to ?? Number.POSITIVE_INFINITY;
    const isNamed = incident.component === component || incident.others.includes(component);
    if (!isNamed || since < incident.from - NEAR_MS || since > end + NEAR_MS) continue;
    const distance = Math.abs(since - incident.from);
    if (distance < nearest) {
      nearest = distance;
      home = index;
    }
  }
  return home;
}
