// Who is told what: from the alarms as they are and from what each recipient has been told, what each must be told now. Pure.
//
// It compares and never queues: what may not be said now (quiet hours, a silence, work that is planned, too much at once) is simply
// still to be said at the next step, if it is still true then. So nothing that is over is told as if it were not, and nobody gets
// ten messages when a silence ends.

import { durationText, whenText } from '../words/words.ts';
import type { Alarm, Severity } from './alarm.ts';
import { outageOf } from './explain.ts';
import type { Surroundings } from './policy.ts';
import { isQuiet, type QuietTime } from './quiet.ts';
import { isAcked, matches, type Silence, silenceOf } from './silence.ts';

/** One [notify.NAME] of alarms.cfg: a person, a team, a room. */
export interface Recipient {
  readonly name: string;
  /** Channels by name, the first one that works. */
  readonly channels: readonly string[];
  readonly severities: ReadonlySet<Severity>;
  /** Components by pattern; empty: all. */
  readonly components: readonly string[];
  /** Told only when nobody has acknowledged for so long; 0: at once. ms */
  readonly afterMs: number;
  readonly quiet: readonly QuietTime[];
  /** What is told in quiet hours as well. */
  readonly loud: ReadonlySet<Severity>;
  readonly isReminded: boolean;
  readonly isToldOfEnd: boolean;
}

/** How messages to one recipient are spaced. */
export interface Spacing {
  /** First reminder after so long, then at twice the time before, up to `remindMostMs`. */
  readonly remindMs: number;
  readonly remindMostMs: number;
  /**
   * After a message about a new alarm, further new ones wait so long and go out together; then three and nine times as long. What
   * shows within a minute of the first goes out in one message more.
   */
  readonly togetherMs: number;
}

/** What one recipient has been told of one alarm. */
interface Told {
  readonly revision: number;
  readonly turn: number;
  readonly reminders: number;
  /** Epoch ms. */
  readonly remindAt: number;
  readonly flapping?: true;
}

export interface Telling {
  /** By `ALARM>RECIPIENT`. */
  readonly told: Readonly<Record<string, Told>>;
  /** When messages with something raised, and with something cleared, were made lately; by recipient. */
  readonly lately: Readonly<Record<string, { readonly raised: readonly number[]; readonly cleared: readonly number[] }>>;
}

export const NOBODY_TOLD: Telling = { told: {}, lately: {} };

/** What a recipient is told of one alarm. */
export interface Item {
  readonly what: 'raised' | 'changed' | 'reminder' | 'flapping' | 'cleared';
  readonly alarm: Alarm;
  /** The turn of the alarm that the recipient knows: one that came back before its end was told is still the same to them. */
  readonly turn: number;
  readonly unackedMs?: number;
}

export interface Addressed {
  readonly telling: Telling;
  readonly items: readonly { readonly to: Recipient; readonly items: readonly Item[] }[];
  /** For alarms of which something is to be said and nobody hears it now: why, in words. */
  readonly held: ReadonlyMap<number, string>;
}

export interface Addressing {
  readonly recipients: readonly Recipient[];
  readonly spacing: Spacing;
  readonly silences: readonly Silence[];
  readonly around: Pick<Surroundings, 'needs' | 'outages'>;
}

const HOUR_MS = 3_600_000;
/** An end further away than this is none. */
const FAR_MS = 10 * 365 * 24 * HOUR_MS;
/** The first message goes out at once, and what else shows within this time is told in one more without waiting. ms */
const SAME_MS = 60_000;
/** A reminder that is due so soon goes with a message that goes out anyway. */
const SOON_MS = 15 * 60_000;

export function address(alarms: readonly Alarm[], before: Telling, addressing: Addressing, at: number): Addressed {
  const told: Record<string, Told> = { ...before.told };
  const lately: Record<string, { raised: readonly number[]; cleared: readonly number[] }> = {};
  const held = new Map<number, string>();
  const heard = new Set<number>();
  const all: { to: Recipient; items: readonly Item[] }[] = [];

  for (const to of addressing.recipients) {
    const recent = withinHour(before.lately[to.name], at);
    const due = alarms.flatMap(alarm => {
      const item = dueItem(alarm, told[key(alarm, to)], to, at);
      if (item === undefined) return [];
      const why = whyNot(item, to, addressing, at);
      if (why !== undefined) held.set(alarm.id, why);
      return why === undefined ? [item] : [];
    });
    const spaced = due.filter(item => {
      const wait = waitFor(item, recent, addressing.spacing, at);
      if (wait > 0) held.set(item.alarm.id, `it waits ${durationText(wait)} for others, so that they go out together`);
      return wait <= 0;
    });
    const isMessage = spaced.some(({ what }) => what !== 'reminder') || spaced.some(item => isRemindable(item, told, to, at));
    const items = isMessage ? spaced : [];
    for (const item of items) {
      heard.add(item.alarm.id);
      note(told, item, to, addressing.spacing, at);
    }
    lately[to.name] = {
      raised: items.some(({ what }) => what === 'raised') ? [...recent.raised, at] : recent.raised,
      cleared: items.some(({ what }) => what === 'cleared') ? [...recent.cleared, at] : recent.cleared,
    };
    if (items.length > 0) all.push({ to, items });
  }
  dropSettled(told, alarms, addressing.recipients);
  for (const id of heard) held.delete(id);
  return { telling: { told, lately }, items: all, held };
}

function key({ id }: Pick<Alarm, 'id'>, { name }: Pick<Recipient, 'name'>): string {
  return `${id}>${name}`;
}

