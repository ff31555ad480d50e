// SMS by Twilio, with its own client, which is loaded only here and only when a message goes out: it is 20 MB and three hundred files,
// a tenth of a second and more in which nothing else runs; so not while a round is timed. Its requests go
// through our HTTP client, so that deadline, proxies and limits hold for them as well.

import type { RequestClient } from 'twilio';
import { channel, hostOf, type Outcome, type Tools } from '../channel.ts';
import { SMS_LENGTH, smsText } from '../words/sms.ts';

const API = 'https://api.twilio.com';

export const twilio = channel({
  kind: 'twilio',
  help: 'SMS by Twilio. Of from and messaging_service, exactly one.',
  docs: 'https://www.twilio.com/docs/messaging/api/message-resource',
  takes: 'all',
  isHeavy: true,
  keys: {
    account: {
      is: 'text',
      help: 'The account SID.',
      sample: 'ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      matches: /^AC[0-9A-Za-z]{32}$/,
      wanted: 'an account SID: "AC" and 32 letters or digits',
      isPrivate: true,
    },
    token: { is: 'secret', help: 'The auth token, or with api_key the secret of that key.', sample: 'secrets/twilio-token' },
    api_key: {
      is: 'text',
      help: 'The SID of an API key, in place of the auth token of the whole account.',
      optional: 'none',
      sample: 'SKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      matches: /^SK[0-9A-Za-z]{32}$/,
      wanted: 'the SID of an API key: "SK" and 32 letters or digits',
      isPrivate: true,
    },
    to: {
      is: 'text',
      help: 'The number, with + and the country first.',
      sample: '+491701234567',
      matches: /^\+[1-9]\d{6,14}$/,
      wanted: 'a number in E.164 form, such as "+491701234567"',
      isPrivate: true,
    },
    from: {
      is: 'text',
      help: 'A number of yours at Twilio, or a sender name where the country allows one.',
      optional: 'the messaging service chooses',
      sample: '+15017122661',
      matches: /^(?:\+[1-9]\d{6,14}|\d{3,8}|[A-Za-z0-9 ]{1,11})$/,
      wanted: 'a number in E.164 form, a short code or a sender name',
      isPrivate: true,
    },
    messaging_service: {
      is: 'text',
      help: 'The SID of a messaging service, which chooses the sender.',
      optional: 'none',
      sample: 'MGxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      matches: /^MG[0-9A-Za-z]{32}$/,
      wanted: 'the SID of a messaging service: "MG" and 32 letters or digits',
      isPrivate: true,
    },
    length: {
      is: 'number',
      help: 'Characters that a message may have: 160 for one text message, 306 for two, 459 for three.',
      min: 70,
      max: 459,
      default: SMS_LENGTH,
    },
    url: { is: 'url', help: 'Where its API is: another one in tests, or behind a gateway of yours.', default: API, sample: API },
  },
  exactlyOne: ['from', 'messaging_service'],
  sample: {
    account: 'ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    token_file: 'secrets/twilio-token',
    from: '+15017122661',
    to: '+491701234567',
  },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, settings, tools): Promise<Outcome> {
    const { account, token, api_key, to, from, messaging_service, length, url } = settings;
    const { default: twilioClient } = await import('twilio');
    const ended: { outcome?: Outcome } = {};
    const client = twilioClient(api_key ?? account, token, { accountSid: account, httpClient: throughUs(tools, url, ended) });
    try {
      const message = await client.messages.create({
        to,
        body: smsText(parcel, length),
        ...(from === undefined ? {} : { from }),
        ...(messaging_service === undefined ? {} : { messagingServiceSid: messaging_service }),
      });
      return { result: 'delivered', text: `Twilio has it (${message.status})` };
    } catch (error) {
      return ended.outcome ?? failureOf(error);
    }
  },
});

/** What the client asks of the transport that it is given. */
type Transport = Pick<RequestClient, 'request'>;

function throughUs({ http }: Tools, base: string, ended: { outcome?: Outcome }): RequestClient {
  const transport: Transport = {
    async request<T>(options: Parameters<RequestClient['request']>[0]) {
      const asked = new URL(options.uri);
      const reply = await http({
        method: options.method.toUpperCase() === 'GET' ? 'GET' : 'POST',
        isTakenByStatus: true,
        url: `${base.replace(/\/$/, '')}${asked.pathname}${asked.search}`,
        body: new URLSearchParams(formOf(options.data)).toString(),
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded',
          Accept: 'application/json',
          Authorization: `Basic ${Buffer.from(`${options.username ?? ''}:${options.password ?? ''}`).toString('base64')}`,
        },
      });
      if (reply.came === 'nothing') {
        ended.outcome = reply.mayHaveArrived
          ? { result: 'unsure', text: reply.text }
          : { result: 'failed', text: reply.text, again: 'soon' };
        throw new Error(reply.text);
      }
      if (reply.status === 429 || reply.status >= 500)
        ended.outcome = {
          result: 'failed',
          text: `answered ${reply.status}`,
          again: 'soon',
          ...(reply.retryAfterMs === undefined ? {} : { afterMs: reply.retryAfterMs }),
        };
      return { statusCode: reply.status, body: parsed(reply.body) as T, headers: {}, toString: () => `HTTP ${reply.status}` };
    },
  };
  return transport as RequestClient;
}

function formOf(data: unknown): Record<string, string> {
  if (typeof data !== 'object' || data === null) return {};
  return Object.fromEntries(
    Object.entries(data).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

function failureOf(error: unknown): Outcome {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
  const status = error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined;
  const meaning = code === undefined ? undefined : CODES[code];
  const text = `answered ${status ?? 'with an error'}${code === undefined ? '' : `, code ${code}: ${meaning ?? `see https://www.twilio.com/docs/api/errors/${code}`}`}`;
  return { result: 'failed', text, again: 'never' };
}

/** What its codes mean here, in words that say what to do. @see https://www.twilio.com/docs/api/errors */
const CODES: Readonly<Record<number, string>> = {
  20003: 'log-in refused: account or token are wrong, or the account is suspended',
  20005: 'the account is not active: is there credit?',
  20404: 'no such account: is the account SID right?',
  20429: 'too many requests at once',
  21211: 'the number in "to" is not valid',
  21212: 'the number in "from" is not valid',
  21408: 'messages to that country are not allowed: Messaging, Settings, Geo permissions',
  21601: 'the number in "from" cannot send text messages',
  21606: 'the number in "from" is not yours, or cannot send text messages',
  21608: 'a trial account sends to verified numbers only: verify it, or pay',
  21610: 'the receiver has answered STOP: they must send START to that number',
  21611: 'the queue of this sender is full',
  21612: 'that sender cannot reach that receiver: another number, or a messaging service',
  21614: 'the number in "to" is no mobile phone',
  21617: 'the message is too long',
  21703: 'the messaging service has no sender',
  21704: 'the messaging service has no phone number',
  21705: 'the messaging service is not valid',
  30001: 'its queue is full',
  30002: 'the account is suspended',
  30034: 'the sender is not registered for A2P 10DLC',
  63038: 'the daily limit of the account is reached',
};
