// One test message through a real path: open the mailbox, submit, watch until it arrives, read it back, clean up.
//
// Read from `makeTrip` down. The mailbox is opened first, so that a dead MMP is not charged to delivery and arrival is seen as it
// happens. The ledger knows of the message before the MTA does. Nothing is retried. Every leg has its own deadline, whatever the
// peers do. A fault of ours ends the trip as one that says nothing about mail.

import { type Accepted, submit } from '../dialog/smtp.ts';
import type { Dialog, Fault } from '../model/dialog.ts';
import { LocalProblem } from '../model/endpoint.ts';
import type { Arrival } from '../model/trip.ts';
import { NotWritten } from '../record/append.ts';
import { type Box, type Letter, recordOf, type Step, stepOf, troubleOf } from './box.ts';
import { ImapBox } from './box-imap.ts';
import { Pop3Box } from './box-pop3.ts';
import { WatchedPop3Box } from './box-watched.ts';
import { cleanUp, emptyFolder } from './clean.ts';
import { alterationFindings, compare } from './compare.ts';
import { type Composed, compose, loadComposer } from './compose.ts';
import { loadSecondClients } from './elsewhere.ts';
import { arrivalFault, bounceFault, localFault } from './faults.ts';
import { parseHeaders } from './headers.ts';
import { TripLog } from './log.ts';
import type { TripOrder, TripResult, TripTools } from './order.ts';
import { hopsOf, skewFindings } from './received.ts';
import { watch } from './watch.ts';

/** What servers may add to a message: stamps, signatures, reports of filters. */
const ADDED_BYTES = 256 * 1024;

export async function makeTrip(order: TripOrder, tools: TripTools): Promise<TripResult> {
  const log = new TripLog(order, tools);
  try {
    return await walk(order, log);
  } catch (error) {
    const what = error instanceof NotWritten ? 'state' : error instanceof LocalProblem ? 'config' : undefined;
    if (what === undefined) throw error;
    return log.end({ outcome: 'unknown', why: (error as Error).message }, localFault(what, (error as Error).message));
  } finally {
    log.abandon();
  }
}

/**
 * Loads what a trip otherwise loads on its way. A trip alone does so between its legs; where several are under way, the compiling
 * for one would be in the times of the others.
 */
export async function loadAhead(): Promise<void> {
  await Promise.all([loadComposer(), loadSecondClients()]);
}

async function walk(order: TripOrder, log: TripLog): Promise<TripResult> {
  const { site, route } = order;
  const key = await site.key();
  const box = boxOf(order);
  log.box = box;

  const opened = await log.leg('open', () => box.open(log.terms(site.limits.fetchMs)));
  if (opened.trouble !== undefined) return log.endWith({ outcome: 'unsent' }, opened.trouble);

  const composed = await compose(site, route, key, log.id, log.startedAt, order.bytes ?? site.messageBytes);
  log.message = composed.message;
  await log.begin(composed);
  const sent = await log.leg('submit', async () =>
    asStep(await submit(route.smtp, site.helo, envelopeOf(composed), composed.raw, log.terms(site.limits.submitMs))),
  );
  const unsure = isUnsure(sent);
  if (sent.trouble !== undefined && !unsure) {
    log.note(composed, 'unsent');
    return log.endWith({ outcome: 'unsent' }, sent.trouble);
  }
  log.note(composed, 'sent');
  if (sent.trouble === 'cut')
    return log.endWith({ outcome: 'unknown', why: 'told to stop while the MTA was taking the message' }, 'cut');
  if (unsure && sent.trouble !== undefined)
    log.find({ what: 'unsure', text: `the MTA may or may not have taken the message: it ${sent.trouble.fault.text}` });

  const watched = await watch(order, box, composed, key, sent.dotMs, log);
  switch (watched.ended) {
    case 'trouble':
      return log.endWith({ outcome: 'unknown', why: 'the mailbox could not be watched to the end' }, watched.trouble);
    case 'bounced':
      log.note(composed, 'gone');
      await cleanUp(order, box, composed, key, undefined, log);
      return log.end(
        { outcome: 'bounced', byMs: log.clock(), bounce: watched.bounce },
        bounceFault(route, watched.bounce, sent.accepted?.queueId),
      );
    case 'junked': {
      log.note(composed, 'lost');
      await emptyFolder(order, watched.folder, composed, key, log);
      await cleanUp(order, box, composed, key, undefined, log);
      const text = `was filed under ${watched.folder}, not in the inbox`;
      return log.end({ outcome: 'junked', folder: watched.folder, byMs: log.clock() }, arrivalFault(route, text));
    }
    case 'not seen': {
      log.note(composed, 'lost');
      await cleanUp(order, box, composed, key, undefined, log);
      const waitedMs = watched.waitedMs;
      if (unsure && sent.trouble !== undefined) return log.end({ outcome: 'unsure', waitedMs }, sent.trouble.fault);
      return log.end(
        { outcome: 'lost', waitedMs },
        arrivalFault(route, `did not arrive within ${Math.round(waitedMs / 1000)} s of being accepted`),
      );
    }
    case 'seen': {
      const { letter, afterMs, byMs } = watched;
      log.note(composed, 'seen', true);
      const fetched = await fetch(box, letter, composed, log, site.limits.fetchMs);
      const arrival: Arrival = {
        outcome: 'seen',
        afterMs,
        byMs,
        ...(letter.internalDate === undefined ? {} : { internalDate: letter.internalDate }),
      };
      if (fetched.trouble !== undefined) {
        log.note(composed, 'seen');
        return log.endWith(arrival, fetched.trouble);
      }
      log.readBack();
      const copies = await cleanUp(order, box, composed, key, letter, log);
      return log.end(arrival, harmIn(order, composed, fetched.raw, copies, log));
    }
    default:
      return watched satisfies never;
  }
}

