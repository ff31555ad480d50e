// `healthmon ack`: "I have it". No more reminders and no escalation, until it is over, gets worse, or the time is up.

import { acknowledge, isAcked } from '../../alarm/when/silence.ts';
import { titleOf, whenText } from '../../alarm/words/words.ts';
import { printable } from '../../model/printable.ts';
import { placesOf, Stop } from '../context.ts';
import { instantOf } from '../drain.ts';
import type { Terminal } from '../terminal.ts';
import { asker, change, type FolderOptions, seenState, usable } from './open.ts';

export interface AckOptions extends FolderOptions {
  readonly until?: string;
  readonly reason?: string;
  readonly by?: string;
}

export async function runAck(options: AckOptions, args: readonly string[], terminal: Terminal): Promise<number> {
  const places = placesOf(options);
  const now = Date.now();
  const alarms = await usable(places, terminal);
  const until = options.until === undefined ? undefined : instantOf(options.until, now);
  if (until !== undefined && until <= now) throw new Stop(`--until ${printable(options.until ?? '', 60)} is over already`);
  const before = seenState(places, alarms);
  const open = before.gate.alarms.filter(({ stage }) => stage === 'open');
  const ids = args.length === 1 && args[0] === 'all' ? open.map(({ id }) => id) : args.map(idOf);
  if (ids.length === 0) throw new Stop('no alarm is open');
  const ack = {
    by: asker(options.by),
    at: now,
    ...(until === undefined ? {} : { until }),
    ...(options.reason === undefined ? {} : { reason: printable(options.reason, 200) }),
  };
  const after = await change(places, alarms, state => {
    let gate = state.gate;
    for (const id of ids) {
      const fresh = acknowledge(gate, id, ack);
      if (fresh === undefined)
        return {
          problem: noSuch(
            id,
            state.gate.alarms.filter(({ stage }) => stage === 'open').map(each => each.id),
          ),
        };
      gate = fresh;
    }
    const { at: _, ...facts } = ack;
    return { state: { ...state, gate }, records: ids.map(alarm => ({ type: 'ack', alarm, ...facts })) };
  });
  for (const alarm of after.gate.alarms.filter(({ id }) => ids.includes(id))) {
    const others = open.find(
      ({ id, ack: earlier }) => id === alarm.id && earlier !== undefined && isAcked({ ack: earlier }, now),
    );
    const was = others?.ack === undefined || others.ack.by === ack.by ? '' : ` (${others.ack.by} had it before)`;
    terminal.out(`alarm ${alarm.id}, ${titleOf(alarm)}: taken on by ${ack.by}${was}`);
  }
  terminal.out(
    until === undefined
      ? 'No reminders and no escalation until it is over or gets worse'
      : `No reminders and no escalation until ${whenText(until, now)}`,
  );
  return 0;
}

function idOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Stop(
    `expected the number of an alarm, or "all", not "${printable(text, 60)}"; healthmon alarm list tells the numbers`,
  );
}

function noSuch(id: number, open: readonly number[]): string {
  const others = open.length === 0 ? 'none is open' : `open: ${open.join(', ')}`;
  return `no alarm ${id} is open (${others})`;
}
