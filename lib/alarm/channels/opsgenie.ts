// Opsgenie, by its alert API: an alarm is an alert, cleared is closed.

import { channel, hostOf } from '../channel.ts';
import { jsonField, judge } from '../send/judge.ts';
import { headline, plainText } from '../words/wording.ts';

const MESSAGE = 130;
const DESCRIPTION = 15_000;
const PRIORITY = { failed: 'P1', unknown: 'P2', slow: 'P3' } as const;

export const opsgenie = channel({
  kind: 'opsgenie',
  help:
    'Opsgenie, by an API integration. Each alarm is an alert of its own, which is closed when the alarm is cleared. ' +
    '(Atlassian ends Opsgenie in April 2027; until then it works.)',
  docs: 'https://docs.opsgenie.com/docs/alert-api',
  takes: 'each',
  keys: {
    key: { is: 'secret', help: 'The API key of the integration.', sample: 'secrets/opsgenie-key' },
    url: {
      is: 'url',
      help: 'Where its API is; for accounts in the EU https://api.eu.opsgenie.com.',
      default: 'https://api.opsgenie.com',
      sample: 'https://api.opsgenie.com',
    },
  },
  sample: { key_file: 'secrets/opsgenie-key' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { key, url }, { http }) {
    const [notice] = parcel.notices;
    if (notice === undefined) return { result: 'delivered', text: 'nothing to tell' };
    const alias = `healthmon-${notice.key}`;
    const base = `${url.replace(/\/$/, '')}/v2/alerts`;
    const isEnd = notice.what === 'cleared';
    const body = isEnd
      ? { source: 'healthmon', note: plainText(parcel).slice(0, DESCRIPTION) }
      : {
          message: headline(parcel).slice(0, MESSAGE),
          alias,
          description: plainText(parcel).slice(0, DESCRIPTION),
          source: 'healthmon',
          entity: notice.component,
          tags: ['healthmon', notice.phase, notice.kind],
          details: { site: notice.site, alarm: String(notice.alarm), trip: notice.trip ?? '', next: notice.next },
          priority: notice.alarm === 0 ? 'P5' : PRIORITY[notice.severity],
        };
    const reply = await http({
      method: 'POST',
      isTakenByStatus: true,
      url: isEnd ? `${base}/${encodeURIComponent(alias)}/close?identifierType=alias` : base,
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', Authorization: `GenieKey ${key}` },
    });
    return judge(reply, ({ body: said }) => jsonField(said, 'message'));
  },
});
