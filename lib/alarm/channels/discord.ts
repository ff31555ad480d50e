// Discord, by a channel's webhook.

import { channel, hostOf } from '../channel.ts';
import { jsonField, judge } from '../send/judge.ts';
import { plainText } from '../words/wording.ts';

/** A message may have 2,000 characters. */
const CONTENT = 1900;

export const discord = channel({
  kind: 'discord',
  help: "A Discord channel, by a webhook (the channel's settings, Integrations).",
  docs: 'https://discord.com/developers/docs/resources/webhook#execute-webhook',
  takes: 'all',
  keys: {
    url: {
      is: 'url',
      isSecret: true,
      help: 'The webhook URL, https://discord.com/api/webhooks/...',
      sample: 'secrets/discord-url',
    },
  },
  sample: { url_file: 'secrets/discord-url' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { url }, { http }) {
    const text = plainText(parcel).replaceAll('`', "'");
    const content = `\`\`\`\n${text.length > CONTENT ? `${text.slice(0, CONTENT)}...` : text}\n\`\`\``;
    const address = new URL(url);
    // Otherwise 204 says only that the request was understood, not that the message is there.
    address.searchParams.set('wait', 'true');
    const reply = await http({
      method: 'POST',
      isTakenByStatus: true,
      url: address.href,
      body: JSON.stringify({ content, allowed_mentions: { parse: [] } }),
      headers: { 'Content-Type': 'application/json' },
    });
    const outcome = judge(reply, ({ body }) => jsonField(body, 'message'));
    if (reply.came !== 'reply' || reply.status !== 429 || outcome.result !== 'failed') return outcome;
    const seconds = Number(jsonField(reply.body, 'retry_after'));
    return Number.isFinite(seconds) ? { ...outcome, afterMs: Math.max(outcome.afterMs ?? 0, seconds * 1000) } : outcome;
  },
});
