// `healthmon silence`: nothing is told of something until a time, for a reason. What is still true then is told then.

import { isMeant, type Silence } from '../../alarm/when/silence.ts';
import { titleOf, whenText } from '../../alarm/words/words.ts';
import { printable } from '../../model/printable.ts';
import { placesOf, Stop } from '../context.ts';
import { componentOf, instantOf } from '../drain.ts';
import type { Terminal } from '../terminal.ts';
import { asker, change, type FolderOptions, seenState, usable } from './open.ts';

export interface SilenceOptions extends FolderOptions {
  readonly until?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly end?: string;
}

/** Longer than this is no silence but a change of alarms.cfg. ms */
const MOST_MS = 31 * 24 * 3_600_000;

export async function runSilence(options: SilenceOptions, args: readonly string[], terminal: Terminal): Promise<number> {
  if (options.end !== undefined) return end(options, options.end, terminal);
  if (args.length === 0) return list(options, terminal);
  const places = placesOf(options);
  const now = Date.now();
  const alarms = await usable(places, terminal);
  const what = await meant(args, places.config);
  if (options.until === undefined) throw new Stop('a silence has an end: --until 2h, --until 06:30');
  if (options.reason === undefined || options.reason.trim() === '') throw new Stop('a silence has a reason: --reason "..."');
  const until = instantOf(options.until, now);
  if (until <= now) throw new Stop(`--until ${printable(options.until, 60)} is over already`);
  if (until - now > MOST_MS) throw new Stop('a silence lasts 31 days at most; for longer, change alarms.cfg');
  const facts = { what, by: asker(options.by), reason: printable(options.reason.trim(), 200), until };
  const after = await change(places, alarms, state => ({
    state: {
      ...state,
      nextSilence: state.nextSilence + 1,
      silences: [...state.silences.filter(silence => now < silence.until), { id: state.nextSilence, at: now, ...facts }],
    },
    records: [{ type: 'silence', ...facts }],
  }));
  const id = after.nextSilence - 1;
  terminal.out(`silence ${id}: nothing is told of ${what} until ${whenText(until, now)}`);
  for (const alarm of after.gate.alarms.filter(each => each.stage === 'open' && isMeant(what, each)))
    terminal.out(`  covers alarm ${alarm.id}, ${titleOf(alarm)}`);
  terminal.out(`To end it early: healthmon silence --end ${id}`);
  return 0;
}

/** `all`, `alarm 17`, a pattern, or a component of the site. */
async function meant(args: readonly string[], config: string): Promise<string> {
  const text = args.join(' ');
  if (text === 'all') return text;
  const number = /^alarm (\d{1,9})$/.exec(text)?.[1] ?? (/^\d{1,9}$/.test(text) ? text : undefined);
  if (number !== undefined) return `alarm ${Number(number)}`;
  if (args.length > 1)
    throw new Stop(`expected a component, a pattern such as "mmp/*", "alarm 17" or "all", not "${printable(text, 80)}"`);
  if (text === 'monitor' || /^(?:link|host)\/[\w.-]+$/.test(text)) return text;
  if (text.includes('*')) {
    if (/^[a-z*]+(?:\/[\w.*-]+)?$/i.test(text)) return text;
    throw new Stop(`expected a pattern such as "mmp/*", not "${printable(text, 80)}"`);
  }
  const { loadSite } = await import('../../site/load.ts');
  return componentOf(text, (await loadSite(config, { secrets: false })).site);
}

async function end(options: SilenceOptions, id: string, terminal: Terminal): Promise<number> {
  const places = placesOf(options);
  const now = Date.now();
  let ended: Silence | undefined;
  await change(places, await usable(places, terminal), state => {
    ended = state.silences.find(silence => String(silence.id) === id && now < silence.until);
    if (ended === undefined) return { problem: `there is no silence ${printable(id, 20)}; "healthmon silence" lists them` };
    const { what, reason } = ended;
    return {
      state: { ...state, silences: state.silences.filter(silence => silence !== ended) },
      records: [{ type: 'silence', what, by: asker(options.by), until: now, reason }],
    };
  });
  terminal.out(`silence ${id} on ${ended?.what ?? ''} has ended; what is open is told by the next run`);
  return 0;
}

async function list(options: SilenceOptions, terminal: Terminal): Promise<number> {
  const places = placesOf(options);
  const now = Date.now();
  const { silences } = seenState(places, await usable(places, terminal));
  const held = silences.filter(({ until }) => now < until);
  if (options.json === true)
    terminal.out(JSON.stringify(held.map(silence => ({ ...silence, at: iso(silence.at), until: iso(silence.until) }))));
  else if (held.length === 0) terminal.out('Nothing is silenced');
  else for (const silence of held) terminal.out(silenceText(silence, now));
  return 0;
}

/** `3  mmp/* until 06:30, by jo: kernel update` */
export function silenceText({ id, what, until, by, reason }: Silence, now: number): string {
  return `${id}  ${what} until ${whenText(until, now)}, by ${by}: ${reason}`;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
