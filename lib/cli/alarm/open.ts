// What the commands about alarms begin with: the config, the state on disk, who is asking.

import { hostname, userInfo } from 'node:os';
import { ALARMS_FILE, type Alarms, loadAlarms } from '../../alarm/config/load.ts';
import { type AlarmState, peek, transact } from '../../alarm/send/outbox.ts';
import { printable } from '../../model/printable.ts';
import type { Site } from '../../model/site.ts';
import { appendJournal, type NewRecord } from '../../record/journal.ts';
import { formatProblems } from '../../site/problem.ts';
import { loadConfig, openState, type Places, placesOf, Stop } from '../context.ts';
import { hasSite, siteOfOne } from '../host/tell.ts';
import { alarmOptions, usableAlarms } from '../round/tell.ts';
import type { Terminal } from '../terminal.ts';

export interface FolderOptions {
  readonly config?: string;
  readonly state?: string;
  readonly json?: boolean;
}

export interface Opened {
  readonly places: Places;
  readonly site: Site;
  readonly alarms: Alarms;
}

/** @throws {Stop} with every problem when there is an error in the config, and when there is no alarms.cfg */
export async function openAlarms(options: FolderOptions): Promise<Opened> {
  const places = placesOf(options);
  // A mail host that only looks at itself has alarms, and no site.cfg.
  const site = (await hasSite(places.config)) ? (await loadConfig(places.config)).site : siteOfOne(hostname());
  openState(places.state);
  const loaded = await loadAlarms(places.config, alarmOptions(places));
  if (loaded === undefined)
    throw new Stop(
      `There is no ${ALARMS_FILE} in ${places.config}: nobody is told; healthmon config describe ${ALARMS_FILE} prints one to begin with`,
    );
  if (loaded.alarms === undefined)
    throw new Stop(`${formatProblems(loaded.problems)}\nCannot use ${ALARMS_FILE} in ${places.config}`);
  return { places, site, alarms: loaded.alarms };
}

/** As long as messages are tried where no alarms.cfg says so. ms */
const KEEP_MS = 24 * 3_600_000;

/** The alarms as they stand. Needs no config that is sound: an alarm is looked at and taken on whatever else is broken. */
export function seenState(places: Places, alarms: Alarms | undefined): AlarmState {
  return peek(places.state, alarms?.keepMs ?? KEEP_MS);
}

/** What alarms.cfg says, or said when it was last without errors. */
export function usable(places: Places, terminal: Terminal): Promise<Alarms | undefined> {
  return usableAlarms(places, terminal.say);
}

interface Changed {
  readonly state: AlarmState;
  /** For the journal. */
  readonly records: readonly NewRecord[];
}

/**
 * Changes the alarms, and leaves records of that in the journal.
 *
 * @param work what is asked for, or why that cannot be
 * @throws {Stop} with that
 */
export async function change(
  places: Places,
  alarms: Alarms | undefined,
  work: (state: AlarmState) => Changed | { readonly problem: string },
): Promise<AlarmState> {
  openState(places.state);
  const { result, state, notWritten } = await transact<Changed | { readonly problem: string }>(
    places.state,
    alarms?.keepMs ?? KEEP_MS,
    before => {
      const done = work(before);
      return 'problem' in done ? { state: before, result: done, isSame: true } : { state: done.state, result: done };
    },
  );
  if ('problem' in result) throw new Stop(result.problem);
  if (notWritten !== undefined) throw new Stop(notWritten);
  for (const record of result.records) appendJournal(places.state, record, Date.now());
  return state;
}

/** Who is asking: as they say, else the user behind sudo, else the user. */
export function asker(by: string | undefined): string {
  const name = by ?? process.env.SUDO_USER ?? '';
  if (name !== '') return printable(name, 60);
  try {
    return printable(userInfo().username, 60);
  } catch {
    return 'somebody'; // a user without an entry in passwd
  }
}
