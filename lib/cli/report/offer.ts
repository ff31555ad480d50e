// Tells a channel of alarms.cfg that a report could not be mailed, and where it lies. It is said as a trouble of our own, without an alarm's
// number: nothing has to be cleared afterwards.

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Notice } from '../../alarm/words/notice.ts';
import type { Places } from '../context.ts';
import { usableAlarms } from '../round/tell.ts';
import type { Terminal } from '../terminal.ts';

interface Offer {
  readonly places: Places;
  readonly site: string;
  /** One line: what could not be mailed, to whom, and why. */
  readonly title: string;
  /** Where the report lies. */
  readonly folder: string;
  readonly terminal: Terminal;
}

/** Never rejects: what the channel did is said. */
export async function offerByChannel(name: string, { places, site, title, folder, terminal }: Offer): Promise<void> {
  const alarms = await usableAlarms(places, line => terminal.say(line));
  const channel = alarms?.channels.get(name);
  if (channel === undefined) {
    terminal.say(`Cannot tell the channel ${name} of it: there is no channel of this name in alarms.cfg`);
    return;
  }
  const at = Date.now();
  const notice: Notice = {
    what: 'raised',
    site,
    alarm: 0,
    key: `${hostname()}-report-${at}`,
    at,
    severity: 'unknown',
    component: 'monitor',
    protocols: ['smtp'],
    phase: 'final',
    kind: 'local',
    confidence: 'sure',
    title,
    since: at,
    touched: { labels: [], count: 0, stores: [] },
    results: 0,
    bad: 0,
    raisedAs: { component: 'monitor', phase: 'final' },
    explains: [],
    times: 1,
    flapping: false,
    next: `cat ${folder}/report.txt`,
  };
  const parcel = { id: randomUUID(), notices: [notice], at, decidedAt: at, heldBack: 0, open: [] };
  const outcome = await channel.bring(parcel, AbortSignal.timeout(60_000));
  terminal.say(`Channel ${name}: ${outcome.result}${outcome.text === '' ? '' : ` (${outcome.text})`}`);
}
