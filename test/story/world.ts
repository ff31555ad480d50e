// What a story needs: an embedded site, a state folder, and the round as the commands make it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRound, type RoundOptions } from '../../lib/cli/round/round.ts';
import type { TripRecord } from '../../lib/model/record.ts';
import type { Limits } from '../../lib/model/site.ts';
import type { Path } from '../../lib/model/trip.ts';
import type { StandinOptions } from '../../lib/standin/options.ts';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';

export interface World {
  readonly standin: StandinSite;
  readonly state: string;
  /** Walks paths with the site as it is; `changes` are laid over it. */
  walk(paths: readonly Path[], changes?: Partial<RoundOptions>): Promise<readonly TripRecord[]>;
  one(path: Partial<Path>, changes?: Partial<RoundOptions>): Promise<TripRecord>;
  /** Text of the messages in a folder. */
  mails(account: string, folder?: string): readonly string[];
  stop(): Promise<void>;
}

const LIMITS: Partial<Limits> = { submitMs: 1500, deliverMs: 700, fetchMs: 1500, slowMs: 1200 };

export async function openWorld(options: StandinOptions = {}): Promise<World> {
  const standin = await startSite({ ...options, limits: { ...LIMITS, ...options.limits } });
  const state = mkdtempSync(join(tmpdir(), 'healthmon-story-'));
  const walk: World['walk'] = (paths, changes = {}) =>
    makeRound(paths, {
      by: 'check_rndtrip',
      site: standin.site,
      state,
      signal: new AbortController().signal,
      onNotWritten: message => {
        throw new Error(message);
      },
      ...changes,
    });
  return {
    standin,
    state,
    walk,
    one: async (path, changes) => {
      const [record] = await walk([{ ...PATH, ...path }], changes);
      if (record === undefined) throw new Error('no trip');
      return record;
    },
    mails: (account, folder = 'INBOX') => {
      const store = standin.site.accounts.get(account)?.store ?? account;
      return (standin.stores.get(store)?.mailbox(account, folder).messages ?? []).map(({ raw }) => raw.toString('latin1'));
    },
    stop: async () => {
      await standin.stop();
      rmSync(state, { recursive: true, force: true });
    },
  };
}

export const PATH: Path = { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'imap' };
export const BOTH: readonly Path['mailbox'][] = ['imap', 'pop3'];

/** Somebody else's message, byte for byte. */
export function foreign(subject: string, more = ''): string {
  return `From: somebody@else.test\r\nTo: ims1@standin.test\r\nSubject: ${subject}\r\nMessage-ID: <${subject.replace(/\W/g, '')}@else.test>\r\n${more}\r\nprivate words\r\n`;
}
