// The leg `sweep`: our own message out of the box, and what earlier runs left there. What goes wrong here is a finding and no
// failure: the mail got through.

import type { Dialog, DialogRecord } from '../model/dialog.ts';
import { type Box, type Letter, pause, recordOf } from './box.ts';
import { ImapBox } from './box-imap.ts';
import type { Composed } from './compose.ts';
import { valuesOf } from './headers.ts';
import type { TripLog } from './log.ts';
import type { TripOrder } from './order.ts';
import { planSweep } from './sweep.ts';
import { verifyToken } from './token.ts';

/** A second copy comes within milliseconds of the first: where another look costs nothing, it is waited for so long. */
const COPY_MS = 100;

/**
 * @param letter the message as it was found in the box; undefined when it was not
 * @returns how many copies of it there were
 */
export async function cleanUp(
  order: TripOrder,
  box: Box,
  composed: Composed,
  key: Buffer,
  letter: Letter | undefined,
  log: TripLog,
): Promise<number> {
  const { site, route } = order;
  let copies = letter === undefined ? 0 : 1;
  await log.leg('sweep', async () => {
    const dialogs: DialogRecord[] = [];
    const terms = log.terms(site.limits.fetchMs);
    const tried = <T>(dialog: Dialog<T>): T | undefined => {
      dialogs.push(recordOf(dialog));
      if (dialog.outcome === 'failed') log.find({ what: 'left-over', text: `could not clean up: ${dialog.fault.text}` });
      return dialog.outcome === 'answered' ? dialog.value : undefined;
    };
    if (letter !== undefined && box.looksAreCheap) await pause(COPY_MS, terms.signal);
    const lying = tried(await box.leftOvers(site.sweepCap * 2, log.oldOnes(route.account.name), terms)) ?? [];
    const again = lying.filter(
      each => each.ref !== letter?.ref && verifyToken(key, each.headers, route.account.address) === log.id,
    );
    const mine =
      letter === undefined
        ? []
        : [letter, ...log.copies, ...again.filter(({ ref }) => !log.copies.some(each => each.ref === ref))];
    copies = mine.length;
    const ours =
      order.keep === true ? [] : mine.filter(each => valuesOf(each.headers, 'Message-ID')[0] === composed.message.messageId);
    if (order.keep === true && letter !== undefined) log.note(composed, 'kept');
    const plan = planSweep({
      letters: lying,
      key,
      address: route.account.address,
      currentId: log.id,
      entryOf: id => log.entryOf(id),
      since: log.startedAt,
      at: log.now(),
      cap: site.sweepCap,
    });
    for (const finding of plan.findings) log.find(finding);
    const remove = [...ours, ...plan.remove];
    if (remove.length > 0) tried(await box.remove(remove, terms));
    const gone = tried(await box.close({ ...terms, deadlineMs: Math.min(5000, terms.deadlineMs) })) ?? [];
    if (ours.length > 0 && ours.every(each => gone.includes(each))) log.note(composed, 'gone');
    else if (letter !== undefined && order.keep !== true) log.note(composed, 'seen');
    log.amend(plan.amendments, gone);
    return { dialogs };
  });
  return copies;
}

/** A message that was filed elsewhere is removed there, by the same rule. */
export async function emptyFolder(
  order: TripOrder,
  folder: string,
  composed: Composed,
  key: Buffer,
  log: TripLog,
): Promise<void> {
  const { site, route } = order;
  const door = route.lookAt[0];
  if (door === undefined || order.keep === true) return;
  const box = new ImapBox(door, { folder });
  try {
    const opened = await box.open(log.terms(site.limits.fetchMs));
    if (opened.trouble !== undefined) return;
    const letters = await box.leftOvers(site.sweepCap, true, log.terms(site.limits.fetchMs));
    if (letters.outcome !== 'answered') return;
    const ours = letters.value.filter(
      letter =>
        verifyToken(key, letter.headers, route.account.address) === log.id &&
        valuesOf(letter.headers, 'Message-ID')[0] === composed.message.messageId,
    );
    await box.remove(ours, log.terms(site.limits.fetchMs));
    const gone = await box.close(log.terms(5000));
    if (gone.outcome === 'answered' && gone.value.length > 0) log.note(composed, 'gone');
  } finally {
    box.abandon();
  }
}
