// Rounds and the alarms: hands what a round measured to the alarms, and waits for these within bounds. Whatever goes wrong on that
// side is said, and changes nothing about measuring.
//
// The first alarm of a round goes out at once, with what breaks in the same moment; what else the round finds is told in one more message
// at its end, or after half a minute. What takes the processor for long, the client of Twilio, waits for the end of what is timed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALARMS_FILE, type AlarmOptions, type Alarms, loadAlarms, readAlarms } from '../../alarm/config/load.ts';
import { tellAlarms } from '../../alarm/tell.ts';
import type { Expected } from '../../alarm/when/heartbeat.ts';
import type { ReadingRecord, TripRecord } from '../../model/record.ts';
import type { Sequence } from '../../model/sequence.ts';
import { pathKey, pathText } from '../../model/trip.ts';
import { allPaths } from '../../plan/due.ts';
import { NotWritten } from '../../record/append.ts';
import { replaceFile } from '../../record/replace.ts';
import { REPORT_SECTION } from '../../report/config-table.ts';
import { type Problem, reporterFor } from '../../site/problem.ts';
import { type Loaded, type Places, placesOf, projectRoot } from '../context.ts';
import { Timed } from './timed.ts';

export interface Teller {
  /** A trip of this round is finished and recorded, or a look at this host. */
  heard(record: TripRecord | ReadingRecord): void;
  /** Does all that is due now, and waits for what goes out, at most as long as alarms.cfg allows. Never rejects. */
  finish(): Promise<void>;
}

/** So long a bad result waits for others of the same moment; once something has been told, for the end of the round. ms */
const FIRST_MS = 50;
const REST_MS = 30_000;
/** Beyond what alarms.cfg lets a run wait: one attempt that has begun may end. ms */
const GRACE_MS = 70_000;

export interface TellerOptions {
  /** Trips that this round makes; 0 where only what is due by time is to be done. */
  readonly trips: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** What else is timed in this process. */
  readonly timed?: Timed;
}

/** Reads alarms.cfg when it first has something to do. */
export function tellerFor(places: Places, { site, sequence }: Pick<Loaded, 'site' | 'sequence'>, options: TellerOptions): Teller {
  let fresh: (TripRecord | ReadingRecord)[] = [];
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let alarms: Promise<Alarms | undefined> | undefined;
  let hasTold = false;
  const timed = options.timed ?? new Timed();
  const measured = options.trips > 0 ? timed.begin() : () => {};
  const read = () => {
    alarms ??= usableAlarms(places, options.say);
    return alarms;
  };

  async function run(): Promise<void> {
    const records = fresh;
    fresh = [];
    try {
      const usable = await read();
      if (usable === undefined) return;
      await tellAlarms({
        onMade: () => {
          hasTold = true;
        },
        alarms: usable,
        site,
        state: places.state,
        records,
        expected: expectedOf(sequence),
        commandTail: commandTail(places),
        signal: options.signal,
        say: options.say,
        nothingTimed: () => timed.over(),
      });
    } catch (error) {
      options.say(
        `Alarms: this is a fault of this program; please report it: ${error instanceof Error ? error.stack : String(error)}`,
      );
    }
  }
  /** One after the other: a run that is under way does not know of what came later. */
  function next(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const mine: Promise<void> = (running ?? Promise.resolve()).then(run).finally(() => {
      if (running === mine) running = undefined;
    });
    running = mine;
    return mine;
  }

  return {
    heard(record) {
      fresh.push(record);
      count += 1;
      if (count >= options.trips) {
        measured();
        void next();
      } else if (record.type === 'trip' && record.verdict.state !== 'ok') {
        read().catch(() => {}); // told where it is used
        timer ??= setTimeout(() => void next(), hasTold ? REST_MS : FIRST_MS);
      }
    },
    async finish() {
      measured();
      const isUnderWay = running !== undefined && fresh.length === 0;
      await withinBounds(isUnderWay && running !== undefined ? running : next(), options.say);
    },
  };
}

async function withinBounds(work: Promise<void>, say: (line: string) => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>(resolve => {
    timer = setTimeout(() => {
      say('Alarms: not done in time; what has not gone out goes out with the next run');
      resolve();
    }, 120_000 + GRACE_MS);
    timer.unref();
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** Where the options of loading alarms.cfg come from. */
export function alarmOptions({ state }: Pick<Places, 'state'>): AlarmOptions {
  return { plugins: join(projectRoot(), 'plugins', 'alarm_channels'), state, others: OTHER_SECTIONS };
}

/** Sections of alarms.cfg that belong to other rooms. */
export const OTHER_SECTIONS = { report: REPORT_SECTION };

/**
 * alarms.cfg; while that has errors, the last one that had none, so that a slip of the hand silences nobody.
 *
 * @returns undefined when there is neither
 */
export async function usableAlarms(places: Places, say: (line: string) => void): Promise<Alarms | undefined> {
  const options = alarmOptions(places);
  const loaded = await loadAlarms(places.config, options);
  if (loaded === undefined) return undefined;
  const good = join(places.state, 'alarm', 'last-good-alarms.cfg');
  if (loaded.alarms !== undefined) {
    keep(join(places.config, ALARMS_FILE), good);
    return loaded.alarms;
  }
  const errors = loaded.problems.filter(({ severity }) => severity === 'error');
  const first = errors[0];
  const told = `${join(places.config, ALARMS_FILE)} has ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}${first === undefined ? '' : ` (line ${first.line}: ${first.text})`}`;
  const text = read(good);
  const problems: Problem[] = [];
  const old =
    text === undefined
      ? undefined
      : await readAlarms(text, places.config, options, { report: reporterFor(good, problems), problems });
  say(
    `Alarms: ${told}; ${old?.alarms === undefined ? 'nobody is told' : 'the last one without errors is used'}: healthmon config check`,
  );
  return old?.alarms;
}

function keep(from: string, to: string): void {
  const text = read(from);
  if (text === undefined || text === read(to)) return;
  try {
    replaceFile(to, text);
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

/** Every path of the sequence, and how long the sequence takes to come round to it. */
function expectedOf(sequence: Sequence): readonly Expected[] {
  return allPaths(sequence).map(path => {
    const entries = sequence.filter(({ account, mta, mmp }) => account === path.account && mta === path.mta && mmp === path.mmp);
    // Entries without -m take turns: by POP3 in one hour, by IMAP in the next.
    const perHour = entries.reduce(
      (sum, { mailbox }) => sum + (mailbox === undefined ? 0.5 : mailbox === path.mailbox ? 1 : 0),
      0,
    );
    return { subject: pathKey(path), label: pathText(path), periodMs: 3_600_000 / Math.max(perHour, 0.5) };
  });
}

/** What a command needs to find our folders; nothing where it finds them by itself. */
function commandTail(places: Places): string {
  const usual = placesOf({});
  const config = places.config === usual.config ? '' : ` --config ${quoted(places.config)}`;
  return config + (places.state === usual.state ? '' : ` --state ${quoted(places.state)}`);
}

function quoted(text: string): string {
  return /^[A-Za-z0-9_/.,:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
