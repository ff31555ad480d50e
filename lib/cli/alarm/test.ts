// `healthmon alarm test`: a marked test message over each channel, or over one, and each step of its way shown: where it leads, whether
// that is free of the site, its secrets, the answer, the time.

import { proveIndependence, systemNames } from '../../alarm/config/independence.ts';
import type { ReadyChannel } from '../../alarm/config/ready.ts';
import type { Attempt } from '../../alarm/send/dispatch.ts';
import { bringNow } from '../../alarm/trial.ts';
import { markedRecord } from '../../alarm/when/decide.ts';
import { testNotice } from '../../alarm/words/notice.ts';
import { many } from '../../alarm/words/words.ts';
import { LocalProblem } from '../../model/endpoint.ts';
import { printable } from '../../model/printable.ts';
import { type Problem, reporterFor } from '../../site/problem.ts';
import { didYouMean } from '../../site/table/nearest.ts';
import { Stop, stopSignal } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { type FolderOptions, type Opened, openAlarms } from './open.ts';

interface Tested {
  readonly channel: string;
  readonly kind: string;
  readonly leadsTo: string;
  /** Why it depends on the site, or why that could not be told; empty when it does not. */
  readonly doubts: readonly string[];
  readonly attempts: readonly { readonly outcome: string; readonly text: string; readonly tookMs: number }[];
  readonly delivered: boolean;
}

/** @returns 0 when every channel took it, 2 when one did not */
export async function runTest(options: FolderOptions, args: readonly string[], terminal: Terminal): Promise<number> {
  const opened = await openAlarms(options);
  const chosen = chooseChannels([...opened.alarms.channels.values()], args);
  const ways = await waysOf(chosen, opened, terminal);
  const attempts = new Map<string, Attempt[]>(chosen.map(({ name }) => [name, []]));
  const names = chosen.map(({ name }) => name);
  terminal.progress(`sending over ${names.join(', ')} ...`);
  const delivered = await bringNow({
    alarms: opened.alarms,
    state: opened.places.state,
    channels: names,
    notices: (origin, at) => [testNotice('test', { site: opened.site.name, origin }, at)],
    record: at => ({ ...markedRecord('test', names, at) }),
    signal: stopSignal(terminal),
    onAttempt: attempt => attempts.get(attempt.channel)?.push(attempt),
    say: terminal.say,
  });
  terminal.progress('');
  const tested = chosen.map(({ name, kind }): Tested => {
    const way = ways.get(name) ?? { leadsTo: '', doubts: [] };
    const tries = (attempts.get(name) ?? []).map(({ outcome, tookMs }) => ({
      outcome: outcome.result,
      text: outcome.text,
      tookMs,
    }));
    return { channel: name, kind, ...way, attempts: tries, delivered: delivered.has(name) };
  });
  if (options.json === true) terminal.out(JSON.stringify({ site: opened.site.name, channels: tested }));
  else tell(tested, terminal);
  return tested.every(each => each.delivered) ? 0 : 2;
}

/** Channels by name; all of them when none is named. @throws {Stop} for one that is not there */
export function chooseChannels(channels: readonly ReadyChannel[], args: readonly string[]): readonly ReadyChannel[] {
  if (channels.length === 0) throw new Stop('alarms.cfg has no channel');
  if (args.length === 0) return channels;
  return args.map(text => {
    const found = channels.find(({ name, kind }) => text === name || text === `${kind}.${name}`);
    if (found !== undefined) return found;
    const names = channels.map(({ name }) => name);
    const guess = didYouMean(text, names);
    throw new Stop(
      `no channel "${printable(text, 60)}" in alarms.cfg${guess === '' ? `; there are: ${names.join(', ')}` : guess}`,
    );
  });
}

type Way = Pick<Tested, 'leadsTo' | 'doubts'>;

/** Where each channel leads, and whether that is free of the site. */
async function waysOf(
  channels: readonly ReadyChannel[],
  { site }: Opened,
  terminal: Terminal,
): Promise<ReadonlyMap<string, Way>> {
  terminal.progress('looking where the channels lead ...');
  const names = systemNames();
  const ways = await Promise.all(
    channels.map(async (channel): Promise<readonly [string, Way]> => {
      const problems: Problem[] = [];
      await proveIndependence([channel], site, names, process.env, reporterFor('alarms.cfg', problems));
      const doubts = problems.map(({ text }) => text.replace(`${channel.label} `, ''));
      return [channel.name, { leadsTo: await leadText(channel, names), doubts }];
    }),
  );
  return new Map(ways);
}

async function leadText(channel: ReadyChannel, names: ReturnType<typeof systemNames>): Promise<string> {
  try {
    const texts = (await channel.leads()).map(async lead => {
      if ('local' in lead) return `${lead.local}, on this machine`;
      if ('program' in lead) return `the program ${printable(lead.program[0] ?? '', 100)}`;
      const addresses = await names.addresses(lead.host).catch(() => []);
      const shown = addresses.filter(address => address !== lead.host).slice(0, 3);
      return `${printable(lead.host, 100)}${shown.length === 0 ? '' : ` (${shown.join(', ')})`}`;
    });
    return (await Promise.all(texts)).join(' and ');
  } catch (error) {
    if (!(error instanceof LocalProblem)) throw error;
    return 'not known, since its secrets cannot be had';
  }
}

function tell(tested: readonly Tested[], terminal: Terminal): void {
  const { bold, green, red, yellow } = terminal.colours;
  for (const { channel, kind, leadsTo, doubts, attempts, delivered } of tested) {
    terminal.out(`${bold(`${kind}.${channel}`)}  ${delivered ? green('delivered') : red('NOT delivered')}`);
    terminal.out(`  leads to  ${leadsTo}`);
    for (const doubt of doubts) terminal.out(`  ${yellow('but')}       it ${doubt}`);
    for (const { outcome, text, tookMs } of attempts) terminal.out(`  ${outcome.padEnd(9)} ${text}, in ${tookMs} ms`);
  }
  const good = tested.filter(({ delivered }) => delivered).length;
  terminal.out(
    good === tested.length
      ? `${many(good, 'channel')}, all delivered. Did it ring? Only you can tell`
      : `${good} of ${many(tested.length, 'channel')} delivered`,
  );
}
