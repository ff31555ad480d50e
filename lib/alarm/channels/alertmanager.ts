// Prometheus Alertmanager, by its API v2, as if we were a Prometheus.
//
// It forgets an alert five minutes after it was last told of it, unless the alert says when it ends. Ours say a day and a half, which
// is longer than any reminder takes; cleared ones end at once. An alert is its labels: those stay the same for one turn of an alarm,
// but for the severity; when that changes, the alert of the other severity is ended with the same request.

import { channel, hostOf } from '../channel.ts';
import { judge } from '../send/judge.ts';
import type { Notice } from '../words/notice.ts';
import { iso } from '../words/structured.ts';
import { headline, plainText } from '../words/wording.ts';

const HOLDS_MS = 36 * 3_600_000;

export const alertmanager = channel({
  kind: 'alertmanager',
  help:
    'Prometheus Alertmanager, API v2. Labels: alertname="healthmon", site, component, phase, severity (failed, slow, unknown), alarm. ' +
    'Route by them; it does its own grouping, silences and repeats.',
  docs: 'https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml',
  takes: 'all',
  keys: {
    url: {
      is: 'url',
      help: 'Its address, without /api; user and password in it are sent as basic authentication.',
      sample: 'http://alertmanager.example.net:9093',
    },
    instance: {
      is: 'text',
      help: 'A further label, to tell several monitors apart.',
      optional: 'none',
      sample: 'mon1',
      max: 100,
    },
  },
  sample: { url: 'http://alertmanager.example.net:9093' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { url, instance }, { http }) {
    const alerts = parcel.notices.flatMap(notice =>
      alertsOf(notice, parcel.at, instance, plainText({ ...parcel, notices: [notice] })),
    );
    const reply = await http({
      method: 'POST',
      isTakenByStatus: true,
      url: `${url.replace(/\/$/, '')}/api/v2/alerts`,
      body: JSON.stringify(alerts),
      headers: { 'Content-Type': 'application/json' },
    });
    return judge(reply, ({ body }) => /^[\x20-\x7e\s]{2,300}$/.exec(body)?.[0].trim());
  },
});

function alertsOf(notice: Notice, at: number, instance: string | undefined, text: string) {
  const labels = {
    alertname: 'healthmon',
    site: notice.site,
    component: notice.raisedAs.component,
    phase: notice.raisedAs.phase,
    alarm: notice.key,
    ...(instance === undefined ? {} : { instance }),
  };
  const isOver = notice.what === 'cleared' || notice.alarm === 0;
  const firing = {
    labels: { ...labels, severity: notice.alarm === 0 ? 'test' : notice.severity },
    annotations: {
      summary: headline({ notices: [notice] }),
      description: text,
      next: notice.next,
      ...(notice.trip === undefined ? {} : { trip: notice.trip }),
    },
    startsAt: iso(notice.since),
    // A test ends by itself, soon enough to be seen.
    endsAt: iso(notice.alarm === 0 ? at + 60_000 : isOver ? at : at + HOLDS_MS),
  };
  const before =
    notice.what === 'changed' && (notice.was === 'slow' || notice.was === 'failed' || notice.was === 'unknown')
      ? notice.was
      : undefined;
  if (before === undefined) return [firing];
  return [firing, { ...firing, labels: { ...labels, severity: before }, endsAt: iso(at) }];
}
