// What comes of each attempt, a line each, in one quick write the moment it is known: state/alarm/sent.PID.BORN.log, one file for each
// process that sends. state.json takes the lines in when it is next changed.
//
// A file of its own, because lines that another process removes with those it has read would be lost, and their messages sent twice.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendLine, NotWritten } from '../../record/append.ts';
import { removeQuietly, replaceUnforced } from '../../record/replace.ts';
import type { Outcome } from '../channel.ts';
import type { Sender } from './claim.ts';

/** A line of such a file. */
export type Mark =
  | { readonly message: string; readonly channel: string; readonly at: number; readonly begun: true }
  | {
      readonly message: string;
      readonly channel: string;
      readonly at: number;
      /** The place of the notice, where the channel takes them one by one and there are more. */
      readonly part?: number;
      readonly outcome: Outcome;
    };

/** What one process has noted. */
export interface Marks {
  readonly sender: Sender;
  readonly file: string;
  readonly marks: readonly Mark[];
  /** The text that these were read from. */
  readonly text: string;
}

const NAME = /^sent\.(\d+)\.(\d*)\.log$/;

/** Notes the beginning or the end of an attempt. Not forced to disk: it is for kills, not for power cuts. @returns whether it could be */
export function mark(state: string, { pid, born }: Sender, entry: Mark): boolean {
  try {
    appendLine(join(state, 'alarm', `sent.${pid}.${born}.log`), JSON.stringify(entry));
    return true;
  } catch (error) {
    if (!(error instanceof NotWritten)) throw error;
    return false;
  }
}

export function readMarks(state: string): readonly Marks[] {
  let names: readonly string[];
  try {
    names = readdirSync(join(state, 'alarm'));
  } catch {
    return [];
  }
  return names.flatMap(name => {
    const [, pid, born = ''] = NAME.exec(name) ?? [];
    const file = join(state, 'alarm', name);
    const text = pid === undefined ? undefined : read(file);
    return text === undefined ? [] : [{ sender: { pid: Number(pid), born }, file, marks: parse(text), text }];
  });
}

/** Removes what has been taken in; what has been added to it meanwhile stays. Where it cannot be removed it is taken in again. */
export function dropMarks({ file, text }: Marks): void {
  const now = read(file);
  if (now === undefined) return;
  if (now.length === text.length || !now.startsWith(text)) {
    removeQuietly(file);
    return;
  }
  try {
    replaceUnforced(file, now.slice(text.length));
  } catch (error) {
    if (!(error instanceof NotWritten)) throw error;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string): readonly Mark[] {
  return text.split('\n').flatMap(line => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Mark];
    } catch {
      return []; // the line in which a process was killed
    }
  });
}
