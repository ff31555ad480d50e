// PagerDuty, by its Events API v2: an alarm is an incident, cleared is resolved.

import { channel, hostOf } from '../channel.ts';
import { jsonField, judge } from '../send/judge.ts';
import { structuredNotice } from '../words/structured.ts';
import { headline, plainText } from '../words/wording.ts';

const SUMMARY = 1024;

export const pagerduty = channel({
  kind: 'pagerduty',
  help: 'PagerDuty, by an "Events API v2" integration of a service. Each alarm is an incident of its own, which is resolved when the alarm is cleared.',
  docs: 'https://developer.pagerduty.com/docs/events-api-v2/trigger-events/',
  takes: 'each',
  keys: {
    routing_key: { is: 'secret', help: 'The integration key.', sample: 'secrets/pagerduty-key' },
    url: {
      is: 'url',
      help: 'Where events go; for accounts in the EU https://events.eu.pagerduty.com/v2/enqueue.',
      default: 'https://events.pagerduty.com/v2/enqueue',
      sample: 'https://events.pagerduty.com/v2/enqueue',
    },
  },
  sample: { routing_key_file: 'secrets/pagerduty-key' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { routing_key, url }, { http }) {
    const [notice] = parcel.notices;
    if (notice === undefined) return { result: 'delivered', text: 'nothing to tell' };
    const head = { routing_key, dedup_key: `healthmon-${notice.key}`.slice(0, 255) };
    const event =
      notice.what === 'cleared'
        ? { ...head, event_action: 'resolve' }
        : {
            ...head,
            event_action: 'trigger',
            client: 'healthmon',
            payload: {
              summary: `${notice.site}: ${headline(parcel)}`.slice(0, SUMMARY),
              source: notice.component,
              severity: severityOf(notice.alarm === 0 ? 'test' : notice.severity),
              timestamp: new Date(notice.since).toISOString(),
              component: notice.component,
              group: notice.site,
              class: `${notice.phase} ${notice.kind}`,
              custom_details: { text: plainText(parcel), ...structuredNotice(notice) },
            },
          };
    const reply = await http({
      method: 'POST',
      isTakenByStatus: true,
      url,
      body: JSON.stringify(event),
      headers: { 'Content-Type': 'application/json' },
    });
    return judge(reply, ({ body }) =>
      [jsonField(body, 'message'), jsonField(body, 'errors')].filter(text => text !== undefined).join(': '),
    );
  },
});

function severityOf(severity: 'failed' | 'slow' | 'unknown' | 'test'): 'critical' | 'error' | 'warning' | 'info' {
  switch (severity) {
    case 'failed':
      return 'critical';
    case 'unknown':
      return 'error';
    case 'slow':
      return 'warning';
    case 'test':
      return 'info';
    default:
      return severity satisfies never;
  }
}
