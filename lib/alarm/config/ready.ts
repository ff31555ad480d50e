// Channels and heartbeats of alarms.cfg made ready for use: with their secrets read at the moment of sending, one deadline, and texts
// that hold no secret. Whatever a channel's code does, what comes out is an outcome.

import { isAbsolute, join } from 'node:path';
import { LocalProblem } from '../../model/endpoint.ts';
import { printable } from '../../model/printable.ts';
import { appendLine } from '../../record/append.ts';
import type { Place } from '../../site/problem.ts';
import type { SecretContext } from '../../site/secret.ts';
import type { Entry, Fields } from '../../site/table/field.ts';
import type { Channel, Lead, Outcome, Parcel } from '../channel.ts';
import { type HttpReply, type HttpRequest, type HttpTerms, sendHttp } from '../send/http.ts';
import { runProgram } from '../send/run.ts';
import { type Draft, type Keys, masked, settle } from './keys.ts';
import { HEARTBEAT_KEYS } from './table.ts';

/** What leads somewhere: a channel or a heartbeat. */
export interface Leading {
  readonly name: string;
  /** For messages: `[slack.ops]`. */
  readonly label: string;
  /** Where it stands in the file. */
  readonly place: Place;
  /** Why it is all right that it leads through the site, where somebody has said so. */
  readonly acceptDependence?: string;
  /** @throws {LocalProblem} when its secrets cannot be had */
  leads(): Promise<readonly Lead[]>;
}

/** A channel of alarms.cfg. */
export interface ReadyChannel extends Leading {
  readonly kind: string;
  readonly takes: Channel['takes'];
  readonly isHeavy?: true;
  /** Messages in an hour. */
  readonly cap: number;
  /**
   * Brings a message; never throws. Texts are bounded, printable and without secrets.
   *
   * @param onTaken called at once, and at most once, when it is certain that it will be delivered; there may be no such moment before
   *   the end
   */
  bring(parcel: Parcel, signal: AbortSignal, onTaken?: (text: string) => void): Promise<Outcome>;
}

export type HeartbeatForm = 'healthchecks' | 'kuma' | 'gatus' | 'json';

/** A heartbeat of alarms.cfg. */
export interface ReadyHeartbeat extends Leading {
  readonly form: HeartbeatForm;
  readonly everyMs: number;
  /** Absent: by the sequence. */
  readonly freshMs?: number;
  /**
   * Sends what `make` makes of the address and the token.
   *
   * @returns the answer, and what takes the secrets out of a text; or what kept it from being sent
   */
  send(
    make: (url: string, token: string | undefined) => HttpRequest,
    signal: AbortSignal,
  ): Promise<{ readonly reply: HttpReply; readonly mask: (text: string) => string } | { readonly problem: string }>;
}

export interface Surroundings {
  /** The folder of alarms.cfg, absolute. */
  readonly dir: string;
  readonly state: string;
  readonly secrets: SecretContext;
  /** PEM by the path as written. */
  readonly authorities: ReadonlyMap<string, string>;
  /** For tests: where names lead. */
  readonly resolve?: HttpTerms['resolve'];
}

/** The keys of every channel and heartbeat, as far as they could be read. */
interface CommonDraft {
  readonly timeout?: number;
  readonly ca_file?: string;
  readonly accept_dependence?: string;
  readonly cap?: number;
}

