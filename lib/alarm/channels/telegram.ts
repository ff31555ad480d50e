// Telegram, by a bot.

import { channel, hostOf } from '../channel.ts';
import { jsonField, judge } from '../send/judge.ts';
import { plainText } from '../words/wording.ts';

/** A message may have 4,096 characters. */
const TEXT = 4000;

export const telegram = channel({
  kind: 'telegram',
  help: 'A Telegram chat, by a bot of yours (made with @BotFather), which must have been spoken to, or be a member of the group.',
  docs: 'https://core.telegram.org/bots/api#sendmessage',
  takes: 'all',
  keys: {
    token: { is: 'secret', help: "The bot's token.", sample: 'secrets/telegram-token' },
    chat: {
      is: 'text',
      help: 'The id of the chat: a number, negative for groups, or @NAME of a channel.',
      sample: '-1001234567890',
      matches: /^(?:-?\d{1,20}|@[A-Za-z]\w{3,63})$/,
      wanted: 'a chat id such as "-1001234567890", or "@channel"',
      isPrivate: true,
    },
    topic: {
      is: 'text',
      help: 'The id of a topic in the group.',
      optional: 'none',
      sample: '42',
      matches: /^\d{1,10}$/,
      wanted: 'a number in quotes',
    },
    url: {
      is: 'url',
      help: 'A bot API server of your own.',
      default: 'https://api.telegram.org',
      sample: 'https://api.telegram.org',
    },
  },
  sample: { token_file: 'secrets/telegram-token', chat: '-1001234567890' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { token, chat, topic, url }, { http }) {
    const text = plainText(parcel);
    // No parse_mode: then nothing in the text is markup.
    const body = {
      chat_id: chat,
      text: text.length > TEXT ? `${text.slice(0, TEXT)}...` : text,
      link_preview_options: { is_disabled: true },
      ...(topic === undefined ? {} : { message_thread_id: Number(topic) }),
    };
    const reply = await http({
      method: 'POST',
      isTakenByStatus: true,
      url: `${url.replace(/\/$/, '')}/bot${token}/sendMessage`,
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });
    const outcome = judge(reply, ({ body: said }) => jsonField(said, 'description'));
    if (reply.came !== 'reply' || reply.status !== 429 || outcome.result !== 'failed') return outcome;
    const seconds = Number(jsonField(reply.body, 'parameters.retry_after'));
    return Number.isFinite(seconds) ? { ...outcome, afterMs: seconds * 1000 } : outcome;
  },
});
