// `healthmon alarm status`: whether the chain works: who is told over what, how each channel did last, what waits, the heartbeats.

import type { Alarms } from '../../alarm/config/load.ts';
import type { ReadyChannel } from '../../alarm/config/ready.ts';
import type { Message } from '../../alarm/send/message.ts';
import type { AlarmState, Health } from '../../alarm/send/outbox.ts';
import type { Recipient } from '../../alarm/when/address.ts';
import { durationText, many, whenText } from '../../alarm/words/words.ts';
import type { Terminal } from '../terminal.ts';
import { type FolderOptions, openAlarms, seenState } from './open.ts';
import { silenceText } from './silence.ts';

const HOUR_MS = 3_600_000;
/** A message that waits for longer is a sign of a broken chain. ms */
const STUCK_MS = 10 * 60_000;

/** @returns 0 when the last news of every part of the chain is good, 2 when it is not */
export async function runStatus(options: FolderOptions, terminal: Terminal): Promise<number> {
  const { places, site, alarms } = await openAlarms(options);
  const state = seenState(places, alarms);
  const now = Date.now();
  const status = chainOf(alarms, state, now);
  if (options.json === true) {
    terminal.out(JSON.stringify({ site: site.name, well: status.well, ...forMachines(alarms, state, now) }));
    return status.well ? 0 : 2;
  }
  const { bold, red } = terminal.colours;
  const rows = (title: string, lines: readonly (readonly [name: string, text: string, isBad?: boolean])[]) => {
    terminal.out(bold(title));
    const width = Math.max(...lines.map(([name]) => name.length));
    for (const [name, text, isBad] of lines) terminal.out(`  ${name.padEnd(width)}  ${isBad === true ? red(text) : text}`);
  };
  rows(
    'Who is told',
    alarms.recipients.map(to => [to.name, recipientText(to, alarms)]),
  );
  rows(
    'Channels',
    [...alarms.channels.values()].map(channel => {
      const health = state.health[channel.name];
      return [channelName(channel), channelText(channel, state, now), isBroken(health)];
    }),
  );
  if (alarms.heartbeats.length > 0)
    rows(
      'Heartbeats',
      alarms.heartbeats.map(({ name, everyMs }) => [
        name,
        `every ${durationText(everyMs)}; ${healthText(state.beats[name], now, 'sent', 'has not been due yet')}`,
        isBroken(state.beats[name]),
      ]),
    );
  const { messages } = state;
  terminal.out(bold('Waiting'));
  if (messages.length === 0) terminal.out('  no message waits');
  else for (const message of messages) terminal.out(`  ${messageText(message, now)}`);
  const silences = state.silences.filter(({ until }) => now < until);
  if (silences.length > 0) {
    terminal.out(bold('Silences'));
    for (const silence of silences) terminal.out(`  ${silenceText(silence, now)}`);
  }
  if (alarms.canaryMinute !== undefined)
    terminal.out(
      `${bold('Canary')}  each day at ${clockText(alarms.canaryMinute)}; ${state.canaryDay === undefined ? 'none yet' : `last on ${state.canaryDay}`}`,
    );
  const open = state.gate.alarms.filter(({ stage }) => stage === 'open').length;
  terminal.out('');
  terminal.out(
    `${open === 0 ? 'No alarm is' : `${many(open, 'alarm')} ${open === 1 ? 'is' : 'are'}`} open${open === 0 ? '' : ' (healthmon alarm list)'}`,
  );
  terminal.out(
    status.well ? 'The chain is well, as far as it has been used' : red(`The chain is broken: ${status.why.join('; ')}`),
  );
  return status.well ? 0 : 2;
}

/** Whether the last news of every part is good; why not. Pure. */
function chainOf(alarms: Alarms, state: AlarmState, now: number): { readonly well: boolean; readonly why: readonly string[] } {
  const why = [
    ...[...alarms.channels.values()].flatMap(channel =>
      isBroken(state.health[channel.name]) ? [`${channelName(channel)} could not deliver`] : [],
    ),
    ...alarms.heartbeats.flatMap(({ name }) => (isBroken(state.beats[name]) ? [`heartbeat ${name} was not sent`] : [])),
  ];
  const stuck = state.messages.filter(
    ({ isTest, isCapped, decidedAt }) => isTest !== true && isCapped !== true && now - decidedAt > STUCK_MS,
  );
  if (stuck.length > 0) why.push(`${many(stuck.length, 'message')} could not be delivered`);
  return { well: why.length === 0, why };
}

