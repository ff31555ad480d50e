// `drill --with-alarms`: what was detected on the embedded site goes to a channel of the operator's own, as the gate and the words
// would make it of one trip, marked as a drill; then the same path is walked again, and its end is told.

import { bringNow } from '../../alarm/trial.ts';
import { NO_ALARMS } from '../../alarm/when/alarm.ts';
import { markedRecord } from '../../alarm/when/decide.ts';
import { step } from '../../alarm/when/gate.ts';
import type { Policy, Surroundings } from '../../alarm/when/policy.ts';
import { needsOf, type Result, resultOf } from '../../alarm/when/result.ts';
import { type Notice, noticeOf } from '../../alarm/words/notice.ts';
import type { TripRecord } from '../../model/record.ts';
import type { StandinSite } from '../../standin/site.ts';
import { type FolderOptions, openAlarms } from '../alarm/open.ts';
import { chooseChannels } from '../alarm/test.ts';
import { stopSignal } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { type Drilled, walkAgain } from './run.ts';

/** @returns whether the channel took all that there was to tell */
export type Rehearsal = (standin: StandinSite, drilled: Drilled) => Promise<boolean>;

/** @throws {Stop} when there is no such channel */
export async function openRehearsal(name: string, options: FolderOptions, terminal: Terminal): Promise<Rehearsal> {
  const { alarms, places, site } = await openAlarms(options);
  const [channel] = chooseChannels([...alarms.channels.values()], [name]);
  const signal = stopSignal(terminal);
  const show = options.json === true ? terminal.say : terminal.out;
  // One trip is all that a drill has.
  const once = { n: 1, m: 1 };
  const policy: Policy = { ...alarms.policy, raise: { failed: once, slow: once, unknown: once }, clear: 1, blindShare: 2 };
  return async (standin, { fault, place, record }) => {
    const needs = needsOf(standin.site);
    const around: Surroundings = { needs, outages: [] };
    const result = (each: TripRecord): readonly Result[] => {
      const found = resultOf({ ...each, by: 'check_rndtrip' }, standin.site, needs);
      return found === undefined ? [] : [found];
    };
    const notices = (events: ReturnType<typeof step>['events']) => (origin: string, at: number) =>
      events.flatMap(({ what, alarm }): Notice[] => {
        const context = {
          site: site.name,
          origin: `${origin}-drill${at}`,
          commandTail: '',
          storeOf: (account: string) => account,
        };
        const { trip: _, ...notice } = noticeOf(alarm, what, context, at);
        return [
          {
            ...notice,
            isDrill: true,
            key: `${origin}-drill-${record.trip.id}-${alarm.id}`,
            next: `healthmon drill ${fault} --at "${place}"`,
          },
        ];
      });
    const bring = async (events: ReturnType<typeof step>['events'], what: string) => {
      if (channel === undefined || events.length === 0) {
        show(`  ${what}: nothing to tell`);
        return true;
      }
      const took = await bringNow({
        alarms,
        state: places.state,
        channels: [channel.name],
        notices: notices(events),
        record: at => markedRecord('test', [channel.name], at),
        signal,
        onAttempt: ({ outcome, tookMs }) =>
          show(`  ${what}: ${channel.kind}.${channel.name} ${outcome.result}, ${outcome.text}, in ${tookMs} ms`),
        say: terminal.say,
      });
      return took.has(channel.name);
    };
    const raised = step(NO_ALARMS, result(record), policy, around, record.at);
    const isRaised = await bring(raised.events, 'told');
    if (raised.events.length === 0) return isRaised;
    const again = await walkAgain(standin, record.trip.path);
    const over = again === undefined ? raised : step(raised.state, result(again), policy, around, again.at);
    const isOver = await bring(
      over.events.filter(({ what }) => what === 'cleared'),
      'told its end',
    );
    return isRaised && isOver;
  };
}
