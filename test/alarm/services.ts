// What each service documents of its requests, as a check: problems in words, none when the request is right.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Got } from './receiver.ts';

/** @returns what is wrong with a request */
export type Check = (got: Got) => string[];

type Json = Record<string, unknown>;

function json(got: Got): Json {
  return JSON.parse(got.body) as Json;
}

/** Notes what does not hold. */
function must(claims: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(claims).flatMap(([claim, holds]) => (holds ? [] : [claim]));
}

function isJson(got: Got): Record<string, boolean> {
  return { POST: got.method === 'POST', 'application/json': got.headers['content-type'] === 'application/json' };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const fences = (value: string): number => value.split('```').length - 1;

export const KEY = `whsec_${Buffer.from('a key of thirty-two bytes, or so').toString('base64')}`;

/** @see Standard Webhooks, "Verifying webhook authenticity" */
export const webhook: Check = got => {
  const { 'webhook-id': id = '', 'webhook-timestamp': stamp = '', 'webhook-signature': signature = '' } = got.headers;
  const wanted = createHmac('sha256', Buffer.from(KEY.slice(6), 'base64'))
    .update(`${id}.${stamp}.${got.body}`)
    .digest('base64');
  const given = signature.split(' ').map(each => each.replace(/^v1,/, ''));
  const body = json(got);
  return must({
    ...isJson(got),
    'an id': id !== '',
    'the id in the body': body.id === id,
    'whole seconds, five minutes off at most': /^\d+$/.test(stamp) && Math.abs(Number(stamp) - Date.now() / 1000) < 300,
    'the signature': given.some(each => each.length === wanted.length && timingSafeEqual(Buffer.from(each), Buffer.from(wanted))),
    'version 1': body.version === 1,
    notices: Array.isArray(body.notices) && body.notices.length > 0,
  });
};

/** @see api.slack.com: "Formatting text for app surfaces", Block Kit section */
export const slack: Check = got => {
  const body = json(got);
  const blocks = (Array.isArray(body.blocks) ? body.blocks : []) as { type: string; text: { type: string; text: string } }[];
  const all = [text(body.text), ...blocks.map(block => block.text.text)];
  return must({
    ...isJson(got),
    'a text for notifications': text(body.text) !== '',
    'sections of at most 3,000 characters': blocks.every(block => block.type === 'section' && block.text.text.length <= 3000),
    'no control sequence': all.every(each => !/[<>]/.test(each)),
    'each & begins an entity': all.every(each => !/&(?!(?:amp|lt|gt);)/.test(each)),
    'one code block': blocks.every(block => fences(block.text.text) === 2 && !block.text.text.slice(3, -3).includes('`')),
  });
};

export const teams: Check = got => {
  const body = json(got);
  const [attachment] = (Array.isArray(body.attachments) ? body.attachments : []) as { contentType: string; content: Json }[];
  const card = attachment?.content ?? {};
  const blocks = (Array.isArray(card.body) ? card.body : []) as { type: string; inlines?: { type: string; text: string }[] }[];
  return must({
    ...isJson(got),
    'at most 28 KB': Buffer.byteLength(got.body) <= 28 * 1024,
    'type message': body.type === 'message',
    'an adaptive card': attachment?.contentType === 'application/vnd.microsoft.card.adaptive' && card.type === 'AdaptiveCard',
    'version 1.2 or newer': Number(card.version) >= 1.2,
    'no markdown':
      blocks.length > 0 &&
      blocks.every(
        block => block.type === 'RichTextBlock' && block.inlines?.every(run => run.type === 'TextRun' && run.text !== ''),
      ),
  });
};

export const mattermost: Check = got => {
  const { text: words } = json(got);
  return must({
    ...isJson(got),
    'at most 16,383 characters': text(words).length <= 16_383 && text(words) !== '',
    'one code block': fences(text(words)) === 2,
  });
};

export const discord: Check = got => {
  const body = json(got);
  return must({
    ...isJson(got),
    '1 to 2,000 characters': text(body.content).length >= 1 && text(body.content).length <= 2000,
    'nobody is mentioned': JSON.stringify(body.allowed_mentions) === '{"parse":[]}',
    'one code block': fences(text(body.content)) === 2,
    'waits for the message': new URL(got.url, 'http://x').searchParams.get('wait') === 'true',
  });
};

export const telegram: Check = got => {
  const body = json(got);
  return must({
    ...isJson(got),
    'the method': /^\/bot[^/]+\/sendMessage$/.test(got.url),
    'a chat': body.chat_id !== undefined,
    '1 to 4,096 characters': text(body.text).length >= 1 && text(body.text).length <= 4096,
    'no markup': body.parse_mode === undefined,
  });
};

export const pagerduty: Check = got => {
  const body = json(got);
  const payload = (body.payload ?? {}) as Json;
  const isTrigger = body.event_action === 'trigger';
  return must({
    ...isJson(got),
    'at most 512 KB': Buffer.byteLength(got.body) <= 512 * 1024,
    'a routing key of 32 characters': text(body.routing_key).length === 32,
    'an action': ['trigger', 'acknowledge', 'resolve'].includes(text(body.event_action)),
    'a key of at most 255 characters': text(body.dedup_key).length > 0 && text(body.dedup_key).length <= 255,
    'a summary of at most 1,024 characters':
      !isTrigger || (text(payload.summary).length > 0 && text(payload.summary).length <= 1024),
    'a source': !isTrigger || text(payload.source) !== '',
    'a severity': !isTrigger || ['critical', 'error', 'warning', 'info'].includes(text(payload.severity)),
    'a time': !isTrigger || !Number.isNaN(Date.parse(text(payload.timestamp))),
  });
};

export const opsgenie: Check = got => {
  const body = json(got);
  const isClose = got.url.includes('/close');
  const details = Object.values((body.details ?? {}) as Json);
  return must({
    ...isJson(got),
    'a genie key': /^GenieKey \S+$/.test(got.headers.authorization ?? ''),
    'the path': isClose ? /^\/v2\/alerts\/[^/]+\/close\?identifierType=alias$/.test(got.url) : got.url === '/v2/alerts',
    'a message of at most 130 characters': isClose || (text(body.message).length > 0 && text(body.message).length <= 130),
    'an alias of at most 512 characters': isClose || (text(body.alias).length > 0 && text(body.alias).length <= 512),
    'a description of at most 15,000 characters': text(body.description).length <= 15_000,
    'a priority': isClose || /^P[1-5]$/.test(text(body.priority)),
    'details that are texts': details.every(detail => typeof detail === 'string'),
    'at most 20 tags of at most 50 characters':
      isClose || ((body.tags as string[]).length <= 20 && (body.tags as string[]).every(tag => tag.length <= 50)),
  });
};

/** @see alertmanager api/v2/openapi.yaml, postableAlerts; model.LabelName.IsValid */
export const alertmanager: Check = got => {
  const alerts = JSON.parse(got.body) as {
    labels: Record<string, string>;
    annotations: Record<string, string>;
    startsAt: string;
    endsAt: string;
  }[];
  return must({
    ...isJson(got),
    'the path': got.url === '/api/v2/alerts',
    alerts: Array.isArray(alerts) && alerts.length > 0,
    'a name': alerts.every(({ labels }) => labels.alertname === 'healthmon'),
    'label names': alerts.every(({ labels, annotations }) =>
      [...Object.keys(labels), ...Object.keys(annotations)].every(name => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)),
    ),
    'label values that are texts': alerts.every(({ labels }) =>
      Object.values(labels).every(value => typeof value === 'string' && value !== ''),
    ),
    'a start before the end': alerts.every(({ startsAt, endsAt }) => Date.parse(startsAt) <= Date.parse(endsAt)),
  });
};

