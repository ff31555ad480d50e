// The mailbox as a trip sees it, whichever protocol it is read by: opened once, looked into until the message is there, read, cleaned.

import type { Terms } from '../dialog/line.ts';
import type { Dialog, DialogRecord, Fault } from '../model/dialog.ts';
import type { HeaderLine } from './headers.ts';

/** A message in the box, known by its header lines only. */
export interface Letter {
  /** UID or unique-id: good beyond this session. */
  readonly ref: string;
  readonly headers: readonly HeaderLine[];
  /** When the store filed it, by its own clock; IMAP only. Epoch ms. */
  readonly internalDate?: number;
  readonly bytes?: number;
}

/** Something done with the box: the conversations it took, and how it ended when it did not end well. */
export interface Step {
  readonly dialogs: readonly DialogRecord[];
  readonly trouble?: Trouble;
}

export type Trouble = { readonly fault: Fault } | 'cut';

/** One look and what it brought. */
export interface Look extends Step {
  /** Messages that were not there before. */
  readonly letters: readonly Letter[];
  /** Whatever arrived before this instant would have been seen; trip clock. */
  readonly askedMs: number;
  /** What was seen was there by this instant; trip clock. */
  readonly answeredMs: number;
  readonly logins: number;
}

export interface Box {
  readonly protocol: 'pop3' | 'imap';
  /** Whether one look more costs next to nothing. */
  readonly looksAreCheap: boolean;
  /** Logs in and takes note of what is there already. */
  open(terms: Terms): Promise<Step>;
  /** Waits so long, in the protocol's best way, and looks. */
  look(waitMs: number, terms: Terms): Promise<Look>;
  /** The instant of the next look, trip clock; Infinity when there shall be none before the limit. */
  nextLookAt(nowMs: number): number;
  /** From now on `sinceMs` counts: the MTA has accepted the message. */
  accepted(atMs: number, limitMs: number): void;
  read(letter: Letter, mostBytes: number, terms: Terms): Promise<Dialog<Buffer>>;
  /** A part of a message that names our id somewhere; undefined when it does not. For bounces. */
  excerpt(letter: Letter, id: string, terms: Terms): Promise<Dialog<Buffer | undefined>>;
  /**
   * Messages from before that bear our header, at most so many, and the newest: a crowd of look-alikes is no hiding place.
   *
   * @param thorough whether it is known that some may be there; otherwise only what costs little is looked at
   */
  leftOvers(most: number, thorough: boolean, terms: Terms): Promise<Dialog<readonly Letter[]>>;
  /** Removes exactly these. */
  remove(letters: readonly Letter[], terms: Terms): Promise<Dialog<void>>;
  /** Ends the session in good order. @returns the letters that are gone for good */
  close(terms: Terms): Promise<Dialog<readonly Letter[]>>;
  /** Drops the connection; nothing that was not removed before is. */
  abandon(): void;
}

/** Several operations as one: their phases and transcripts in a row, the outcome of the last. */
export function joined<T>(before: readonly DialogRecord[], last: Dialog<T>): Dialog<T> {
  const first = before[0];
  if (first === undefined) return last;
  return {
    ...last,
    beganMs: first.beganMs,
    tookMs: last.beganMs + last.tookMs - first.beganMs,
    phases: [...before.flatMap(each => each.phases), ...last.phases],
    transcript: [...before.flatMap(each => each.transcript), ...last.transcript],
    facts: { ...first.facts, ...last.facts },
  };
}

/** A dialog that ended well, with another value. */
export function valued<T, U>(dialog: Dialog<T>, value: (value: T) => U): Dialog<U> {
  return dialog.outcome === 'answered' ? { ...dialog, value: value(dialog.value) } : dialog;
}

/** How a dialog ended badly; undefined when it did not. */
export function troubleOf(dialog: Dialog<unknown>): Trouble | undefined {
  return dialog.outcome === 'answered' ? undefined : dialog.outcome === 'cut' ? 'cut' : { fault: dialog.fault };
}

/** A dialog as a step of the trip. */
export function stepOf(dialog: Dialog<unknown>): Step {
  const trouble = troubleOf(dialog);
  return { dialogs: [recordOf(dialog)], ...(trouble === undefined ? {} : { trouble }) };
}

/** Only what a record has, without the value. */
export function recordOf(dialog: DialogRecord): DialogRecord {
  const { component, protocol, host, port, security, beganMs, tookMs, phases, facts, transcript } = dialog;
  return { component, protocol, host, port, security, beganMs, tookMs, phases, facts, transcript };
}

/** Resolves after so many ms, or at once when told to stop. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
