// What an HTTP service's answer means for a message. Pure.

import { printable } from '../../model/printable.ts';
import type { Outcome } from '../channel.ts';
import type { HttpReply } from './http.ts';

type Reply = Extract<HttpReply, { readonly came: 'reply' }>;

/**
 * By status alone, as most services mean it.
 *
 * @param explain what the service's own words say, from its answer; bounded here
 */
export function judge(reply: HttpReply, explain: (reply: Reply) => string | undefined = () => undefined): Outcome {
  if (reply.came === 'nothing')
    return reply.mayHaveArrived ? { result: 'unsure', text: reply.text } : { result: 'failed', text: reply.text, again: 'soon' };
  const { status, retryAfterMs, location } = reply;
  const said = explain(reply);
  const text = `answered ${status}${said === undefined || said === '' ? '' : `: ${printable(said, 160)}`}`;
  if (status >= 200 && status < 300) return { result: 'delivered', text };
  if (status >= 300 && status < 400)
    return {
      result: 'failed',
      text: `answered ${status}: it has moved${location === undefined ? '' : ` to ${location}`}, and redirects are not followed; write the new address into alarms.cfg`,
      again: 'never',
    };
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { result: 'failed', text, again: 'soon', ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }) };
  return { result: 'failed', text, again: 'never' };
}

/** A field of a JSON answer, as text; undefined when there is none. `path`: `error.message` */
export function jsonField(body: string, path: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  if (Array.isArray(value)) return value.map(String).join('; ');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** A delivered message that the service's own words contradict. */
export function refused(text: string): Outcome {
  return { result: 'failed', text: printable(text, 200), again: 'never' };
}
