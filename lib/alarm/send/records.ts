// What the alarms leave in the journal: what came of each attempt to bring a message. Reports and "healthmon explain" read it.

import { NotWritten } from '../../record/append.ts';
import { appendJournal, type NewRecord } from '../../record/journal.ts';
import type { Attempt } from './dispatch.ts';
import { briefly, type Message } from './message.ts';

export function deliveryRecord({ message, channel, outcome, tookMs }: Attempt): NewRecord {
  return {
    type: 'delivery',
    message: message.id,
    to: message.to,
    channel,
    attempt: message.attempts + 1,
    outcome: outcome.result,
    text: outcome.text,
    tookMs,
    notices: briefly(message.notices),
  };
}

export function heldRecord(message: Message, outcome: 'held back' | 'given up', text: string): NewRecord {
  return {
    type: 'delivery',
    message: message.id,
    to: message.to,
    channel: message.channels[message.next.channel] ?? '',
    attempt: message.attempts,
    outcome,
    text,
    tookMs: 0,
    notices: briefly(message.notices),
  };
}

/** What cannot be written is said, and changes nothing. */
export function noteInJournal(folder: string, record: NewRecord, at: number, say: (line: string) => void): void {
  try {
    appendJournal(folder, record, at);
  } catch (error) {
    if (!(error instanceof NotWritten)) throw error;
    say(error.message);
  }
}
