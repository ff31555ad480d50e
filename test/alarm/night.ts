// A site, its alarms and the people who are told, on a clock that the test moves: the real entrance with its state on a real disk,
// and channels that do what the story says. Each step is a process of its own as far as the state goes: nothing is kept in memory.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Outcome, Parcel } from '../../lib/alarm/channel.ts';
import { type Alarms, readAlarms } from '../../lib/alarm/config/load.ts';
import type { ReadyChannel } from '../../lib/alarm/config/ready.ts';
import { type AlarmState, peek } from '../../lib/alarm/send/outbox.ts';
import { type TellResult, tellAlarms } from '../../lib/alarm/tell.ts';
import type { Expected } from '../../lib/alarm/when/heartbeat.ts';
import type { OwnLook } from '../../lib/alarm/when/policy.ts';
import { headline } from '../../lib/alarm/words/wording.ts';
import type { Component } from '../../lib/model/component.ts';
import type { FaultKind, PhaseName } from '../../lib/model/dialog.ts';
import { JOURNAL_VERSION, type JournalRecord, type ReadingRecord, type TripRecord } from '../../lib/model/record.ts';
import type { Site } from '../../lib/model/site.ts';
import type { Path } from '../../lib/model/trip.ts';
import type { Confidence, State } from '../../lib/model/verdict.ts';
import { appendJournal, journalDays, type NewRecord, readJournal } from '../../lib/record/journal.ts';
import { loadSite } from '../../lib/site/load.ts';
import { type Problem, reporterFor } from '../../lib/site/problem.ts';
import { folderWith, KEY, SEQUENCE } from '../site/folder.ts';

/** Thousands of steps, each forced to disk: in memory where the system has a place for that. */
const FAST = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Something that reached somebody. */
export interface Brought {
  readonly at: number;
  readonly channel: string;
  readonly id: string;
  readonly headline: string;
  readonly parcel: Parcel;
}

/** What a scripted channel answers; by default it takes everything. */
export type Script = (parcel: Parcel, at: number) => Outcome | Promise<Outcome>;

export const TAKES: Script = () => ({ result: 'delivered', text: 'ok' });

export interface Blame {
  readonly state?: Exclude<State, 'ok'>;
  readonly component?: Component;
  readonly phase?: PhaseName;
  readonly kind?: FaultKind | 'slow';
  readonly confidence?: Confidence;
}

export class Night {
  /** Epoch ms by the clock on the wall. */
  at: number;
  /** Ms since boot. */
  upMs = 1_000_000;
  readonly state = mkdtempSync(join(FAST, 'healthmon-night-'));
  readonly site: Site;
  readonly scripts = new Map<string, Script>();
  readonly brought: Brought[] = [];
  readonly said: string[] = [];
  /** Whether the scripted channels take a message whole. */
  takes: ReadyChannel['takes'] = 'all';
  expected: readonly Expected[] = [];
  own: OwnLook = { resolver: 'works', gateway: 'works' };
  #alarms: Alarms;
  #trips = 0;

  private constructor(site: Site, alarms: Alarms, at: number) {
    this.site = site;
    this.#alarms = alarms;
    this.at = at;
    onTestFinished(() => rmSync(this.state, { recursive: true, force: true }));
  }

  /** @param config alarms.cfg; every channel in it is a log that the test scripts by its name */
  static async begin(config: string, options: { readonly at?: number; readonly site?: string } = {}): Promise<Night> {
    const site = await siteOf(options.site ?? '');
    const problems: Problem[] = [];
    const folder = await folderWith({});
    const loaded = await readAlarms(
      config,
      folder,
      { plugins: folder, state: folder },
      { report: reporterFor('alarms.cfg', problems), problems },
    );
    if (loaded.alarms === undefined) throw new Error(problems.map(({ text }) => text).join('\n'));
    return new Night(site, loaded.alarms, options.at ?? Date.UTC(2026, 10, 22, 2));
  }

  get alarms(): Alarms {
    return this.#alarms;
  }

  /** Time goes by: on the wall and since boot alike. */
  pass(ms: number): void {
    this.at += ms;
    this.upMs += ms;
  }

  /** So many minutes after an instant. */
  to(from: number, minutes: number): void {
    this.pass(from + minutes * MINUTE - this.at);
  }

