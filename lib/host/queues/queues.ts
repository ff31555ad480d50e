// check_queues: how many messages wait, how old they are, who sends them and where to, how fast they leave, and what that means for a
// message that enters now.

import { printable } from '../../model/printable.ts';
import type { Missing } from '../../model/reading.ts';
import { type Check, Gathering, type Look } from '../check.ts';
import type { Flavour } from '../config.ts';
import type { Limit } from '../limits.ts';
import { deadText } from '../reach.ts';
import { keptNumber } from '../source.ts';
import type { Mount } from '../sys/mounts.ts';
import { countText, spanText } from '../words.ts';
import { delayOf } from './delay.ts';
import { readExim } from './exim.ts';
import type { ReadQueue } from './flavour.ts';
import { readOpensmtpd } from './opensmtpd.ts';
import { queuePlaces } from './places.ts';
import { readPostfix } from './postfix.ts';
import { readQmail } from './qmail.ts';
import { readSendmail } from './sendmail.ts';
import { AGE_MINUTES, Tally, top } from './tally.ts';

const READERS: Readonly<Record<Flavour, ReadQueue>> = {
  postfix: readPostfix,
  exim: readExim,
  sendmail: readSendmail,
  qmail: readQmail,
  opensmtpd: readOpensmtpd,
};

/** A million files take some seconds; a disk that hangs takes for ever. */
const DEADLINE_MS = 60_000;
const TOPS = 10;
/** Longer than any MTA keeps trying. */
const DELAY_MOST_MS = 7 * 86_400_000;
/** A drain rate over less than that, or over hours, says nothing. */
const RATE_LEAST_MS = 30_000;
const RATE_MOST_MS = 3 * 3_600_000;
/** A share of the queue is told of large ones only: three messages of one client are no attack. @see qstat */
const LARGE = 1000;

export const queues: Check = {
  name: 'queues',
  async look(look) {
    const gathered = new Gathering();
    const places = queuePlaces(look);
    if (places.length === 0) {
      gathered.missing.push({
        what: 'the queue',
        why: 'no MTA of a known kind is installed here',
        remedy: 'name its folder: directory in [queues] of host.cfg',
      });
      return gathered.sample('no queue on this host', undefined);
    }
    const { tally, missing, isWhole, dead } = await survey(look);
    for (const { directory, mount } of dead)
      gathered.findings.push({
        level: 'critical',
        subject: `queue:${directory}`,
        text: `the queue ${directory} lies on a mount that hangs: ${deadText(mount)}`,
      });
    if (dead.length > 0) return gathered.sample('the queue cannot be read', undefined);
    gathered.missing.push(...missing);
    if (missing.some(({ what }) => what === 'the queue')) return gathered.sample('the queue cannot be read', undefined);
    if (!isWhole)
      gathered.missing.push({
        what: 'the whole queue',
        why: `it was not counted to its end in ${DEADLINE_MS / 1000} s: figures are too low`,
      });
    report(look, tally, gathered);
    const flavour = places[0]?.flavour ?? 'postfix';
    return gathered.sample(summary(flavour, tally, gathered), {
      at: look.at,
      total: tally.total,
      moving: tally.counts.incoming + tally.counts.active,
    });
  },
};

export interface Survey {
  readonly tally: Tally;
  readonly missing: readonly Missing[];
  /** False when time was up before all was counted. */
  readonly isWhole: boolean;
  /** Queues that were not touched, since their mount does not answer. */
  readonly dead: readonly { readonly directory: string; readonly mount: Mount }[];
}

/** Walks all queues of this host once. */
export async function survey(look: Look): Promise<Survey> {
  const tally = new Tally({ at: look.at, since: keptNumber(look.before, 'at') ?? 0, room: look.config.queues.sample });
  const until = performance.now() + DEADLINE_MS;
  const goOn = () => performance.now() < until;
  const missing: Missing[] = [];
  const dead: { directory: string; mount: Mount }[] = [];
  for (const place of queuePlaces(look)) {
    const onDead = [place.directory, ...(place.incoming === undefined ? [] : [place.incoming])].flatMap(directory => {
      const mount = look.deadOn(directory.replace(/\/[^/]*\*$/, ''));
      return mount === undefined ? [] : [{ directory, mount }];
    });
    dead.push(...onDead);
    if (onDead.length > 0) continue;
    missing.push(...(await READERS[place.flavour]({ root: look.root, place, tally, run: look.run, at: look.at, goOn })));
  }
  return { tally, missing, isWhole: goOn(), dead };
}

