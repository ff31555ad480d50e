// The leg `transit`: looking until the message is there, a bounce is, or the time is over.
//
// Arrival is an interval that is true: the message was not there when we last asked in vain, and it was there when we were first told
// of it. How often to ask is pace.ts' business, what asking costs is the box's.

import type { DialogRecord } from '../model/dialog.ts';
import type { Bounce } from '../model/trip.ts';
import { looksLikeBounce, parseBounce } from './bounce.ts';
import type { Box, Letter, Trouble } from './box.ts';
import type { Composed } from './compose.ts';
import { lookElsewhere, readBounce } from './elsewhere.ts';
import { localFault } from './faults.ts';
import type { TripLog } from './log.ts';
import type { TripOrder } from './order.ts';
import { verifyToken } from './token.ts';

/** Bounces usually come in the same second; the sender's own box is read once this early and once at the limit. */
const BOUNCE_LOOK_MS = 3000;

/** What became of the message while we watched. */
export type Watched =
  | { readonly ended: 'seen'; readonly letter: Letter; readonly afterMs: number; readonly byMs: number }
  | { readonly ended: 'bounced'; readonly bounce: Bounce }
  | { readonly ended: 'junked'; readonly folder: string }
  | { readonly ended: 'not seen'; readonly waitedMs: number }
  | { readonly ended: 'trouble'; readonly trouble: Trouble };

/** @param dotMs when the dot that ends the message was sent, trip clock */
export async function watch(
  order: TripOrder,
  box: Box,
  composed: Composed,
  key: Buffer,
  dotMs: number | undefined,
  log: TripLog,
): Promise<Watched> {
  const { site, route } = order;
  const { deliverMs, fetchMs } = site.limits;
  let watched: Watched | undefined;
  await log.leg('transit', async counters => {
    const dialogs: DialogRecord[] = [];
    const acceptedMs = log.clock();
    const limitMs = acceptedMs + deliverMs;
    // It cannot have arrived before we sent the dot that ends it.
    let afterMs = dotMs ?? acceptedMs;
    let senderReadAt =
      route.sender.imap === undefined && route.sender.pop3 === undefined ? Number.POSITIVE_INFINITY : acceptedMs + BOUNCE_LOOK_MS;
    box.accepted(acceptedMs, deliverMs);
    for (;;) {
      const now = log.clock();
      const at = Math.min(box.nextLookAt(now), Math.max(limitMs, now));
      const look = await box.look(at - now, log.terms(fetchMs));
      counters.looks += 1;
      counters.logins += look.logins;
      keepTelling(dialogs, look.dialogs);
      if (look.trouble !== undefined) watched = { ended: 'trouble', trouble: look.trouble };
      const mine = look.letters.filter(letter => verifyToken(key, letter.headers, route.account.address) === log.id);
      const first = mine[0];
      if (first !== undefined) {
        log.copies = mine.slice(1);
        watched = {
          ended: 'seen',
          letter: first,
          afterMs: Math.min(afterMs, look.answeredMs),
          byMs: look.answeredMs,
        };
      }
      const bounce = first === undefined ? await bounceAmong(box, look.letters, composed, log, fetchMs) : undefined;
      if (bounce !== undefined) watched = bounceOutcome(bounce, log) ?? watched;
      if (watched !== undefined) break;
      afterMs = look.askedMs;
      if (log.clock() >= senderReadAt && log.clock() < limitMs) {
        senderReadAt = Number.POSITIVE_INFINITY;
        const read = await readBounce(route, composed.message, log.startedAt, log.terms(fetchMs));
        dialogs.push(...read.dialogs);
        if (read.found.bounce !== undefined) watched = bounceOutcome(read.found.bounce, log);
        if (watched !== undefined) break;
      }
      if (log.clock() >= limitMs) {
        watched = await atTheLimit(order, box, composed, key, dialogs, afterMs, log);
        watched ??= { ended: 'not seen', waitedMs: log.clock() - acceptedMs };
        break;
      }
    }
    return { dialogs, ...(watched?.ended === 'trouble' ? { trouble: watched.trouble } : {}) };
  });
  return watched ?? { ended: 'trouble', trouble: 'cut' };
}

/** The time is over. Another client looks through all folders; what it finds in the inbox, we look for once more. */
async function atTheLimit(
  order: TripOrder,
  box: Box,
  composed: Composed,
  key: Buffer,
  dialogs: DialogRecord[],
  afterMs: number,
  log: TripLog,
): Promise<Watched | undefined> {
  const { site, route } = order;
  const found = await lookElsewhere(route, composed.message, log.startedAt, log.terms(site.limits.fetchMs));
  dialogs.push(...found.dialogs);
  if (found.bounce !== undefined) {
    const bounced = bounceOutcome(found.bounce, log);
    if (bounced !== undefined) return bounced;
  }
  if (found.place === undefined) return undefined;
  if (found.place.use !== 'inbox') return { ended: 'junked', folder: found.place.folder };
  const look = await box.look(0, log.terms(site.limits.fetchMs));
  keepTelling(dialogs, look.dialogs);
  if (look.trouble !== undefined) return { ended: 'trouble', trouble: look.trouble };
  const letter = look.letters.find(each => verifyToken(key, each.headers, route.account.address) === log.id);
  if (letter !== undefined) return { ended: 'seen', letter, afterMs, byMs: look.answeredMs };
  const text =
    'our own client does not see the message that a second one finds in the inbox: a fault of this program, please report it';
  return { ended: 'trouble', trouble: { fault: localFault('arrival', text) } };
}

async function bounceAmong(
  box: Box,
  letters: readonly Letter[],
  composed: Composed,
  log: TripLog,
  fetchMs: number,
): Promise<Bounce | undefined> {
  for (const letter of letters.filter(each => looksLikeBounce(each.headers))) {
    const excerpt = await box.excerpt(letter, composed.message.messageId, log.terms(fetchMs));
    const bounce =
      excerpt.outcome === 'answered' && excerpt.value !== undefined
        ? parseBounce(excerpt.value, composed.message.messageId)
        : undefined;
    if (bounce !== undefined) return bounce;
  }
  return undefined;
}

/** Only a failure ends the wait; "delayed" is news, and the message may still come. */
function bounceOutcome(bounce: Bounce, log: TripLog): Watched | undefined {
  if (bounce.action === 'failed') return { ended: 'bounced', bounce };
  log.find({
    what: 'deferred',
    text: `a notification says "${bounce.action}" (${bounce.status}${bounce.diagnostic === undefined ? '' : `: ${bounce.diagnostic}`})`,
  });
  return undefined;
}

/** Of many looks the first, the slowest and the last are told. */
function keepTelling(kept: DialogRecord[], fresh: readonly DialogRecord[]): void {
  kept.push(...fresh);
  if (kept.length <= 8) return;
  const slowest = kept.slice(1, -3).reduce((a, b) => (b.tookMs > a.tookMs ? b : a));
  kept.splice(1, kept.length - 4, slowest);
}
