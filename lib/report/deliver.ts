// Brings letters of the outbox to the people who wait for them: one hand-over per address, so that each is known by itself. How a letter is
// handed over is an argument; relay.ts does it by SMTP.

import { isWaiting, type Outbox, type Outgoing, pauseMs, TRY_MS } from './outbox.ts';

export type HandOver =
  | { readonly result: 'sent'; readonly text: string }
  /** `never`: the relay will not take it for this address, now or later. */
  | { readonly result: 'failed'; readonly text: string; readonly again: 'later' | 'never' };

export type Send = (letter: Buffer, envelope: { readonly from: string; readonly to: string }) => Promise<HandOver>;

export interface DeliverOptions {
  readonly outbox: Outbox;
  readonly send: Send;
  readonly at: number;
  /** Only what is due by its time; a person, and the run that makes a report, try everything. */
  readonly onlyDue: boolean;
}

/** @returns every letter that was tried, as it is now. @throws {NotWritten}: nothing is sent that could not be noted */
export async function deliver({ outbox, send, at, onlyDue }: DeliverOptions): Promise<readonly Outgoing[]> {
  const tried: Outgoing[] = [];
  for (const entry of outbox.waiting()) {
    if (onlyDue && entry.nextAt > at) continue;
    if (at - entry.createdAt > TRY_MS) continue;
    tried.push(await deliverOne(entry, outbox, send, at));
  }
  return tried;
}

async function deliverOne(entry: Outgoing, outbox: Outbox, send: Send, at: number): Promise<Outgoing> {
  const letter = outbox.letter(entry.id);
  let now: Outgoing = { ...entry, attempts: entry.attempts + 1, nextAt: at + pauseMs(entry.attempts + 1) };
  if (letter === undefined) {
    now = withEach(now, person =>
      person.state === 'sent' ? person : { ...person, state: 'refused', text: 'the letter is no longer on the disk' },
    );
    outbox.note(now);
    return now;
  }
  for (const { address, state } of entry.people) {
    if (state === 'sent' || state === 'refused') continue;
    const set = (to: Partial<Outgoing['people'][number]>) => {
      now = withEach(now, person => (person.address === address ? { ...person, ...to } : person));
      outbox.note(now);
    };
    set({ state: 'sending' });
    const handed = await send(letter, { from: entry.from, to: address });
    if (handed.result === 'sent') set({ state: 'sent', text: handed.text });
    else set({ state: handed.again === 'never' ? 'refused' : 'waiting', text: handed.text });
    // A relay that did not answer will not answer for the next address either.
    if (handed.result === 'failed' && handed.again === 'later' && isWaiting(now)) {
      now = withEach(now, person =>
        person.state === 'waiting' && person.text === '' ? { ...person, text: handed.text } : person,
      );
      outbox.note(now);
      break;
    }
  }
  return now;
}

function withEach(entry: Outgoing, change: (person: Outgoing['people'][number]) => Outgoing['people'][number]): Outgoing {
  return { ...entry, people: entry.people.map(change) };
}