function report(look: Look, tally: Tally, gathered: Gathering): void {
  const { at } = look;
  const { counts, total, oldest, ages } = tally;
  const age = (since: number | undefined) => (since === undefined ? undefined : Math.max(0, at - since) / 1000);
  const moving = [oldest.incoming, oldest.active].filter(each => each !== undefined);
  gathered.add({
    'queues.total': total,
    'queues.incoming': counts.incoming,
    'queues.active': counts.active,
    'queues.deferred': counts.deferred,
    'queues.hold': counts.hold,
    'queues.corrupt': counts.corrupt,
    'queues.oldest_s': total === 0 ? 0 : age(ages.oldest),
    'queues.oldest_active_s':
      counts.incoming + counts.active === 0 ? 0 : age(moving.length === 0 ? undefined : Math.min(...moving)),
  });
  rates(look, tally, gathered);

  const { scale, domains, senders, clients } = tally;
  const tops = { 'destination domains': domains, senders, 'client hosts': clients };
  for (const [name, counted] of Object.entries(tops)) {
    const ranked = top(counted, TOPS, scale).map(each => ({ ...each, name: printable(each.name, 100) }));
    if (ranked.length > 0) gathered.tops[name] = ranked;
  }
  const first = gathered.tops['client hosts']?.[0];
  if (first !== undefined) {
    const all = total + counts.hold;
    gathered.add({
      'queues.top_client': first.count,
      'queues.top_client_percent': all > LARGE ? (first.count / all) * 100 : undefined,
    });
  }
  if (total > 0 && ages.known > 0)
    gathered.tops['ages in minutes'] = ages.groups.map((count, i) => ({ name: ageName(i), count }));
}

/**
 * Drain: what was there at the last look, less what of it is still there. Messages that came and went in between are not seen, so
 * this is a lower bound.
 */
function rates({ at, before, config }: Look, tally: Tally, gathered: Gathering): void {
  const { ages, total, counts, moving } = tally;
  const depth = counts.incoming + counts.active;
  const then = keptNumber(before, 'at');
  const totalThen = keptNumber(before, 'total');
  const depthThen = keptNumber(before, 'moving');
  const isNear = then !== undefined && at - then >= RATE_LEAST_MS && at - then <= RATE_MOST_MS;
  const growth = isNear && depthThen !== undefined ? (depth - depthThen) / (at - then) : undefined;
  const delay = delayOf({ at, depth, arrivals: moving, growth });
  gathered.add({ 'queues.delay_s': delay === undefined ? undefined : Math.min(delay, DELAY_MOST_MS) / 1000 });
  if (!isNear || totalThen === undefined) return;
  const minutes = (at - then) / 60_000;
  const growthPerMin = (total - totalThen) / minutes;
  const next = nextLimit(config.limits, total);
  gathered.add({
    'queues.growth_per_min': growthPerMin,
    'queues.limit_in_s': next !== undefined && growthPerMin > 0 ? ((next - total) / growthPerMin) * 60 : undefined,
  });
  if (ages.known === 0 && total > 0) return;
  // Of a sample only, the survivors are scaled up.
  const survivors = ages.known === 0 ? 0 : ages.survivors * (total / ages.known);
  gathered.add({ 'queues.drain_per_min': Math.max(0, totalThen - survivors) / minutes });
}

/** The lowest limit of the total that is not reached yet. */
function nextLimit(limits: readonly Limit[], total: number): number | undefined {
  const levels = limits
    .filter(({ figure, is, overMs }) => figure === 'queues.total' && is === 'above' && overMs === undefined)
    .flatMap(({ warn, crit }) => [warn, crit])
    .filter(level => level !== undefined)
    .filter(level => level > total);
  return levels.length === 0 ? undefined : Math.min(...levels);
}

function ageName(group: number): string {
  const from = group === 0 ? 0 : AGE_MINUTES[group - 1];
  const to = AGE_MINUTES[group];
  return to === undefined ? `${from} and more` : `${from} to ${to}`;
}

function summary(flavour: Flavour, tally: Tally, { figures }: Gathering): string {
  const { counts, total } = tally;
  const about = tally.isEstimate ? 'about ' : '';
  const parts = [`${flavour}: ${countText(total, 'message')}`];
  if (total > 0) parts.push(`${about}${counts.active + counts.incoming} active, ${about}${counts.deferred} deferred`);
  parts.push(`${counts.hold} held`);
  const [oldest, delay] = [figures['queues.oldest_s'], figures['queues.delay_s']];
  if (total > 0 && oldest !== undefined) parts.push(`oldest ${spanText(oldest * 1000)}`);
  if (delay !== undefined) parts.push(`delay about ${spanText(delay * 1000)}`);
  return parts.join(', ');
}
