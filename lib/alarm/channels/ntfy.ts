// ntfy, the public server or one of your own.

import { channel, hostOf } from '../channel.ts';
import { jsonField, judge } from '../send/judge.ts';
import type { Notice } from '../words/notice.ts';
import { headline, plainText } from '../words/wording.ts';

/** A longer message would become an attachment. Bytes. */
const MESSAGE = 4000;

export const ntfy = channel({
  kind: 'ntfy',
  help: 'Push to phones by ntfy. On the public server the topic is all that protects what you send: choose one that nobody guesses.',
  docs: 'https://docs.ntfy.sh/publish/#publish-as-json',
  takes: 'all',
  keys: {
    topic: { is: 'secret', help: 'The topic.', sample: 'secrets/ntfy-topic' },
    url: { is: 'url', help: 'The server.', default: 'https://ntfy.sh', sample: 'https://ntfy.sh' },
    token: { is: 'secret', help: 'An access token.', optional: 'none', sample: 'secrets/ntfy-token' },
  },
  sample: { topic_file: 'secrets/ntfy-topic' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { topic, url, token }, { http }) {
    const body = {
      topic,
      // From version 2.16 on a repeat takes the place of what it repeats.
      sequence_id: parcel.id,
      title: headline(parcel),
      message: inBytes(plainText(parcel)),
      priority: Math.max(...parcel.notices.map(priorityOf)),
      tags: [parcel.notices.every(({ what }) => what === 'cleared') ? 'white_check_mark' : 'rotating_light'],
    };
    const reply = await http({
      method: 'POST',
      isTakenByStatus: true,
      url: `${url.replace(/\/$/, '')}/`,
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
    });
    return judge(reply, ({ body: said }) => jsonField(said, 'error'));
  },
});

/** 1 to 5; 5 rings through a phone's silence. */
function priorityOf({ what, severity, alarm }: Notice): number {
  if (alarm === 0 || what === 'cleared') return 3;
  return severity === 'failed' ? 5 : severity === 'unknown' ? 4 : 3;
}

function inBytes(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MESSAGE) return text;
  // A character that was cut in two becomes U+FFFD, which is taken away again.
  return `${bytes
    .subarray(0, MESSAGE)
    .toString('utf8')
    .replace(/\u{fffd}$/u, '')}...`;
}
