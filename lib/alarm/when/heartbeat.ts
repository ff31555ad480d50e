// The sign of life: whether there is one to give, what it says, and how each kind of watcher wants it. Pure.
//
// It is given only while every path of the sequence has a result that is fresh and notices can be delivered. So the watcher outside
// raises the alarm for a dead machine, for a dead process, and for a process that lives while its results or its alarms are dead.

import type { Outcome } from '../channel.ts';
import type { HeartbeatForm } from '../config/ready.ts';
import type { HttpReply, HttpRequest } from '../send/http.ts';
import { jsonField, judge } from '../send/judge.ts';
import type { Message } from '../send/message.ts';
import { durationText, many } from '../words/words.ts';
import type { GateState } from './alarm.ts';

/** A subject that must be measured, and how often that is to be expected. */
export interface Expected {
  readonly subject: string;
  readonly label: string;
  /** ms */
  readonly periodMs: number;
}

export type Pulse =
  | {
      readonly alive: true;
      /** Age of the oldest of the newest results of all paths; ms. */
      readonly oldestMs: number;
      readonly oldest: string;
      readonly paths: number;
      readonly open: number;
    }
  | { readonly alive: false; readonly why: string };

const SLACK_MS = 15 * 60_000;
/** Notices that wait for longer than this are not being delivered. */
const STUCK_MS = 10 * 60_000;

export interface PulseTerms {
  /** How old a result may be, ms; undefined: one and a half times its period, and a quarter of an hour. */
  readonly freshMs: number | undefined;
  /** When the checks of this host were last looked at, epoch ms: all that counts where no path is expected. */
  readonly lookedAt?: number | undefined;
  /** Now, epoch ms. */
  readonly at: number;
}

export function pulseOf(
  expected: readonly Expected[],
  { latest, alarms }: Pick<GateState, 'latest' | 'alarms'>,
  messages: readonly Message[],
  terms: PulseTerms,
): Pulse {
  const { freshMs, at } = terms;
  const stuck = messages.filter(
    ({ isTest, isCapped, decidedAt }) => isTest !== true && isCapped !== true && at - decidedAt > STUCK_MS,
  );
  const longest = Math.max(0, ...stuck.map(({ decidedAt }) => at - decidedAt));
  if (stuck.length > 0)
    return { alive: false, why: `${many(stuck.length, 'message')} could not be delivered for ${durationText(longest)}` };
  const open = alarms.filter(({ stage }) => stage === 'open').length;
  if (expected.length === 0) return hostPulse(terms, open);
  let oldest: { readonly label: string; readonly ageMs: number } = { label: '', ageMs: 0 };
  for (const { subject, label, periodMs } of expected) {
    const result = latest[subject];
    if (result === undefined) return { alive: false, why: `${label} has no result yet` };
    const ageMs = Math.max(0, at - result.at);
    if (ageMs > (freshMs ?? 1.5 * periodMs + SLACK_MS))
      return { alive: false, why: `the newest result of ${label} is ${durationText(ageMs)} old` };
    if (result.state === 'unknown') return { alive: false, why: `${label} could not be measured, through a fault of our own` };
    if (ageMs >= oldest.ageMs) oldest = { label, ageMs };
  }
  return { alive: true, oldestMs: oldest.ageMs, oldest: oldest.label, paths: expected.length, open };
}

/** A mail host walks no paths: there is life while its own checks are looked at. */
function hostPulse({ lookedAt, freshMs = SLACK_MS, at }: PulseTerms, open: number): Pulse {
  if (lookedAt === undefined) return { alive: false, why: 'sequence.cfg has no entries, and no check has looked at this host' };
  const oldestMs = Math.max(0, at - lookedAt);
  if (oldestMs > freshMs) return { alive: false, why: `the newest look at this host is ${durationText(oldestMs)} old` };
  return { alive: true, oldestMs, oldest: 'this host', paths: 0, open };
}

/** The request that a watcher of that kind understands. */
export function beatRequest(
  form: HeartbeatForm,
  { oldestMs, oldest, paths, open }: Extract<Pulse, { readonly alive: true }>,
  site: string,
  { url, token, at }: { readonly url: string; readonly token: string | undefined; readonly at: number },
): HttpRequest {
  const what = paths === 0 ? 'looked at' : `${many(paths, 'path')} measured`;
  const text = `${site}: ${what}, the oldest result is ${durationText(oldestMs)} old (${oldest}), ${many(open, 'alarm')} open`;
  const address = new URL(url);
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  switch (form) {
    case 'healthchecks':
      return { method: 'POST', url, body: text, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers } };
    case 'kuma':
      address.searchParams.set('status', 'up');
      address.searchParams.set('msg', text);
      address.searchParams.set('ping', String(Math.round(oldestMs)));
      return { method: 'GET', url: address.href, headers };
    case 'gatus':
      address.searchParams.set('success', 'true');
      address.searchParams.set('duration', `${Math.round(oldestMs)}ms`);
      return { method: 'POST', url: address.href, headers };
    case 'json':
      return {
        method: 'POST',
        url,
        body: JSON.stringify({
          version: 1,
          site,
          at: new Date(at).toISOString(),
          oldestResultSeconds: Math.round(oldestMs / 1000),
          oldestResult: oldest,
          paths,
          openAlarms: open,
          text,
        }),
        headers: { 'Content-Type': 'application/json', ...headers },
      };
    default:
      return form satisfies never;
  }
}

/** What the watcher's answer means: some say 200 to addresses that they do not know. */
export function judgeBeat(form: HeartbeatForm, reply: HttpReply): Outcome {
  const outcome = judge(reply, ({ body }) => jsonField(body, 'msg') ?? jsonField(body, 'error'));
  if (reply.came !== 'reply' || outcome.result !== 'delivered') return outcome;
  if (form === 'healthchecks' && /\((not found|rate limited)\)/.test(reply.body))
    return { result: 'failed', text: `answered ${reply.status}: ${/\(([a-z ]+)\)/.exec(reply.body)?.[1]}`, again: 'soon' };
  if (form === 'kuma' && jsonField(reply.body, 'ok') === 'false')
    return {
      result: 'failed',
      text: `answered ${reply.status}: ${jsonField(reply.body, 'msg') ?? 'ok is false'}`.slice(0, 200),
      again: 'soon',
    };
  return outcome;
}