export function readyChannel(kind: Channel, entry: Entry<Fields>, usualCap: number, around: Surroundings): ReadyChannel {
  const draft: Draft & CommonDraft = entry.draft;
  return {
    ...leading(kind.keys, entry, around, async settings => kind.leadsTo(settings)),
    kind: kind.kind,
    takes: kind.takes,
    ...(kind.isHeavy === true ? { isHeavy: true } : {}),
    cap: draft.cap ?? usualCap,
    async bring(parcel, signal, onTaken = () => {}) {
      let secrets: readonly string[] = [];
      let taken: string | undefined;
      const noteStatus = (status: number) => {
        if (status < 200 || status > 299 || taken !== undefined) return;
        taken = `answered ${status}`;
        onTaken(taken);
      };
      const sure = (outcome: Outcome): Outcome =>
        taken === undefined || outcome.result === 'delivered' ? outcome : { result: 'delivered', text: taken };
      try {
        const settled = await settle(kind.keys, draft, around.secrets);
        secrets = settled.secrets;
        const terms = httpTerms(draft, around, signal);
        const work = kind.bring(parcel, settled.settings, {
          http: request => sendHttp(request, request.isTakenByStatus === true ? { ...terms, onStatus: noteStatus } : terms),
          run: (command, options) => runProgram(command, { ...options, cwd: around.dir, deadlineMs: terms.deadlineMs, signal }),
          append: (file, line) => appendLine(isAbsolute(file) ? file : join(around.state, file), line),
          deadlineMs: terms.deadlineMs,
          signal,
        });
        const outcome = sure(await withinTime(work, terms.deadlineMs + 1000));
        return { ...outcome, text: printable(masked(outcome.text, secrets), 300) };
      } catch (error) {
        const isOurs = error instanceof LocalProblem;
        const text = isOurs
          ? error.message
          : `the channel's own code failed: ${error instanceof Error ? error.message : String(error)}`;
        return sure({ result: 'failed', text: printable(masked(text, secrets), 300), again: isOurs ? 'soon' : 'never' });
      }
    },
  };
}

export function readyHeartbeat(entry: Entry<Fields>, around: Surroundings): ReadyHeartbeat {
  const draft: Draft & CommonDraft & { readonly form?: HeartbeatForm; readonly every?: number; readonly fresh?: number } =
    entry.draft;
  return {
    ...leading(HEARTBEAT_KEYS, entry, around, async ({ url }) => [
      { host: new URL(String(url)).hostname.replace(/^\[(.*)\]$/, '$1') },
    ]),
    form: draft.form ?? 'healthchecks',
    everyMs: (draft.every ?? 5) * 60_000,
    ...(draft.fresh === undefined ? {} : { freshMs: draft.fresh * 60_000 }),
    async send(make, signal) {
      try {
        const { settings, secrets } = await settle(HEARTBEAT_KEYS, draft, around.secrets);
        const token = typeof settings.token === 'string' ? settings.token : undefined;
        const reply = await sendHttp(make(String(settings.url), token), httpTerms(draft, around, signal));
        return { reply, mask: text => printable(masked(text, secrets), 300) };
      } catch (error) {
        if (!(error instanceof LocalProblem)) throw error;
        return { problem: error.message };
      }
    },
  };
}

function leading(
  keys: Keys,
  { name, label, place, draft }: Entry<Fields>,
  { secrets }: Surroundings,
  leadsTo: (settings: Awaited<ReturnType<typeof settle>>['settings']) => Promise<readonly Lead[]>,
): Leading {
  const { accept_dependence }: CommonDraft = draft;
  return {
    name,
    label,
    place,
    ...(accept_dependence === undefined ? {} : { acceptDependence: accept_dependence }),
    leads: async () => leadsTo((await settle(keys, draft, secrets)).settings),
  };
}

function httpTerms(
  { timeout = 10, ca_file }: CommonDraft,
  { secrets, authorities, resolve }: Surroundings,
  signal: AbortSignal,
): HttpTerms {
  const ca = ca_file === undefined ? undefined : authorities.get(ca_file);
  return {
    deadlineMs: timeout * 1000,
    signal,
    env: secrets.env,
    ...(ca === undefined ? {} : { ca }),
    ...(resolve === undefined ? {} : { resolve }),
  };
}

/** Channels keep their deadline by themselves; one of the operator's own may not. */
async function withinTime(work: Promise<Outcome>, ms: number): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>(resolve => {
    timer = setTimeout(() => resolve({ result: 'unsure', text: `the channel did not come back within ${ms / 1000} s` }), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