export const ntfy: Check = got => {
  const body = json(got);
  return must({
    ...isJson(got),
    'the root': got.url === '/',
    'a topic': /^[-_A-Za-z0-9]{1,64}$/.test(text(body.topic)),
    'a sequence id': /^[-_A-Za-z0-9]{1,64}$/.test(text(body.sequence_id)),
    'at most 4,096 bytes': Buffer.byteLength(text(body.message)) <= 4096 && text(body.message) !== '',
    'a priority': [1, 2, 3, 4, 5].includes(Number(body.priority)),
    tags: Array.isArray(body.tags),
  });
};

export const pushover: Check = got => {
  const form = new URLSearchParams(got.body);
  const field = (name: string) => form.get(name) ?? '';
  const priority = Number(field('priority'));
  return must({
    'POST of a form': got.method === 'POST' && got.headers['content-type'] === 'application/x-www-form-urlencoded',
    'token and user of 30 characters': field('token').length === 30 && field('user').length === 30,
    'a message of at most 1,024 characters': field('message').length > 0 && field('message').length <= 1024,
    'a title of at most 250 characters': field('title').length <= 250,
    'a priority': priority >= -2 && priority <= 2,
    'retry and expire where they are needed':
      priority !== 2 || (Number(field('retry')) >= 30 && Number(field('expire')) <= 10_800),
    'no html': form.get('html') === null,
  });
};

export const icinga: Check = got => {
  const body = json(got);
  return must({
    ...isJson(got),
    'the path': got.url === '/v1/actions/process-check-result',
    'accepts JSON': got.headers.accept === 'application/json',
    'log-in': got.headers.authorization === `Basic ${Buffer.from('healthmon:icinga-password').toString('base64')}`,
    'type Service': body.type === 'Service',
    'a filter': text(body.filter) !== '' && typeof body.filter_vars === 'object',
    'a status': [0, 1, 2, 3].includes(Number(body.exit_status)),
    'one line of output': text(body.plugin_output) !== '' && !/[\r\n]/.test(text(body.plugin_output)),
  });
};

export const twilio: Check = got => {
  const form = new URLSearchParams(got.body);
  const senders = ['From', 'MessagingServiceSid'].filter(name => form.get(name) !== null);
  return must({
    'POST of a form': got.method === 'POST' && got.headers['content-type'] === 'application/x-www-form-urlencoded',
    'the path': got.url === `/2010-04-01/Accounts/AC${'a'.repeat(32)}/Messages.json`,
    'log-in': /^Basic /.test(got.headers.authorization ?? ''),
    'a number': /^\+[1-9]\d{6,14}$/.test(form.get('To') ?? ''),
    'one sender': senders.length === 1,
    'a text of at most 1,600 characters': (form.get('Body') ?? '').length > 0 && (form.get('Body') ?? '').length <= 1600,
    'one text message': (form.get('Body') ?? '').length <= 160,
  });
};
