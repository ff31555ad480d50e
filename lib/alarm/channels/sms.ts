// SMS by a gateway over HTTP, whichever it is: its address and its body are templates.

import { printable } from '../../model/printable.ts';
import { channel, hostOf, type Outcome } from '../channel.ts';
import { judge } from '../send/judge.ts';
import { SMS_LENGTH, smsText } from '../words/sms.ts';

export const sms = channel({
  kind: 'sms',
  help:
    'SMS by a gateway over HTTP: your provider, or a box with a SIM card. In url and body, {to}, {text}, {id} and {secret} are replaced, each escaped for where it stands ' +
    '(in an address and a form by %XX, in JSON as a JSON string without its quotes). With a body it is a POST, without one a GET.',
  docs: 'lib/alarm/README.md, "SMS by a gateway"',
  takes: 'all',
  keys: {
    url: { is: 'url', help: 'Where to send it.', sample: 'https://sms.example.net/send?to={to}&text={text}&key={secret}' },
    to: {
      is: 'text',
      help: 'The number, as the gateway wants it.',
      sample: '+491701234567',
      matches: /^\+?[0-9 ()/-]{3,24}$/,
      wanted: 'a phone number',
      isPrivate: true,
    },
    body: { is: 'text', help: 'The body.', optional: 'none', sample: '{"number": "{to}", "message": "{text}"}', max: 2000 },
    content_type: {
      is: 'choice',
      help: 'What the body is.',
      of: ['application/json', 'application/x-www-form-urlencoded', 'text/plain'],
      default: 'application/json',
    },
    secret: { is: 'secret', help: 'What {secret} stands for.', optional: 'none', sample: 'secrets/sms' },
    authorization: {
      is: 'secret',
      help: 'A whole Authorization header, such as "Bearer ...".',
      optional: 'none',
      sample: 'secrets/sms-authorization',
    },
    expect: {
      is: 'text',
      help: 'Text that must be in the answer: many gateways say 200 and tell the error in words.',
      optional: 'any answer will do',
      sample: 'OK',
      max: 200,
    },
    length: {
      is: 'number',
      help: 'Characters that a message may have: 160 for one text message, 306 for two, 459 for three.',
      min: 70,
      max: 459,
      default: SMS_LENGTH,
    },
  },
  sample: {
    url: 'https://sms.example.net/send?to={to}&text={text}&key={secret}',
    to: '+491701234567',
    secret_file: 'secrets/sms',
  },
  leadsTo: ({ url }) => [hostOf(url.replace(/\{[a-z]+\}/g, 'x'))],
  async bring(parcel, { url, to, body, content_type, secret, authorization, expect, length }, { http }): Promise<Outcome> {
    const values = { to, text: smsText(parcel, length), id: parcel.id, secret: secret ?? '' };
    const reply = await http({
      method: body === undefined ? 'GET' : 'POST',
      isTakenByStatus: expect === undefined,
      url: fill(url, values, encodeURIComponent),
      ...(body === undefined ? {} : { body: fill(body, values, escaperFor(content_type)) }),
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': content_type }),
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
    });
    const outcome = judge(reply);
    if (outcome.result !== 'delivered' || expect === undefined || reply.came !== 'reply' || reply.body.includes(expect))
      return outcome;
    return { result: 'failed', text: `answered ${reply.status}, without "${printable(expect, 40)}" in it`, again: 'never' };
  },
});

/** Fixed names, replaced in one go: what is put in is not looked at again. */
function fill(template: string, values: Readonly<Record<string, string>>, escaped: (text: string) => string): string {
  return template.replace(/\{(to|text|id|secret)\}/g, (_, name: string) => escaped(values[name] ?? ''));
}

function escaperFor(type: string): (text: string) => string {
  if (type === 'application/json') return text => JSON.stringify(text).slice(1, -1);
  return type === 'text/plain' ? text => text : encodeURIComponent;
}
