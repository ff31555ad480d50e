// Mattermost, by an incoming webhook.

import { channel, hostOf } from '../channel.ts';
import { jsonField, judge } from '../send/judge.ts';
import { headline, plainText } from '../words/wording.ts';

/** Posts may have 16,383 characters; older servers cut at 4,000. */
const POST = 3800;

export const mattermost = channel({
  kind: 'mattermost',
  help: 'A Mattermost channel, by an incoming webhook.',
  docs: 'https://developers.mattermost.com/integrate/webhooks/incoming/',
  takes: 'all',
  keys: {
    url: { is: 'url', isSecret: true, help: 'The webhook URL, https://.../hooks/...', sample: 'secrets/mattermost-url' },
    channel: {
      is: 'text',
      help: 'Another channel than the webhook is made for.',
      optional: "the webhook's own",
      sample: 'town-square',
      max: 64,
    },
  },
  sample: { url_file: 'secrets/mattermost-url' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { url, channel: to }, { http }) {
    const text = plainText(parcel).replaceAll('`', "'");
    const body = {
      text: `\`\`\`\n${text.length > POST ? `${text.slice(0, POST)}...` : text}\n\`\`\``,
      // What a notification shows in place of the block.
      props: { fallback: headline(parcel) },
      ...(to === undefined ? {} : { channel: to }),
    };
    const reply = await http({
      method: 'POST',
      isTakenByStatus: true,
      url,
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });
    return judge(reply, ({ body: said }) => jsonField(said, 'message'));
  },
});
