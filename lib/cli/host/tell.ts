// A look at this host and the alarms: the same entrance as a round's. Where there is no alarms.cfg nothing is loaded, and nobody told.
//
// A mail host has no site.cfg: there the readings are all that its alarms know. On the monitor host the site must be known: what is
// open there is about its servers.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadingRecord } from '../../model/record.ts';
import type { Site } from '../../model/site.ts';
import type { Places } from '../context.ts';

/** Never rejects: what goes wrong is said, and the reading waits in the journal for the next run. */
export async function tellOfReading(record: ReadingRecord, places: Places, say: (line: string) => void): Promise<void> {
  if (!existsSync(join(places.config, 'alarms.cfg'))) return;
  try {
    const { tellerFor } = await import('../round/tell.ts');
    const loaded = (await hasSite(places.config))
      ? await (await import('../context.ts')).loadConfig(places.config)
      : { site: siteOfOne(record.reading.host), sequence: [] };
    const teller = tellerFor(places, loaded, { trips: 0, say, signal: new AbortController().signal });
    teller.heard(record);
    await teller.finish();
  } catch (error) {
    say(`Alarms: not told now: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Whether there is a site.cfg of this site. Straight from the package it names machines that are nowhere. */
export async function hasSite(folder: string): Promise<boolean> {
  const file = join(folder, 'site.cfg');
  if (!existsSync(file)) return false;
  const { describe } = await import('../../site/describe.ts');
  return readFileSync(file, 'utf8') !== describe('site.cfg');
}

/** A site without servers: this host is all that is looked at. */
export function siteOfOne(name: string): Site {
  return {
    name,
    domain: name,
    limits: { submitMs: 0, deliverMs: 0, fetchMs: 0, isolateMs: 0, slowMs: 0 },
    intervalMinutes: 5,
    helo: name,
    popLogins: 0,
    popWatchesByImap: false,
    sweepCap: 0,
    knocks: 0,
    messageBytes: 0,
    mayAlter: new Set(),
    key: () => Promise.reject(new Error('this host sends no test messages')),
    mtas: new Map(),
    mmps: new Map(),
    stores: new Map(),
    accounts: new Map(),
    directories: new Map(),
    filters: new Map(),
    balancers: new Map(),
    nameServers: new Map(),
    maintenance: [],
  };
}