  trip(path: Path, blame?: Blame, by: TripRecord['by'] = 'check_rndtrip'): TripRecord {
    this.#trips += 1;
    const id = `trip${String(this.#trips).padStart(6, '0')}`;
    const state = blame === undefined ? 'ok' : (blame.state ?? 'failed');
    const suspects =
      blame === undefined
        ? []
        : [
            {
              component: blame.component ?? (`mmp/${path.mmp}` as const),
              protocol: path.mailbox,
              phase: blame.phase ?? 'connect',
              kind: blame.kind ?? 'refused-connection',
              confidence: blame.confidence ?? ('likely' as const),
              why: ['refused the connection'],
            },
          ];
    return {
      v: JOURNAL_VERSION,
      at: this.at,
      type: 'trip',
      by,
      trip: {
        id,
        path,
        startedAt: this.at - 500,
        tookMs: 400,
        legs: [],
        arrival: blame === undefined ? { outcome: 'seen', afterMs: 1, byMs: 2 } : { outcome: 'unsent' },
        hops: [],
        findings: [],
      },
      verdict: { state, suspects, text: state, short: state },
    };
  }

  /** Writes records to the journal, as a round does before it tells the alarms. */
  write(...records: readonly JournalRecord[]): void {
    for (const record of records) appendJournal(this.state, record as NewRecord, this.at);
  }

  /** A round: trips recorded, alarms told. */
  round(...trips: readonly TripRecord[]): Promise<TellResult> {
    this.write(...trips);
    return this.tell();
  }

  tell(records: readonly (TripRecord | ReadingRecord)[] = [], signal = new AbortController().signal): Promise<TellResult> {
    return tellAlarms({
      alarms: { ...this.#alarms, channels: this.#channels() },
      site: this.site,
      state: this.state,
      records,
      expected: this.expected,
      commandTail: '',
      signal,
      say: line => this.said.push(line),
      clock: {
        now: () => this.at,
        sleep: async ms => this.pass(ms),
      },
      upTime: () => ({ upMs: this.upMs, boot: 'one' }),
      look: async () => this.own,
    });
  }

  #channels(): ReadonlyMap<string, ReadyChannel> {
    return new Map(
      [...this.#alarms.channels].map(([name, channel]) => [
        name,
        {
          ...channel,
          takes: this.takes,
          bring: async (parcel: Parcel) => {
            const outcome = await (this.scripts.get(name) ?? TAKES)(parcel, this.at);
            if (outcome.result !== 'failed')
              this.brought.push({ at: this.at, channel: name, id: parcel.id, headline: headline(parcel), parcel });
            return outcome;
          },
        },
      ]),
    );
  }

  /** What was brought since the last call, as `minute channel headline`, minutes since `from`. */
  news(from: number): string[] {
    return this.brought
      .splice(0)
      .map(({ at, channel, headline: words }) => `${Math.round((at - from) / MINUTE)} ${channel} ${words}`);
  }

  kept(): AlarmState {
    return peek(this.state, this.#alarms.keepMs);
  }

  journal(): readonly JournalRecord[] {
    return journalDays(this.state).flatMap(day => readJournal(this.state, day).records);
  }
}

/** @param more sections of site.cfg; without it four MTAs, four MMPs and four stores behind one directory */
async function siteOf(more: string): Promise<Site> {
  const text = more === '' ? `[site]\nname = "Example Mail"\ndomain = "example.com"\n${machines(4, 4, 4)}` : more;
  const folder = await folderWith({ 'site.cfg': text, 'sequence.cfg': SEQUENCE, 'site.key': KEY });
  const { site, problems } = await loadSite(folder, { secrets: false });
  if (site === undefined) throw new Error(problems.map(({ text: words }) => words).join('\n'));
  return site;
}

/** So many MTAs, MMPs and stores with an account each, all MMPs behind one directory. */
export function machines(mtas: number, mmps: number, stores: number): string {
  const range = (count: number) => Array.from({ length: count }, (_, n) => String(n + 1).padStart(2, '0'));
  return [
    ...range(mtas).map(n => `[mta.ssmtp${n}]`),
    ...range(mmps).map(n => `[mmp.smux${n}]\npop3 = {}\nimap = {}\nneeds = ["directory/ldap1"]`),
    ...range(stores).map(n => `[store.ims${Number(n)}]\naddress = "ims${Number(n)}@example.com"\npassword_file = "secrets/x"`),
    '[directory.ldap1]\nurl = "ldap://ldap1.example.com"\nbase = "dc=example,dc=com"',
  ].join('\n');
}

export function path(account = 'ims1', mta = 'ssmtp01', mmp = 'smux01', mailbox: Path['mailbox'] = 'pop3'): Path {
  return { account, mta, mmp, mailbox };
}

/** Two channels, one person who is told at once and one after a quarter of an hour. */
export const USUAL = `
[log.pager]
[log.sms]
[log.bosspager]
[notify.oncall]
channels = ["pager", "sms"]
[notify.boss]
channels = ["bosspager"]
after = 15
`;

export const ONE = '[log.pager]\n[log.sms]\n[notify.oncall]\nchannels = ["pager", "sms"]\n';

/** One channel only. */
export const LONE = '[log.pager]\n[notify.oncall]\nchannels = ["pager"]\n';