/** The leg `fetch`. */
async function fetch(
  box: Box,
  letter: Letter,
  composed: Composed,
  log: TripLog,
  fetchMs: number,
): Promise<Step & { readonly raw: Buffer }> {
  let raw: Buffer = Buffer.alloc(0);
  const step = await log.leg('fetch', async () => {
    const read = await box.read(letter, mostBytes(composed.raw.length), log.terms(fetchMs));
    if (read.outcome === 'answered') raw = read.value;
    return stepOf(read);
  });
  return { ...step, raw };
}

/** Hops and findings of what came back; the fault when it is not one unaltered copy. */
function harmIn(order: TripOrder, composed: Composed, raw: Buffer, copies: number, log: TripLog): Fault | undefined {
  const headers = parseHeaders(raw);
  log.hops = hopsOf(headers, log.startedAt, log.now());
  for (const finding of skewFindings(log.hops)) log.find(finding);
  const alterations = compare(raw, composed.message, composed.bodyHash);
  for (const finding of alterationFindings(alterations)) log.find(finding);
  if (copies > 1) log.find({ what: 'duplicate', text: `${copies} copies of the message arrived` });
  const unwanted = alterations.filter(({ part }) => !order.site.mayAlter.has(part));
  const first = unwanted[0];
  if (first !== undefined)
    return { ...arrivalFault(order.route, `came back altered: ${first.text}`), phase: 'compare', kind: 'altered' };
  if (copies > 1) return { ...arrivalFault(order.route, `came ${copies} times`), phase: 'compare', kind: 'altered' };
  return undefined;
}

/** What a message of so many bytes may have grown to on its way. */
function mostBytes(sent: number): number {
  return sent * 2 + ADDED_BYTES;
}

function boxOf(order: TripOrder): Box {
  const { site, route, usual } = order;
  const { imap, pop3, path } = route;
  if (path.mailbox === 'imap' && imap !== undefined) return new ImapBox(imap, { usual });
  if (pop3 === undefined) throw new LocalProblem(`Cannot read mail by ${path.mailbox}: ${path.mmp} has no such door in site.cfg`);
  const fetch = new Pop3Box(pop3, { logins: site.popLogins, largestBytes: mostBytes(order.bytes ?? site.messageBytes), usual });
  return site.popWatchesByImap && imap !== undefined ? new WatchedPop3Box(new ImapBox(imap, { usual }), fetch) : fetch;
}

type Submission = Step & { readonly dotMs?: number; readonly accepted?: Accepted };

function asStep(dialog: Dialog<Accepted>): Submission {
  const trouble = troubleOf(dialog);
  const final = dialog.phases.find(phase => phase.name === 'final');
  return {
    dialogs: [recordOf(dialog)],
    ...(trouble === undefined ? {} : { trouble }),
    ...(final === undefined ? {} : { dotMs: final.beganMs }),
    ...(dialog.outcome === 'answered' ? { accepted: dialog.value } : {}),
  };
}

/** The connection ended, or we did, after the final dot and before its reply. */
function isUnsure({ trouble, dotMs }: Submission): boolean {
  if (trouble === undefined || dotMs === undefined) return false;
  if (trouble === 'cut') return true;
  return trouble.fault.phase === 'final' && (trouble.fault.kind === 'timeout' || trouble.fault.kind === 'dropped');
}

function envelopeOf({ message }: Composed): { from: string; to: string; id: string } {
  return { from: message.envelopeFrom, to: message.to, id: message.id };
}