/** Whether somebody has been told of an alarm, and not yet of its end. */
export function isStillTold({ told }: Telling, id: number): boolean {
  return Object.keys(told).some(entry => entry.startsWith(`${id}>`));
}

/** All instants moved by so many ms. */
export function shiftTelling({ told, lately }: Telling, byMs: number): Telling {
  const moved = (instant: number) => instant + byMs;
  return {
    told: Object.fromEntries(Object.entries(told).map(([id, value]) => [id, { ...value, remindAt: moved(value.remindAt) }])),
    lately: Object.fromEntries(
      Object.entries(lately).map(([name, { raised, cleared }]) => [
        name,
        { raised: raised.map(moved), cleared: cleared.map(moved) },
      ]),
    ),
  };
}

/** What is to be said, were there nothing in the way. */
function dueItem(alarm: Alarm, told: Told | undefined, to: Recipient, at: number): Item | undefined {
  const { turn } = told ?? alarm;
  if (alarm.stage === 'watched') return undefined;
  if (alarm.stage === 'closed') return told === undefined || !to.isToldOfEnd ? undefined : { what: 'cleared', alarm, turn };
  if (told === undefined) {
    if (!concerns(alarm, to) || isAcked(alarm, at)) return undefined;
    const waited = at - (alarm.raisedAt ?? at);
    if (waited < to.afterMs) return undefined;
    return { what: 'raised', alarm, turn, ...(to.afterMs > 0 ? { unackedMs: waited } : {}) };
  }
  if (alarm.flapping !== undefined) {
    if (told.flapping !== true) return { what: 'flapping', alarm, turn };
  } else if (alarm.revision > told.revision) return { what: 'changed', alarm, turn };
  if (to.isReminded && !isAcked(alarm, at) && at >= told.remindAt - SOON_MS) return { what: 'reminder', alarm, turn };
  return undefined;
}

/** A reminder makes a message of its own only when it is due. */
function isRemindable({ what, alarm }: Item, told: Readonly<Record<string, Told>>, to: Recipient, at: number): boolean {
  return what === 'reminder' && at >= (told[key(alarm, to)]?.remindAt ?? 0);
}

function concerns({ severity, component }: Alarm, { severities, components }: Recipient): boolean {
  return severities.has(severity) && (components.length === 0 || components.some(pattern => matches(pattern, component)));
}

/** What forbids to say it now. */
function whyNot({ alarm, what }: Item, to: Recipient, { silences, around }: Addressing, at: number): string | undefined {
  const silence = silenceOf(alarm, silences, at);
  if (silence !== undefined) return `silenced by ${silence.by} until ${whenText(silence.until, at)}: ${silence.reason}`;
  const outage = outageOf(alarm, around.outages, around.needs, at);
  if (outage !== undefined) {
    const until = outage.until > at + FAR_MS ? '' : ` until ${whenText(outage.until, at)}`;
    return `${outage.component} is being worked on${until}: ${outage.reason}`;
  }
  if (alarm.explainedBy !== undefined && what !== 'cleared') return `alarm ${alarm.explainedBy} explains it`;
  if (isQuiet(to.quiet, at) && !to.loud.has(alarm.severity)) return `quiet hours of ${to.name}`;
  return undefined;
}

/** Ms for which a new alarm, or the end of one, waits for others. */
function waitFor(
  { what, alarm }: Item,
  recent: { readonly raised: readonly number[]; readonly cleared: readonly number[] },
  { togetherMs }: Spacing,
  at: number,
): number {
  if ((what !== 'raised' && what !== 'cleared') || alarm.isBlind === true) return 0;
  const instants = recent[what];
  const last = instants.at(-1);
  if (last !== undefined && what === 'raised' && instants.length === 1 && at - last < SAME_MS) return 0;
  return last === undefined ? 0 : last + togetherMs * Math.min(9, 3 ** (instants.length - 1)) - at;
}

function withinHour(
  lately: Telling['lately'][string] | undefined,
  at: number,
): { readonly raised: readonly number[]; readonly cleared: readonly number[] } {
  const recent = (instants: readonly number[] = []) => instants.filter(instant => at - instant < HOUR_MS);
  return { raised: recent(lately?.raised), cleared: recent(lately?.cleared) };
}

function note(told: Record<string, Told>, { what, alarm, turn }: Item, to: Recipient, spacing: Spacing, at: number): void {
  const entry = key(alarm, to);
  if (what === 'cleared') {
    delete told[entry];
    return;
  }
  const reminders = what === 'reminder' ? (told[entry]?.reminders ?? 0) + 1 : 0;
  const interval = Math.min(spacing.remindMostMs, spacing.remindMs * 2 ** reminders);
  told[entry] = {
    revision: alarm.revision,
    turn,
    reminders,
    remindAt: at + interval,
    ...(alarm.flapping === undefined ? {} : { flapping: true }),
  };
}

/** Those who do not want to hear of the end, or are no recipients any more, need not be remembered. */
function dropSettled(told: Record<string, Told>, alarms: readonly Alarm[], recipients: readonly Recipient[]): void {
  const live = new Map(alarms.map(alarm => [String(alarm.id), alarm]));
  const names = new Map(recipients.map(to => [to.name, to]));
  for (const entry of Object.keys(told)) {
    const [id = '', name = ''] = entry.split('>');
    const to = names.get(name);
    const alarm = live.get(id);
    if (alarm === undefined || to === undefined || (alarm.stage === 'closed' && !to.isToldOfEnd)) delete told[entry];
  }
}
