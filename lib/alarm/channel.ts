// What a channel is: a kind of section in alarms.cfg, and how a message is brought over it. Ours are in channels/, one file each; an
// operator's own are in plugins/alarm_channels/ and have this very shape (plugins/README.md).

import type { Literal } from '../site/table/field.ts';
import type { Keys, Settings } from './config/keys.ts';
import type { HttpReply, HttpRequest } from './send/http.ts';
import type { RunResult } from './send/run.ts';
import type { Severity } from './when/alarm.ts';
import type { Telling } from './words/wording.ts';

/** A message on its way: what it says, and an id that stays the same however often it is sent. */
export interface Parcel extends Telling {
  readonly id: string;
  /** All alarms that are open now, for services that show one state. */
  readonly open: readonly { readonly alarm: number; readonly severity: Severity; readonly title: string }[];
}

/**
 * - `delivered` the service has taken it
 * - `failed` it has not; `again` says whether trying this channel again may help, and how soon
 * - `unsure` it may have
 */
export type Outcome =
  | { readonly result: 'delivered'; readonly text: string }
  | { readonly result: 'failed'; readonly text: string; readonly again: 'soon' | 'never'; readonly afterMs?: number }
  | { readonly result: 'unsure'; readonly text: string };

/** Where a channel leads, for the proof that it does not lead through the system under test. */
export type Lead =
  | { readonly host: string }
  /** A program, which may lead anywhere. */
  | { readonly program: readonly string[] }
  /** Nowhere outside this machine. */
  | { readonly local: string };

/** What an answer means. */
export interface HttpMeaning {
  /**
   * A status from 200 to 299 means that the service has the message, whatever the body says. That is then on disk before anything else
   * is done, so that a kill in the next moment does not make the message come twice.
   */
  readonly isTakenByStatus?: boolean;
}

/** What a channel is given to do its work with. */
export interface Tools {
  readonly http: (request: HttpRequest & HttpMeaning) => Promise<HttpReply>;
  readonly run: (
    command: readonly string[],
    options: { readonly stdin: string; readonly env: Readonly<Record<string, string>> },
  ) => Promise<RunResult>;
  /** Appends a line to a file; a path that is not absolute is below the state folder. */
  readonly append: (file: string, line: string) => void;
  /** For what a channel does by itself; ms. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export interface Channel<K extends Keys = Keys> {
  /** The section's name: `slack` for [slack.NAME]. */
  readonly kind: string;
  /** What it is, for the annotated file; full sentences. */
  readonly help: string;
  /** Where the service documents what is relied on here. */
  readonly docs: string;
  /** Whether a message of several alarms goes out whole, or each alarm by itself, as for services that keep a state for each. */
  readonly takes: 'all' | 'each';
  /** Its first use takes the processor for a tenth of a second and more: beside what is being timed it waits, up to twenty seconds. */
  readonly isHeavy?: true;
  readonly keys: K;
  /** Keys of which a section has exactly one. */
  readonly exactlyOne?: readonly string[];
  /** A section as it may look. */
  readonly sample: Readonly<Record<string, Literal>>;
  leadsTo(settings: Settings<K>): readonly Lead[];
  /** Brings one message; never throws for what the service does. */
  bring(parcel: Parcel, settings: Settings<K>, tools: Tools): Promise<Outcome>;
}

/** Declares a channel; a function only so that it sees the types of its own keys. */
export function channel<const K extends Keys>(about: Channel<K>): Channel<K> {
  return about;
}

/** The host of an address, for `leadsTo`. */
export function hostOf(url: string): Lead {
  return { host: new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') };
}
