// Slack, by an incoming webhook.

import { channel, hostOf } from '../channel.ts';
import { judge } from '../send/judge.ts';
import { headline, plainText } from '../words/wording.ts';

/** A section's text may have 3,000 characters; entities count as what they are written with. */
const SECTION = 2900;

export const slack = channel({
  kind: 'slack',
  help: 'A Slack channel, by an incoming webhook of an app of yours.',
  docs: 'https://api.slack.com/messaging/webhooks',
  takes: 'all',
  keys: {
    url: {
      is: 'url',
      isSecret: true,
      help: 'The webhook URL, https://hooks.slack.com/services/...',
      sample: 'secrets/slack-url',
    },
  },
  sample: { url_file: 'secrets/slack-url' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { url }, { http }) {
    const head = escaped(headline(parcel));
    const body = {
      // What a notification on a phone shows.
      text: head.slice(0, SECTION),
      blocks: [{ type: 'section', text: { type: 'mrkdwn', text: preformatted(plainText(parcel)) } }],
    };
    const reply = await http({
      method: 'POST',
      isTakenByStatus: true,
      url,
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });
    return judge(reply, ({ body: said }) => (/^[a-z_]{2,60}$/.test(said) ? said : undefined));
  },
});

/** `&`, `<` and `>` are all that can begin a mention, a link or a channel. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function preformatted(text: string): string {
  // Three backticks would end the block.
  const inside = text.replaceAll('`', "'");
  let shown = escaped(inside);
  for (let length = inside.length; shown.length > SECTION; length -= 50) shown = `${escaped(inside.slice(0, length))}...`;
  return `\`\`\`${shown}\`\`\``;
}
