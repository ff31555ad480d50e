// Generic JSON to any address: the structured form, signed, documented in lib/alarm/README.md.

import { createHmac } from 'node:crypto';
import { channel, hostOf } from '../channel.ts';
import type { HttpRequest } from '../send/http.ts';
import { judge } from '../send/judge.ts';
import { structured } from '../words/structured.ts';

export const webhook = channel({
  kind: 'webhook',
  help: 'JSON to any address, signed if you like. What it holds, and how to check the signature: lib/alarm/README.md, "The webhook".',
  docs: 'https://www.standardwebhooks.com',
  takes: 'all',
  keys: {
    url: { is: 'url', help: 'Where to send it.', sample: 'https://hooks.example.net/healthmon' },
    key: {
      is: 'secret',
      help: 'The key that signs each request (HMAC-SHA256): "whsec_" and base64, or any text.',
      optional: 'not signed',
      sample: 'secrets/webhook-key',
    },
    authorization: {
      is: 'secret',
      help: 'A whole Authorization header, such as "Bearer ...".',
      optional: 'none',
      sample: 'secrets/webhook-authorization',
    },
  },
  sample: { url: 'https://hooks.example.net/healthmon', key_file: 'secrets/webhook-key' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { url, key, authorization }, { http }) {
    const body = JSON.stringify(structured(parcel.id, parcel));
    const request: HttpRequest = {
      method: 'POST',
      url,
      body,
      headers: {
        'Content-Type': 'application/json',
        'webhook-id': parcel.id,
        ...signed({ id: parcel.id, at: parcel.at, body, key }),
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
    };
    return judge(await http({ ...request, isTakenByStatus: true }));
  },
});

/** @see Standard Webhooks, "Signature scheme": `v1,` and the HMAC-SHA256 of `id.timestamp.body`, base64 */
function signed({
  id,
  at,
  body,
  key,
}: {
  id: string;
  at: number;
  body: string;
  key: string | undefined;
}): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  if (key === undefined) return { 'webhook-timestamp': timestamp };
  const bytes = key.startsWith('whsec_') ? Buffer.from(key.slice('whsec_'.length), 'base64') : Buffer.from(key);
  const signature = createHmac('sha256', bytes).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
