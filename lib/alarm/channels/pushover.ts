// Pushover.

import { channel, hostOf } from '../channel.ts';
import { jsonField, judge } from '../send/judge.ts';
import { headline, plainText } from '../words/wording.ts';

const TITLE = 250;
const MESSAGE = 1024;

export const pushover = channel({
  kind: 'pushover',
  help: 'Push to phones by Pushover.',
  docs: 'https://pushover.net/api',
  takes: 'all',
  keys: {
    token: { is: 'secret', help: "Your application's API token.", sample: 'secrets/pushover-token' },
    user: { is: 'secret', help: 'The key of a user or of a group.', sample: 'secrets/pushover-user' },
    emergency: {
      is: 'flag',
      help: 'Whether a failure rings each minute for an hour, until somebody confirms it on a phone.',
      default: false,
    },
    url: {
      is: 'url',
      help: 'Where its API is.',
      default: 'https://api.pushover.net/1/messages.json',
      sample: 'https://api.pushover.net/1/messages.json',
    },
  },
  sample: { token_file: 'secrets/pushover-token', user_file: 'secrets/pushover-user' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { token, user, emergency, url }, { http }) {
    const isGrave = parcel.notices.some(
      ({ what, severity, alarm }) => alarm !== 0 && what !== 'cleared' && severity === 'failed',
    );
    const isReminder = parcel.notices.every(({ what }) => what === 'reminder');
    const rings = emergency && isGrave && !isReminder;
    const text = plainText(parcel);
    const form = new URLSearchParams({
      token,
      user,
      title: headline(parcel).slice(0, TITLE),
      message: text.length > MESSAGE ? `${text.slice(0, MESSAGE - 3)}...` : text,
      priority: rings ? '2' : isGrave ? '1' : '0',
      timestamp: String(Math.floor(parcel.decidedAt / 1000)),
      ...(rings ? { retry: '60', expire: '3600' } : {}),
    });
    const reply = await http({
      method: 'POST',
      isTakenByStatus: true,
      url,
      body: form.toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    const outcome = judge(reply, ({ body }) => jsonField(body, 'errors'));
    // 429 is the month's quota: trying again today does not help.
    if (reply.came === 'reply' && reply.status === 429)
      return { result: 'failed', text: `${outcome.text} (the quota of this month is used up)`, again: 'never' };
    return outcome;
  },
});