function isBroken(health: Health | undefined): boolean {
  return health?.failedAt !== undefined && health.failedAt >= (health.okAt ?? 0);
}

function channelName({ kind, name }: ReadyChannel): string {
  return `${kind}.${name}`;
}

function recipientText({ channels, severities, components, afterMs, quiet }: Recipient, { channels: all }: Alarms): string {
  const names = channels.map(name => {
    const channel = all.get(name);
    return channel === undefined ? name : channelName(channel);
  });
  return [
    names.join(', then '),
    afterMs === 0 ? 'at once' : `after ${durationText(afterMs)} without an ack`,
    ...(severities.size === 3 ? [] : [`${[...severities].join(', ')} only`]),
    ...(components.length === 0 ? [] : [`of ${components.join(', ')}`]),
    ...(quiet.length === 0 ? [] : ['with quiet hours']),
  ].join('; ');
}

function channelText({ name, cap }: ReadyChannel, state: AlarmState, now: number): string {
  const lately = (state.sends[name] ?? []).filter(at => now - at < HOUR_MS).length;
  const count = lately === 0 ? '' : `; ${lately} of ${cap} in the last hour`;
  return `${healthText(state.health[name], now, 'delivered', `not used yet (healthmon alarm test ${name})`)}${count}`;
}

function healthText(health: Health | undefined, now: number, good: string, never: string): string {
  if (health === undefined || (health.okAt === undefined && health.failedAt === undefined)) return never;
  const { okAt, failedAt, text } = health;
  if (failedAt === undefined || (okAt !== undefined && okAt > failedAt)) return `${good} ${whenText(okAt ?? now, now)}`;
  return `failed ${whenText(failedAt, now)}: ${text}; ${okAt === undefined ? `never ${good} yet` : `last ${good} ${whenText(okAt, now)}`}`;
}

function messageText({ id, to, notices, decidedAt, next, attempts, channels, isCapped }: Message, now: number): string {
  const first = notices[0]?.title ?? '';
  const more = notices.length > 1 ? ` and ${notices.length - 1} more` : '';
  const why = isCapped === true ? 'held back by a cap' : many(attempts, 'attempt');
  return `${id} to ${to}: ${first}${more}; decided ${whenText(decidedAt, now)}, ${why}, next over ${channels[next.channel] ?? ''} at ${whenText(next.at, now)}`;
}

function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

function forMachines(alarms: Alarms, state: AlarmState, now: number) {
  const health = (one: Health | undefined) => ({
    okAt: maybeIso(one?.okAt),
    failedAt: maybeIso(one?.failedAt),
    text: one?.text ?? null,
    broken: isBroken(one),
  });
  return {
    recipients: alarms.recipients.map(({ name, channels, afterMs }) => ({ name, channels, afterSeconds: afterMs / 1000 })),
    channels: [...alarms.channels.values()].map(({ name, kind, cap }) => ({
      name,
      kind,
      cap,
      inLastHour: (state.sends[name] ?? []).filter(at => now - at < HOUR_MS).length,
      ...health(state.health[name]),
    })),
    heartbeats: alarms.heartbeats.map(({ name, everyMs }) => ({
      name,
      everySeconds: everyMs / 1000,
      ...health(state.beats[name]),
    })),
    waiting: state.messages.map(({ id, to, decidedAt, attempts, next, notices, isCapped }) => ({
      message: id,
      to,
      decided: maybeIso(decidedAt),
      attempts,
      next: maybeIso(next.at),
      capped: isCapped === true,
      alarms: notices.map(({ alarm }) => alarm),
    })),
    silences: state.silences
      .filter(({ until }) => now < until)
      .map(one => ({ ...one, at: maybeIso(one.at), until: maybeIso(one.until) })),
    open: state.gate.alarms.filter(({ stage }) => stage === 'open').map(({ id }) => id),
  };
}

function maybeIso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
